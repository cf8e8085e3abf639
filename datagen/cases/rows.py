"""Rows out of JSONL, CSV, TSV, Parquet and folders of text files, one at a time."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pathkg.errors import InputError

Row = Mapping[str, Any]
PARQUET_BATCH = 256


def read_text_file(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: it cannot be read, holds zero bytes, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint="check the path and its rights") \
            from error
    return decode(data, path)


def decode(data: bytes, path: Path) -> str:
    """``data`` as UTF-8 text, or an :class:`~pathkg.errors.InputError` that says what is wrong with it."""
    if b"\x00" in data:
        raise InputError(f"{path} looks like a binary file, not text",
                         hint="give UTF-8 text; convert PDF or Word files to text first")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start})",
                         hint=f"convert it: iconv -f latin1 -t utf-8 {path.name} > {path.stem}.utf8.txt") from error


def open_lines(path: Path) -> IO[str]:
    """A text handle on ``path``, after its first bytes were checked to be UTF-8 text."""
    try:
        with path.open("rb") as probe:
            head = probe.read(65536)
        # a multi-byte character may be cut at the end of the probe
        decode(head if len(head) < 65536 else head[:head.rfind(b"\n") + 1], path)
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}",
                         hint="give the path of an existing file") from error


def _fault(error: json.JSONDecodeError) -> str:
    # some of the parser's messages end in "at", such as "Unterminated string starting at"
    return f"{error.msg.removesuffix(' at')} at character {error.pos}"


def jsonl_rows(path: Path) -> Iterator[Row]:
    """The objects of a JSON Lines file.

    Raises:
        InputError: a line that is not a JSON object, with its number.
    """
    with open_lines(path) as handle:
        try:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise InputError(f"{path}:{number} is not JSON: {_fault(error)}",
                                     hint="one JSON object per line; repair or remove that line") from error
                if not isinstance(row, dict):
                    raise InputError(f"{path}:{number} holds a JSON {type(row).__name__}, not an object",
                                     hint="one JSON object per line")
                yield row
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8 throughout ({error.reason})",
                             hint="convert it to UTF-8 with iconv") from error


def csv_rows(path: Path, *, delimiter: str = ",") -> Iterator[Row]:
    """The rows of a CSV or TSV file with a header line. A header without a single comma but with semicolons or tabs, as
    spreadsheets of many countries write it, tells the separator."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # reports are longer than the default 131,072 characters
    with open_lines(path) as handle:
        header = handle.readline()
        handle.seek(0)
        if delimiter == "," and "," not in header:
            delimiter = next((d for d in (";", "\t") if d in header), delimiter)
        reader = csv.DictReader(handle, delimiter=delimiter)
        if not reader.fieldnames:
            raise InputError(f"{path} is empty", hint="a CSV file starts with a header line")
        try:
            for row in reader:
                if None in row:
                    raise InputError(f"{path}:{reader.line_num} has more fields than the header",
                                     hint="quote fields that contain the separator")
                yield {k: v for k, v in row.items() if k is not None}
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{path}:{reader.line_num} cannot be read as CSV: {error}",
                             hint="check quotes, separator and UTF-8 encoding") from error


def parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, read batch by batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=PARQUET_BATCH):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}", hint="check that the file is complete") \
            from error


def folder_rows(path: Path) -> Iterator[Row]:
    """One row per ``*.txt`` file of a folder, by name; the case id is the file name without ``.txt``."""
    files = sorted(path.glob("*.txt"))
    if not files:
        raise InputError(f"the folder {path} holds no .txt file", hint="give a folder with one report per .txt file")
    for file in files:
        yield {"case_id": file.stem, "text": read_text_file(file)}


def json_rows(path: Path) -> Iterator[Row]:
    """The objects of a JSON file that holds a list of objects, or one object."""
    try:
        value = json.loads(read_text_file(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON: {_fault(error)}",
                         hint="give a JSON list of objects, or use .jsonl for one object per line") from error
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}: entry {number} is a JSON {type(row).__name__}, not an object",
                             hint="give a JSON list of objects")
        yield row
