"""Reading cases: every form, every mapping, every kind of bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.cases import ColumnMap, UnusableCase, patient_of, read_cases
from datagen.cases.findings_schema import findings_json_schema
from datagen.records import Case
from pathkg.errors import InputError
from tests.shared_data import shared

ROWS = [{"case_id": "TCGA-85-A512.A49A", "text": "Lung, lobectomy. Carcinoma.", "diagnosis": "carcinoma", "slide": "a.svs|b.svs"},
        {"case_id": "C2", "text": "Kidney: oncocytoma, ünïcode", "diagnosis": "", "slide": ""}]


def write(folder: Path, kind: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"cases.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(json.dumps(r) for r in rows) + "\n", "utf-8")
    elif kind == "json":
        path.write_text(json.dumps(rows), "utf-8")
    elif kind in ("csv", "tsv"):
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(rows[0]), delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_every_table_format_gives_the_same_cases(tmp_path: Path, kind: str) -> None:
    first, second = read_cases(write(tmp_path, kind, ROWS))
    assert isinstance(first, Case)
    assert isinstance(second, Case)
    assert (first.case_id, first.patient_id, first.diagnosis) == ("TCGA-85-A512.A49A", "TCGA-85-A512", "carcinoma")
    assert [i.slide for i in first.images] == ["a.svs", "b.svs"]
    assert (second.text, second.patient_id, second.images) == ("Kidney: oncocytoma, ünïcode", "C2", ())


def test_folder_of_text_files(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("B", "utf-8")
    (tmp_path / "a.txt").write_text("A", "utf-8")
    assert [(c.case_id, c.text) for c in read_cases(tmp_path) if isinstance(c, Case)] == [("a", "A"), ("b", "B")]


def test_columns_are_mapped_and_patients_come_from_their_column(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", [{"Nr": "1", "body": "Breast.", "pid": "P7", "seite": "links"}])
    case = next(read_cases(path, columns=ColumnMap.parse(["case_id=Nr", "text=body", "patient_id=pid"])))
    assert isinstance(case, Case)
    assert (case.case_id, case.patient_id, case.metadata) == ("1", "P7", {"seite": "links"})


def test_repeated_ids_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "jsonl", [{"case_id": "x", "text": "a"}, {"case_id": "x", "text": "b"}])
    assert [c.case_id for c in read_cases(path)] == ["x", "x#2"]


@pytest.mark.parametrize(("case_id", "column", "rule", "patient"), [
    ("TCGA-85-A512-01Z-00-DX1", "", "auto", "TCGA-85-A512"),
    ("slide", "tcga-85-a512-01a", "tcga", "TCGA-85-A512"),
    ("slide-1", "P1", "auto", "P1"),
    ("slide-1", "", "auto", "slide-1"),
    ("slide-1", "P1", "case", "slide-1"),
    ("S17-003-B", "", r"regex:^(S\d+-\d+)", "S17-003"),
    ("TCGA-85-A5123-01", "", "auto", "TCGA-85-A5123-01"),  # no barcode: five characters
])
def test_patient_rules(case_id: str, column: str, rule: str, patient: str) -> None:
    assert patient_of(case_id, column, rule=rule) == patient


@pytest.mark.parametrize(("rule", "column"), [("tcga", ""), ("column", ""), ("regex:([", ""), ("regex:^ZZ", ""), ("tgca", "P1")])
def test_patient_rules_that_cannot_work_say_so(rule: str, column: str) -> None:
    with pytest.raises(InputError):
        patient_of("slide-1", column, rule=rule)


@pytest.mark.parametrize(("name", "content", "words"), [
    ("none.jsonl", None, "no file or folder"),
    ("a.docx", b"PK", "cannot tell what"),
    ("a.jsonl", b"", "holds no record"),
    ("a.jsonl", b'{"case_id": "1", "text": "x"}\n{"case_id"\n', ":2 is not JSON"),
    ("a.jsonl", b"[1, 2]\n", "not an object"),
    ("a.jsonl", b'{"id": "1", "body": "x"}\n', "no column for text"),
    ("a.jsonl", bytes(range(256)) * 10, "binary"),
    ("a.csv", b"", "empty"),
    ("a.csv", b"case_id,text\n1,a,b,c\n", "more fields"),
    ("a.csv", "case_id,text\n1,é\n".encode("latin-1"), "not UTF-8"),
    ("a.parquet", b"PAR1 nonsense", "Parquet"),
    ("a.json", b"{", "not JSON"),
    ("a.txt", b"\x00\x01", "binary"),
])
def test_bad_files_are_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        list(read_cases(tmp_path / name))
    assert caught.value.hint


def test_unknown_columns_and_fields_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "jsonl", ROWS)
    with pytest.raises(InputError, match="no column 'txet'"):
        list(read_cases(path, columns=ColumnMap({"text": "txet"})))
    for option in ("text", "text=", "body=x"):
        with pytest.raises(InputError):
            ColumnMap.parse([option])


@pytest.mark.parametrize(("text", "reason"), [
    ("", "empty_text"), ("  \n ", "empty_text"), ("x" * 5_000_000, "text_too_long"),
    ("\x01\x02\x03 tumor \ufffd\ufffd", "binary_text"), ("12 / 33 .. 4", "no_words")])
def test_unusable_texts_are_named_and_the_rest_goes_on(tmp_path: Path, text: str, reason: str) -> None:
    path = write(tmp_path, "jsonl", [{"case_id": "bad", "text": text}, {"case_id": "good", "text": "Breast."}])
    bad, good = read_cases(path)
    assert isinstance(bad, UnusableCase)
    assert bad.reason == reason
    assert isinstance(good, Case)


def test_findings_records_follow_the_schema_and_read_as_sentences(tmp_path: Path) -> None:
    record = {"case_id": "F1", "organ": "breast", "diagnosis": "invasive ductal carcinoma",
              "findings": [{"name": "perineural invasion", "status": "absent"}, {"name": "HER2", "value": "3+"}],
              "images": [{"slide": "f1.svs", "roi": [0, 0, 512, 512], "magnification": 20}]}
    case = next(read_cases(write(tmp_path, "jsonl", [record])))
    assert isinstance(case, Case)
    assert case.kind == "findings"
    assert "No perineural invasion." in case.text
    assert case.images[0].scale == "region"
    for broken in ({**record, "findings": []}, {**record, "gradee": "2"},
                   {**record, "findings": [{"name": "x", "status": "maybe"}]}):
        with pytest.raises(InputError, match="findings schema"):
            list(read_cases(write(tmp_path, "jsonl", [broken]), format="findings"))
    assert findings_json_schema()["additionalProperties"] is False


def test_images_are_attached_from_a_second_table(tmp_path: Path) -> None:
    cases = write(tmp_path, "jsonl", [{"case_id": "c1", "patient_id": "p", "text": "Breast."}])
    images = tmp_path / "images.csv"
    images.write_text("patient_id,slide,features,roi,magnification\np,s.svs,s.h5,,40\np,s.svs,,0 0 10 10,10\n", "utf-8")
    case = next(read_cases(cases, images=images))
    assert isinstance(case, Case)
    assert [(i.scale, i.features) for i in case.images] == [("slide", "s.h5"), ("region", "")]
    images.write_text("slide\ns.svs\n", "utf-8")
    with pytest.raises(InputError, match="no case_id"):
        list(read_cases(cases, images=images))


def test_real_files() -> None:
    clean = list(read_cases(shared("reports/tcga_reports_clean.jsonl")))
    assert len(clean) == 529
    assert len({c.patient_id for c in clean if isinstance(c, Case)}) == 497
    slides = [c for c in read_cases(shared("qa/wsi_vqa.jsonl")) if isinstance(c, Case)]
    assert sum(len(c.questions) for c in slides) == 2448
    exams = list(read_cases(shared("qa/medqa_pathology.jsonl")))
    assert [c.reason for c in exams if isinstance(c, UnusableCase)] == ["answer_not_among_options"]


def test_one_record_without_a_text_does_not_cost_the_file(tmp_path: Path) -> None:
    rows = [{"case_id": "a", "note": "x"}, {"case_id": "b", "text": "Breast."}, {"case_id": "c"}]
    first, second, third = read_cases(write(tmp_path, "jsonl", rows))
    assert isinstance(second, Case)
    for case, name in ((first, "a"), (third, "c")):
        assert isinstance(case, UnusableCase)
        assert (case.case_id, case.reason) == (name, "missing_column")
        assert "text" in case.detail
    with pytest.raises(InputError, match="no column for text"):
        list(read_cases(write(tmp_path, "jsonl", [rows[0], rows[2]])))


@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_separator_of_a_csv_is_seen_in_its_header(tmp_path: Path, separator: str, mark: str) -> None:
    (tmp_path / "c.csv").write_text(f'{mark}case_id{separator}text\n1{separator}"Breast, left; biopsy"\n', "utf-8")
    case = next(read_cases(tmp_path / "c.csv"))
    assert isinstance(case, Case)
    assert (case.case_id, case.text) == ("1", "Breast, left; biopsy")
