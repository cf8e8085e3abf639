"""Every adapter follows its framework's calling convention and gives equal numbers for equal text."""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pathkg.errors import InputError
from pathkg.rewards import CompositeReward, build_reference
from pathkg.rewards.adapters import FRAMEWORKS, adapter_path
from pathkg.rewards.adapters.scoring import completion_text, parse_weights, reward_from
from pathkg.rewards.redteam import gold_cases

CASES = gold_cases()[:6]
TEXTS = [c.gold.replace(steps=c.gold.steps[:4 - i % 4], answer=c.gold.answer if i % 2 else "Adenocarcinoma.").render()
         for i, c in enumerate(CASES)] + ["junk", ""]
REFERENCES = [build_reference(c.gold).to_json() for c in CASES] + [build_reference(CASES[0].gold).to_json()] * 2
EXPECTED = [CompositeReward()(t, r) for t, r in zip(TEXTS, REFERENCES, strict=True)]
PROMPT = "Write <observe>…</observe><think>…</think><answer>Squamous cell carcinoma.</answer>."


def load(framework: str) -> ModuleType:
    """Load an adapter by its file's path, as the frameworks do."""
    spec = importlib.util.spec_from_file_location(f"by_path_{framework}", adapter_path(framework))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_expected_numbers_differ() -> None:
    assert len({round(e or 0, 3) for e in EXPECTED}) >= 5


@pytest.mark.parametrize("form", ["plain", "conversational", "parts"])
def test_trl(form: str) -> None:
    trl = load("trl")
    completions: list[Any] = {
        "plain": TEXTS,
        "conversational": [[{"role": "assistant", "content": t}] for t in TEXTS],
        "parts": [[{"role": "assistant", "content": [{"type": "text", "text": t}]}] for t in TEXTS],
    }[form]
    logged: dict[str, float] = {}
    given = {"prompts": [PROMPT] * len(TEXTS), "completions": completions, "completion_ids": [[1]] * len(TEXTS),
             "ground_truth": REFERENCES, "image": [None] * len(TEXTS), "trainer_state": object(),
             "log_extra": lambda *a: None, "log_metric": logged.__setitem__}
    assert trl.pathkg_reward(**given) == pytest.approx(EXPECTED)
    assert set(logged) == {"pathkg_reward/format", "pathkg_reward/semantic", "pathkg_reward/entity", "pathkg_reward/scored"}
    parts = [trl.format_reward(**given), trl.semantic_reward(**given), trl.entity_reward(**given)]
    assert [f + s + 0.5 * e for f, s, e in zip(*parts, strict=True)] == pytest.approx(EXPECTED)
    assert trl.pathkg_reward.__name__ == "pathkg_reward"
    assert not inspect.iscoroutinefunction(trl.pathkg_reward)
    assert inspect.iscoroutinefunction(trl.pathkg_reward_async)
    assert asyncio.run(trl.pathkg_reward_async(**given)) == EXPECTED


def test_trl_objects_pickle_and_unscored_is_none() -> None:
    from pathkg.rewards.adapters.trl import TrlReward, pathkg_reward

    reward = pickle.loads(pickle.dumps(TrlReward("mine", weights={"format": 1, "entity": 2})))
    assert reward.__name__ == "mine"
    assert reward(completions=[CASES[0].gold.render()], ground_truth=REFERENCES[:1]) == [3.0]
    assert pickle.loads(pickle.dumps(pathkg_reward)) is pathkg_reward
    assert pathkg_reward(completions=["a", None], ground_truth=["not json", REFERENCES[0]]) == [None, None]
    assert pathkg_reward(completions=["a"]) == [None]
    assert pathkg_reward(prompts=[], completions=[]) == []


def test_verl() -> None:
    verl = load("verl")
    extra = {"index": 3}
    kept = copy.deepcopy(extra)
    single = [verl.compute_score(data_source="d", solution_str=t, ground_truth=r, extra_info=extra)
              for t, r in zip(TEXTS, REFERENCES, strict=True)]
    assert [s["score"] for s in single] == EXPECTED
    assert extra == kept
    n = len(TEXTS)
    batch = verl.compute_score_batch(data_sources=["d"] * n, solution_strs=TEXTS, ground_truths=REFERENCES,
                                     extra_infos=[extra] * n)
    assert batch == single
    assert {tuple(s) for s in single} == {("score", "format", "semantic", "entity", "scored")}
    assert all(isinstance(v, float) for s in single for v in s.values())
    assert verl.compute_score("d", CASES[0].gold.render(), REFERENCES[0], None, weights="entity=1")["score"] == 1.0
    broken = verl.compute_score("d", TEXTS[0], "not json")
    assert (broken["score"], broken["scored"]) == (0.0, 0.0)


