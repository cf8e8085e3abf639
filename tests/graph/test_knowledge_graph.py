"""KnowledgeGraph against a brute-force reading of the same tables."""

import pickle
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pathkg
from pathkg.errors import InputError, StoreError, UnknownEntityError
from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.graph import adjacency as adjacency_module

NODES = [{"id": i, "name": n, "type": t} for i, n, t in (
    ("MONDO:1", "Root", "disease"), ("MONDO:2", "Carcinoma", "disease"), ("MONDO:3", "Lung carcinoma", "disease"),
    ("HP:1", "carcinoma", "effect/phenotype"), ("PATHKG:k", "keratin pearl", "morphology"))]
EDGES = [
    {"subject": "MONDO:2", "relation": "is_a", "object": "MONDO:1", "source": "a"},
    {"subject": "MONDO:3", "relation": "is_a", "object": "MONDO:2", "source": "a"},
    {"subject": "PATHKG:k", "relation": "supports", "object": "MONDO:3", "source": "a", "evidence": "p. 1"},
    {"subject": "PATHKG:k", "relation": "supports", "object": "MONDO:3", "source": "b"},  # parallel
    {"subject": "MONDO:3", "relation": "disease_phenotype_positive", "object": "HP:1", "source": "a",
     "display_relation": "phenotype present", "undirected": True},
    {"subject": "MONDO:2", "relation": "linked", "object": "MONDO:2", "source": "a"},  # loop
    {"subject": "PATHKG:k", "relation": "is_a", "object": "MONDO:1", "source": "a", "negated": True},
]
FORMS = [{"id": "MONDO:3", "form": "Pulmonary carcinoma", "source": "a"},
         {"id": "MONDO:3", "form": "LC", "kind": "abbreviation", "context": "case=upper", "source": "a"}]
XREFS = [{"id": "MONDO:3", "xref": "NCIT:C1", "source": "a"}]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    tables = make_tables(nodes=NODES, edges=EDGES, synonyms=FORMS, xrefs=XREFS)
    return KnowledgeGraph.open(write_store(tmp_path_factory.mktemp("g") / "store", tables))


# -- look-ups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "curie"), [
    ("MONDO:3", "MONDO:3"), (" MONDO:3 ", "MONDO:3"), ("NCIT:C1", "MONDO:3"), ("lung CARCINOMA", "MONDO:3"),
    ("pulmonary carcinoma", "MONDO:3"), ("LC", "MONDO:3"), ("keratin pearl", "PATHKG:k")])
def test_resolve(graph, text, curie):
    assert graph.resolve(text) == curie


@pytest.mark.parametrize(("text", "hint"), [
    ("MONDO:33", "did you mean 'MONDO:3'"), ("lung carcinomaa", "did you mean 'lung carcinoma'"),
    ("zzz", "pathkg node --search")])
def test_unknown_names_get_a_hint(graph, text, hint):
    with pytest.raises(UnknownEntityError, match="holds no node") as caught:
        graph.resolve(text)
    assert hint in str(caught.value)


def test_a_cross_reference_leads_to_the_node_that_declares_it_equal(tmp_path):
    tables = make_tables(nodes=NODES, edges=(), xrefs=[
        {"id": "HP:1", "xref": "NCIT:C9", "predicate": "skos:narrowMatch"},
        {"id": "MONDO:1", "xref": "NCIT:C9", "predicate": "oboInOwl:hasDbXref"},
        {"id": "MONDO:2", "xref": "NCIT:C9", "predicate": "skos:exactMatch"}])
    assert KnowledgeGraph.open(write_store(tmp_path / "s", tables)).resolve("NCIT:C9") == "MONDO:2"


def test_a_name_of_several_nodes_means_the_disease_first(graph):
    assert graph.resolve("carcinoma") == graph.resolve("Carcinoma") == "MONDO:2"  # HP:1 has the same name


def test_search_by_prefix(graph):
    assert [graph.curie(i) for i in graph.search("carc")] == ["MONDO:2", "HP:1"]
    assert [graph.curie(i) for i in graph.search("", limit=2)] != []
    assert graph.search("zz") == []


