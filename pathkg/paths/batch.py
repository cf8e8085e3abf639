"""Many pairs at once: threads over the compiled kernel, and results that become records when looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from pathkg.paths.constraints import Plan
from pathkg.paths.engine import CompiledEngine
from pathkg.paths.ranking import Costs
from pathkg.paths.walk import SATURATED
from pathkg.records import PathResult

Array = npt.NDArray[Any]

_PAIRS_PER_TASK = 64


@dataclass(frozen=True, slots=True)
class DistanceTable:
    """Distances and counts of pairs.

    Attributes:
        distance: int64 (n_pairs); edges on a shortest path, -1 where there is none.
        total: exact number of shortest paths, parallel edges counted apart.
    """

    distance: Array
    total: tuple[int, ...]


class PathBatch(Sequence[PathResult]):
    """The answers to many pairs, in order.

    Args:
        rows: a result, or a row number that ``answer`` turns into one.
        answer: makes the result of a row.
    """

    def __init__(self, rows: Sequence[PathResult | int], answer: Callable[[int], PathResult] | None = None) -> None:
        self._rows, self._answer = rows, answer

    @overload
    def __getitem__(self, index: int) -> PathResult: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PathResult, ...]: ...
    def __getitem__(self, index: int | slice) -> PathResult | tuple[PathResult, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        row = self._rows[index]
        if isinstance(row, PathResult):
            return row
        assert self._answer is not None
        return self._answer(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[PathResult]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True, slots=True)
class Solved:
    """Columns of a solved batch; see :func:`pathkg.paths.kernels.solve`. ``total`` is ``None`` where it did not fit."""

    length: Array
    total: list[int | None]
    found: Array
    edges: Array
    complete: Array

    def row(self, row: int) -> tuple[list[list[int]], int | None, bool]:
        """(paths as edge ids, number of shortest paths, whether the search was complete)."""
        paths = self.edges[row, :self.found[row]].tolist()
        return ([[e for e in path if e >= 0] for path in paths], self.total[row], bool(self.complete[row]))


def solve_in_threads(engine: CompiledEngine, plan: Plan, costs: Costs, starts: Array, targets: Array, max_hops: int,
                     k: int, levels: bool, most: int, workers: int | None) -> Solved:
    """Solve pairs on ``workers`` threads (all cores when ``None``); the kernel releases the interpreter lock."""
    workers = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    slices = [slice(i, i + _PAIRS_PER_TASK) for i in range(0, len(starts), _PAIRS_PER_TASK)]

    def solve(part: slice) -> tuple[Array, ...]:
        return engine.solve(plan, costs.node, costs.edge_class, starts[part], targets[part], max_hops, k, levels, most)

    if workers == 1 or len(slices) <= 1:
        parts = [solve(part) for part in slices]
    else:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(solve, slices))
    if not parts:
        return Solved(np.zeros(0, np.int64), [], np.zeros(0, np.int64), np.zeros((0, k, max_hops), np.int32),
                      np.zeros(0, np.uint8))
    length, total, found, _, edges, complete = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Solved(length, [t if t < SATURATED else None for t in total.tolist()], found, edges, complete)
