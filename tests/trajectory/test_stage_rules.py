"""Rules that steps state: what defines a category, in which organ, by which size; and what is said of places and sides."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import linker_for
from pathkg.trajectory import Trajectory, verify
from pathkg.trajectory.claims import find_claims
from pathkg.trajectory.involvement import with_involvements

COLON = "Colon, resection: adenocarcinoma. The tumor invades through the muscularis propria into pericolorectal tissue. pT3."
STOMACH = "Stomach, gastrectomy: adenocarcinoma invading the lamina propria. pT1a."
PROSTATE = "Prostate, prostatectomy: adenocarcinoma with extraprostatic extension. The seminal vesicles are free of tumor. pT3a."
BREAST = "Left breast, mastectomy: invasive ductal carcinoma, 3.1 cm. pT2."
KIDNEY = "Right kidney, nephrectomy: clear cell renal cell carcinoma, 5.5 cm, limited to the kidney. The adrenal gland is uninvolved. pT1b."
LUNG = "Right lung, lobectomy: adenocarcinoma, 4.4 cm, invading the visceral pleura. pT2b."
PANCREAS = "Pancreas, Whipple resection: ductal adenocarcinoma of the pancreas, 4.6 cm. pT3."
MELANOMA = "Skin, excision: malignant melanoma, Breslow thickness 2.5 mm, without ulceration. Mitotic rate 4/mm2. pT3a."
ENDOMETRIUM = "Uterus, hysterectomy: endometrioid carcinoma of the endometrium. pT1b."
OVARY = ("Left ovary, oophorectomy: serous carcinoma of the ovary. Right ovary, oophorectomy: serous cystadenoma. Omentum: metastatic "
         "deposits. pT3c.")
MOUTH = "Tongue, glossectomy: squamous cell carcinoma. Lymph nodes: 2/17 positive."
HER2 = "Breast: invasive ductal carcinoma. HER2 negative (1+). MSH2 and MSH6 retained. Loss of MLH1 and PMS2. CK7 negative. E-cadherin positive."


def verdict(statement: str, report: str) -> str:
    step = verify(Trajectory("Sections are examined.", (statement,), "See above."), report=report).steps[0]
    return step.verdict if step.checked else "nothing"


@pytest.mark.parametrize(("report", "true", "false"), [
    (COLON, "Invasion into pericolorectal tissue defines pT3.", "Invasion into the submucosa defines pT3."),
    (COLON, "Growth through the muscularis propria into pericolorectal tissue corresponds to pT3.",
     "Growth through the submucosa into the muscularis propria corresponds to pT3."),
    (STOMACH, "Invasion of the lamina propria defines pT1a.", "Invasion of the serosa defines pT1a."),
    (PROSTATE, "Extraprostatic extension defines pT3a.", "Extraprostatic extension defines pT3b."),
    (PROSTATE, "Extraprostatic extension without seminal vesicle invasion is classified as pT3a.",
     "Seminal vesicle invasion is classified as pT3a."),
    (BREAST, "A tumor of 3.1 cm is pT2.", "A tumor of 3.1 cm is pT1c."),
    (BREAST, "A tumor of more than 2 cm but not more than 5 cm is pT2.", "A tumor of 2 cm or less is pT2."),
    (KIDNEY, "A tumor of 5.5 cm limited to the kidney corresponds to pT1b.", "A tumor of 4 cm or less corresponds to pT1b."),
    (LUNG, "A size between 4 and 5 cm corresponds to pT2b.", "A size of more than 7 cm corresponds to pT2b."),
    (PANCREAS, "A tumor larger than 4 cm defines pT3.", "A tumor of 2 to 4 cm defines pT3."),
    (MELANOMA, "A Breslow thickness of 2.5 mm without ulceration corresponds to pT3a.", "A Breslow thickness of 0.7 mm corresponds to pT3a."),
    (ENDOMETRIUM, "Invasion of the outer half of the myometrium is present.", "Invasion of less than half of the myometrium is present."),
])
def test_what_defines_a_category_of_the_reports_organ(report: str, true: str, false: str) -> None:
    assert verdict(true, report) == "supported"
    assert verdict(false, report) in ("unsupported", "contradicted")


@pytest.mark.parametrize(("report", "statement", "wanted"), [
    # nothing known is said to define a category
    (PROSTATE, "Organ confinement defines pT3a.", "unsupported"),
    (PANCREAS, "A bluish color of the stump defines pT3.", "unsupported"),
    (PANCREAS, "This defines pT3.", "supported"),
    # places that are free or involved
    (PROSTATE, "Seminal vesicle invasion is absent.", "supported"),
    (PROSTATE, "Seminal vesicle invasion is present.", "contradicted"),
    (KIDNEY, "Direct extension into the adrenal gland is present.", "contradicted"),
    (OVARY, "The omentum is free of tumor.", "contradicted"),
    (OVARY, "Omental involvement is present.", "supported"),
    # sides, where the report has both
    (OVARY, "Serous carcinoma is found in the right ovary.", "contradicted"),
    (OVARY, "Serous carcinoma is found in the left ovary.", "supported"),
    # node counts in words
    (MOUTH, "Two of seventeen lymph nodes are positive.", "supported"),
    (MOUTH, "Five of seventeen lymph nodes are positive.", "contradicted"),
    (MOUTH, "None of seventeen lymph nodes is involved.", "contradicted"),
    # bounds on the tumor's size
    (BREAST, "The tumor is larger than 3 cm.", "supported"),
    (BREAST, "The tumor is larger than 5 cm.", "contradicted"),
    # mitotic rates
    (MELANOMA, "The mitotic rate is 4/mm2.", "supported"),
    (MELANOMA, "The mitotic rate is 9/mm2.", "unsupported"),
    # results
    (HER2, "HER2 negative is the result.", "supported"),
    (HER2, "HER2 positive is the result.", "contradicted"),
    (HER2, "Loss of MLH1 and PMS2 indicates mismatch repair deficiency.", "supported"),
    (HER2, "Loss of MSH2 and MSH6 indicates mismatch repair deficiency.", "contradicted"),
    # a denial before the cue does not reach the diagnosis behind it
    ("Prostate, biopsy: prostatic adenocarcinoma. p63 negative.", "Absent p63 supports prostatic adenocarcinoma.", "supported"),
    ("Prostate, biopsy: prostatic adenocarcinoma. p63 negative.", "p63 positivity supports prostatic adenocarcinoma.", "contradicted"),
    # signs in words beside the marker
    ("Testis: seminoma. CD30 negative.", "Negativity for CD30 argues against embryonal carcinoma.", "supported"),
    ("Testis: seminoma. CD30 negative.", "Positivity for CD30 supports embryonal carcinoma.", "contradicted"),
    ("Testis: seminoma. CD30 negative.", "CD30 expression supports embryonal carcinoma.", "contradicted"),
    # a side that the report has nowhere
    ("Left testis, orchiectomy: seminoma.", "The specimen is a right orchiectomy with seminoma.", "contradicted"),
    ("Left testis, orchiectomy: seminoma.", "The specimen is a left orchiectomy with seminoma.", "supported"),
    # comparisons: what is preferred must hold
    ("Kidney: clear cell renal cell carcinoma. CAIX positive.", "CAIX positivity favors clear cell renal cell carcinoma over chromophobe carcinoma.",
     "supported"),
    ("Kidney: clear cell renal cell carcinoma. CAIX positive.", "CAIX positivity favors chromophobe carcinoma over clear cell renal cell carcinoma.",
     "contradicted"),
])
def test_what_a_step_says_beside_its_terms(report: str, statement: str, wanted: str) -> None:
    got = verdict(statement, report)
    # a bound that holds may state nothing else that is checked
    assert got == wanted or (wanted == "supported" and got == "nothing" and "larger than" in statement)


@pytest.mark.parametrize("text", ["Kidney: clear cell renal cell carcinoma.", "The ureteral margin is free of tumor.", "Lymph nodes are free of tumor.",
                                  "Tumor is confined to the kidney.", "The colon shows free perforation."])
def test_words_that_call_no_place_free(text: str) -> None:
    linker = linker_for(pathkg.load())
    mentions = list(linker.link(text).with_results())
    assert with_involvements(text, mentions, linker, {}) == mentions


def claims_of(text: str) -> set[tuple[str, str, str]]:
    linker = linker_for(pathkg.load())
    return {(c.source.name, c.stance, c.target.name) for c in find_claims(text, linker.link(text).with_results())}


def test_one_speaker_for_several_cues() -> None:
    assert claims_of("Keratin pearls support squamous cell carcinoma and exclude seminoma.") == {
        ("keratin pearl", "supports", "squamous cell carcinoma"), ("keratin pearl", "opposes", "seminoma")}
    assert claims_of("Keratin pearls speak for squamous cell carcinoma and against seminoma.") == {
        ("keratin pearl", "supports", "squamous cell carcinoma"), ("keratin pearl", "opposes", "seminoma")}


def test_what_a_denied_list_denies() -> None:
    report = "Kidney: clear cell renal cell carcinoma. No invasion of the renal vein. Perinephric fat invasion is present."
    assert verdict("The tumor does not invade the renal vein or the perinephric fat.", report) == "contradicted"
    assert verdict("The tumor does not invade the renal vein.", report) == "supported"
