"""Structured findings by field, the misleading phrasing beside the plain one."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, extract_findings, linker_for
from pathkg.linking.counts import sizes
from pathkg.linking.margins import margin_distances, margin_status
from pathkg.linking.staging import grades, tnm


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "status"), [
    ("Margins negative for carcinoma.", "uninvolved"),
    ("All margins are uninvolved by tumor.", "uninvolved"),
    ("Resection margins: free of tumor.", "uninvolved"),
    ("Superior margin involved by tumor. Other margins negative for tumor.", "involved"),
    ("Carcinoma extends to the inked margin.", "involved"),
    ("Tumor is present at the deep margin.", "involved"),
    ("Carcinoma does not extend to the margin. Margins are free.", "uninvolved"),
    ("Margins involved: None.", "uninvolved"),
    ("RESECTION MARGIN INVOLVED: Narrowly free.", "uninvolved"),
    ("Margin involved: Yes, deep margin.", "involved"),
    ("Tumor 1.2 cm from deep margin.", "uninvolved"),
    ("The specimen is inked.", None),
])
def test_margins(text: str, status: str | None) -> None:
    found = margin_status(text)
    assert (found[0].value if found else None) == status


@pytest.mark.parametrize(("text", "millimetres"), [
    ("Tumor is 0.2 cm from the nearest margin.", 2.0),
    ("Distance of tumor from closest margin: 5.7 cm", 57.0),
    ("INFILTRATING CARCINOMA 0.8 MM FROM ANTERIOR MARGIN and 3 mm from posterior margin.", 0.8),
    ("Carcinoma within 1 mm of the anterior (yellow ink) margin.", 1.0),
    ("Deep margin: negative, closest by 4 mm.", 4.0),
    ("Distance of invasive carcinoma from closest margin: 11,0 mm", 11.0),
    # no distance of a tumor
    ("The distal margin is 11.0 cm in circumference.", None),
    ("Breast measuring 22.0 cm from the superior to inferior margin.", None),
    ("Distance of tumor center from esophagogastric junction: 2.0 cm", None),
])
def test_distance_to_the_closest_margin(text: str, millimetres: float | None) -> None:
    found = margin_distances(text)
    assert (found[0].value if found else None) == millimetres


@pytest.mark.parametrize(("text", "millimetres"), [
    ("Tumor size: 2.5 x 2 x 1 cm.", 25.0),
    ("TUMOR SIZE = 7.0 CM", 70.0),
    ("a firm, tan mass, 1.7 cm in greatest dimension", 17.0),
    ("Sectioning reveals a 1.5 cm tumor.", 15.0),
    ("Invasive adenocarcinoma (5.3 cm).", 53.0),
    ("LYMPH NODE: METASTASIS. SIZE OF DEPOSIT: 0.6 CM. TUMOR SIZE 3 CM.", 30.0),
    ("Tumor size: multifocal, largest contiguous focus 1.3 cm.", 13.0),
    # something else is measured
    ("Size of the largest lymph node involved by tumor: 0.5 cm", None),
    ("pT2: tumor more than 7 cm, limited to the kidney.", None),
    ("The specimen measures 12 x 8 x 4 cm.", None),
    ("Tumor 1.2 cm from the deep margin.", None),
])
def test_size_of_the_tumour(text: str, millimetres: float | None) -> None:
    found = sizes(text)
    assert (found[0].value if found else None) == millimetres


@pytest.mark.parametrize(("text", "letter", "value"), [
    ("Tumor classification: pT2N3aL0V0R0.", "N", "3a"),
    ("AJCCpT1pN2.", "T", "1"),
    ("Primary tumor (pT): pT3a", "T", "3a"),
    ("pT2 pNO MX", "N", "0"),
    # no category
    ("PERINEURAL INVASION: NOT IDENTIFIED. pT2", "N", None),
    ("#POSITIVE NODES. #TOTAL NODES, pT1", "N", None),
    ("pT2, NOS. Adenocarcinoma, pT1, NOS.", "N", None),
    ("SNOMED CODES. M-80703 T-11180.", "T", None),
])
def test_categories(text: str, letter: str, value: str | None) -> None:
    found = tnm(text, letter)
    assert (found[0].value if found else None) == value


@pytest.mark.parametrize(("text", "procedure"), [
    ("LEFT BREAST, EXCISION OF MASS. MODIFIED RADICAL MASTECTOMY. Excision. Mastectomy.", "modified radical mastectomy"),
    ("Breast, right, biopsy. Breast, right, lumpectomy.", "lumpectomy"),
    ("Stomach, biopsy. Total gastrectomy.", "total gastrectomy"),
    ("Skin, excision.", "excision"),
])
def test_the_procedure_that_says_most(linker: Linker, text: str, procedure: str) -> None:
    assert extract_findings(text, linker=linker).first("procedure") == procedure


@pytest.mark.parametrize(("text", "category"), [
    ("Breast: invasive ductal carcinoma. Micrometastasis in one of two sentinel lymph nodes.", "1mi"),
    ("Breast: invasive ductal carcinoma. Metastasis in one of two sentinel lymph nodes.", "1a"),
    ("Breast: invasive ductal carcinoma. No micrometastasis; two lymph nodes negative for tumor.", "0"),
])
def test_node_category_of_the_breast(linker: Linker, text: str, category: str) -> None:
    assert extract_findings(text, linker=linker).first("pN") == category


@pytest.mark.parametrize(("text", "category"), [
    ("pT2 Pn0", "pN0"), ("pT2, Pn1 M0", "pN1"), ("pT3, Pn1, L0", "pN1"),
    # perineural invasion
    ("pT2 pN0 L0 V0 Pn0", "pN0"), ("Adenocarcinoma, pT3 L1 V0 Pn1.", None), ("Perineural invasion: Pn1", None),
])
def test_pn_beside_t_or_m_is_nodal(linker: Linker, text: str, category: str | None) -> None:
    named = [m.name for m in linker.link(text) if m.name.startswith("pN")]
    assert named == ([category] if category else [])
    assert extract_findings(text, linker=linker).first("pN") == (category[2:] if category else None)


def test_a_category_without_an_organ_is_of_none(linker: Linker) -> None:
    assert [m.id for m in linker.link("pT3.")] == ["PATHKG:pt3"]
    assert linker.graph.resolve("pT3") == "PATHKG:pt3"


def test_codes_state_invasion(linker: Linker) -> None:
    found = extract_findings("Colon: adenocarcinoma, pT3 pN0 L1 V0.", linker=linker)
    assert found.first("lymphovascular_invasion") is True


def test_the_site_is_where_the_tumor_arises(linker: Linker) -> None:
    text = "Lymph nodes, excision: negative. Lymph nodes, pelvic: negative. Right kidney, nephrectomy: renal cell carcinoma."
    assert extract_findings(text, linker=linker).first("site") == "kidney"


def test_a_gleason_score_is_not_the_grade_of_the_bladder(linker: Linker) -> None:
    text = ("Bladder: urothelial carcinoma, poorly differentiated. Urothelial carcinoma invades muscle. "
            "Prostate: incidental prostatic adenocarcinoma, Gleason score 3+3=6.")
    assert extract_findings(text, linker=linker).first("grade")["system"] == "differentiation"


@pytest.mark.parametrize(("text", "grade"), [
    ("Histologic grade: moderately to focally poorly differentiated.", 2),
    ("Histologic grade: moderately to poorly differentiated.", 3),
])
def test_a_focal_grade_is_not_the_grade(linker: Linker, text: str, grade: int) -> None:
    assert extract_findings(f"Colon: adenocarcinoma. {text}", linker=linker).first("grade")["grade"] == grade


def test_a_line_break_inside_a_name(linker: Linker) -> None:
    found = linker.link("BREAST: INFILTRATING DUCT. CARCINOMA, NUCLEAR GRADE II.")
    assert "invasive breast carcinoma of no special type" in [m.name for m in found]


@pytest.mark.parametrize(("text", "value"), [
    ("Vascular invasion cannot be excluded.", "possible"), ("Lymphovascular invasion: suspicious", "possible"),
    ("Lymphovascular invasion cannot be excluded on H&E. D2-40: lymphatic invasion is present.", True),
    ("Lymphovascular invasion: not identified", False)])
def test_a_doubtful_invasion_is_neither_there_nor_not(linker, text, value):
    found = extract_findings(text, linker=linker).first("lymphovascular_invasion")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("text", "letter", "value"), [
    ("Noninvasive papillary urothelial carcinoma (pTa).", "T", "a"), ("pT a total of", "T", "a"), ("T A B C", "T", None),
    ("PT4A N3A (9/31)", "N", "3a"), ("pN1B", "N", "1b"), ("PN1MI(SN)", "N", "1mi"), ("pT1b(m) N1a", "N", "1a"), ("pN1 A total of nine", "N", "1"),
    ("Lymph Node Stage: NO (no metastasis)", "N", "0"), ("Stage: LYMPH NODES, EXCISION. NO CARCINOMA", "N", None),
    ("Stage (fibrosis): Septal. Cirrhosis: No. Dysplasia: No.", "N", None),
])
def test_categories_in_capitals_and_their_look_alikes(text: str, letter: str, value: str | None) -> None:
    found = tnm(text, letter)
    assert (found[0].value if found else None) == value


@pytest.mark.parametrize(("text", "status"), [
    ("Positive margins are absent.", "uninvolved"), ("Margins positive: None.", "uninvolved"), ("Margins positive: right apex.", "involved"),
    ("CRM clear by 2 mm.", "uninvolved"), ("Wedge staple line: positive for carcinoma.", "involved"), ("No positive margins.", "uninvolved"),
    ("Left ureter margin: urothelial carcinoma in situ; right ureter margin: negative.", "involved"),
    ("Margins: anterior - negative; posterior - carcinoma in situ at margin.", "involved"), ("Carcinoma is not present at the margin.", None),
    ("Left ureter margin: no carcinoma in situ.", "uninvolved"), ("Positive margins: N/A.", None), ("No carcinoma at the inked margin.", "uninvolved"),
    ("Distal margin: uninvolved by carcinoma.", "uninvolved"), ("Distance of tumor to margin: 3 mm.", "uninvolved"),
])
def test_margins_in_other_words(text: str, status: str | None) -> None:
    found = margin_status(text)
    assert (found[0].value if found else None) == status


@pytest.mark.parametrize(("text", "distance"), [
    ("CRM clear by 2 mm.", 2.0), ("Margins negative, closest 0.2 cm (deep).", 2.0), ("Tumor extends to within 0.1 cm of the deep margin.", 1.0),
    ("Margins clear. Closest lymph node 2 cm.", None),
])
def test_margin_distances_in_other_words(text: str, distance: float | None) -> None:
    found = margin_distances(text)
    assert (found[0].value if found else None) == distance


@pytest.mark.parametrize(("text", "size"), [
    ("LEFT THIGH: DEDIFFERENTIATED LIPOSARCOMA, 18 CM, FNCLCC GRADE 2.", 180.0), ("Seminoma, 3.5 cm, confined to the testis.", 35.0),
    ("MELANOMA, BRESLOW 1.2 MM, CLARK LEVEL IV.", None), ("Tumor epicenter 2 cm distal to the Z-line.", None),
    ("Carcinoma invading 3 mm of 18 mm myometrium.", None), ("Keratinizing squamous cell carcinoma, 4.5 CM.", 45.0),
    # the figure of a grade before the size is no part of it
    ("Clear cell renal cell carcinoma, Fuhrman grade 3, 7.2 cm.", 72.0), ("Renal cell carcinoma, Fuhrman grade 3, 7 cm.", 70.0),
    ("Ductal carcinoma, Nottingham grade 2/3, 2.2 cm.", 22.0), ("Adenocarcinoma, Gleason score 7, 2 cm.", 20.0),
    ("Urothelial carcinoma, nuclear grade 2 of 4, 3 x 2 x 1 cm.", 30.0), ("Carcinoma, grade 2, 0.3 cm from the margin.", None),
    ("Carcinoma, grade 3, margin 0.2 cm away.", None), ("Carcinoma, grade 1, 2 of 5 lymph nodes.", None),
])
def test_sizes_in_other_words(text: str, size: float | None) -> None:
    found = sizes(text)
    assert (found[0].value if found else None) == size


@pytest.mark.parametrize(("text", "system", "grade"), [
    ("WHO GRADE 4 glioblastoma.", "WHO", 4), ("FNCLCC grade 2 liposarcoma.", "FNCLCC", 2), ("FIGO grade 1 endometrioid carcinoma.", "FIGO", 1),
    ("Undifferentiated pleomorphic sarcoma, high grade.", "tier", 3), ("Undifferentiated carcinoma.", "differentiation", 4),
])
def test_systems_of_grading(text: str, system: str, grade: int) -> None:
    found = grades(text)[0].value
    assert (found["system"], found["grade"]) == (system, grade)


@pytest.mark.parametrize("text", ["Tumor regression grade 2.", "Response grade 1.", "CIN grade 3."])
def test_grades_of_something_else(text: str) -> None:
    assert grades(text) == []


@pytest.mark.parametrize(("text", "name", "expression"), [
    ("HER2 IHC 1+, Ki-67 15%.", "HER2", False), ("Triple negative (ER 0%, PR 0%, HER2 0).", "HER2", False), ("HER2 3+.", "HER2", True),
    ("HER2 2+.", "HER2", None), ("HER2 IHC 2+, FISH not amplified.", "HER2", False), ("p53: wild-type. ER+, PR+, WT1 negative.", "PR", True),
    ("p53: wild-type. ER+, PR-, WT1 positive.", "PR", False), ("HER2 (HERCEPTEST): 1+ (negative)", "HER2", False),
])
def test_receptor_results_in_other_words(linker: Linker, text: str, name: str, expression: bool | None) -> None:
    assert extract_findings(text, linker=linker).first(name)["expression"] is expression


def test_explain_names_every_value(linker: Linker) -> None:
    said = extract_findings("Grade 2. Margins negative. The superior margin is positive.", linker=linker).explain()
    assert "margins: involved (from" in said
    assert "uninvolved (from" in said
