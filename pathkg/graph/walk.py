"""Ancestors and descendants: breadth-first over the edges of a few relations, as their own small adjacency."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.graph.adjacency import BACKWARD, FORWARD, GraphArrays

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The edges of some relations in one direction: the targets of node u are ``target[indptr[u]:indptr[u + 1]]``."""

    indptr: _Array
    target: _Array

    @classmethod
    def of(cls, arrays: GraphArrays, relation_codes: Collection[int], flow_bit: int) -> Hierarchy:
        """Collect them. Negated edges say that something is *not* so and are left out.

        Args:
            arrays: the graph.
            relation_codes: codes of the relations to walk.
            flow_bit: ``FORWARD`` (to ancestors over ``is_a``) or ``BACKWARD``.
        """
        n_nodes = len(arrays.indptr) - 1
        wanted = np.isin(arrays.edge_relation, list(relation_codes)) & ~arrays.edge_negated
        edges = np.flatnonzero(wanted)
        if len(edges) * 8 < len(arrays.edge):
            # few edges: from the edge list
            subject, obj = arrays.edge_subject[edges], arrays.edge_object[edges]
            if flow_bit == BACKWARD:
                subject, obj = obj, subject
            extra = edges[_undirected(arrays, edges)]
            if len(extra):
                back = (arrays.edge_object[extra], arrays.edge_subject[extra])
                if flow_bit == BACKWARD:
                    back = (back[1], back[0])
                subject, obj = np.concatenate([subject, back[0]]), np.concatenate([obj, back[1]])
            order = np.lexsort((obj, subject))
            head, target = subject[order], obj[order]
        else:
            keep = wanted[arrays.edge] & ((arrays.flow & flow_bit) != 0)
            head = np.repeat(np.arange(n_nodes, dtype=np.int32), np.diff(arrays.indptr))[keep]
            target = arrays.neighbor[keep]
        indptr = np.zeros(n_nodes + 1, np.int64)
        np.cumsum(np.bincount(head, minlength=n_nodes), out=indptr[1:])
        return cls(indptr, np.ascontiguousarray(target))

    def reach(self, start: int) -> dict[int, int]:
        """Distance of every node reachable from ``start``, nearest first, without ``start`` itself."""
        bounds, target = self.indptr.item, self.target
        distance = {start: 0}
        level, depth = [start], 0
        while level:
            depth += 1
            following: list[int] = []
            for node in level:
                for other in target[bounds(node):bounds(node + 1)].tolist():
                    if other not in distance:
                        distance[other] = depth
                        following.append(other)
            level = following
        del distance[start]
        return distance


def _undirected(arrays: GraphArrays, edges: _Array) -> _Array:
    """Which of ``edges`` may be walked both ways, found in their subject's adjacency."""
    both = FORWARD | BACKWARD
    marked = np.zeros(len(arrays.edge_subject), bool)
    marked[arrays.edge[(arrays.flow & both) == both]] = True
    loops = arrays.edge_subject[edges] == arrays.edge_object[edges]
    return np.asarray(marked[edges] & ~loops)
