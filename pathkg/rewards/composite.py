"""``CompositeReward``: named rewards, named weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from numbers import Real
from types import MappingProxyType
from typing import Any, ClassVar

from pathkg.errors import InputError, did_you_mean
from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown, count_unscored
from pathkg.rewards.entity import EntityReward
from pathkg.rewards.format import FormatReward
from pathkg.rewards.path import PathReward
from pathkg.rewards.reading import Engine, Reading, Target
from pathkg.rewards.semantic import SemanticReward

ALPHA = 0.5
"""Weight of the entity part (the published value)."""

GAMMA = 0.0
"""Weight of the path part."""

DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"format": 1.0, "semantic": 1.0, "entity": ALPHA, "path": GAMMA})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeReward(Reward):
    """``format + semantic + 0.5·entity (+ 0·path)``, or whatever parts and weights are given.

    The total is ``None`` when a part that carries weight could not be scored; :attr:`RewardBreakdown.partial` then
    gives the rest scaled up. A part of weight 0 is not computed.

    Args:
        weights: part name -> weight. Names: ``format``, ``semantic``, ``entity``, ``path``, and those of ``extra``.
        parts: rewards that replace the default of their name, such as ``EntityReward(variant="recall")``.

    Example:
        >>> r = CompositeReward(weights={"format": 1, "entity": 0.5})
        >>> text = "<observe>Keratin pearls.</observe><think>So.</think><answer>Keratin pearls.</answer>"
        >>> r.score(text, '{"v":1,"e":["PATHKG:keratin-pearl+"]}')
        <RewardBreakdown 1.500 (format=1.000, entity=1.000)>
    """

    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    parts: tuple[Reward, ...] = ()
    members: tuple[tuple[str, float, Reward], ...] = field(default=(), init=False, repr=False, compare=False)

    name: ClassVar[str] = "total"

    def __post_init__(self) -> None:
        Reward.__post_init__(self)
        given = {part.name: part for part in self.parts}
        known = {**_DEFAULTS, **{name: type(part) for name, part in given.items()}}
        unknown = [name for name in self.weights if name not in known]
        if unknown:
            raise InputError(f"there is no reward part {unknown[0]!r}; there are {', '.join(known)}",
                             hint=did_you_mean(unknown[0], known))
        for name, weight in self.weights.items():
            if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 <= weight < math.inf:
                raise InputError(f"the weight of {name} is {weight!r}",
                                 hint="give a finite number, 0 or more; 0 leaves the part out")
        if not any(self.weights.values()):
            raise InputError("every weight is 0", hint="give at least one part a weight")
        shared: dict[str, Any] = {"store": self.store, "graph_hash": self.graph_hash, "dialect": self.dialect,
                  "max_chars": self.max_chars, "strict": self.strict}
        members = []
        for name, weight in self.weights.items():
            if weight:
                part = replace(given[name], **shared) if name in given else _DEFAULTS[name](**shared)
                members.append((name, float(weight), part))
        object.__setattr__(self, "weights", dict(self.weights))
        object.__setattr__(self, "members", tuple(members))

    @property
    def waits(self) -> int:
        return max(part.waits for _, _, part in self.members)

    def __hash__(self) -> int:
        return hash((self.store, self.graph_hash, tuple(sorted(self.weights.items())), self.parts))

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        results = [(name, weight, part._score(reading, target, engine)) for name, weight, part in self.members]
        parts = {name: result.parts[name] for name, _, result in results}
        weights = {name: weight for name, weight, _ in results}
        total: float | None = None
        values = [value for value in parts.values() if value is not None]
        if len(values) == len(parts):
            total = sum(weights[name] * value for name, value in zip(parts, values, strict=True))
        merged: dict[str, Any] = {}
        for name in ("matched", "missed", "extra", "contradicted", "reasons"):
            merged[name] = tuple(chain.from_iterable([getattr(result, name) for _, _, result in results]))
        return RewardBreakdown(total, parts, **merged, weights=weights)

    def _unscored(self, reason: str) -> RewardBreakdown:
        count_unscored(reason)
        return RewardBreakdown(None, {name: None for name, _, _ in self.members}, reasons=(reason,),
                               weights={name: weight for name, weight, _ in self.members})


_DEFAULTS: Mapping[str, type[Reward]] = {
    "format": FormatReward, "semantic": SemanticReward, "entity": EntityReward, "path": PathReward}
