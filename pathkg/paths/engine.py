"""The two engines behind path search: NumPy, and the compiled kernels of :mod:`pathkg.paths.kernels`.

Both label the graph breadth-first from both ends, always growing the cheaper side, and hand out the *compact graph* of one
path length: the few nodes and steps that paths of that length can use, in lexicographic order. Everything after that
(:mod:`pathkg.paths.walker`) is shared source, so the engines agree to the last path.

The NumPy engine answers the first queries at once: it needs no compilation and no numba.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pathkg.graph import BACKWARD, FORWARD, GraphArrays
from pathkg.paths.constraints import Plan
from pathkg.paths.walker import Budget, Compact, Walker

Array = npt.NDArray[Any]

LONGEST = 30_000
"""Longest path in edges that the engines look for (labels are 16 bits wide)."""


class Engine(Protocol):
    """What both engines do; pairs are of different nodes."""

    name: str

    def shortest(self, plan: Plan, start: int, target: int, max_hops: int) -> Compact | None:
        """The compact graph of all shortest paths, ``None`` when there is none within ``max_hops``."""

    def within(self, plan: Plan, start: int, target: int, length: int, shortest: int) -> Compact:
        """The compact graph of paths of exactly ``length`` edges, more than the ``shortest``."""

    def count(self, compact: Compact) -> int:
        """The exact number of shortest paths in their compact graph."""

    def best(self, compact: Compact, gain: Array, k: int, budget: Budget) -> tuple[Array, Array]:
        """The ``k`` best paths: scores, int64 (n); steps, int64 (n, length)."""

    def all(self, compact: Compact, budget: Budget) -> Array:
        """All paths in lexicographic order: steps, int64 (n, length)."""


def compiled_available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def machine_code_kept() -> bool:
    """Whether an earlier run has left the kernels' machine code on disk, so that loading them takes about a second."""
    folders = [Path(__file__).parent / "kernels" / "__pycache__"]
    if os.environ.get("NUMBA_CACHE_DIR"):
        folders += Path(os.environ["NUMBA_CACHE_DIR"]).glob("kernels_*")
    return any(any(folder.glob("shortest.shortest-*.nbi")) for folder in folders)


class NumpyEngine(Walker):
    """Labels with whole-frontier array operations.

    Args:
        arrays: the graph.
        edge_class: see :func:`pathkg.paths.constraints.edge_classes`.
    """

    name = "numpy"

    def __init__(self, arrays: GraphArrays, edge_class: Array) -> None:
        self._arrays, self._edge_class = arrays, edge_class

    def shortest(self, plan: Plan, start: int, target: int, max_hops: int) -> Compact | None:
        """See :class:`Engine`."""
        labels = _Labels(self._arrays, self._edge_class, plan, start, target)
        length = labels.distance(max_hops)
        return None if length < 0 else labels.compact(length, length)

    def within(self, plan: Plan, start: int, target: int, length: int, shortest: int) -> Compact:
        """See :class:`Engine`."""
        return _Labels(self._arrays, self._edge_class, plan, start, target).compact(length, shortest)


class _Labels:
    """Distances from both ends of one query (-1 where unknown), by level."""

    def __init__(self, arrays: GraphArrays, edge_class: Array, plan: Plan, start: int, target: int) -> None:
        self._arrays, self._edge_class, self._plan = arrays, edge_class, plan
        self._start, self._target = start, target
        n = len(arrays.indptr) - 1
        self._distance = [np.full(n, -1, np.int16), np.full(n, -1, np.int16)]
        self._levels: list[list[Array]] = [[np.array([start], np.int64)], [np.array([target], np.int64)]]
        self._distance[0][start] = self._distance[1][target] = 0
        self._mask = [plan.flow_mask, plan.reverse_mask]
        self._all_edges = bool(plan.class_ok.all())

    def _radius(self, side: int) -> int:
        return len(self._levels[side]) - 1

    def distance(self, max_hops: int) -> int:
        """Length of a shortest path, or -1 when there is none within ``max_hops``."""
        while self._radius(0) + self._radius(1) < max_hops:
            if not len(self._levels[0][-1]) or not len(self._levels[1][-1]):
                return -1
            side = self._cheaper_side()
            self._grow(side)
            if (self._distance[1 - side][self._levels[side][-1]] >= 0).any():
                return self._radius(0) + self._radius(1)
        return -1

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
            ok &= self._plan.class_ok[self._edge_class[edges]] != 0
            if len(self._plan.avoid_edges):
                ok &= ~np.isin(edges, self._plan.avoid_edges)
        return ok

    def _grow(self, side: int) -> None:
        distance, goal = self._distance[side], (self._target, self._start)[side]
        frontier = self._levels[side][-1]
        _, entry, other = self._gather(frontier[frontier != goal])
        fresh = (distance[other] < 0) & ((self._plan.node_ok[other] != 0) | (other == goal))
        if self._plan.no_direct and self._radius(side) == 0:
            fresh &= other != goal
        entry, other = entry[fresh], other[fresh]
        level = np.unique(other[self._usable(entry, self._mask[side])]).astype(np.int64)
        distance[level] = self._radius(side) + 1
        self._levels[side].append(level)

    def compact(self, length: int, shortest: int) -> Compact:
        """The compact graph of paths of ``length`` edges."""
        while self._radius(0) + self._radius(1) < length:
            self._grow(self._cheaper_side())
        to_target = self._distance[1]
        for left in range(self._radius(1) + 1, length + 1):
            near = np.concatenate(self._levels[0][:length - left + 1])
            near = near[(to_target[near] < 0) & (near != self._start)]
            row, entry, other = self._gather(near)
            ok = (to_target[other] == left - 1) & (other != self._start)
            row, entry = row[ok], entry[ok]
            pulled = near[np.unique(row[self._usable(entry, self._mask[0])])]
            if not len(pulled):
                break
            to_target[pulled] = left
        return self._collect(length, shortest)

    def _collect(self, length: int, shortest: int) -> Compact:
        to_target = self._distance[1]
        seen = np.zeros(len(to_target), bool)
        seen[self._start] = True
        layer = np.array([self._start], np.int64)
        layers = [layer]
        parts: list[tuple[Array, Array, Array]] = []
        for left in range(length - 1, -1, -1):
            layer = layer[layer != self._target]
            row, entry, other = self._gather(layer)
            ok = (to_target[other] >= 0) & (to_target[other] <= left) & (other != self._start)
            if self._plan.no_direct:
                ok &= (layer[row] != self._start) | (other != self._target)
            row, entry, other = row[ok], entry[ok], other[ok]
            usable = self._usable(entry, self._mask[0])
            row, entry, other = row[usable], entry[usable], other[usable].astype(np.int64)
            parts.append((layer[row], other, self._arrays.edge[entry].astype(np.int64)))
            layer = np.unique(other[~seen[other]])
            seen[layer] = True
            layers.append(layer)
        node = np.concatenate(layers)
        togo = to_target[node].astype(np.int64)
        togo[0] = shortest
        order = np.argsort(togo, kind="stable")
        node, togo = node[order], togo[order]
        place = np.zeros(len(to_target), np.int64)
        place[node] = np.arange(len(node))
        tail, head, edge = (np.concatenate([part[i] for part in parts]) for i in range(3))
        by = np.lexsort((edge, head, place[tail]))
        ptr = np.zeros(len(node) + 1, np.int64)
        np.cumsum(np.bincount(place[tail], minlength=len(node)), out=ptr[1:])
        return Compact(length, node, togo, ptr, place[head][by], edge[by], int(place[self._start]),
                       length - shortest + 1)


