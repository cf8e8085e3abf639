"""verl: ``custom_reward_function.path=<this file>``, ``custom_reward_function.name=compute_score``.

``ground_truth`` is a reference as JSON. Options go into ``custom_reward_function.reward_kwargs``. With the batch reward
manager use ``compute_score_batch``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathkg.rewards.adapters.scoring import numbers, reward_from, score_many


def compute_score(data_source: Any = None, solution_str: Any = None, ground_truth: Any = None,
                  extra_info: Mapping[str, Any] | None = None, **options: Any) -> dict[str, float]:
    """Score one solution: ``score``, each part, and ``scored``. ``extra_info`` is read by nobody and left alone."""
    return compute_score_batch([data_source], [solution_str], [ground_truth], [extra_info], **options)[0]


def compute_score_batch(data_sources: Sequence[Any] = (), solution_strs: Sequence[Any] = (),
                        ground_truths: Sequence[Any] = (), extra_infos: Sequence[Any] | None = None,
                        **options: Any) -> list[dict[str, float]]:
    """Score a batch, in order. What could not be scored has ``scored`` 0.0, and ``score`` made of the parts that could."""
    known = {k: v for k, v in options.items() if not k.startswith(("reward_router", "reward_model"))}
    results = score_many(list(solution_strs), list(ground_truths), reward_from(**known), known.get("workers", 1))
    return [{"score": result.partial, **numbers(result)} for result in results]
