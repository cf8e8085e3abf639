"""Assertion, as a table: the scopes that mislead a plain trigger-before-concept rule stand beside the easy ones."""

from __future__ import annotations

import pytest

import pathkg
from pathkg.linking import Linker, linker_for


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


@pytest.mark.parametrize(("text", "span", "status"), [
    # lists under one negation
    ("No necrosis, lymphovascular invasion, or perineural invasion is seen.", "perineural invasion", "absent"),
    ("No evidence of malignancy, atrophy, intestinal metaplasia, or Helicobacter.", "intestinal metaplasia", "absent"),
    ("No tumor seen, chronic inflammation present.", "chronic inflammation", "present"),
    # fields
    ("Lymphovascular invasion: No. Perineural invasion: Yes.", "Perineural invasion", "present"),
    ("Venous invasion: Absent Perineural invasion: Present", "Perineural invasion", "present"),
    ("Perineural invasion: Not specified.", "Perineural invasion", "unspecified"),
    ("Perineural invasion: cannot be assessed", "Perineural invasion", "unspecified"),
    ("Blood vessel invasion: No definite vascular invasion is noted.", "Blood vessel invasion", "absent"),
    ("Lymphatic invasion: L0", "Lymphatic invasion", "absent"),
    ("Lymphatic invasion: L1", "Lymphatic invasion", "present"),
    ("Lymphovascular invasion: -\nNecrosis: 0%", "Lymphovascular invasion", "absent"),
    ("Lymphovascular invasion: -\nNecrosis: 0%", "Necrosis", "absent"),
    ("Necrosis: 10%", "Necrosis", "present"),
    ("Perineural invasion: Pn0", "Perineural invasion", "absent"),
    ("Perineural invasion: Pn1", "Perineural invasion", "present"),
    ("Ulceration: [ ] present [x] absent", "Ulceration", "absent"),
    ("Ulceration: [x] absent [ ] present", "Ulceration", "absent"),
    ("Ulceration: [x] present [ ] absent", "Ulceration", "present"),
    ("Adenocarcinoma, L0, V0, Pn0.", "Adenocarcinoma", "present"),
    # what cannot be, or is excluded; a heading between denial and diagnosis
    ("This cannot be melanoma.", "melanoma", "absent"),
    ("Melanoma cannot be excluded.", "Melanoma", "possible"),
    ("This cannot be distinguished from melanoma.", "melanoma", "present"),
    ("Perineural invasion cannot be assessed.", "Perineural invasion", "unspecified"),
    ("Melanoma has been excluded.", "Melanoma", "absent"),
    ("Melanoma: excluded.", "Melanoma", "absent"),
    ("There is no Diagnosis: melanoma", "melanoma", "absent"),
    ("Not Diagnosis: melanoma", "melanoma", "absent"),
    ("Previous surgery: No Diagnosis: melanoma", "melanoma", "present"),
    # a place stays where a finding in it is denied
    ("Margins are negative for carcinoma.", "Margins", "present"),
    ("Margins are negative for carcinoma.", "carcinoma", "absent"),
    ("Margins uninvolved by carcinoma.", "carcinoma", "absent"),
    ("Adrenal gland: no tumor present.", "Adrenal gland", "present"),
    ("Adrenal gland: no tumor present.", "tumor", "absent"),
    ("Prostate: no carcinoma identified.", "Prostate", "present"),
    ("Prostate: no carcinoma identified.", "carcinoma", "absent"),
    ("Renal vein: no tumor.", "Renal vein", "present"),
    ("Lymph node: no metastatic carcinoma.", "Lymph node", "present"),
    ("Lymph node: no metastatic carcinoma.", "metastatic carcinoma", "absent"),
    ("Perineural invasion: No Lymphatic invasion: No", "Perineural invasion", "absent"),
    # a precursor lesion is graded, and may be absent all the same; a grade is not
    ("CIN 2 not seen.", "CIN 2", "absent"),
    ("No CIN 3.", "CIN 3", "absent"),
    ("PanIN-3 not seen.", "PanIN-3", "absent"),
    ("CIN 3 is present.", "CIN 3", "present"),
    ("No lymph nodes are identified.", "lymph nodes", "absent"),
    ("All lymph nodes are tumor-free.", "lymph nodes", "present"),
    # no negation at all
    ("There is no increase in fibrosis.", "fibrosis", "present"),
    ("Not only necrosis but also hemorrhage is seen.", "necrosis", "present"),
    # uncertainty and history
    ("Suspicious for lymphovascular invasion.", "lymphovascular invasion", "possible"),
    ("Ductal carcinoma in situ cannot be ruled out.", "Ductal carcinoma in situ", "possible"),
    ("History of prostate adenocarcinoma.", "prostate adenocarcinoma", "historical"),
    ("Mother with family history of breast cancer.", "breast cancer", "other"),
    # options of a checklist
    ("[ ] Perineural invasion [x] Necrosis", "Perineural invasion", "unspecified"),
    ("[ ] Perineural invasion [x] Necrosis", "Necrosis", "present"),
    # signs and stray full stops
    ("The tumor cells are negative for CK7, CK20 and TTF-1.", "CK20", "absent"),
    ("S100-, HMB45-, positive for keratin.", "S100", "absent"),
    ("NEGATIVE FOR. SYNAPTOPHYSIN AND CHROMOGRANIN.", "CHROMOGRANIN", "absent"),
])
def test_status_of_a_span(linker: Linker, text: str, span: str, status: str) -> None:
    start = text.index(span)
    found = [m for m in linker.link(text) if m.start < start + len(span) and m.end > start]
    assert found, f"{span!r} was not linked"
    assert str(found[0].assertion) == status, found[0].why


@pytest.mark.parametrize(("text", "span", "status"), [
    ("Extremities reveal no peripheral cyanosis or EDEMA.", "EDEMA", "absent"),
    ("The patient denies chest pain.", "chest pain", "absent"),
    ("No change in VISION problems.", "VISION problems", "present"),
])
def test_status_of_a_span_that_is_no_concept(linker: Linker, text: str, span: str, status: str) -> None:
    start = text.index(span)
    assert str(linker.assertion_of(text, start, start + len(span))) == status
