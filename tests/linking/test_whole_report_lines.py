"""Lines that stand in real reports beside others, each with the neighbour that must not be read the same way."""

from __future__ import annotations

from typing import Any

import pytest

import pathkg
from pathkg.linking import Linker, extract_findings, linker_for
from pathkg.linking.staging import grades, stage_group
from pathkg.rewards.reading import Engine
from pathkg.rewards.similarity import GraphSimilarity


@pytest.fixture(scope="module")
def linker() -> Linker:
    return linker_for(pathkg.load())


def read(linker: Linker, text: str) -> dict[str, str]:
    return {m.name: m.assertion for m in linker.link(text)}


@pytest.mark.parametrize(("text", "name", "status"), [
    ("Distant metastasis (pM): pMX.", "distant metastasis", "unspecified"),
    ("Distant metastasis: M0.", "distant metastasis", "absent"),
    ("Distant metastasis (pM): pM1, liver.", "distant metastasis", "present"),
    ("Lymph node metastasis: N0.", "lymph node metastasis", "absent"),
    ("Lymph node metastasis: pN1a.", "lymph node metastasis", "present"),
    ("REGIONAL LYMPH NODE METASTASIS: pNX.", "lymph node metastasis", "unspecified"),
    ("Total number of lymph nodes containing metastatic carcinoma: 0 (0/2).", "lymph node metastasis", "absent"),
    ("Total number of lymph nodes containing metastatic carcinoma: 2 (2/9).", "lymph node metastasis", "present"),
    ("Lymphovascular invasion (LVI): -", "lymphovascular invasion", "absent"),
    ("Perforation into the abdominal cavity: no.", "perforation", "absent"),
    ("Perforation into the abdominal cavity: yes.", "perforation", "present"),
    ("INVASION THROUGH THE CAPSULE TO THE SEROSAL SURFACE?: No.", "capsular invasion", "absent"),
    ("Adenocarcinoma of the colon, perforation: no.", "colon adenocarcinoma", "present"),
])
def test_the_value_of_a_field_decides(linker: Linker, text: str, name: str, status: str) -> None:
    assert read(linker, text)[name] == status


def test_a_list_goes_on_behind_a_lost_line_break(linker: Linker) -> None:
    found = read(linker, "The tumor cells are negative for CK7, CD10,. WT-1, TTF-1 and inhibin. CD56 is positive.")
    assert {found[name] for name in ("CK7", "CD10", "WT1", "TTF-1", "inhibin")} == {"absent"}
    assert found["CD56"] == "present"


@pytest.mark.parametrize(("text", "nodes"), [
    ("pT1. NO NODES SUBMITTED.", []), ("pT2, NO LYMPH NODES IDENTIFIED.", []), ("T3 NO METASTASIS SEEN.", []),
    ("pT2 No evidence of tumor at the margin.", []), ("pT1 NO MX.", ["0"]), ("STAGE: T2 NO.", ["0"]), ("pT2 NO (0/6).", ["0"]),
    ("pT4a NO Stage IIB.", ["0"]), ("T2 NO M0.", ["0"]), ("pT2 NO pathologic stage IIA.", ["0"]),
])
def test_the_letters_no_are_a_category_only_between_categories(linker: Linker, text: str, nodes: list[str]) -> None:
    assert [v.value for v in extract_findings(text, linker=linker).fields.get("pN", ())][:1] == nodes
    assert ("pN0" in read(linker, text)) == bool(nodes)


