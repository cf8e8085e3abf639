"""What a plan may say: sites that hold the tumor, rivals of the same organ, grades as they were reported."""

from __future__ import annotations

import pytest

from datagen.api import Generator
from datagen.plan import Plan
from datagen.records import Case

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
