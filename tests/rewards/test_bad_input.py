"""Whatever a training loop passes in: scored or refused by a stated rule, never an exception unless strict."""

from __future__ import annotations

import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import pytest

from pathkg.errors import InputError, PathkgError
from pathkg.rewards import CompositeReward, EntityReward, Reference, build_reference, unscored_counts
from pathkg.rewards.redteam import gold_cases

GOLD = gold_cases()[0].gold
TEXT = GOLD.render()
REFERENCE = build_reference(GOLD)
JSON = REFERENCE.to_json()


@pytest.mark.parametrize("text", [
    "", " \n", "no tags", "<observe>", "<think>" * 1000, "<observe><observe><think></observe></think>" * 50,
    "a" * 1_000_000, TEXT + "x" * 1_000_000, "\ud800\udfff" + TEXT, TEXT.replace("e", "\ud83d"), "\x00" * 1000 + TEXT,
    "\ufffd" * 500 + TEXT, b"<observe>\xff\xfe</observe>", TEXT.encode("utf-16"), "🧫" * 5000,
], ids=lambda t: repr(t[:20]))
def test_any_text_is_scored(text: str) -> None:
    result = CompositeReward().score(text, JSON)
    assert result.total is not None
    assert 0.0 <= result.total < 2.5


def test_a_cited_source_is_not_read_as_a_statement() -> None:
    cited = TEXT.replace("</think>", " (WHO-breast-2019)</think>").replace("</answer>", " (WHO-thoracic-2021)</answer>")
    reward = CompositeReward()
    assert reward.score(cited, JSON) == reward.score(TEXT, JSON)


@pytest.mark.parametrize("text", [None, 5, 2.5, [], {}, object()], ids=lambda value: type(value).__name__ if "object at" in repr(value) else repr(value))
def test_what_is_no_text_is_none_and_counted(text: object) -> None:
    unscored_counts(reset=True)
    result = CompositeReward().score(text, JSON)  # type: ignore[arg-type]
    assert result.total is None
    assert result.reasons[0].startswith("not_text")
    assert unscored_counts() == {"not_text": 1}
    with pytest.raises(PathkgError):
        CompositeReward(strict=True).score(text, JSON)  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", [
    None, "", "not json", "[]", "{}", '{"v":1}', '{"v":9,"e":[]}', '{"v":1,"e":["MONDO:1"]}', '{"v":1,"e":5}', 7,
    '{"v":1,"e":[],"c":[[0,1,"s"]]}', "[" * 5000, "x" * 300_000, '{"v":1,"e":[null]}',
], ids=lambda r: repr(r)[:24])
def test_a_broken_reference_is_none_and_counted(reference: object) -> None:
    unscored_counts(reset=True)
    result = CompositeReward().score(TEXT, reference)  # type: ignore[arg-type]
    assert result.total is None
    assert list(unscored_counts()) == ["bad_reference"]
    with pytest.raises(PathkgError, match="what to do"):
        CompositeReward(strict=True).score(TEXT, reference)  # type: ignore[arg-type]


def test_a_few_unknown_ids_are_left_out_and_named_many_refuse() -> None:
    known = [str(s) for s in REFERENCE.entities]
    few = replace(REFERENCE, entities=Reference.of([*known, "MONDO:9999999+"]).entities)
    result = EntityReward().score(TEXT, few)
    assert result.total == 1.0
    assert any(r.startswith("unknown_ids: MONDO:9999999") for r in result.reasons)
    many = Reference.of([*known[:2], "X:1+", "X:2+"])
    refused = EntityReward().score(TEXT, many)
    assert refused.total is None
    assert refused.reasons[0].startswith("reference_misfit: 2 of 4")


def test_another_graph_hash_is_scored_by_id_and_said() -> None:
    result = EntityReward().score(TEXT, replace(REFERENCE, graph_hash="sha256:other"))
    assert result.total == 1.0
    assert result.reasons[-1].startswith("graph_mismatch")


