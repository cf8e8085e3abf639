"""What a plan may say: sites that hold the tumor, rivals of the same organ, grades as they were reported."""

from __future__ import annotations

import pytest

from datagen import differentials
from datagen.api import Generator
from datagen.pipeline import RunSummary
from datagen.plan import Plan
from datagen.records import Case
from datagen.writers import phrases as say

KIDNEY = "Kidney, nephrectomy: clear cell renal cell carcinoma. Clear cytoplasm. Delicate vascular network. Necrosis is present. pT2. "
BREAST = "Breast, mastectomy: invasive ductal carcinoma. Perineural invasion is present. Necrosis is present. pT2. "


def plan_of(generator: Generator, text: str) -> Plan:
    case = Case("p", "p", text)
    plan = generator.plan(case, generator.read(case)[1])
    assert isinstance(plan, Plan), plan
    return plan


@pytest.mark.parametrize(("text", "site"), [
    (KIDNEY + "The tumor is located in the upper pole of kidney.", "upper pole of kidney"),
    (BREAST + "The tumor lies in the upper outer quadrant of the breast.", "upper outer quadrant of breast"),
    # adversaries: the same anatomy, and no tumor in it
    (KIDNEY + "The upper pole of kidney is free of tumor.", ""),
    (KIDNEY + "The tumor is in the upper pole of kidney. Sections of the upper pole of kidney: no carcinoma.", ""),
    (KIDNEY + "Renal sinus: free of tumor.", ""),
    (KIDNEY + "Tumor extends to the renal capsule.", ""),
    (KIDNEY + "Tumor is at the renal vein margin.", ""),
    (BREAST + "The nipple is everted and brown.", ""),
    (BREAST + "The nipple is uninvolved by carcinoma.", "")])
def test_a_site_is_told_only_where_the_text_puts_the_tumor(generator: Generator, text: str, site: str) -> None:
    assert [f.name for f in plan_of(generator, text).sites] == ([site] if site else [])


def test_no_single_finding_defines_a_grade(generator: Generator) -> None:
    plan = plan_of(generator, BREAST + "Nuclear pleomorphism. Cribriform pattern. High grade. "
                   "Metastasis in one axillary lymph node, pN1a.")
    grade = plan.category("grade")
    assert grade is not None
    assert grade.defined_by == ()


@pytest.mark.parametrize(("rival", "organ", "at_home"), [
    ("lung squamous cell carcinoma", "lung", True), ("kidney oncocytoma", "kidney", True),
    ("kidney oncocytoma", "lung", False), ("prostate adenocarcinoma", "breast", False),
    ("clear cell renal cell carcinoma", "stomach", False)])
def test_a_rival_is_of_the_organ(generator: Generator, rival: str, organ: str, at_home: bool) -> None:
    graph = generator.graph
    assert differentials.at_home(graph.resolve(rival), {graph.resolve(organ)}, generator.taxonomy) is at_home


def test_every_rival_of_the_examples_is_of_their_organ(generator: Generator, examples: list[Case]) -> None:
    seen = 0
    for case in examples:
        plan = generator.plan(case, generator.read(case)[1])
        if isinstance(plan, Plan) and plan.organ is not None:
            for rival in plan.differentials:
                assert differentials.at_home(rival.id, {plan.organ.id}, generator.taxonomy), (plan.organ.name, rival.name)
                seen += 1
    assert seen


def test_a_marker_is_positive_or_negative_and_no_grade_is_doubled(generator: Generator, examples: list[Case]) -> None:
    plain = nouns = 0
    for case in examples:
        for sample in generator.generate(case).samples:
            # the noun is left for what does not verify in the plain form
            plain += sum(sample.observe.count(w) for w in (" positive", " negative"))
            nouns += sum(sample.observe.count(w) for w in ("positivity", "negativity"))
            assert "raded grade" not in sample.text
            assert "rade: grade" not in sample.text
    assert plain > 2 * nouns
    assert say.without_word(say.ANSWER_JOIN, "grade 3") == (", {grade}",)


def test_a_summary_counts_in_words(tmp_path: object) -> None:
    counts = {"cases": 1, "accepted": 0, "samples": 1, "patients": 1, "question_kinds": {}, "rejected_cases": {}}
    text = RunSummary(tmp_path, {"counts": counts}).explain()  # type: ignore[arg-type]
    assert "of 1 case accepted" in text
    assert "1 patient" in text
    assert "1 patients" not in text
    assert "questions" not in text


THYROID = "Thyroid, total thyroidectomy: papillary thyroid carcinoma, {variant}. Tall cells are seen. Psammoma bodies are present. Nuclear grooves. pT2. "


@pytest.mark.parametrize(("variant", "speaks"), [("follicular variant", False), ("tall cell variant", True)])
def test_a_finding_that_names_another_subtype_says_nothing_for_this_one(generator: Generator, variant: str, speaks: bool) -> None:
    plan = plan_of(generator, THYROID.format(variant=variant))
    assert variant in plan.diagnosis.name
    assert ("tall cell" in {k.finding.name for k in plan.support}) is speaks
    assert {"psammoma body", "nuclear groove"} & {k.finding.name for k in plan.support}  # what the class has is still told


def test_a_precursor_of_a_class_is_none_of_its_members(generator: Generator) -> None:
    plan = plan_of(generator, THYROID.format(variant="follicular variant") + "Adenomatous change is present.")
    assert "precursor_of" not in {k.relation for k in plan.support}


def test_an_association_is_not_told_as_typical() -> None:
    assert all("associated with" in words for words in say.SUPPORT_ASSOCIATED)
