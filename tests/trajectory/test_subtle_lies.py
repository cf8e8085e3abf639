"""Statements that are nearly right: a wrong count, side of a size, margin or category must not pass, and a paraphrase must."""

from __future__ import annotations

import pytest

from pathkg.trajectory import Trajectory, verify
from pathkg.trajectory.statements import claimed_counts, lesser_sides, margin_status, stated_counts

REPORT = ("Left neck dissection: metastatic carcinoma involving one (1) of seven (7) lymph nodes in level I and TWO (2) OF NINE (9) "
          "lymph nodes in level II. Left tonsil: squamous cell carcinoma, poorly differentiated, 5.5 x 4.5 x 2.4 cm, invading skeletal "
          "muscle. The deep margin is positive for tumor. Perineural invasion is absent. Ki-67 30%. pT3 pN2b.")
CLEAR = "Right colon: adenocarcinoma. Proximal and distal margins: negative for tumor. Lymph nodes: 0/14. pT2 pN0."


def verdict(statement: str, report: str = REPORT) -> str:
    step = verify(Trajectory(statement, (statement,), statement), report=report).steps[0]
    return step.verdict if step.checked else "nothing"


@pytest.mark.parametrize(("statement", "wanted"), [
    ("Metastatic carcinoma is found in 1/7 lymph nodes.", "supported"),
    ("Metastatic carcinoma is found in 2 of 9 lymph nodes.", "supported"),
    ("In all 3 of 16 lymph nodes are positive.", "supported"),
    ("Metastatic carcinoma is found in 4/7 lymph nodes.", "contradicted"),
    ("Metastatic carcinoma is found in 0/9 lymph nodes.", "contradicted"),
    ("Metastatic carcinoma is found in 5/31 lymph nodes.", "unsupported"),
    ("The tumor measures 5.5 cm.", "supported"),
    ("The tumor measures 5.5 cm in greatest dimension.", "supported"),
    ("The tumor measures 4.5 cm in greatest dimension.", "unsupported"),
    ("The tumor measures 6.5 cm.", "unsupported"),
    ("The Ki-67 index is 30%.", "supported"),
    ("The Ki-67 index is 60%.", "unsupported"),
    ("The margin is involved by tumor.", "supported"),
    ("All margins are free of tumor.", "contradicted"),
    ("The tumor is well differentiated.", "contradicted"),
    ("Squamous cell carcinoma of the right tonsil is poorly differentiated.", "contradicted"),
    ("Perineural invasion is present.", "contradicted"),
    ("Lymph node metastasis is present.", "supported"),
    ("Lymph node metastasis is absent.", "contradicted"),
])
def test_nearly_right_is_wrong(statement: str, wanted: str) -> None:
    assert verdict(statement) == wanted


@pytest.mark.parametrize(("statement", "wanted"), [
    ("The margins are involved by tumor.", "contradicted"),
    ("Lymph node metastasis is absent.", "supported"),
    ("0/14 lymph nodes are involved.", "supported"),
    ("2/14 lymph nodes are involved.", "contradicted"),
    ("The margins are free.", "supported"),
])
def test_a_clear_specimen(statement: str, wanted: str) -> None:
    assert verdict(statement, CLEAR) == wanted


def test_counts_that_are_no_nodes_are_left_alone() -> None:
    assert claimed_counts("Nottingham score 6 of 9. Block 3 of 10.") == ()
    assert (1, 7) in stated_counts(REPORT)
    assert (3, 16) in stated_counts(REPORT)


def test_margins_and_sides() -> None:
    assert margin_status("No tumor at the margin. The margin is uninvolved.") == {"free"}
    assert margin_status("Nothing is said.") == frozenset()
    assert {str(v) for v in lesser_sides(REPORT)} == {"size=45", "size=24"}
