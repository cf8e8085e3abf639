"""The plan of a case: what is concluded, from which findings, by which paths, and what speaks against the rest.

A plan is a value: it can be printed, compared and stored before a word is written. Writers, offline or LLM, only tell
what is in it. :mod:`datagen.planning` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datagen.evidence import Link
from datagen.findings import Finding, Measure
from datagen.records import canonical_json, digest
from pathkg.records import Path

EVIDENCE_TYPES = ("morphology", "marker_result", "effect/phenotype")
POSITIVE_MARGIN, SURGICAL_MARGIN = "PATHKG:positive-margin", "PATHKG:surgical-margin"


@dataclass(frozen=True, slots=True)
class Differential:
    """A diagnosis that was considered and is not the conclusion, with what speaks against it."""

    id: str
    name: str
    against: tuple[Link, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "against": [k.to_dict() for k in self.against]}


@dataclass(frozen=True, slots=True)
class Category:
    """A grade or stage category of the report, with the findings that define it in the graph, if any do. ``shared``: the
    finding is a criterion of other categories of the same organ as well, and does not decide between them."""

    kind: str
    finding: Finding
    defined_by: tuple[Link, ...] = ()
    shared: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "finding": self.finding.to_dict(),
                "defined_by": [k.to_dict() for k in self.defined_by]}


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module."""

    case_id: str
    graph_hash: str
    diagnosis: Finding
    organ: Finding | None
    procedure: Finding | None
    support: tuple[Link, ...]
    differentials: tuple[Differential, ...]
    categories: tuple[Category, ...]
    prognostic: tuple[Link, ...]
    present: tuple[Finding, ...]
    absent: tuple[Finding, ...]
    measures: tuple[Measure, ...] = ()
    site_link: Link | None = None
    tentative: bool = False
    sites: tuple[Finding, ...] = ()
    background: tuple[Finding, ...] = ()
    margin: Finding | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The ranked paths from findings to the diagnosis."""
        return tuple(k.path for k in self.support)

    @property
    def n_findings(self) -> int:
        """Linked findings that the trajectory can build on, the diagnosis included."""
        extra = [f for f in (self.diagnosis, self.organ, self.procedure) if f is not None]
        return (len(self.present) + len(self.absent) + len(self.categories) + len(extra) + len(self.sites)
                + len(self.background))

    def category(self, kind: str) -> Category | None:
        """The category of a kind: ``grade``, ``pT``, ``pN``, ``pM`` or ``stage``."""
        return next((c for c in self.categories if c.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "graph_hash": self.graph_hash, "diagnosis": self.diagnosis.to_dict(),
                "organ": self.organ.to_dict() if self.organ else None,
                "procedure": self.procedure.to_dict() if self.procedure else None,
                "support": [k.to_dict() for k in self.support],
                "differentials": [d.to_dict() for d in self.differentials],
                "categories": [c.to_dict() for c in self.categories],
                "prognostic": [k.to_dict() for k in self.prognostic],
                "present": [f.to_dict() for f in self.present], "absent": [f.to_dict() for f in self.absent],
                "sites": [f.to_dict() for f in self.sites], "background": [f.to_dict() for f in self.background],
                "margin": self.margin.to_dict() if self.margin else None,
                "measures": [m.to_dict() for m in self.measures], "tentative": self.tentative}

    @property
    def hash(self) -> str:
        """A hash of the plan's content."""
        return digest(canonical_json(self.to_dict()))

    def explain(self) -> str:
        """The plan for a person."""
        lines = [f"case {self.case_id}", f"diagnosis: {self.diagnosis.name} ({self.diagnosis.id})"
                 f" — report {self.diagnosis.text!r}"]
        if self.organ:
            lines.append(f"organ: {self.organ.name}")
        lines += [f"for      {k.strength:+5.2f}  {'no ' if k.finding.polarity == '-' else ''}{k.path.explain()}"
                  for k in self.support]
        for differential in self.differentials:
            lines += [f"against {differential.name}: {'no ' if k.finding.polarity == '-' else ''}{k.path.explain()}"
                      for k in differential.against]
        for category in self.categories:
            why = "; ".join(k.path.explain() for k in category.defined_by) or "as reported"
            lines.append(f"{category.kind}: {category.finding.name} ({why})")
        lines.append(f"present: {', '.join(f.name for f in self.present)}")
        lines.append(f"absent:  {', '.join(f.name for f in self.absent)}")
        return "\n".join(lines)


def diff_plans(old: Plan, new: Plan) -> list[str]:
    """What changed between two plans of one case, one line per change (``-`` gone, ``+`` new).

    Useful to see what an edit of the graph or the report does to the reasoning.
    """
    before, after = old.explain().splitlines(), new.explain().splitlines()
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after if line not in before]
