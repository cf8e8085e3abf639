"""Signs that stand in words beside a marker: "positivity for CD30", "lack of cytokeratin", "mutant p53" are results.

A linker reads "CD30 positive"; a step that reasons says it in other words, and a marker without its sign would speak for
whatever either result speaks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from pathkg.records import Assertion, Mention
from pathkg.trajectory.evidence import GraphEvidence

_REACH = 40
_FILL = r"(?:(?:nuclear|cytoplasmic|membranous|diffuse|strong|weak|focal|patchy|the|any)\s+)*"
_NEGATIVE_BEFORE = re.compile(rf"\b(?:negativity\s+(?:for|of)|loss\s+of|lack(?:s|ing)?\s+(?:of\s+)?|absen(?:ce\s+of|t)|no|without)\s+{_FILL}(?:expression\s+of\s+|staining\s+(?:for|of)\s+)?$",
                              re.IGNORECASE)
_POSITIVE_BEFORE = re.compile(rf"\b(?:positivity\s+(?:for|of)|(?:co)?expression\s+of|(?:immuno)?reactivity\s+(?:for|with)|staining\s+(?:for|with)|expresse?s|mutant|aberrant)\s+{_FILL}$",
                              re.IGNORECASE)
_POSITIVE_BEHIND = re.compile(r"^[\s-]*(?:(?:over|co)?expression|positivity|(?:immuno)?reactivity|immunopositivity)\b(?!\s+(?:is|are)\s+(?:lost|absent|negative|not))",
                              re.IGNORECASE)
_NEGATIVE_BEHIND = re.compile(r"^[\s-]*(?:negativity|loss|immunonegativity|(?:expression|positivity|staining)\s+(?:is|are)\s+(?:lost|absent|negative|not))\b", re.IGNORECASE)


def with_signs(text: str, mentions: Iterable[Mention], lookup: GraphEvidence) -> list[Mention]:
    """The mentions with markers as results, where the words beside them give a sign.

    Args:
        text: a part of a trajectory.
        mentions: of the text; markers whose results the linker read are results already.
        lookup: of the graph.
    """
    found = []
    for m in mentions:
        sign = _sign(text, m) if m.type == "marker" else None
        result = lookup.results(m.id).get(sign) if sign else None
        found.append(m if result is None else replace(m, id=result, name=lookup.graph.name(result), type="marker_result",
                                                      assertion=Assertion.PRESENT, value={**m.value, "marker_id": m.id}))
    return found


def _sign(text: str, marker: Mention) -> str | None:
    before, behind = text[max(0, marker.start - _REACH):marker.start], text[marker.end:marker.end + _REACH]
    if marker.polarity == "-" or _NEGATIVE_BEFORE.search(before) or _NEGATIVE_BEHIND.search(behind):
        return "-"
    return "+" if _POSITIVE_BEFORE.search(before) or _POSITIVE_BEHIND.search(behind) else None
