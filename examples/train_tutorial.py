"""Training from Python instead of the command line, on a toy model: about two minutes on one core.

    python examples/train_tutorial.py runs/tutorial

The same with SmolLM2-135M and the figures of the documentation: pathkg-train demo --out runs/demo
"""

from __future__ import annotations

import sys
from pathlib import Path

from model.data.samples import read_samples
from model.demo.world import WorldSettings, write_world
from model.evaluation.run import evaluate, predict_all
from model.evaluation.scoring import ScoringSettings
from model.inference.answer import answer_question
from model.inference.heatmap import draw_heatmap
from model.language_models import tiny_lm
from model.training.config import parse_run
from model.training.grpo import run_grpo
from model.training.parts import load_vlm
from model.training.sft import run_sft

PROMPT = "You are a pathologist."


def main(folder: Path) -> None:
    # 1. A world in which the slide matters: two diagnoses, the same question for every slide.
    files = write_world(folder / "data", train=120, validation=8, test=12,
                        settings=WorldSettings(diagnoses=2, shown=1, patches=(6, 10)))
    samples = read_samples(files["train"])

    # 2. A language model. Any causal LM folder will do; this one is a toy at random.
    lm, tokenizer = tiny_lm([s.text + s.ask() for s in samples], vocab_size=512, hidden_size=96, num_layers=2)
    lm.save_pretrained(folder / "lm")
    tokenizer.save_pretrained(folder / "lm")

    # 3. Alignment of the slide side with the words of the captions, then SFT: whole trajectories, masked ones, pseudo-bags.
    sft = run_sft(parse_run({
        "output": str(folder / "sft"), "log_to": "none",
        "model": {"lm": str(folder / "lm"), "encoder": {"feature_dim": 32, "hidden_size": 64, "num_heads": 4,
                                                        "num_layers": 1, "num_tokens": None}},
        "data": {"train": str(files["train"]), "validation": str(files["validation"]), "system_prompt": PROMPT},
        "align": {"steps": 150},
        "augment": {"mix": {"masked": 1, "full": 4, "pseudo": 1}, "rows": 1600, "pseudo": {"clusters": 4}},
        "trainer": {"per_device_train_batch_size": 8, "max_steps": 200, "learning_rate": 3e-3, "warmup_steps": 10,
                    "lr_scheduler_type": "cosine", "logging_steps": 25, "eval_strategy": "no"}}, "sft"))

    # 4. GRPO with the rewards of pathkg.
    grpo = run_grpo(parse_run({
        "output": str(folder / "grpo"), "log_to": "none", "model": {"path": sft["model"]},
        "data": {"train": str(files["train"]), "system_prompt": PROMPT}, "rewards": {"format": 1.0, "semantic": 1.0, "entity": 0.5},
        "trainer": {"max_steps": 5, "per_device_train_batch_size": 8, "num_generations": 4,
                    "max_completion_length": 120, "learning_rate": 1e-4}}, "grpo"))

    # 5. Evaluation: was the slide used?
    vlm, processor = load_vlm(grpo["model"])
    test = read_samples(files["test"])
    predictions = predict_all(vlm, processor, test, ["slide", "shuffled"], folder / "report", max_new_tokens=120,
                              system_prompt=PROMPT)
    figures = evaluate(test, predictions, folder / "report", settings=ScoringSettings(embedding=False))
    for condition, numbers in figures["conditions"].items():
        print(condition, "accuracy", numbers["accuracy"]["value"], "format", numbers["means"]["format"]["value"])

    # 6. One case, with its certificate and where the model looked.
    answer = answer_question(vlm, processor, test[0], report=test[0].report, max_new_tokens=120, system_prompt=PROMPT)
    print(answer.text)
    print(answer.certificate.explain() if answer.certificate else answer.fault)
    print(draw_heatmap(folder / "heat.png", answer.bag, answer.attention))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/tutorial"))
