"""``pathkg info`` is where people look when a store misbehaves: whatever is damaged, it says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pathkg.cli import main
from pathkg.graph import make_tables, write_store

NODES = [{"id": "MONDO:1", "name": "one", "type": "disease"}, {"id": "MONDO:2", "name": "two", "type": "disease"}]
EDGES = [{"subject": "MONDO:2", "relation": "is_a", "object": "MONDO:1", "source": "here"}]
TABLES = ("nodes", "edges", "synonyms", "xrefs")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "s", make_tables(nodes=NODES, edges=EDGES))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def drop_a_row(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(table.slice(1), path)


def test_a_whole_store_is_described(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--store", str(store)]) == 0
    assert "2 nodes, 1 edges" in capsys.readouterr().out


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", [lambda p: p.write_text("garbage"), lambda p: p.write_bytes(b""), truncate, Path.unlink],
                         ids=["garbage", "empty", "cut", "missing"])
def test_a_damaged_table_is_an_error(store: Path, capsys: pytest.CaptureFixture[str], table: str,
                                     damage: Callable[[Path], object]) -> None:
    damage(store / f"{table}.parquet")
    assert main(["info", "--store", str(store)]) == 2
    err = capsys.readouterr().err
    assert f"{table}.parquet is broken" in err
    assert "build the store again" in err


def test_a_table_that_lacks_rows_is_an_error(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drop_a_row(store / "nodes.parquet")
    assert main(["info", "--store", str(store)]) == 2
    assert "has 1 rows, the manifest says 2" in capsys.readouterr().err


def test_a_damaged_index_is_an_error(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (store / "index" / "nodes.arrow").write_bytes(b"x" * 20)
    assert main(["info", "--store", str(store)]) == 2
    assert "nodes.arrow is broken" in capsys.readouterr().err
