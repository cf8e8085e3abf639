"""The newcomer's first command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pathkg.cli import main

BROKEN = ("one negation flipped", "one entity replaced", "entity-stuffed")


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("quickstart")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *a, **_: printed.append(" ".join(map(str, a))))
        assert main(["quickstart", "--json", "--out", str(out / "data")]) == 0
    return {**json.loads("\n".join(printed)), "out": out / "data"}


def test_at_least_eight_organs_become_verified_samples(quickstart: dict[str, Any]) -> None:
    assert len({case["case"]["case_id"].split("-")[1] for case in quickstart["cases"]}) >= 8
    assert all(case["samples"] for case in quickstart["cases"])


def test_the_gold_earns_the_maximum_and_every_broken_text_less(quickstart: dict[str, Any]) -> None:
    for case in quickstart["cases"]:
        gold = case["rewards"]["gold"]["total"]
        assert gold == pytest.approx(2.5)
        for label in BROKEN:
            assert case["rewards"][label]["total"] < gold - 0.005, (case["case"]["case_id"], label)


def test_every_certificate_step_is_supported(quickstart: dict[str, Any]) -> None:
    for case in quickstart["cases"]:
        for sample in case["samples"]:
            certificate = json.loads(sample["certificate_json"])
            assert certificate["verdict"] == "supported"


def test_the_dataset_is_on_disk(quickstart: dict[str, Any]) -> None:
    out: Path = quickstart["out"]
    assert {p.name for p in out.iterdir()} >= {"samples.jsonl", "samples.parquet", "rejected.jsonl", "manifest.json"}


def test_it_prints_what_a_person_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quickstart", "--limit", "1", "--out", str(tmp_path / "d")]) == 0
    out = capsys.readouterr().out
    for words in ("findings, as linked", "absent", "best paths", "<think>", "certificate", "supported", "rewards",
                  "entity-stuffed", str(tmp_path / "d"), "Research use only"):
        assert words in out
