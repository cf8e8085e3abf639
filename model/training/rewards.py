"""The rewards of :mod:`pathkg.rewards` as TRL reward functions, each logged apart.

The stated rule for a score that cannot be made (a judge that died, a broken reference): it is ``None``, TRL leaves
it out of the group's baseline, it is counted in the metric ``unscored/<name>``, and training goes on with the other
rewards. When more than ``max_unscored_share`` of a reward's scores were missing over the last ``unscored_window``
steps, the run saves a checkpoint and stops, because it would go on learning something else than was asked.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback

from model.data.samples import TrainingSample
from model.training.config import JudgeSection, RewardSection
from pathkg.errors import InputError, PathkgError
from pathkg.rewards.adapters.scoring import completion_text

log = logging.getLogger("model.training")


class RewardFunction:
    """One :class:`pathkg.rewards.Reward` in TRL's calling convention.

    The dataset's column ``reference`` holds what the reward compares with.

    Args:
        reward: the reward.
        name: what TRL logs it as.
        fallback: scores what ``reward`` could not (``on_failure: offline``).

    Attributes:
        scored: completions scored so far.
        unscored: completions that could not be scored.
        fallen_back: completions that only ``fallback`` could score.
        reasons: why completions could not be scored, counted.
    """

    def __init__(self, reward: Any, name: str, fallback: Any = None) -> None:
        self.reward = reward
        self.fallback = fallback
        self.__name__ = name
        self.scored = 0
        self.unscored = 0
        self.fallen_back = 0
        self.reasons: Counter[str] = Counter()

    def __call__(self, *, completions: Sequence[Any], reference: Sequence[str],
                 log_metric: Callable[[str, float], None] | None = None, **_: Any) -> list[float | None]:
        texts = [_text(c) for c in completions]
        values = self._totals(self.reward, texts, reference)
        missing = [i for i, value in enumerate(values) if value is None]
        if missing and self.fallback is not None:
            rest = self._totals(self.fallback, [texts[i] for i in missing], [reference[i] for i in missing])
            for i, value in zip(missing, rest, strict=True):
                values[i] = value
            self.fallen_back += len(missing)
        left = sum(value is None for value in values)
        self.unscored += left
        self.scored += len(values) - left
        if log_metric is not None:
            log_metric(f"unscored/{self.__name__}", left / len(values))
        return values

    def _totals(self, reward: Any, texts: Sequence[Any], references: Sequence[str]) -> list[float | None]:
        try:
            results = reward.score_batch(texts, references)
        except PathkgError as error:
            # one failing batch (an endpoint that is gone) must not end hours of training; it is counted
            log.warning("a batch of %d completions could not be scored: %s", len(texts), error.message)
            self.reasons[type(error).__name__] += len(texts)
            return [None] * len(texts)
        for result in results:
            if result.total is None:
                self.reasons[(result.reasons or ("no reason given",))[0]] += 1
        return [result.total for result in results]


def _text(completion: Any) -> Any:
    """The completion's text without the white space around it, which a chat template may add."""
    text = completion_text(completion)
    return text.strip() if isinstance(text, str) else text


def build_rewards(section: RewardSection) -> tuple[list[RewardFunction], list[float]]:
    """The reward functions of a run and their weights, in a fixed order; a weight of zero leaves one out.

    Raises:
        InputError: every weight is zero.
    """
    from pathkg import rewards

    store = section.store or ""
    functions: list[RewardFunction] = []
    weights: list[float] = []

    def add(weight: float, name: str, make: Callable[[], Any], fallback: Any = None) -> None:
        if weight:
            functions.append(RewardFunction(make(), name, fallback))
            weights.append(weight)

    add(section.format, "format", lambda: rewards.FormatReward(store=store))
    offline = rewards.SemanticReward(store=store)
    if section.judge is None:
        add(section.semantic, "semantic", lambda: offline)
    else:
        judge = section.judge
        add(section.semantic, "semantic", lambda: judged(judge, store),
            offline if judge.on_failure == "offline" else None)
    add(section.entity, "entity", lambda: rewards.EntityReward(store=store, variant=section.entity_variant))
    add(section.path, "path", lambda: rewards.PathReward(store=store))
    if not functions:
        raise InputError("every reward has weight 0", hint="give at least one of rewards.format, semantic, entity, "
                                                           "path a weight")
    return functions, weights


def judged(section: JudgeSection, store: str) -> Any:
    """The semantic reward with an LLM judge."""
    from pathkg.rewards import SemanticReward
    from pathkg.rewards.judge import Judge

    return SemanticReward(store=store, judge=Judge(base_url=section.base_url, model=section.model,
                                                   api_key_env=section.api_key_env or "OPENAI_API_KEY",
                                                   timeout_s=section.timeout_s, cache=section.cache))


def entity_scorer(store: str | None = None) -> Callable[[str, TrainingSample], float | None]:
    """The entity score of an answer for a sample, for the ``entity_score`` estimator of Δ."""
    from pathkg.rewards import EntityReward

    reward = EntityReward(store=store or "")

    def score(text: str, sample: TrainingSample) -> float | None:
        value: float | None = reward.score(text, sample.reference).total if sample.reference else None
        return value

    return score


class UnscoredWatch(TrainerCallback):  # type: ignore[misc]
    """Stops a run whose rewards have gone missing; see the module's text."""

    def __init__(self, functions: Sequence[RewardFunction], *, share: float, window: int) -> None:
        self.functions = functions
        self.share = share
        self.window = window
        self._seen: dict[str, deque[tuple[int, int]]] = {f.__name__: deque(maxlen=window) for f in functions}
        self._last: dict[str, tuple[int, int]] = {f.__name__: (0, 0) for f in functions}
        self.stopped_for = ""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        for function in self.functions:
            name = function.__name__
            scored, unscored = function.scored, function.unscored
            before = self._last[name]
            self._seen[name].append((scored - before[0], unscored - before[1]))
            self._last[name] = (scored, unscored)
            window = self._seen[name]
            total = sum(a + b for a, b in window)
            missing = sum(b for _, b in window)
            if len(window) == self.window and total and missing / total > self.share:
                self.stopped_for = name
                log.error("%d of the last %d scores of the reward %r are missing; saving a checkpoint and stopping "
                          "(rewards.max_unscored_share is %g)", missing, total, name, self.share)
                control.should_save = True
                control.should_training_stop = True
        return control
