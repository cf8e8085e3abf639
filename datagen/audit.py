"""Auditing a dataset: every certificate is verified again, every number of the manifest is counted again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.output.atomic import checksum, read_json
from datagen.output.finish import MANIFEST
from datagen.output.schema import read_samples
from pathkg.errors import InputError
from pathkg.trajectory import Certificate, parse, recheck

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. ``problems`` are the first twenty, ``counts`` all of them by kind."""

    samples: int
    certificates_ok: int
    gold_at_maximum: int
    counts: Mapping[str, int]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.counts

    def to_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "samples": self.samples, "certificates_ok": self.certificates_ok,
                "gold_at_maximum": self.gold_at_maximum, "counts": dict(self.counts), "problems": list(self.problems)}

    def explain(self) -> str:
        lines = [f"{self.certificates_ok} of {self.samples} certificates verify again, "
                 f"{self.gold_at_maximum} of {self.samples} trajectories earn the full reward of their own reference"]
        if self.ok:
            return "\n".join([*lines, "audit passed"])
        lines += [f"{name}: {count}" for name, count in self.counts.items()]
        return "\n".join([*lines, *(f"  {p}" for p in self.problems), "audit failed"])


def audit(folder: str | Path, *, graph: KnowledgeGraph | None = None, limit: int | None = None) -> Audit:
    """Audit a finished dataset.

    For every sample: the certificate's seal and content by a new verification, its verdict, the rendering of the
    trajectory, the spans of findings and evidence in the report, the reward of the gold, the id. For the whole: one
    split per patient, unique ids, the checksums and counts of the manifest.

    Args:
        folder: the ``--out`` folder of a run.
        graph: the store the dataset was made with; the bundled core when ``None``.
        limit: look at the first samples only (the checks of the whole are then left out).

    Raises:
        InputError: no finished dataset there, or one made with another graph.
    """
    from pathkg.api import load
    from pathkg.rewards import CompositeReward

    place = Path(folder)
    manifest = read_json(place / MANIFEST)
    graph = graph or load()
    if manifest.get("graph_hash") != graph.hash:
        raise InputError(f"{place} was made with the graph {manifest.get('graph_hash')}, this one is {graph.hash}",
                         hint="give the store it was made with: --store STORE")
    reward = CompositeReward(store=str(graph.path))
    counts: Counter[str] = Counter()
    problems: list[str] = []
    certified = full = total = 0
    ids: set[str] = set()
    splits: dict[str, str] = {}
    for row in read_samples(place):
        if limit is not None and total == limit:
            break
        total += 1
        found = _certificate_problems(row, graph)
        certified += not found
        found += _sample_problems(row)
        maximum = _earns_maximum(row, reward)
        full += maximum
        if not maximum:
            found.append("reward: the gold does not earn the maximum")
        if row["sample_id"] in ids:
            found.append("id: two samples have it")
        ids.add(row["sample_id"])
        if splits.setdefault(row["patient_id"], row["split"]) != row["split"]:
            found.append(f"split: patient {row['patient_id']} is in two splits")
        for problem in found:
            counts[problem.split(":")[0]] += 1
            if len(problems) < SHOWN:
                problems.append(f"{row['sample_id']}: {problem}")
    if limit is None:
        for problem in _manifest_problems(place, manifest, total):
            counts["manifest"] += 1
            problems.append(problem)
    return Audit(total, certified, full, dict(sorted(counts.items())), tuple(problems))


def _certificate_problems(row: Mapping[str, Any], graph: KnowledgeGraph) -> list[str]:
    try:
        certificate = Certificate.from_dict(json.loads(row["certificate_json"]))
        trajectory = parse(row["text"], row["dialect"])
    except (ValueError, InputError) as error:
        return [f"certificate: cannot be read ({error})"]
    if certificate.verdict != "supported":
        return [f"certificate: its verdict is {certificate.verdict}"]
    again = recheck(certificate, trajectory, report=row["report"], graph=graph)
    return [] if again else [f"certificate: {again.differences[0]}"]


def _sample_problems(row: Mapping[str, Any]) -> list[str]:
    problems = []
    trajectory = parse(row["text"], row["dialect"])
    if (trajectory.observe, list(trajectory.steps), trajectory.answer) != (row["observe"], row["steps"], row["answer"]):
        problems.append("text: observe, steps and answer are not those of the text")
    for span in [*row["findings"], *row["evidence"]]:
        if row["report"][span["start"]:span["end"]] != span["text"]:
            problems.append(f"span: {span['text']!r} does not stand at {span['start']}")
            break
    return problems


def _earns_maximum(row: Mapping[str, Any], reward: Any) -> bool:
    breakdown = reward.score(row["text"], row["reference_json"])
    return breakdown.total is not None and abs(breakdown.total - sum(reward.weights.values())) < 1e-9


def _manifest_problems(place: Path, manifest: Mapping[str, Any], total: int) -> list[str]:
    problems = [f"manifest: {name} is missing or was changed" for name, known in manifest["files"].items()
                if not (place / name).is_file() or checksum(place / name) != known]
    if manifest["counts"]["samples"] != total:
        problems.append(f"manifest: it counts {manifest['counts']['samples']} samples, there are {total}")
    return problems
