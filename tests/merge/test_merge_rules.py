"""Which nodes become one, which are only mapped, and that nothing is lost on the way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathkg.merge import merge_sources, summary
from pathkg.merge.names import normal_name
from pathkg.sources.tables import (
    ALTERNATIVE_ID,
    DBXREF,
    EXACT,
    NARROW,
    SourceBuilder,
    SourceRecord,
)


def source(name, nodes=(), *, edges=(), forms=(), xrefs=(), mappings=()):
    builder = SourceBuilder(name)
    for node in nodes:
        builder.node(*node)
    for edge in edges:
        builder.edge(*edge)
    for form in forms:
        builder.form(*form)
    for xref in xrefs:
        builder.xref(*xref)
    for mapping in mappings:
        builder.mapping(*mapping)
    return builder.finish(SourceRecord(name))


def ids(tables):
    return tables.nodes["id"].to_pylist()


def decisions(tables):
    return {(m["subject_id"], m["object_id"]): m["comment"] for m in tables.mappings}


D, P = "disease", "effect/phenotype"
MONDO = source("MONDO", [("MONDO:0000001", "lung cancer", D), ("MONDO:0000002", "Barrett's oesophagus", D)],
               forms=[("MONDO:0000001", "cancer of lung")])


def test_equal_ids_are_one_node_and_the_first_source_names_it():
    other = source("PrimeKG", [("MONDO:0000001", "lung cancer (disease)", D)])
    tables, report = merge_sources([MONDO, other])
    assert ids(tables) == ["MONDO:0000001", "MONDO:0000002"]
    assert tables.nodes["name"].to_pylist()[0] == "lung cancer"
    assert tables.nodes["sources"].to_pylist()[0] == "MONDO|PrimeKG"
    forms = {(f["node"], f["form"]): f["kind"] for f in tables.synonyms.to_pylist()}
    assert forms[0, "lung cancer"] == "name"
    assert forms[0, "lung cancer (disease)"] == "exact"
    assert report["sources"][1]["nodes"]["same id in another source"] == 1


@pytest.mark.parametrize(("given_", "merges"), [
    (("NCIT:C1", "Lung Cancer", D), True),  # equal name
    (("NCIT:C1", "Barrett esophagus", D), True),  # spelling and possessive
    (("NCIT:C1", "Cancer of Lung", D), True),  # name equals a synonym
    (("NCIT:C1", "Lung Cancer", P), False),  # another type
    (("MONDO:0000009", "Lung Cancer", D), False),  # the same authority keeps them apart
    (("NCIT:C1", "lung cancers", D), False),
])
def test_names(given_, merges):
    tables, report = merge_sources([MONDO, source("other", [given_])])
    assert (len(ids(tables)) == 2) is merges
    if merges:
        assert "NCIT:C1" in tables.xrefs["xref"].to_pylist()
        (row,) = tables.mappings
        assert row["predicate_id"] == EXACT
        assert row["comment"].startswith("merged")
        assert float(row["confidence"]) < 1
    assert report["result"]["nodes"] == len(ids(tables))


def test_names_can_be_switched_off():
    tables, _ = merge_sources([MONDO, source("other", [("NCIT:C1", "Lung Cancer", D)])], names=False)
    assert len(ids(tables)) == 3


def test_disease_and_phenotype_of_one_name_stay_two_nodes_with_a_mapping():
    hpo = source("HPO", [("HP:0000001", "Lung cancer", P)])
    tables, _ = merge_sources([MONDO, hpo])
    assert len(ids(tables)) == 3
    assert decisions(tables) == {("MONDO:0000001", "HP:0000001"): "mapped only: equal name; types differ"}
    assert tables.mappings[0]["predicate_id"] == "skos:relatedMatch"


def test_a_declared_exact_mapping_merges_and_carries_edges_over():
    patho = source("PathoGraph", [("NCIT:C7", "NSCLC thing", D), ("HISTO:1", "keratin", "morphology")],
                   edges=[("NCIT:C7", "has_Morphologic_Evidence", "HISTO:1")])
    sssom = source("sssom", mappings=[("MONDO:0000001", EXACT, "NCIT:C7")])
    tables, _ = merge_sources([MONDO, sssom, patho])
    (edge,) = tables.edges.to_pylist()
    assert ids(tables)[edge["subject"]] == "MONDO:0000001"
    assert edge["source"] == "PathoGraph"
    assert decisions(tables) == {("MONDO:0000001", "NCIT:C7"): "merged: exact mapping of sssom"}


def test_a_shared_cross_reference_merges_one_to_one_only():
    onco = source("OncoTree", [("ONCOTREE:X", "Pulmonary Ca", D)], xrefs=[("ONCOTREE:X", "UMLS:C1", DBXREF)])
    mondo = source("MONDO", [("MONDO:0000001", "lung cancer", D)], xrefs=[("MONDO:0000001", "UMLS:C1", DBXREF)])
    third = source("other", [("DOID:1", "third", D)], xrefs=[("DOID:1", "UMLS:C1", DBXREF)])
    assert ids(merge_sources([mondo, onco])[0]) == ["MONDO:0000001"]
    tables, report = merge_sources([mondo, onco, third])
    assert len(ids(tables)) == 3
    assert report["rules"]["ambiguous cross-reference, left apart"] == 1


def test_a_reference_that_is_only_declared_close_is_not_merged():
    sssom = source("sssom", mappings=[("MONDO:0000001", "skos:closeMatch", "NCIT:C7")])
    tables, _ = merge_sources([MONDO, sssom, source("x", [("NCIT:C7", "something else", D)])])
    assert decisions(tables) == {("MONDO:0000001", "NCIT:C7"): "mapped only: skos:closeMatch of sssom"}


def test_alternative_ids_unite_old_and_new():
    go = source("GO", [("GO:0000003", "reproduction", "biological_process")],
                xrefs=[("GO:0000003", "GO:0019952", ALTERNATIVE_ID)])
    old = source("PrimeKG", [("GO:0019952", "reproduction (old)", "biological_process")])
    assert ids(merge_sources([go, old])[0]) == ["GO:0000003"]
    newer = source("GO", [("GO:0000009", "x", "biological_process")], xrefs=[("GO:0000009", "GO:0000001", ALTERNATIVE_ID)])
    # the id in force leads, not the lower number
    assert ids(merge_sources([newer, source("old", [("GO:0000001", "x", "biological_process")])])[0]) == ["GO:0000009"]


def test_gene_symbols_of_the_core_find_the_gene():
    core = source("core", [("HGNC:AR", "AR", "gene/protein")])
    hgnc = source("HGNC", [("HGNC:644", "AR", "gene/protein")], xrefs=[("HGNC:644", "NCBIGene:367", EXACT)])
    primekg = source("PrimeKG", [("NCBIGene:367", "AR", "gene/protein")])
    tables, _ = merge_sources([core, hgnc, primekg])
    assert ids(tables) == ["NCBIGene:367"]
    assert {"HGNC:644", "HGNC:AR"} <= set(tables.xrefs["xref"].to_pylist())
    # a two-letter symbol alone never merges by name
    assert len(ids(merge_sources([source("core", [("PATHKG:ar", "AR", "gene/protein")]), primekg])[0])) == 2


def test_a_group_does_not_swallow_the_member_it_is_named_after():
    group = source("PrimeKG", [("MONDO_grouped:1_2", "lung cancer", D)],
                   xrefs=[("MONDO_grouped:1_2", "MONDO:0000001", NARROW), ("MONDO_grouped:1_2", "MONDO:0000002", NARROW)])
    tables, _ = merge_sources([MONDO, group])
    assert len(ids(tables)) == 3
    edges = {(ids(tables)[e["subject"]], e["relation"], ids(tables)[e["object"]]) for e in tables.edges.to_pylist()}
    assert edges == {(f"MONDO:000000{i}", "member_of_group", "MONDO_grouped:1_2") for i in (1, 2)}


def test_an_edge_to_a_node_that_nobody_names_is_counted_with_examples():
    tables, report = merge_sources([source("MONDO", [("MONDO:0000001", "a", D)],
                                           edges=[("MONDO:0000001", "is_a", "MONDO:0000099")])])
    assert tables.edges.num_rows == 0
    assert report["sources"][0]["edges"]["edges to an unknown node"] == 1
    assert report["examples"][0]["examples"] == ["MONDO:0000099 (1 edges)"]
    assert "MONDO:0000099" in summary(report)


def test_an_edge_may_point_to_a_node_of_a_later_source():
    first = source("own", [("MINE:1", "m", "morphology")], edges=[("MINE:1", "supports", "MONDO:0000001")])
    assert merge_sources([first, MONDO])[0].edges.num_rows == 1


def test_edges_of_two_sources_stay_parallel_and_repeats_of_one_source_are_counted():
    edge = ("MONDO:0000001", "is_a", "MONDO:0000002")
    a = source("A", [("MONDO:0000001", "a", D), ("MONDO:0000002", "b", D)], edges=[edge])
    tables, report = merge_sources([a, source("B", edges=[edge]), a])
    assert sorted(tables.edges["source"].to_pylist()) == ["A", "B"]
    assert report["sources"][2]["edges"]["edges that repeat another"] == 1


def test_undirected_repeats_are_found_in_either_direction():
    nodes = [("MONDO:0000001", "a", D), ("MONDO:0000002", "b", D)]
    builders = []
    for ends in (("MONDO:0000001", "MONDO:0000002"), ("MONDO:0000002", "MONDO:0000001")):
        builder = SourceBuilder("PrimeKG")
        for node in nodes:
            builder.node(*node)
        builder.edge(ends[0], "disease_disease", ends[1], undirected=True)
        builders.append(builder.finish(SourceRecord("PrimeKG")))
    assert merge_sources(builders)[0].edges.num_rows == 1


def test_type_conflicts_are_reported():
    _, report = merge_sources([source("A", [("X:1", "a", D)]), source("B", [("X:1", "a", P)])])
    assert report["type conflicts"]["count"] == 1


def test_fuzzy_names_are_only_proposed():
    a = source("A", [("MONDO:0000001", "adenoid cystic carcinoma of lung", D)])
    b = source("B", [("ONCOTREE:ACCL", "adenoid cystic carcinoma of lungs", D)])
    tables, _ = merge_sources([a, b], fuzzy=True)
    assert len(ids(tables)) == 2
    assert decisions(tables) == {("MONDO:0000001", "ONCOTREE:ACCL"): "proposed: near-equal name"}
    assert merge_sources([a, b])[0].mappings == ()


@pytest.mark.parametrize(("a", "b", "same"), [
    ("Tumour of the oesophagus", "tumor of the esophagus", True), ("CD4+ T-cell", "CD4 T cell", False),
    ("grade 1", "grade 2", False), ("Sjögren syndrome", "Sjogren syndrome", True), ("HPV 16", "HPV-16", True),
    ("Haemorrhage", "hemorrhage", True), ("α-thalassemia", "β-thalassemia", False)])
def test_normal_names(a, b, same):
    assert (normal_name(a) == normal_name(b)) is same


# -- properties ------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["lung cancer", "Lung Cancer", "renal cancer", "keratin", "x", "a\tb", "é", "naïve \"q\""])
TYPES = st.sampled_from([D, P, "morphology"])
CURIES = st.builds("{}:{}".format, st.sampled_from(["MONDO", "HP", "NCIT", "PATHKG"]), st.integers(1, 6))


@st.composite
def sources(draw, name):
    nodes = draw(st.lists(st.tuples(CURIES, NAMES, TYPES), max_size=8))
    edges = draw(st.lists(st.tuples(CURIES, st.sampled_from(["is_a", "supports"]), CURIES), max_size=8))
    xrefs = draw(st.lists(st.tuples(CURIES, CURIES, st.sampled_from([EXACT, DBXREF, NARROW])), max_size=4))
    forms = draw(st.lists(st.tuples(CURIES, NAMES), max_size=4))
    return source(name, nodes, edges=edges, forms=forms, xrefs=xrefs)


@settings(max_examples=150, deadline=None)
@given(sources("A"), sources("B"), sources("C"))
def test_merging_loses_nothing(a, b, c):
    given_ = [a, b, c]
    tables, report = merge_sources(given_)
    all_ids, xref_ids = set(ids(tables)), set(tables.xrefs["xref"].to_pylist())
    # every named id is a node, or a cross-reference of the node it merged into
    for table in given_:
        for curie, name in zip(table.nodes["id"].to_pylist(), table.nodes["name"].to_pylist(), strict=True):
            assert not name or curie in all_ids or curie in xref_ids
            if name:
                assert name in tables.synonyms["form"].to_pylist()
    # every edge read is kept or counted under a reason
    for entry in report["sources"]:
        edges = entry["edges"]
        assert edges["edges read"] == edges["edges kept"] + sum(
            v for k, v in edges.items() if k not in ("edges read", "edges kept"))
    assert tables.edges.num_rows >= sum(e["edges"]["edges kept"] for e in report["sources"])
    # what a row calls merged is not two nodes
    for lead, other in [(m["subject_id"], m["object_id"]) for m in tables.mappings if m["comment"].startswith("merged")]:
        assert lead not in all_ids or other not in all_ids
    # every merge is an SSSOM row
    named = {i for s in given_ for i, n in zip(s.nodes["id"].to_pylist(), s.nodes["name"].to_pylist(), strict=True) if n}
    merged_rows = [m for m in tables.mappings if m["comment"].startswith("merged")]
    assert len(named) - len(all_ids) <= len(merged_rows)


@settings(max_examples=60, deadline=None)
@given(sources("A"), sources("B"))
def test_merging_is_deterministic_and_idempotent(a, b):
    first, report = merge_sources([a, b])
    again, report_again = merge_sources([a, b])
    assert first.content_hash() == again.content_hash()
    assert report == report_again
    twice, _ = merge_sources([a, b, a, b])
    assert ids(twice) == ids(first)
    assert twice.edges.num_rows == first.edges.num_rows
