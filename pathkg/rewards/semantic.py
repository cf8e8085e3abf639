"""``SemanticReward``: is the answer right? Offline by the graph, or by a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathkg.errors import EndpointError, InputError
from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.equivalence import compare_answers
from pathkg.rewards.judge import Judge
from pathkg.rewards.reading import Engine, Reading, Target
from pathkg.rewards.soundness import NO_FAULTS, Faults, faults_of

CONTRADICTION = 0.5
"""Share of an answer's credit that each contradiction takes, as a conflict within the answer does."""

INVENTION = 0.3
"""Share of an answer's credit that each invented finding takes: it may be true, and the reference silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticReward(Reward):
    """Whether the answer block says what the reference's answer says, in [0, 1].

    The offline form links both answers and compares nodes, polarities and structured values: synonyms are equal, a
    subtype earns most, a supertype some, a sibling little; a conflicting organ, stage, grade, side or polarity
    halves the score. Hedging costs precision.

    An answer is worth what it rests on, so false statements anywhere in the completion scale its credit: each that
    contradicts the reference takes ``contradiction`` of it, each invented finding ``invention``
    (:mod:`pathkg.rewards.soundness`). The published formula looks at the answer alone: set both to 0.

    Args:
        contradiction: share of the credit that each contradiction takes.
        invention: share of the credit that each invented finding takes.
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
    contradiction: float = CONTRADICTION
    invention: float = INVENTION

    name: ClassVar[str] = "semantic"

    def __post_init__(self) -> None:
        for option in ("contradiction", "invention"):
            share = getattr(self, option)
            if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise InputError(f"{option} is {share!r}", hint="give a share from 0 (costs nothing) to 1 (costs all)")
        Reward.__post_init__(self)

    @property
    def waits(self) -> int:
        return self.judge.concurrency if self.judge else 0

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        if self.judge is not None:
            score, reasons = self._judged(self.judge, reading, target)
        else:
            result = compare_answers(reading, target, engine)
            score, reasons = result.score, result.reasons
        if score and (self.contradiction or self.invention):
            faults = faults_of(reading, target, engine)
            if faults is not NO_FAULTS:
                score *= faults.factor(self.contradiction, self.invention)
                reasons = (*reasons, *_said(faults))
        return RewardBreakdown(score, {self.name: score}, reasons=reasons)

    def _judged(self, judge: Judge, reading: Reading, target: Target) -> tuple[float | None, tuple[str, ...]]:
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
        return score, (reason,) if reason else ()


def _said(faults: Faults) -> tuple[str, ...]:
    return tuple(f"semantic: {len(found)} {what}: {', '.join(found[:3])}" for what, found in (
        ("contradicted by the reference", faults.contradictions), ("invented", faults.inventions)) if found)
