"""GRPO with the slide in the rollout, on TRL's own trainer, with rewards from :mod:`pathkg.rewards`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.data.prompts import messages
from model.data.samples import TrainingSample, read_samples
from model.extras import require
from model.training.card import write_card
from model.training.config import GRPORun
from model.training.launch import finished, mark_finished, on_main, save_trained, train, trainer_arguments
from model.training.optimizer import use_part_rates
from model.training.parts import (
    depth,
    fitted,
    load_vlm,
    lora_config,
    open_model,
    save_model,
    set_trainable,
    use_threads,
)
from model.training.rewards import UnscoredWatch, build_rewards
from pathkg.errors import InputError

log = logging.getLogger("model.training")


def grpo_rows(samples: Sequence[TrainingSample], *, system_prompt: str,
              question: str | None = None) -> list[dict[str, Any]]:
    """TRL's rows: the conversation, the bag, and the reference the rewards compare with.

    Raises:
        InputError: a sample has no reference.
    """
    bare = [s.id for s in samples if not s.reference]
    if bare:
        raise InputError(f"{len(bare)} of {len(samples)} samples have no reference; first {bare[0]!r}",
                         hint="pathkg-datagen writes reference_json; for other data: pathkg reward reference")
    return [{"prompt": messages(s, system_prompt=system_prompt, question=question),
             "images": [s.image] if s.image else [], "reference": s.reference, "sample": s.id} for s in samples]


def run_grpo(run: GRPORun) -> dict[str, Any]:
    """Carry out a GRPO run; the model is in ``<output>/model``.

    Returns:
        Figures of the run, among them how many scores of each reward were missing.
    """
    trl: Any = require("trl")
    datasets: Any = require("datasets")
    use_threads(run.threads)
    output = Path(run.output)
    done = finished(output)
    if done is not None and run.resume and (output / "model").is_dir():
        log.info("%s is finished; remove it, or name another output, to train again", output)
        return done
    samples = read_samples(run.data.train, image_root=run.data.image_root)[:run.data.max_samples]
    held_back = read_samples(run.data.validation, image_root=run.data.image_root)[
        :run.data.max_validation_samples] if run.data.validation else []
    rows = grpo_rows(samples, system_prompt=run.data.system_prompt, question=run.data.question)
    checks = grpo_rows(held_back, system_prompt=run.data.system_prompt, question=run.data.question)
    functions, weights = build_rewards(run.rewards)
    vlm, processor = _policy(run, output, samples)
    adapter = lora_config(run.model.lora, run.train, layers=depth(vlm)) if run.model.lora is not None else None
    trainable = set_trainable(vlm, run.train)
    options: dict[str, Any] = {"eval_strategy": "no" if not checks else "steps"}
    arguments = trainer_arguments(run, "grpo", output, options, run.trainer, reward_weights=weights)
    watch = UnscoredWatch(functions, share=run.rewards.max_unscored_share, window=run.rewards.unscored_window)
    trainer_class = trl.GRPOTrainer
    extra: dict[str, Any] = {}
    if run.dynamic_sampling.enabled:
        from model.training.dynamic import DynamicSamplingTrainer, check_dynamic

        check_dynamic(arguments)
        trainer_class, extra = DynamicSamplingTrainer, {"max_rounds": run.dynamic_sampling.max_rounds}
    # generation wants its prompts padded on the left
    processor.tokenizer.padding_side = "left"
    trainer = trainer_class(
        model=vlm, args=arguments, processing_class=processor, reward_funcs=list(functions), peft_config=adapter,
        train_dataset=datasets.Dataset.from_list(rows), callbacks=[watch],
        eval_dataset=datasets.Dataset.from_list(checks) if checks else None, **extra)
    use_part_rates(trainer, run.rates)
    figures = {"kind": "grpo", **train(trainer, output, resume=run.resume), "trainable": trainable,
               "held_back": len(checks), "weights": {f.__name__: w for f, w in zip(functions, weights, strict=True)},
               "unscored": {f.__name__: f.unscored for f in functions},
               "unscored_reasons": {f.__name__: dict(f.reasons) for f in functions if f.reasons},
               "fallen_back": {f.__name__: f.fallen_back for f in functions}, "stopped_for": watch.stopped_for}
    if run.dynamic_sampling.enabled:
        figures["resampled_groups"] = trainer.resampled_groups
    save_trained(trainer, processor, output / "model", merge=run.model.lora is None or run.model.lora.merge)
    figures["model"] = str(output / "model")
    figures["stages"] = {"grpo": {"history": figures["history"], "metrics": figures["metrics"]}}
    write_card(output / "model", run, figures, samples)
    if not watch.stopped_for:
        mark_finished(output, figures)
    return figures


def _policy(run: GRPORun, output: Path, samples: Sequence[TrainingSample]) -> tuple[Any, Any]:
    """The model to train. TRL loads the reference of ``beta > 0`` from the folder the model came from, so a model
    built just now is written down first."""
    vlm, processor = open_model(fitted(run.model, samples))
    if run.model.path is None:
        folder = output / "initial"
        from accelerate import PartialState

        if on_main() and not (folder / "config.json").is_file():
            save_model(vlm, processor, folder)
        PartialState().wait_for_everyone()
        vlm, processor = load_vlm(folder, dtype=run.model.dtype, attn_implementation=run.model.attn_implementation)
    return vlm, processor
