"""Given spans: other wordings, short forms of the text, coordinated phrases, diseases before findings."""

from __future__ import annotations

import numpy as np
import pytest

from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.linking import Linker, compile_lexicon
from pathkg.linking.abbreviations import definitions
from pathkg.linking.dense import DenseIndex
from pathkg.linking.tokens import canonical
from pathkg.linking.variants import class_of

NODES = (
    ("D:1", "heart disorder", "disease", ("cardiac disease",)),
    ("D:2", "heart failure", "disease", ("cardiac failure",)),
    ("D:3", "myotonic dystrophy", "disease", ()),
    ("D:4", "diabetes mellitus", "disease", ("DM",)),
    ("D:5", "familial Mediterranean fever", "disease", ()),
    ("D:6", "Duchenne muscular dystrophy", "disease", ()),
    ("D:7", "Becker muscular dystrophy", "disease", ()),
    ("D:8", "complement component 7 deficiency", "disease", ()),
    ("D:9", "breast cancer", "disease", ("carcinoma of breast",)),
    ("D:10", "ovarian cancer", "disease", ()),
    ("D:11", "coronary vasospasm", "disease", ("coronary artery spasm",)),
    ("D:12", "glomerulonephritis", "disease", ()),
    ("D:13", "atelosteogenesis type II", "disease", ()),
    ("D:14", "psychotic disorder", "disease", ()),
    ("D:15", "non-small cell lung carcinoma", "disease", ()),
    ("D:16", "lung carcinoma", "disease", ()),
    ("D:17", "Pendred syndrome", "disease", ("PDS",)),
    ("D:18", "parent discordance syndrome", "disease", ("PDS",)),
    ("D:19", "hepatitis", "disease", ()),
    ("D:20", "drug-induced liver injury", "disease", ()),
    ("D:21", "dyskinesia", "disease", ()),
    ("D:22", "drug-induced dyskinesia", "disease", ()),
    ("D:23", "drug psychosis", "disease", ("drug-induced psychosis",)),
    ("P:1", "Coronary artery spasm", "effect/phenotype", ()),
    ("P:2", "Seizure", "effect/phenotype", ("Seizures",)),
    ("P:3", "Muscle weakness", "effect/phenotype", ()),
    ("P:4", "Coma", "effect/phenotype", ()),
)


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Linker:
    folder = tmp_path_factory.mktemp("grounding") / "store"
    write_store(folder, make_tables(
        nodes=[{"id": c, "name": n, "type": t} for c, n, t, _ in NODES], edges=[],
        synonyms=[{"id": c, "form": f, "kind": "exact"} for c, _, _, forms in NODES for f in forms]),
        finish=lambda path: compile_lexicon(KnowledgeGraph.open(path), path / "lexicon") and None)
    return Linker(KnowledgeGraph.open(folder), generic="all", specialise=False)


def name_of(linker: Linker, span: str) -> str | None:
    best = linker.ground(span)
    return linker.graph.name(best[0].node) if best else None


@pytest.mark.parametrize(("span", "name"), [
    ("cardiac damage", "heart disorder"),          # a harm of an organ, not its failure
    ("cardiac involvement", "heart disorder"),
    ("cardiotoxicity", "heart disorder"),
    ("heart insufficiency", "heart failure"),
    ("convulsions", "Seizure"),
    ("convulsive", "Seizure"),
    ("psychoses", "psychotic disorder"),
    ("muscular weakness", "Muscle weakness"),
    ("deficiency of the seventh component of complement", "complement component 7 deficiency"),
    ("mammary tumors", "breast cancer"),
    ("severe sporadic breast carcinomas", "breast cancer"),
    ("mesangiopathic glomerulonephritis", "glomerulonephritis"),
    ("myxedema coma", "Coma"),
    ("nonsmall cell lung cancer", "non-small cell lung carcinoma"),
    ("atelosteogenesis 2", "atelosteogenesis type II"),
    ("transplantation of the heart", None),
    ("severe type of disease", None),
    ("failure", None),
])
def test_other_words(linker: Linker, span: str, name: str | None) -> None:
    assert name_of(linker, span) == name


def test_a_disease_comes_before_a_finding_of_its_name(linker: Linker) -> None:
    found = linker.ground("coronary artery spasm")
    assert [linker.graph.curie(c.node) for c in found] == ["D:11", "P:1"]
    assert [m.id for m in linker.link("Coronary artery spasm was seen.")] == ["D:11"]


def in_text(linker: Linker, text: str, span: str) -> list[str]:
    start = text.index(span)
    return [linker.graph.name(c.node) for c in linker.ground_in(text, start, start + len(span))]


