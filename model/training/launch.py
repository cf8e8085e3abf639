"""From a run file to TRL's arguments, and the loop around one trainer: resume, guard, save."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from model.training.config import RunSection, trainer_config_class
from model.training.parts import memory_guard
from pathkg.errors import InputError, MissingExtraError

DONE = "done.json"
"""Written into a stage's folder when it has finished; a second run skips it."""

log = logging.getLogger("model.training")


def trainer_arguments(run: RunSection, kind: str, folder: Path, *options: Mapping[str, Any], **fixed: Any) -> Any:
    """TRL's configuration object: our defaults for this machine, then the run's options, then the stage's.

    Raises:
        InputError: TRL refuses a value.
    """
    cuda = torch.cuda.is_available()
    values: dict[str, Any] = {
        "output_dir": str(folder), "seed": run.seed, "data_seed": run.seed, "report_to": _loggers(run.log_to),
        "use_cpu": not cuda, "bf16": cuda and torch.cuda.is_bf16_supported(), "gradient_checkpointing": cuda,
        "logging_steps": 1, "save_total_limit": 2, "logging_first_step": True, "disable_tqdm": not _terminal(),
        "dataloader_pin_memory": cuda}
    if kind != "grpo":
        # a bag of all its patches may be longer than any fixed length; nothing is cut unless asked
        values["max_length"] = None
    for part in options:
        values.update(part)
    values.update(fixed)
    try:
        return trainer_config_class(kind)(**values)
    except (ValueError, TypeError) as error:
        raise InputError(f"TRL refuses the trainer options: {error}", hint="change the option it names") from error


def _terminal() -> bool:
    import sys

    return sys.stderr.isatty()


def _loggers(log_to: str) -> list[str]:
    if log_to == "none":
        return []
    from importlib.util import find_spec

    package = {"tensorboard": "tensorboard", "wandb": "wandb"}[log_to]
    if find_spec(package) is None:
        if log_to == "tensorboard":
            # the default must not stop a run: the same numbers stand in log.jsonl
            log.warning("tensorboard is not installed; losses and rewards are written to log.jsonl only "
                        "(pip install tensorboard)")
            return []
        raise MissingExtraError(f"this needs the package {package!r}, which is not installed",
                                hint=f"pip install {package}, or set log_to: tensorboard")
    return [log_to]


TOLD = ("loss", "eval_loss", "reward", "rewards/format/mean", "rewards/semantic/mean", "rewards/entity/mean",
        "rewards/path/mean")
"""What is told at each logged step; everything stands in ``log.jsonl`` and TensorBoard."""


class ShortLog(TrainerCallback):
    """One short line per logged step, on standard error, in place of transformers' dictionaries on standard output,
    which belongs to the figures."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if logs and state.is_world_process_zero:
            numbers = ", ".join(f"{name.removeprefix('rewards/').removesuffix('/mean')} {float(logs[name]):.4g}"
                                for name in TOLD if logs.get(name) is not None)  # None: a reward nobody could score
            if numbers:
                log.info("step %d of %d: %s", state.global_step, state.max_steps, numbers)


def train(trainer: Any, folder: Path, *, resume: bool) -> dict[str, Any]:
    """Run one trainer to its end, from its last checkpoint when there is one; returns its figures."""
    checkpoint = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
    if checkpoint is not None:
        log.info("resuming from %s", checkpoint)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ShortLog)
    with memory_guard():
        result = trainer.train(resume_from_checkpoint=checkpoint)
    return {"metrics": dict(result.metrics), "history": list(trainer.state.log_history),
            "resumed_from": checkpoint or ""}


def distributed(trainer: Any) -> bool:
    """Whether several processes train this model."""
    return int(trainer.accelerator.num_processes) > 1


def on_main() -> bool:
    """Whether this process writes what is written once."""
    from accelerate import PartialState

    return bool(PartialState().is_main_process)


def save_trained(trainer: Any, processor: Any, folder: Path, *, merge: bool) -> None:
    """Write the trained model as a loadable folder.

    Several processes may each hold a piece of it: then TRL's trainer gathers and writes, and an adapter stays an
    adapter.
    """
    from model.training.parts import save_model

    if not distributed(trainer):
        save_model(trainer.model, processor, folder, merge=merge)
        return
    trainer.save_model(str(folder))
    if on_main():
        processor.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()


def finished(folder: Path) -> dict[str, Any] | None:
    """The figures of a stage that has finished, or ``None``."""
    file = folder / DONE
    if not file.is_file():
        return None
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return record


def mark_finished(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write :data:`DONE` and the history as ``log.jsonl``."""
    if not on_main():
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(entry, sort_keys=True, default=float) for entry in figures.get("history", [])]
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft = folder / (DONE + ".part")
    draft.write_text(json.dumps(dict(figures), sort_keys=True, default=float, indent=1), encoding="utf-8")
    draft.replace(folder / DONE)
