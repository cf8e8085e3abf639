"""Running the red team against a reward function."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError, did_you_mean
from pathkg.rewards.redteam.cases import honest_cases
from pathkg.rewards.redteam.registry import ATTACKS
from pathkg.rewards.redteam.world import World

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

RewardFunction = Callable[[str, str], Any]
"""``f(text, ground_truth)``: a float, a mapping with ``score`` or ``overall``, a RewardBreakdown, or ``None``."""

TOLERANCE = 1e-9
BROKEN_ABOVE = 0.02
"""A family counts as broken when its attacks succeed in more than this share of the cases."""


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """One attack family: in how many cases the attacked text scored at least as high as the honest one."""

    family: str
    description: str
    cases: int
    won: int
    honest_mean: float
    attacked_mean: float
    examples: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        return self.won / self.cases if self.cases else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {"family": self.family, "description": self.description, "cases": self.cases, "won": self.won,
                "rate": round(self.rate, 4), "honest_mean": round(self.honest_mean, 4),
                "attacked_mean": round(self.attacked_mean, 4), "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class RedTeamResult:
    """All families."""

    name: str
    families: tuple[FamilyResult, ...]
    graph_hash: str

    @property
    def broken(self) -> tuple[FamilyResult, ...]:
        """Families whose attacks succeed too often."""
        return tuple(f for f in self.families if f.rate > BROKEN_ABOVE)

    def to_dict(self) -> dict[str, Any]:
        return {"reward": self.name, "graph_hash": self.graph_hash, "families": [f.to_dict() for f in self.families],
                "cases": sum(f.cases for f in self.families), "won": sum(f.won for f in self.families),
                "broken_above": BROKEN_ABOVE, "broken": [f.family for f in self.broken]}

    def explain(self) -> str:
        width = max(len(f.family) for f in self.families)
        lines = [f"{'attack family':<{width}}  cases  at least as high  honest  attacked"]
        for f in self.families:
            lines.append(f"{f.family:<{width}}  {f.cases:>5}  {f.rate:>15.1%}  {f.honest_mean:>6.3f}  {f.attacked_mean:>8.3f}"
                         + ("  <-- broken" if f.rate > BROKEN_ABOVE else ""))
        lines.append(f"{self.name}: {len(self.broken)} of {len(self.families)} families above {BROKEN_ABOVE:.0%}")
        return "\n".join(lines)


def run_redteam(reward: RewardFunction, *, graph: KnowledgeGraph, name: str = "reward",
                families: Collection[str] = (), world: World | None = None) -> RedTeamResult:
    """Attack a reward function.

    Args:
        reward: ``f(text, ground_truth)``, where the ground truth is a reference as JSON.
        graph: the store the references are made with.
        name: what to call it in the result.
        families: only these.
        world: look-ups to share between runs.

    Raises:
        InputError: an unknown family.
    """
    from pathkg.linking import linker_for

    unknown = [f for f in families if f not in ATTACKS]
    if unknown:
        raise InputError(f"there is no attack family {unknown[0]!r}",
                         hint=did_you_mean(unknown[0], ATTACKS) or f"the families are {', '.join(ATTACKS)}")
    def call(text: str, truth: str) -> float:
        try:
            return number(reward(text, truth))
        except Exception as error:
            raise InputError(f"the reward {name} raised {type(error).__name__}: {error}",
                             hint="it is called as f(text, ground_truth) and must take any text") from error

    world = world or World(graph, linker_for(graph))
    cases = honest_cases(graph)
    honest = {c.id: call(c.honest.render(), c.reference.to_json()) for c in cases}
    results = []
    for family in families or ATTACKS:
        make, description = ATTACKS[family]
        won: list[str] = []
        before: list[float] = []
        after: list[float] = []
        for case in cases:
            attacked = make(case, Random(f"{family}:{case.id}"), world)
            if attacked is None or attacked == case.honest.render():
                continue
            # a reward that refuses to score the attack has not been fooled by it
            score = call(attacked, case.reference.to_json())
            before.append(honest[case.id])
            after.append(score)
            if score >= honest[case.id] - TOLERANCE:
                won.append(case.id)
        results.append(FamilyResult(family, description, len(before), len(won), _mean(before), _mean(after),
                                    tuple(won[:3])))
    return RedTeamResult(name, tuple(results), graph.hash)


def number(value: Any) -> float:
    """A reward function's answer as a number; ``-inf`` for ``None``."""
    if isinstance(value, Mapping):
        value = value.get("score", value.get("overall"))
    total = getattr(value, "total", value)
    return -math.inf if total is None else float(total)


def _mean(values: list[float]) -> float:
    finite = [v for v in values if math.isfinite(v)]
    return sum(finite) / len(finite) if finite else 0.0
