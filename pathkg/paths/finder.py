"""The path finder of one graph: single queries, batches, and why there is no path."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.errors import InputError, MissingExtraError
from pathkg.graph import KnowledgeGraph
from pathkg.paths.batch import DistanceTable, PathBatch, solve_in_threads
from pathkg.paths.constraints import Constraints, Plan, compile_plan, edge_classes
from pathkg.paths.ends import Ends, nodes_of, plain_pair
from pathkg.paths.engine import (
    LONGEST,
    CompiledEngine,
    Engine,
    NumpyEngine,
    compiled_available,
    machine_code_kept,
)
from pathkg.paths.options import ENGINES, Mode, check_options, read_constraints
from pathkg.paths.ranking import UNIT, Costs, Weights, compile_costs, default_weights
from pathkg.paths.selection import select_diverse
from pathkg.paths.walker import Budget, Compact
from pathkg.paths.writing import PathWriter
from pathkg.records import Path, PathResult

Array = npt.NDArray[Any]

PATH_LIMIT = 100_000
"""How many paths a query enumerates before it stops and says ``truncated``."""

TOP_LIMIT = 256
"""Up to this k the best paths are found by a bounded search; above it all paths are enumerated (up to the limit)."""

DIVERSE_POOL = 8
"""Diverse selection chooses among this many times k paths (at least 32) per pair."""

SWITCH_SECONDS = (2.0, 30.0)
"""With engine ``auto`` the NumPy engine works this long before the compiled one is loaded; longer where the machine code
would have to be made first."""

SWITCH_PAIRS = (1_000, 10_000)
"""A batch of at least this many pairs loads the compiled engine at once; likewise."""


class PathFinder:
    """Answers path queries over one graph; keeps what queries share (edge classes, score terms, constraints).

    Args:
        graph: the graph.
        weights: of the ranking; the package's own when ``None``.
        engine: ``numpy``; ``numba`` (compiled; needs ``pathkg[fast]``); ``auto`` begins with NumPy and changes over
            once there is work enough to pay for it (``SWITCH_SECONDS``, ``SWITCH_PAIRS``). Results do not depend on it.

    Raises:
        MissingExtraError: engine ``numba`` without numba.

    Example:
        >>> import pathkg
        >>> finder = PathFinder(pathkg.load())
        >>> finder.find("keratin pearl", "squamous cell carcinoma", k=1)[0].length
        1
    """

    def __init__(self, graph: KnowledgeGraph, *, weights: Weights | None = None, engine: str = "auto") -> None:
        if engine not in ENGINES:
            raise InputError(f"engine is {engine!r}", hint=f"use one of {', '.join(ENGINES)}")
        self.graph = graph
        self.weights = weights or default_weights()
        self._edge_class = edge_classes(graph)
        self._costs: Costs = compile_costs(graph, self.weights)
        self._writer = PathWriter(graph, self._costs)
        self._plans: dict[Any, Plan] = {}
        self._engine: Engine = NumpyEngine(graph.arrays, self._edge_class)
        self._may_switch = engine == "auto" and compiled_available()
        self._worked = 0.0
        if engine == "numba":
            self.warm_up()

    @property
    def engine(self) -> str:
        """The engine in use now: ``numpy`` or ``numba``."""
        return self._engine.name

    def warm_up(self) -> None:
        """Load the compiled engine now (made on the very first time, which takes about half a minute, and then kept).

        Raises:
            MissingExtraError: numba is not installed.
        """
        if not compiled_available():
            raise MissingExtraError.for_extra("numba", "fast")
        if self._engine.name != "numba":
            self._engine = CompiledEngine(self.graph.arrays, self._edge_class)
        self._may_switch = False

    def plan(self, constraints: Constraints) -> Plan:
        """The compiled form of constraints, made once."""
        key = constraints.key()
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= 32:
                self._plans.clear()
            found = self._plans.setdefault(key, compile_plan(self.graph, constraints))
        return found

    # -- one query -----------------------------------------------------------------------------------------

    def find(self, a: Ends, b: Ends, *, k: int | None = 5, max_hops: int = 4, mode: Mode = "k_shortest",
             case: Collection[str] = (), select: str | None = None, limit: int = PATH_LIMIT,
             max_expansions: int | None = None, time_limit: float | None = None, **constraints: Any) -> PathResult:
        """See :func:`~pathkg.paths.query.find_paths`."""
        check_options(k, max_hops, mode, select, limit, max_expansions, time_limit)
        plan = self.plan(read_constraints(constraints))
        starts, unknown = nodes_of(self.graph, a)
        targets, unknown_targets = nodes_of(self.graph, b)
        others, unknown_case = nodes_of(self.graph, case)
        trouble = "; ".join(unknown + unknown_targets + unknown_case)
        if not starts or not targets:
            return self._empty("unknown_entity", trouble or "an empty set of entities was given")
        deadline = None if time_limit is None else time.monotonic() + time_limit
        budget = Budget(limit, -1 if max_expansions is None else max_expansions, deadline)
        if len(starts) > 1 and not others:
            others = starts
        several = len(starts) * len(targets) > 1
        select = select or ("diverse" if several else "best")
        pool = k if select == "best" or k is None else max(32, DIVERSE_POOL * k)
        began = time.monotonic()
        answers = []
        for s in starts:
            bonus = self._coherence(s, others)
            answers += [self._pair(s, t, pool, max_hops, mode, plan, budget, bonus) for t in targets
                        if s != t or not several]
        self._worked += time.monotonic() - began
        self._switch(self._worked, SWITCH_SECONDS)
        return self._join(answers, k, select, trouble)

    def _join(self, answers: Sequence[PathResult], k: int | None, select: str, trouble: str) -> PathResult:
        if not answers:
            return self._empty("filtered", "every start is also the only target")
        paths = [p for answer in answers for p in answer.paths]
        if len(answers) > 1:
            paths.sort(key=lambda p: (-p.score, p.length))  # stable: then in the order of the pairs
        chosen = select_diverse(paths, k, self.weights) if select == "diverse" else paths[:k]
        totals = [a.total for a in answers]
        first = answers[0]
        reasons = [a for a in answers if a.reason == "filtered"] or list(answers)
        return PathResult(
            tuple(chosen), "" if paths else reasons[0].reason,
            "; ".join(filter(None, ("" if paths else reasons[0].detail if len(answers) > 1 else first.detail, trouble))),
            any(a.truncated for a in answers),
            None if None in totals else sum(t for t in totals if t is not None), self.graph.hash)

    def _pair(self, start: int, target: int, k: int | None, max_hops: int, mode: Mode, plan: Plan, budget: Budget,
              bonus: Mapping[int, int]) -> PathResult:
        blocked = self._blocked(start, target, plan)
        if blocked:
            return self._empty("filtered", blocked)
        hops = min(max_hops, max(1, len(self.graph) - 1), LONGEST)
        if budget.late():
            return self._none_in_time()
        if plan.pattern is not None:
            return self._pattern_pair(start, target, k, hops, mode, plan, budget, bonus)
        engine = self._engine
        compact = engine.shortest(plan, start, target, hops)
        if compact is None:
            return self._why_none(start, target, hops, plan)
        shortest = compact.length
        total = engine.count(compact) if mode in ("shortest", "all_shortest") else None
        keep = 1 if mode == "shortest" else k
        bounded = mode != "all_simple" and keep is not None and keep <= TOP_LIMIT
        ranked: list[tuple[int, int, int]] = []
        levels: list[Array] = []
        listed = 0
        while True:
            gain = self._gain(compact, bonus)
            if bounded and keep is not None:
                score, steps = engine.best(compact, gain, keep, budget)
            else:
                steps = engine.all(compact, budget)
                score = gain[steps].sum(axis=1)
            listed += len(steps)
            order = np.argsort(-score, kind="stable")[:keep]
            ranked.extend((-int(score[row]), len(levels), int(row)) for row in order)
            levels.append(compact.edge[steps])
            length = compact.length + 1
            if (budget.spent or budget.late() or mode in ("shortest", "all_shortest") or length > hops
                    or (mode == "k_shortest" and keep is not None and listed >= keep)):
                break
            compact = engine.within(plan, start, target, length, shortest)
        if mode == "all_simple" and not budget.spent:
            total = listed
        ranked.sort()
        paths = tuple(self._writer.path(start, levels[level][row].tolist(), bonus) for _, level, row in ranked[:keep])
        return PathResult(paths, "" if paths else "filtered", "" if paths else "the budget ran out", budget.spent,
                          total, self.graph.hash)

    def _pattern_pair(self, start: int, target: int, k: int | None, hops: int, mode: Mode, plan: Plan,
                      budget: Budget, bonus: Mapping[int, int]) -> PathResult:
        from pathkg.paths.pattern_search import PatternSearch

        search = PatternSearch(self.graph, self._edge_class, plan, start, target)
        levels: list[list[tuple[int, ...]]] = []
        for length in range(1, hops + 1):
            found = search.paths(length, budget)
            if found:
                levels.append(found)
            listed = sum(map(len, levels))
            if budget.spent or (listed and (mode in ("shortest", "all_shortest")
                                            or (mode == "k_shortest" and k is not None and listed >= k))):
                break
            if not search.may_be_longer(length):
                break
        paths = [self._writer.path(start, edges, bonus) for level in levels for edges in level]
        total = None if budget.spent or mode == "k_shortest" else len(paths)
        paths.sort(key=lambda p: -p.score)
        if not paths and not budget.spent:
            return self._empty("filtered", f"no path within {hops} hops follows the pattern {plan.pattern}")
        return PathResult(tuple(paths[:1 if mode == "shortest" else k]), "" if paths else "filtered",
                          "" if paths else "the budget ran out", budget.spent, total, self.graph.hash)

    def _gain(self, compact: Compact, bonus: Mapping[int, int]) -> Array:
        """Score of each compact step: its edge, and the node it enters (whose own terms count unless it is the
        target)."""
        entered = compact.node[compact.to]
        gain: Array = self._costs.edge_class[self._edge_class[compact.edge]]
        gain = gain + np.where(compact.to != 0, self._costs.node[entered], 0)
        if bonus:
            extra = np.array([bonus.get(v, 0) for v in compact.node.tolist()], np.int64)
            gain += extra[compact.to]
        return gain

    def score_path(self, start: int, edges: Sequence[int]) -> Path:
        """The record, with score and parts, of the path that leaves node ``start`` over ``edges``."""
        return self._writer.path(start, edges)

    def _coherence(self, start: int, case: Sequence[int]) -> dict[int, int]:
        """Coherence term of each node: the share of the other findings that one edge joins to it."""
        others = [f for f in case if f != start]
        joined: dict[int, int] = {}
        arrays = self.graph.arrays
        for finding in others:
            near = arrays.neighbor[arrays.indptr[finding]:arrays.indptr[finding + 1]]
            for node in np.unique(near).tolist():
                joined[node] = joined.get(node, 0) + 1
        return {node: round(self.weights.coherence * UNIT * n / len(others)) for node, n in joined.items()}

    def _blocked(self, start: int, target: int, plan: Plan) -> str:
        if start == target:
            return f"start and target are the same node ({self.graph.curie(start)})"
        if start in plan.avoided or target in plan.avoided:
            return "avoid_nodes holds the start or the target"
        return ""

    def _why_none(self, start: int, target: int, hops: int, plan: Plan) -> PathResult:
        names = f"{self.graph.curie(start)} and {self.graph.curie(target)}"
        if plan.restricted and self._engine.shortest(self.plan(Constraints()), start, target, hops) is not None:
            return self._empty("filtered", f"{names} are joined within {hops} hops, but not by a path that the "
                                           "constraints allow")
        return self._empty("no_path_within_max_hops", f"{names} are not joined within {hops} hops")

    def _none_in_time(self) -> PathResult:
        return replace(self._empty("filtered", "the budget ran out before a path was found"), truncated=True, total=None)

    def _switch(self, done: float, enough: tuple[float, float]) -> None:
        """Load the compiled engine when there is work enough to pay for it."""
        if self._may_switch and done >= enough[0] and (done >= enough[1] or machine_code_kept()):
            self.warm_up()

    def all_shortest(self, a: str, b: str, *, max_hops: int = 8, limit: int = PATH_LIMIT, **constraints: Any
                     ) -> tuple[Array, Array]:
        """All shortest paths as arrays, for callers that want no records and no ranking.

        Args:
            a, b: CURIE or name.
            max_hops: the longest path looked for.
            limit: how many paths to list at most.
            **constraints: fields of :class:`~pathkg.paths.constraints.Constraints`, without ``pattern``.

        Returns:
            Node indices int64 (n_paths, length + 1) and edge ids int64 (n_paths, length), in lexicographic order of their
            (node, edge) steps; no rows when there is no path.

        Raises:
            InputError: as :func:`~pathkg.paths.query.find_paths`.
            UnknownEntityError: a name the graph does not hold.

        Example:
            >>> import pathkg
            >>> nodes, edges = PathFinder(pathkg.load()).all_shortest("keratin pearl", "squamous cell carcinoma")
            >>> nodes.shape[1], edges.shape[1]
            (2, 1)
        """
        check_options(1, max_hops, "all_shortest", None, limit, None, None)
        plan = self.plan(read_constraints(constraints))
        if plan.pattern is not None:
            raise InputError("all_shortest takes no pattern", hint="use find with mode='all_shortest'")
        start, target = self.graph.index(self.graph.resolve(a)), self.graph.index(self.graph.resolve(b))
        hops = min(max_hops, max(1, len(self.graph) - 1), LONGEST)
        compact = None if self._blocked(start, target, plan) else self._engine.shortest(plan, start, target, hops)
        if compact is None:
            return np.zeros((0, 1), np.int64), np.zeros((0, 0), np.int64)
        steps = self._engine.all(compact, Budget(limit))
        first = np.full((len(steps), 1), start, np.int64)
        return np.concatenate([first, compact.node[compact.to[steps]]], axis=1), compact.edge[steps]

    # -- many pairs ----------------------------------------------------------------------------------------

    def find_many(self, pairs: Iterable[tuple[Ends, Ends]], *, k: int = 5, max_hops: int = 4,
                  mode: Mode = "k_shortest", workers: int | None = None, max_expansions: int | None = None,
                  **constraints: Any) -> PathBatch:
        """Answer many pairs, on all cores with the compiled engine.

        Args:
            pairs: (start, target), each as for :func:`~pathkg.paths.query.find_paths`.
            k, max_hops, mode, max_expansions, **constraints: as for :func:`~pathkg.paths.query.find_paths`.
            workers: threads; all cores when ``None``.

        Returns:
            One :class:`~pathkg.records.PathResult` per pair, in order, equal to what :meth:`find` returns. The records
            are made when they are looked at.

        Raises:
            InputError: as :func:`~pathkg.paths.query.find_paths`.
        """
        check_options(k, max_hops, mode, None, 1, max_expansions, None)
        given = list(pairs)
        plan = self.plan(read_constraints(constraints))
        self._switch(len(given), SWITCH_PAIRS)
        options = dict(constraints, k=k, max_hops=max_hops, mode=mode, max_expansions=max_expansions)
        hops = min(max_hops, max(1, len(self.graph) - 1), LONGEST)
        fits = k <= TOP_LIMIT and hops * k <= 4096 and mode != "all_simple" and plan.pattern is None
        if not (isinstance(self._engine, CompiledEngine) and fits):
            return PathBatch([self.find(a, b, **options) for a, b in given])
        ends = [self._plain_pair(pair, plan) for pair in given]
        rows = [i for i, end in enumerate(ends) if end is not None]
        starts = np.array([ends[i][0] for i in rows], np.int64)  # type: ignore[index]
        targets = np.array([ends[i][1] for i in rows], np.int64)  # type: ignore[index]
        solved = solve_in_threads(self._engine, plan, self._costs, starts, targets, hops,
                                  1 if mode == "shortest" else k, mode == "k_shortest",
                                  -1 if max_expansions is None else max_expansions, workers)
        results: list[Any] = [None] * len(given)
        for i, end in enumerate(ends):
            if end is None:
                results[i] = self.find(*given[i], **options)

        def answer(row: int) -> PathResult:
            start = int(starts[row])
            edges, total, complete = solved.row(row)
            if total is None or (not edges and complete):  # does not fit int64, or has no path: the slow way tells why
                return self.find(*given[rows[row]], **options)
            if mode == "k_shortest":
                total = None
            paths = tuple(self._writer.path(start, path) for path in edges)
            reason = "" if paths else "filtered"
            return PathResult(paths, reason, "" if paths else "the budget ran out", not complete, total,
                              self.graph.hash)

        for row, i in enumerate(rows):
            results[i] = row
        return PathBatch(results, answer)

    def distances(self, pairs: Iterable[tuple[str, str]], *, max_hops: int = 8, workers: int | None = None,
                  **constraints: Any) -> DistanceTable:
        """Distance and exact number of shortest paths of many pairs.

        Args:
            pairs: (start, target) by CURIE or name.
            max_hops: the longest path looked for.
            workers: threads; all cores when ``None``.
            **constraints: fields of :class:`~pathkg.paths.constraints.Constraints`, without ``pattern``.

        Returns:
            Two columns; distance -1 where there is no path, 0 for the same node twice.

        Raises:
            InputError: as :func:`~pathkg.paths.query.find_paths`.
            UnknownEntityError: a name the graph does not hold.
        """
        check_options(1, max_hops, "all_shortest", None, 1, None, None)
        plan = self.plan(read_constraints(constraints))
        if plan.pattern is not None:
            raise InputError("distances take no pattern", hint="use find_paths with mode='all_shortest'")
        rows = [(self.graph.index(self.graph.resolve(a)), self.graph.index(self.graph.resolve(b))) for a, b in pairs]
        self._switch(len(rows), SWITCH_PAIRS)
        hops = min(max_hops, max(1, len(self.graph) - 1), LONGEST)
        starts, targets = (np.array([row[i] for row in rows], np.int64) for i in range(2))
        if isinstance(self._engine, CompiledEngine):
            solved = solve_in_threads(self._engine, plan, self._costs, starts, targets, hops, 0, False, -1, workers)
            length, total = solved.length, solved.total
        else:
            length, total = np.full(len(rows), -1, np.int64), [0] * len(rows)
        for i, (start, target) in enumerate(rows):
            if start == target:
                length[i], total[i] = 0, 1
            elif start in plan.avoided or target in plan.avoided:
                length[i], total[i] = -1, 0
            elif total[i] is None or not isinstance(self._engine, CompiledEngine):
                compact = self._engine.shortest(plan, start, target, hops)
                length[i] = -1 if compact is None else compact.length
                total[i] = 0 if compact is None else self._engine.count(compact)
        return DistanceTable(length, tuple(int(t) for t in total if t is not None))

    def _plain_pair(self, pair: tuple[Ends, Ends], plan: Plan) -> tuple[int, int] | None:
        """Indices of a pair of two names that needs no special answer."""
        found = plain_pair(self.graph, *pair)
        return None if found is None or self._blocked(*found, plan) else found

    def _empty(self, reason: str, detail: str) -> PathResult:
        return PathResult((), reason, detail, False, 0, self.graph.hash)
