"""Ids: PrimeKG's bare numbers, prefix spellings, URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathkg.errors import InputError
from pathkg.sources.curies import from_primekg, from_uri, group_members, normal_curie, to_primekg


@pytest.mark.parametrize(("source", "identifier", "curie"), [
    ("NCBI", "4536", "NCBIGene:4536"),
    ("HPO", "2344", "HP:0002344"),
    ("MONDO", "5097", "MONDO:0005097"),
    ("MONDO", "15999.0", "MONDO:0015999"),  # went through a float column
    ("MONDO", "10079_16781", "MONDO_grouped:10079_16781"),
    ("MONDO_grouped", "10079_16781_16207", "MONDO_grouped:10079_16781_16207"),
    ("GO", "1", "GO:0000001"),
    ("UBERON", "0", "UBERON:0000000"),
    ("DrugBank", "DB00014", "DrugBank:DB00014"),
    ("CTD", "D001151", "CTD:D001151"),
    ("REACTOME", "R-HSA-1059683", "REACTOME:R-HSA-1059683"),
])
def test_primekg_ids(source, identifier, curie):
    assert from_primekg(source, identifier) == curie


@pytest.mark.parametrize(("source", "identifier"), [
    ("HPO", "HP:0002344"), ("HPO", ""), ("MONDO", "12345678"), ("GO", "-1"), ("MONDO_grouped", "1_x"), ("NCBI", ""),
    ("NCBI", "a b"), ("MONDO", "²"), ("NCB", "1"), ("", "1"),
])
def test_ids_of_the_wrong_form_are_refused(source, identifier):
    with pytest.raises(InputError):
        from_primekg(source, identifier)


def test_equal_numbers_of_different_types_do_not_collide():
    assert len({from_primekg(s, "1") for s in ("NCBI", "HPO", "MONDO", "GO", "UBERON")}) == 5


@given(st.sampled_from(["HPO", "MONDO", "GO", "UBERON"]), st.integers(0, 9_999_999))
def test_padded_ids_come_back(source, number):
    assert to_primekg(from_primekg(source, str(number))) == (str(number), source)


@given(st.lists(st.integers(1, 9_999_999), min_size=2, max_size=9))
def test_a_group_names_each_member(numbers):
    curie = from_primekg("MONDO_grouped", "_".join(map(str, numbers)))
    assert group_members(curie) == [from_primekg("MONDO", str(n)) for n in numbers]
    assert to_primekg(curie) == ("_".join(map(str, numbers)), "MONDO_grouped")


@pytest.mark.parametrize(("given_", "normal"), [
    ("SNOMEDCT_US:263681008", "SNOMEDCT:263681008"), ("SCTID:1", "SNOMEDCT:1"), ("NCI:C4033", "NCIT:C4033"),
    ("ncit:C4033", "NCIT:C4033"), ("GO:GO:0005634", "GO:0005634"), ("icd11.foundation:7", "ICD11:7"),
    ("ORPHA:1", "Orphanet:1"), ("Fyler:4863", "Fyler:4863"), (" no colon ", "no colon")])
def test_prefix_spellings(given_, normal):
    assert normal_curie(given_) == normal


@pytest.mark.parametrize(("uri", "curie"), [
    ("http://purl.obolibrary.org/obo/FMA_68646", "FMA:68646"),
    ("http://www.aipath.com/histo/HISTO_0000020", "HISTO:0000020"),
    ("http://www.aipath.com/histo/histo.owl#Apical_Mitotic_Figure", "HISTO:Apical_Mitotic_Figure"),
    ("http://www.ebi.ac.uk/cmpo/CMPO_0000219", "CMPO:0000219"),
    ("http://example.org/x", None), ("", None)])
def test_uris(uri, curie):
    assert from_uri(uri) == curie
