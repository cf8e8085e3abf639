"""Faults of kinds that were found in the core once and must not come back."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "pathkg" / "data" / "core"
MALIGNANT, NEOPLASM, OTHER = "MONDO:0004992", "MONDO:0005070", "PATHKG:non-neoplastic-disease"
BOTH_ROOTS = {"verruca vulgaris", "nabothian cyst", "multiple endocrine neoplasia type 1",
              "hyperparathyroidism-jaw tumor syndrome"}
"""Tumours caused by an infection and syndromes that are both."""


def rows(pattern: str) -> list[list[str]]:
    return [line.split("\t") for path in sorted(CORE.glob(pattern))
            for line in path.read_text(encoding="utf-8").split("\n")[1:-1]]


NODES = {row[0]: row for row in rows("nodes.tsv")}
EDGES = rows("edges_*.tsv")
FORMS = rows("forms_*.tsv")
UP: dict[str, set[str]] = defaultdict(set)
PART: dict[str, set[str]] = defaultdict(set)
for subject, relation, obj, _ in EDGES:
    if relation == "is_a":
        UP[subject].add(obj)
    if relation in ("is_a", "part_of"):
        PART[subject].add(obj)


def above(curie: str, links: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [curie]
    while waiting:
        for parent in links[waiting.pop()]:
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def named(name: str) -> str:
    found = [curie for curie, row in NODES.items() if row[1] == name and row[2] != "gene/protein"]
    assert len(found) == 1, (name, found)
    return found[0]


def owners(form: str) -> dict[str, list[str]]:
    """Node names to contexts."""
    found: dict[str, list[str]] = defaultdict(list)
    for text, curie, _, context in FORMS:
        if text.lower() == form.lower():
            found[NODES[curie][1]].append(context)
    return found


@pytest.mark.parametrize("name", [
    "hepatocellular carcinoma", "adrenal cortical carcinoma", "choriocarcinoma", "astrocytoma, IDH-mutant", "medulloblastoma",
    "thymoma", "histiocytic sarcoma", "olfactory neuroblastoma", "perihilar cholangiocarcinoma", "carcinoid tumor",
    "combined hepatocellular-cholangiocarcinoma", "clear cell sarcoma of kidney", "hepatoblastoma", "seminoma"])
def test_malignant_tumours_are_malignant_neoplasms(name: str) -> None:
    assert MALIGNANT in above(named(name), UP)


@pytest.mark.parametrize("name", [
    "carcinoma in situ", "ductal carcinoma in situ", "lobular carcinoma in situ", "urothelial carcinoma in situ",
    "adenocarcinoma in situ of cervix", "germ cell neoplasia in situ", "melanoma in situ", "penile intraepithelial neoplasia",
    "giant cell tumor of bone", "ganglioneuroma", "central neurocytoma", "congenital mesoblastic nephroma", "pheochromocytoma",
    "multilocular cystic renal neoplasm of low malignant potential", "neurofibroma", "sclerosing pneumocytoma"])
def test_precursors_and_benign_tumours_are_not(name: str) -> None:
    lineage = above(named(name), UP)
    assert NEOPLASM in lineage
    assert MALIGNANT not in lineage


@pytest.mark.parametrize(("child", "parent"), [
    ("adrenal cortical carcinoma", "renal cell carcinoma"), ("neurofibroma", "glioma"), ("hepatoblastoma",
     "hepatocellular carcinoma"), ("endometrioid carcinoma of ovary", "endometrial carcinoma"),
    ("pheochromocytoma", "hereditary pheochromocytoma-paraganglioma"), ("pseudomyxoma peritonei", "colon adenocarcinoma")])
def test_a_tumour_is_not_a_kind_of_another_organs_tumour(child: str, parent: str) -> None:
    assert named(parent) not in above(named(child), UP)


def test_no_disease_is_both_neoplastic_and_not() -> None:
    both = {row[1] for curie, row in NODES.items() if row[2] == "disease" and {NEOPLASM, OTHER} <= above(curie, UP)}
    assert both == BOTH_ROOTS


@pytest.mark.parametrize(("part", "organ"), [
    ("seminal vesicle", "testis"), ("falciform ligament", "stomach"), ("epiglottis", "hypopharynx"), ("eye", "bone tissue"),
    ("endometrial gland", "fallopian tube")])
def test_a_part_is_not_of_another_organ(part: str, organ: str) -> None:
    assert named(organ) not in above(named(part), PART)


@pytest.mark.parametrize(("form", "node"), [
    ("upper pole", "upper pole"), ("superior pole", "upper pole"), ("lower pole", "lower pole"), ("dome", "dome"),
    ("posterior wall", "posterior wall"), ("serosal involvement", "serosal invasion"), ("perivascular epithelioid cell tumor",
     "PEComa"), ("condyloma acuminata", "condyloma acuminatum"), ("small cell neuroendocrine carcinoma",
     "small cell carcinoma"), ("invasive mucinous adenocarcinoma", "mucinous adenocarcinoma"),
    ("high-grade squamous intraepithelial lesion", "high-grade squamous intraepithelial lesion"), ("lateral tongue",
     "lateral border of tongue")])
def test_a_form_without_an_organ_belongs_to_the_general_node(form: str, node: str) -> None:
    assert [name for name, contexts in owners(form).items() if "" in contexts] == [node]


def test_words_of_a_form_do_not_contradict_the_name() -> None:
    opposite = [("upper", "lower"), ("superior", "inferior"), ("anterior", "posterior"), ("inner", "outer"),
                ("medial", "lateral"), ("proximal", "distal"), ("upper", "inferior"), ("lower", "superior"), ("left", "right")]
    sides = [(a, b) for pair in opposite for a, b in (pair, pair[::-1])]
    bad = []
    for form, curie, _, _context in FORMS:
        row = NODES[curie]
        if row[2] != "anatomy":
            continue
        name, text = (set(re.findall(r"[a-z]+", t.lower())) for t in (row[1], form))
        bad += [(form, row[1]) for a, b in sides if a in name and b not in name and b in text and a not in text]
    assert bad == []


def test_a_stage_without_an_organ_is_the_generic_stage() -> None:
    stage = re.compile(r"[ypc]?p?[TN][0-4x][a-d]?|M[01x]", re.IGNORECASE)
    wrong = [(form, curie) for form, curie, _, context in FORMS if not context and stage.fullmatch(form)
             and curie != "PATHKG:thyroid-pn0a"  # a category of the thyroid alone
             and NODES[curie][2] == "stage" and not re.fullmatch(r"PATHKG:[ycpatmnx0-9]+[a-d]?", curie)]
    generic = {NODES[curie][1].lower() for _, curie, _, context in FORMS if not context and NODES[curie][2] == "stage"}
    missing = [f"p{t}{n}" for t, n in [*(("t", n) for n in "01234"), *(("n", n) for n in "0123")] if f"p{t}{n}" not in generic]
    assert (wrong, missing) == ([], [])
