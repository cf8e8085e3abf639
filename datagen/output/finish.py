"""The end of a run: the filters that look at all samples together, then the files, then the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datagen.filters.base import FilterOptions
from datagen.filters.duplicates import NearDuplicates, unpack
from datagen.filters.templating import TemplatingAudit
from datagen.output.atomic import checksum, whole_file, write_json
from datagen.output.journal import Journal
from datagen.output.schema import sample_schema
from datagen.output.tables import write_parquet
from datagen.records import Rejection, canonical_json

MANIFEST = "manifest.json"
FORMAT_VERSION = 1


@dataclass(slots=True)
class Tally:
    """Counts of a run while its journal is read."""

    cases: int = 0
    accepted: int = 0
    samples: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    diagnoses: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected_cases: Counter[str] = field(default_factory=Counter)
    extraction: Counter[str] = field(default_factory=Counter)

    def add(self, note: Mapping[str, Any]) -> None:
        """Count one sample."""
        self.samples += 1
        self.kinds[note["question_kind"]] += 1
        self.splits[note["split"]] += 1
        self.patients.add(note["patient_id"])
        self.diagnoses[note["diagnosis"]] += 1


def finish(out: Path, journal: Journal, *, filters: FilterOptions, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``samples.jsonl``, ``samples.parquet``, ``rejected.jsonl`` and, last of all, ``manifest.json``.

    Args:
        out: the output folder.
        journal: the finished cases.
        filters: thresholds of the run-wide filters.
        about: what goes into the manifest besides the counts: graph, options, input, versions.

    Returns:
        The manifest.
    """
    repeats = _near_duplicates(journal, filters)
    audit = TemplatingAudit()
    tally = Tally()
    with whole_file(out / "samples.jsonl", "wb") as samples, whole_file(out / "rejected.jsonl") as rejected:
        number = 0
        for _, head, lines in journal.results():
            kept = 0
            reasons = [dict(r) for r in head["rejected"]]
            for note, line in zip(head["notes"], lines, strict=True):
                problem = _run_wide_problem(head["case_id"], note, number, repeats, audit, filters)
                number += 1
                if problem is not None:
                    reasons.append(problem.to_dict())
                    continue
                kept += 1
                samples.write(line + b"\n")
                tally.add(note)
            for record in reasons:
                rejected.write(canonical_json(record) + "\n")
                tally.rejected[record["stage"], record["reason"]] += 1
            tally.extraction.update(head["extraction"])
            tally.cases += 1
            tally.accepted += bool(kept)
            if not kept:
                tally.rejected_cases[_main_reason(reasons)] += 1
    files = write_parquet(out / "samples.parquet", out / "samples.jsonl", sample_schema())
    manifest = {**about, "format_version": FORMAT_VERSION, "counts": _counts(tally), "templating": audit.to_dict(),
                "files": {f.name: checksum(f) for f in (out / "samples.jsonl", out / "rejected.jsonl", *files)}}
    write_json(out / MANIFEST, manifest)
    return manifest


def _near_duplicates(journal: Journal, filters: FilterOptions) -> dict[int, int]:
    if not filters.runs("near_duplicate"):
        return {}
    near = NearDuplicates()
    for _, head, _ in journal.results():
        for note in head["notes"]:
            near.add(head["case_id"], unpack(note["minhash"]))
    return near.find(filters.near_duplicate)


def _run_wide_problem(case_id: str, note: Mapping[str, Any], number: int, repeats: Mapping[int, int],
                      audit: TemplatingAudit, filters: FilterOptions) -> Rejection | None:
    def reject(reason: str, detail: str) -> Rejection:
        return Rejection(case_id, note["patient_id"], "filter", reason, detail, note["question_kind"])

    if number in repeats:
        return reject("near_duplicate", f"nearly the text of sample number {repeats[number]}")
    too_many = audit.add(note["diagnosis"], note["skeleton"], note["structure"], share=filters.mould_share)
    if too_many and filters.runs("templating"):
        return reject("templating", f"the class {note['diagnosis']} has this sentence frame too often")
    return None


def _main_reason(reasons: list[dict[str, Any]]) -> str:
    """Why a case gave nothing: the reason for its diagnosis question, else the first one."""
    if not reasons:
        return "no_question"
    first = next((r for r in reasons if r["question_kind"] in ("", "diagnosis")), reasons[0])
    return f"{first['stage']}/{first['reason']}"


def _counts(tally: Tally) -> dict[str, Any]:
    extracted = {"extraction": dict(sorted(tally.extraction.items()))} if tally.extraction else {}
    return {**extracted, "cases": tally.cases, "accepted": tally.accepted, "samples": tally.samples, "patients": len(tally.patients),
            "question_kinds": dict(sorted(tally.kinds.items())), "splits": dict(sorted(tally.splits.items())),
            "diagnoses": dict(sorted(tally.diagnoses.items(), key=lambda kv: (-kv[1], kv[0]))[:50]),
            "rejected_cases": dict(sorted(tally.rejected_cases.items())),
            "rejected": {f"{s}/{r}": n for (s, r), n in sorted(tally.rejected.items())}}
