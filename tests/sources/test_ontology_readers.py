"""Ontologies and mapping files, real ones and small ones with one trap each."""

import gzip
import json

import pytest

from pathkg.errors import InputError
from pathkg.sources.optimuskg import read_optimuskg
from pathkg.sources.read import read_ontology
from pathkg.sources.tsv import read_tsv
from tests.shared_data import shared


def node(tables, curie):
    at = tables.nodes["id"].to_pylist().index(curie)
    return at, {c: tables.nodes[c][at].as_py() for c in tables.nodes.column_names}


def forms(tables, at):
    return {(f["form"], f["kind"]) for f in tables.forms.to_pylist() if f["node"] == at}


def xrefs(tables, at):
    return {(x["xref"], x["predicate"]) for x in tables.xrefs.to_pylist() if x["node"] == at}


# -- real files ------------------------------------------------------------------------------------------------


def test_hpo():
    tables = read_ontology(shared("ontologies/hp.obo.gz"))
    assert tables.record.name == "HPO"
    assert tables.record.version == "hp/releases/2025-01-16"
    assert tables.report.counts["terms"] == 19_484
    assert tables.report.counts["terms"] == tables.report.counts["obsolete terms"] + tables.nodes.num_rows
    at, term = node(tables, "HP:0000006")
    assert term["name"] == "Autosomal dominant inheritance"
    assert term["type"] == "effect/phenotype"
    assert term["definition"].startswith("A mode of inheritance")
    assert ("Autosomal dominant", "exact") in forms(tables, at)
    assert ("Autosomal dominant type", "related") in forms(tables, at)
    assert {("UMLS:C0443147", "oboInOwl:hasDbXref"), ("SNOMEDCT:263681008", "oboInOwl:hasDbXref"),
            ("HP:0001415", "oboInOwl:hasAlternativeId")} <= xrefs(tables, at)
    assert not tables.report.dropped


def test_uberon_import_leaves_foreign_terms_out_and_says_so():
    tables = read_ontology(shared("ontologies/mondo_uberon_import.obo.gz"))
    prefixes = {i.partition(":")[0] for i, n in zip(tables.nodes["id"].to_pylist(), tables.nodes["name"].to_pylist(),
                                                    strict=True) if n}
    assert {"UBERON", "CL", "GO"} <= prefixes
    assert not prefixes & {"BFO", "RO", "PATO", "NCBITaxon", "CHEBI"}
    assert any("PATO" in word for word in tables.report.counts)
    assert node(tables, "UBERON:0002113")[1]["type"] == "anatomy"
    assert node(tables, "CL:0000057")[1]["type"] == "cell"
    kinds = {(tables.nodes["id"][s].as_py(), r, tables.nodes["id"][o].as_py()) for s, r, o in zip(
        *(tables.edges[c].to_pylist() for c in ("subject", "relation", "object")), strict=True)}
    assert ("UBERON:0002113", "part_of", "UBERON:0011143") in kinds


def test_mondo_as_a_list_of_terms():
    tables = read_ontology(shared("ontologies/mondo.json.gz"))
    at, term = node(tables, "MONDO:0005097")
    assert (term["name"], term["type"]) == ("squamous cell lung carcinoma", "disease")
    assert ("NCIT:C3493", "oboInOwl:hasDbXref") in xrefs(tables, at)
    assert ("ONCOTREE:LUSC", "oboInOwl:hasDbXref") in xrefs(tables, at)
    excluded = [e for e in tables.edges.to_pylist() if e["subject"] == at and e["negated"]]
    assert [e["relation"] for e in excluded] == ["excluded_is_a"]  # never walked as is_a


def test_go_types_come_from_the_namespace():
    tables = read_ontology(shared("ontologies/go.json.gz"))
    assert set(tables.nodes["type"].unique().to_pylist()) == {"biological_process", "molecular_function",
                                                              "cellular_component"}


