"""Concepts that follow a pattern rather than a list: TNM categories, stage groups, grades."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

PATTERN_WORDS = frozenset({"stage", "gleason"})

_TNM = re.compile(r"(?P<prefix>[cypraCYPRA]{0,3})(?P<letter>[TNMtnm])\s?(?P<value>is|IS|[0-4oOxX][a-d]?(?:mi)?[0-9]?)"
                  r"(?![A-Za-z0-9])")
_STAGE = re.compile(r"stage\s*(?:group(?:ing)?)?\s*:?\s*(?P<value>(?:IV|I{1,3}|0|[1-4])\s?[ABC]?[0-9]?)(?![A-Za-z0-9])", re.I)


def find_pattern(graph: KnowledgeGraph, text: str, start: int) -> tuple[int, int] | None:
    """The pattern concept that begins at offset ``start``: its end offset and its node index."""
    match = _TNM.match(text, start)
    if match and (match["prefix"] or (match["letter"].isupper() and match["value"] not in "oO")):
        value = match["value"].replace("o", "0").replace("O", "0").lower()
        node = graph.find_index(f"PATHKG:p{match['letter'].lower()}{value}")
        if node is not None:
            return match.end(), node
    match = _STAGE.match(text, start)
    if match:
        node = graph.find_index(f"PATHKG:stage-{match['value'].replace(' ', '').lower()}")
        if node is not None:
            return match.end(), node
    return None