def test_node_and_edge_tell_everything(graph):
    node = graph.node("MONDO:3")
    assert (node.name, node.type, set(node.synonyms), node.xrefs) == (
        "Lung carcinoma", "disease", {"Pulmonary carcinoma", "LC"}, ("NCIT:C1",))
    edges = [graph.edge(i).to_dict() for i in range(graph.n_edges)]
    for want in EDGES:
        full = {"display_relation": want["relation"], "evidence": "", "negated": False, "undirected": False, **want}
        assert any(all(e[k] == v for k, v in full.items()) for e in edges), want


@pytest.mark.parametrize("bad", [-1, 7, 10**9])
def test_edges_out_of_range(graph, bad):
    with pytest.raises(UnknownEntityError):
        graph.edge(bad)


# -- neighbours, by brute force ----------------------------------------------------------------------------------


def brute(tables, index, relation, type_, direction):
    nodes, found = tables.nodes.to_pylist(), []
    for number, e in enumerate(tables.edges.to_pylist()):
        ways = []
        if e["subject"] == index:
            ways.append((e["object"], "forward"))
            if e["undirected"]:
                ways.append((e["object"], "backward"))
        if e["object"] == index:
            ways.append((e["subject"], "backward"))
            if e["undirected"]:
                ways.append((e["subject"], "forward"))
        ways = [(o, w) for o, w in ways if direction in ("any", w)]
        if not ways or (relation and e["relation"] not in relation):
            continue
        other = ways[0][0]
        if type_ and nodes[other]["type"] not in type_:
            continue
        words = {w for _, w in ways}
        found.append((number, nodes[other]["id"], "forward" if "forward" in words else "backward", other))
    return [f[:3] for f in sorted(found, key=lambda f: (f[3], f[0]))]


@pytest.mark.parametrize("direction", ["any", "forward", "backward"])
@pytest.mark.parametrize("relation", [None, "is_a", ("is_a", "supports")])
@pytest.mark.parametrize("type_", [None, "disease", ["effect/phenotype"], "no such type"])
def test_neighbors(graph, direction, relation, type_):
    for index in range(graph.n_nodes):
        wanted = {relation} if isinstance(relation, str) else relation
        types = {type_} if isinstance(type_, str) else type_
        assert graph.neighbors(graph.curie(index), relation, type_, direction) == brute(
            graph.tables(), index, wanted, types, direction)


def test_a_direction_that_does_not_exist(graph):
    with pytest.raises(InputError, match="any, forward or backward"):
        graph.neighbors("MONDO:1", direction="up")


def test_hierarchy(graph):
    assert graph.ancestors("MONDO:3") == {"MONDO:2": 1, "MONDO:1": 2}
    assert graph.descendants("MONDO:1") == {"MONDO:2": 1, "MONDO:3": 2}  # not over the negated edge
    assert graph.ancestors("PATHKG:k") == {}
    assert graph.ancestors("PATHKG:k", ("supports", "is_a")) == {"MONDO:3": 1, "MONDO:2": 2, "MONDO:1": 3}
    assert graph.ancestors("HP:1", ("disease_phenotype_positive",)) == {"MONDO:3": 1}  # undirected


def test_degree_counts_and_subgraph(graph):
    assert graph.degree("MONDO:3") == 4
    assert graph.counts()["node_types"] == {"disease": 3, "effect/phenotype": 1, "morphology": 1}
    assert graph.counts()["sources"] == {"a": 6, "b": 1}
    part = graph.subgraph(["MONDO:3", "PATHKG:k"])
    assert part.nodes["id"].to_pylist() == ["MONDO:3", "PATHKG:k"]
    assert part.edges.num_rows == 2
    assert set(part.synonyms["form"].to_pylist()) == {"Lung carcinoma", "Pulmonary carcinoma", "LC", "keratin pearl"}
    assert graph.subgraph(["HP:1"], hops=1).nodes.num_rows == 2
    assert graph.subgraph(["HP:1"], hops=9).edges.num_rows == graph.n_edges


@st.composite
def random_tables(draw):
    n = draw(st.integers(1, 6))
    types = draw(st.lists(st.sampled_from(["disease", "morphology"]), min_size=n, max_size=n))
    nodes = [{"id": f"X:{i}", "name": draw(st.text(max_size=5)) or "n", "type": t} for i, t in enumerate(types)]
    at = st.integers(0, n - 1)
    edges = draw(st.lists(st.builds(
        lambda s, r, o, u, g: {"subject": f"X:{s}", "relation": r, "object": f"X:{o}", "source": "s", "undirected": u,
                               "negated": g},
        at, st.sampled_from(["is_a", "r"]), at, st.booleans(), st.booleans()), max_size=12))
    return make_tables(nodes=nodes, edges=edges)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=random_tables(), wide=st.booleans())
