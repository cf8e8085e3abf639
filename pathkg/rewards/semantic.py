"""``SemanticReward``: is the answer right? Offline by the graph, or by a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathkg.errors import EndpointError
from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.equivalence import compare_answers
from pathkg.rewards.judge import Judge
from pathkg.rewards.reading import Engine, Reading, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticReward(Reward):
    """Whether the answer block says what the reference's answer says, in [0, 1].

    The offline form links both answers and compares nodes, polarities and structured values: synonyms are equal, a
    subtype earns most, a supertype some, a sibling little; a conflicting organ, stage, grade, side or polarity
    halves the score. Hedging costs precision.

    Args:
        judge: ask an LLM instead. An answer word for word equal to the reference's, and a missing one, are decided
            without it. A judge that cannot be reached gives ``None``.

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

    judge: Judge | None = None

    name: ClassVar[str] = "semantic"

    @property
    def waits(self) -> int:
        return self.judge.concurrency if self.judge else 0

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        if self.judge is not None:
            return self._judged(self.judge, reading, target)
        result = compare_answers(reading, target, engine)
        return RewardBreakdown(result.score, {self.name: result.score}, reasons=result.reasons)

    def _judged(self, judge: Judge, reading: Reading, target: Target) -> RewardBreakdown:
        wanted = target.reference.answer_text
        score: float | None
        if not wanted:
            score, reason = None, "no_answer: the reference has no answer text for the judge"
        elif not reading.answer_text:
            score, reason = 0.0, "semantic: no answer"
        elif reading.answer_text.split() == wanted.split():
            score, reason = 1.0, ""
        else:
            try:
                judgement = judge.grade(reading.answer_text, wanted)
                score, reason = judgement.score, f"semantic: {judgement.reason}" if judgement.reason else ""
            except EndpointError as error:
                if self.strict:
                    raise
                score, reason = None, f"judge: {error.message}"
        return RewardBreakdown(score, {self.name: score}, reasons=(reason,) if reason else ())
