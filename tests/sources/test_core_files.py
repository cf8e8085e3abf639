"""The core's tables are the same graph plain (as in the source tree) and compressed (as in a wheel)."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from pathkg.errors import InputError
from pathkg.sources.core import core_digest, read_core, rows

SMALL = {"nodes.tsv": "id\tname\ttype\tdefinition\txrefs\tsource\nPATHKG:a\ta thing\tmorphology\t\t\t\nPATHKG:b\tanother\tdisease\t\tX:1|X:2\t\n",
         "edges_one.tsv": "subject\trelation\tobject\tsource\nPATHKG:a\tsupports\tPATHKG:b\there\n",
         "forms_one.tsv": "form\tid\tkind\tcontext\na thing\tPATHKG:a\tname\t\nanother\tPATHKG:b\tname\t\n"}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def packed(plain: Path) -> Path:
    folder = plain.with_name("packed")
    folder.mkdir()
    for path in plain.iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    return folder


def test_compressed_tables_give_the_same_digest_and_graph(plain: Path, packed: Path) -> None:
    assert core_digest(packed) == core_digest(plain)
    left, right = read_core(plain), read_core(packed)
    assert left.nodes.num_rows == 2
    for name in ("nodes", "edges", "synonyms", "xrefs"):
        assert getattr(left, name).equals(getattr(right, name)), name


def test_a_table_that_is_there_twice_counts_once(plain: Path, packed: Path) -> None:
    digest = core_digest(plain)
    core_digest.cache_clear()
    shutil.copy(packed / "nodes.tsv.gz", plain)
    assert core_digest(plain) == digest
    assert read_core(plain).nodes.num_rows == 2


def test_a_short_row_is_named_with_its_line(packed: Path) -> None:
    (packed / "nodes.tsv.gz").write_bytes(gzip.compress(b"id\tname\nPATHKG:a\n"))
    with pytest.raises(InputError, match=r"nodes\.tsv\.gz:2 has 1 fields"):
        list(rows(packed / "nodes.tsv.gz"))
