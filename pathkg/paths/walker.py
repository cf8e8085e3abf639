"""What a query may spend, the compact graph of one path length, and the walks over it.

A walk is the same source interpreted and compiled (:mod:`pathkg.paths.walk`); here it is run in chunks that respect a
budget.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.paths import walk

Array = npt.NDArray[Any]

_CHUNK = 200_000
"""Entries that a walk looks at between two looks at the clock."""


@dataclass(slots=True)
class Budget:
    """What a query may still spend.

    Attributes:
        paths: paths that may still be enumerated.
        steps: steps that walks may still try; ``-1`` for no limit.
        deadline: ``time.monotonic()`` value, or ``None``.
        spent: set when any of them ran out.
    """

    paths: int
    steps: int = -1
    deadline: float | None = None
    spent: bool = False

    def late(self) -> bool:
        """Whether the deadline has passed (and then the budget is spent)."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.spent = True
        return self.spent


@dataclass(frozen=True, slots=True)
class Compact:
    """The part of the graph that simple paths of one length can use; see :mod:`pathkg.paths.walk`.

    Attributes:
        length: of the paths, in edges.
        node: int64 (m); node index of each compact node, ascending by ``togo``; 0 is the target.
        togo: int64 (m); least number of steps to the target.
        ptr, to, edge: int64; the steps of node v are ``ptr[v]:ptr[v + 1]``, to compact nodes, over edge ids.
        start: the start among the compact nodes.
        width: one more than the longest detour.
    """

    length: int
    node: Array
    togo: Array
    ptr: Array
    to: Array
    edge: Array
    start: int
    width: int


class Walker:
    """Runs the shared walks, interpreted or compiled, in chunks that respect a budget."""

    _fill, _count, _best, _all = (staticmethod(walk.fill_best), staticmethod(walk.count_shortest),
                                  staticmethod(walk.walk_best), staticmethod(walk.walk_all))

    def _sequence(self, values: Array) -> Any:
        """Interpreted loops run on lists, which they index faster than arrays."""
        return values.tolist()

    def _bounds(self, compact: Compact, gain: Array) -> Any:
        best = self._sequence(np.full(len(compact.node) * compact.width, walk.IMPOSSIBLE, np.int64))
        self._fill(self._sequence(compact.ptr), self._sequence(compact.to), self._sequence(gain),
                   self._sequence(compact.togo), compact.width, compact.length, best)
        return best

    def count(self, compact: Compact) -> int:
        """See :class:`Engine`."""
        ptr, to = compact.ptr, compact.to
        ways = self._count(self._sequence(ptr), self._sequence(to), self._sequence(np.zeros(len(ptr) - 1, np.int64)))
        if ways < walk.SATURATED:
            return int(ways)
        exact = [1]
        steps, ends = to.tolist(), ptr.tolist()
        for v in range(1, len(ends) - 1):
            exact.append(sum(exact[w] for w in steps[ends[v]:ends[v + 1]]))
        return exact[-1]

    def best(self, compact: Compact, gain: Array, k: int, budget: Budget) -> tuple[Array, Array]:
        """See :class:`Engine`."""
        length, state, cursor, node, on_path = self._fresh(compact)
        score = self._sequence(np.zeros(length + 1, np.int64))
        top_score = self._sequence(np.zeros(k, np.int64))
        top_steps = self._sequence(np.zeros(k * length, np.int64))
        ptr, to, gains, togo = (self._sequence(x) for x in (compact.ptr, compact.to, gain, compact.togo))
        bounds = self._bounds(compact, gain)
        while not self._best(ptr, to, gains, togo, bounds, compact.width, compact.start, length, k,
                             self._allowance(budget, int(state[walk.EXPANSIONS])), self._patience(budget), state, cursor,
                             node, score, on_path, top_score, top_steps):
            if self._pay(budget, int(state[walk.EXPANSIONS])):
                break
        found = int(state[walk.FOUND])
        self._settle(budget, int(state[walk.EXPANSIONS]))
        return (np.asarray(top_score, np.int64)[:found],
                np.asarray(top_steps, np.int64).reshape(k, length)[:found])

    def all(self, compact: Compact, budget: Budget) -> Array:
        """See :class:`Engine`."""
        length, state, cursor, node, on_path = self._fresh(compact)
        ptr, to, togo = (self._sequence(x) for x in (compact.ptr, compact.to, compact.togo))
        bounds = self._bounds(compact, np.zeros(len(compact.to), np.int64))
        blocks = []
        while True:
            room = min(budget.paths, max(256, _CHUNK // length))
            steps = self._sequence(np.zeros(room * length, np.int64))
            state[walk.FOUND] = 0
            before = int(state[walk.EXPANSIONS])
            done = self._all(ptr, to, togo, bounds, compact.width, compact.start, length, room,
                             self._allowance(budget), self._patience(budget), state, cursor, node, on_path, steps)
            found = int(state[walk.FOUND])
            blocks.append(np.asarray(steps, np.int64).reshape(room, length)[:found])
            budget.paths -= found
            if done:
                break
            spent = int(state[walk.EXPANSIONS]) - before
            if budget.steps >= 0:
                budget.steps -= spent
            if budget.paths == 0 or budget.steps == 0 or budget.late():
                budget.spent = True
                break
        return np.concatenate(blocks)

    def _fresh(self, compact: Compact) -> tuple[int, Any, Any, Any, Any]:
        length = compact.length
        cursor, node = np.zeros(length + 1, np.int64), np.zeros(length + 1, np.int64)
        cursor[0], node[0] = compact.ptr[compact.start], compact.start
        state = np.zeros(walk.STATE_SLOTS, np.int64)
        on_path = np.zeros(len(compact.node), np.int8)
        return (length, *(self._sequence(x) for x in (state, cursor, node, on_path)))

    @staticmethod
    def _allowance(budget: Budget, spent: int = 0) -> int:
        return budget.steps - spent if budget.steps >= 0 else -1

    @staticmethod
    def _patience(budget: Budget) -> int:
        return -1 if budget.deadline is None else _CHUNK

    @staticmethod
    def _pay(budget: Budget, spent: int) -> bool:
        """Whether a walk that stopped early must stay stopped."""
        if 0 <= budget.steps <= spent or budget.late():
            budget.spent = True
        return budget.spent

    @staticmethod
    def _settle(budget: Budget, spent: int) -> None:
        if budget.steps >= 0:
            budget.steps = max(0, budget.steps - spent)
