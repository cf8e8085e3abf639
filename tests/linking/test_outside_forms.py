"""A merged store: short and everyday synonyms of general vocabularies are not read into reports."""

from __future__ import annotations

import pytest

from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.linking import Linker
from pathkg.linking.outside import rule_of

NODES = {
    "PATHKG:lung": ("lung", "anatomy"), "PATHKG:lobe": ("lobe", "anatomy"), "PATHKG:adeno": ("adenocarcinoma", "disease"),
    "PATHKG:tumor": ("neoplasm", "disease"), "NCBIGene:9652": ("SKIC3", "gene/protein"), "NCBIGene:51741": ("WWOX", "gene/protein"),
    "NCBIGene:9575": ("CLOCK", "gene/protein"), "NCBIGene:84335": ("AKT1S1", "gene/protein"), "MONDO:1": ("conjunctival melanoma", "disease"),
    "MONDO:2": ("gout", "disease"), "HP:0012823": ("Clinical modifier", "effect/phenotype"), "HP:0012825": ("Mild", "effect/phenotype"),
    "HP:0002664": ("Neoplasm", "effect/phenotype"), "GO:1": ("localization", "biological_process"), "NCBIGene:4": ("DYSF1A", "gene/protein")}
FORMS = [
    ("PATHKG:lung", "lung", "name", "core"), ("PATHKG:lobe", "lobe", "name", "core"), ("PATHKG:adeno", "adenocarcinoma", "name", "core"),
    ("PATHKG:tumor", "tumor", "exact", "core"), ("HP:0002664", "Tumor", "exact", "HPO"), ("NCBIGene:9652", "THES", "exact", "HGNC"),
    ("NCBIGene:51741", "FOR", "exact", "HGNC"), ("NCBIGene:51741", "WWOX", "name", "HGNC"), ("NCBIGene:9575", "CLOCK", "name", "HGNC"),
    ("NCBIGene:84335", "Lobe", "exact", "HGNC"), ("MONDO:1", "CM", "exact", "MONDO"), ("MONDO:1", "conjunctival melanoma", "name", "MONDO"),
    ("MONDO:2", "gout", "name", "MONDO"), ("HP:0012825", "Mild", "name", "HPO"), ("GO:1", "localization", "name", "GO"),
    ("NCBIGene:4", "AND-1", "exact", "HGNC"), ("NCBIGene:4", "DYSF1A", "name", "HGNC"), ("NCBIGene:4", "hatching", "exact", "HGNC")]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    tables = make_tables(
        nodes=[{"id": i, "name": n, "type": t, "sources": "core" if i.startswith("PATHKG:") else "HGNC|PrimeKG"}
               for i, (n, t) in NODES.items()],
        edges=[{"subject": "HP:0012825", "relation": "is_a", "object": "HP:0012823", "source": "HPO"}],
        synonyms=[{"id": n, "form": f, "kind": k, "source": s} for n, f, k, s in FORMS])
    return KnowledgeGraph.open(write_store(tmp_path_factory.mktemp("outside") / "store", tables))


@pytest.mark.parametrize(("text", "names"), [
    ("The lobe of the lung measures 3 CM. THE LUNG IS SENT FOR SECTIONS AT 12 O'CLOCK.", ["lobe", "lung", "lung"]),
    ("Lobe 1 and 1 further, mild.", ["lobe"]),
    ("The conjunctival melanoma (CM) is thin.", ["conjunctival melanoma", "conjunctival melanoma"]),
    ("A CM was seen.", []),
    ("The tumor shows matching and estimation, localization of gout.", ["gout"]),
    ("FOR and WWOX were studied.", []),
    ("DYSF1A is intact.", ["DYSF1A"])])
def test_reports_do_not_mean_the_short_names_of_other_vocabularies(graph: KnowledgeGraph, text: str, names: list[str]) -> None:
    assert [m.name for m in Linker(graph).link(text)] == names


def test_the_core_owns_its_forms(graph: KnowledgeGraph) -> None:
    assert [m.id for m in Linker(graph).link("No tumor is seen.")] == ["PATHKG:tumor"]
    assert [m.id for m in Linker(graph, generic="all").link("Tumor")] == ["PATHKG:tumor"]


def test_other_texts_may_mean_symbols(graph: KnowledgeGraph) -> None:
    assert [m.name for m in Linker(graph, generic="all").link("CLOCK drives the localization of WWOX.")] == ["CLOCK", "localization", "WWOX"]


def test_misread_words_are_words_of_the_core(graph: KnowledgeGraph) -> None:
    found = [(m.text, m.name) for m in Linker(graph).link("An adenocarcinorna and a batching.")]
    assert found == [("adenocarcinorna", "adenocarcinoma")]


@pytest.mark.parametrize(("form", "key", "kind", "type_", "rule"), [
    ("C7", "c7", "name", "gene/protein", "scope=all"), ("C7", "c7", "exact", "disease", "named"), ("6.3", "6.3", "exact", "gene/protein", None),
    ("PAGE-2", "page 2", "exact", "gene/protein", None), ("MYBPC3", "mybpc3", "name", "gene/protein", ""),
    ("Lupus", "lupus", "exact", "disease", ""), ("heart attack", "heart attack", "exact", "disease", "")])
def test_rules(form: str, key: str, kind: str, type_: str, rule: str | None) -> None:
    assert rule_of(form, key, kind, type_, {"lobe"}) == rule
