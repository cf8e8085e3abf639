"""The LLM writer: with a server of ours that writes well, badly or not at all, and with a real small model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datagen.api import GenerateOptions, Generator
from datagen.audit import audit
from datagen.cli import main
from datagen.client import BudgetReached, CallCache, ChatClient, ClientOptions, PriceTable
from datagen.findings.llm import extract, locate
from datagen.llm_run import read_failures
from datagen.pipeline import run
from datagen.prompts import NAMES, read_prompt
from datagen.records import Case
from datagen.writers.llm import LlmOptions, tell
from pathkg.errors import EndpointError, InputError
from tests.datagen.conftest import EXAMPLES
from tests.datagen.llm_server import FaultServer, model_server, small_model

pytest.importorskip("openai", reason="needs pathkg[datagen]")
PRICES = PriceTable.of({"m": {"input": 1.0, "output": 10.0}})
ONE = GenerateOptions(questions=1, kinds=("diagnosis",))


def options(url: str, **changes: Any) -> LlmOptions:
    client = ClientOptions("m", base_url=url, concurrency=4, timeout=20, tries=2, parameters={"max_tokens": 300})
    return LlmOptions(client, PRICES, **changes)


@pytest.fixture(scope="module")
def good(generator: Generator, examples: list[Case]) -> dict[str, str]:
    """Specimen line of the prompt -> a draft that verifies (what the template writer wrote for that case)."""
    drafts = {}
    for case in examples:
        made = generator.generate(case)
        if made.accepted and made.plan is not None:
            t = made.trajectory
            asked = tell(made.plan, next(q for q in generator.questions(case, made.plan) if q.kind == "diagnosis"))
            drafts[asked["findings"]] = json.dumps({"observe": t.observe, "steps": list(t.steps), "answer": t.answer})
    return drafts


def writer_for(good: dict[str, str], first: str = "") -> Any:
    """A server's answers: ``first`` to a writing prompt (else the good draft), the good draft to a repair prompt."""
    def answer(body: dict[str, Any], _: int) -> Any:
        system, user = (m["content"] for m in body["messages"])
        draft = next((d for findings, d in good.items() if findings in user), "{}")
        if "You correct" in system:
            return draft
        return first or draft

    return answer


def test_good_drafts_are_accepted_and_audited(good: dict[str, str], tmp_path: Path) -> None:
    with FaultServer(writer_for(good)) as server:
        summary = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
    assert summary.samples == len(good)
    assert summary.usage["calls"] == len(server.requests)
    assert audit(tmp_path).ok
    row = json.loads((tmp_path / "samples.jsonl").read_text("utf-8").splitlines()[0])
    assert (row["writer"], row["model"], row["repairs"]) == ("llm-1", "m", 0)
    assert read_prompt("write").hash in row["prompt_hash"]


@pytest.mark.parametrize("first", ["This is not JSON.", '{"observe": "x", "steps": [], "answer": "y"}',
                                   '{"observe": "Necrosis.", "steps": ["Reed-Sternberg cells are present."], "answer": "Hodgkin lymphoma."}'])
def test_one_repair_turn_saves_a_bad_draft(good: dict[str, str], tmp_path: Path, first: str) -> None:
    with FaultServer(writer_for(good, first)) as server:
        summary = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
    rows = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == len(good)
    assert {r["repairs"] for r in rows} == {1}
    assert summary.usage["calls"] >= 2 * len(good)


def test_what_stays_bad_is_rejected_with_the_reason(good: dict[str, str], tmp_path: Path) -> None:
    bad = json.dumps({"observe": "Tumor tissue with necrosis everywhere.", "answer": "Kaposi sarcoma.",
                      "steps": ["Kaposi sarcoma is present in the tissue.", "Signet ring cells are present."]})
    with FaultServer(lambda *_: bad) as server:
        summary = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
    assert summary.samples == 0
    reasons = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text("utf-8").splitlines()]
    assert sum(r["reason"] == "verification" for r in reasons) == len(good)
    assert "the report does not state it" in next(r["detail"] for r in reasons if r["reason"] == "verification")
    assert max(len(r["messages"]) for r in server.requests) == 2


def test_the_prompt_tells_findings_and_paths_and_never_that_an_answer_is_given(good: dict[str, str], tmp_path: Path) -> None:
    with FaultServer(writer_for(good)) as server:
        run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
    for request in server.requests:
        told = "\n".join(m["content"] for m in request["messages"])
        assert "[keep for later]" in told or "stated" not in told
        for phrase in ("correct answer", "the answer is", "provided answer", "gold", "ground truth", "Diagnosis:"):
            assert phrase not in told, phrase
        assert request["response_format"]["type"] == "json_schema"
    assert any("→" in m["content"] for r in server.requests for m in r["messages"])


def test_cut_off_by_the_budget_and_resumed_without_paying_twice(good: dict[str, str], tmp_path: Path) -> None:
    with FaultServer(writer_for(good)) as server:
        bill = PRICES.need("m").of(100, 10)
        with pytest.raises(BudgetReached):
            run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url, budget=bill * 3 + 0.004), options=ONE)
        paid = len(server.requests)
        assert 1 <= paid < len(good)
        assert not (tmp_path / "samples.jsonl").exists()
        summary = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url, budget=1.0), options=ONE)
        assert len(server.requests) == len(good)
    assert summary.samples == len(good)


