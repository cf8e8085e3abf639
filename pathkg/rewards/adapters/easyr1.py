"""EasyR1: ``worker.reward.reward_function=<this file>:compute_score``.

The dataset's answer column holds a reference as JSON. Options go into ``worker.reward.reward_function_kwargs``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathkg.rewards.adapters.scoring import numbers, reward_from, score_many

REWARD_NAME = "pathkg"
REWARD_TYPE = "batch"


def compute_score(reward_inputs: Sequence[Mapping[str, Any]], **options: Any) -> list[dict[str, float]]:
    """Score a batch of ``{"response", "response_length", "ground_truth"}``: ``overall``, each part, and ``scored``."""
    if isinstance(reward_inputs, Mapping):
        raise TypeError("compute_score is a batch reward: set REWARD_TYPE to batch and pass a list")
    results = score_many([item.get("response") for item in reward_inputs],
                         [item.get("ground_truth") for item in reward_inputs], reward_from(**options),
                         options.get("workers", 1))
    return [{"overall": result.partial, **numbers(result)} for result in results]
