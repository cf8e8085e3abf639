"""Markers: one representation for every way to write a result."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, linker_for

MARKERS = ("marker", "gene/protein", "marker_result")


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "expected"), [
    ("ER: Negative. PR: Positive.", "estrogen receptor -, progesterone receptor +"),
    ("ER negative, PR positive.", "estrogen receptor -, progesterone receptor +"),
    ("Negative for CK7 and TTF-1.", "CK7 -, TTF-1 -"),
    ("Positive for CK7, TTF-1 and negative for CK20, p40.", "CK7 +, TTF-1 +, CK20 -, p40 -"),
    ("Desmin, S100, and cytokeratin are negative.", "desmin -, S100 -, cytokeratin -"),
    ("Immunostains for CD31 and CD34 are positive.", "CD31 +, CD34 +"),
    ("CK7+/CK20-", "CK7 +, CK20 -"),
    ("CK7(+), CK20(-), TTF-1 (-).", "CK7 +, CK20 -, TTF-1 -"),
    ("The tumor cells express CK7 and lack CK20.", "CK7 +, CK20 -"),
    ("PSA and PSAP are not expressed.", "PSA -, PSAP -"),
    ("Immunoreactive for PAX8, CD10 and vimentin.", "PAX8 +, CD10 +, vimentin +"),
    ("Loss of MLH1/PMS2.", "MLH1 -, PMS2 -"),
    ("MLH1: loss of nuclear expression. MSH2: intact nuclear expression.", "MLH1 -, MSH2 +"),
    ("PR (90%, strong)", "progesterone receptor +"),
    ("Estrogen receptor 0%, progesterone receptor <1%.", "estrogen receptor -, progesterone receptor -"),
    ("HER2: 3+", "HER2 +"),
    ("HER2/neu: 1+ (negative)", "HER2 -"),
    ("CD20 is strongly and diffusely positive, CD3 is negative.", "CD20 +, CD3 -"),
    ("No CK7 positive cells.", "CK7 -"),
    ("No atypia, MDM2 negative.", "MDM2 -"),
    ("p16 (block-type positive).", "p16 +"),
    ("HMB-45-, melan-A-: no melanoma.", "HMB-45 -, Melan-A -"),
    ("Positive: CK7, GATA3. Negative: CK20, p63.", "CK7 +, GATA3 +, CK20 -, p63 -"),
    ("Positive for: CK7. Negative for: CK20.", "CK7 +, CK20 -"),
    ("Tumor cells lack expression of TTF-1 and napsin A.", "TTF-1 -, napsin A -"),
    ("Tumor cells show expression of TTF-1 and napsin A.", "TTF-1 +, napsin A +"),
    ("Strongly and diffusely positive for CK7 and PAX8 but negative for CK20.", "CK7 +, PAX8 +, CK20 -"),
    ("p53: wild-type pattern.", "p53 wild-type pattern present"),
    ("p53: mutant pattern.", "p53 mutant pattern present"),
    ("STAT6 nuclear, CD34+.", "STAT6 +, CD34 +"),
    ("CD99 membranous, desmin-.", "CD99 +, desmin -"),
    ("Consistent with lung primary (TTF-1+, p40-).", "TTF-1 +, p40 -"),
    ("HER2: 2+ by IHC, FISH: not amplified.", "HER2 -"),
    ("HER2 IHC 2+, FISH not amplified.", "HER2 -"),
    # what is no result
    ("HER2: 2+ (equivocal)", "HER2 possible"),
    ("HER2: 2+ (equivocal), FISH pending.", "HER2 possible"),
    ("MLH1 nuclear staining is lost.", "MLH1 -"),
    ("Estrogen receptor: pending.", "estrogen receptor unspecified"),
    ("Stain for CD34 is non-contributory.", "CD34 unspecified"),
    ("Ki-67 30%", "Ki-67 present"),
    ("CK7 was performed.", "CK7 present"),
    ("Synaptophysin highlights the neuroendocrine cells.", "synaptophysin present"),
    ("History of ER positive breast cancer.", "estrogen receptor historical"),
])
def test_results_of_markers(linker: Linker, text: str, expected: str) -> None:
    signs = {("present", "positive"): "+", ("absent", "negative"): "-"}
    said = [f"{m.name} {signs.get((str(m.assertion), m.value.get('result')), str(m.assertion))}"
            for m in linker.link(text) if m.type in MARKERS]
    assert ", ".join(said) == expected


@pytest.mark.parametrize("text", ["CK7 negative.", "CK7: negative", "Negative for CK7.", "CK7-, p40+.", "CK7 (-)",
                                  "The cells are CK7 negative.", "CK7 is not expressed."])
def test_every_phrasing_is_one_result_node(linker: Linker, text: str) -> None:
    assert "CK7 negative" in [m.name for m in linker.link(text).with_results()]
    node = linker.graph.index(linker.graph.resolve("CK7 negative"))
    assert (node, "+") in [(n, p) for n, p, _, _ in linker.entities(text)]


def test_with_results_leaves_the_rest_alone(linker: Linker) -> None:
    linked = linker.link("Necrosis. CK7 was performed. ER: pending.")
    assert linked.with_results() == linked
