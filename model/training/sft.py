"""Supervised fine-tuning: dual-modality rows, staged freezing, TRL's own SFTTrainer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.data.entities import step_spans, text_spans
from model.data.prompts import CAPTION_QUESTION, completion_text, prompt_text
from model.data.samples import TrainingSample, read_samples
from model.extras import require
from model.training.align import align
from model.training.card import write_card
from model.training.config import SFTRun, StageSection
from model.training.launch import (
    distributed,
    finished,
    mark_finished,
    on_main,
    save_trained,
    train,
    trainer_arguments,
)
from model.training.optimizer import use_part_rates
from model.training.parts import (
    best_device,
    depth,
    fitted,
    lora_config,
    open_model,
    save_model,
    set_trainable,
    use_threads,
)
from model.training.priors import PriorSettings, measure_priors
from model.training.rows import KINDS, Prior, Row, build_rows, pseudo_samples
from pathkg.errors import InputError

log = logging.getLogger("model.training")


def run_sft(run: SFTRun, *, captions: bool = False) -> dict[str, Any]:
    """Carry out an SFT run, or with ``captions`` a continued pre-training run on image-caption pairs.

    Stages run one after the other, each in its own folder under ``run.output`` with its own checkpoints; finished
    stages are skipped, an unfinished one resumes. The last model is in ``<output>/model``.

    Returns:
        Figures by stage, and the folder of the model.
    """
    require("trl")
    use_threads(run.threads)
    output = Path(run.output)
    train_set = _limited(read_samples(run.data.train, image_root=run.data.image_root), run.data.max_samples)
    held_back = _limited(read_samples(run.data.validation, image_root=run.data.image_root),
                         run.data.max_validation_samples) if run.data.validation else []
    kind = "pretrain" if captions else "sft"
    done = finished(output)
    if done is not None and run.resume and (output / "model").is_dir():
        log.info("%s is finished; remove it, or name another output, to train again", output)
        return done
    vlm, processor = open_model(fitted(run.model, train_set))
    checks = whole_rows(run, held_back, processor, captions=captions)
    figures: dict[str, Any] = {"kind": kind, "held_back": len(checks), "stages": {}}
    history: list[Any] = []
    if run.align is not None:
        aligned = align(vlm, processor, train_set, held_back, run.align, folder=output / "align", seed=run.seed,
                        resume=run.resume)
        log.info("aligned by words: %s of the top %d words of a held-back bag are its caption's (before: %s)",
                 aligned["precision_after"], aligned["top"], aligned["precision_before"])
        figures["align"] = aligned
        history += [{**entry, "stage": "align"} for entry in aligned["history"]]
    model: Any = vlm
    for number, stage in enumerate(run.stages):
        # with several stages the first one warms the projector up on whole bags, so that the pseudo-bags of the
        # later ones are drawn by a model that has seen slides
        if number == 0 or (number == 1 and not captions):
            warm_up = number == 0 and len(run.stages) > 1
            rows, counts = caption_rows(run, train_set, processor) if captions else \
                sft_rows(run, train_set, model, processor, warm_up=warm_up)
        log.info("stage %s: %d rows (%s), %d held back", stage.name, len(rows),
                 ", ".join(f"{n} {k}" for k, n in counts.items()), len(checks))
        model, stage_figures = _run_stage(run, stage, model, processor, rows, checks, output / stage.name)
        figures["rows"] = dict(counts)
        figures["stages"][stage.name] = stage_figures
        history += [{**entry, "stage": stage.name} for entry in stage_figures["history"]]
    if on_main():
        save_model(model, processor, output / "model", merge=run.model.lora is None or run.model.lora.merge)
    figures["model"] = str(output / "model")
    write_card(output / "model", run, figures, train_set)
    mark_finished(output, {**figures, "history": history})
    return figures


def _run_stage(run: SFTRun, stage: StageSection, model: Any, processor: Any, rows: Sequence[Row],
               checks: Sequence[Row], folder: Path) -> tuple[Any, dict[str, Any]]:
    import datasets
    import trl

    from model.training.parts import load_vlm

    done = finished(folder)
    if done is not None and run.resume and (folder / "model").is_dir():
        return load_vlm(folder / "model", dtype=run.model.dtype)[0], done
    adapter = None
    if run.model.lora is not None and "lm" in stage.train:
        adapter = lora_config(run.model.lora, stage.train, layers=depth(model))
    trainable = set_trainable(model, stage.train)
    options: dict[str, Any] = {"eval_on_start": True, "eval_strategy": "epoch"} if checks else {}
    arguments = trainer_arguments(run, "sft", folder, options, run.trainer, stage.trainer)
    trainer = trl.SFTTrainer(
        model=model, args=arguments, processing_class=processor, peft_config=adapter,
        train_dataset=datasets.Dataset.from_list([row.to_dict() for row in rows]),
        eval_dataset=datasets.Dataset.from_list([row.to_dict() for row in checks]) if checks else None)
    if adapter is not None:
        # peft froze what it does not adapt; encoder and projector are among its modules_to_save
        trainable = {"adapter and saved modules": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)}
    use_part_rates(trainer, stage.rates)
    figures = {**train(trainer, folder, resume=run.resume), "trained": list(stage.train), "trainable": trainable}
    merge = run.model.lora is None or run.model.lora.merge
    trained: Any = trainer.model
    if distributed(trainer):
        save_trained(trainer, processor, folder / "model", merge=merge)
        trained = load_vlm(folder / "model", dtype=run.model.dtype)[0]
    else:
        if adapter is not None and merge:
            trained = trained.merge_and_unload()
        if len(run.stages) > 1:
            save_model(trained, processor, folder / "model")
    mark_finished(folder, figures)
    return trained, figures


def _limited(samples: list[TrainingSample], limit: int | None) -> list[TrainingSample]:
    return samples if limit is None else samples[:limit]


def _linker(run: SFTRun) -> Any:
    from pathkg import load
    from pathkg.linking import linker_for

    return linker_for(load(run.store))


def sft_rows(run: SFTRun, samples: Sequence[TrainingSample], vlm: Any, processor: Any, *,
             warm_up: bool = False) -> tuple[list[Row], Any]:
    """The rows of a stage and their counts by kind; ``warm_up`` leaves the pseudo-bags out (unless there is nothing
    else)."""
    augment = run.augment
    mix: dict[str, float] = {kind: getattr(augment.mix, kind) for kind in KINDS}
    if warm_up and mix["masked"] + mix["full"] > 0:
        mix["pseudo"] = 0.0
    linker: Any = None
    spans: Callable[[Any], Any] | None = None
    if (mix["masked"] and augment.mask_share) or mix["pseudo"]:
        linker = _linker(run)
        spans = lambda trajectory: step_spans(trajectory, linker)  # noqa: E731
    priors: dict[str, Prior] = {}
    if mix["pseudo"]:
        wanted = pseudo_samples(samples, mix=mix, seed=run.seed, rows=augment.rows)
        priors = _priors(run, wanted, vlm, processor, linker)
    return build_rows(samples, processor, mix=mix, seed=run.seed, rows=augment.rows, mask_share=augment.mask_share,
                      spans=spans, priors=priors, mu=augment.pseudo.mu, tau=augment.pseudo.tau,
                      epsilon=augment.pseudo.epsilon, system_prompt=run.data.system_prompt,
                      question=run.data.question)


def _priors(run: SFTRun, samples: Sequence[TrainingSample], vlm: Any, processor: Any,
            linker: Any) -> dict[str, Prior]:
    pseudo = run.augment.pseudo
    settings = PriorSettings(clusters=pseudo.clusters, seed=run.seed, estimator=pseudo.estimator,
                             batch_size=pseudo.batch_size, max_new_tokens=pseudo.max_new_tokens,
                             system_prompt=run.data.system_prompt, question=run.data.question)
    score = None
    if pseudo.estimator == "entity_score":
        from model.training.rewards import entity_scorer

        score = entity_scorer(store=run.store)
    cache = Path(pseudo.cache) if pseudo.cache else Path(run.output) / "priors"
    from accelerate import PartialState

    # the first process measures, the others find its results in the cache
    with PartialState().main_process_first():
        priors, report = measure_priors(vlm.to(best_device()), processor, samples, cache=cache, settings=settings,
                                        score=score, spans=lambda text: text_spans(text, linker))
    log.info("cluster priors: %d measured, %d from the cache, %d samples without", report.measured, report.cached,
             report.skipped)
    return priors


def caption_rows(run: SFTRun, samples: Sequence[TrainingSample], processor: Any) -> tuple[list[Row], Any]:
    """Rows of continued pre-training: the bag and a caption.

    Raises:
        InputError: no sample has a caption.
    """
    from collections import Counter

    rows = whole_rows(run, samples, processor, captions=True)
    if not rows:
        raise InputError("no sample has both a bag and a caption", hint="rows need 'image' and 'caption'")
    return rows, Counter({"caption": len(rows)})


def whole_rows(run: SFTRun, samples: Sequence[TrainingSample], processor: Any, *, captions: bool = False) -> list[Row]:
    """Plain rows, one per sample: the whole trajectory (or caption) with the whole bag."""
    rows = []
    for sample in samples:
        text = sample.caption if captions else sample.text
        if not text or (captions and not sample.image):
            continue
        asked = replace(sample, options=()) if captions else sample
        question = run.data.question or (CAPTION_QUESTION if captions else None)
        rows.append(Row(prompt_text(processor, asked, system_prompt="" if captions else run.data.system_prompt,
                                    question=question),
                        completion_text(processor, text), (sample.image,) if sample.image else (), "full", sample.id))
    return rows