def test_easyr1() -> None:
    easyr1 = load("easyr1")
    assert (easyr1.REWARD_NAME, easyr1.REWARD_TYPE) == ("pathkg", "batch")
    inputs = [{"response": t, "response_length": len(t), "ground_truth": r} for t, r in zip(TEXTS, REFERENCES, strict=True)]
    results = easyr1.compute_score(inputs)
    assert [r["overall"] for r in results] == EXPECTED
    assert len({tuple(r) for r in results}) == 1
    with pytest.raises(TypeError, match="batch"):
        easyr1.compute_score(inputs[0])


@pytest.mark.parametrize("template", [
    "<s>[INST] {p} [/INST]{r}</s>", "<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n{r}<|im_end|><|endoftext|>",
    "{p}{r}", "{p}\n{r}<eos>",
])
def test_openrlhf_cuts_the_prompt_off(template: str) -> None:
    torch = pytest.importorskip("torch")
    openrlhf = load("openrlhf")
    queries = [template.format(p=PROMPT, r=t) for t in TEXTS]
    prompts = [q[:q.rindex(t)] if t else q for q, t in zip(queries, TEXTS, strict=True)]
    for given in (prompts, [PROMPT] * len(TEXTS)):
        result = openrlhf.reward_func(queries, given, REFERENCES)
        assert result["rewards"].tolist() == pytest.approx(EXPECTED)
        assert set(result) == {"rewards", "scores", "extra_logs"}
        assert torch.all((result["scores"] >= 0) & (result["scores"] <= 1))
        assert all(len(v) == len(TEXTS) for v in result["extra_logs"].values())


def test_ms_swift() -> None:
    swift = load("ms-swift")
    assert swift.PathkgORM()(TEXTS, ground_truth=REFERENCES, solution=["x"] * len(TEXTS)) == EXPECTED
    assert swift.orms["pathkg"]()(TEXTS, reference=REFERENCES) == EXPECTED
    assert swift.orms["pathkg_format"]()(TEXTS[:1], reference=REFERENCES[:1]) == [1.0]
    assert swift.PathkgORM()(["a"], ground_truth=["not json"]) == [0.0]


def test_verifiers_marks_and_call() -> None:
    verifiers = load("verifiers")
    method = verifiers.PathkgRewards.pathkg
    assert inspect.iscoroutinefunction(method)
    assert (method.reward, method._vf_weight) == (True, 1.0)
    assert list(inspect.signature(method).parameters) == ["self", "trace"]

    class Task(verifiers.PathkgRewards):  # type: ignore[misc, name-defined]
        def __init__(self, ground_truth: str) -> None:
            self.data = SimpleNamespace(ground_truth=ground_truth)

    scores = [asyncio.run(Task(r).pathkg(SimpleNamespace(last_reply=t))) for t, r in zip(TEXTS, REFERENCES, strict=True)]
    assert scores == EXPECTED


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_command_prints_a_file_that_has_the_name(framework: str) -> None:
    assert adapter_path(framework).is_file()
    assert hasattr(load(framework), FRAMEWORKS[framework][1]) or framework == "ms-swift"


def test_reward_path_command() -> None:
    done = subprocess.run([sys.executable, "-m", "pathkg.cli", "reward", "path", "--framework", "verl"],
                          capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).name == "verl.py"
    wrong = subprocess.run([sys.executable, "-m", "pathkg.cli", "reward", "path", "--framework", "verrl"],
                           capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "did you mean 'verl'" in wrong.stderr


@pytest.mark.parametrize(("completion", "text"), [
    ("a", "a"), ([{"role": "assistant", "content": "a"}], "a"),
    ([{"role": "user", "content": "x"}, {"role": "assistant", "content": "a"}], "a"),
    ([{"role": "assistant", "content": None}], ""), ([{"role": "user", "content": "x"}], None), (None, None), (5, 5),
    ({"role": "assistant", "content": "a"}, "a"),
])
def test_completion_forms(completion: Any, text: Any) -> None:
    assert completion_text(completion) == text


def test_options_are_checked() -> None:
    assert reward_from(weights="format=1,entity=2", variant="recall", lenient=True) is reward_from(
        weights={"format": 1, "entity": 2}, variant="recall", lenient=True)
    with pytest.raises(InputError, match="wieghts"):
        reward_from(wieghts="x")
    with pytest.raises(InputError, match="not a weight"):
        parse_weights("format=one")


def test_the_reference_survives_a_dataset_column() -> None:
    row = json.loads(json.dumps({"ground_truth": REFERENCES[0]}))
    assert reward_from()(CASES[0].gold.render(), row["ground_truth"]) == 2.5