@pytest.mark.parametrize(("text", "span", "name"), [
    ("Myotonic dystrophy (DM) is common.", "DM", "myotonic dystrophy"),             # initials in another order
    ("Glucose was high in DM.", "DM", "diabetes mellitus"),
    ("Myotonic dystrophy is common. The DM locus was mapped.", "DM", "myotonic dystrophy"),  # never defined
    ("Familial Mediterranean fever (MEF) was found.", "MEF", "familial Mediterranean fever"),
    ("Atelosteogenesis type II (AO2) is rare. One had AO-2.", "AO-2", "atelosteogenesis type II"),
    ("Pendred syndrome was found. Two had PDS.", "PDS", "Pendred syndrome"),
    ("A parent discordance syndrome was found. Two had PDS.", "PDS", "parent discordance syndrome"),
    ("Becker muscular dystrophy (BMD) and severe BMD.", "severe BMD", "Becker muscular dystrophy"),
])
def test_short_forms_mean_what_the_text_says(linker: Linker, text: str, span: str, name: str) -> None:
    assert in_text(linker, text, span)[0] == name


@pytest.mark.parametrize(("span", "names"), [
    ("Duchenne and Becker muscular dystrophy", ["Duchenne muscular dystrophy", "Becker muscular dystrophy"]),
    ("Duchenne/Becker muscular dystrophy", ["Duchenne muscular dystrophy", "Becker muscular dystrophy"]),
    ("breast and/or ovarian cancer", ["breast cancer", "ovarian cancer"]),
])
def test_coordinated_phrases_name_each_part(linker: Linker, span: str, names: list[str]) -> None:
    assert in_text(linker, f"We saw {span} here.", span) == names


def test_definitions_by_initials_need_every_letter() -> None:
    assert [(d.short, d.long) for d in definitions("Myotonic dystrophy (DM) is common.")] == [("DM", "Myotonic dystrophy")]
    assert definitions("Muscle weakness (DM) is common.") == []


@pytest.mark.parametrize(("one", "other", "same"), [
    ("renal", "kidney", True), ("psychosis", "psychotic", True), ("second", "ii", True), ("epilepsy", "epileptic", True),
    ("failure", "damage", False), ("hypotension", "hypertension", False), ("ovary", "overt", False), ("gastric", "gastrin", False),
])
def test_word_classes(one: str, other: str, same: bool) -> None:
    assert (class_of(canonical(one)) == class_of(canonical(other))) is same


def test_dense_candidates_come_last(linker: Linker) -> None:
    """An embedding that knows one paraphrase: used where no form is near, not where one is."""
    def embed(texts: object) -> np.ndarray:
        rows = [[1.0, 0.0] if t in ("seizure", "loss of awareness with jerking") else [0.0, 1.0] for t in texts]  # type: ignore[attr-defined]
        return np.array(rows, np.float32)

    grounder = linker._grounder
    assert linker.ground("loss of awareness with jerking") == ()
    grounder.dense = DenseIndex(linker.lexicon, embed=embed)
    grounder._cache.clear()
    try:
        best = linker.ground("loss of awareness with jerking")[0]
        assert linker.graph.name(best.node) == "Seizure"
        assert best.how.startswith("embedding")
        assert linker.ground("breast cancer")[0].how == "exact"
    finally:
        grounder.dense = None
        grounder._cache.clear()


@pytest.mark.parametrize(("text", "span", "name"), [
    ("Two patients had hepatitis during treatment with isoniazid.", "hepatitis", "drug-induced liver injury"),
    ("Hepatotoxicity: hepatitis in patients with hepatitis B.", "hepatitis", "hepatitis"),
    ("Hepatitis was found at autopsy.", "Hepatitis", "hepatitis"),
    ("Levodopa caused dyskinesia.", "dyskinesia", "drug-induced dyskinesia"),
    ("We saw levodopa-induced dyskinesia.", "levodopa-induced dyskinesia", "drug-induced dyskinesia"),
    ("Dyskinesia was inherited.", "Dyskinesia", "dyskinesia"),
    ("Side effects were psychotic disorder.", "psychotic disorder", "drug psychosis"),
    ("Side effects of antipsychotics in psychotic disorder.", "psychotic disorder", "psychotic disorder"),
    ("Side effects included coma.", "coma", "Coma"),
])
def test_harm_of_drugs(linker: Linker, text: str, span: str, name: str) -> None:
    start = text.index(span)
    assert linker.graph.name(linker.ground_in(text, start, start + len(span))[0].node) == name


def test_the_short_form_does_not_speak_for_a_long_form_that_is_unknown(linker: Linker) -> None:
    text = "Primary dental syringitis (PDS) was seen."
    found = linker.ground_in(text, text.index("(PDS") + 1, text.index("(PDS") + 4)
    assert not {"Pendred syndrome", "parent discordance syndrome"} & {linker.graph.name(c.node) for c in found}
