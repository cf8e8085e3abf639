"""Who is a kind of whom, remembered: planning asks about the same few hundred diagnoses again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

KEPT = 20_000


class Taxonomy:
    """``is_a`` closures and single-relation neighbours of a graph, kept within bounds.

    Args:
        graph: the graph.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self._above: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
        self._below: dict[str, frozenset[str]] = {}
        self._sites: dict[str, tuple[str, ...]] = {}
        self._next: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def above(self, curie: str, relations: tuple[str, ...] = ("is_a",)) -> frozenset[str]:
        """All ancestors over ``relations``, without the node."""
        key = (curie, relations)
        if key not in self._above:
            if len(self._above) > KEPT:
                self._above.clear()
            self._above[key] = frozenset(self.graph.ancestors(curie, relations))
        return self._above[key]

    def below(self, curie: str) -> frozenset[str]:
        """All kinds of a node, without the node."""
        if curie not in self._below:
            if len(self._below) > KEPT:
                self._below.clear()
            self._below[curie] = frozenset(self.graph.descendants(curie))
        return self._below[curie]

    def kin(self, curie: str) -> frozenset[str]:
        """The node, its ancestors and its kinds."""
        return self.above(curie) | self.below(curie) | {curie}

    def next(self, curie: str, relation: str, direction: str = "any") -> tuple[str, ...]:
        """The neighbours over one relation, in the order of the store."""
        key = (curie, relation, direction)
        if key not in self._next:
            if len(self._next) > KEPT:
                self._next.clear()
            self._next[key] = tuple(n for _, n, _ in self.graph.neighbors(curie, relation, direction=direction))
        return self._next[key]

    def usual_sites(self, disease: str) -> tuple[str, ...]:
        """Where a disease arises: its own sites, else those of its nearest class that has any."""
        if disease not in self._sites:
            if len(self._sites) > KEPT:
                self._sites.clear()
            self._sites[disease] = self._usual_sites(disease)
        return self._sites[disease]

    def _usual_sites(self, disease: str) -> tuple[str, ...]:
        distance = {disease: 0, **self.graph.ancestors(disease)}
        for level in sorted(set(distance.values())):
            sites = [s for n in sorted(n for n, d in distance.items() if d == level)
                     for s in self.next(n, "arises_in", "forward")]
            if sites:
                return tuple(dict.fromkeys(sites))
        return ()