def test_any_store_reads_back_as_written(tmp_path_factory, tables, wide):
    bits = adjacency_module._KEY_BITS
    adjacency_module._KEY_BITS = 0 if wide else bits  # also the way for graphs too large for packed keys
    try:
        graph = KnowledgeGraph.open(write_store(tmp_path_factory.mktemp("h") / "store", tables))
    finally:
        adjacency_module._KEY_BITS = bits
    assert graph.tables().content_hash() == tables.content_hash() == graph.hash
    for index in range(graph.n_nodes):
        for direction in ("any", "forward", "backward"):
            assert graph.neighbors(f"X:{index}", direction=direction) == brute(tables, index, None, None, direction)
        reach, level = {}, {index}
        rows = tables.edges.to_pylist()
        for depth in range(1, graph.n_nodes + 1):
            level = {o for e in rows if e["relation"] == "is_a" and not e["negated"]
                     for s, o in [(e["subject"], e["object"])] + [(e["object"], e["subject"])] * e["undirected"]
                     if s in level} - {index} - set(reach)
            reach.update(dict.fromkeys(level, depth))
        assert graph.ancestors(f"X:{index}") == {f"X:{i}": d for i, d in reach.items()}


# -- sharing, and stores that are not whole ----------------------------------------------------------------------


def test_pickle_holds_the_path_and_checks_the_hash(graph, tmp_path):
    blob = pickle.dumps(graph)
    assert len(blob) < 1000
    assert pickle.loads(blob).hash == graph.hash
    tables = make_tables(nodes=NODES, edges=EDGES[:2])
    other = KnowledgeGraph.open(write_store(tmp_path / "s", tables))
    blob = pickle.dumps(other)
    write_store(tmp_path / "s", make_tables(nodes=NODES, edges=EDGES[:1]))
    with pytest.raises(StoreError, match="has changed"):
        pickle.loads(blob)


def test_many_threads_at_once(graph):
    fresh = KnowledgeGraph.open(graph.path)
    results, errors = [], []

    def go():
        try:
            results.append([(fresh.neighbors(c["id"]), fresh.ancestors(c["id"]), fresh.node(c["id"])) for c in NODES])
        except Exception as error:  # noqa: BLE001 - the test reports whatever it is
            errors.append(error)

    threads = [threading.Thread(target=go) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(r == results[0] for r in results)


@pytest.mark.parametrize(("damage", "message"), [
    (lambda s: (s / "manifest.json").unlink(), "manifest.json is missing"),
    (lambda s: (s / "manifest.json").write_text("{"), "missing or broken"),
    (lambda s: (s / "manifest.json").write_text('{"format_version": 999}'), "store format 999"),
    (lambda s: (s / "adjacency" / "neighbor.npy").unlink(), "adjacency is broken"),
    (lambda s: (s / "adjacency" / "neighbor.npy").write_bytes(b""), "adjacency is broken"),
    (lambda s: (s / "index" / "nodes.arrow").write_bytes(b"x" * 20), r"nodes.arrow is broken"),
])
def test_damaged_stores_say_so(tmp_path, damage, message):
    store = write_store(tmp_path / "s", make_tables(nodes=NODES, edges=EDGES))
    damage(store)
    with pytest.raises(StoreError, match=message):
        KnowledgeGraph.open(store).neighbors("MONDO:1")


def test_no_store_there(tmp_path):
    with pytest.raises(StoreError, match="there is no graph store"):
        KnowledgeGraph.open(tmp_path / "nowhere")


# -- the bundled core ----------------------------------------------------------------------------------------------


def test_core_adjacency_is_consistent():
    graph = pathkg.load()
    arrays = graph.arrays
    counts = np.bincount(arrays.edge_subject, minlength=graph.n_nodes) + np.bincount(
        arrays.edge_object, minlength=graph.n_nodes)
    loops = arrays.edge_subject == arrays.edge_object
    counts -= np.bincount(arrays.edge_subject[loops], minlength=graph.n_nodes)
    assert np.array_equal(np.diff(arrays.indptr), counts)
    assert graph.tables().content_hash() == graph.hash
    assert sum(graph.counts()["relations"].values()) == graph.n_edges
