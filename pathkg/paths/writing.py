"""From edge ids to :class:`~pathkg.records.Path`, with the named parts of its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        self._ends = (graph.arrays.edge_subject, graph.arrays.edge_object)

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
        graph, costs, (subjects, objects) = self._graph, self._costs, self._ends
        relations, sources, negated = graph.arrays.edge_relation, graph.arrays.edge_source, graph.arrays.edge_negated
        at = start
        nodes = [start]
        steps = []
        relation_part = source_part = 0
        for edge in edges:
            subject, relation, source = int(subjects[edge]), int(relations[edge]), int(sources[edge])
            forward = subject == at
            at = int(objects[edge]) if forward else subject
            nodes.append(at)
            relation_part += int(costs.relation[relation])
            source_part += int(costs.source[source])
            steps.append(PathEdge(edge, graph.relations[relation], graph.sources[source],
                                  "forward" if forward else "backward", bool(negated[edge])))
        inner = nodes[1:-1]
        values = (costs.hop * len(steps), sum(int(costs.hub[v]) for v in inner), relation_part,
                  sum(int(costs.type[v]) for v in inner), source_part,
                  sum(bonus.get(v, 0) for v in nodes[1:]) if bonus else 0)
        return Path(tuple(map(self.node, nodes)), tuple(steps), sum(values) / UNIT,
                    {name: value / UNIT for name, value in zip(PARTS, values, strict=True)})
