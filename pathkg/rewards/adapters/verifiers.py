"""verifiers (v1): mix :class:`PathkgRewards` into a task.

    import verifiers.v1 as vf
    from pathkg.rewards.adapters.verifiers import PathkgRewards

    class MyData(vf.TaskData):
        ground_truth: str

    class MyTask(PathkgRewards, vf.Task[MyData, vf.State, vf.TaskConfig]):
        pass
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from pathkg.rewards.adapters.scoring import REFERENCE_COLUMNS, completion_text, numbers, reward_from
from pathkg.rewards.breakdown import RewardBreakdown

_F = TypeVar("_F", bound=Callable[..., Any])

try:
    from verifiers.v1 import metric as _metric
    from verifiers.v1 import reward as _reward
except ImportError:
    def _metric(priority: int = 0) -> Callable[[_F], _F]:
        """The marks that the framework looks for, for when it is not installed."""
        def mark(function: _F) -> _F:
            for name, value in (("metric", True), ("metric_priority", priority)):
                setattr(function, name, value)
            return function
        return mark

    def _reward(weight: float = 1.0, priority: int = 0) -> Callable[[_F], _F]:
        """The marks that the framework looks for, for when it is not installed."""
        def mark(function: _F) -> _F:
            for name, value in (("reward", True), ("reward_priority", priority), ("_vf_weight", weight)):
                setattr(function, name, value)
            return function
        return mark


def reply_of(trace: Any) -> Any:
    """The model's last reply in a trace."""
    reply = getattr(trace, "last_reply", None)
    if isinstance(reply, str):
        return reply
    return completion_text(trace.get("completion")) if isinstance(trace, dict) else None


class PathkgRewards:
    """Adds the reward ``pathkg`` to a task whose data has ``ground_truth`` (or ``reference``, ``solution``)."""

    pathkg_options: dict[str, Any] = {}  # noqa: RUF012 - a class-level setting, replaced in subclasses

    @_reward(weight=1.0)  # type: ignore[untyped-decorator, unused-ignore]
    async def pathkg(self, trace: Any) -> float:
        """format + semantic + 0.5·entity of the last reply."""
        return (await self._pathkg_score(trace)).partial

    @_metric(priority=0)  # type: ignore[untyped-decorator, unused-ignore]
    async def pathkg_parts(self, trace: Any) -> dict[str, float]:
        """Each part, and whether everything could be scored."""
        return {f"pathkg_{name}": value for name, value in numbers(await self._pathkg_score(trace)).items()}

    async def _pathkg_score(self, trace: Any) -> RewardBreakdown:
        data = getattr(self, "data", None)
        found = (getattr(data, name, None) for name in REFERENCE_COLUMNS)
        reference = next((value for value in found if value is not None), None)
        reward = reward_from(**self.pathkg_options)
        return await asyncio.to_thread(reward.score, reply_of(trace), reference)  # type: ignore[arg-type]
