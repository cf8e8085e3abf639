"""A learning rate for each part of the model.

The slide encoder and the projector start at random beside a language model that has read the world; one rate for all is
too slow for the former or too fast for the latter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.training.config import Part
from model.training.parts import PARTS
from pathkg.errors import InputError


def use_part_rates(trainer: Any, rates: Mapping[Part, float]) -> None:
    """Give the trainer an optimizer with these rates; parts without one keep ``trainer.learning_rate``.

    The optimizer is the one the trainer's options name; the schedule multiplies every rate alike.

    Raises:
        InputError: under FSDP, where the optimizer is made after the model has been cut up.
    """
    if not rates:
        return
    if trainer.is_fsdp_enabled:
        raise InputError("rates per part do not work under FSDP", hint="use DeepSpeed or DDP, or train the encoder and "
                                                                       "projector in a stage of their own")
    decayed = set(trainer.get_decay_parameter_names(trainer.model))
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in trainer.model.named_parameters():
        if parameter.requires_grad:
            rate = rates.get(part_of(name), trainer.args.learning_rate)
            decay = trainer.args.weight_decay if name in decayed else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    optimizer_class, options = trainer.get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
    trainer.optimizer = optimizer_class(
        [{"params": rows, "lr": rate, "weight_decay": decay} for (rate, decay), rows in groups.items()], **options)


def part_of(name: str) -> Part:
    """The part that a parameter belongs to, under an adapter's longer names as well.

    Example:
        >>> part_of("base_model.model.model.projector.modules_to_save.default.scale"), part_of("lm_head.weight")
        ('projector', 'lm')
    """
    for part, prefixes in PARTS.items():
        if any(prefix in f".{name}" for prefix in (f".{p}" for p in prefixes)):
            return part
    return "lm"