def test_too_long_fails_the_format_and_is_read_up_to_the_cap() -> None:
    padded = TEXT.replace("</answer>", " ." * 20_000 + "</answer>")
    result = CompositeReward().score(padded, JSON)
    assert result.parts["format"] == 0.0
    assert "longer than 32768" in " ".join(result.reasons)
    assert CompositeReward(max_chars=100_000).score(padded, JSON).parts["format"] == 1.0


def test_a_megabyte_is_scored_quickly() -> None:
    start = time.perf_counter()
    CompositeReward().score("<observe>" + "keratin pearl " * 80_000, JSON)
    assert time.perf_counter() - start < 2.0


def test_a_pickle_holds_the_path_and_the_hash_not_the_graph() -> None:
    reward = CompositeReward(weights={"format": 1, "entity": 0.5})
    data = pickle.dumps(reward)
    assert len(data) < 4000
    again = pickle.loads(data)
    assert again.graph_hash == reward.graph_hash
    assert again(TEXT, JSON) == reward(TEXT, JSON) == 1.5


def test_a_store_that_changed_since_is_not_scored() -> None:
    reward = EntityReward(graph_hash="sha256:of-another-day", store=EntityReward().store)
    result = reward.score(TEXT, JSON)
    assert result.total is None
    assert result.reasons[0].startswith("store: ")


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "1", None, True], ids=repr)
def test_a_weight_is_a_finite_number_not_below_0(weight: object) -> None:
    with pytest.raises(InputError, match="what to do"):
        CompositeReward(weights={"format": weight, "entity": 1.0})  # type: ignore[dict-item]


def test_rewards_are_frozen() -> None:
    with pytest.raises((FrozenInstanceError, AttributeError)):
        EntityReward().beta = 1.0  # type: ignore[misc]


def test_threads_and_processes_give_what_one_thread_gives() -> None:
    texts = [c.gold.render().replace("present", "absent", i % 3) for i, c in enumerate(gold_cases())]
    references = [build_reference(c.gold).to_json() for c in gold_cases()]
    reward = CompositeReward()
    alone = reward.score_batch(texts, references)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reward.score, texts * 4, references * 4)) == alone * 4
    assert reward.score_batch(texts, references, workers=2) == alone
    single = EntityReward()
    assert single.score_batch(texts, references, workers=2) == single.score_batch(texts, references)


def test_a_killed_worker_costs_time_not_the_run() -> None:
    import os
    import signal

    from pathkg.rewards import base

    reward = CompositeReward()
    assert len(reward.score_batch([TEXT] * 12, JSON, workers=2)) == 12
    for pid in list(base._pool(2)._processes):
        os.kill(pid, signal.SIGKILL)
    assert [r.total for r in reward.score_batch([TEXT] * 12, JSON, workers=2)] == [2.5] * 12
    assert [r.total for r in reward.score_batch([TEXT] * 12, JSON, workers=2)] == [2.5] * 12


def test_the_async_batch_leaves_the_loop_free() -> None:
    import asyncio

    async def run() -> tuple[list[float | None], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticker = asyncio.create_task(tick())
        results = await CompositeReward().score_batch_async([TEXT] * 60, JSON)
        ticker.cancel()
        return [r.total for r in results], ticks

    totals, ticks = asyncio.run(run())
    assert totals == [2.5] * 60
    assert ticks > 1


def test_batch_wants_one_reference_per_text() -> None:
    with pytest.raises(PathkgError, match="2 texts but 1 references"):
        CompositeReward().score_batch([TEXT, TEXT], [JSON])


def test_the_reference_is_small_and_round_trips() -> None:
    for case in gold_cases():
        reference = build_reference(case.gold)
        text = reference.to_json()
        assert len(text) < 1500
        assert Reference.from_json(text) == reference
        assert Reference.coerce(json.loads(text)) == reference
