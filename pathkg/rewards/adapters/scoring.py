"""What the adapters share: options to a reward, completions to text, breakdowns to numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pathkg.errors import InputError
from pathkg.rewards import CompositeReward, RewardBreakdown, SemanticReward
from pathkg.rewards.entity import EntityReward

REFERENCE_COLUMNS = ("ground_truth", "reference", "solution", "answer")
"""Where a dataset may keep the reference, in the order they are looked for."""

OPTIONS = ("weights", "store", "variant", "beta", "lenient", "dialect", "max_chars", "strict", "judge", "contradiction",
           "invention", "workers")
"""Options every adapter takes, as keyword arguments of the framework's reward configuration."""


def reward_from(**options: Any) -> CompositeReward:
    """The composite reward for an adapter's options; the same object for the same options.

    Args:
        **options: ``weights`` (mapping, or ``"format=1,entity=0.5"``), ``store``, ``variant``, ``beta`` (entity),
            ``lenient`` (format), ``dialect``, ``max_chars``, ``strict``, ``judge`` (options of a judge, as a
            mapping), ``contradiction`` and ``invention`` (semantic).

    Raises:
        InputError: an unknown option or value.

    Example:
        >>> reward_from(weights="format=1,entity=0.5").weights
        {'format': 1.0, 'entity': 0.5}
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise InputError(f"there is no reward option {unknown[0]!r}", hint=f"options: {', '.join(OPTIONS)}")
    options.pop("workers", None)
    weights = options.pop("weights", None)
    if isinstance(weights, str):
        weights = parse_weights(weights)
    if weights:
        weights = {name: float(weight) for name, weight in weights.items()}
    return _build(json.dumps(weights), json.dumps(options, sort_keys=True, default=str))


@lru_cache(maxsize=64)
def _build(weights_json: str, options_json: str) -> CompositeReward:
    from pathkg.rewards.format import FormatReward

    weights, options = json.loads(weights_json), json.loads(options_json)
    entity = {name: options.pop(name) for name in ("variant", "beta") if name in options}
    lenient = options.pop("lenient", None)
    judge = options.pop("judge", None)
    parts: list[Any] = []
    if entity:
        parts.append(EntityReward(store=options.get("store", ""), **entity))
    if lenient is not None:
        parts.append(FormatReward(store=options.get("store", ""), lenient=bool(lenient)))
    semantic: dict[str, Any] = {name: float(options.pop(name)) for name in ("contradiction", "invention") if name in options}
    if judge is not None:
        from pathkg.rewards.judge import Judge

        semantic["judge"] = Judge(**judge)
    if semantic:
        parts.append(SemanticReward(store=options.get("store", ""), **semantic))
    given: dict[str, Any] = {"weights": weights} if weights else {}
    return CompositeReward(parts=tuple(parts), **given, **options)


def parse_weights(text: str) -> dict[str, float]:
    """Read ``name=weight,name=weight``.

    Raises:
        InputError: not of that form.

    Example:
        >>> parse_weights("format=1, entity=.5")
        {'format': 1.0, 'entity': 0.5}
    """
    weights = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"{item!r} is not a weight", hint="write name=number, such as entity=0.5") from None
    return weights


def completion_text(completion: Any) -> Any:
    """The text of a completion: a string, or the assistant's messages of a conversation.

    Anything else is returned as it is and becomes an unscored ``None`` further on.

    Example:
        >>> completion_text([{"role": "assistant", "content": [{"type": "text", "text": "<observe>"}]}])
        '<observe>'
    """
    if isinstance(completion, Mapping):
        completion = [completion]
    if isinstance(completion, (str, bytes)) or not isinstance(completion, Sequence):
        return completion
    spoken = [m for m in completion if isinstance(m, Mapping) and m.get("role", "assistant") == "assistant"]
    return "\n".join(filter(None, (_content(m.get("content")) for m in spoken))) if spoken else None


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(part if isinstance(part, str) else str(part.get("text") or "") for part in content
                       if isinstance(part, (str, Mapping)))
    return ""


def references_from(columns: Mapping[str, Any], n: int) -> list[Any]:
    """One reference per completion from the dataset's columns; ``None`` where there is none."""
    for name in REFERENCE_COLUMNS:
        value = columns.get(name)
        if value is not None:
            if isinstance(value, (str, Mapping)):
                return [value] * n
            return list(value)
    return [None] * n


def score_many(completions: Sequence[Any], references: Sequence[Any], reward: CompositeReward,
               workers: int = 1) -> list[RewardBreakdown]:
    """Score completions of any form against references of any form, in order."""
    return reward.score_batch([completion_text(c) for c in completions], list(references), workers=workers)


def numbers(breakdown: RewardBreakdown) -> dict[str, float]:
    """A breakdown as floats only, the same keys every time: each part, and ``scored`` (1 or 0).

    A part that could not be scored is 0.0 here; ``scored`` says so.
    """
    record = {name: 0.0 if value is None else float(value) for name, value in breakdown.parts.items()}
    record["scored"] = float(breakdown.scored)
    return record
