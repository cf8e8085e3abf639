"""The dispatcher: help, exit codes, errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pathkg.cli import COMMANDS, main


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_every_command_has_a_help_page(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        assert f"pathkg {name}" in capsys.readouterr().out


def test_a_mistyped_command_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lnik"]) == 2
    assert "did you mean 'link'" in capsys.readouterr().err


@pytest.mark.parametrize(("make", "message"), [
    (None, "there is no graph store"),
    ("{", "missing or broken"),
    (json.dumps({"format_version": 99}), "store format 99"),
])
def test_a_bad_store_ends_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], make: str | None,
                                      message: str) -> None:
    store = tmp_path / "store"
    if make is not None:
        store.mkdir()
        (store / "manifest.json").write_text(make)
    assert main(["info", "--store", str(store)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "what to do" in err


def test_info_counts_the_bundled_core(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["counts"]["nodes"] >= 8_000
    assert record["counts"]["edges"] >= 40_000
    assert sum(record["nodes_by_type"].values()) == record["counts"]["nodes"]
    assert sum(record["edges_by_relation"].values()) == record["counts"]["edges"]
