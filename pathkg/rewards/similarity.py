"""How near two nodes are, from the is_a hierarchy: the similarity of soft matches.

``sim(a, b) = lin(a, b) / (1 + λ·(d − 1))`` with

* ``lin = 2·IC(c) / (IC(a) + IC(b))`` for the common ancestor ``c`` that makes ``sim`` largest (Lin 1998);
* ``IC(n) = 1 − log(1 + descendants(n)) / log(N)``, the intrinsic information content (Seco, Veale, Hayes 2004), where
  ``N`` is the number of nodes of that type: 1 for a leaf, near 0 for a root;
* ``d`` the is_a steps from ``a`` to ``c`` and on to ``b``, at most :data:`REACH`; ``λ`` = :data:`STRETCH`.

It is symmetric, in [0, 1], 1 only for ``a = b``, and 0 across node types. Categories that exclude each other (two
stages, two grades, two results of one marker) have similarity 0 unless one is above the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

STRETCH = 0.25
"""Each is_a step beyond the first divides by a quarter more."""

REACH = 4
"""Nodes further apart than this are unrelated for a reward."""

FLOOR = 0.3
"""Smaller similarities count as 0: "some other tumour" is not a near miss."""

EXCLUSIVE_TYPES = frozenset({"stage", "grade", "marker_result"})

_MANY = 20_000
"""Counting descendants stops here; an ancestor that broad makes nothing similar."""


class GraphSimilarity:
    """Similarity of nodes of one graph, by node index. Neighbourhoods are computed once and kept.

    Example:
        >>> import pathkg
        >>> graph = pathkg.load()
        >>> s = GraphSimilarity(graph)
        >>> a, b = graph.index(graph.resolve("squamous cell carcinoma")), graph.index(graph.resolve("adenocarcinoma"))
        >>> s(a, b) == s(b, a), 0 <= s(a, b) < 1, s(a, a)
        (True, True, 1.0)
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._types: list[int] = np.asarray(graph.arrays.node_type).tolist()
        self._up, self._down = _hierarchy(graph)
        self._exclusive = {i for i, t in enumerate(graph.node_types) if t in EXCLUSIVE_TYPES}
        types, counts = _count_types(graph)
        self._log_size = {t: math.log(max(n, 2)) for t, n in zip(types, counts, strict=True)}
        self._near: dict[int, dict[int, float]] = {}
        self._ic: dict[int, float] = {}
        self._above: dict[int, frozenset[int]] = {}

    def __call__(self, a: int, b: int) -> float:
        if a == b:
            return 1.0
        return self.near(a).get(b, 0.0)

    def near(self, node: int) -> dict[int, float]:
        """Every node with a similarity of at least :data:`FLOOR` to ``node``, itself left out."""
        found = self._near.get(node)
        if found is None:
            found = self._near[node] = self._compute(node)
        return found

    def precompute(self, nodes: Iterable[int]) -> None:
        """Fill the cache for ``nodes`` (before forking workers, say)."""
        for node in nodes:
            self.near(node)

    def above(self, node: int) -> frozenset[int]:
        """All is_a ancestors of a node, itself left out."""
        found = self._above.get(node)
        if found is None:
            seen: set[int] = set()
            stack = [node]
            while stack:
                for parent in self._parents(stack.pop()):
                    if parent not in seen:
                        seen.add(parent)
                        stack.append(parent)
            seen.discard(node)
            found = self._above[node] = frozenset(seen)
        return found

    def information(self, node: int) -> float:
        """Intrinsic information content in [0, 1]."""
        value = self._ic.get(node)
        if value is None:
            below = self._count_below(node)
            size = self._log_size[self._types[node]]
            value = self._ic[node] = max(0.0, 1.0 - math.log(1 + below) / size) if below else 1.0
        return value

    def _compute(self, node: int) -> dict[int, float]:
        own_type = self._types[node]
        exclusive = own_type in self._exclusive
        own = self.information(node)
        found: dict[int, float] = {}
        for ancestor, up in self._spread(node, self._parents, REACH).items():
            shared = self.information(ancestor)
            # nothing below an ancestor is more informative than 1, so this bounds what it can give
            if 2 * shared / (own + shared if own + shared else 1) < FLOOR:
                continue
            reach = 0 if exclusive else REACH - up
            for other, down in self._spread(ancestor, self._children, reach).items():
                if other == node or self._types[other] != own_type:
                    continue
                similarity = self._lin(shared, own, self.information(other)) / (1 + STRETCH * (up + down - 1))
                if similarity >= FLOOR and similarity > found.get(other, 0.0):
                    found[other] = similarity
        if exclusive:
            for other, down in self._spread(node, self._children, REACH).items():
                if other != node and self._types[other] == own_type:
                    similarity = self._lin(own, own, self.information(other)) / (1 + STRETCH * (down - 1))
                    if similarity >= FLOOR:
                        found[other] = max(similarity, found.get(other, 0.0))
        return found

    @staticmethod
    def _lin(shared: float, a: float, b: float) -> float:
        # a child can count as less informative than its parent only through rounding; never let it exceed 1
        return min(0.999, 2 * shared / (a + b)) if a + b else 0.0

    def _spread(self, start: int, step: Callable[[int], list[int]], reach: int) -> dict[int, int]:
        distance = {start: 0}
        frontier = [start]
        for d in range(1, reach + 1):
            following: list[int] = []
            for node in frontier:
                for other in step(node):
                    if other not in distance:
                        distance[other] = d
                        following.append(other)
            frontier = following
        return distance

    def _parents(self, node: int) -> list[int]:
        starts, others = self._up
        return others[starts[node]:starts[node + 1]]

    def _children(self, node: int) -> list[int]:
        starts, others = self._down
        return others[starts[node]:starts[node + 1]]

    def _count_below(self, node: int) -> int:
        seen = {node}
        stack = [node]
        while stack and len(seen) <= _MANY:
            for child in self._children(stack.pop()):
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
        return len(seen) - 1


