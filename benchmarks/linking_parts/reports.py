"""Structured findings against human annotation (40 reports) and against the clinical file (the others)."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from linking_parts.data import json_lines

import pathkg
from pathkg.linking import extract_findings, linker_for

# categories of the human annotation -> nodes; descendants count as well
_HISTOLOGY = {
    "invasive_carcinoma_no_special_type": ("invasive breast carcinoma of no special type", "infiltrating ductal carcinoma"),
    "adenocarcinoma": ("adenocarcinoma",), "squamous_cell_carcinoma": ("squamous cell carcinoma",),
    "mucinous_adenocarcinoma": ("mucinous adenocarcinoma", "colorectal mucinous adenocarcinoma"),
    "mixed_ductal_and_lobular_carcinoma": ("mixed ductal and lobular carcinoma",
                                           "invasive breast carcinoma of no special type", "invasive lobular carcinoma"),
    "invasive_lobular_carcinoma": ("invasive lobular carcinoma",),
    "signet_ring_cell_carcinoma": ("signet ring cell carcinoma", "signet ring cell adenocarcinoma"),
    "tubular_adenocarcinoma": ("tubular adenocarcinoma",),
    "basaloid_squamous_cell_carcinoma": ("basaloid squamous cell carcinoma",)}
_MARKERS = {"er": "ER", "pr": "PR", "her2": "HER2", "ki67": "Ki-67"}


def measure_annotated(folder: Path, errors: Path | None) -> dict[str, Any]:
    linker = linker_for(pathkg.load())
    graph = linker.graph
    right: dict[str, int] = defaultdict(int)
    stated: dict[str, int] = defaultdict(int)
    lines: list[str] = []
    for record in json_lines(folder / "reports" / "tcga_reports_clean.jsonl"):
        note = (record.get("human_annotation") or {}).get("cancer_data")
        if not note:
            continue
        found = extract_findings(record["text"], linker=linker)

        def check(name: str, gold: Any, said: Any, correct: bool, record: Any = record) -> None:
            stated[name] += 1
            right[name] += correct
            if not correct:
                lines.append(f"{name}: gold {gold!r}, read {said!r}  [{record['ref'][:12]}]")

        for name, key in (("pT", "pt_category"), ("pN", "pn_category")):
            if note.get(key):
                check(name, note[key], found.first(name), note[key][1:] == (found.first(name) or ""))
        if note.get("histology"):
            nodes = {f for form in _HISTOLOGY.get(note["histology"], ()) for f in _resolve(graph, form)}
            first = found["histologic_type"][0] if found["histologic_type"] else None
            ok = first is not None and (first.id in nodes or bool(nodes & graph.ancestors(first.id).keys())
                                        or note["histology"].replace("_", " ") in first.value)
            check("histology", note["histology"], first and first.value, ok)
        if note.get("grade") is not None:
            grade = found.first("grade")
            check("grade", note["grade"], grade, grade is not None and grade["grade"] == int(note["grade"]))
        for name in ("lymphovascular_invasion", "perineural_invasion"):
            if note.get(name) is not None:
                check(name, note[name], found.first(name), found.first(name) is note[name])
        groups = note.get("regional_lymph_node") or []
        if groups:
            for name, key in (("nodes_examined", "examined"), ("nodes_positive", "involved")):
                total = sum(g[key] or 0 for g in groups)
                check(name, total, found.first(name), found.first(name) == total)
        for marker in note.get("biomarkers") or []:
            name = _MARKERS.get(marker["biomarker_category"])
            if name is None or (name == "Ki-67" and marker["percentage"] is None):
                continue
            value = found.first(name) or {}
            gold = _status(marker.get("expression"), marker.get("percentage"), marker.get("score"))
            if gold is not None:
                said = _status(value.get("expression"), value.get("percentage"), value.get("score"))
                check("receptors", f"{name} {gold}", value, said is gold)
            if marker.get("percentage"):  # a negative result without a number was annotated as 0
                check("receptor_percentage", f"{name} {marker['percentage']}", value,
                      value.get("percentage") == marker["percentage"])
    if errors:
        (errors / "annotated.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return {name: {"stated": n, "accuracy": round(right[name] / n, 4)} for name, n in sorted(stated.items())}


def _status(expression: Any, percentage: Any, score: Any) -> bool | None:
    """Positive, negative, or unknown (a HER2 score of 2)."""
    if expression is not None:
        return bool(expression)
    if percentage is not None:
        return bool(percentage)
    return {0: False, 1: False, 3: True}.get(score)


def _resolve(graph: Any, form: str) -> list[str]:
    try:
        return [graph.resolve(form)]
    except pathkg.errors.UnknownEntityError:
        return []


def measure_reports(folder: Path, errors: Path | None) -> dict[str, Any]:
    linker = linker_for(pathkg.load())
    graph = linker.graph
    projects = _projects()
    n = same = n_t = t_stated = t_same = t_letter = t_same_stated = 0
    lines = []
    for record in json_lines(folder / "reports" / "tcga_reports_clean.jsonl"):
        if record.get("human_annotation"):
            continue
        found = extract_findings(record["text"], linker=linker)
        n += 1
        nodes = projects[record["tcga_project"]]
        first = found["histologic_type"][0] if found["histologic_type"] else None
        ok = first is not None and any(
            first.id == node or node in graph.ancestors(first.id) or first.id in graph.ancestors(node) for node in nodes)
        same += ok
        if not ok:
            lines.append(f"DIAGNOSIS {record['tcga_project']} {record['histological_type']!r}: "
                         f"{first and (first.value, first.id, first.text)} next {[f.value for f in found['histologic_type'][1:4]]} [{record['ref'][:12]}]")
        if record["ajcc_t"]:
            gold = record["ajcc_t"][1:].lower()
            said = found.first("pT") or ""
            stated = bool(said) and found["pT"][0].weight >= 1  # else it was derived from the size
            n_t += 1
            t_stated += stated
            t_same += said[:1] == gold[:1]
            t_same_stated += stated and said[:1] == gold[:1]
            t_letter += said == gold
            if said[:1] != gold[:1]:
                lines.append(f"T {record['tcga_project']} gold {record['ajcc_t']} read {said!r} "
                             f"{[(f.text, round(f.weight, 1)) for f in found['pT'][:4]]} [{record['ref'][:12]}]")
    if errors:
        (errors / "reports.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"reports": n, "diagnosis_equal_above_or_below": round(same / n, 4), "t_category_of_all_derived_included": round(t_same / n_t, 4),
            "t_stated_in_report": round(t_stated / n_t, 4), "t_category": round(t_same_stated / max(t_stated, 1), 4),
            "t_category_with_letter": round(t_letter / n_t, 4)}


def _projects() -> dict[str, list[str]]:
    from pathkg.sources.core import CORE_FOLDER, rows

    return {row["project"]: re.split(r"\|", row["nodes"]) for row in rows(CORE_FOLDER / "tcga_projects.tsv")}
