"""``SemanticReward``: is the answer right? Offline by the graph, or by a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.equivalence import compare_answers
from pathkg.rewards.reading import Engine, Reading, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticReward(Reward):
    """Whether the answer block says what the reference's answer says, in [0, 1].

    The offline form links both answers and compares nodes, polarities and structured values: synonyms are equal, a
    subtype earns most, a supertype some, a sibling little; a conflicting organ, stage, grade, side or polarity
    halves the score. Hedging costs precision.

    Example:
        >>> from pathkg.rewards import Reference
        >>> r = SemanticReward()
        >>> ref = Reference.of([], answer=["MONDO:0005096+"])
        >>> text = "<observe>x</observe><think>y</think><answer>{}</answer>"
        >>> r(text.format("Squamous cell carcinoma."), ref)
        1.0
        >>> 0 < r(text.format("Carcinoma."), ref) < 0.6
        True
        >>> r(text.format("No squamous cell carcinoma."), ref)
        0.0
    """

    name: ClassVar[str] = "semantic"

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        result = compare_answers(reading, target, engine)
        return RewardBreakdown(result.score, {self.name: result.score}, reasons=result.reasons)
