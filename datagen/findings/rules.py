"""Findings of a case from its linked text: one entry per concept, with every place that states it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pathkg.linking.margins import margin_status
from pathkg.records import Assertion, Mention, Polarity

# The patterns begin with a set of letters: the regex engine then skips to candidates in C.
_HEADING = re.compile(
    r"[DdTt](?i:(?<=d)iagnos[ie]s(?:\s+details)?\s*:?|(?<=t)ype\s+of\s+tumou?r\s*:|(?<=t)ype\s*:)")
_WHAT_TYPE = re.compile(r"(?:histologic(?:al)?\s+(?:sub)?|tumou?r\s+)$", re.IGNORECASE)
"""Which types a heading ``… type:`` gives, of all that reports list."""
NEAR_HEADING = 160
"""Characters after a heading such as ``Histologic type:`` within which a disease is taken as what it names."""

_SIZE = re.compile(
    r"[TtGgMmSsLl](?i:(?<=t)umou?r\s+(?:size|measur\w+)|(?<=g)reatest\s+(?:dimension|diameter)"
    r"|(?<=m)aximum\s+(?:tumou?r\s+)?(?:dimension|diameter)|(?<=s)ize\s+of\s+(?:the\s+)?tumou?r"
    r"|(?<=l)argest\s+(?:dimension|diameter))\D{0,40}?"
    r"(\d{1,2}(?:[.,]\d{1,2})?)(?:\s*[xX×]\s*\d{1,2}(?:[.,]\d{1,2})?){0,2}\s*([cCmM][mM])\b")
_NODES = re.compile(r"(?<![\d/.])(\d{1,2})\s?/\s?(\d{1,2})(?![\d/.])")
_NODE_WORD = re.compile(r"\bnodes?\b|\blymph", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A concept that the text states.

    ``start``, ``end`` and ``text`` are its clearest mention; ``count`` is how often the text states it with this
    polarity; ``headed`` that a mention stands right behind a heading such as ``Diagnosis:``.
    """

    id: str
    name: str
    type: str
    assertion: str
    polarity: Polarity
    start: int
    end: int
    text: str
    count: int = 1
    headed: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "type": self.type, "assertion": self.assertion,
                "start": self.start, "end": self.end, "text": self.text}


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of the report: ``size`` in millimetres, ``nodes`` as ``positive/examined``, or ``margin``, 1 where it is
    involved and 0 where it is not."""

    kind: str
    text: str
    start: int
    end: int
    value: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "start": self.start, "end": self.end, "value": list(self.value)}


@dataclass(frozen=True, slots=True)
class CaseFindings:
    """All findings of a case in the order of their first mention, and its measures."""

    findings: tuple[Finding, ...]
    measures: tuple[Measure, ...] = ()
    by_id: Mapping[str, Finding] = field(default_factory=dict)

    def of_type(self, *types: str, polarity: Polarity | None = "+") -> tuple[Finding, ...]:
        """Findings of some node types; ``polarity=None`` for both polarities."""
        return tuple(f for f in self.findings if f.type in types and polarity in (None, f.polarity))

    def measure(self, kind: str) -> Measure | None:
        """The first measure of a kind."""
        return next((m for m in self.measures if m.kind == kind), None)


def collect_findings(text: str, mentions: Iterable[Mention]) -> CaseFindings:
    """Group mentions into findings.

    A concept that is stated as present somewhere counts as present, even if another part of the report states it
    as absent (a metastasis in one of five node stations is a metastasis). Historical, unspecified and other mentions
    state nothing about the case and are left out.
    """
    headings = [m.end() for m in _HEADING.finditer(text) if m[0][0] in "dD" or _what_type(text, m)]
    groups: dict[tuple[str, Polarity], list[Mention]] = {}
    for mention in mentions:
        polarity = mention.polarity
        if polarity is not None:
            groups.setdefault((mention.id, polarity), []).append(mention)
    found: list[Finding] = []
    for (node, polarity), group in groups.items():
        if polarity == "-" and (node, "+") in groups:
            continue
        best = max(group, key=lambda m: (m.assertion is not Assertion.POSSIBLE, m.score, -m.start))
        headed = any(0 <= m.start - h <= NEAR_HEADING for m in group for h in headings)
        found.append(Finding(node, best.name, best.type, str(best.assertion), polarity, best.start, best.end,
                             best.text, len(group), headed))
    found.sort(key=lambda f: (f.start, f.end, f.id))
    return CaseFindings(tuple(found), tuple(_measures(text)), {f.id: f for f in found})


def _what_type(text: str, match: re.Match[str]) -> bool:
    return match[0][4:].split()[0].lower() == "of" or _WHAT_TYPE.search(text, max(0, match.start() - 24), match.start()) is not None


def _measures(text: str) -> Iterable[Measure]:
    for match in _SIZE.finditer(text):
        size = float(match.group(1).replace(",", ".")) * (10 if match.group(2).lower() == "cm" else 1)
        start = match.start(1)
        yield Measure("size", text[start:match.end()], start, match.end(), (size,))
    best: Measure | None = None
    for match in _NODES.finditer(text):
        positive, examined = int(match.group(1)), int(match.group(2))
        around = text[max(0, match.start() - 120):match.end() + 60]
        if positive <= examined and examined > 0 and _NODE_WORD.search(around):
            measure = Measure("nodes", match.group(0), match.start(), match.end(), (positive, examined))
            if best is None or measure.value[1] > best.value[1]:
                best = measure
    if best is not None:
        yield best
    for status in margin_status(text):
        yield Measure("margin", text[status.start:status.end], status.start, status.end, (float(status.value == "involved"),))
