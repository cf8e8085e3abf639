"""From edge ids to :class:`~pathkg.records.Path`, with the named parts of its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pathkg.graph import KnowledgeGraph
from pathkg.paths.ranking import PARTS, UNIT, Costs
from pathkg.records import Path, PathEdge, PathNode

_NODES_KEPT = 50_000


class PathWriter:
    """Makes path records; keeps the node records it has made.

    Args:
        graph: the graph.
        costs: the terms of the score.
    """

    def __init__(self, graph: KnowledgeGraph, costs: Costs) -> None:
        self._graph, self._costs = graph, costs
        self._known: dict[int, PathNode] = {}
        arrays = graph.arrays
        # plain views: indexing a memory-mapped array runs Python code for every number
        self._subject, self._object, self._relation, self._source, self._negated = (
            np.asarray(a).item for a in (arrays.edge_subject, arrays.edge_object, arrays.edge_relation, arrays.edge_source,
                                         arrays.edge_negated))
        self._hub, self._type = costs.hub.item, costs.type.item
        self._relation_cost, self._source_cost = costs.relation.tolist(), costs.source.tolist()
        self._relations, self._sources = graph.relations, graph.sources

    def node(self, index: int) -> PathNode:
        """The record of one node."""
        found = self._known.get(index)
        if found is None:
            if len(self._known) >= _NODES_KEPT:
                self._known.clear()
            found = PathNode(self._graph.curie(index), self._graph.name(index), self._graph.type(index))
            self._known[index] = found
        return found

    def path(self, start: int, edges: Sequence[int], bonus: Mapping[int, int] | None = None) -> Path:
        """The path that leaves ``start`` over ``edges``; ``bonus`` is the coherence term per node."""
        at = start
        nodes = [start]
        steps = []
        relation_part = source_part = hub_part = type_part = 0
        last = len(edges) - 1
        for place, edge in enumerate(edges):
            subject, relation, source = self._subject(edge), self._relation(edge), self._source(edge)
            forward = subject == at
            at = self._object(edge) if forward else subject
            nodes.append(at)
            relation_part += self._relation_cost[relation]
            source_part += self._source_cost[source]
            if place < last:
                hub_part += self._hub(at)
                type_part += self._type(at)
            steps.append(PathEdge(edge, self._relations[relation], self._sources[source],
                                  "forward" if forward else "backward", self._negated(edge)))
        values = (self._costs.hop * len(steps), hub_part, relation_part, type_part, source_part,
                  sum(bonus.get(v, 0) for v in nodes[1:]) if bonus else 0)
        return Path(tuple([self.node(v) for v in nodes]), tuple(steps), sum(values) / UNIT,
                    dict(zip(PARTS, [value / UNIT for value in values], strict=True)))
