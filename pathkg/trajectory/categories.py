"""Stage categories and what defines them, in the graph: of which organ a plain "pT3" is, and what a category implies.

The graph holds one category per organ (``colorectum-pt3``), defined by findings. A step says "pT3" and leaves the organ to the reader:
it is the organ whose category the report states, or whose tumor.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.trajectory.evidence import GraphEvidence
    from pathkg.trajectory.stated import StatedEvidence

_TABLE = re.compile(r"PATHKG:(.+?)-(?:y?p[tnm][0-9ix]|figo-|stage-)")


def table_of(category: str) -> str:
    """The table that an organ's category belongs to; empty for a generic one.

    Example:
        >>> table_of("PATHKG:oropharynx-p16-negative-pt4a"), table_of("PATHKG:pt3a"), table_of("PATHKG:ovary-figo-stage-iiic")
        ('oropharynx-p16-negative', '', 'ovary')
    """
    match = _TABLE.match(category)
    return match[1] if match else ""


@lru_cache(maxsize=65536)
def defined_by(graph: KnowledgeGraph, finding: str) -> frozenset[str]:
    """The categories that a finding is a criterion of."""
    if finding not in graph:
        return frozenset()
    return frozenset(c for _, c, _ in graph.neighbors(finding, relation="defined_by", direction="backward"))


@lru_cache(maxsize=65536)
def implied_by(graph: KnowledgeGraph, finding: str) -> frozenset[str]:
    """The categories that cannot be without a finding: it is their only criterion, and they have no subcategories."""
    found = set()
    for category in defined_by(graph, finding):
        criteria = {c for _, c, _ in graph.neighbors(category, relation="defined_by", direction="forward") if not _is_place(graph, c)}
        if criteria == {finding} and table_of(category) and not graph.descendants(category):
            found.add(category)
    return frozenset(found)


def _is_place(graph: KnowledgeGraph, node: str) -> bool:
    return graph.type(graph.index(node)) == "anatomy"


def meant(target: str, source: str, stated: StatedEvidence | None, lookup: GraphEvidence) -> tuple[str, ...]:
    """The organ's own categories that a category in a step may stand for, those that the report states first.

    Args:
        target: the category as the step's words are linked.
        source: the finding that is said to speak for it.
        stated: the report; without one any organ's category may be meant.
        lookup: of the graph.
    """
    below = lookup.below(target)
    graph = lookup.graph
    found = [c for c in stated.stated_among(below) if table_of(c)] if stated is not None else []
    tables = {table_of(c) for node in lookup.above(source) for c in defined_by(graph, node)} - {""}
    for category in below:
        if category not in found and table_of(category) in tables and (stated is None or _is_about(category, stated, lookup)):
            found.append(category)
    return tuple(found)


def _is_about(category: str, stated: StatedEvidence, lookup: GraphEvidence) -> bool:
    """Whether the report states a tumor that a category is one of, or its kind and its organ ("melanoma" of the skin)."""
    places = lookup.anatomy_words
    for _, tumor, _ in lookup.graph.neighbors(category, relation="stage_of", direction="forward"):
        if stated.spans(lookup.below(tumor), "+", limit=1):
            return True
        kind = lookup.words(tumor) - places
        if any(lookup.words(wider) - places == kind and stated.spans((wider,), "+", limit=1) for wider in lookup.above(tumor)[1:]) \
                and stated.named(lookup.sites(tumor)) is not None:
            return True
    return False


def own_kinds(target: str, stated: StatedEvidence, lookup: GraphEvidence) -> tuple[str, ...]:
    """The organs' categories that a category may stand for by the tumor that the report states, or by the category it states."""
    below = lookup.below(target)
    found = [c for c in stated.stated_among(below) if table_of(c)]
    return tuple(found or [c for c in below if table_of(c) and _is_about(c, stated, lookup)])


def excluded_by(source: str, kinds: tuple[str, ...], lookup: GraphEvidence) -> str:
    """A category of the tables of ``kinds`` that ``source`` would make instead, where it makes none of them; else empty.

    "Extraprostatic extension without seminal vesicle invasion is pT3a": with it the tumor were pT3b.
    """
    defined = {c for node in lookup.above(source) for c in defined_by(lookup.graph, node)}
    tables = {t for t in map(table_of, kinds) if t}
    if not tables or any(c in lookup.below(kind) for kind in kinds for c in defined):
        return ""
    return min((c for c in defined if table_of(c) in tables), default="")
