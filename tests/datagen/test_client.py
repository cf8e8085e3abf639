"""The client against a server that misbehaves: nothing is paid twice, nothing is lost, the budget holds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from datagen.client import Budget, BudgetReached, CallCache, ChatClient, ClientOptions, PriceTable
from datagen.client.budget import estimate_tokens
from datagen.client.pace import Pace
from datagen.client.structured import UnreadableAnswer, read_record
from pathkg.errors import EndpointError, InputError
from tests.datagen.llm_server import FaultServer, completion

pytest.importorskip("openai", reason="needs pathkg[datagen]")
ASK = [{"role": "user", "content": "Which?"}]
PRICES = PriceTable.of({"m": {"input": 1.0, "output": 10.0}})


def client(server: FaultServer, cache: CallCache | None = None, **options: Any) -> ChatClient:
    settings = {"base_url": server.url, "concurrency": 4, "timeout": 2.0, "tries": 4, "parameters": {"max_tokens": 50}}
    extra = {k: options.pop(k) for k in ("budget", "on_failure", "dry_run") if k in options}
    return ChatClient(ClientOptions("m", **{**settings, **options}), cache=CallCache(":memory:") if cache is None else cache,
                      prices=PRICES, **extra)


def ask(c: ChatClient, *questions: str, schema: dict[str, Any] | None = None) -> list[Any]:
    async def all_() -> list[Any]:
        try:
            return await asyncio.gather(*(c.complete([{"role": "user", "content": q}], schema=schema, tag=q) for q in questions),
                                        return_exceptions=True)
        finally:
            await c.close()

    return asyncio.run(all_())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datagen.client.pace.FIRST_WAIT", 0.01)


@pytest.mark.parametrize("fault", [
    ("status", 429, {"retry-after": "0"}), ("status", 429, {"retry-after": "Fri, 01 Jan 2027 00:00:00 GMT"}),
    ("status", 500), ("status", 503), ("cut",), ("raw", "not json"), ("raw", '{"choices": []}'), ("raw", "{}"), ""])
def test_a_fault_is_tried_again(fault: Any) -> None:
    with FaultServer(lambda _, n: fault if n < 2 else "fine") as server:
        c = client(server)
        answer = ask(c, "x")[0]
    assert answer.text == "fine"
    assert len(server.requests) == 3
    assert c.usage.retries == 2
    assert c.pace.pushes == 2
    assert c.usage.cost == pytest.approx(PRICES.need("m").of(100, 10))


def test_a_slow_server_times_out_and_is_tried_again() -> None:
    with FaultServer(lambda _, n: ("slow", 1.0, "late") if n == 0 else "fine") as server:
        c = client(server, timeout=0.3)
        assert ask(c, "x")[0].text == "fine"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    with FaultServer(lambda *_: ("status", status)) as server:
        answer = ask(client(server), "x")[0]
    assert isinstance(answer, EndpointError)
    assert str(status) in answer.message
    assert len(server.requests) == 1


def test_what_fails_for_good_is_handed_over_for_replay() -> None:
    failures: list[dict[str, Any]] = []
    with FaultServer(lambda *_: ("status", 500)) as server:
        c = client(server, on_failure=failures.append)
        answer = ask(c, "x")[0]
    assert isinstance(answer, EndpointError)
    assert (len(server.requests), c.usage.failed, c.budget.spent, c.budget.reserved) == (4, 1, 0.0, 0.0)
    assert (failures[0]["tag"], failures[0]["messages"], failures[0]["model"]) == ("x", [{"role": "user", "content": "x"}], "m")


def test_equal_calls_are_made_once_and_parameters_matter(tmp_path: Path) -> None:
    with FaultServer(lambda *_: "fine") as server:
        first = client(server, CallCache(tmp_path / "c"))
        ask(first, "x", "x", "x", "y")
        assert len(server.requests) == 2
        second = client(server, CallCache(tmp_path / "c"))
        assert [a.cached for a in ask(second, "x", "y")] == [True, True]
        assert (len(server.requests), second.usage.cost) == (2, 0.0)
        ask(client(server, CallCache(tmp_path / "c"), parameters={"max_tokens": 51}), "x")
        assert len(server.requests) == 3
        ask(client(server, CallCache(tmp_path / "c")), "x", schema={"type": "object"})
        assert len(server.requests) == 4


def test_an_endpoint_without_schemas_is_asked_without() -> None:
    with FaultServer(lambda body, _: ("status", 400) if "response_format" in body else '{"a": 1}') as server:
        c = client(server)
        assert ask(c, "x", schema={"type": "object"})[0].text == '{"a": 1}'
        assert ask(c, "y", schema={"type": "object"})[0].text == '{"a": 1}'
    assert ["response_format" in r for r in server.requests] == [True, False, False]
    assert c.usage.schema_fallbacks == 1


@pytest.mark.parametrize("calls", [0.2, 1.0, 2.5, 7.5, 20.0])
def test_the_budget_is_never_overspent(calls: float) -> None:
    """Although this server bills ten times the prompt tokens that were estimated, and answers of full length."""
    bill = PRICES.need("m").of(100, 50)
    with FaultServer(lambda *_: ("raw", completion("fine", answer_tokens=50))) as server:
        c = client(server, budget=Budget(bill * calls), concurrency=16)
        answers = ask(c, *(f"q{i:02d}" for i in range(40)))
    assert any(isinstance(a, BudgetReached) for a in answers)
    assert c.budget.spent <= bill * calls
    assert c.budget.spent == pytest.approx(len(server.requests) * bill)
    assert c.budget.reserved == 0.0
    assert len(server.requests) >= int(calls) - 1


def test_a_budget_needs_a_price() -> None:
    with pytest.raises(InputError, match="no price"):
        ChatClient(ClientOptions("other"), cache=CallCache(":memory:"), budget=Budget(1.0), prices=PRICES)


def test_spending_counts_over_runs(tmp_path: Path) -> None:
    with FaultServer(lambda *_: "fine") as server:
        ask(client(server, CallCache(tmp_path / "c")), "a", "b")
    cache = CallCache(tmp_path / "c")
    assert cache.spent == pytest.approx(2 * PRICES.need("m").of(100, 10))
    cache.begin("sent and killed", 0.25)
    cache.close()
    again = CallCache(tmp_path / "c")
    assert again.spent == pytest.approx(2 * PRICES.need("m").of(100, 10) + 0.25)


def test_a_dry_run_calls_nobody() -> None:
    with FaultServer(lambda *_: "fine") as server:
        c = client(server, dry_run=True)
        ask(c, "a", "b")
    assert server.requests == []
    assert c.usage.calls == 2
    assert c.usage.cost == pytest.approx(2 * PRICES.need("m").of(estimate_tokens(ASK[:1]) - 2, 50), rel=0.1)


def test_concurrency_is_bounded_and_backs_off() -> None:
    with FaultServer(lambda *_: ("slow", 0.02, "fine")) as server:
        ask(client(server, concurrency=3), *map(str, range(20)))
        assert server.most_at_once <= 3
    pace = Pace(8)
    for _ in range(5):
        pace.pushed_back()
    assert pace.limit == 1
    for _ in range(100):
        pace.succeeded()
    assert pace.limit == 8
    assert pace.wait(0, 7.0) == 7.0
    assert pace.wait(50) <= 60.0


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match="not a call cache"):
        CallCache(tmp_path / "c")
    with sqlite3.connect(tmp_path / "d") as db:
        db.execute("PRAGMA user_version=9")
    with pytest.raises(InputError, match="format 9"):
        CallCache(tmp_path / "d")


KILLED = """
import asyncio, sys
from datagen.client import CallCache, ChatClient, ClientOptions
c = ChatClient(ClientOptions("m", base_url=sys.argv[1], concurrency=2), cache=CallCache(sys.argv[2]))
async def main():
    await asyncio.gather(*(c.complete([{"role": "user", "content": str(i)}]) for i in range(30)))