@pytest.mark.parametrize(("text", "sizes"), [
    ("The specimen shows a 2.7 X 2.7. cm. exophytic tumor. The folds have an average circumference of 6.5 cm. The cut surface of the tumor is firm.", [27.0]),
    ("5.5 cm from the inked end of the specimen, there is a 5.5 X 5 X 3.8 cm. tumor mass.", [55.0]),
    ("Proximal margin: 2.5 cm, uninvolved by invasive carcinoma. Tumor size: 8.2 cm.", [82.0]),
    ("Mesenteric margin: negative, 8 cm from tumor.", []),
    ("The lymph node contains a 0.8 cm tumor deposit.", []),
    ("The mass is a portion of tan tissue, 3 x 2 cm.", []),
    ("A 3.0 CM. TUMOR IS SEEN.", [30.0]),
    ("One positive lymph node (1/1, metastatic ductal. carcinoma, 1 mm in maximal dimension).", []),
])
def test_a_size_belongs_to_the_tumour(linker: Linker, text: str, sizes: list[float]) -> None:
    assert [v.value for v in extract_findings(text, linker=linker).fields.get("tumor_size_mm", ())] == sizes


@pytest.mark.parametrize(("text", "status"), [
    ("SURGICAL MARGIN INVOLVEMENT: All surgical margins free of tumor.", "uninvolved"),
    ("MARGIN STATUS: Both margins of resection are not involved.", "uninvolved"),
    ("Margin involvement: all margins involved.", "involved"), ("Margins involved: deep margin.", "involved"),
    ("Margin involvement: margins cannot be assessed.", None),
])
def test_a_margin_field_with_the_word_margin_in_its_value(linker: Linker, text: str, status: str | None) -> None:
    assert extract_findings(text, linker=linker).first("margins") == status


def test_the_size_of_a_tumour_at_the_margin_is_no_distance(linker: Linker) -> None:
    found = extract_findings("Carcinoma involving the anterior and posterior margins (3.5 cm in maximum dimension).", linker=linker)
    assert found.first("margin_distance_mm") is None
    assert extract_findings("Closest margin: 4 mm.", linker=linker).first("margin_distance_mm") == 4.0


def test_venous_and_lymphatic_is_no_count_of_nodes(linker: Linker) -> None:
    text = "Venous/Lymphatic Invasion (V/L): Absent. Regional lymph nodes: metastases in lymph nodes (No V/VIII)."
    found = extract_findings(text, linker=linker)
    assert (found.first("nodes_positive"), found.first("nodes_examined")) == (5, 8)
    assert extract_findings("Lymph nodes. Invasion (V/L): Absent.", linker=linker).first("nodes_examined") is None


@pytest.mark.parametrize(("text", "value"), [
    ("Gleason grade: a. Primary pattern: 3/5. b. Secondary pattern: 4/5.", {"system": "Gleason", "gleason": [3, 4], "grade": 2}),
    ("PRIMARY GLEASON GRADE: 3. SECONDARY GLEASON GRADE: 5.", {"system": "Gleason", "gleason": [3, 5], "grade": 4}),
    ("Gleason score: 9/10.", {"system": "Gleason", "score": 9, "grade": 5}),
    ("Gleason score 7.", {"system": "Gleason", "score": 7, "grade": None}),
    ("Prognostic grade group: 2.", {"system": "Gleason", "grade": 2}),
    ("Gleason pattern 4 comprises 60%.", None), ("primary grade 2 tumor, secondary 3 cm nodule", {"system": "numeric", "grade": 2}),
    ("Primary grade 2 lesion, secondary grade 3 lesion.", {"system": "numeric", "grade": 2}),
    ("[tubules /3, nuclei /3, mitoses /3; Nottingham score /9]", None),
])
def test_gleason_in_parts_and_scores_left_blank(text: str, value: dict[str, Any] | None) -> None:
    found = [v.value for v in grades(text)]
    assert (found[0] if found else None) == value


@pytest.mark.parametrize(("text", "grade"), [
    ("Astrocytoma with gliosis, WHO grade 2.", 2), ("No atypia. Grade 3 carcinoma.", 3), ("Chronic hepatitis. Grade 2 hepatocellular carcinoma.", 2),
    ("Mild atypia, grade 1 endometrioid carcinoma.", 1), ("Chronic hepatitis, grade 1.", None),
])
def test_the_grade_behind_another_word_is_the_tumours(text: str, grade: int | None) -> None:
    found = [v.value["grade"] for v in grades(text)]
    assert (found[0] if found else None) == grade


