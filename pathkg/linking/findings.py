"""Structured findings of a report: what a synoptic summary would hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathkg.linking.matcher import Linker


@dataclass(frozen=True, slots=True)
class Finding:
    """One value read from a report, and where it stands."""

    field: str
    value: Any
    start: int
    end: int
    text: str
    id: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"field": self.field, "value": self.value, "start": self.start, "end": self.end, "text": self.text,
                "id": self.id}


@dataclass(frozen=True, slots=True)
class ReportFindings:
    """The structured findings of one report: field name -> findings, the most certain first."""

    fields: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> tuple[Finding, ...]:
        return self.fields.get(name, ())

    def first(self, name: str) -> Any:
        """The value of the most certain finding of a field, or ``None``."""
        found = self.fields.get(name, ())
        return found[0].value if found else None

    def to_dict(self) -> dict[str, Any]:
        return {name: [f.to_dict() for f in found] for name, found in self.fields.items()}


def extract_findings(text: str, *, linker: Linker) -> ReportFindings:
    """Structured findings of a report (rule-based, offline)."""
    fields: dict[str, tuple[Finding, ...]] = {}
    for mention in linker.link(text):
        if mention.type == "stage":
            fields.setdefault("stage", ())
            fields["stage"] += (Finding("stage", mention.name, mention.start, mention.end, mention.text, mention.id),)
    return ReportFindings(fields)
