"""TRL: reward functions for ``GRPOTrainer``.

    from pathkg.rewards.adapters.trl import pathkg_reward
    trainer = GRPOTrainer(model, reward_funcs=pathkg_reward, train_dataset=dataset, args=config)

The dataset carries the reference as JSON in a column ``ground_truth`` (or ``reference``, ``solution``). Completions may
be plain or conversational. What cannot be scored is ``None``, which TRL leaves out. ``pathkg_reward`` logs its parts;
to weight them through ``GRPOConfig.reward_weights`` instead, pass ``[format_reward, semantic_reward, entity_reward]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pathkg.rewards.adapters.scoring import references_from, reward_from, score_many
from pathkg.rewards.breakdown import RewardBreakdown


class TrlReward:
    """A reward function for TRL with options of its own: ``TrlReward(weights={"format": 1, "entity": 0.5})``.

    Picklable; holds options only. ``name`` is what TRL logs it under.
    """

    def __init__(self, name: str = "pathkg_reward", **options: Any) -> None:
        self.__name__ = name
        self.options = options
        self._reward = reward_from(**options)

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.__name__, "options": self.options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TrlReward.__init__(self, state["name"], **state["options"])

    def __call__(self, prompts: Sequence[Any] | None = None, completions: Sequence[Any] = (), *,
                 log_metric: Callable[[str, float], None] | None = None, log_extra: Any = None,
                 **columns: Any) -> list[float | None]:
        results = score_many(completions, references_from(columns, len(completions)), self._reward,
                             self.options.get("workers", 1))
        if log_metric is not None and results:
            _log(results, self.__name__, log_metric)
        return [result.total for result in results]


def _log(results: list[RewardBreakdown], name: str, log_metric: Callable[[str, float], None]) -> None:
    for part in results[0].parts:
        values = [r.parts[part] for r in results if r.parts.get(part) is not None]
        if values:
            log_metric(f"{name}/{part}", sum(v for v in values if v is not None) / len(values))
    log_metric(f"{name}/scored", sum(r.scored for r in results) / len(results))


_cache: dict[str, TrlReward] = {}


def _function(name: str, **options: Any) -> TrlReward:
    if name not in _cache:
        _cache[name] = TrlReward(name, **options)
    return _cache[name]


def pathkg_reward(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any) -> list[float | None]:
    """format + semantic + 0.5·entity."""
    return _function("pathkg_reward")(prompts, completions, **columns)


def format_reward(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any) -> list[float | None]:
    """The format part alone."""
    return _function("format_reward", weights={"format": 1})(prompts, completions, **columns)


def semantic_reward(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any) -> list[float | None]:
    """The semantic part alone."""
    return _function("semantic_reward", weights={"semantic": 1})(prompts, completions, **columns)


def entity_reward(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any) -> list[float | None]:
    """The entity part alone."""
    return _function("entity_reward", weights={"entity": 1})(prompts, completions, **columns)


def path_reward(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any) -> list[float | None]:
    """The path part alone."""
    return _function("path_reward", weights={"path": 1})(prompts, completions, **columns)


async def pathkg_reward_async(prompts: Any = None, completions: Sequence[Any] = (), **columns: Any
                              ) -> list[float | None]:
    """:func:`pathkg_reward` that leaves the event loop free (for use beside a slow judge)."""
    import asyncio

    return await asyncio.to_thread(pathkg_reward, prompts, completions, **columns)
