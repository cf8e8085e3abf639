"""Exports: what goes out comes back, in each format's own reader."""

import csv
import json
import re

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pathkg
from pathkg.cli import main
from pathkg.errors import InputError, StoreError
from pathkg.graph import KnowledgeGraph, convert, make_tables, write_store
from pathkg.graph.export import export
from pathkg.merge import build, merge_sources
from pathkg.sources.kgx import read_kgx, read_kgx_tables
from pathkg.sources.primekg import read_primekg
from tests.shared_data import shared

ODD = 'comma, "quote" \\ back\\tslash\ttab\nline ; | <&> é 中'


def odd_tables():
    return make_tables(
        nodes=[{"id": "MONDO:0000001", "name": ODD, "type": "disease", "definition": ODD, "sources": "a|b"},
               {"id": "PATHKG:x'y<z>", "name": "b", "type": "morphology", "sources": "a"},
               {"id": "HP:0000009", "name": "alone", "type": "effect/phenotype", "sources": "a"}],
        edges=[{"subject": "PATHKG:x'y<z>", "relation": "sup\tports", "object": "MONDO:0000001", "source": "a",
                "evidence": ODD, "negated": True},
               {"subject": "PATHKG:x'y<z>", "relation": "r", "object": "MONDO:0000001", "source": "b",
                "undirected": True}],
        synonyms=[{"id": "MONDO:0000001", "form": "S|yn;o\tnym", "kind": "related", "context": "case=upper", "source": "b"}],
        xrefs=[{"id": "MONDO:0000001", "xref": "NCIT:C1", "predicate": "skos:exactMatch", "source": "a"}])


def test_kgx_round_trip_is_exact(tmp_path):
    tables = odd_tables()
    export(tables, tmp_path / "out", "kgx")
    assert read_kgx_tables(tmp_path / "out").content_hash() == tables.content_hash()


def test_kgx_round_trip_of_the_core(tmp_path):
    graph = pathkg.load()
    export(graph.tables(), tmp_path / "out", "kgx")
    assert read_kgx_tables(tmp_path / "out").content_hash() == graph.hash


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)


@settings(max_examples=80, deadline=None)
@given(TEXT, TEXT, TEXT, st.booleans(), st.booleans())
def test_any_text_survives_kgx(tmp_path_factory, name, evidence, form, negated, undirected):
    tables = make_tables(
        nodes=[{"id": "A:1", "name": name, "type": "disease", "definition": evidence}, {"id": "A:2", "name": form, "type": "cell"}],
        edges=[{"subject": "A:1", "relation": form, "object": "A:2", "source": name, "evidence": evidence,
                "negated": negated, "undirected": undirected}],
        synonyms=[{"id": "A:2", "form": evidence, "context": name, "source": "s"}])
    folder = tmp_path_factory.mktemp("kgx") / "out"
    export(tables, folder, "kgx")
    assert read_kgx_tables(folder).content_hash() == tables.content_hash()


def test_kgx_as_a_source_of_a_merge(tmp_path):
    export(odd_tables(), tmp_path / "out", "kgx")
    tables = read_kgx(tmp_path / "out")
    assert not tables.report.dropped
    merged, _ = merge_sources([tables])
    assert merged.nodes["id"].to_pylist() == odd_tables().nodes["id"].to_pylist()
    assert sorted(merged.edges["source"].to_pylist()) == ["a", "b"]


@pytest.mark.parametrize("path", ["kg/primekg/arnold117/test_edges.csv", "kg/primekg/arnold117/mappings_nodes.csv",
                                  "kg/primekg/PrimeKG-Plus/20260529-literature_edges_novel.csv"])
def test_primekg_round_trip_of_real_rows_loses_nothing(tmp_path, path):
    first = build(tmp_path / "a", primekg=[shared(path)], core=False, lexicon=False)
    graph = KnowledgeGraph.open(first.path)
    export(graph.tables(), tmp_path / "out", "primekg")
    second = build(tmp_path / "b", primekg=[tmp_path / "out"], core=False, lexicon=False)
    assert second.graph_hash == first.graph_hash


def test_primekg_columns_and_mirrors(tmp_path):
    tables = read_primekg(shared("kg/primekg/arnold117/test_edges.csv"))
    graph_tables, _ = merge_sources([tables])
    export(graph_tables, tmp_path / "out", "primekg")
    rows = list(csv.DictReader((tmp_path / "out" / "kg.csv").open(encoding="utf-8")))
    assert len(rows) == 2 * graph_tables.edges.num_rows
    assert list(rows[0]) == ["relation", "display_relation", "x_index", "x_id", "x_type", "x_name", "x_source",
                             "y_index", "y_id", "y_type", "y_name", "y_source"]
    original = {(r["x_source"], r["x_id"], r["x_name"], r["relation"], r["display_relation"], r["y_id"])
                for r in csv.DictReader(shared("kg/primekg/arnold117/test_edges.csv").open(encoding="utf-8"))}
    assert original <= {(r["x_source"], r["x_id"], r["x_name"], r["relation"], r["display_relation"], r["y_id"])
                        for r in rows}