def test_hgnc_links_to_ncbi():
    tables = read_ontology(shared("ontologies/hgnc_entries.tsv.gz"))
    at, term = node(tables, "HGNC:5")
    assert (term["name"], term["type"]) == ("A1BG", "gene/protein")
    assert ("NCBIGene:1", "skos:exactMatch") in xrefs(tables, at)
    assert ("alpha-1-B glycoprotein", "exact") in forms(tables, at)
    assert tables.report.counts["withdrawn entries"] > 1000


def test_oncotree():
    tables = read_ontology(shared("ontologies/oncotree_2025_10_03.json"))
    at, term = node(tables, "ONCOTREE:CCRCC")
    assert (term["name"], term["type"]) == ("Renal Clear Cell Carcinoma", "disease")
    assert ("NCIT:C4033", "oboInOwl:hasDbXref") in xrefs(tables, at)
    assert tables.nodes.num_rows == 897  # 898 with the root


@pytest.mark.parametrize(("path", "rows"), [
    ("ontologies/mappings/mondo_exactmatch_ncit.sssom.tsv.gz", 7304),
    ("ontologies/mappings/biomappings/positive.sssom.tsv.gz", 12_441),
    ("kg/primekg/TxGNN/mondo_references.csv", 117_272),
    ("ontologies/NCIinDO.tsv", 4737)])
def test_mapping_files(path, rows):
    tables = read_ontology(shared(path))
    assert tables.report.counts["rows"] == rows
    assert tables.mappings.num_rows >= rows * 0.99
    assert tables.nodes.num_rows == 0


def test_sssom_keeps_its_licence_and_version():
    record = read_ontology(shared("ontologies/mappings/mondo_exactmatch_doid.sssom.tsv.gz")).record
    assert record.licence.endswith("/publicdomain/zero/1.0/")
    assert "2026-08-04" in record.version
    assert len(record.files[0]["sha256"]) == 64


# -- traps -----------------------------------------------------------------------------------------------------

OBO = """format-version: 1.4
data-version: 7
ontology: mondo

[Term]
id: MONDO:0000002
name: new \\"name\\"
def: "Line one.\\nLine two: a \\"quote\\"." [PMID:1]
synonym: "NN" EXACT ABBREVIATION [x]
synonym: "unquoted
alt_id: MONDO:0000009
xref: NCIT:C1 {source="MONDO:equivalentTo"}
is_a: MONDO:0000001 {source="x"} ! root
relationship: RO:0004026 UBERON:0002107 ! liver
relationship: RO:0004026 BFO:0000001

[Term]
id: MONDO:0000003
name: old
is_obsolete: true
replaced_by: MONDO:0000002

[Term]
name: no id

nonsense line
"""


