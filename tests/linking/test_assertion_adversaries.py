"""Assertion by pattern: for each rule a text where it holds and one that only looks like it."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, linker_for

TABLE = """
# lists under one negation
No necrosis, ulceration, or lymphovascular invasion.|ulceration|absent
No necrosis, ulceration, or lymphovascular invasion.|lymphovascular invasion|absent
Negative for dysplasia, malignancy and granulomas.|granulomas|absent
There is no evidence of dysplasia or malignancy.|malignancy|absent
Neither necrosis nor perineural invasion is seen.|perineural invasion|absent
Neither necrosis nor perineural invasion is seen.|necrosis|absent
No necrosis or hemorrhage but perineural invasion is present.|perineural invasion|present
No necrosis or hemorrhage but perineural invasion is present.|hemorrhage|absent
No lymphovascular invasion; perineural invasion present.|perineural invasion|present
No necrosis is seen. Perineural invasion is seen.|Perineural invasion|present
No necrosis; there is ulceration.|ulceration|present
Necrosis and ulceration are not identified.|Necrosis|absent
Necrosis, ulceration and hemorrhage are absent.|Necrosis|absent
Necrosis present, ulceration absent.|Necrosis|present
Necrosis present, ulceration absent.|ulceration|absent
Necrosis absent, ulceration present.|ulceration|present
Fibrosis without necrosis.|Fibrosis|present
Fibrosis without necrosis.|necrosis|absent
Fibrosis with no necrosis or hemorrhage.|hemorrhage|absent
# doubts, questions and letters
Necrosis? Not present.|Necrosis|absent
Necrosis? No|Necrosis|absent
Necrosis: N|Necrosis|absent
Necrosis: Y|Necrosis|present
Lymphovascular invasion (LVI): N|LVI|absent
Lymphovascular invasion (LVI): N|Lymphovascular invasion|absent
Lymph nodes: N 0|Lymph nodes|present
Suspicious for, but not diagnostic of, carcinoma.|carcinoma|possible
Suggestive of but not diagnostic of lymphoma.|lymphoma|possible
Not diagnostic of carcinoma.|carcinoma|absent
Not unlike a schwannoma.|schwannoma|possible
Not a schwannoma.|schwannoma|absent
CD117 is negative, arguing against gastrointestinal stromal tumor.|gastrointestinal stromal tumor|absent
CD117 is positive, favoring gastrointestinal stromal tumor.|gastrointestinal stromal tumor|possible
Melanoma is less likely.|Melanoma|possible
Melanoma is not favored.|Melanoma|possible
Melanoma is identified.|Melanoma|present
The appearances are in favour of lymphoma.|lymphoma|possible
# fields
Necrosis: No|Necrosis|absent
Necrosis: Not identified|Necrosis|absent
Necrosis: Absent|Necrosis|absent
Necrosis: Negative|Necrosis|absent
Necrosis: None|Necrosis|absent
Necrosis: None identified|Necrosis|absent
Necrosis: Not seen|Necrosis|absent
Necrosis - absent|Necrosis|absent
Necrosis - not identified|Necrosis|absent
Necrosis (absent)|Necrosis|absent
Necrosis is not a feature.|Necrosis|absent
Necrosis: N/A|Necrosis|unspecified
Necrosis: Not applicable|Necrosis|unspecified
Necrosis: Indeterminate|Necrosis|possible
Necrosis: Cannot be determined|Necrosis|unspecified
Necrosis: Present|Necrosis|present
Necrosis: Yes|Necrosis|present
Necrosis: Identified|Necrosis|present
Necrosis: Extensive|Necrosis|present
Perineural invasion: No. Necrosis: Present.|Perineural invasion|absent
Perineural invasion: No. Necrosis: Present.|Necrosis|present
Perineural invasion: Present Necrosis: Absent|Perineural invasion|present
Perineural invasion: Present Necrosis: Absent|Necrosis|absent
PERINEURAL INVASION: NOT IDENTIFIED. NECROSIS: PRESENT.|NECROSIS|present
Lymphovascular invasion: Not identified Perineural invasion: Present|Perineural invasion|present
Lymphovascular invasion: Suspicious|Lymphovascular invasion|possible
Venous invasion (large vessel): Absent|Venous invasion|absent
Perineural invasion: _X_ Absent ___ Present|Perineural invasion|absent
# options
[ ] Necrosis [x] Ulceration|Necrosis|unspecified
[ ] Necrosis [x] Ulceration|Ulceration|present
( ) Necrosis (x) Ulceration|Necrosis|unspecified
( ) Necrosis (x) Ulceration|Ulceration|present
[X] Adenocarcinoma [ ] Squamous cell carcinoma|Squamous cell carcinoma|unspecified
[X] Adenocarcinoma [ ] Squamous cell carcinoma|Adenocarcinoma|present
___ Necrosis _X_ Ulceration|Necrosis|unspecified
___ Necrosis _X_ Ulceration|Ulceration|present
☐ Necrosis ☒ Ulceration|Necrosis|unspecified
☐ Necrosis ☒ Ulceration|Ulceration|present
# margins, places
Margins uninvolved by invasive carcinoma.|invasive carcinoma|absent
All margins are free of tumor.|tumor|absent
Bronchial margin free of carcinoma.|carcinoma|absent
The bronchial margin is clear of carcinoma.|carcinoma|absent
Margins are negative for melanoma.|melanoma|absent
Melanoma is present at the margin.|Melanoma|present
Melanoma does not involve the margin.|Melanoma|present
Uterus uninvolved by carcinoma.|Uterus|present
No carcinoma in the uterus.|uterus|present
No carcinoma in the uterus.|carcinoma|absent
Spleen: negative for malignancy.|malignancy|absent
Spleen: negative for malignancy.|Spleen|present
# assess, exclude
Lymphovascular invasion cannot be assessed.|Lymphovascular invasion|unspecified
Lymphovascular invasion cannot be excluded.|Lymphovascular invasion|possible
Cannot exclude lymphovascular invasion.|lymphovascular invasion|possible
Metastatic adenocarcinoma cannot be ruled out.|Metastatic adenocarcinoma|possible
No definite lymphovascular invasion.|lymphovascular invasion|absent
No definite evidence of lymphovascular invasion.|lymphovascular invasion|absent
No unequivocal perineural invasion is seen.|perineural invasion|absent
Findings favor adenocarcinoma.|adenocarcinoma|possible
Favor adenocarcinoma rather than mesothelioma.|mesothelioma|absent
Favor adenocarcinoma rather than mesothelioma.|adenocarcinoma|possible
Adenocarcinoma versus mesothelioma.|mesothelioma|possible
Adenocarcinoma versus mesothelioma.|Adenocarcinoma|possible
Consistent with adenocarcinoma.|adenocarcinoma|possible
Not consistent with adenocarcinoma.|adenocarcinoma|absent
Suspicious for adenocarcinoma.|adenocarcinoma|possible
Suggestive of adenocarcinoma.|adenocarcinoma|possible
Rule out melanoma.|melanoma|possible
r/o melanoma|melanoma|possible
?melanoma|melanoma|possible
Possible melanoma.|melanoma|possible
Probable perineural invasion.|perineural invasion|possible
Questionable perineural invasion.|perineural invasion|possible
The differential diagnosis includes melanoma and lymphoma.|lymphoma|possible
Melanoma is unlikely.|Melanoma|absent
Melanoma is excluded.|Melanoma|absent
Melanoma is favored.|Melanoma|possible
The features argue against melanoma.|melanoma|absent
Insufficient for a diagnosis of melanoma.|melanoma|absent
# history
History of melanoma.|melanoma|historical
Patient with a history of breast carcinoma, now with lung adenocarcinoma.|lung adenocarcinoma|present
Status post lobectomy.|lobectomy|historical
S/P mastectomy for breast carcinoma.|mastectomy|historical
Previously diagnosed melanoma.|melanoma|historical
Prior biopsy showed melanoma.|melanoma|historical
Presents with a 3-day history of edema.|edema|present
A 10-year history of ulcerative colitis.|ulcerative colitis|present
Clinical history: Melanoma.|Melanoma|historical
No history of melanoma.|melanoma|absent
Known melanoma, here without residual tumor.|residual tumor|absent
Family history of melanoma.|melanoma|other
Mother had breast carcinoma.|breast carcinoma|other
# double negation, pseudo
Not without necrosis.|necrosis|present
No increase in mitotic figures.|mitotic figures|present
Not only necrosis but also ulceration.|necrosis|present
Negative for malignancy.|malignancy|absent
No other malignancy.|malignancy|absent
No evidence of residual carcinoma.|residual carcinoma|absent
Without evidence of residual carcinoma.|residual carcinoma|absent
No residual carcinoma; prior biopsy site changes.|carcinoma|absent
Adenocarcinoma, no special type.|Adenocarcinoma|present
Invasive carcinoma of no special type.|Invasive carcinoma of no special type|present
Adenocarcinoma, not otherwise specified.|Adenocarcinoma|present
Non-necrotic adenocarcinoma.|adenocarcinoma|present
Not all margins are free; carcinoma is present at the deep margin.|carcinoma|present
There is no doubt that this is melanoma.|melanoma|present
Necrosis is minimal if any.|Necrosis|present
Lymphovascular invasion was looked for and not found.|Lymphovascular invasion|absent
The absence of necrosis is noted.|necrosis|absent
Lack of necrosis.|necrosis|absent
Necrosis is lacking.|Necrosis|absent
Necrosis could not be demonstrated.|Necrosis|absent
No mitoses or necrosis, with ulceration.|ulceration|present
No high-grade dysplasia; low-grade dysplasia is seen.|low-grade dysplasia|present
Polyp with low-grade dysplasia, no high-grade dysplasia.|high-grade dysplasia|absent
Tubular adenoma, negative for high-grade dysplasia.|high-grade dysplasia|absent
Tubular adenoma, negative for high-grade dysplasia.|Tubular adenoma|present
Benign prostatic tissue; no adenocarcinoma seen.|adenocarcinoma|absent
Chronic inflammation, no granulomas, no dysplasia.|granulomas|absent
Chronic inflammation, no granulomas, no dysplasia.|Chronic inflammation|present
Granulomas not seen, chronic inflammation present.|chronic inflammation|present
Two of three lymph nodes free of metastatic carcinoma.|metastatic carcinoma|absent
Squamous cell carcinoma, pT2, without perineural invasion, with lymphovascular invasion.|lymphovascular invasion|present
Squamous cell carcinoma, pT2, without perineural invasion, with lymphovascular invasion.|perineural invasion|absent
Lymphovascular invasion: __ Not identified _X_ Present|Lymphovascular invasion|present
Lymphovascular invasion: _X_ Not identified __ Present|Lymphovascular invasion|absent
Necrosis: Unknown|Necrosis|unspecified
Necrosis: Not reported|Necrosis|unspecified
Necrosis: Not assessed|Necrosis|unspecified
Necrosis (not assessed)|Necrosis|unspecified
Necrosis: pending|Necrosis|unspecified
Necrosis is difficult to assess.|Necrosis|unspecified
Necrosis: Not evaluated Ulceration: Present|Necrosis|unspecified
Necrosis: Not evaluated Ulceration: Present|Ulceration|present
Angiolymphatic invasion: Absent. Perineural invasion: Focally present.|Perineural invasion|present
Tumor necrosis: Present, 10%.|necrosis|present
Extracapsular extension: Not applicable|Extracapsular extension|unspecified
Extranodal extension: None|Extranodal extension|absent
Extranodal extension: identified|Extranodal extension|present
Extranodal extension not identified.|Extranodal extension|absent
ANGIOLYMPHATIC INVASION: NO|ANGIOLYMPHATIC INVASION|absent
No capsular or vascular invasion identified.|vascular invasion|absent
Vascular invasion is not seen and the capsule is intact.|Vascular invasion|absent
Absence of vascular invasion.|vascular invasion|absent
Vascular invasion not appreciated.|Vascular invasion|absent
Vascular invasion equivocal.|Vascular invasion|possible
Findings suspicious but not diagnostic of melanoma.|melanoma|possible
The findings are diagnostic of melanoma.|melanoma|present
Cells suspicious for malignancy are seen.|malignancy|possible
Atypical cells, cannot exclude malignancy.|malignancy|possible
Adenocarcinoma is confirmed.|Adenocarcinoma|present
Adenocarcinoma could be considered.|Adenocarcinoma|possible
The possibility of lymphoma is raised.|lymphoma|possible
Lymphoma is a consideration.|Lymphoma|possible
Lymphoma must be excluded.|Lymphoma|possible
Lymphoma is not excluded.|Lymphoma|possible
This does not exclude lymphoma.|lymphoma|possible
Clinically suspected lymphoma.|lymphoma|possible
Clinical diagnosis: lymphoma.|lymphoma|historical
Clinical impression of melanoma.|melanoma|historical
Recurrent melanoma.|melanoma|present
The patient underwent prior mastectomy.|mastectomy|historical
History: Status post neoadjuvant chemotherapy.|neoadjuvant chemotherapy|historical
The father died of colon carcinoma.|colon carcinoma|other
Metastatic carcinoma in one of five lymph nodes.|Metastatic carcinoma|present
Five lymph nodes with no metastatic carcinoma.|metastatic carcinoma|absent
No metastatic carcinoma in five lymph nodes.|lymph nodes|present
Lymph nodes, negative for metastatic carcinoma.|Lymph nodes|present
Fibroadipose tissue, no lymph node identified.|lymph node|absent
No gallstones are present.|gallstones|absent
Gallbladder with no stones; chronic cholecystitis.|chronic cholecystitis|present
Liver without steatosis, with bridging fibrosis.|bridging fibrosis|present
Liver without steatosis, with bridging fibrosis.|steatosis|absent
Minimal inflammation and no fibrosis.|fibrosis|absent
Minimal inflammation and no fibrosis.|inflammation|present
Tumor cells lack pleomorphism.|pleomorphism|absent
Mitotic figures are rare.|Mitotic figures|present
Mitoses not conspicuous.|Mitoses|present
Necrosis not prominent.|Necrosis|present
Not a melanoma.|melanoma|absent
Cannot be classified as melanoma.|melanoma|absent
Negative surgical margins.|surgical margins|present
Parenchymal margin: uninvolved by invasive carcinoma, 1 cm.|invasive carcinoma|absent
Distal margin: no evidence of dysplasia or adenocarcinoma.|adenocarcinoma|absent
Except for focal necrosis, no abnormality is seen.|necrosis|present
No abnormality other than mild fibrosis.|fibrosis|present
Nothing but chronic inflammation.|chronic inflammation|present
No tumor other than the adenoma is seen.|adenoma|present
No evidence of malignancy except focal carcinoma in situ.|carcinoma in situ|present
Ulceration: [ ] absent [x] present|Ulceration|present
Ulceration: ( ) absent (x) present|Ulceration|present
Ulceration: [x] not identified [ ] present [ ] indeterminate|Ulceration|absent
Ulceration: ☒ absent ☐ present|Ulceration|absent
Ulceration: ☐ absent ☒ present|Ulceration|present
# contrasts, counts and earlier material
Adenocarcinoma is favored over lymphoma.|lymphoma|possible
Adenocarcinoma is favored over lymphoma.|Adenocarcinoma|possible
Enchondroma rather than chondrosarcoma is favored.|chondrosarcoma|absent
Enchondroma rather than chondrosarcoma is favored.|Enchondroma|possible
Tumor deposits: 0.|Tumor deposits|absent
Tumor deposits: 0.5 cm.|Tumor deposits|present
Tumor deposits: 3.|Tumor deposits|present
0 of 18 lymph nodes involved.|lymph nodes involved|absent
10 of 18 lymph nodes involved.|lymph nodes involved|present
Metastatic carcinoma in 0/14 lymph nodes.|Metastatic carcinoma|absent
Metastatic carcinoma in 1/14 lymph nodes.|Metastatic carcinoma|present
Metastatic carcinoma (0/14).|Metastatic carcinoma|absent
Metastatic carcinoma in 10/14 lymph nodes.|Metastatic carcinoma|present
Prior core biopsy (S12-3344): melanoma.|melanoma|historical
Prior treatment: none. Melanoma.|Melanoma|present
Core biopsy (S12-3344): melanoma.|melanoma|present
Necrosis? Ulceration present.|Ulceration|present
Time zero biopsy of the liver.|biopsy|present
Necrosis, not identified; ulceration, present.|Necrosis|absent
Necrosis, not identified; ulceration, present.|ulceration|present
Necrosis, ulceration not identified in the rest.|Necrosis|present
Nodule suspicious, but not diagnostic for carcinoma.|carcinoma|possible
Necrosis was searched for but not identified.|Necrosis|absent
Vascular invasion? No. Necrosis? Yes.|Necrosis|present
Vascular invasion? No. Necrosis? Yes.|Vascular invasion|absent
Vascular invasion: No. Necrosis: Yes.|Necrosis|present
Patient with known lymphoma.|lymphoma|historical
No known lymphoma.|lymphoma|absent
Lymph nodes: none submitted.|Lymph nodes|absent
Lymph nodes: submitted.|Lymph nodes|present
Pre-op dx: lymphoma.|lymphoma|possible
"""
"""Text, span and status; lines with # head a group."""

CASES = [tuple(line.split("|")) for line in TABLE.strip().splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "span", "status"), CASES)
def test_status(linker: Linker, text: str, span: str, status: str) -> None:
    start = text.index(span)
    found = [m for m in linker.link(text) if m.start < start + len(span) and m.end > start]
    assert found, f"{span!r} was not linked"
    assert str(found[0].assertion) == status, found[0].why


def test_every_status_has_winners_and_adversaries() -> None:
    assert {status for _, _, status in CASES} == {"present", "absent", "possible", "historical", "unspecified", "other"}
