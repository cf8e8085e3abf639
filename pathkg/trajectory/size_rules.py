"""Sizes that decide a category: "over 20 mm up to 50 mm" of a definition against "a tumor of 2.8 cm is pT2" of a step.

Definitions of the graph's categories, names of its size findings and sentences of a step are read by one grammar, so a rule in a step
is held against the rule of the organ's category, whatever its words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_N = r"(?P<{0}>\d{{1,3}}(?:\.\d+)?)\s?(?P<{0}u>cm|mm)?"
_ABOVE = r"(?:over|above|more than|greater than|larger than|bigger than|exceeding|exceeds?|>)"
_UP = r"(?:,?\s*(?:but\s+)?(?:not (?:more|larger|greater) than|no (?:more|larger) than|up to|at most|to|and up to|and not (?:more|larger|greater) than|and at most|or less than))"
_RANGE = re.compile(rf"(?:{_ABOVE}\s*|between\s+|from\s+)?{_N.format('a')}(?:{_UP}|\s*(?:-|–|and))\s*{_N.format('b')}(?![\w.])", re.IGNORECASE)
_LOW = re.compile(rf"(?:(?:{_ABOVE}|at least)\s*{_N.format('a')}(?![\w.])|{_N.format('b')}\s*(?:or|and)\s+(?:more|larger|greater|above))", re.IGNORECASE)
_HIGH = re.compile(rf"(?:(?:at most|up to|below|under|less than|smaller than|not more than|no more than|not larger than|<|≤)\s*{_N.format('a')}(?![\w.])"
                   rf"|{_N.format('b')}\s*(?:or|and)\s+(?:less|smaller|below))", re.IGNORECASE)
_EXACT = re.compile(rf"(?<![\d.x]){_N.format('a')}(?![\w.])", re.IGNORECASE)
_ANY = re.compile(r"\d\s?(?:cm|mm)\b", re.IGNORECASE)
_DEPTH = re.compile(r"\b(?:thick\w*|depth|deep|breslow|width|stromal)\b[^,;]*$", re.IGNORECASE)
_DEPTH_BEHIND = re.compile(r"\s*(?:thick|deep|in depth|in thickness)\b", re.IGNORECASE)
_OF_OTHERS = re.compile(r"\b(?:margins?|nodes?|nodal|distance|deposits?|metasta\w*|away|none|situ|DCIS|LCIS|focus|foci|satellites?|component|invad\w+|part)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Lengths above ``low`` up to ``high``, in millimetres; ``low == high`` is one length. ``depth``: a thickness, not a size."""

    low: float
    high: float
    depth: bool = False

    def within(self, rule: Span) -> bool:
        """Whether every length of this span is one of ``rule``.

        Example:
            >>> Span(28, 28).within(Span(20, 50)), Span(20, 20).within(Span(20, 50)), Span(30, math.inf).within(Span(20, 50))
            (True, False, False)
        """
        if self.depth != rule.depth:
            return False
        return rule.low < self.low <= rule.high if self.low == self.high else rule.low <= self.low and self.high <= rule.high


def read_span(text: str) -> Span | None:
    """The one length, or range of lengths, that a text gives; ``None`` for none and for several.

    Example:
        >>> read_span("invasive tumor over 20 mm up to 50 mm"), read_span("renal tumor at most 4 cm, limited to the kidney")
        (Span(low=20.0, high=50.0, depth=False), Span(low=0.0, high=40.0, depth=False))
        >>> read_span("thickness above 4.0 mm"), read_span("2 cm or less with depth 5-10 mm")
        (Span(low=4.0, high=inf, depth=True), None)
    """
    if not _ANY.search(text) or _OF_OTHERS.search(text):
        return None
    for pattern in (_RANGE, _HIGH, _LOW, _EXACT):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            first, second = groups.get("a"), groups.get("b")
            unit = groups.get("bu") or groups.get("au")
            if unit is None:
                continue
            if _ANY.search(f"{text[:match.start()]} ; {text[match.end():]}"):
                return None
            depth = bool(_DEPTH.search(text[:match.start()]) or _DEPTH_BEHIND.match(text, match.end()))
            length = _mm(second or first or "0", unit)
            if pattern is _RANGE:
                return Span(_mm(first or "0", groups.get("au") or unit), length, depth)
            return Span(0.0 if pattern is _HIGH else length, math.inf if pattern is _LOW else length, depth)
    return None


_CATEGORY = re.compile(r"-pt\d")


def obeys(said: Span, categories: Iterable[str], graph: KnowledgeGraph) -> bool | None:
    """Whether lengths make one of several T categories, by their definitions; ``None`` where those do not decide it.

    Args:
        said: the lengths.
        categories: CURIEs of organs' categories.
        graph: holds their definitions.
    """
    decided: list[bool | None] = []
    for category in categories:
        definition = graph.node(category).definition if _CATEGORY.search(category) else ""
        rule = read_span(definition)
        if rule is None or rule.depth != said.depth:
            decided.append(None)
        elif said.within(rule):
            return True
        else:
            decided.append(None if " or " in definition.replace(" or less", "").replace(" or more", "") else False)
    return False if decided and all(d is False for d in decided) else None


def _mm(number: str, unit: str) -> float:
    return float(number) * (10 if unit.lower() == "cm" else 1)