@pytest.mark.parametrize("suffix", ["obo", "obo.gz"])
def test_obo_details(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(gzip.compress(OBO.encode()) if suffix.endswith("gz") else OBO.encode())
    tables = read_ontology(path)
    at, term = node(tables, "MONDO:0000002")
    assert term["definition"] == 'Line one. Line two: a "quote".'
    assert forms(tables, at) == {("NN", "abbreviation")}
    assert xrefs(tables, at) == {("NCIT:C1", "oboInOwl:hasDbXref"), ("MONDO:0000009", "oboInOwl:hasAlternativeId"),
                                 ("MONDO:0000003", "oboInOwl:hasAlternativeId")}
    assert tables.edges["relation"].to_pylist() == ["is_a", "disease_has_location"]
    assert tables.report.counts["obsolete terms"] == 1
    assert tables.report.dropped == {"line that is not 'tag: value'": 1, "synonym that is not quoted": 1,
                                     "term without an id or a name": 1}
    assert {p.line for p in tables.report.problems if p.reason.startswith("line")} == {26}


def test_obograph(tmp_path):
    path = tmp_path / "hp.json"
    purl = "http://purl.obolibrary.org/obo/"
    path.write_text(json.dumps({"graphs": [{
        "id": purl + "hp.owl", "meta": {"version": "v1"},
        "nodes": [{"id": purl + "HP_0000001", "lbl": "All", "type": "CLASS"},
                  {"id": purl + "HP_0000002", "lbl": "Height", "type": "CLASS", "meta": {
                      "definition": {"val": "How tall."}, "xrefs": [{"val": "UMLS:C1"}],
                      "synonyms": [{"pred": "hasExactSynonym", "val": "Stature"}],
                      "basicPropertyValues": [{"pred": "http://www.w3.org/2004/02/skos/core#exactMatch",
                                               "val": purl + "MP_0001253"}]}},
                  {"id": purl + "HP_0000003", "lbl": "gone", "type": "CLASS", "meta": {"deprecated": True}}],
        "edges": [{"sub": purl + "HP_0000002", "pred": "is_a", "obj": purl + "HP_0000001"}]}]}))
    tables = read_ontology(path)
    at, term = node(tables, "HP:0000002")
    assert (tables.record.name, tables.record.version, term["definition"]) == ("HPO", "v1", "How tall.")
    assert forms(tables, at) == {("Stature", "exact")}
    assert xrefs(tables, at) == {("UMLS:C1", "oboInOwl:hasDbXref"), ("MP:0001253", "skos:exactMatch")}
    assert tables.edges.num_rows == 1
    assert tables.report.counts["obsolete terms"] == 1


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.obo", "format-version: 1.2\n", r"holds no \[Term\]"), ("x.json", '{"a": 1}', "no OBO graph"),
    ("x.json", "[1", "is not JSON"), ("x.txt", "hello world", "no ontology or mapping file"),
    ("x.sssom.tsv", "#a: b\n", "no ontology or mapping"), ("x.obo", "", "is empty")])
def test_files_that_are_no_ontology(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_ontology(path)


def test_own_tsv(tmp_path):
    (tmp_path / "nodes.tsv").write_text(
        "id\tname\ttype\tsynonyms\tcolour\nMINE:1\tthing\tmorphology\ta|b\tred\nMINE:2\tx\tmorphlogy\t\t\nMINE\ty\tcell\t\t\n")
    (tmp_path / "edges.tsv").write_text(
        "relation\tsubject\tobject\tnegated\nsupports\tMINE:1\tMONDO:0005097\tfalse\nopposes\tMINE:1\tMONDO:0005005\tmaybe\n"
        "supports\tMINE:1\n")
    tables = read_tsv(tmp_path)
    assert tables.nodes["id"].to_pylist() == ["MINE:1", "MONDO:0005097"]
    assert tables.edges["relation"].to_pylist() == ["supports"]
    assert sum(tables.report.dropped.values()) == 4
    assert tables.report.counts["column 'colour' of nodes.tsv ignored"] == 1
    assert any("did you mean 'morphology'" in p.text for p in tables.report.problems)


def test_optimuskg(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({
        "id": ["MONDO_0005097", "ENSG00000141510", "MONDO_0005097"], "label": ["DIS", "GEN", "DIS"],
        "properties": ['{"name": "LUSC", "synonyms": ["a", "b"]}', '{"symbol": "TP53"}', "{"]}), tmp_path / "nodes.parquet")
    pq.write_table(pa.table({
        "from": ["MONDO_0005097", "MONDO_0005097", "X"], "to": ["ENSG00000141510"] * 3,
        "label": ["DIS-GEN"] * 3, "relation": ["ASSOCIATED_WITH", "EXPRESSION_ABSENT", "R"],
        "undirected": [True, False, False], "properties": [None] * 3}), tmp_path / "edges.parquet")
    tables = read_optimuskg(tmp_path)
    assert tables.nodes["id"].to_pylist() == ["MONDO:0005097", "ENSEMBL:ENSG00000141510"]
    assert tables.nodes["name"].to_pylist() == ["LUSC", "TP53"]
    assert tables.edges["negated"].to_pylist() == [False, True]
    assert tables.edges["undirected"].to_pylist() == [True, False]
    assert tables.report.dropped == {"properties that are not JSON": 1, "second row of one id": 1,
                                     "edge to a node that the nodes file lacks": 1}