class CompiledEngine(Walker):
    """The numba kernels, with one set of work arrays per thread.

    Args:
        arrays: the graph.
        edge_class: see :func:`pathkg.paths.constraints.edge_classes`.
    """

    name = "numba"

    def __init__(self, arrays: GraphArrays, edge_class: Array) -> None:
        from pathkg.paths import kernels

        self._kernels: Any = kernels
        self._fill, self._count = kernels.fill_best, kernels.count_shortest
        self._best, self._all = kernels.walk_best, kernels.walk_all
        # one set of array types (plain, read-only), so that there is one machine code for every store
        self._adjacency = tuple(_read_only(getattr(arrays, name)) for name in ("indptr", "neighbor", "edge", "flow"))
        self._edge_class = _read_only(edge_class)
        self._n = len(arrays.indptr) - 1
        self._local = threading.local()

    def _sequence(self, values: Array) -> Any:
        return values

    def _work(self, plan: Plan) -> Any:
        """Work arrays of this thread: labels (two), compact numbers, queues (two), frontier bits (two)."""
        work = getattr(self._local, "work", None)
        if work is None:
            n = self._n
            work = (np.zeros(n, np.int16), np.zeros(n, np.int16), np.full(n, -1, np.int32), np.zeros(n, np.int32),
                    np.zeros(n, np.int32), np.zeros(n // 64 + 1, np.uint64), np.zeros(n // 64 + 1, np.uint64))
            self._local.work, self._local.plan = work, None
        if self._local.plan is not plan:
            for label in work[:2]:
                label[:] = np.where(plan.node_ok != 0, 0, self._kernels.FORBIDDEN)
            self._local.plan = plan
        return work

    def _arguments(self, plan: Plan) -> Any:
        check = bool(len(plan.avoid_edges) or not plan.class_ok.all())
        return (*self._adjacency, plan.flow_mask, plan.reverse_mask, check, plan.class_ok, self._edge_class,
                plan.avoid_edges, plan.no_direct)

    def shortest(self, plan: Plan, start: int, target: int, max_hops: int) -> Compact | None:
        """See :class:`Engine`."""
        label, _, *work = self._work(plan)
        length, node, togo, ptr, to, edge = self._kernels.shortest(
            *self._arguments(plan), label, *work, start, target, max_hops)
        return Compact(length, node, togo, ptr, to, edge, len(node) - 1, 1) if length > 0 else None

    def within(self, plan: Plan, start: int, target: int, length: int, shortest: int) -> Compact:
        """See :class:`Engine`."""
        _, node, togo, ptr, to, edge = self._kernels.within(
            *self._arguments(plan), *self._work(plan)[:5], start, target, length, shortest)
        return Compact(length, node, togo, ptr, to, edge, int(np.flatnonzero(node == start)[0]),
                       length - shortest + 1)

    def solve(self, plan: Plan, node_score: Array, class_score: Array, starts: Array, targets: Array, max_hops: int,
              k: int, levels: bool, most: int) -> tuple[Array, ...]:
        """Many pairs in one call; see :func:`pathkg.paths.kernels.solve`.

        Returns:
            ``(length, total, found, score, edges, complete)``.
        """
        n = len(starts)
        out = (np.full(n, -1, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros((n, k), np.int64),
               np.full((n, k, max_hops), -1, np.int32), np.zeros(n, np.uint8))
        self._kernels.solve(*self._arguments(plan), node_score, class_score, *self._work(plan), starts, targets,
                            max_hops, k, levels, most, *out)
        return out


def _read_only(array: Array) -> Array:
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