_Adjacency = tuple[list[int], list[int]]


def _hierarchy(graph: KnowledgeGraph) -> tuple[_Adjacency, _Adjacency]:
    """The is_a edges alone, upwards and downwards: (first position per node, nodes at the other end)."""
    arrays = graph.arrays
    codes = [i for i, r in enumerate(graph.relations) if r == "is_a"]
    chosen = np.flatnonzero(np.isin(np.asarray(arrays.edge_relation), codes))
    below, above = np.asarray(arrays.edge_subject)[chosen], np.asarray(arrays.edge_object)[chosen]

    def adjacency(here: npt.NDArray[Any], there: npt.NDArray[Any]) -> _Adjacency:
        order = np.lexsort((there, here))
        starts = np.searchsorted(here[order], np.arange(graph.n_nodes + 1))
        return starts.tolist(), there[order].tolist()

    return adjacency(below, above), adjacency(above, below)


def _count_types(graph: KnowledgeGraph) -> tuple[list[int], list[int]]:
    types, counts = np.unique(np.asarray(graph.arrays.node_type), return_counts=True)
    return types.tolist(), counts.tolist()


def assign(pairs: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Choose pairs so that no left and no right element is used twice and the sum of similarities is largest.

    Args:
        pairs: (similarity, left, right).

    Returns:
        The chosen pairs, sorted by left. Connected groups of up to :data:`EXACT` elements a side are solved
        exactly, larger ones best first.

    Example:
        >>> assign([(0.9, 0, 0), (0.8, 0, 1), (0.8, 1, 0)])
        [(0.8, 0, 1), (0.8, 1, 0)]
    """
    if len(pairs) < 2:
        return pairs
    chosen: list[tuple[float, int, int]] = []
    for group in _groups(pairs):
        left = sorted({p[1] for p in group})
        right = sorted({p[2] for p in group})
        if min(len(left), len(right)) == 1:
            chosen.append(max(group, key=lambda p: (p[0], -p[1], -p[2])))
        elif max(len(left), len(right)) <= EXACT:
            chosen += _exact(group, left, right)
        else:
            chosen += _greedy(group)
    return sorted(chosen, key=lambda p: (p[1], p[2]))


EXACT = 24


def _groups(pairs: list[tuple[float, int, int]]) -> list[list[tuple[float, int, int]]]:
    leader: dict[tuple[str, int], tuple[str, int]] = {}

    def find(x: tuple[str, int]) -> tuple[str, int]:
        while leader.setdefault(x, x) != x:
            leader[x] = leader[leader[x]]
            x = leader[x]
        return x

    for _, a, b in pairs:
        leader[find(("l", a))] = find(("r", b))
    groups: dict[tuple[str, int], list[tuple[float, int, int]]] = {}
    for pair in pairs:
        groups.setdefault(find(("l", pair[1])), []).append(pair)
    return list(groups.values())


def _greedy(group: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    used_left: set[int] = set()
    used_right: set[int] = set()
    chosen = []
    for pair in sorted(group, key=lambda p: (-p[0], p[1], p[2])):
        if pair[1] not in used_left and pair[2] not in used_right:
            used_left.add(pair[1])
            used_right.add(pair[2])
            chosen.append(pair)
    return chosen


def _exact(group: list[tuple[float, int, int]], left: list[int], right: list[int]) -> list[tuple[float, int, int]]:
    """The Hungarian method with potentials, on costs ``1 - similarity`` (absent pairs cost 1)."""
    if len(left) > len(right):
        return [(s, a, b) for s, b, a in _exact([(s, b, a) for s, a, b in group], right, left)]
    weight = {(a, b): s for s, a, b in group}
    n, m = len(left), len(right)
    u, v, match, way = [0.0] * (n + 1), [0.0] * (m + 1), [0] * (m + 1), [0] * (m + 1)
    for i in range(1, n + 1):
        match[0] = i
        j0 = 0
        least = [math.inf] * (m + 1)
        used = [False] * (m + 1)
        while match[j0]:
            used[j0] = True
            i0, delta, j1 = match[j0], math.inf, 0
            for j in range(1, m + 1):
                if not used[j]:
                    cost = 1.0 - weight.get((left[i0 - 1], right[j - 1]), 0.0) - u[i0] - v[j]
                    if cost < least[j]:
                        least[j], way[j] = cost, j0
                    if least[j] < delta:
                        delta, j1 = least[j], j
            for j in range(m + 1):
                if used[j]:
                    u[match[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            j0 = j1
        while j0:
            j1 = way[j0]
            match[j0] = match[j1]
            j0 = j1
    chosen = []
    for j in range(1, m + 1):
        if match[j]:
            pair = (left[match[j] - 1], right[j - 1])
            if pair in weight:
                chosen.append((weight[pair], *pair))
    return chosen
