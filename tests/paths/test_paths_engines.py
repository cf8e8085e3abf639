"""Both engines against networkx on thousands of small random graphs, with everything that makes graphs nasty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathkg.graph.adjacency import GraphArrays, build_adjacency
from pathkg.paths.constraints import FLOW_MASKS, Plan
from pathkg.paths.engine import CompiledEngine, NumpyEngine, compiled_available
from pathkg.paths.walker import Budget

N_RELATIONS = 3
HOPS = 4
PLENTY = 10**9


@dataclass(frozen=True)
class Case:
    """A graph, a query and its constraints."""

    n: int
    edges: list[tuple[int, int, bool, int]]  # subject, object, undirected, relation
    start: int
    target: int
    direction: str
    relation_ok: tuple[bool, ...]
    closed: frozenset[int]
    avoid: frozenset[int]
    no_direct: bool

    def arrays(self) -> GraphArrays:
        subject, obj, undirected, relation = (
            np.array([e[i] for e in self.edges], dtype)
            for i, dtype in ((0, np.int32), (1, np.int32), (2, bool), (3, np.int16)))
        indptr, neighbor, edge, flow = build_adjacency(self.n, subject, obj, undirected)
        zeros = np.zeros(len(self.edges), np.int16)
        return GraphArrays(indptr=indptr, neighbor=neighbor, edge=edge, flow=flow,
                           node_type=np.zeros(self.n, np.int16), edge_subject=subject, edge_object=obj,
                           edge_relation=relation, edge_source=zeros, edge_negated=zeros.astype(bool))

    def plan(self) -> Plan:
        node_ok = np.array([v not in self.closed for v in range(self.n)], np.uint8)
        return Plan(node_ok, np.array(self.relation_ok, np.uint8), *FLOW_MASKS[self.direction],
                    np.array(sorted(self.avoid), np.int32), self.no_direct, restricted=True)

    def networkx(self) -> Any:
        """The same question as a networkx graph whose edge keys are edge ids."""
        graph: Any = nx.MultiGraph() if self.direction == "any" else nx.MultiDiGraph()
        ends = {self.start, self.target}
        graph.add_nodes_from(range(self.n))
        for e, (u, v, undirected, relation) in enumerate(self.edges):
            if not self.relation_ok[relation] or e in self.avoid or (self.no_direct and {u, v} == ends):
                continue
            if self.direction == "backward":
                u, v = v, u
            graph.add_edge(u, v, key=e)
            if undirected and self.direction != "any" and u != v:
                graph.add_edge(v, u, key=e)
        graph.remove_nodes_from(self.closed - ends)
        return graph

    def expected(self) -> dict[int, list[tuple[int, ...]]]:
        """Simple paths as edge ids, by length, in lexicographic order of their (node, edge) steps."""
        found: dict[int, list[tuple[int, ...]]] = {}
        steps = {tuple((v, key) for _, v, key in path)
                 for path in nx.all_simple_edge_paths(self.networkx(), self.start, self.target, cutoff=HOPS) if path}
        for path in sorted(steps):
            found.setdefault(len(path), []).append(tuple(key for _, key in path))
        return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(2, 7))
    node = st.integers(0, n - 1)
    edge = st.tuples(node, node, st.booleans(), st.integers(0, N_RELATIONS - 1))
    edges = draw(st.lists(edge, max_size=18))
    start = draw(node)
    target = draw(node.filter(lambda v: v != start))
    constrained = draw(st.booleans())
    return Case(
        n, edges, start, target, draw(st.sampled_from(["any", "any", "forward", "backward"])),
        tuple(draw(st.lists(st.booleans(), min_size=N_RELATIONS, max_size=N_RELATIONS)))
        if constrained and draw(st.booleans()) else (True,) * N_RELATIONS,
        frozenset(draw(st.sets(node, max_size=2))) if constrained else frozenset(),
        frozenset(draw(st.sets(st.integers(0, max(0, len(edges) - 1)), max_size=2))) if constrained and edges
        else frozenset(),
        constrained and draw(st.booleans()))


def engines(case: Case) -> list[Any]:
    arrays = case.arrays()
    made: list[Any] = [NumpyEngine(arrays, arrays.edge_relation)]
    if compiled_available():
        made.append(CompiledEngine(arrays, arrays.edge_relation))
    return made


def paths_of(compact: Any, steps: Any) -> list[tuple[int, ...]]:
    return [tuple(row) for row in compact.edge[steps].tolist()]


def check(case: Case) -> None:
    expected = case.expected()
    plan = case.plan()
    score = np.array([(7 * e) % 5 for e in range(len(case.edges) + 1)], np.int64)
    for engine in engines(case):
        compact = engine.shortest(plan, case.start, case.target, HOPS)
        if not expected:
            assert compact is None, engine.name
            continue
        shortest = min(expected)
        assert compact is not None, engine.name
        assert compact.length == shortest, engine.name
        assert engine.count(compact) == len(expected[shortest]), engine.name
        for length in range(shortest, HOPS + 1):
            if length > shortest:
                compact = engine.within(plan, case.start, case.target, length, shortest)
            found = paths_of(compact, engine.all(compact, Budget(PLENTY)))
            assert found == expected.get(length, []), (engine.name, length)
            gain = score[compact.edge]
            top, steps = engine.best(compact, gain, 3, Budget(PLENTY))
            ranked = sorted(found, key=lambda path: -sum(score[e] for e in path))[:3]
            assert paths_of(compact, steps) == ranked, (engine.name, length)
            assert top.tolist() == [sum(score[e] for e in path) for path in ranked]


@settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases())
def test_paths_equal_networkx(case: Case) -> None:
    check(case)


def line(n: int) -> Case:
    return Case(n, [(i, i + 1, False, 0) for i in range(n - 1)], 0, n - 1, "any", (True,) * 3, frozenset(),
                frozenset(), False)


def diamonds(n: int) -> Case:
    """n diamonds in a row, every edge doubled: 8 ** n shortest paths of 2 n edges."""
    edges = []
    for i in range(n):
        a, b, c, d = 3 * i, 3 * i + 1, 3 * i + 2, 3 * i + 3
        edges += [(a, b, False, 0), (a, c, False, 0), (b, d, False, 0), (c, d, False, 0)] * 2
    return Case(3 * n + 1, edges, 0, 3 * n, "any", (True,) * 3, frozenset(), frozenset(), False)


SHAPES = {
    "two nodes, no edge": Case(2, [], 0, 1, "any", (True,) * 3, frozenset(), frozenset(), False),
    "five parallel edges": Case(2, [(0, 1, False, 0)] * 5, 0, 1, "any", (True,) * 3, frozenset(), frozenset(), False),
    "parallel edges, both directions": Case(2, [(0, 1, False, 0), (1, 0, False, 0)], 0, 1, "forward", (True,) * 3,
                                            frozenset(), frozenset(), False),
    "only self-loops": Case(2, [(0, 0, False, 0), (1, 1, True, 0)], 0, 1, "any", (True,) * 3, frozenset(), frozenset(),
                            False),
    "closed ends stay usable": Case(3, [(0, 1, False, 0), (1, 2, False, 0)], 0, 2, "any", (True,) * 3,
                                    frozenset({0, 2}), frozenset(), False),
    "direct edge forbidden, detour left": Case(3, [(0, 2, False, 0), (0, 1, False, 0), (1, 2, False, 0)], 0, 2, "any",
                                               (True,) * 3, frozenset(), frozenset(), True),
    "a line": line(5),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    check(SHAPES[name])


@pytest.mark.parametrize(("n", "expected"), [(1, 8), (5, 8**5), (30, 8**30)])
def test_counts_are_exact_beyond_int64(n: int, expected: int) -> None:
    case = diamonds(n)
    for engine in engines(case):
        compact = engine.shortest(case.plan(), case.start, case.target, 100)
        assert engine.count(compact) == expected


def test_best_paths_need_no_enumeration() -> None:
    case = diamonds(30)
    for engine in engines(case):
        compact = engine.shortest(case.plan(), case.start, case.target, 100)
        gain = -compact.edge % 7
        budget = Budget(PLENTY, steps=20_000)
        top, steps = engine.best(compact, gain, 5, budget)
        assert len(steps) == 5
        assert not budget.spent
        assert top[0] == max(top)


def test_a_long_line() -> None:
    case = line(2_000)
    for engine in engines(case):
        compact = engine.shortest(case.plan(), case.start, case.target, 5_000)
        assert compact.length == 1_999
        assert engine.count(compact) == 1
        assert engine.shortest(case.plan(), case.start, case.target, 1_998) is None


@pytest.mark.parametrize(("budget", "most"), [(Budget(10), 10), (Budget(PLENTY, steps=25), 25)])
def test_a_budget_stops_the_enumeration(budget: Budget, most: int) -> None:
    case = diamonds(6)
    for engine in engines(case):
        spent = replace(budget)
        compact = engine.shortest(case.plan(), case.start, case.target, 100)
        found = engine.all(compact, spent)
        assert spent.spent
        assert len(found) <= most
        everything = engine.all(compact, Budget(PLENTY))
        assert everything[:len(found)].tolist() == found.tolist()


def test_work_arrays_are_clean_after_each_query() -> None:
    if not compiled_available():
        pytest.skip("needs numba")
    case = diamonds(3)
    engine = CompiledEngine(case.arrays(), case.arrays().edge_relation)
    closed = replace(case, closed=frozenset({1, 4}))
    def count(plan: Plan) -> int:
        compact = engine.shortest(plan, 0, 9, 50)
        assert compact is not None
        return engine.count(compact)
    first = count(case.plan())
    plans = case.plan(), closed.plan()
    for _ in range(3):
        assert count(plans[0]) == first == 512
        assert count(plans[1]) == 4 * 4 * 8
        engine.within(plans[0], 0, 9, 7, 6)
