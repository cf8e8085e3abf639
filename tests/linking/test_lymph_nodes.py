"""Lymph nodes examined and positive: usual phrasings, and what must not be counted twice or at all."""

from __future__ import annotations

import pytest

from pathkg.linking.lymph_nodes import node_counts
from pathkg.linking.node_statements import number


@pytest.mark.parametrize(("text", "examined", "positive"), [
    # ratios
    ("Twelve lymph nodes, no metastasis (0/12).", 12, 0),
    ("Axillary lymph nodes: 0/12", 12, 0),
    ("Lymph nodes, axillary: metastatic carcinoma in two of fifteen lymph nodes.", 15, 2),
    ("METASTATIC CARCINOMA INVOLVING ONE (1) OF ELEVEN (11). LYMPH NODES.", 11, 1),
    ("Metastasis to 1 out of 7 mesenteric nodes.", 7, 1),
    ("Multiple (2 of 9) right axillary lymph nodes are positive for metastatic carcinoma.", 9, 2),
    ("A single (of 12) sentinel lymph node is positive. The remaining 11 sentinel lymph nodes are negative.", 12, 1),
    ("pT3 pN2b (4/33)", 33, 4),
    ("SIX PERIBRONCHIAL LYMPH NODES, POSITIVE FOR METASTATIC CARCINOMA (6/9).", 9, 6),
    ("No tumor identified in eight lymph nodes (0/8).", 8, 0),
    ("Metastases in lymph nodes (No IV/XIV).", 14, 4),
    ("All of nine lymph nodes are negative for tumor.", 9, 0),
    # counts with a result
    ("No evidence of metastasis in eleven lymph nodes.", 11, 0),
    ("There is no evidence of malignancy in any of 7 lymph nodes.", 7, 0),
    ("Seven (7) negative lymph nodes.", 7, 0),
    ("Three benign hyperplastic lymph nodes.", 3, 0),
    ("Two lymph nodes, negative for carcinoma.", 2, 0),
    ("- lymph nodes x4: negative for carcinoma.", 4, 0),
    ("LYMPH NODE (1) WITH FATTY INFILTRATION, NEGATIVE FOR TUMOR.", 1, 0),
    ("33 lymph nodes are prepared. Of these, two show metastatic infiltration.", 33, 2),
    ("Twenty-three lymph nodes, three of which contain metastatic carcinoma.", 23, 3),
    ("A single benign lymph node is identified.", 1, 0),
    # parts added up, totals not
    ("A. Left pelvic nodes: two lymph nodes negative for tumor. B. Right pelvic nodes: metastasis in 1 of 4 lymph nodes.", 6, 1),
    ("Level I: 0/3. Level II: 2/8 lymph nodes. Level III: 0/5. Level IV: 0/6. Level V: 0/4.", 26, 2),
    ("Right pelvic nodes: 0/7. Left pelvic nodes: 1/5. Total: 1/12.", 12, 1),
    ("Metastasis to 57 out of 81 regional lymph nodes (lesser curvature 50/55, greater curvature 7/26).", 81, 57),
    ("Sentinel lymph node #1, biopsy: negative for tumor. Sentinel lymph node #2, biopsy: metastatic carcinoma.", 2, 1),
    ("Sentinel node: 1/1. Axillary dissection: 2/14 nodes.", 15, 3),
    ("Right pelvic: ten lymph nodes negative for tumor. Left pelvic: ten lymph nodes negative for tumor.", 20, 0),
    # said twice
    ("DIAGNOSIS: Colon: metastasis in 3 of 25 lymph nodes. MICROSCOPIC DESCRIPTION: Three of 25 lymph nodes contain metastasis.", 25, 3),
    ("Four of seventeen lymph nodes contain carcinoma (4/17).", 17, 4),
    # forms
    ("Number of lymph nodes examined: 14. Number of lymph nodes involved: 2.", 14, 2),
    ("Total number with metastasis: 6. Total number examined: 24. Lymph nodes.", 24, 6),
    ("Number of positive lymph nodes: 0/14.", 14, 0),
    ("LYMPH NODES POSITIVE: 1. LYMPH NODES EXAMINED: 23.", 23, 1),
    ("4. Lymph nodes, hilar: Number of nodes examined: 10. Number of metastatic nodes: 8. "
     "5. Lymph nodes, aortic: Number of nodes examined: 18. Number of metastatic nodes: 13.", 28, 21),
    ("Number of sentinel nodes examined: 2. Total number of lymph nodes examined: 16. Number of lymph nodes involved: 1.", 16, 1),
    # adversaries: nothing to count
    ("LYMPH NODE, LEVEL 7, EXCISION", None, None),
    ("Lymph nodes: None identified. Nottingham score 6/9, tubules 2/3.", None, None),
    ("Metastasis to lymph nodes. Page 2 of 6", None, None),
    ("A 1.2 cm lymph node is submitted in cassette 3.", None, None),
    ("Gleason score 3+4, nuclear grade 2/3, no lymph nodes submitted.", None, None),
    ("", None, None),
])
def test_examined_and_positive(text: str, examined: int | None, positive: int | None) -> None:
    found = tuple(values[0].value if values else None for values in node_counts(text))
    assert found == (examined, positive)


def test_gross_counts_do_not_add_to_the_diagnosis() -> None:
    text = ("DIAGNOSIS: Pelvic lymph nodes: metastasis in 1 of 9 lymph nodes. "
            "GROSS DESCRIPTION: Six possible lymph nodes are identified, and three benign lymph nodes in cassette A.")
    examined, positive = node_counts(text)
    assert (examined[0].value, positive[0].value) == (9, 1)


def test_a_reference_to_other_parts_is_not_counted_again() -> None:
    text = ("FINAL DIAGNOSIS: A. LYMPH NODES: FOUR (4) OF FOUR LYMPH NODES POSITIVE (SEE PARTS B AND C). "
            "B. THREE (3) LYMPH NODES POSITIVE FOR CARCINOMA. C. ONE (1) LYMPH NODE POSITIVE FOR CARCINOMA. "
            "D. THREE (3) BENIGN LYMPH NODES.")
    examined, positive = node_counts(text)
    assert (examined[0].value, positive[0].value) == (7, 4)


@pytest.mark.parametrize(("word", "value"), [("forty-two", 42), ("no", 0), ("both", 2), ("12", 12), ("node", None)])
def test_numbers_in_words(word: str, value: int | None) -> None:
    assert number(word) == value


@pytest.mark.parametrize(("text", "examined", "positive"), [
    ("Lymph nodes: 2 positive out of 15 examined.", 15, 2), ("ypT3 ypN1 (2/22).", 22, 2), ("pT4a N3A (9/31)", 31, 9),
    ("Two of fifteen lymph nodes are positive.", 15, 2),
])
def test_ratios_in_other_places(text: str, examined: int, positive: int) -> None:
    found = node_counts(text)
    assert (found[0][0].value, found[1][0].value) == (examined, positive)
