"""``pathkg verify`` and ``pathkg reward`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pathkg.cli import main
from pathkg.rewards import Reference
from pathkg.rewards.redteam import gold_cases

CASE = gold_cases()[0]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "gold.txt").write_text(CASE.gold.render(), encoding="utf-8")
    (tmp_path / "report.txt").write_text(CASE.report, encoding="utf-8")
    (tmp_path / "half.txt").write_text(CASE.gold.replace(steps=CASE.gold.steps[:1]).render(), encoding="utf-8")
    (tmp_path / "junk.txt").write_text("junk", encoding="utf-8")
    samples = [{"id": c.id, "trajectory": c.gold.to_dict() if i % 2 else c.gold.render(), "report": c.report}
               for i, c in enumerate(gold_cases()[:4])]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(s) + "\n" for s in samples), encoding="utf-8")
    return tmp_path


def test_verify_and_recheck(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = [str(files / "gold.txt"), "--report", str(files / "report.txt")]
    assert main(["verify", *common, "--out", str(files / "c.json")]) == 0
    assert "verdict: supported" in capsys.readouterr().out
    assert main(["verify", *common, "--recheck", str(files / "c.json")]) == 0
    bent = (files / "c.json").read_text(encoding="utf-8").replace('"supported"', '"contradicted"', 1)
    (files / "bent.json").write_text(bent, encoding="utf-8")
    assert main(["verify", *common, "--recheck", str(files / "bent.json"), "--json"]) == 1
    assert main(["verify", *common, "--json"]) == 0


def test_score(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = ["--gold", str(files / "gold.txt")]
    assert main(["reward", "score", str(files / "gold.txt"), *gold, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 2.5
    assert main(["reward", "score", str(files / "half.txt"), *gold, "--weights", "entity=1", "--variant", "recall"]) == 0
    assert capsys.readouterr().out.startswith("total 0.")


def test_references_from_samples(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = files / "truth.jsonl"
    assert main(["reward", "reference", str(files / "samples.jsonl"), "--out", str(out)]) == 0
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [r["id"] for r in records] == [c.id for c in gold_cases()[:4]]
    assert all(Reference.from_json(r["ground_truth"]).claims for r in records)
    first = out.read_bytes()
    assert main(["reward", "reference", str(files / "samples.jsonl"), "--out", str(out)]) == 0
    assert out.read_bytes() == first
    capsys.readouterr()
    assert main(["reward", "reference", str(files / "gold.txt")]) == 0
    (files / "r.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["reward", "score", str(files / "gold.txt"), "--reference", str(files / "r.json")]) == 0


def test_a_bad_sample_is_named_and_the_rest_is_written(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (files / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "x"}\n{"id": "y", "trajectory": "no tags"}\n')
    assert main(["reward", "reference", str(files / "samples.jsonl"), "--out", str(files / "t.jsonl")]) == 1
    err = capsys.readouterr().err
    assert "line 5: no field 'trajectory'" in err
    assert "4 references, 2 samples refused" in err


@pytest.mark.parametrize(("arguments", "says"), [
    (["verify", "missing.txt"], "cannot read"),
    (["verify", "{junk}"], "does not follow the dialect"),
    (["verify", "{gold}", "--dialect", "inf"], "did you mean 'info'"),
    (["verify", "{gold}", "--recheck", "{junk}"], "not JSON"),
    (["reward", "score", "{gold}"], "--reference and --gold"),
    (["reward", "score", "{gold}", "--reference", "{junk}"], "not JSON"),
    (["reward", "score", "{gold}", "--gold", "{gold}", "--weights", "entiti=1"], "did you mean 'entity'"),
    (["reward", "reference", "{samples}", "--out", "/no/such/folder/x"], "cannot write"),
    (["reward", "redteam", "--family", "tag_ordr"], "did you mean 'tag_order'"),
    (["verify", "{gold}", "--store", "no-such-store"], "no-such-store"),
])
def test_bad_input_exits_with_2_and_says_what_to_do(files: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                                                    says: str) -> None:
    named = {"junk": files / "junk.txt", "gold": files / "gold.txt", "samples": files / "samples.jsonl"}
    assert main([a.format(**named) for a in arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "what to do" in err
