"""PathoML: schema, ontology, instance graphs; and what strict parsers refuse."""

import gzip

import pytest

from pathkg.errors import InputError
from pathkg.sources.pathograph import read_pathograph
from tests.shared_data import shared

ROOT = "kg/pathograph"
ONTOLOGY = f"{ROOT}/Use_Cases/Automatic Histologic Subtyping/Tumor Pathology Ontology Simplified.owl"


def edges(tables):
    ids = tables.nodes["id"].to_pylist()
    return {(ids[e["subject"]], e["relation"], ids[e["object"]], e["negated"]): e["evidence"]
            for e in tables.edges.to_pylist()}


def test_everything_in_the_folder_is_read_and_the_rest_reported():
    tables = read_pathograph(shared(ROOT))
    counts = tables.report.counts
    assert counts["files"] == 25
    assert counts["ontology classes"] == 125
    assert counts["instances"] > 19_000
    assert tables.report.dropped == {"reference to an id that the file lacks": 3}
    lacking = {p.text for p in tables.report.problems if "class that the schema lacks" in p.reason}
    assert lacking == {"Histopathological_Phenotype", "DiagnosisStage", "Cytopathological_Phenotype",
                       "Quantitative_Indicator"}
    assert all(p.line for p in tables.report.problems if "schema lacks" in p.reason)


def test_some_values_from_become_edges():
    found = edges(read_pathograph(shared(ONTOLOGY)))
    assert ("NCIT:C35851", "has_Morphologic_Evidence", "HISTO:0000020", False) in found
    # has_not_Morphologic_Evidence: the same relation, negated
    assert ("TPO:0000026", "has_Morphologic_Evidence", "HISTO:0000009", True) in found
    # a bound inside an anonymous class is kept as evidence
    assert found["TPO:0000008", "has_Quantitative_Metric_Evidence", "HISTO:0000011", False] == "value < 0.5"
    assert ("NCIT:C4033", "is_a", "TPO:0000024", False) in found


def test_axiom_annotations_are_not_counted_twice():
    assert read_pathograph(shared(ONTOLOGY)).report.counts["someValuesFrom restrictions turned into edges"] == 24


def test_slides_become_edges_between_concepts_with_their_number():
    tables = read_pathograph(shared(f"{ROOT}/tcga_kidney"))
    evidence = edges(tables)["NCIT:C35851", "has_Morphologic_Evidence", "HISTO:0000020", False]
    assert evidence.startswith("3676 instances in 16 files: TCGA-")
    assert tables.nodes.num_rows < 30


def test_file_local_ids_do_not_collide():
    tables = read_pathograph(shared(f"{ROOT}/tcga_kidney"), instances=True)
    slides = [i for i in tables.nodes["id"].to_pylist() if i.endswith("#Slide1")]
    assert len(slides) == len(set(slides)) == 16


def test_ids_that_are_no_legal_xml_names_are_kept_as_written(tmp_path):
    source = next(iter(sorted(shared(f"{ROOT}/tcga_kidney").glob("*BP-4330*"))))
    text = gzip.decompress(source.read_bytes()).decode().replace("Phenotype1\"", "Phenotype1,000\"")
    path = tmp_path / "slide.xml"
    path.write_text(text)
    tables = read_pathograph(path, instances=True)
    assert any(i.endswith("#Phenotype1,000") for i in tables.nodes["id"].to_pylist())
    assert tables.report.repaired["id that is no legal XML name, kept as written"] == 1
    assert tables.report.problems[0].line
    # nothing is lost against the unchanged file
    assert tables.edges.num_rows == read_pathograph(source, instances=True).edges.num_rows


def test_a_file_that_breaks_off_is_read_up_to_there(tmp_path):
    source = shared(f"{ROOT}/Representation_Examples/HER2 Immunophenotype of Breast Cancer/HER2.xml")
    path = tmp_path / "cut.xml"
    path.write_bytes(source.read_bytes()[:20_000])
    tables = read_pathograph(path)
    assert tables.report.dropped["XML is damaged from here on"] == 1
    assert tables.report.counts["instances"] > 40


def test_the_misspelt_property_of_the_schema_is_known():
    # compoenentReferenceOf is upstream's own spelling: it is no error to use it
    schema = shared(f"{ROOT}/PathoML.owl")
    assert b"compoenentReferenceOf" in schema.read_bytes()
    assert not read_pathograph(schema).report.dropped


def test_opposing_evidence_is_negated(tmp_path):
    ns = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:h="https://x/PathoML.owl#"'
    xref = '<h:UnificationXref rdf:ID="{0}"><h:uri>http://purl.obolibrary.org/obo/{1}</h:uri></h:UnificationXref>'
    path = tmp_path / "d.xml"
    path.write_text(f"""<rdf:RDF {ns}>
      <h:Diagnosis rdf:ID="D"><h:hasXref rdf:resource="#X1"/><h:hasOpposeEvidence rdf:resource="#P"/>
        <h:hasContradictEvidence rdf:resource="#P"/><h:hasSupportEvidence rdf:resource="#P"/></h:Diagnosis>
      <h:Cellular_Appearances rdf:ID="P"><h:hasXref rdf:resource="#X2"/><h:displayName>p</h:displayName>
      </h:Cellular_Appearances>{xref.format("X1", "NCIT_C1")}{xref.format("X2", "NCIT_C2")}</rdf:RDF>""")
    assert {(r, n) for _, r, _, n in edges(read_pathograph(path))} == {
        ("hasOpposeEvidence", True), ("hasContradictEvidence", True), ("hasSupportEvidence", False)}


@pytest.mark.parametrize(("name", "content"), [("a.xml", b"<catalog/>"), ("a.xml", b"not xml")])
def test_files_without_rdf_are_reported(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    tables = read_pathograph(tmp_path)
    assert tables.report.dropped["file without RDF"] == 1
    assert tables.nodes.num_rows == 0


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no PathoML file"):
        read_pathograph(tmp_path)
