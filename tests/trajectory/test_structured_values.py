"""Stages, grades, sides, sizes and counts read from text, and which of them contradict."""

from __future__ import annotations

import json
import time

import pytest

import pathkg
from pathkg.trajectory.values import Value, conflicts, find_values, value_set
from tests.shared_data import shared


@pytest.mark.parametrize(("text", "values"), [
    ("pT2a N0 M0", ["pT=2a", "pN=0", "pM=0"]),
    ("pT2aN1miMX", ["pT=2a", "pN=1mi", "pM=x"]),
    ("ypT3, pNO", ["pT=3", "pN=0"]),
    ("T1b tumor", ["pT=1b"]),
    ("NO EVIDENCE OF MALIGNANCY, MX record", ["pM=x"]),
    ("T2-weighted", ["pT=2"]),
    ("CT1 image of NT2 cells", []),
    ("Stage IIIA, stage 2, STAGE IV", ["stage=3a", "stage=2", "stage=4"]),
    ("Nottingham grade II; Fuhrman grade 3; G2", ["grade=2", "grade=3", "grade=2"]),
    ("grade group 2, Gleason 3+4=7", ["grade=2", "gleason=3+4"]),
    ("HER2 3+ in 30% of cells", ["percent=30"]),
    ("moderately to poorly differentiated", ["grade=2", "grade=3"]),
    ("high-grade and low grade", ["grade=high", "grade=low"]),
    ("left upper lobe, RIGHT KIDNEY, bilateral ovaries", ["side=left:lobe", "side=right:kidney", "side=both:ovary"]),
    ("1.2 cm and 15 mm", ["size=12", "size=15"]),
    ("3/12 nodes, 0 of 5, 2 out of 7", ["ratio=3/12", "ratio=0/5", "ratio=2/7"]),
    ("seen on 11/08/2012 at 3 x 4 x 5 cm", ["size=50"]),
    ("leftover rightly upgrade 5cmx", []),
])
def test_values_are_read(text: str, values: list[str]) -> None:
    assert [str(v) for v, _, _ in find_values(text)] == values


def test_spans_point_at_the_value() -> None:
    text = "Left kidney, 4.5 cm, pT1bN0"
    assert [text[a:b] for _, a, b in find_values(text)] == ["Left kidney", "4.5 cm", "T1b", "N0"]


@pytest.mark.parametrize(("stated", "known", "clashes"), [
    ("pT2", "pT3", 1), ("pT2", "pT2a", 0), ("pT2", "", 0), ("pT3 or pT2", "pT2", 0),
    ("grade 1", "grade 3", 1), ("Gleason 3+4", "Gleason 4+3", 1),
    ("left lung", "right lung", 1), ("left lung", "right breast", 0), ("left kidney", "bilateral kidneys", 0),
    ("5 cm", "3 cm", 0),
])
def test_conflicts(stated: str, known: str, clashes: int) -> None:
    assert len(conflicts(value_set(stated), value_set(known))) == clashes


def test_text_form_round_trips() -> None:
    for value in (Value("pT", "2a"), Value("side", "left", "kidney"), Value("ratio", "3/12")):
        assert Value.from_text(str(value)) == value


def test_t_category_agrees_with_the_registry_on_real_reports() -> None:
    reports = [json.loads(line) for line in shared("reports/tcga_reports_clean.jsonl").open()]
    stated = agreed = 0
    for report in reports:
        known = (report.get("ajcc_t") or "").removeprefix("T").lower()
        found = {v.value for v, _, _ in find_values(report["text"]) if v.kind == "pT"}
        if known and found:
            stated += 1
            agreed += any(f[:1] == known[:1] for f in found)
    assert stated > 150
    assert agreed / stated > 0.9


def test_a_megabyte_is_read_in_linear_time() -> None:
    start = time.perf_counter()
    find_values("T" * 300_000 + "left " * 100_000 + "1+" * 200_000)
    assert time.perf_counter() - start < 5.0


@pytest.mark.parametrize(("report", "said", "verdict"), [
    ("2.3 CM IN GREATEST DIMENSION", "2.3 cm", "supported"), ("2.3 CM", "23 mm", "supported"), ("2.3 cm", "2.3 CM", "supported"),
    ("2.3 CM", "4.5 cm", "unsupported"), ("2.3 cm", "4.5 CM", "unsupported"), ("2 X 3 BY 4 CM", "4 cm", "supported")])
def test_sizes_in_capitals_are_sizes(report: str, said: str, verdict: str) -> None:
    text = (f"<observe>The tumor measures {said}.</observe><think>1. Invasive ductal carcinoma of the breast.</think>"
            "<answer>Invasive ductal carcinoma of the breast.</answer>")
    assert str(pathkg.verify(text, report=f"Invasive ductal carcinoma of the breast, {report}.").verdict) == verdict


@pytest.mark.parametrize(("report", "step", "verdict"), [
    ("Monosomy 3 negative.", "Negative monosomy 3 fits uveal melanoma.", "contradicted"),
    ("Monosomy 3 present.", "Monosomy 3 fits uveal melanoma.", "supported")])
def test_a_negative_result_does_not_speak_for_what_is_known_of_its_marker(report: str, step: str, verdict: str) -> None:
    text = f"<observe>{report}</observe><think>1. {step}</think><answer>Uveal melanoma.</answer>"
    assert str(pathkg.verify(text, report=f"Eye: uveal melanoma. {report}").verdict) == verdict


@pytest.mark.parametrize(("report", "said", "verdict"), [
    ("CK7 negative.", "CK7 is positive.", "contradicted"), ("CK7 positive.", "CK7 is negative.", "contradicted"),
    ("CK7 positive.", "CK7 is positive.", "supported"), ("CK20 negative.", "CK7 is positive.", "unsupported"),
    ("HER2 negative.", "HER2 is positive.", "contradicted")])
def test_the_opposite_result_of_a_marker_contradicts(report: str, said: str, verdict: str) -> None:
    text = f"<observe>{said}</observe><think>1. Adenocarcinoma is seen.</think><answer>Adenocarcinoma.</answer>"
    assert str(pathkg.verify(text, report=f"Adenocarcinoma. {report}").verdict) == verdict
