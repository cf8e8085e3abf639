"""Dynamic sampling (Yu et al. 2025, DAPO, section 3.2): groups whose rewards are all equal teach nothing and are
drawn again with other prompts.

TRL's GRPOTrainer has no such option, so this subclass overrides the one method that makes a generation batch and
leaves everything else to TRL. What is drawn follows from the seed, the step and the round, so a resumed run draws
the same.
"""

from __future__ import annotations

from typing import Any

import torch
import trl
from torch import Tensor

from model.training.rows import rng_for
from pathkg.errors import InputError

LEFT_PADDED = ("prompt_ids", "prompt_mask")
SAME_SUM = "num_items_in_batch"
EQUAL = 1e-6
"""Advantages of a group below this are all zero: equal rewards give exactly zero up to rounding."""


def check_dynamic(arguments: Any) -> None:
    """Raise for options that dynamic sampling cannot honour.

    Raises:
        InputError: advantages scaled over the batch, or groups that do not fit a process.
    """
    if str(arguments.scale_rewards) == "batch" or arguments.multi_objective_aggregation != "sum_then_normalize":
        raise InputError("dynamic_sampling needs advantages that are scaled within their group",
                         hint="set trainer.scale_rewards to group or none, or dynamic_sampling.enabled: false")
    local = arguments.per_device_train_batch_size * arguments.steps_per_generation
    if local % arguments.num_generations:
        raise InputError(f"a process generates {local} completions at a time, which is no multiple of "
                         f"num_generations {arguments.num_generations}",
                         hint="make per_device_train_batch_size x steps_per_generation a multiple of num_generations")


class DynamicSamplingTrainer(trl.GRPOTrainer):  # type: ignore[misc]
    """GRPOTrainer that replaces groups of zero variance, up to ``max_rounds`` times for one batch."""

    def __init__(self, *args: Any, max_rounds: int = 3, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_rounds = max_rounds
        self.resampled_groups = 0

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return batch
        size = self.num_generations
        for turn in range(self.max_rounds):
            dull = dull_groups(batch["advantages"], size)
            # every process makes the same number of calls, whatever it needs itself
            wanted = int(self.accelerator.gather(torch.tensor([len(dull)], device=self.accelerator.device)).max())
            if wanted == 0:
                break
            rng = rng_for(self.args.seed, "dynamic", self.state.global_step, turn, self.accelerator.process_index)
            rows = rng.choice(len(self.train_dataset), size=wanted, replace=wanted > len(self.train_dataset))
            fresh = super()._generate_and_score_completions(
                [self.train_dataset[int(i)] for i in rows for _ in range(size)])
            better = [g for g in range(wanted) if g not in set(dull_groups(fresh["advantages"], size))]
            pairs = list(zip(dull, better, strict=False))
            self.resampled_groups += len(pairs)
            self._metrics["train"]["dynamic_sampling/replaced_groups"].append(float(len(pairs)))
            batch = replace_groups(batch, fresh, pairs, size, self._tokenizer.pad_token_id)
            batch[SAME_SUM] = self.accelerator.gather(batch["completion_mask"].sum()).sum()
        return batch


def dull_groups(advantages: Tensor, size: int) -> list[int]:
    """Numbers of the groups whose advantages are all zero.

    Example:
        >>> dull_groups(torch.tensor([0.0, 0.0, 1.0, -1.0]), 2)
        [0]
    """
    return [i for i, group in enumerate(advantages.view(-1, size)) if bool((group.abs() < EQUAL).all())]


def replace_groups(batch: dict[str, Any], fresh: dict[str, Any], pairs: list[tuple[int, int]], size: int,
                   pad_token_id: int) -> dict[str, Any]:
    """``batch`` with group a's rows replaced by ``fresh``'s group b, for each (a, b); padding is widened as needed."""
    merged: dict[str, Any] = {}
    for name, old in batch.items():
        new = fresh.get(name)
        if name == SAME_SUM or new is None:
            merged[name] = old
        elif isinstance(old, Tensor) and old.dim() > 0:
            filler = pad_token_id if name.endswith("_ids") else 0
            width = max(old.shape[1], new.shape[1]) if old.dim() > 1 else 0
            old = _widened(old, width, filler, left=name in LEFT_PADDED).clone()
            new = _widened(new, width, filler, left=name in LEFT_PADDED)
            for a, b in pairs:
                old[a * size:(a + 1) * size] = new[b * size:(b + 1) * size]
            merged[name] = old
        elif isinstance(old, list):
            rows = list(old)
            for a, b in pairs:
                rows[a * size:(a + 1) * size] = new[b * size:(b + 1) * size]
            merged[name] = rows
        else:
            merged[name] = old
    return merged


def _widened(values: Tensor, width: int, filler: int, *, left: bool) -> Tensor:
    """Pad the second axis to ``width``."""
    if values.dim() < 2 or values.shape[1] == width:
        return values
    shape = (values.shape[0], width - values.shape[1], *values.shape[2:])
    padding = values.new_full(shape, filler)
    return torch.cat([padding, values] if left else [values, padding], dim=1)