asyncio.run(main())
"""


def test_after_kill_9_no_answer_is_paid_twice(tmp_path: Path) -> None:
    """Every answer that had reached the client is in the cache; only calls under way at the kill are made again."""
    lock = threading.Lock()
    asked: Counter[str] = Counter()

    def answer(body: dict[str, Any], _: int) -> Any:
        with lock:
            asked[body["messages"][0]["content"]] += 1
        return ("slow", 0.05, "fine")

    with FaultServer(answer) as server:
        kills = 0
        for _ in range(20):
            process = subprocess.Popen([sys.executable, "-c", KILLED, server.url, str(tmp_path / "c")],
                                       stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.getcwd()})
            start, before = time.monotonic(), sum(asked.values())
            while process.poll() is None and sum(asked.values()) < before + 4 and time.monotonic() - start < 20:
                time.sleep(0.01)
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills >= 5
    assert sum(n - 1 for n in asked.values()) <= 2 * kills  # two calls at once: at most those two per kill


class Answer(BaseModel):
    stage: str
    nodes: int = 0


@pytest.mark.parametrize(("text", "stage"), [
    ('{"stage": "pT2"}', "pT2"),
    ('```json\n{"stage": "pT2",}\n```', "pT2"),
    ('<think>maybe {"stage": 1}</think> Sure! {"stage": "pT3", "nodes": 2} Hope it helps', "pT3"),
    ('{"note": "x"} and {"stage": "p}T{4", "nodes": 1}', "p}T{4"),
    ('{"stage": "line\nbreak"}', "line\nbreak"),
])
def test_structured_answers_are_read_leniently(text: str, stage: str) -> None:
    assert read_record(text, Answer).stage == stage


@pytest.mark.parametrize("text", ["", "no", "{", '{"stage": 5}', "[1]", '{"stage"', "{" * 100_000, '"' * 100_000])
def test_what_is_no_answer_is_refused_in_time(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UnreadableAnswer):
        read_record(text, Answer)
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize("table", [[], {"m": 1}, {"m": {"input": "x", "output": 1}}, {"m": {"input": -1, "output": 1}}])
def test_broken_price_tables_are_refused(table: Any) -> None:
    with pytest.raises(InputError):
        PriceTable.of(table)


def test_failure_records_are_plain_json() -> None:
    failures: list[dict[str, Any]] = []
    write: Callable[[dict[str, Any]], None] = failures.append
    with FaultServer(lambda *_: ("status", 404)) as server:
        ask(client(server, on_failure=write), "x", schema={"type": "object"})
    assert json.loads(json.dumps(failures))[0]["schema"] == {"type": "object"}
