"""From a case to verified samples, and from a file to a dataset."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

import pathkg
from datagen.api import GenerateOptions, Generator, generate_case, run
from datagen.audit import audit
from datagen.cases import read_cases
from datagen.cli import main
from datagen.output.schema import sample_schema
from datagen.pipeline import InputOptions
from datagen.pipeline import run as run_pipeline
from datagen.plan import Plan, diff_plans
from datagen.questions import KINDS
from datagen.records import Case
from pathkg.errors import InputError
from pathkg.rewards import CompositeReward
from pathkg.trajectory import verify
from tests.datagen.conftest import EXAMPLES
from tests.shared_data import shared


def test_every_sample_is_supported_and_its_gold_earns_everything(generator: Generator, examples: list[Case]) -> None:
    reward = CompositeReward()
    made = [generator.generate(case) for case in examples]
    assert sum(m.accepted for m in made) >= 0.85 * len(examples)
    for case in made:
        for trajectory, certificate, reference in case.written:
            assert certificate.verdict == "supported"
            assert all(p.verdict == "supported" for p in certificate.parts if p.checked)
            assert reward.score(trajectory.render(), reference).total == sum(reward.weights.values())


def test_the_short_way_certifies_as_verify_does(generator: Generator, examples: list[Case]) -> None:
    case = examples[1]
    for trajectory, certificate, _ in generator.generate(case).written:
        assert certificate.to_dict() == verify(trajectory, report=case.text).to_dict()


def test_same_seed_same_words_other_seed_other_words(examples: list[Case]) -> None:
    first, again, other = (generate_case(examples[0], seed=s) for s in (1, 1, 2))
    assert [s.text for s in first.samples] == [s.text for s in again.samples]
    assert not {s.text for s in first.samples} & {s.text for s in other.samples}


def test_several_kinds_of_question_with_evidence_in_the_report(generator: Generator, examples: list[Case]) -> None:
    kinds: set[str] = set()
    for case in examples:
        for sample in generator.generate(case).samples:
            kinds.add(sample.question_kind)
            assert sample.evidence
            assert all(case.text[e["start"]:e["end"]] == e["text"] for e in (*sample.evidence, *sample.findings))
            assert len(sample.findings) >= 5
    assert kinds <= set(KINDS)
    assert len(kinds) >= 5


def test_answer_is_not_in_observe(generator: Generator, examples: list[Case]) -> None:
    for case in examples:
        for sample in generator.generate(case).samples:
            if sample.question_kind in ("diagnosis", "subtype"):
                assert sample.diagnosis.lower() not in sample.observe.lower()


def test_a_negation_in_the_report_is_never_told_as_present(generator: Generator) -> None:
    report = ("Lung, right upper lobe, lobectomy: squamous cell carcinoma with keratin pearls and intercellular bridges. "
              "No lymphovascular invasion. No perineural invasion. Necrosis is absent. p40 positive. TTF-1 negative. pT2a pN0.")
    made = generator.generate(Case("n", "n", report))
    assert made.accepted
    for trajectory, certificate, _ in made.written:
        present = {e.name for p in certificate.parts for e in p.entities if e.polarity == "+"}
        assert not present & {"lymphovascular invasion", "perineural invasion", "necrosis"}, trajectory


@pytest.mark.parametrize(("text", "reason"), [
    ("Nothing to report here today, thank you.", "no_diagnosis"),
    ("Hepatocellular carcinoma.", "too_few_findings")])
def test_poor_reports_are_rejected_with_the_reason(generator: Generator, text: str, reason: str) -> None:
    made = generator.generate(Case("x", "x", text))
    assert [r.reason for r in made.rejected] == [reason]
    with pytest.raises(InputError, match=reason):
        _ = made.trajectory


def test_plans_can_be_printed_and_compared(generator: Generator, examples: list[Case]) -> None:
    case = examples[1]
    plan = generator.plan(case, generator.read(case)[1])
    assert isinstance(plan, Plan)
    assert plan.diagnosis.name in plan.explain()
    changed = dataclasses.replace(case, text=case.text.replace("keratin pearls", "abundant cytoplasm"))
    other = generator.plan(changed, generator.read(changed)[1])
    assert isinstance(other, Plan)
    assert any(line.startswith("- ") and "keratin pearl" in line for line in diff_plans(plan, other))
    assert diff_plans(plan, plan) == []
    assert plan.hash != other.hash


def test_a_run_writes_four_files_and_the_same_bytes_again(dataset: Path, tmp_path: Path) -> None:
    names = ["manifest.json", "rejected.jsonl", "samples.jsonl", "samples.parquet"]
    assert sorted(p.name for p in dataset.iterdir()) == names
    run_pipeline(cases=EXAMPLES, out=tmp_path / "b", workers=2)
    for name in names:
        assert (tmp_path / "b" / name).read_bytes() == (dataset / name).read_bytes(), name
    rows = [json.loads(line) for line in (dataset / "samples.jsonl").read_text("utf-8").splitlines()]
    table = pq.read_table(dataset / "samples.parquet")
    assert table.schema.equals(sample_schema())
    assert table.to_pylist() == rows
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert manifest["counts"]["samples"] == len(rows)
    assert manifest["graph_hash"] == pathkg.load().hash


def test_a_finished_run_is_left_alone_and_other_settings_are_refused(dataset: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in dataset.iterdir()}
    assert run(cases=EXAMPLES, out=dataset).done_now == 0
    assert {p.name: p.stat().st_mtime_ns for p in dataset.iterdir()} == before
    with pytest.raises(InputError, match="other settings"):
        run_pipeline(cases=EXAMPLES, out=dataset, options=GenerateOptions(seed=5))


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import datagen.runners as runners

    real, seen = runners.Worker.__call__, []

    def failing(self: runners.Worker, case: Case) -> runners.CaseResult:
        seen.append(case.case_id)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return real(self, case)

    runners.Worker.__call__ = failing  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            run(cases=EXAMPLES, out=out)
    finally:
        runners.Worker.__call__ = real  # type: ignore[method-assign]
    assert not (out / "samples.jsonl").exists()
    summary = run(cases=EXAMPLES, out=out)
    assert summary.done_now == summary.cases - 3
    assert (out / "samples.jsonl").read_bytes() == (dataset / "samples.jsonl").read_bytes()


def test_workers_of_a_killed_run_do_not_stay_behind(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "datagen.cli", "run", "--cases", str(EXAMPLES), "--workers", "2",
                                "--quiet", "--out", str(tmp_path / "o")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def children() -> list[int]:
        task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(p) for p in task.read_text().split()] if task.exists() else []

    def alive(pid: int) -> bool:
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"

    limit = time.monotonic() + 60
    while len(children()) < 3 and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    workers = children()
    time.sleep(2.0)  # until the workers have installed their watch
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    limit = time.monotonic() + 60
    while any(map(alive, workers)) and time.monotonic() < limit:
        time.sleep(0.2)
    assert workers
    assert not any(map(alive, workers))


@pytest.mark.slow
def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """kill -9 at random moments, 20 times; then the dataset equals that of an undisturbed run."""
    cases = tmp_path / "cases.jsonl"
    texts = [c.text for c in read_cases(EXAMPLES) if isinstance(c, Case)]
    with cases.open("w") as handle:
        for i in range(400):
            handle.write(json.dumps({"case_id": f"c{i}", "text": texts[i % len(texts)] + f" Block A{i}."}) + "\n")
    command = [sys.executable, "-m", "datagen.cli", "run", "--cases", str(cases), "--workers", "1", "--quiet", "--out"]
    out, kills = tmp_path / "killed", 0
    wait = 2.0
    while kills < 20:
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait + 0.37 * (kills % 5))
        if process.poll() is not None:
            break  # it finished before the kill: the machine is fast
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        assert not (out / "manifest.json").exists() or (out / "samples.jsonl").exists()
    run(cases=cases, out=out)
    run(cases=cases, out=tmp_path / "calm")
    assert kills >= 3
    for name in ("samples.jsonl", "samples.parquet", "rejected.jsonl", "manifest.json"):
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes(), name


def test_patients_are_in_one_split(dataset: Path) -> None:
    splits: dict[str, set[str]] = {}
    for line in (dataset / "samples.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(s) == 1 for s in splits.values())


def test_audit_passes_and_sees_each_tampering(dataset: Path, tmp_path: Path) -> None:
    import shutil

    assert audit(dataset).ok

    def tampered(change: str) -> dict[str, int]:
        place = tmp_path / change
        shutil.copytree(dataset, place)
        lines = (place / "samples.jsonl").read_text("utf-8").splitlines()
        row = json.loads(lines[0])
        if change == "answer":
            row["answer"] = row["answer"].rstrip(".") + " indeed."
        elif change == "text":
            row["text"] = row["text"].replace("</observe>", " Perineural invasion.\n</observe>", 1)
        elif change == "report":
            row["report"] = "x" + row["report"]
        elif change == "certificate":
            row["certificate_json"] = row["certificate_json"].replace('"verdict":"supported"', '"verdict":"unsupported"', 1)
        elif change == "split":
            row["split"] = "other"
        lines[0] = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if change == "missing":
            lines = lines[1:]
        (place / "samples.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        return dict(audit(place).counts)

    for change, kind in (("answer", "text"), ("text", "certificate"), ("report", "span"), ("certificate", "certificate"),
                         ("split", "split"), ("missing", "manifest")):
        assert kind in tampered(change), change


@pytest.mark.parametrize(("arguments", "words"), [
    (["run", "--cases", "none.jsonl", "--out", "o"], "no file or folder"),
    (["run", "--cases", "CASES", "--out", "o", "--store", "nowhere"], "nowhere"),
    (["run", "--cases", "CASES", "--out", "o", "--column", "text=nope"], "no column 'nope'"),
    (["run", "--cases", "EMPTY", "--out", "o"], "no record of"),
    (["run", "--cases", "HUGE", "--out", "o"], "text_too_long"),
    (["run", "--cases", "GARBAGE", "--out", "o"], "binary"),
    (["run", "--cases", "CASES", "--out", "o", "--dialect", "tags"], "dialect"),
    (["run", "--cases", "CASES", "--out", "o", "--kinds", "diagnoses"], "no question kind"),
    (["run", "--cases", "CASES", "--out", "o", "--limit", "0"], "leaves no case"),
    (["run", "--cases", "CASES", "--out", "o", "--writer", "llm"], "need a model"),
    (["run", "--cases", "CASES", "--out", "o", "--workers", "0"], "cannot work"),
    (["audit", "nowhere"], "cannot read"),
    (["export", "nowhere", "--format", "trl", "--out", "o"], "cannot read"),
    (["inspekt"], "no command"),
])
def test_bad_input_ends_with_code_2_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                       monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_text('{"case_id": "1", "text": ""}\n')
    (tmp_path / "huge.jsonl").write_text(json.dumps({"case_id": "1", "text": "a tumor " * 700_000}))
    (tmp_path / "garbage.jsonl").write_bytes(os.urandom(5000) + b"\x00")
    files = {"CASES": str(EXAMPLES), "EMPTY": "empty.jsonl", "HUGE": "huge.jsonl", "GARBAGE": "garbage.jsonl"}
    assert main([files.get(a, a) for a in arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "o").exists() or not any((tmp_path / "o").glob("*.json*"))


def test_a_store_of_another_format_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    store.mkdir()
    manifest = json.loads((Path(pathkg.load().path) / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
    assert main(["run", "--cases", str(EXAMPLES), "--out", str(tmp_path / "o"), "--store", str(store)]) == 2
    assert "version" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_commands_print(dataset: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments, words in (
            (["plan", "--cases", str(EXAMPLES), "--limit", "1"], "diagnosis:"),
            (["plan", "--cases", str(EXAMPLES), "--limit", "1", "--json"], '"support"'),
            (["schema", "findings"], '"properties"'), (["schema", "sample"], '"certificate_json"'),
            (["inspect", str(dataset), "--figures", str(tmp_path / "f")], "question kinds:"),
            (["inspect", str(dataset), "--json"], '"lengths"'),
            (["audit", str(dataset), "--json", "--limit", "2"], '"ok": true')):
        assert main(arguments) == 0, arguments
        assert words in capsys.readouterr().out
    assert (tmp_path / "f" / "question_kinds.svg").read_text().startswith("<svg")


def test_questions_that_come_with_slides_and_exams(tmp_path: Path) -> None:
    slide = [{"Id": "S1", "Question": "what type of carcinoma did the patient have in the breast?", "Answer": "invasive lobular carcinoma",
              "Choice": ["invasive lobular carcinoma", "mucinous carcinoma"]},
             {"Id": "S1", "Question": "was lymphovascular invasion present?", "Answer": "lymphovascular invasion is present"},
             {"Id": "S1", "Question": "what was found in the breast besides?", "Answer": "lobular carcinoma in situ and microcalcifications"},
             {"Id": "S1", "Question": "how long did the patient live?", "Answer": "628"}]
    (tmp_path / "q.json").write_text(json.dumps(slide))
    case = next(iter(read_cases(tmp_path / "q.json")))
    assert isinstance(case, Case)
    made = generate_case(case)
    assert {r.reason for r in made.rejected} >= {"answer_not_linked"}
    assert made.samples
    for sample in made.samples:
        assert sample.scale == "slide"
        assert any(q.answer in sample.answer.lower() for q in case.questions)
    exam = Case("E1", "E1", "A biopsy of a lung mass shows keratin pearls and intercellular bridges. No gland formation is seen. "
                "Which diagnosis is most likely?", "exam")
    from datagen.records import GivenQuestion

    options = ("Lung adenocarcinoma", "Squamous cell carcinoma", "Small cell carcinoma")
    made = generate_case(dataclasses.replace(exam, questions=(GivenQuestion(exam.text, options[1], options),)))
    assert made.accepted, made.rejected
    assert made.samples[0].answer.startswith("Squamous cell carcinoma")


def test_structured_findings_become_samples(tmp_path: Path) -> None:
    record = {"case_id": "F1", "organ": "lung", "specimen": "lobectomy", "diagnosis": "squamous cell carcinoma",
              "grade": "moderately differentiated", "stage": "pT2a pN0",
              "findings": [{"name": "keratin pearls"}, {"name": "intercellular bridges"},
                           {"name": "lymphovascular invasion", "status": "absent"}, {"name": "p40 positive"}]}
    (tmp_path / "f.jsonl").write_text(json.dumps(record))
    summary = run_pipeline(cases=tmp_path / "f.jsonl", out=tmp_path / "o", reading=InputOptions(format="findings"))
    assert summary.accepted == 1


def test_info_dialect(tmp_path: Path) -> None:
    run_pipeline(cases=EXAMPLES, out=tmp_path / "o", limit=1, options=GenerateOptions(dialect="info", questions=1))
    row = json.loads((tmp_path / "o" / "samples.jsonl").read_text("utf-8").splitlines()[0])
    assert row["text"].startswith("<info>")
    assert audit(tmp_path / "o").ok


def test_yield_on_real_reports() -> None:
    """A sample of the real reports here; the whole figure comes from benchmarks/datagen.py."""
    for name, share in (("clean", 0.8), ("noisyocr_400", 0.6)):
        cases = [c for c in read_cases(shared(f"reports/tcga_reports_{name}.jsonl")) if isinstance(c, Case)][::20]
        generator = Generator(pathkg.load(), options=GenerateOptions(questions=2))
        assert sum(generator.generate(c).accepted for c in cases) / len(cases) >= share, name


def test_a_fault_on_one_case_rejects_that_case_alone(caplog: pytest.LogCaptureFixture) -> None:
    from datagen.runners import Worker

    class Faulty:
        def generate(self, case: Case) -> Any:
            raise OSError("disk full") if case.case_id == "full" else IndexError("string index out of range")

    worker = Worker(cast(Any, Faulty()))
    result = worker(Case("one", "p", "a report"))
    assert [(r["reason"], r["detail"]) for r in result.notes["rejected"]] == [("internal_error", "IndexError: string index out of range")]
    assert "could not be worked on" in caplog.text
    with pytest.raises(OSError, match="disk full"):
        worker(Case("full", "p", "a report"))


@pytest.mark.parametrize(("text", "thin"), [
    # nothing is seen: a size, an absence, and where it is
    ("Stomach, biopsy: gastric adenocarcinoma, moderately differentiated. No evidence of intestinal metaplasia. The lesion measures "
     "2.5 cm. pT2 pN0.", True),
    ("Eye, enucleation: uveal melanoma. Largest basal diameter 12 mm. No extraocular extension. No ciliary body involvement. "
     "Optic nerve margin is negative. pT2a.", True),
    # adversaries: one finding that is present and speaks for the answer
    ("Stomach, biopsy: gastric adenocarcinoma, moderately differentiated. Glandular pattern is present. No evidence of intestinal "
     "metaplasia. The lesion measures 2.5 cm. pT2 pN0.", False),
    ("Eye, enucleation: uveal melanoma. Epithelioid cells are present. Melanin pigment is present. No extraocular extension. pT2a.", False)])
def test_a_sample_rests_on_a_finding_that_is_present(generator: Generator, text: str, thin: bool) -> None:
    made = generator.generate(Case("t", "t", text))
    reasons = {r.reason for r in made.rejected if r.question_kind == "diagnosis"}
    assert (reasons == {"thin_evidence"}) is thin, (made.rejected, [s.text for s in made.samples])
    assert any(s.question_kind == "diagnosis" for s in made.samples) is not thin
