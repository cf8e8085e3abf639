"""``find_paths``: the best evidence paths between entities, and why there is none."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pathkg.errors import InputError, UnknownEntityError, did_you_mean
from pathkg.graph import KnowledgeGraph
from pathkg.paths.constraints import Constraints, Plan, compile_plan, edge_classes
from pathkg.paths.engine import Budget, NumpySearch
from pathkg.paths.ranking import UNIT, Costs, Weights, compile_costs, default_weights
from pathkg.records import Path, PathEdge, PathNode, PathResult

Array = npt.NDArray[Any]
Mode = Literal["k_shortest", "shortest", "all_shortest", "all_simple"]
MODES = ("k_shortest", "shortest", "all_shortest", "all_simple")
PATH_LIMIT = 100_000
"""How many paths a query enumerates before it stops and says ``truncated``."""

_CONSTRAINT_NAMES = tuple(f.name for f in fields(Constraints))


class PathFinder:
    """Answers path queries over one graph; keeps what queries share (edge classes, score terms, constraints).

    Args:
        graph: the graph.
        weights: of the ranking; the package's own when ``None``.

    Example:
        >>> import pathkg
        >>> finder = PathFinder(pathkg.load())
        >>> finder.find("keratin pearl", "squamous cell carcinoma", k=1)[0].length
        1
    """

    def __init__(self, graph: KnowledgeGraph, *, weights: Weights | None = None) -> None:
        self.graph = graph
        self.weights = weights or default_weights()
        self._edge_class = edge_classes(graph)
        self._costs: Costs = compile_costs(graph, self.weights)
        self._plans: dict[Any, Plan] = {}

    def plan(self, constraints: Constraints) -> Plan:
        """The compiled form of constraints, made once."""
        key = constraints.key()
        if key not in self._plans:
            if len(self._plans) >= 32:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = compile_plan(self.graph, constraints)
        return self._plans[key]

    def find(self, a: str | Collection[str], b: str | Collection[str], *, k: int | None = 5, max_hops: int = 4,
             mode: Mode = "k_shortest", case: Collection[str] = (), limit: int = PATH_LIMIT,
             max_expansions: int | None = None, time_limit: float | None = None, **constraints: Any) -> PathResult:
        """See :func:`find_paths`."""
        _check(k, max_hops, mode, limit, max_expansions, time_limit)
        plan = self.plan(_constraints(constraints))
        starts, unknown_a = self._resolve(a)
        targets, unknown_b = self._resolve(b)
        unknown = "; ".join(unknown_a + unknown_b)
        if not starts or not targets:
            return self._empty("unknown_entity", unknown or "an empty set of entities was given")
        deadline = None if time_limit is None else time.monotonic() + time_limit
        budget = Budget(limit, -1 if max_expansions is None else max_expansions, deadline)
        pairs = [(s, t) for s in starts for t in targets]
        answers = [self._pair(s, t, k, max_hops, mode, plan, budget) for s, t in pairs]
        paths = [p for answer in answers for p in answer.paths]
        if len(pairs) == 1:
            return replace(answers[0], detail="; ".join(filter(None, (answers[0].detail, unknown))))
        paths.sort(key=lambda p: -p.score)
        reasons = [a.reason for a in answers]
        reason = "" if paths else ("filtered" if "filtered" in reasons else reasons[0])
        return PathResult(tuple(paths[:k]), reason, unknown, any(a.truncated for a in answers),
                          _total([a.count for a in answers]), self.graph.hash)

    # -- one pair ------------------------------------------------------------------------------------------

    def _pair(self, start: int, target: int, k: int | None, max_hops: int, mode: Mode, plan: Plan,
              budget: Budget) -> PathResult:
        if start == target:
            return self._empty("filtered", f"start and target are the same node ({self.graph.curie(start)})")
        if start in plan.avoided or target in plan.avoided:
            return self._empty("filtered", "avoid_nodes holds the start or the target")
        search = NumpySearch(self.graph.arrays, self._edge_class, plan, start, target)
        hops = min(max_hops, max(1, len(self.graph) - 1)) if max_hops else 0
        shortest = search.distance(hops, budget)
        if shortest < 0:
            return self._why_none(start, target, hops, plan, budget)
        count = search.count_shortest(shortest) if mode in ("shortest", "all_shortest") else None
        found: list[Array] = []
        last = shortest if mode in ("shortest", "all_shortest") else hops
        for length in range(shortest, last + 1):
            found.append(search.enumerate(length, budget))
            if budget.spent or (mode == "k_shortest" and k is not None and sum(map(len, found)) >= k):
                break
        keep = 1 if mode == "shortest" else k
        paths = self._best(start, found, keep)
        if mode == "all_simple" and not budget.spent:
            count = sum(map(len, found))
        if not paths and not budget.spent:
            return self._why_none(start, target, hops, plan, budget)
        return PathResult(paths, "" if paths else "filtered", "" if paths else "the budget ran out", budget.spent,
                          count, self.graph.hash)

    def _why_none(self, start: int, target: int, hops: int, plan: Plan, budget: Budget) -> PathResult:
        names = f"{self.graph.curie(start)} and {self.graph.curie(target)}"
        if budget.spent:
            return replace(self._empty("filtered", "the budget ran out before a path was found"), truncated=True)
        if plan.restricted and hops:
            free = self.plan(Constraints())
            if NumpySearch(self.graph.arrays, self._edge_class, free, start, target).distance(hops, budget) > 0:
                return self._empty("filtered", f"{names} are joined within {hops} hops, but not by a path that the "
                                               "constraints allow")
        return self._empty("no_path_within_max_hops", f"{names} are not joined within {hops} hops")

    def _best(self, start: int, found: Sequence[Array], k: int | None) -> tuple[Path, ...]:
        """The ``k`` best of the enumerated paths; equal scores keep the order shorter first, then as enumerated."""
        arrays, costs = self.graph.arrays, self._costs
        ranked: list[tuple[int, int, int]] = []
        for level, entries in enumerate(found):
            total = costs.edge_class[self._edge_class[arrays.edge[entries]]].sum(axis=1)
            total += costs.node[arrays.neighbor[entries[:, :-1]]].sum(axis=1)
            order = np.argsort(-total, kind="stable")[:k]
            ranked.extend((-int(total[row]), level, int(row)) for row in order)
        ranked.sort()
        return tuple(self._record(start, found[level][row]) for _, level, row in ranked[:k])

    def _record(self, start: int, entries: Array) -> Path:
        arrays, costs, graph = self.graph.arrays, self._costs, self.graph
        indices = [start, *arrays.neighbor[entries].tolist()]
        edges = arrays.edge[entries].tolist()
        relation = [int(arrays.edge_relation[e]) for e in edges]
        source = [int(arrays.edge_source[e]) for e in edges]
        inner = indices[1:-1]
        parts = {"length": costs.hop * len(edges),
                 "hubs": int(sum(costs.hub[v] for v in inner)),
                 "relations": int(sum(costs.relation[r] for r in relation)),
                 "types": int(sum(costs.type[v] for v in inner)),
                 "sources": int(sum(costs.source[s] for s in source)),
                 "coherence": 0}
        return Path(
            tuple(PathNode(graph.curie(i), graph.name(i), graph.type(i)) for i in indices),
            tuple(PathEdge(e, graph.relations[r], graph.sources[s],
                           "forward" if int(arrays.edge_subject[e]) == u else "backward",
                           bool(arrays.edge_negated[e]))
                  for e, r, s, u in zip(edges, relation, source, indices, strict=False)),
            sum(parts.values()) / UNIT, {name: value / UNIT for name, value in parts.items()})

    # -- input ---------------------------------------------------------------------------------------------

    def _resolve(self, given: str | Collection[str]) -> tuple[list[int], list[str]]:
        """Node indices without repeats, and a message for each name that the graph does not hold."""
        nodes: dict[int, None] = {}
        unknown = []
        for name in [given] if isinstance(given, str) else given:
            try:
                nodes.setdefault(self.graph.index(self.graph.resolve(name)))
            except UnknownEntityError as error:
                unknown.append(f"{error.message} ({error.hint})" if error.hint else error.message)
        return list(nodes), unknown

    def _empty(self, reason: str, detail: str) -> PathResult:
        return PathResult((), reason, detail, False, 0, self.graph.hash)


def find_paths(graph: KnowledgeGraph, a: str | Collection[str], b: str | Collection[str], *, k: int | None = 5,
               max_hops: int = 4, weights: Weights | Mapping[str, Any] | None = None, **options: Any) -> PathResult:
    """The best evidence paths from ``a`` to ``b``.

    Args:
        graph: the graph to search.
        a: a CURIE, name or synonym, or several of them.
        b: likewise.
        k: how many paths to return; ``None`` for all.
        max_hops: the longest path, in edges.
        weights: of the ranking (:mod:`pathkg.paths.ranking`); the package's own when ``None``.
        **options: ``mode``, ``limit``, ``max_expansions``, ``time_limit``, ``case``, and every field of
            :class:`~pathkg.paths.constraints.Constraints`.

    Returns:
        Paths, best score first (then shorter, then by node and edge number). An unknown name raises nothing: the
        result is empty, ``reason`` is ``unknown_entity`` and ``detail`` says what was meant perhaps. The same
        node twice gives ``filtered``.

    Raises:
        InputError: a constraint that cannot be meant: an unknown type, relation, source or option, a pattern that
            cannot be read, a negative number.

    Example:
        >>> import pathkg
        >>> result = find_paths(pathkg.load(), "keratin pearl", "squamous cell carcinoma", k=1)
        >>> result[0].edges[0].relation
        'supports'
    """
    if isinstance(weights, Mapping):
        weights = Weights.from_dict(weights)
    finder = finder_for(graph) if weights is None else PathFinder(graph, weights=weights)
    return finder.find(a, b, k=k, max_hops=max_hops, **options)


@lru_cache(maxsize=4)
def finder_for(graph: KnowledgeGraph) -> PathFinder:
    """The shared finder of a graph with the package's weights."""
    return PathFinder(graph)


def _total(counts: Sequence[Any]) -> int | None:
    return None if None in counts else sum(counts)


def _constraints(given: Mapping[str, Any]) -> Constraints:
    for name in given:
        if name not in _CONSTRAINT_NAMES:
            known = (*_CONSTRAINT_NAMES, "mode", "case", "limit", "max_expansions", "time_limit", "weights")
            raise InputError(f"find_paths has no option {name!r}",
                             hint=did_you_mean(name, known) or f"options are: {', '.join(known)}")
    return Constraints(**given)


def _check(k: int | None, max_hops: int, mode: str, limit: int, max_expansions: int | None,
           time_limit: float | None) -> None:
    if mode not in MODES:
        raise InputError(f"mode is {mode!r}", hint=did_you_mean(mode, MODES) or f"modes are: {', '.join(MODES)}")
    for name, value, least in (("k", k, 1), ("max_hops", max_hops, 0), ("limit", limit, 1),
                               ("max_expansions", max_expansions, 1), ("time_limit", time_limit, 0)):
        if value is not None and value < least:
            raise InputError(f"{name} is {value}", hint=f"give a number of at least {least}")