@pytest.mark.parametrize(("text", "status"), [
    ("Lymphovascular invasion: (select all that apply) absent.", "absent"), ("Lymphovascular invasion (select one) not identified.", "absent"),
    ("Lymphovascular invasion: (select one).", "unspecified"),
])
def test_the_answer_behind_an_instruction_counts(linker: Linker, text: str, status: str) -> None:
    assert read(linker, text)["lymphovascular invasion"] == status


def test_a_sentence_read_before_is_read_anew_in_a_legend() -> None:
    """The reward reads sentences through views that are kept with them: a legend needs its own."""
    graph = pathkg.load()

    def reader() -> Engine:
        return Engine(graph, GraphSimilarity(graph), Linker(graph))

    line = "Grade 1: well differentiated lymphoma cells with necrosis."
    alone, legend = (f"<observe>Melanoma.</observe><think>Nevus.\n{line}\n{more}\nEnd.</think><answer>x</answer>"
                     for more in ("Grade two follows.", "Grade 2: moderately differentiated lymphoma cells."))
    used = reader()
    used.read(alone)
    assert used.read(legend).whole == reader().read(legend).whole


def test_the_site_of_a_tumour_of_one_side_is_kept(linker: Linker) -> None:
    assert extract_findings("Carcinoma of the left lung. The right kidney is normal.", linker=linker).first("site") == "lung"


def test_the_stage_of_fibrosis_is_no_stage_of_a_tumour() -> None:
    for text, stage in (("Cirrhosis. Hepatocellular carcinoma, stage II.", "II"), ("Chronic inflammation is seen. Stage IIA.", "IIA"),
                        ("The hepatitis was treated. Adenocarcinoma of the colon. Overall stage IIIB.", "IIIB")):
        assert [v.value for v in stage_group(text)] == [stage]
    assert stage_group("Portal expansion with bridging fibrosis, compatible with stage 2.") == []
    assert [v.value for v in stage_group("Carcinoma arising in chronic hepatitis. AJCC Stage II.")] == ["II"]


@pytest.mark.parametrize(("text", "name"), [
    ("Transverse colon cancer.", "colon adenocarcinoma"), ("Cancer of the cecum.", "colon adenocarcinoma"),
    ("Head of pancreas cancer.", "pancreatic ductal adenocarcinoma"), ("Right upper lobe cancer.", "lung cancer"),
    ("Cancer in the left breast.", "breast carcinoma"), ("Cancer of the lower lip.", "oral cavity squamous cell carcinoma"),
])
def test_the_cancer_of_a_part_is_that_of_its_organ(linker: Linker, text: str, name: str) -> None:
    assert name in read(linker, text)


def test_no_cancer_is_made_of_a_place_that_has_none(linker: Linker) -> None:
    assert list(read(linker, "Cancer in the lymph node.")) == ["lymph node"]


@pytest.mark.parametrize(("text", "wrong"), [
    ("The prostate measures 55 x 35 x 45 mm.", "Turner syndrome"), ("The lung is inflated.", "inflammation"),
    ("A laceration of the capsule.", "ulceration"), ("Chronic rejection of the graft.", "resection"), ("A ribbon clip is identified.", "trabecular pattern"),
    ("Lung segment S1 with a deep notch.", "S1"), ("Subtotal colectomy.", "total colectomy"), ("A dilated bile duct.", "dilated duct filled with mucin"),
    ("The canalicular pattern of CEA in the liver.", "anastomosing bilayered cords of columnar cells"), ("Liver, lobectomy.", "right hepatectomy"),
    ("Thorough sampling of the depression.", "expression"), ("TCGA-DK-A3WY-01A-PR redacted.", "progesterone receptor"), ("Page III III II.", "grade 3"),
    ("A lymphoma-like infiltrate.", "lymphoma"), ("An astroblastoma-like component.", "astroblastoma"), ("Loss on chromosome arm 1p.", "arm"), ("Cirrhosis (grade 1, stage 4).", "stage IV"),
    ("Yellow lobulated adipose tissue.", "lobulated growth"), ("No discrete masses are identified.", "well-circumscribed border"),
])
def test_ordinary_words_and_measures_are_no_findings(linker: Linker, text: str, wrong: str) -> None:
    assert wrong not in read(linker, text)


