"""Nothing is half-written, nothing is lost, nothing is mixed."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datagen.output.atomic import whole_file
from datagen.output.journal import LINES, CaseResult, Journal
from datagen.output.schema import sample_schema
from datagen.output.splits import parse_fractions, split_of
from datagen.output.tables import write_parquet
from pathkg.errors import InputError
from tests.datagen.conftest import EXAMPLES


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def fail() -> None:
        with whole_file(tmp_path / "a") as handle:
            handle.write("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path, {"v": 1})
    for i in (0, 2, 1):
        journal.append(i, f"k{i}", CaseResult.of(f"c{i}", samples=[{"n": i, "text": "a\tb\n"}]))
    journal.close()
    path = tmp_path / ".run" / LINES
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(tmp_path, {"v": 1})
    assert len(again) == 2
    assert not again.has(1, "k1")
    again.append(1, "k1", CaseResult.of("c1", samples=[{"n": 1}, {"n": 7}]))
    kept = [(i, head["case_id"], [json.loads(s)["n"] for s in samples]) for i, head, samples in again.results()]
    assert kept == [(0, "c0", [0]), (1, "c1", [1, 7]), (2, "c2", [2])]
    again.close()


def test_a_journal_of_other_settings_or_other_cases_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"seed": 1})
    journal.append(0, "k0", CaseResult.of("c0"))
    with pytest.raises(InputError, match="is not the one"):
        journal.has(0, "other")
    journal.close()
    with pytest.raises(InputError, match="seed: 1 then, 2 now"):
        Journal(tmp_path, {"seed": 2})


def test_a_journal_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {})
    journal.append(0, "k0", CaseResult.of("c0"))
    journal.append(1, "k1", CaseResult.of("c1"))
    journal.close()
    path = tmp_path / ".run" / LINES
    path.write_bytes(b"garbage" + path.read_bytes())
    with pytest.raises(InputError, match="damaged"):
        Journal(tmp_path, {})


def test_parquet_shards_hold_all_rows_and_replace_older_ones(tmp_path: Path, dataset: Path) -> None:
    rows = [json.loads(line) for line in (dataset / "samples.jsonl").read_text("utf-8").splitlines()]
    files = write_parquet(tmp_path / "samples.parquet", iter(rows), sample_schema(), shard_rows=10)
    assert [f.name for f in files][:1] == [f"samples-00000-of-{len(files):05d}.parquet"]
    assert sum(pq.read_metadata(f).num_rows for f in files) == len(rows)
    assert pq.read_table(files[0]).to_pylist() == rows[:10]
    whole = write_parquet(tmp_path / "whole.parquet", dataset / "samples.jsonl", sample_schema())
    assert pq.read_table(whole[0]).to_pylist() == rows
    whole[0].unlink()
    (tmp_path / "bad.jsonl").write_text(json.dumps({**rows[0], "seed": "one"}) + "\n")
    with pytest.raises(InputError, match="not a record of the schema"):
        write_parquet(tmp_path / "bad.parquet", tmp_path / "bad.jsonl", sample_schema())
    (tmp_path / "bad.jsonl").unlink()
    assert [f.name for f in write_parquet(tmp_path / "samples.parquet", iter(rows), sample_schema())] == ["samples.parquet"]
    assert [p.name for p in tmp_path.iterdir()] == ["samples.parquet"]
    with pytest.raises(ZeroDivisionError):
        write_parquet(tmp_path / "other.parquet", ({**rows[0], "seed": 1 // 0} for _ in range(3)), sample_schema())
    assert [p.name for p in tmp_path.iterdir()] == ["samples.parquet"]


def test_a_full_disk_is_said_and_the_run_goes_on(tmp_path: Path, dataset: Path) -> None:
    command = [sys.executable, "-m", "datagen.cli", "run", "--cases", str(EXAMPLES), "--out", str(tmp_path / "out"), "--quiet"]
    root = Path(__file__).resolve().parents[2]

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    full = subprocess.run(command, cwd=root, preexec_fn=small_files, capture_output=True, text=True, check=False)
    assert full.returncode == 2
    assert "cannot write" in full.stderr
    assert "Traceback" not in full.stderr
    again = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / "samples.jsonl").read_bytes() == (dataset / "samples.jsonl").read_bytes()


def test_splits_are_stable_and_near_their_fractions() -> None:
    patients = [f"P{i}" for i in range(4000)]
    first = {p: split_of(p) for p in patients}
    assert {p: split_of(p) for p in reversed(patients)} == first
    share = sum(s == "train" for s in first.values()) / len(first)
    assert 0.77 < share < 0.83
    assert split_of("P1", seed=0) != split_of("P1", seed=1) or split_of("P2", seed=0) != split_of("P2", seed=1) \
        or split_of("P3", seed=0) != split_of("P3", seed=1)


@pytest.mark.parametrize("text", ["train=0.5", "train=2,test=-1", "train", "train=x,test=1"])
def test_fractions_that_do_not_add_up_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_fractions(text)
