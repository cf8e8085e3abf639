"""``EntityReward``: do the statements agree?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pathkg.errors import InputError, did_you_mean
from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.reading import VIOLATIONS, Engine, Key, Reading, Target
from pathkg.rewards.similarity import assign
from pathkg.trajectory.values import KINDS

Variant = Literal["soft_dice", "recall"]
VARIANTS = ("soft_dice", "recall")

BETA = 0.5
"""What a soft match of similarity 1 would earn of an exact one (the published value)."""

MISPLACED = 0.5
"""Similarity of a statement to itself when the gold reasons with it and the completion only lists it."""

LENGTH_FACTOR, LENGTH_SLACK, LENGTH_UNIT = 1.5, 400, 200
"""A text may be half as long again as the gold, or 400 characters longer; every 200 beyond are one extra."""

KINDS_OF_VALUES = KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReward(Reward):
    """Overlap of what the completion states with what the reference states.

    ``P`` and ``G`` are sets: the (node, polarity) of all three blocks, and the structured values (stage, grade, side,
    sizes, counts). ``soft_dice = min(1, 2·I / (|P| + |G|))`` with ``I = |P ∩ G| + β·Σ soft``; ``recall =
    |P ∩ G| / |G|``. Soft matches pair what is left over of ``P`` and ``G``, each element at most once, so that the
    sum of their graph similarities is largest.

    What does not pay:

    * a node stated with both polarities, unless the gold does so too;
    * a statement that the gold reasons with (in ``<think>`` or ``<answer>``) and the completion only lists in its
      findings: it is a soft match of similarity 0.5;
    * violations: a repeated sentence, hidden characters, look-alike letters, over-length. Each counts as an
      element of ``P`` that matches nothing, beyond those the gold itself holds.

    Args:
        variant: ``soft_dice`` or ``recall``. Recall ignores what is extra: it is published, and can be farmed.
        beta: weight of soft matches.
        values: kinds of structured values to compare; ``()`` for entities alone.

    Example:
        >>> from pathkg.rewards import Reference
        >>> r = EntityReward()
        >>> ref = Reference.of(["PATHKG:keratin-pearl+", "MONDO:0005096+"])
        >>> text = "<observe>Keratin pearls.</observe><think>Keratin pearls are the key.</think><answer>{}</answer>"
        >>> r(text.format("Squamous cell carcinoma."), ref)
        1.0
        >>> r(text.format("No squamous cell carcinoma."), ref)
        0.5
    """

    variant: Variant = "soft_dice"
    beta: float = BETA
    values: tuple[str, ...] = KINDS_OF_VALUES

    name: ClassVar[str] = "entity"

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise InputError(f"there is no variant {self.variant!r}; there are {', '.join(VARIANTS)}",
                             hint=did_you_mean(self.variant, VARIANTS))
        if not 0 <= self.beta <= 1:
            raise InputError(f"beta is {self.beta}", hint="give a number from 0 to 1")
        wrong = [kind for kind in self.values if kind not in KINDS_OF_VALUES]
        if wrong:
            raise InputError(f"there is no kind of value {wrong[0]!r}",
                             hint=did_you_mean(wrong[0], KINDS_OF_VALUES) or ", ".join(KINDS_OF_VALUES))
        Reward.__post_init__(self)

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        gold, said = target.whole, reading.whole
        contradicted = {key for key in said if (key[0], "-" if key[1] == "+" else "+") in said
                        and not ((key[0], "+") in gold and (key[0], "-") in gold)}
        found = (said & gold) - contradicted
        misplaced = (found & target.reasoned) - reading.reasoned
        exact = found - misplaced
        gold_values = self._wanted(target.values)
        said_values = self._wanted(reading.values)
        exact_values = gold_values & said_values
        violations = self._violations(reading, target)
        size_p = len(said) + len(said_values) + sum(violations.values())
        size_g = len(gold) + len(gold_values)
        hits = len(exact) + len(exact_values)
        soft = self._soft(said - found - contradicted, gold - found, engine) if self.beta else []
        if not size_g:
            return self._result(None, ("no_entities: the reference states nothing",))
        if self.variant == "recall":
            value = (hits + len(misplaced)) / size_g
        else:
            share = hits + self.beta * (MISPLACED * len(misplaced) + sum(s for s, _, _ in soft))
            value = min(1.0, 2 * share / (size_p + size_g))
        return self._explained(value, engine, reading, target, exact, misplaced, soft, contradicted,
                               exact_values, said_values, gold_values, violations)

    def _result(self, value: float | None, reasons: tuple[str, ...]) -> RewardBreakdown:
        return RewardBreakdown(value, {self.name: value}, reasons=reasons)

    def _wanted(self, values: frozenset[str]) -> frozenset[str]:
        if len(self.values) == len(KINDS_OF_VALUES):
            return values
        return frozenset(v for v in values if v.split("=", 1)[0] in self.values)

    def _violations(self, reading: Reading, target: Target) -> dict[str, int]:
        found = {kind: reading.violations[kind] - target.allowed.get(kind, 0) for kind in VIOLATIONS}
        length = target.reference.length
        if length:
            over = reading.length - max(LENGTH_FACTOR * length, length + LENGTH_SLACK)
            found["overlong"] = int(-(-over // LENGTH_UNIT)) if over > 0 else 0
        return {kind: n for kind, n in found.items() if n > 0}

    @staticmethod
    def _soft(left: frozenset[Key], right: frozenset[Key], engine: Engine) -> list[tuple[float, Key, Key]]:
        if not left or not right:
            return []
        left_list, right_list = sorted(left), sorted(right)
        pairs = []
        for j, (gold_node, gold_polarity) in enumerate(right_list):
            near = engine.similarity.near(gold_node)
            if near:
                pairs += [(near[node], i, j) for i, (node, polarity) in enumerate(left_list)
                          if polarity == gold_polarity and node in near]
        return [(s, left_list[i], right_list[j]) for s, i, j in assign(pairs)]

    def _explained(self, value: float, engine: Engine, reading: Reading, target: Target, exact: frozenset[Key],
                   misplaced: frozenset[Key], soft: list[tuple[float, Key, Key]], contradicted: set[Key],
                   exact_values: frozenset[str], said_values: frozenset[str], gold_values: frozenset[str],
                   violations: dict[str, int]) -> RewardBreakdown:
        name = engine.name
        near = {left for _, left, _ in soft}
        soft_gold = {right for _, _, right in soft}
        opposite = {key for key in reading.whole - target.whole
                    if (key[0], "-" if key[1] == "+" else "+") in target.whole}
        matched = sorted(map(name, exact)) + sorted(exact_values)
        matched += sorted(f"~{name(key)}" for key in misplaced | soft_gold)
        missed = sorted(map(name, target.whole - exact - misplaced - soft_gold)) + sorted(gold_values - said_values)
        extra = sorted(map(name, reading.whole - target.whole - near - contradicted))
        extra += sorted(said_values - gold_values) + [f"{kind}×{n}" for kind, n in violations.items()]
        reasons = [f"entity: {n} {kind}" for kind, n in violations.items()]
        if misplaced:
            reasons.append(f"entity: {len(misplaced)} only listed, not reasoned with")
        if contradicted:
            reasons.append(f"entity: {len(contradicted)} statements contradict each other")
        return RewardBreakdown(value, {self.name: value}, tuple(matched), tuple(missed), tuple(extra),
                               tuple(sorted(map(name, contradicted | opposite))), tuple(reasons))