def test_primekg_csv_of_a_merged_graph_can_be_read(tmp_path):
    graph = pathkg.load()
    export(graph.tables(), tmp_path / "out", "primekg")
    tables = read_primekg(tmp_path / "out")
    assert set(tables.nodes["id"].to_pylist()) == set(graph.nodes_table()["id"].to_pylist())
    assert not tables.report.dropped


def test_graphml_in_networkx(tmp_path):
    tables = odd_tables()
    export(tables, tmp_path / "out", "graphml")
    graph = nx.read_graphml(tmp_path / "out" / "graph.graphml", force_multigraph=True)
    assert set(graph) == set(tables.nodes["id"].to_pylist())
    assert graph.nodes["MONDO:0000001"]["name"].replace("\r", "") == ODD
    edges = [d for _, _, d in graph.edges(data=True)]
    assert sorted(d["relation"] for d in edges) == ["r", "sup\tports"]
    assert {d["relation"]: (d["negated"], d["undirected"]) for d in edges} == {"r": (False, True), "sup\tports": (True, False)}
    assert nx.is_directed(graph)


def test_neo4j_files(tmp_path):
    tables = odd_tables()
    export(tables, tmp_path / "out", "neo4j")
    nodes = list(csv.reader((tmp_path / "out" / "nodes.csv").open(encoding="utf-8", newline="")))
    assert nodes[0] == ["id:ID", "name", "type", "definition", "synonyms:string[]", "sources:string[]", ":LABEL"]
    assert {n[0]: n[1] for n in nodes[1:]} == dict(zip(tables.nodes["id"].to_pylist(), tables.nodes["name"].to_pylist(), strict=True))
    edges = list(csv.DictReader((tmp_path / "out" / "relationships.csv").open(encoding="utf-8", newline="")))
    assert [(e[":TYPE"], e["negated:boolean"]) for e in edges] == [("r", "false"), ("sup\tports", "true")]
    assert ODD in {e["evidence"] for e in edges}


TRIPLE = re.compile(r'^<[^<>"{}|^`\\\x00-\x20]*> <[^<>"{}|^`\\\x00-\x20]*> (<[^<>"{}|^`\\\x00-\x20]*>|"([^"\\\n\r]|\\[\\"nrt])*") \.$')


def test_ntriples_are_well_formed_and_negation_is_not_asserted(tmp_path):
    export(odd_tables(), tmp_path / "out", "ntriples")
    lines = (tmp_path / "out" / "graph.nt").read_text(encoding="utf-8").split("\n")[:-1]
    assert all(TRIPLE.match(line) for line in lines), [x for x in lines if not TRIPLE.match(x)][:2]
    plain = [x for x in lines if "/relation/" in x.split(" ")[1]]
    assert len(plain) == 1  # the negated edge is only a described statement
    assert sum("/negated> \"true\"" in x for x in lines) == 1


def test_networkx_pandas_igraph():
    graph = pathkg.load()
    multi = graph.to_networkx()
    assert (multi.number_of_nodes(), multi.number_of_edges()) == (graph.n_nodes, graph.n_edges)
    edge = graph.edge(3)
    assert multi.edges[edge.subject, edge.object, 3]["relation"] == edge.relation
    nodes, edges = graph.to_pandas()
    assert (len(nodes), len(edges)) == (graph.n_nodes, graph.n_edges)
    assert edges.loc[3, "subject_id"] == edge.subject
    ig = graph.to_igraph()
    assert (ig.vcount(), ig.ecount()) == (graph.n_nodes, graph.n_edges)
    assert ig.es[3]["relation"] == edge.relation
    assert ig.vs[ig.es[3].source]["name"] == edge.subject


def test_pyg_or_a_clear_error():
    tables = odd_tables()
    try:
        import torch_geometric  # noqa: F401
    except ImportError:
        with pytest.raises(pathkg.PathkgError, match="torch_geometric"):
            convert.to_pyg(tables)
        return
    data = convert.to_pyg(tables)
    assert data["morphology", "r", "disease"].edge_index.tolist() == [[0], [0]]


def test_formats_and_places_that_do_not_work(tmp_path):
    with pytest.raises(InputError, match="did you mean 'graphml'"):
        export(odd_tables(), tmp_path / "x", "graphlm")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    with pytest.raises(StoreError, match="not empty"):
        export(odd_tables(), tmp_path / "full", "kgx")


def test_commands(tmp_path, capsys):
    store = str(write_store(tmp_path / "s", odd_tables()))
    assert main(["export", "--store", store, "--format", "graphml", "--out", str(tmp_path / "g"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["edges"] == 2
    assert main(["export", "--store", store, "--format", "kgx", "--out", str(tmp_path / "k"), "--around", "b",
                 "--hops", "0"]) == 0
    assert "1 nodes, 0 edges" in capsys.readouterr().out
    assert main(["node", "--store", store, "HP:0000009", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["degree"] == 0
    assert main(["node", "--store", store, "al", "--search"]) == 0
    assert "HP:0000009" in capsys.readouterr().out
    assert main(["node", "--store", store, "alon"]) == 2
    assert "did you mean 'alone'" in capsys.readouterr().err
    assert main(["node", "--store", store, "b"]) == 0
    assert "NOT" in capsys.readouterr().out
    assert main(["info", "--store", store, "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["counts"]["edges"] == 2
    assert info["hash"].startswith("sha256:")
