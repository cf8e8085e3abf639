"""Wordings by pattern: unfilled forms, values that end a denial, hypotheses, comparisons, how far a tumor has grown."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, extract_findings, linker_for
from pathkg.linking.staging import grades

STATUS = """
# nobody filled it in
Extranodal extension: SIDE. LEVEL.|Extranodal extension|unspecified
Extranodal extension: SIDE: LEVEL:|Extranodal extension|unspecified
Lymphovascular invasion: Select one|Lymphovascular invasion|unspecified
Perineural invasion (check all that apply):|Perineural invasion|unspecified
Perineural invasion: (select all that apply) Margins: uninvolved|Perineural invasion|unspecified
Lymphovascular invasion: present / absent / indeterminate|Lymphovascular invasion|unspecified
Lymphovascular invasion: (present/absent)|Lymphovascular invasion|unspecified
Lymphovascular invasion: yes/no. Margins: negative.|Lymphovascular invasion|unspecified
Lymphovascular invasion: Not identified / Present / Cannot be determined|Lymphovascular invasion|unspecified
Seminal vesicle invasion: right / left / bilateral|Seminal vesicle invasion|unspecified
Extrathyroidal extension: minimal / gross.|Extrathyroidal extension|unspecified
Tumor necrosis: Specify percentage|Tumor necrosis|unspecified
Necrosis: ______|Necrosis|unspecified
NUMBER POSITIVE. NUMBER EXAMINED. EXTRANODAL EXTENSION. Colon, resection.|EXTRANODAL EXTENSION|unspecified
Histologic grade: Grade 1: well differentiated; Grade 2: moderately differentiated; Grade 3: poorly differentiated.|moderately differentiated|unspecified
GRADE I: WELL DIFFERENTIATED. GRADE II: MODERATELY DIFFERENTIATED. Tumor grade: II.|WELL DIFFERENTIATED|unspecified
Histologic grade: Well differentiated (G1) Moderately differentiated (G2) Poorly differentiated (G3)|Poorly differentiated|unspecified
Perinephric fat invasion: Renal vein involvement: Adrenal gland present: Cancer at resection margin:|Renal vein involvement|unspecified
# but these were
Chronic cholecystitis (please see microscopic description).|Chronic cholecystitis|present
Extensive intraductal component (present/absent : absent. Margins: negative.|Extensive intraductal component|absent
Lymphovascular invasion (present/absent): absent|Lymphovascular invasion|absent
Perineural invasion [present, absent, indeterminate]: present|Perineural invasion|present
Perineural invasion (check all that apply): present|Perineural invasion|present
Necrosis: present, focal|Necrosis|present
Necrosis: none identified|Necrosis|absent
Necrosis: not identified|Necrosis|absent
Extranodal extension: Side: left. Level: II.|Extranodal extension|present
Extranodal extension: Present. Level II.|Extranodal extension|present
Necrosis: extent 10%|Necrosis|present
Adenocarcinoma. Extranodal extension. Colon, resection.|Extranodal extension|present
Grade 2: moderately differentiated.|moderately differentiated|present
[x] well differentiated [ ] moderately differentiated [ ] poorly differentiated|well differentiated|present
Well to moderately differentiated and focally poorly differentiated.|poorly differentiated|present
# a value ends the denial
No necrosis, mitotic activity low.|mitotic activity|present
No necrosis, mitotic rate low.|mitotic rate|present
No necrosis, nuclear grade high.|nuclear grade high|present
No necrosis, high nuclear grade.|high nuclear grade|present
No LVI, margins positive.|margins positive|present
No ulceration, Breslow depth 1.2 mm.|Breslow depth|present
Without necrosis, Ki-67 low.|Ki-67|present
No invasive carcinoma, endocervical margin positive for dysplasia.|dysplasia|present
No dedifferentiation, MDM2 amplified by FISH.|MDM2|present
# a list does not
No blood vessel, lymphatic or perineural invasion present.|perineural invasion|absent
No necrosis, mitotic activity or atypia.|mitotic activity|absent
No necrosis, mitotic activity.|mitotic activity|absent
No low grade dysplasia, high grade dysplasia or carcinoma.|high grade dysplasia|absent
No perineural invasion, lymphovascular invasion, or necrosis.|lymphovascular invasion|absent
# what is only supposed
Should lymphoma be a concern, flow cytometry is recommended.|lymphoma|possible
Should invasive carcinoma be suspected, deeper sections can be cut.|invasive carcinoma|possible
In the event of melanoma, re-excision is advised.|melanoma|possible
If clinically indicated to exclude lymphoma, submit fresh tissue.|lymphoma|possible
Clinical correlation is needed to exclude metastasis.|metastasis|possible
Melanoma should be excluded.|Melanoma|possible
It should read: melanoma.|melanoma|present
The findings exclude melanoma.|melanoma|absent
# what something is preferred to
Favor adenocarcinoma over squamous cell carcinoma.|adenocarcinoma|possible
Favor adenocarcinoma over squamous cell carcinoma.|squamous cell carcinoma|possible
Adenocarcinoma, less likely squamous cell carcinoma.|squamous cell carcinoma|possible
Adenocarcinoma, less likely squamous cell carcinoma.|Adenocarcinoma|present
More consistent with adenocarcinoma than with mesothelioma.|mesothelioma|possible
More in keeping with schwannoma than neurofibroma.|neurofibroma|possible
Schwannoma rather than neurofibroma.|neurofibroma|absent
Schwannoma rather than neurofibroma.|Schwannoma|present
# evidence that is denied
No matrix is seen to suggest osteosarcoma.|osteosarcoma|absent
No features to suggest lymphoma.|lymphoma|absent
There is nothing to suggest malignancy.|malignancy|absent
Nothing to indicate metastasis.|metastasis|absent
No findings suggestive of malignancy.|malignancy|absent
No features suspicious for malignancy.|malignancy|absent
Not suspicious for carcinoma.|carcinoma|absent
No histologic features diagnostic of celiac disease.|celiac disease|absent
No lymph nodes are involved by carcinoma.|carcinoma|absent
Neither the serosa nor the adnexa are involved by tumor.|tumor|absent
# and evidence that is not
The features suggest lymphoma.|lymphoma|possible
No necrosis, suspicious for lymphoma.|lymphoma|possible
No necrosis, but the features suggest lymphoma.|lymphoma|possible
Not diagnostic but suspicious for carcinoma.|carcinoma|possible
Lymph nodes are involved by carcinoma.|carcinoma|present
# every place of a list
The tumor does not invade the capsule or renal sinus.|renal sinus|absent
The tumor does not invade the renal capsule, renal sinus fat, or renal vein.|renal sinus fat|absent
The tumor does not invade the renal capsule, renal sinus fat, or renal vein.|renal vein|absent
Neither the capsule nor the renal vein is involved.|renal vein|absent
The tumor invades neither the capsule nor the renal vein.|capsule|absent
Without invasion of the capsule, renal vein, or perinephric fat.|perinephric fat|absent
No invasion of blood vessels or nerves.|nerves|absent
The tumor invades the capsule and renal sinus.|renal sinus|present
Tumor invades the muscularis propria, and the serosa is free.|muscularis propria|present
The tumor invades the muscularis propria but not the serosa.|serosa|absent
Extension into periprostatic soft tissue and surrounding the seminal vesicles.|seminal vesicles|present
Invades the serosa and margins are free.|serosa|present
Necrosis and ulceration are absent.|Necrosis|absent
No extension into the renal vein. Kidney with cysts.|Kidney|present
"""

CASES = [tuple(line.split("|")) for line in STATUS.strip().splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "span", "status"), CASES)
def test_status(linker: Linker, text: str, span: str, status: str) -> None:
    start = text.index(span)
    found = [m for m in linker.link(text) if m.start < start + len(span) and m.end > start]
    assert found, f"{span!r} was not linked"
    assert str(found[-1].assertion) == status, found[-1].why


@pytest.mark.parametrize(("text", "name", "status"), [
    # how far the tumor has grown
    ("Tumor invading less than half of the myometrium.", "myometrial invasion less than half", "present"),
    ("Tumor invades more than half of the myometrium.", "myometrial invasion half or more", "present"),
    ("Tumor invades into the outer one-third of the myometrium.", "myometrial invasion half or more", "present"),
    ("Invasion of the deep third of the cervical stroma.", "full-thickness cervical stromal invasion", "present"),
    ("Inner third of the cervical stroma is invaded.", "cervical stromal invasion", "present"),
    ("Bladder: tumor invades the superficial muscularis propria.", "inner half muscularis propria invasion", "present"),
    ("Colon: tumor invades the superficial muscularis propria.", "muscularis propria invasion", "present"),
    ("Tumor extends into but not through the muscularis propria.", "muscularis propria invasion", "present"),
    ("Tumor extends into but not through the muscularis propria.", "invasion through muscularis propria", "absent"),
    ("Tumor invades perirenal fat.", "perinephric fat invasion", "present"),
    ("Tumor extends into the renal sinus fat.", "renal sinus invasion", "present"),
    ("Tumor invades into the pericolic fat.", "pericolorectal tissue invasion", "present"),
    ("Colon with infiltration of the tunica muscularis propria.", "muscularis propria invasion", "present"),
    # words that say it has hardly grown
    ("Lung: minimally invasive mucinous adenocarcinoma.", "minimally invasive lung adenocarcinoma", "present"),
    ("Lung: invasive mucinous adenocarcinoma.", "invasive mucinous adenocarcinoma of lung", "present"),
    ("Micro-invasive ductal carcinoma.", "microinvasive carcinoma of breast", "present"),
    ("Non-invasive squamous cell carcinoma.", "squamous cell carcinoma in situ", "present"),
    ("Pre-invasive squamous cell carcinoma.", "squamous cell carcinoma in situ", "present"),
    ("Intraepidermal squamous cell carcinoma.", "squamous cell carcinoma in situ", "present"),
    ("Melanoma, in situ.", "melanoma in situ", "present"),
    ("Carcinoma, ductal, in situ.", "ductal carcinoma in situ", "present"),
    ("Urothelial carcinoma, flat, in situ.", "urothelial carcinoma in situ", "present"),
    ("Adenocarcinoma, endocervical type, in situ.", "adenocarcinoma in situ", "present"),
    ("Ductal carcinoma, in situ, high grade.", "ductal carcinoma in situ", "present"),
    ("Invasive ductal carcinoma, in situ carcinoma also present.", "invasive breast carcinoma of no special type", "present"),
    ("No residual carcinoma identified consistent with complete response.", "pathologic complete response", "possible"),
    ("Squamous cell carcinoma, invasive and in situ.", "squamous cell carcinoma", "present"),
    ("Squamous cell carcinoma with carcinoma in situ.", "squamous cell carcinoma", "present"),
    ("Focally invasive lobular carcinoma.", "invasive lobular carcinoma", "present"),
    ("Noninvasive urothelial carcinoma.", "urothelial carcinoma", "present"),
    # both ends of a range
    ("Fuhrman grade 2-3.", "Fuhrman grade 2", "present"), ("Fuhrman grade 2-3.", "Fuhrman grade 3", "present"),
    ("FNCLCC grade 2-3.", "FNCLCC grade 3", "present"), ("WHO grade II-III glioma.", "WHO grade 3", "present"),
    # counts are no scores
    ("Mitoses 3/mm2.", "mitotic figure", "present"), ("Mitoses: 3/10 HPF", "mitotic figure", "present"),
    ("Breast carcinoma, Nottingham grade 2, mitotic count 3 per 10 HPF.", "mitotic activity", "present"),
    ("Nottingham grade: tubules 3, nuclei 3, mitoses 3, total 9/9.", "mitotic count score 3", "present"),
    ("Nottingham grade 2, mitotic count 2 (12 per 10 HPF).", "mitotic count score 2", "present"),
])
def test_finding(linker: Linker, text: str, name: str, status: str) -> None:
    assert (name, status) in [(m.name, str(m.assertion)) for m in linker.link(text)]


@pytest.mark.parametrize(("text", "name"), [
    ("Melanoma, mitoses 3/mm2.", "mitotic count score 3"), ("Melanoma. Mitoses 2.", "mitotic count score 2"),
    ("FNCLCC grade 2/3.", "FNCLCC grade 3"), ("Nottingham grade 2/3.", "Nottingham grade 3"), ("Grade 2 - 3 cm tumor.", "grade 3"),
    ("Inflammation extends into the muscularis propria.", "muscularis propria invasion"), ("Lymphocytes infiltrate the submucosa.", "submucosal invasion"),
    ("The visceral pleura is infiltrated by lymphocytes.", "visceral pleural invasion"), ("Carcinoma involving the rectum.", "rectal invasion"), ("Tumor invades the urinary bladder.", "bladder mucosal invasion"),
    ("Colon: tumor invades the superficial muscularis propria.", "inner half muscularis propria invasion"),
    ("Noninvasive urothelial carcinoma.", "urothelial carcinoma in situ"),
])
def test_not_found(linker: Linker, text: str, name: str) -> None:
    assert name not in [m.name for m in linker.link(text)]


@pytest.mark.parametrize(("text", "expected"), [
    ("Invasive carcinoma, grade 1-2.", [("numeric", 2)]), ("Fuhrman nuclear grade 2-3 of 4.", [("Fuhrman", 3)]),
    ("Fuhrman grade 2 to 3.", [("Fuhrman", 3)]), ("Adenocarcinoma G1/G2.", [("numeric", 2)]), ("Adenocarcinoma, G2-3.", [("numeric", 3)]),
    ("WHO grade II-III glioma.", [("WHO", 3)]), ("FIGO grade 1 to 2.", [("FIGO", 2)]), ("FNCLCC grade 2-3.", [("FNCLCC", 3)]),
    ("Nottingham grade 2-3.", [("Nottingham", 3)]), ("Tumor grade: 2-3.", [("histologic", 3)]),
    # a stroke before a bare figure counts the grades; a size is no grade
    ("Nottingham grade 2/3.", [("Nottingham", 2)]), ("Grade II/III adenocarcinoma.", [("numeric", 2)]), ("Grade 2 of 4.", [("numeric", 2)]),
    ("Grade 2 - 3 cm tumor.", [("numeric", 2)]), ("Grade 2 - 3.5 cm tumor.", [("numeric", 2)]), ("Grade 2, 3 foci.", [("numeric", 2)]),
    # said again is said once, and two grades are two
    ("Fuhrman grade 3. Fuhrman nuclear grade: 3. Microscopic: Fuhrman grade 3.", [("Fuhrman", 3)]),
    ("Tumor A: grade 1. Tumor B: grade 3.", [("numeric", 1), ("numeric", 3)]),
    # legends and boxes
    ("Grade 1: well differentiated; Grade 2: moderately differentiated; Grade 3: poorly differentiated.", []),
    ("GRADE 1: <5% SOLID GROWTH. GRADE 2: 6-50% SOLID GROWTH. FIGO GRADE: 2", [("FIGO", 2)]),
    ("Well differentiated (G1) Moderately differentiated (G2) Poorly differentiated (G3)", []),
    ("[ ] well differentiated [x] moderately differentiated [ ] poorly differentiated", [("differentiation", 2)]),
    ("Grade 2: moderately differentiated.", [("differentiation", 2), ("numeric", 2)]),
])
def test_grades(text: str, expected: list[tuple[str, int]]) -> None:
    assert [(v.value["system"], v.value["grade"]) for v in grades(text)] == expected


@pytest.mark.parametrize(("text", "value"), [
    ("Kidney: renal vein invasion cannot be excluded.", None), ("Tumor thrombus in the renal vein.", None),
    ("Renal vein invasion present. Lymphovascular invasion: not identified.", False),
    ("Lymphovascular invasion cannot be excluded.", "possible"), ("Venous invasion is present.", True),
    ("Lymphovascular invasion: present / absent", None), ("Hepatic vein invasion: no. Microvessel invasion: yes.", True),
])
def test_a_large_vein_is_its_own_finding(linker: Linker, text: str, value: object) -> None:
    assert extract_findings(text, linker=linker).first("lymphovascular_invasion") == value


def test_a_form_that_no_rule_allows_hides_nothing(linker: Linker) -> None:
    # "mitotic count 3" needs a scoring system in the text
    assert [m.name for m in linker.link("Melanoma, mitotic count 3.")] == ["melanoma", "mitotic activity"]
    assert "mitotic count score 3" in [m.name for m in linker.link("Nottingham score: mitotic count 3.")]


def test_the_organ_s_own_node_depends_on_the_node_not_only_the_words(linker: Linker) -> None:
    graph = linker.graph
    organs = linker._settler._chooser.organs
    colon, (general, other) = graph.index("UBERON:0001155"), map(graph.index, map(graph.resolve, ("adenocarcinoma", "squamous cell carcinoma")))
    first = organs.special("zz", general, colon, "disease")
    assert graph.name(first) == "colon adenocarcinoma"
    assert organs.special("zz", other, colon, "disease") != first
