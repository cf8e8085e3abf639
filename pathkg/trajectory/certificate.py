"""The certificate: what was checked, what supports it, and a seal over both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pathkg.errors import InputError

Verdict = Literal["supported", "unsupported", "contradicted"]
VERDICTS: tuple[Verdict, ...] = ("supported", "unsupported", "contradicted")

CERTIFICATE_VERSION = 4
"""Raised whenever the rules of verification change: an old certificate is then said to be old, not wrong."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an entity or claim holds (or does not): a span of the report, or a path of edge ids in the graph.

    ``kind`` is ``report`` (``start``, ``end`` into the report, ``text``) or ``graph`` (``edges``, which mean
    something only with the certificate's graph hash; ``text`` is the path in words).
    """

    kind: Literal["report", "graph"]
    text: str
    start: int = -1
    end: int = -1
    edges: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        if self.kind == "report":
            return {"kind": "report", "start": self.start, "end": self.end, "text": self.text}
        return {"kind": "graph", "edges": list(self.edges), "text": self.text}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Evidence:
        return cls(record["kind"], record["text"], record.get("start", -1), record.get("end", -1),
                   tuple(record.get("edges", ())))


@dataclass(frozen=True, slots=True)
class CheckedEntity:
    """An entity of a step: what the step says of it, and whether that holds."""

    id: str
    name: str
    type: str
    polarity: str
    start: int
    end: int
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "type": self.type, "polarity": self.polarity,
                "start": self.start, "end": self.end, "verdict": self.verdict, "reason": self.reason,
                "evidence": [e.to_dict() for e in self.evidence]}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CheckedEntity:
        return cls(record["id"], record["name"], record["type"], record["polarity"], record["start"],
                   record["end"], record["verdict"], record["reason"],
                   tuple(Evidence.from_dict(e) for e in record["evidence"]))


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claimed connection of a step, and whether report or graph supports it."""

    source: str
    target: str
    stance: str
    cue: str
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"source": self.source, "target": self.target, "stance": self.stance, "cue": self.cue,
                "verdict": self.verdict, "reason": self.reason, "evidence": [e.to_dict() for e in self.evidence]}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CheckedClaim:
        return cls(record["source"], record["target"], record["stance"], record["cue"], record["verdict"],
                   record["reason"], tuple(Evidence.from_dict(e) for e in record["evidence"]))


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """One part of the trajectory: ``observe``, a reasoning step, or ``answer``.

    ``checked`` is false where the part states nothing that could be checked; it then counts for nothing.
    """

    name: str
    text: str
    verdict: Verdict
    checked: bool
    entities: tuple[CheckedEntity, ...]
    claims: tuple[CheckedClaim, ...]
    conflicts: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "text": self.text, "verdict": self.verdict, "checked": self.checked,
                "entities": [e.to_dict() for e in self.entities], "claims": [c.to_dict() for c in self.claims],
                "conflicts": list(self.conflicts)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CheckedStep:
        return cls(record["name"], record["text"], record["verdict"], record["checked"],
                   tuple(CheckedEntity.from_dict(e) for e in record["entities"]),
                   tuple(CheckedClaim.from_dict(c) for c in record["claims"]), tuple(record["conflicts"]))

    @property
    def is_reasoning(self) -> bool:
        return self.name.startswith("step")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The result of :func:`pathkg.trajectory.verify`.

    ``parts`` are ``observe``, the steps and ``answer``; ``steps`` only the reasoning steps. ``seal`` is the SHA-256
    of everything else: a change of one character breaks it. It is a checksum, not a signature: only running the
    verification again (:func:`pathkg.trajectory.recheck`) proves that the content is right.
    """

    verdict: Verdict
    parts: tuple[CheckedStep, ...]
    graph_hash: str
    trajectory_hash: str
    report_hash: str
    version: int = CERTIFICATE_VERSION
    seal: str = ""

    @property
    def steps(self) -> tuple[CheckedStep, ...]:
        """The reasoning steps."""
        return tuple(p for p in self.parts if p.is_reasoning)

    @property
    def supported_share(self) -> float | None:
        """Share of the checked reasoning steps that are supported; ``None`` when nothing could be checked."""
        checked = [s for s in self.steps if s.checked]
        return sum(s.verdict == "supported" for s in checked) / len(checked) if checked else None

    def body(self) -> dict[str, Any]:
        """Everything the seal covers."""
        return {"version": self.version, "verdict": self.verdict, "graph_hash": self.graph_hash,
                "trajectory_hash": self.trajectory_hash, "report_hash": self.report_hash,
                "parts": [p.to_dict() for p in self.parts]}

    def sealed(self) -> Certificate:
        """A copy with the right seal."""
        return replace(self, seal=digest(canonical(self.body())))

    def to_dict(self) -> dict[str, Any]:
        return {**self.body(), "seal": self.seal}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Certificate:
        """Rebuild from :meth:`to_dict`. The seal is taken as it is; ``recheck`` tests it.

        Raises:
            InputError: not a certificate record.
        """
        try:
            return cls(record["verdict"], tuple(CheckedStep.from_dict(p) for p in record["parts"]),
                       record["graph_hash"], record["trajectory_hash"], record["report_hash"],
                       record["version"], record["seal"])
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"not a certificate record: {type(error).__name__} {error}",
                             hint="pass what Certificate.to_dict() returned") from error

    def explain(self) -> str:
        """The certificate for a person: verdict, and per part what was found."""
        lines = [f"verdict: {self.verdict}"]
        for part in self.parts:
            lines.append(f"{part.name}: {part.verdict if part.checked else 'nothing to check'}")
            for entity in part.entities:
                sign = "no " if entity.polarity == "-" else ""
                lines.append(f"  {_MARK[entity.verdict]} {sign}{entity.name} ({entity.id}): {entity.reason}")
                lines += [f"      {_cite(e)}" for e in entity.evidence]
            for claim in part.claims:
                lines.append(f"  {_MARK[claim.verdict]} {claim.source} {claim.stance} {claim.target}: {claim.reason}")
                lines += [f"      {_cite(e)}" for e in claim.evidence]
            mark = _MARK["unsupported" if part.verdict == "unsupported" else "contradicted"]
            lines += [f"  {mark} {c}" for c in part.conflicts]
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = ", ".join(f"{sum(s.verdict == v for s in self.parts)} {v}" for v in VERDICTS)
        return f"<Certificate {self.verdict}: {counts}>"


_MARK = {"supported": "✓", "unsupported": "?", "contradicted": "✗"}


def _cite(evidence: Evidence) -> str:
    if evidence.kind == "report":
        return f"report [{evidence.start}:{evidence.end}] “{evidence.text}”"
    return f"graph {evidence.text} (edges {', '.join(map(str, evidence.edges))})"


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The gravest of some verdicts; ``supported`` when there is none.

    Example:
        >>> worst(["supported", "unsupported"])
        'unsupported'
    """
    return max(verdicts, key=VERDICTS.index, default="supported")


def digest(text: str) -> str:
    """``sha256:…`` of a text (lone surrogates included)."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
