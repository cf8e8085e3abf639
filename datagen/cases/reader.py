"""From a file or folder to cases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datagen.cases.columns import DEFAULTS, ColumnMap
from datagen.cases.findings_schema import parse_findings, render_findings
from datagen.cases.patient import patient_of
from datagen.cases.rows import Row, csv_rows, folder_rows, json_rows, jsonl_rows, parquet_rows
from datagen.records import Case, GivenQuestion, ImageRef
from pathkg.errors import InputError, did_you_mean

FORMATS = ("auto", "table", "findings", "slide-qa", "exam")
"""``table``: one report per row or file; ``findings``: the findings schema; ``slide-qa``: ``Id, Question, Choice,
Answer`` rows (the WSI-VQA form); ``exam``: ``question, options, answer`` rows."""

MAX_CHARS = 200_000
"""The longest report of the 1,034 measured has 43,000 characters; what is far longer is a file, not a report."""

MIN_CONTROL_SHARE = 0.02
PATHS_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class UnusableCase:
    """A record that is no case, with the reason: it is counted and reported, never dropped silently."""

    case_id: str
    reason: str
    detail: str


def _rows(path: Path) -> Callable[[], Iterator[Row]]:
    if path.is_dir():
        return lambda: folder_rows(path)
    if not path.exists():
        near = did_you_mean(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise InputError(f"there is no file or folder {path}", hint=near or "check the path given to --cases")
    readers: dict[str, Callable[[], Iterator[Row]]] = {
        ".jsonl": lambda: jsonl_rows(path), ".ndjson": lambda: jsonl_rows(path), ".json": lambda: json_rows(path),
        ".csv": lambda: csv_rows(path), ".tsv": lambda: csv_rows(path, delimiter="\t"),
        ".parquet": lambda: parquet_rows(path), ".txt": lambda: iter([_single_text(path)])}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"cannot tell what {path} is from its name",
                         hint=f"use a folder of .txt files, or a file ending in {', '.join(sorted(readers))}")
    return reader


def _single_text(path: Path) -> Row:
    from datagen.cases.rows import read_text_file

    return {"case_id": path.stem, "text": read_text_file(path)}


def detect_format(row: Mapping[str, Any]) -> str:
    """Which of :data:`FORMATS` a first row looks like.

    Example:
        >>> detect_format({"Id": 1, "Question": "?", "Answer": "a"}), detect_format({"text": "x"})
        ('slide-qa', 'table')
    """
    if {"Id", "Question", "Answer"} <= row.keys():
        return "slide-qa"
    if {"question", "answer", "options"} <= row.keys() and "text" not in row:
        return "exam"
    if isinstance(row.get("findings"), list) and "text" not in row:
        return "findings"
    return "table"


def read_cases(path: str | Path, *, columns: ColumnMap | None = None, format: str = "auto",
               patient_rule: str = "auto", images: str | Path | None = None,
               max_chars: int = MAX_CHARS) -> Iterator[Case | UnusableCase]:
    """Read cases one at a time, in the order of the file.

    Args:
        path: ``.jsonl``, ``.json``, ``.csv``, ``.tsv``, ``.parquet``, ``.txt``, or a folder of ``.txt`` files.
        columns: which column feeds which field; see :class:`~datagen.cases.columns.ColumnMap`.
        format: one of :data:`FORMATS`.
        patient_rule: see :func:`~datagen.cases.patient.patient_of`.
        images: a second table (``case_id`` or ``patient_id``, ``slide``, ``features``, ``roi``, ``magnification``)
            whose rows are attached to the cases they name, so that one dataset covers several image scales.
        max_chars: a longer text is unusable (``text_too_long``).

    Yields:
        A :class:`~datagen.records.Case`, or an :class:`UnusableCase` for a record whose text is empty, too long or
        binary garbage.

    Raises:
        InputError: a missing file or column, a broken file, an unknown format or patient rule.
    """
    if format not in FORMATS:
        raise InputError(f"there is no case format {format!r}",
                         hint=did_you_mean(format, FORMATS) or f"use one of {', '.join(FORMATS)}")
    source = Path(path)
    rows = _rows(source)()
    first = next(rows, None)
    if first is None:
        raise InputError(f"{source} holds no record", hint="give a file with at least one case")
    chosen = detect_format(first) if format == "auto" else format
    rows = itertools.chain([first], rows)
    mapping = columns or ColumnMap()
    cases: Iterator[Case | UnusableCase]
    if chosen == "findings":
        cases = _findings_cases(rows, source, patient_rule)
    elif chosen == "slide-qa":
        cases = _slide_qa_cases(rows, source, patient_rule)
    elif chosen == "exam":
        cases = _exam_cases(rows, source)
    else:
        cases = _table_cases(rows, source, mapping, patient_rule)
    table = _image_table(Path(images)) if images is not None else {}
    seen: dict[str, int] = {}
    for case in cases:
        checked = case
        if isinstance(case, Case):
            checked = _unusable(case, max_chars) or _with_images(case, table)
        yield _with_unique_id(checked, seen)


def _with_unique_id(case: Case | UnusableCase, seen: dict[str, int]) -> Case | UnusableCase:
    # several reports of one patient may share an id: the second becomes "id#2", in file order, or "id#3" where a record
    # calls itself "id#2"
    count = seen.get(case.case_id, 0) + 1
    name = case.case_id
    while count > 1 and (name := f"{case.case_id}#{count}") in seen:
        count += 1
    seen[case.case_id] = count
    seen.setdefault(name, 1)
    return case if name == case.case_id else replace(case, case_id=name)


_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\ufffd\ud800-\udfff]")
"""What no text holds: control characters that are no white space, replacement characters, lone surrogates."""


def _unusable(case: Case, max_chars: int) -> UnusableCase | None:
    text = case.text
    if not text.strip():
        return UnusableCase(case.case_id, "empty_text", "the text is empty")
    if len(text) > max_chars:
        return UnusableCase(case.case_id, "text_too_long",
                            f"{len(text):,} characters, the limit is {max_chars:,} (--max-chars)")
    head = text[:20_000]
    control = len(_CONTROL.findall(head))
    if control > MIN_CONTROL_SHARE * len(head):
        return UnusableCase(case.case_id, "binary_text",
                            f"{control} control or replacement characters in the first {len(head)}")
    if not any(c.isalpha() for c in head):
        return UnusableCase(case.case_id, "no_words", "the text holds no letter")
    return None


def _text(value: Any) -> str:
    # pandas and Arrow tables bring None and NaN for empty cells
    return "" if value is None or value != value else str(value)


def _table_cases(rows: Iterator[Row], source: Path, mapping: ColumnMap,
                 patient_rule: str) -> Iterator[Case | UnusableCase]:
    resolved: dict[str, str] | None = None
    first_error: InputError | None = None
    readable = False
    for number, row in enumerate(rows, 1):
        if resolved is None or resolved["text"] not in row:
            try:
                resolved = mapping.resolve(row.keys(), where=f"{source}, record {number},")
            except InputError as error:
                # one record without a text is a bad record; a file of them is a wrong column name
                first_error = first_error or error
                resolved = None
                yield UnusableCase(_record_id(row, mapping, number), "missing_column", str(error).splitlines()[0])
                continue
        readable = True
        value = {name: _text(row.get(column)) for name, column in resolved.items()}
        case_id = value["case_id"].strip() or f"row-{number}"
        used = set(resolved.values()) - {resolved.get("diagnosis", "")}
        metadata = {k: _text(v) for k, v in row.items()
                    if k not in used and isinstance(v, str | int | float) and _text(v)}
        yield Case(case_id=case_id, patient_id=patient_of(case_id, value.get("patient_id", "").strip(), rule=patient_rule),
                   text=value["text"], diagnosis=value.get("diagnosis", "").strip(), metadata=metadata,
                   images=_image_refs(value))


    if first_error is not None and not readable:
        raise first_error


def _record_id(row: Row, mapping: ColumnMap, number: int) -> str:
    names = [mapping.given["case_id"]] if "case_id" in mapping.given else DEFAULTS["case_id"]
    return next((i for n in names if (i := _text(row.get(n)).strip())), f"row-{number}")


def _image_refs(value: Mapping[str, str]) -> tuple[ImageRef, ...]:
    slides = [s for s in value.get("slide", "").split(PATHS_SEPARATOR) if s]
    features = [s for s in value.get("features", "").split(PATHS_SEPARATOR) if s]
    if not slides and not features:
        return ()
    try:
        roi = tuple(int(float(x)) for x in value.get("roi", "").replace(",", " ").split())
        magnification = float(value.get("magnification", "") or 0)
    except ValueError as error:
        raise InputError(f"cannot read region {value.get('roi')!r} or magnification {value.get('magnification')!r}",
                         hint="roi is 'x y width height' in level-0 pixels, magnification a number such as 20") from error
    if len(roi) not in (0, 4):
        raise InputError(f"the region {value.get('roi')!r} has {len(roi)} numbers",
                         hint="give x y width height in level-0 pixels")
    pairs = itertools.zip_longest(slides, features, fillvalue="")
    return tuple(ImageRef(slide=s, features=f, roi=roi, magnification=magnification) for s, f in pairs)


def _image_table(path: Path) -> dict[str, tuple[ImageRef, ...]]:
    table: dict[str, tuple[ImageRef, ...]] = {}
    for number, row in enumerate(_rows(path)(), 1):
        key = _text(row.get("case_id")) or _text(row.get("patient_id"))
        if not key:
            raise InputError(f"{path}, record {number}: no case_id and no patient_id",
                             hint="the image table needs case_id or patient_id, and slide or features")
        value = {name: _text(row.get(name)) for name in ("slide", "features", "roi", "magnification")}
        table[key] = table.get(key, ()) + _image_refs(value)
    return table


def _with_images(case: Case, table: Mapping[str, tuple[ImageRef, ...]]) -> Case:
    extra = table.get(case.case_id, ()) or table.get(case.patient_id, ())
    return replace(case, images=case.images + extra) if extra else case


def _findings_cases(rows: Iterator[Row], source: Path, patient_rule: str) -> Iterator[Case]:
    for number, row in enumerate(rows, 1):
        record = parse_findings(dict(row), where=f"{source}, record {number}")
        images = tuple(ImageRef(i.slide, i.features, tuple(i.roi), i.magnification) for i in record.images)
        yield Case(case_id=record.case_id, kind="findings", text=render_findings(record), images=images,
                   patient_id=patient_of(record.case_id, record.patient_id, rule=patient_rule),
                   diagnosis=record.diagnosis)


def _slide_qa_cases(rows: Iterator[Row], source: Path, patient_rule: str) -> Iterator[Case]:
    """Consecutive rows of one slide are one case: its statements are the questions with their answers."""
    def key(row: Row) -> str:
        missing = [c for c in ("Id", "Question", "Answer") if not _text(row.get(c))]
        if missing:
            raise InputError(f"{source}: a row has no {', '.join(missing)}",
                             hint="slide questions need Id, Question, Answer and optionally Choice")
        return _text(row["Id"])

    for slide, group in itertools.groupby(rows, key=key):
        questions = []
        for row in group:
            choice = row.get("Choice") or ()
            if isinstance(choice, str):
                choice = [c for c in choice.split(PATHS_SEPARATOR) if c]
            questions.append(GivenQuestion(_text(row["Question"]).strip(), _text(row["Answer"]).strip(),
                                           tuple(_text(c).strip() for c in choice)))
        text = " ".join(f"{q.question.rstrip('? ')}: {q.answer.rstrip('. ')}." for q in questions)
        yield Case(case_id=slide, patient_id=patient_of(slide, rule=patient_rule), text=text, kind="slide_qa",
                   questions=tuple(questions), images=(ImageRef(slide=slide),))


def _exam_cases(rows: Iterator[Row], source: Path) -> Iterator[Case | UnusableCase]:
    for number, row in enumerate(rows, 1):
        options = row.get("options")
        if isinstance(options, Mapping):
            options = list(options.values())
        answer, stem = _text(row.get("answer")).strip(), _text(row.get("question")).strip()
        if not isinstance(options, list):
            raise InputError(f"{source}, record {number}: no options",
                             hint="exam rows need question, options (list or mapping) and answer, which is one of them")
        case_id = _text(row.get("id")) or f"{_text(row.get('set')) or source.stem}-{_text(row.get('row')) or number}"
        if answer not in [_text(o).strip() for o in options]:
            yield UnusableCase(case_id, "answer_not_among_options", f"answer {answer!r}, options {options}")
            continue
        question = GivenQuestion(stem, answer, tuple(_text(o).strip() for o in options))
        yield Case(case_id=case_id, patient_id=case_id, text=stem, kind="exam", questions=(question,))
