"""Delimited text and Parquet as Arrow columns, with every row that does not fit reported by line."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pathkg.errors import InputError, did_you_mean
from pathkg.sources.tables import ReadReport

WORDS = pa.dictionary(pa.int32(), pa.string())
_BLOCK_BYTES = 1 << 24  # few blocks, so that few dictionaries have to be unified
_COMPRESSED = (".gz", ".zst", ".zstd")
_SCAN_LIMIT = 10_000  # unusable rows whose line number is looked up


def existing(path: str | os.PathLike[str]) -> Path:
    """The path, if it is a non-empty file.

    Raises:
        InputError: no such file, a folder, or an empty file.
    """
    file = Path(path)
    if file.is_dir():
        raise InputError(f"{file} is a folder, a file is wanted here", hint="name the file in it")
    if not file.is_file():
        near = did_you_mean(file.name, os.listdir(file.parent)) if file.parent.is_dir() else ""
        raise InputError(f"there is no file {file}", hint=near or "check the path")
    if file.stat().st_size == 0:
        raise InputError(f"{file.name} is empty", hint="download it again")
    return file


@contextmanager
def open_binary(path: Path) -> Iterator[Any]:
    """A file's bytes, decompressed by its ending (``.gz``, ``.zst``).

    Raises:
        InputError: damaged or truncated compressed data.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as data:
                yield data
        elif path.suffix in (".zst", ".zstd"):
            with pa.input_stream(str(path), compression="zstd") as stream:
                yield stream
        else:
            with path.open("rb") as data:
                yield data
    except (EOFError, gzip.BadGzipFile, pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        raise InputError(f"{path.name} is damaged or cut short: {error}", hint="download it again") from error


def read_all_text(path: str | os.PathLike[str]) -> str:
    """The whole text of a small file (UTF-8, a byte order mark is dropped).

    Raises:
        InputError: missing, empty, damaged or not UTF-8.
    """
    file = existing(path)
    with open_binary(file) as data:
        content = data.read()
    try:
        return str(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is not UTF-8 (byte {error.start})", hint="convert it to UTF-8") from error


def header_of(path: Path) -> tuple[list[str], str]:
    """The column names and the delimiter (comma or tab) of a delimited file."""
    with open_binary(path) as data:
        line = io.TextIOWrapper(data, encoding="utf-8-sig", errors="replace", newline=None).readline()
    delimiter = "\t" if line.count("\t") > line.count(",") else ","
    return next(csv.reader([line.rstrip("\n")], delimiter=delimiter), []), delimiter


def check_columns(path: Path, found: Sequence[str], required: Sequence[str]) -> None:
    """Raise the error that names the missing columns."""
    missing = [c for c in required if c not in found]
    if missing:
        near = did_you_mean(missing[0], found)
        raise InputError(f"{path.name} has no column {', '.join(map(repr, missing))}; it has {', '.join(found)}",
                         hint=near or f"the columns needed are {', '.join(required)}")


class Columns:
    """Columns of one file, words dictionary-encoded, with the way back from row to line.

    Attributes:
        table: the columns asked for.
        file: file name for reports.
    """

    def __init__(self, path: Path, table: pa.Table, misfits: Sequence[str] = ()) -> None:
        self.path, self.file = path, path.name
        self.table = table
        self._misfits = misfits

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    def lines_of(self, rows: Sequence[int]) -> dict[int, int | None]:
        """Line number of each row of the table; ``None`` for a Parquet file."""
        if self.path.suffix == ".parquet" or not rows:
            return dict.fromkeys(rows)
        wanted, misfits = set(rows), set(self._misfits)
        lines: dict[int, int | None] = {}
        row = -1
        for number, line in _text_lines(self.path):
            if number == 1 or not line or line in misfits:
                continue
            row += 1
            if row in wanted:
                lines[row] = number
                if len(lines) == len(wanted):
                    break
        return {r: lines.get(r) for r in rows}


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_binary(path) as data:
        text = io.TextIOWrapper(data, encoding="utf-8", errors="surrogateescape", newline=None)
        for number, line in enumerate(text, 1):
            yield number, line.rstrip("\n")


def read_columns(path: str | os.PathLike[str], required: Sequence[str], report: ReadReport, *,
                 optional: Sequence[str] = (), integers: Sequence[str] = ()) -> Columns:
    """Read columns of a CSV, TSV (each plain, ``.gz``, ``.zst``) or Parquet file.

    Rows with another number of fields than the header are dropped and reported with their line.

    Args:
        path: the file.
        required: columns that must exist.
        report: gets the rows that do not fit.
        optional: columns read where they exist.
        integers: of these, the ones to read as int64 (an error names the value that is none).

    Raises:
        InputError: the file is missing, empty, damaged, or lacks a required column.
    """
    file = existing(path)
    if file.suffix == ".parquet":
        return _read_parquet(file, required, optional, integers)
    names, delimiter = header_of(file)
    check_columns(file, names, required)
    wanted = [*required, *(c for c in optional if c in names)]
    misfits: list[str] = []
    n_misfits = 0

    def keep(row: Any) -> str:
        nonlocal n_misfits
        n_misfits += 1
        if len(misfits) < _SCAN_LIMIT:
            misfits.append(row.text)
        return "skip"

    types: Mapping[str, pa.DataType] = {c: pa.int64() if c in integers else WORDS for c in wanted}
    try:
        with _arrow_input(file) as source:
            table = pa_csv.read_csv(
                source,
                read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES, column_names=names, skip_rows=1),
                parse_options=pa_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=keep),
                convert_options=pa_csv.ConvertOptions(include_columns=wanted, column_types=types,
                                                      check_utf8=False))
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError, EOFError) as error:
        raise InputError(f"{file.name} cannot be read as a table: {error}",
                         hint="is it a complete, unchanged download?") from error
    report.count("rows", table.num_rows + n_misfits)
    if n_misfits:
        _report_misfits(file, misfits, n_misfits, report)
    return Columns(file, table, misfits)


