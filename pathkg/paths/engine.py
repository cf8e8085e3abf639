"""Path search over the adjacency arrays with nothing but NumPy.

This engine answers the first queries at once (no compilation) and serves installations without numba; the compiled
kernels of :mod:`pathkg.paths.kernels` give the same paths in the same order, faster.

How it searches: breadth-first labelling from both ends, always expanding the cheaper side, until the two meet; then
a depth-first walk from the start that never takes a step from which the target cannot be reached in the hops that
are left. Paths of one length come in lexicographic order of their (node, edge) steps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.graph import BACKWARD, FORWARD, GraphArrays
from pathkg.paths.constraints import Plan

Array = npt.NDArray[Any]
UNREACHED = -1
_EXACT_INT = 2**62


@dataclass(slots=True)
class Budget:
    """What a query may still spend. ``spent`` tells that it ran out.

    Attributes:
        paths: paths that may still be enumerated.
        expansions: steps the depth-first walk may still try; ``-1`` for no limit.
        deadline: ``time.monotonic()`` value, or ``None``.
    """

    paths: int
    expansions: int = -1
    deadline: float | None = None
    spent: bool = False

    def late(self) -> bool:
        """Whether the deadline has passed (and then the budget is spent)."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.spent = True
        return self.spent


class NumpySearch:
    """One query from ``start`` to ``target``; see the module for the method.

    Args:
        arrays: the graph.
        edge_class: see :func:`pathkg.paths.constraints.edge_classes`.
        plan: the constraints.
        start, target: node indices, not equal.
    """

    def __init__(self, arrays: GraphArrays, edge_class: Array, plan: Plan, start: int, target: int) -> None:
        self._arrays, self._edge_class, self._plan = arrays, edge_class, plan
        self.start, self.target = start, target
        n = len(arrays.indptr) - 1
        self._distance = [np.full(n, UNREACHED, np.int32), np.full(n, UNREACHED, np.int32)]
        self._levels: list[list[Array]] = [[np.array([start], np.int64)], [np.array([target], np.int64)]]
        self._distance[0][start] = self._distance[1][target] = 0
        self._pulled: list[Array] = []
        reverse = (FORWARD if plan.flow_mask & BACKWARD else 0) | (BACKWARD if plan.flow_mask & FORWARD else 0)
        self._mask = [plan.flow_mask, reverse]
        self._all_edges = bool(plan.class_ok.all())

    # -- labelling -----------------------------------------------------------------------------------------

    def _radius(self, side: int) -> int:
        return len(self._levels[side]) - 1

    def distance(self, max_hops: int, budget: Budget) -> int:
        """Number of edges of a shortest path, or ``-1`` when there is none within ``max_hops``."""
        while self._radius(0) + self._radius(1) < max_hops:
            if not len(self._levels[0][-1]) or not len(self._levels[1][-1]) or budget.late():
                return UNREACHED
            side = self._cheaper_side()
            self._expand(side)
            new = self._levels[side][-1]
            if len(new) and (self._distance[1 - side][new] >= 0).any():
                return self._radius(0) + self._radius(1)
        return UNREACHED

    def _cheaper_side(self) -> int:
        indptr = self._arrays.indptr
        cost = [int((indptr[level[-1] + 1] - indptr[level[-1]]).sum()) for level in self._levels]
        return 0 if cost[0] <= cost[1] else 1

    def _gather(self, nodes: Array) -> tuple[Array, Array, Array]:
        """All adjacency entries of ``nodes``: (row in ``nodes``, entry, neighbour)."""
        begin = self._arrays.indptr[nodes]
        counts = self._arrays.indptr[nodes + 1] - begin
        row = np.repeat(np.arange(len(nodes)), counts)
        entry = np.arange(len(row)) + np.repeat(begin - (np.cumsum(counts) - counts), counts)
        return row, entry, self._arrays.neighbor[entry]

    def _usable(self, entry: Array, mask: int) -> Array:
        """Which entries may be walked (flow, class, edges to avoid)."""
        ok = np.ones(len(entry), bool)
        if mask != FORWARD | BACKWARD:
            ok &= (self._arrays.flow[entry] & mask) != 0
        if not self._all_edges or len(self._plan.avoid_edges):
            edges = self._arrays.edge[entry]
            if not self._all_edges:
                ok &= self._plan.class_ok[self._edge_class[edges]] != 0
            if len(self._plan.avoid_edges):
                ok &= ~np.isin(edges, self._plan.avoid_edges)
        return ok

    def _expand(self, side: int) -> None:
        distance, origin, goal = self._distance[side], (self.start, self.target)[side], (self.target, self.start)[side]
        frontier = self._levels[side][-1]
        frontier = frontier[frontier != goal]
        row, entry, other = self._gather(frontier)
        fresh = (distance[other] < 0) & ((self._plan.node_ok[other] != 0) | (other == goal))
        if self._plan.no_direct and self._radius(side) == 0:
            fresh &= other != goal
        row, entry, other = row[fresh], entry[fresh], other[fresh]
        other = other[self._usable(entry, self._mask[side])]
        level = np.unique(other).astype(np.int64)
        level = level[level != origin]
        distance[level] = self._radius(side) + 1
        self._levels[side].append(level)

    def _complete(self, length: int) -> None:
        """Label every node that a path of ``length`` edges can pass with its exact distance to the target."""
        for nodes in self._pulled:
            self._distance[1][nodes] = UNREACHED
        self._pulled.clear()
        while self._radius(0) + self._radius(1) < length:
            self._expand(self._cheaper_side())
        to_target = self._distance[1]
        for left in range(self._radius(1) + 1, length + 1):
            candidates = np.concatenate(self._levels[0][:length - left + 1])
            candidates = candidates[(to_target[candidates] < 0) & (candidates != self.start)]
            if not len(candidates):
                break
            row, entry, other = self._gather(candidates)
            near = (to_target[other] == left - 1) & (other != self.start)
            row, entry = row[near], entry[near]
            found = candidates[np.unique(row[self._usable(entry, self._mask[0])])]
            to_target[found] = left
            self._pulled.append(found)

    # -- counting and enumeration --------------------------------------------------------------------------

    def count_shortest(self, length: int) -> int:
        """The exact number of shortest paths, parallel edges counted apart."""
        self._complete(length)
        counted = self._count(length, np.int64)
        return counted if counted < _EXACT_INT else self._count(length, object)

    def _count(self, length: int, kind: Any) -> int:
        to_target = self._distance[1]
        layer = np.array([self.start], np.int64)
        ways = np.ones(1, kind)
        for left in range(length - 1, -1, -1):
            row, entry, other = self._gather(layer)
            keep = to_target[other] == left
            if self._plan.no_direct and length == 1:
                keep &= other != self.target
            row, entry, other = row[keep], entry[keep], other[keep]
            usable = self._usable(entry, self._mask[0])
            row, other = row[usable], other[usable]
            layer, inverse = np.unique(other, return_inverse=True)
            total = np.zeros(len(layer), kind)
            np.add.at(total, inverse, ways[row])
            if kind is np.int64 and len(layer):
                estimate = np.zeros(len(layer))
                np.add.at(estimate, inverse, ways[row].astype(float))
                if estimate.max() >= _EXACT_INT:
                    return _EXACT_INT
            layer, ways = layer.astype(np.int64), total
        return int(ways[0]) if len(ways) else 0

    def enumerate(self, length: int, budget: Budget) -> Array:
        """All simple paths of exactly ``length`` edges: int64 (n_paths, length) of adjacency entries."""
        self._complete(length)
        found: list[tuple[int, ...]] = []
        successors: dict[tuple[int, int], list[tuple[int, int]]] = {}
        trail: list[int] = []
        on_path = {self.start}
        nodes = [self.start]
        stack = [iter(self._successors(self.start, length, length, successors))]
        while stack and not budget.spent:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                on_path.discard(nodes.pop())
                if trail:
                    trail.pop()
                continue
            node, entry = step
            if budget.expansions == 0 or (len(found) & 1023 == 0 and budget.late()):
                budget.spent = True
                break
            budget.expansions -= 1 if budget.expansions > 0 else 0
            left = length - len(trail) - 1
            if left == 0:
                if budget.paths == 0:
                    budget.spent = True
                    break
                budget.paths -= 1
                found.append((*trail, entry))
            elif node not in on_path:
                trail.append(entry)
                nodes.append(node)
                on_path.add(node)
                stack.append(iter(self._successors(node, left, length, successors)))
        return np.array(found, np.int64).reshape(len(found), length)

    def _successors(self, node: int, left: int, length: int,
                    known: dict[tuple[int, int], list[tuple[int, int]]]) -> list[tuple[int, int]]:
        """The steps from ``node`` with ``left`` hops to go, as (node, entry) in adjacency order."""
        steps = known.get((node, left))
        if steps is not None:
            return steps
        _, entry, other = self._gather(np.array([node], np.int64))
        if left == 1:
            keep = other == self.target
            if self._plan.no_direct and length == 1:
                keep &= False
        else:
            to_target = self._distance[1][other]
            keep = (to_target >= 0) & (to_target < left) & (other != self.target) & (other != self.start)
        entry, other = entry[keep], other[keep]
        usable = self._usable(entry, self._mask[0])
        steps = list(zip(other[usable].tolist(), entry[usable].tolist(), strict=True))
        known[(node, left)] = steps
        return steps