@pytest.mark.parametrize(("text", "name"), [
    ("Karyotype 45,X (Turner).", "Turner syndrome"), ("The carcnoma shows uiceration.", "ulceration"), ("Carcinoid growing in ribbons.", "trabecular pattern"),
    ("Testis: seminoma, pT1 S1.", "S1"), ("Prostrate gland, biopsy.", "prostate gland"), ("Subtotal colectomy.", "subtotal colectomy"),
    ("PR: negative.", "progesterone receptor"), ("Squamous cell carcinoma, grade II/III.", "grade 2"), ("Tumors like lymphoma were excluded.", "lymphoma"),
    ("Papillary-like nuclear features.", "papillary thyroid carcinoma nuclear features"), ("Skin of the arm.", "skin of limb"), ("A lobulated mass.", "lobulated growth"), ("Carcinoma of the lung, stage 4.", "stage IV"),
])
def test_what_is_meant_is_still_found(linker: Linker, text: str, name: str) -> None:
    assert name in read(linker, text)


@pytest.mark.parametrize(("text", "kind"), [
    ("FISH was done. Synaptophysin highlights the neuropil.", "marker"), ("The synaptophysin gene is deleted.", "gene/protein"),
])
def test_a_stain_is_no_gene_because_the_report_names_genes_elsewhere(linker: Linker, text: str, kind: str) -> None:
    assert [m.type for m in linker.link(text) if m.text.lower() == "synaptophysin"] == [kind]


def test_a_cyst_of_the_kidney_is_no_degenerated_tumour() -> None:
    graph = pathkg.load()
    assert "PATHKG:cystic-degeneration" not in graph.ancestors("PATHKG:renal-cortical-cyst")


@pytest.mark.parametrize(("text", "names"), [
    ("A. Gallbladder, cholecystectomy: chronic cholecystitis. B. Right lobe liver, resection: hepatocellular carcinoma. Carcinoma is confined to the parenchyma.",
     {"hepatocellular carcinoma", "carcinoma"}),
    ("Gallbladder, cholecystectomy: chronic cholecystitis. Pancreas, Whipple: pancreatic ductal adenocarcinoma. Adenocarcinoma at the margin.",
     {"pancreatic ductal adenocarcinoma", "adenocarcinoma"}),
    ("Kidney and adrenal: clear cell renal cell carcinoma. Adrenal gland free of carcinoma.", {"clear cell renal cell carcinoma", "renal cell carcinoma"}),
    ("Colon, colectomy: adenocarcinoma. The carcinoma invades the serosa.", {"colon adenocarcinoma"}),
    ("Gallbladder, cholecystectomy: adenocarcinoma. Liver bed free.", {"gallbladder adenocarcinoma"}),
])
def test_a_general_word_is_of_an_organ_whose_tumour_is_named(linker: Linker, text: str, names: set[str]) -> None:
    assert {m.name for m in linker.link(text) if "carcinoma" in m.name} == names


@pytest.mark.parametrize(("text", "side"), [
    ("Adenocarcinoma of the left lung.", "left"), ("Cancer in the right breast.", "right"), ("No cancer in the left breast.", None),
    ("Carcinoma of the lung.", None),
])
def test_a_side_inside_the_name_of_a_tumour_counts(linker: Linker, text: str, side: str | None) -> None:
    assert extract_findings(text, linker=linker).first("laterality") == side