def _arrow_input(file: Path) -> Any:
    if file.suffix in _COMPRESSED:
        return pa.input_stream(str(file), compression="gzip" if file.suffix == ".gz" else "zstd")
    return pa.OSFile(str(file))  # a memory map would count as resident memory


def _report_misfits(file: Path, misfits: Sequence[str], total: int, report: ReadReport) -> None:
    reason = "row with another number of fields than the header"
    wanted = set(misfits)
    found = 0
    for number, line in _text_lines(file):
        if line in wanted:
            report.drop(reason, file=file.name, line=number, text=line)
            found += 1
            if found >= len(misfits):
                break
    report.drop(reason, by=total - found)
    if not report.dropped[reason]:  # pragma: no cover - a Counter entry of zero would read as a reason
        del report.dropped[reason]


def _read_parquet(file: Path, required: Sequence[str], optional: Sequence[str], integers: Sequence[str]) -> Columns:
    try:
        opened = pq.ParquetFile(file)
        names = opened.schema_arrow.names
        check_columns(file, names, required)
        table = opened.read(columns=[*required, *(c for c in optional if c in names)])
        arrays = []
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name in integers:
                arrays.append(column.cast(pa.int64()))
            elif pa.types.is_dictionary(column.type):
                arrays.append(column.cast(WORDS))
            elif pa.types.is_list(column.type):
                arrays.append(pa.array([str(tuple(v or ())) for v in column.to_pylist()]).dictionary_encode())
            else:
                arrays.append(pc.fill_null(column.cast(pa.string()), "").dictionary_encode())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError(f"{file.name} cannot be read as Parquet: {error}", hint="download it again") from error
    return Columns(file, pa.table(dict(zip(table.column_names, arrays, strict=True))))


def words_and_codes(*columns: pa.ChunkedArray) -> tuple[list[str | None], list[npt.NDArray[np.int32]]]:
    """One vocabulary for several dictionary columns, and each column's codes into it.

    A word that is not UTF-8 or holds a NUL byte comes back as ``None``: its rows cannot be used.
    """
    chunks = [chunk for column in columns for chunk in column.chunks]
    if not chunks:
        return [], [np.zeros(0, np.int32) for _ in columns]
    unified = pa.chunked_array(chunks).unify_dictionaries()
    vocabulary = [_usable(word) for word in unified.chunk(0).dictionary.cast(pa.binary()).to_pylist()]
    codes, at = [], 0
    for column in columns:
        parts = [unified.chunk(at + i).indices.to_numpy(zero_copy_only=False) for i in range(column.num_chunks)]
        at += column.num_chunks
        codes.append(np.concatenate(parts).astype(np.int32, copy=False) if parts else np.zeros(0, np.int32))
    return vocabulary, codes


def _usable(word: bytes | None) -> str | None:
    if word is None or b"\x00" in word:
        return None
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        return None
