"""find_paths: constraints, reasons, ranking, selection, budgets, batches."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest

import pathkg
from pathkg.errors import InputError, MissingExtraError, UnknownEntityError
from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.paths import PathFinder, Weights, find_paths
from pathkg.paths.engine import compiled_available
from pathkg.paths.pattern import parse_pattern

NODES = {"M:pearl": ("keratin pearl", "morphology"), "M:mucin": ("mucin", "morphology"), "M:kera": ("keratinization", "morphology"),
         "D:scc": ("squamous cell carcinoma", "disease"), "D:adeno": ("adenocarcinoma", "disease"),
         "D:ca": ("carcinoma", "disease"), "A:lung": ("lung", "anatomy"), "G:tp53": ("TP53", "gene/protein"),
         "X:alone": ("lonely", "disease")}
EDGES = [  # subject, relation, object, source, more
    ("M:pearl", "supports", "D:scc", "WHO", {}), ("D:scc", "has_morphology", "M:pearl", "textbook", {}),
    ("M:pearl", "opposes", "D:adeno", "WHO", {}), ("M:mucin", "supports", "D:adeno", "WHO", {}),
    ("M:pearl", "is_a", "M:kera", "HPO", {}), ("D:scc", "is_a", "D:ca", "MONDO", {}),
    ("D:adeno", "is_a", "D:ca", "MONDO", {}), ("D:scc", "arises_in", "A:lung", "WHO", {}),
    ("D:adeno", "arises_in", "A:lung", "WHO", {}), ("D:adeno", "differential_of", "D:scc", "WHO", {"undirected": True}),
    ("D:adeno", "has_morphology", "M:kera", "PrimeKG", {"negated": True}),
    ("D:scc", "has_genetic_alteration", "G:tp53", "COSMIC", {}), ("D:adeno", "has_genetic_alteration", "G:tp53", "COSMIC", {}),
    ("A:lung", "part_of", "A:lung", "loop", {})]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    tables = make_tables(nodes=[{"id": i, "name": n, "type": t} for i, (n, t) in NODES.items()],
                         edges=[{"subject": s, "relation": r, "object": o, "source": c} | more for s, r, o, c, more in EDGES])
    return KnowledgeGraph.open(write_store(tmp_path_factory.mktemp("paths") / "store", tables))


def routes(result: Any) -> list[str]:
    """Each path as text, for comparison without looking at the order."""
    return sorted(" ".join([p.nodes[0].id, *(f"{'' if e.direction == 'forward' else '<'}{e.relation} {n.id}"
                                             for e, n in zip(p.edges, p.nodes[1:], strict=True))]) for p in result)


def brute_force(graph: KnowledgeGraph, start: str, target: str, hops: int) -> Iterator[list[tuple[int, str]]]:
    """All simple paths as (edge, node) lists, the slow and obvious way."""
    stack: list[tuple[str, list[tuple[int, str]]]] = [(start, [])]
    while stack:
        at, steps = stack.pop()
        if at == target:
            yield steps
        elif len(steps) < hops:
            seen = {start, *(n for _, n in steps)}
            stack += [(n, [*steps, (e, n)]) for e, n, _ in graph.neighbors(at) if n not in seen]




@pytest.mark.parametrize(("options", "expected"), [
    ({"max_hops": 1}, ["M:pearl opposes D:adeno"]),
    ({"max_hops": 2, "avoid_direct": True, "not_relations": ["is_a"]},
     ["M:pearl <has_morphology D:scc <differential_of D:adeno", "M:pearl supports D:scc <differential_of D:adeno"]),
    ({"max_hops": 2, "relations": ["is_a", "has_morphology"]}, ["M:pearl is_a M:kera <has_morphology D:adeno"]),
    ({"max_hops": 2, "sources": ["WHO"], "avoid_direct": True}, ["M:pearl supports D:scc <differential_of D:adeno"]),
    ({"max_hops": 2, "not_sources": ["WHO"]}, ["M:pearl is_a M:kera <has_morphology D:adeno"]),
    ({"max_hops": 3, "direction": "forward"}, ["M:pearl opposes D:adeno", "M:pearl supports D:scc differential_of D:adeno"]),
    ({"max_hops": 3, "direction": "backward"}, ["M:pearl <has_morphology D:scc <differential_of D:adeno"]),
    ({"max_hops": 3, "node_types": ["morphology"]},
     ["M:pearl is_a M:kera <has_morphology D:adeno", "M:pearl opposes D:adeno"]),
    ({"max_hops": 2, "avoid_nodes": ["squamous cell carcinoma"], "avoid_direct": True},
     ["M:pearl is_a M:kera <has_morphology D:adeno"]),
    ({"max_hops": 3, "polarity": "absent"}, ["M:pearl opposes D:adeno"]),
    ({"max_hops": 2, "polarity": "present"},
     ["M:pearl <has_morphology D:scc <differential_of D:adeno", "M:pearl supports D:scc <differential_of D:adeno"]),
    ({"max_hops": 3, "max_degree": 2, "avoid_direct": True}, ["M:pearl is_a M:kera <has_morphology D:adeno"]),
    ({"pattern": "morphology -supports-> disease -differential_of- disease"},
     ["M:pearl supports D:scc <differential_of D:adeno"]),
    ({"pattern": "morphology -opposes|supports-> disease"}, ["M:pearl opposes D:adeno"]),
    ({"pattern": "* -supports-> * -is_a-> D:ca <-is_a- disease"}, ["M:pearl supports D:scc is_a D:ca <is_a D:adeno"]),
    ({"pattern": "morphology -is_a*-> morphology <-has_morphology- disease"}, ["M:pearl is_a M:kera <has_morphology D:adeno"]),
    ({"pattern": "morphology -!supports{2}- disease", "not_relations": ["differential_of"]},
     ["M:pearl is_a M:kera <has_morphology D:adeno"]),
])
def test_constraints(graph: KnowledgeGraph, options: dict[str, Any], expected: list[str]) -> None:
    result = find_paths(graph, "keratin pearl", "adenocarcinoma", k=None, mode="all_simple", **options)
    got = [r.replace("<differential_of", "differential_of") for r in routes(result)]
    assert got == sorted(r.replace("<differential_of", "differential_of") for r in expected)
    assert result.total == len(expected)
    assert not result.truncated


def test_direction_of_an_undirected_edge_is_as_stored(graph: KnowledgeGraph) -> None:
    path = find_paths(graph, "D:scc", "D:adeno", relations=["differential_of"])[0]
    assert path.edges[0].direction == "backward"
    assert graph.edge(path.edges[0].id).undirected


@pytest.mark.parametrize(("start", "target", "options", "reason", "words"), [
    ("keratin perl", "D:scc", {}, "unknown_entity", "did you mean"),
    ("D:scc", "NOPE:1", {}, "unknown_entity", "NOPE:1"),
    ([], "D:scc", {}, "unknown_entity", "empty"),
    ("D:scc", "D:scc", {}, "filtered", "same node"),
    ("D:scc", "squamous cell carcinoma", {}, "filtered", "same node"),
    ("M:pearl", "X:alone", {}, "no_path_within_max_hops", "not joined"),
    ("M:pearl", "D:scc", {"max_hops": 0}, "no_path_within_max_hops", "0 hops"),
    ("M:mucin", "M:kera", {"max_hops": 1}, "no_path_within_max_hops", "1 hops"),
    ("M:pearl", "D:ca", {"relations": ["supports"]}, "filtered", "constraints"),
    ("M:pearl", "D:scc", {"avoid_nodes": ["D:scc"]}, "filtered", "avoid_nodes"),
    ("M:pearl", "D:scc", {"pattern": "gene/protein -*-> disease"}, "filtered", "pattern"),
    ("M:pearl", "D:scc", {"relations": ["supports"], "polarity": "-"}, "filtered", "constraints"),
])
def test_empty_results_say_why(graph: KnowledgeGraph, start: Any, target: str, options: dict[str, Any], reason: str,
                               words: str) -> None:
    result = find_paths(graph, start, target, **options)
    assert (result.paths, result.reason, result.truncated) == ((), reason, False)
    assert words in result.detail


@pytest.mark.parametrize(("options", "words"), [
    ({"node_types": ["diseas"]}, "did you mean 'disease'"), ({"relations": ["suports"]}, "did you mean 'supports'"),
    ({"sources": ["who"]}, "source 'who'"), ({"relations": []}, "empty"), ({"relations": "supports"}, "one string"),
    ({"relations": ["is_a"], "not_relations": ["is_a"]}, "both allowed and forbidden"), ({"direction": "up"}, "direction"),
    ({"max_hops": -1}, "max_hops"), ({"k": 0}, "k is 0"), ({"limit": 0}, "limit"), ({"max_degree": 0}, "max_degree"),
    ({"mode": "k_shortes"}, "did you mean 'k_shortest'"), ({"max_hop": 3}, "did you mean 'max_hops'|no option"),
    ({"select": "some"}, "select"), ({"time_limit": float("nan")}, "time_limit"), ({"max_hops": "2"}, "max_hops"),
    ({"k": True}, "k is True"), ({"max_hops": 2.5}, "whole number"), ({"polarity": "maybe"}, "polarity"), ({"avoid_edges": [10**6]}, "avoid_edges"),
    ({"pattern": "morphology supports disease"}, "position 12"), ({"pattern": ""}, "at the end"),
    ({"pattern": "morphology -supports-> "}, "expected a node"), ({"pattern": "morphology"}, "an edge after the node"),
    ({"pattern": "morphology <-supports-> disease"}, "one arrow head"), ({"pattern": "morphology -is_a{3,1}-> disease"}, "count"),
    ({"pattern": "morpholgy -supports-> disease"}, "did you mean 'morphology'"),
    ({"pattern": "morphology -supports-> D:none"}, "D:none"),
    ({"weights": {"lenght": 1}}, "did you mean 'length'"), ({"weights": {"hub": -1}}, "hub"),
])
def test_what_cannot_be_meant_is_an_error(graph: KnowledgeGraph, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        find_paths(graph, "M:pearl", "D:scc", **options)
    assert any(w in str(error.value) for w in words.split("|"))


@pytest.mark.parametrize(("a", "b"), [("", ""), ("  ", "D:scc"), ("M:pearl", ""), (["M:pearl", ""], "D:scc")])
def test_an_empty_name_is_an_error(graph: KnowledgeGraph, a: Any, b: Any) -> None:
    with pytest.raises(InputError, match="empty"):
        find_paths(graph, a, b)
    with pytest.raises(InputError, match="empty"):
        list(PathFinder(graph).find_many([(a, b)]))


def test_unknown_node_to_avoid(graph: KnowledgeGraph) -> None:
    with pytest.raises(UnknownEntityError):
        find_paths(graph, "M:pearl", "D:scc", avoid_nodes=["nobody"])


def test_huge_max_hops_is_no_problem(graph: KnowledgeGraph) -> None:
    result = find_paths(graph, "M:mucin", "M:kera", k=None, max_hops=10**9, mode="all_simple")
    expected = list(brute_force(graph, "M:mucin", "M:kera", 9))
    assert result.total == len(result) == len(expected)


@pytest.mark.parametrize(("start", "target"), [("M:mucin", "M:pearl"), ("G:tp53", "M:kera"), ("M:mucin", "G:tp53")])
def test_all_simple_paths_equal_brute_force(graph: KnowledgeGraph, start: str, target: str) -> None:
    for hops in range(1, 6):
        found = find_paths(graph, start, target, k=None, max_hops=hops, mode="all_simple")
        expected = sorted(tuple(e for e, _ in steps) for steps in brute_force(graph, start, target, hops))
        assert sorted(tuple(e.id for e in p.edges) for p in found) == expected


def test_the_score_is_the_sum_of_its_parts_and_orders_the_paths(graph: KnowledgeGraph) -> None:
    result = find_paths(graph, "M:mucin", "M:kera", k=None, max_hops=5, mode="all_simple")
    assert len(result) > 5
    for path in result:
        assert set(path.parts) == {"length", "hubs", "relations", "types", "sources", "coherence"}
        assert path.score == pytest.approx(sum(path.parts.values()), abs=1e-9)
        assert path.parts["length"] == -len(path.edges)
        assert len(path.nodes) == len(path.edges) + 1
    scores = [p.score for p in result]
    assert scores == sorted(scores, reverse=True)


def test_parts_follow_the_formula(graph: KnowledgeGraph) -> None:
    weights = Weights(length=2, hub=0, relation=1, type=1, source=1, relation_informativeness={"supports": 0.25},
                      type_plausibility={"disease": 0.9}, source_reliability={"WHO": 0.75})
    path = find_paths(graph, "M:pearl", "D:adeno", weights=weights, avoid_direct=True, sources=["WHO"])[0]
    assert [e.relation for e in path.edges] == ["supports", "differential_of"]
    assert path.parts["length"] == -4
    assert path.parts["types"] == pytest.approx(-0.1)
    assert path.parts["sources"] == pytest.approx(-0.5)
    assert path.parts["hubs"] == 0


def test_a_hub_costs(graph: KnowledgeGraph) -> None:
    few = find_paths(graph, "M:pearl", "D:adeno", relations=["is_a", "has_morphology"], max_hops=2)[0]
    many = find_paths(graph, "M:pearl", "D:adeno", relations=["supports", "differential_of"], max_hops=2)[0]
    assert many.parts["hubs"] < few.parts["hubs"] < 0


def test_coherence_prefers_what_other_findings_share(graph: KnowledgeGraph) -> None:
    alone = find_paths(graph, "M:mucin", "D:ca", max_hops=2)[0]
    together = find_paths(graph, "M:mucin", "D:ca", max_hops=2, case=["M:pearl"])[0]
    assert alone.parts["coherence"] == 0
    assert together.parts["coherence"] == pytest.approx(0.6)  # the pearl is joined to adenocarcinoma, not to carcinoma


def test_modes(graph: KnowledgeGraph) -> None:
    shortest = find_paths(graph, "M:pearl", "D:scc", mode="shortest")
    assert (len(shortest), shortest.total) == (1, 2)
    every = find_paths(graph, "M:pearl", "D:scc", mode="all_shortest", k=None)
    assert (len(every), every.total) == (2, 2)
    few = find_paths(graph, "M:pearl", "D:scc", mode="k_shortest", k=3)
    assert [p.length for p in few] == [1, 1, 2]


def test_sets_cover_the_findings_and_tell_the_unknown(graph: KnowledgeGraph) -> None:
    result = find_paths(graph, ["M:pearl", "M:mucin", "nonsense"], ["D:scc", "D:adeno"], k=2)
    assert {p.nodes[0].id for p in result} == {"M:pearl", "M:mucin"}
    assert "nonsense" in result.detail
    best = find_paths(graph, ["M:pearl", "M:mucin"], ["D:scc", "D:adeno"], k=3, select="best")
    assert [p.score for p in best] == sorted([p.score for p in best], reverse=True)


def test_diverse_paths_differ_in_their_argument(graph: KnowledgeGraph) -> None:
    kinds = [{tuple(e.relation for e in p.edges) for p in find_paths(graph, "G:tp53", "M:kera", k=4, max_hops=5, select=s,
                                                                   mode="all_simple")} for s in ("best", "diverse")]
    assert len(kinds[1]) >= len(kinds[0])


@pytest.mark.parametrize("options", [{"limit": 3}, {"max_expansions": 5}, {"time_limit": 0}])
def test_budgets_truncate(graph: KnowledgeGraph, options: dict[str, Any]) -> None:
    full = find_paths(graph, "M:mucin", "M:kera", k=None, max_hops=6, mode="all_simple")
    cut = find_paths(graph, "M:mucin", "M:kera", k=None, max_hops=6, mode="all_simple", **options)
    assert cut.truncated
    assert len(cut) < len(full)
    assert cut.total is None
    assert set(routes(cut)) <= set(routes(full))


@pytest.mark.parametrize("engine", ["numpy", *(["numba"] if compiled_available() else [])])
@pytest.mark.parametrize("mode", ["all_simple", "k_shortest"])
def test_a_time_limit_holds_where_most_steps_lead_nowhere(tmp_path: FilePath, engine: str, mode: Any) -> None:
    # a complete graph: from a path's last inner node hardly any entry leads to the target in the steps that are left
    n = 220
    tables = make_tables(nodes=[{"id": f"N:{i:03}", "name": f"node {i}", "type": "disease"} for i in range(n)],
                         edges=[{"subject": f"N:{i:03}", "relation": "is_a", "object": f"N:{j:03}", "source": "x"}
                                for i in range(n) for j in range(i) if i != n - 1 or j == 0])
    finder = PathFinder(KnowledgeGraph.open(write_store(tmp_path / "dense", tables)), engine=engine)

    def ask(**budget: Any) -> Any:
        return finder.find("N:001", f"N:{n - 1:03}", k=200, max_hops=6, mode=mode, **budget)

    ask(max_expansions=100)  # compiles every kernel: a time limit here could end before the last one is reached
    began = time.monotonic()
    result = ask(time_limit=0.3)
    assert time.monotonic() - began < 5
    assert result.truncated == (mode == "all_simple")


def test_the_core_answers_the_same_twice_and_on_both_engines() -> None:
    graph = pathkg.load()
    pairs = [("keratin pearl", "squamous cell carcinoma"), ("clear cytoplasm", "clear cell renal cell carcinoma"),
             ("signet ring cell", "gastric carcinoma"), ("keratin pearl", "clear cell renal cell carcinoma"),
             ("nobody", "x"), ("melanoma", "melanoma")]
    plain = PathFinder(graph, engine="numpy")
    first = [plain.find(a, b).to_dict() for a, b in pairs]
    assert first == [PathFinder(graph, engine="numpy").find(a, b).to_dict() for a, b in pairs]
    assert first == [r.to_dict() for r in plain.find_many(pairs)]
    if compiled_available():
        fast = PathFinder(graph, engine="numba")
        assert fast.engine == "numba"
        assert plain.engine == "numpy"
        assert first == [fast.find(a, b).to_dict() for a, b in pairs]
        assert first == [r.to_dict() for r in fast.find_many(pairs, workers=2)]


def test_batches_equal_single_queries(graph: KnowledgeGraph) -> None:
    names = list(NODES)
    pairs = list(itertools.product(names, names))
    engines = ["numpy", *(["numba"] if compiled_available() else [])]
    for engine, mode, options in itertools.product(engines, ("k_shortest", "shortest", "all_shortest"),
                                                   ({}, {"not_node_types": ["anatomy"]}, {"avoid_direct": True})):
        finder = PathFinder(graph, engine=engine)
        batch = finder.find_many(pairs, mode=mode, k=3, max_hops=4, **options)  # type: ignore[arg-type]
        for (a, b), result in zip(pairs, batch, strict=True):
            assert result == finder.find(a, b, mode=mode, k=3, max_hops=4, **options)  # type: ignore[arg-type]


def test_without_numba(graph: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathkg.paths.finder.compiled_available", lambda: False)
    finder = PathFinder(graph)
    assert len(finder.find_many([("M:pearl", "D:scc")] * 1_500)) == 1_500
    assert finder.engine == "numpy"
    with pytest.raises(MissingExtraError, match="fast"):
        PathFinder(graph, engine="numba")


def test_auto_changes_over_for_a_large_batch(graph: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled_available():
        pytest.skip("needs numba")
    monkeypatch.setattr("pathkg.paths.finder.machine_code_kept", lambda: True)
    finder = PathFinder(graph)
    pairs = [("M:pearl", "D:scc"), ("M:mucin", "M:kera")] * 600
    few, many = finder.find_many(pairs[:2]), finder.find_many(pairs)
    assert finder.engine == "numba"
    assert list(many[:2]) == list(few)


def test_distances(graph: KnowledgeGraph) -> None:
    pairs = [("M:pearl", "D:scc"), ("M:mucin", "M:kera"), ("M:pearl", "X:alone"), ("D:ca", "D:ca")]
    for engine in ["numpy", *(["numba"] if compiled_available() else [])]:
        table = PathFinder(graph, engine=engine).distances(pairs)
        assert table.distance.tolist() == [1, 2, -1, 0]
        assert table.total == (2, 1, 0, 1)


def test_all_shortest_as_arrays(graph: KnowledgeGraph) -> None:
    nodes, edges = PathFinder(graph).all_shortest("M:pearl", "D:scc")
    assert nodes.tolist() == [[graph.index("M:pearl"), graph.index("D:scc")]] * 2
    assert {graph.edge(e).relation for e in edges[:, 0].tolist()} == {"supports", "has_morphology"}
    assert edges[0, 0] < edges[1, 0]
    assert PathFinder(graph).all_shortest("M:pearl", "X:alone")[0].shape == (0, 1)


def test_one_node_graph(tmp_path: FilePath) -> None:
    graph = KnowledgeGraph.open(write_store(tmp_path / "s", make_tables(
        nodes=[{"id": "A:1", "name": "a", "type": "disease"}], edges=[])))
    assert find_paths(graph, "A:1", "A:1").reason == "filtered"


@pytest.mark.parametrize(("text", "edges", "longest"), [
    ("morphology -supports-> disease", 1, 1), ("*-*->*", 1, 1), ("* -**- *", 1, None), ("* -is_a?-> * -is_a{2,3}-> *", 2, 4),
    ("morphology|disease - is_a | supports -> disease", 1, 1), ('* -"supports"-> D:scc', 1, 1),
])
def test_patterns_read(graph: KnowledgeGraph, text: str, edges: int, longest: int | None) -> None:
    pattern = parse_pattern(text, graph)
    assert (len(pattern.edges), pattern.longest) == (edges, longest)


def test_any_pattern_finds_what_no_pattern_finds(graph: KnowledgeGraph) -> None:
    for start, target in (("M:mucin", "M:kera"), ("G:tp53", "M:pearl"), ("M:pearl", "D:scc")):
        options: dict[str, Any] = {"k": None, "max_hops": 4, "mode": "all_simple"}
        free = find_paths(graph, start, target, **options)
        assert find_paths(graph, start, target, pattern="* -**- *", **options).to_dict() == free.to_dict()
        exact = find_paths(graph, start, target, pattern="* -*{3}- *", **options)
        assert routes(exact) == sorted(routes([p for p in free if p.length == 3]))
