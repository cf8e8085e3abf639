"""TRL itself calls the adapter: a few GRPO steps with a tiny model, plain and conversational, parts logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("torch")
pytest.importorskip("datasets")

from pathkg.rewards import build_reference, unscored_counts
from pathkg.rewards.adapters.trl import (
    TrlReward,
    entity_reward,
    format_reward,
    pathkg_reward,
    pathkg_reward_async,
)
from pathkg.rewards.redteam import gold_cases

CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A two-layer Llama with a byte-level tokenizer trained on the gold texts."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "text.txt").write_text("\n".join(c.gold.render() for c in gold_cases()), encoding="utf-8")
    bpe = ByteLevelBPETokenizer()
    bpe.train([str(folder / "text.txt")], vocab_size=600, special_tokens=["<pad>", "<eos>"])
    bpe.save(str(folder / "tokenizer.json"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", eos_token="<eos>")
    tokenizer.chat_template = CHAT
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                         num_attention_heads=2, pad_token_id=0, eos_token_id=1, bos_token_id=None)
    return LlamaForCausalLM(config), tokenizer


def train(tiny: Any, folder: Path, rewards: Any, *, conversational: bool, references: list[str], steps: int = 2) -> list[dict[str, float]]:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    model, tokenizer = tiny
    prompts: list[Any] = ["Describe the slide."] * len(references)
    if conversational:
        prompts = [[{"role": "user", "content": p}] for p in prompts]
    dataset = Dataset.from_list([{"prompt": p, "ground_truth": r} for p, r in zip(prompts, references, strict=True)])
    config = GRPOConfig(output_dir=str(folder), use_cpu=True, bf16=False, max_steps=steps, per_device_train_batch_size=4,
                        num_generations=4, max_completion_length=24, logging_steps=1, report_to=[], save_strategy="no",
                        gradient_checkpointing=False, disable_tqdm=True, seed=1)
    trainer = GRPOTrainer(model=model, reward_funcs=rewards, args=config, train_dataset=dataset, processing_class=tokenizer)
    trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


@pytest.mark.parametrize("conversational", [False, True])
def test_grpo_calls_the_adapter_unchanged_and_logs_its_parts(tiny: Any, tmp_path: Path, conversational: bool) -> None:
    references = [build_reference(c.gold).to_json() for c in gold_cases()[:4]]
    steps = train(tiny, tmp_path, pathkg_reward, conversational=conversational, references=references)
    assert len(steps) == 2
    for step in steps:
        assert 0.0 <= step["reward"] <= 2.5
        assert step["pathkg_reward/scored"] == 1.0
        assert {"pathkg_reward/format", "pathkg_reward/semantic", "pathkg_reward/entity"} <= set(step)


@pytest.mark.slow
def test_several_rewards_sync_async_and_objects_together(tiny: Any, tmp_path: Path) -> None:
    references = [build_reference(c.gold).to_json() for c in gold_cases()[:4]]
    steps = train(tiny, tmp_path, [format_reward, entity_reward, pathkg_reward_async, TrlReward("mine", weights={"path": 1})],
                  conversational=False, references=references)
    assert {f"rewards/{name}/mean" for name in ("format_reward", "entity_reward", "pathkg_reward_async", "mine")} <= set(steps[0])


@pytest.mark.slow
def test_a_broken_reference_does_not_end_the_run(tiny: Any, tmp_path: Path) -> None:
    unscored_counts(reset=True)
    references = [json.dumps({"v": 99}), build_reference(gold_cases()[0].gold).to_json()]
    steps = train(tiny, tmp_path, pathkg_reward, conversational=False, references=references, steps=2)
    assert len(steps) == 2
    assert unscored_counts() == {"bad_reference": 4}
