"""What the viewer shows of a case, read from a dataset folder, a samples file, or one trajectory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError
from pathkg.trajectory import Certificate, Trajectory, verify

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.trajectory import CheckedClaim, CheckedEntity

REJECTED = "rejected"
"""Verdict shown for a case that gave no sample."""

UNKNOWN_ORGAN = "not stated"


@dataclass(frozen=True, slots=True)
class ViewCase:
    """One row of the viewer.

    Attributes:
        id: name of the sample or case.
        verdict: ``supported``, ``unsupported``, ``contradicted``, ``unchecked`` or ``rejected``.
        organ: the organ the case is about, or "not stated".
        reasons: why its entities, claims or its rejection were judged as they were; for the filter.
        title: what the list shows.
        kind: kind of question.
        question: the question, if any.
        report: the text the trajectory is about.
        mentions: dicts with start, end, text, id, name, type, assertion.
        answer: the conclusion.
        certificate: what the verifier found, ``None`` where there is none.
        notes: pairs (label, value) shown at the foot.
    """

    id: str
    verdict: str
    organ: str
    reasons: tuple[str, ...]
    title: str
    kind: str = ""
    question: str = ""
    report: str = ""
    mentions: tuple[Mapping[str, Any], ...] = ()
    answer: str = ""
    certificate: Certificate | None = None
    notes: tuple[tuple[str, str], ...] = field(default=())


def read_view_cases(source: Path, *, graph: KnowledgeGraph, report: str | None = None) -> Iterator[ViewCase]:
    """The cases to show.

    Args:
        source: a dataset folder (``samples.jsonl``, ``rejected.jsonl``), a ``.jsonl`` of samples, a ``.json`` with
            one sample, or a text file with one tagged trajectory, which is verified here.
        graph: names organs, and verifies a bare trajectory.
        report: the report of a bare trajectory.

    Raises:
        InputError: no such file, or a record that is not a sample.
    """
    if source.is_dir():
        samples = source / "samples.jsonl"
        if not samples.is_file():
            raise InputError(f"{source} holds no samples.jsonl",
                             hint="give the --out folder of a finished 'pathkg-datagen run'")
        yield from _samples(samples, graph)
        if (source / "rejected.jsonl").is_file():
            yield from _rejected(source / "rejected.jsonl")
        return
    if not source.is_file():
        raise InputError(f"no file or folder {source}", hint="give a dataset folder, a samples file or a trajectory")
    if source.suffix == ".jsonl":
        yield from _samples(source, graph)
    elif source.suffix == ".json":
        yield _from_sample(_json(source.read_text(encoding="utf-8"), str(source)), graph, str(source))
    else:
        yield _from_text(source, report, graph)


def _json(text: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}", hint="the file is damaged; make it again") from error
    if not isinstance(record, dict):
        raise InputError(f"{where} is not a JSON object", hint="one object per sample")
    return record


def _samples(path: Path, graph: KnowledgeGraph) -> Iterator[ViewCase]:
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, 1):
            if line.strip():
                where = f"{path}:{number}"
                yield _from_sample(_json(line, where), graph, where)


def _rejected(path: Path) -> Iterator[ViewCase]:
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, 1):
            record = _json(line, f"{path}:{number}")
            reason = f"{record.get('stage', '')}: {str(record.get('reason', '')).replace('_', ' ')}"
            kind = str(record.get("question_kind", ""))
            yield ViewCase(id=f"{record.get('case_id', number)}{'/' + kind if kind else ''}", verdict=REJECTED,
                           organ=UNKNOWN_ORGAN, reasons=(reason,), title=reason, kind=kind,
                           notes=(("why there is no sample", str(record.get("detail", "")) or reason),))


def _from_sample(record: Mapping[str, Any], graph: KnowledgeGraph, where: str) -> ViewCase:
    try:
        raw = record["certificate_json"] if "certificate_json" in record else record.get("certificate")
        body = json.loads(raw) if isinstance(raw, str) else raw
        certificate = Certificate.from_dict(body) if body else None
        mentions = tuple(record.get("findings") or ())
        diagnosis_id = str(record.get("diagnosis_id") or "")
        title = str(record.get("diagnosis") or record["answer"])
        return ViewCase(
            id=str(record.get("sample_id") or record["case_id"]),
            verdict=certificate.verdict if certificate else "unchecked",
            organ=_organ(diagnosis_id, mentions, graph), reasons=_reasons(certificate), title=title,
            kind=str(record.get("question_kind") or ""), question=_question(record),
            report=str(record.get("report") or ""), mentions=mentions, answer=str(record["answer"]),
            certificate=certificate or _unchecked(record), notes=_notes(record))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} is not a sample: {type(error).__name__} {error}",
                         hint="samples are written by pathkg-datagen; see the page on file formats") from error


def _question(record: Mapping[str, Any]) -> str:
    options = record.get("options") or []
    lines = [str(record.get("question") or ""), *(f"({chr(65 + i)}) {o}" for i, o in enumerate(options))]
    return "\n".join(line for line in lines if line)


def _unchecked(record: Mapping[str, Any]) -> Certificate:
    """A certificate that says nothing, so that the text of an unverified sample is still shown."""
    from pathkg.trajectory import CheckedStep

    parts = [("observe", str(record.get("observe") or "")),
             *((f"step {i}", str(s)) for i, s in enumerate(record.get("steps") or (), 1)),
             ("answer", str(record["answer"]))]
    return Certificate("unsupported", tuple(CheckedStep(n, t, "unsupported", False, (), ()) for n, t in parts if t),
                       "", "", "")


def _notes(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    wanted = (("patient", "patient_id"), ("split", "split"), ("writer", "writer"), ("model", "model"),
              ("repairs", "repairs"), ("dialect", "dialect"), ("graph", "graph_hash"))
    return tuple((label, str(record[key])) for label, key in wanted if record.get(key) not in (None, ""))


def _from_text(source: Path, report: str | None, graph: KnowledgeGraph) -> ViewCase:
    from pathkg.linking import linker_for
    from pathkg.trajectory import parse

    text = source.read_text(encoding="utf-8")
    trajectory: Trajectory = parse(text, dialect="auto", lenient=True)
    certificate = verify(trajectory, report=report, graph=graph)
    mentions = tuple(m.to_dict() for m in linker_for(graph).link(report)) if report else ()
    return ViewCase(id=source.stem, verdict=certificate.verdict, organ=_organ("", mentions, graph),
                    reasons=_reasons(certificate), title=trajectory.answer, report=report or "", mentions=mentions,
                    answer=trajectory.answer, certificate=certificate, notes=(("graph", graph.hash),))


def _reasons(certificate: Certificate | None) -> tuple[str, ...]:
    """Distinct reasons, with what differs from case to case taken out."""
    if certificate is None:
        return ()
    found: set[str] = set()
    for part in certificate.parts:
        judged: list[CheckedEntity | CheckedClaim] = [*part.entities, *part.claims]
        for item in judged:
            reason = "follows from a claim of the step" if item.reason.startswith("follows from ") else item.reason
            found.add(f"{item.verdict}: {reason}")
        if part.conflicts:
            found.add("contradicted: states another value than the report")
    return tuple(sorted(found))


def _organ(diagnosis: str, mentions: tuple[Mapping[str, Any], ...], graph: KnowledgeGraph) -> str:
    """Where the diagnosis arises, when that is one place; else the first organ the report names."""
    named = next((str(m["name"]) for m in mentions if m.get("type") == "anatomy"), UNKNOWN_ORGAN)
    if not diagnosis or diagnosis not in graph or "arises_in" not in graph.relations:
        return named
    places = [n for _, n, direction in graph.neighbors(diagnosis, relation="arises_in") if direction == "forward"]
    return graph.node(places[0]).name if len(places) == 1 else named