def test_failures_can_be_replayed(good: dict[str, str], tmp_path: Path) -> None:
    broken = {"on": True}
    write = writer_for(good)

    def answer(body: dict[str, Any], number: int) -> Any:
        return ("status", 500) if broken["on"] and "kidney" in body["messages"][1]["content"] else write(body, number)

    with FaultServer(answer) as server:
        first = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
        assert first.samples < len(good)
        assert read_failures(tmp_path)
        assert "client/endpoint_failed" in first.manifest["counts"]["rejected"]
        broken["on"], before = False, len(server.requests)
        again = run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url, retry_failures=True), options=ONE)
        assert again.samples == len(good)
        assert len(server.requests) - before == len(good) - first.samples
        with pytest.raises(InputError, match="holds no"):
            run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url, retry_failures=True), options=ONE)


def test_a_refused_key_stops_the_run(tmp_path: Path) -> None:
    with FaultServer(lambda *_: ("status", 401)) as server, pytest.raises(EndpointError, match="401"):
        run(cases=EXAMPLES, out=tmp_path, writer="llm", llm=options(server.url), options=ONE)
    assert len(server.requests) <= 8


def test_a_dry_run_says_the_price_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "o"
    assert main(["run", "--cases", str(EXAMPLES), "--out", str(out), "--writer", "llm", "--model", "m", "--base-url",
                 "http://127.0.0.1:9/v1", "--price", "1", "10", "--dry-run", "--questions", "1"]) == 0
    assert "price" in capsys.readouterr().out
    assert not out.exists()


@pytest.mark.parametrize(("filter_", "guess", "kept"), [
    ("image_dependence", "cannot be told", True), ("image_dependence", "GOLD", False),
    ("sufficiency", "GOLD", True), ("sufficiency", "cannot be told", False)])
def test_filters_that_ask_a_model(good: dict[str, str], tmp_path: Path, generator: Generator, examples: list[Case],
                                  filter_: str, guess: str, kept: bool) -> None:
    """The template writes; the model only answers: from the question alone, or from the reasoning alone."""
    names = " or ".join(generator.generate(c).samples[0].diagnosis for c in examples[:1])
    with FaultServer(lambda *_: json.dumps({"answer": names if guess == "GOLD" else guess})) as server:
        summary = run(cases=EXAMPLES, out=tmp_path, limit=1, llm=options(server.url, filters=(filter_,)),
                      options=GenerateOptions(questions=1, kinds=("subtype",)))
    assert summary.samples == (1 if kept else 0)
    asked = server.requests[0]["messages"][1]["content"]
    assert ("No image" in asked) is (filter_ == "image_dependence")
    if not kept:
        assert summary.manifest["counts"]["rejected"] == {f"filter/{filter_}": 1}


def test_extraction_keeps_only_what_stands_in_the_report(generator: Generator) -> None:
    import asyncio

    report = "Lung: SQUAMOUS CELL CARCINOMA with keratin  pearls. No perineural invasion."
    items = [{"quote": "squamous cell carcinoma", "status": "present"}, {"quote": "keratin pearls", "status": "present"},
             {"quote": "No perineural invasion", "status": "absent"}, {"quote": "HER2 3+", "status": "present"}, {"quote": "a"}]
    with FaultServer(lambda *_: json.dumps({"items": items})) as server:
        client = ChatClient(options(server.url).client, cache=CallCache(":memory:"))
        linked = generator.linker.remember(report)
        found = asyncio.run(extract(report, linked, client, link=generator.linker.link))
    assert (found.items, found.located, found.rejected) == (5, 3, ("HER2 3+", "a"))
    assert {(m.name, str(m.assertion)) for m in found.mentions} >= {("keratin pearl", "present"), ("perineural invasion", "absent")}
    assert locate("keratin pearls", report) == (35, 50)


def test_prompts_are_versioned_and_can_be_replaced(tmp_path: Path) -> None:
    assert len({read_prompt(n).hash for n in NAMES}) == len(NAMES)
    (tmp_path / "answer.md").write_text("## system\nBe brief.\n## user\n{question}\n")
    own = read_prompt("answer", tmp_path)
    assert own.hash != read_prompt("answer").hash
    assert own.messages(question="Q", given="", options="")[1]["content"] == "Q"
    (tmp_path / "answer.md").write_text("no parts")
    with pytest.raises(InputError, match="lacks"):
        read_prompt("answer", tmp_path)
    with pytest.raises(InputError, match="no prompt"):
        read_prompt("wrte")


@pytest.mark.slow
def test_a_real_server_with_a_real_small_model(tmp_path: Path) -> None:
    """The model is far too small to reason; the way of its answers through schema, reading, verifying, repair and rejection
    is what is tested, and that the server, not the client, sets the pace."""
    small_model()
    llm = LlmOptions(ClientOptions("smollm2", base_url="", concurrency=2, timeout=200,
                                   parameters={"temperature": 0.2, "max_tokens": 64}))
    with model_server() as url:
        llm = LlmOptions(ClientOptions("smollm2", base_url=url, concurrency=2, timeout=200, parameters=llm.client.parameters))
        first = run(cases=EXAMPLES, out=tmp_path, limit=1, writer="llm", llm=llm, options=ONE)
    assert first.usage["calls"] >= 1
    assert first.usage["failed"] == 0
    assert first.usage["completion_tokens"] > 10
    assert first.samples + sum(first.manifest["counts"]["rejected"].values()) >= 1
