"""What a trajectory will say before its words are chosen: clauses, each of which can be said in many ways."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from datagen.writers import phrases as say
from pathkg.trajectory import Trajectory

Wording = Callable[[random.Random], str]

REDRAWS = 4
"""Wordings tried for a sentence that would begin like an earlier one."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the trajectory that can be worded in several ways. ``ids`` are the nodes it is about;
    ``fallback`` is a plainer wording for when the first one does not verify."""

    kind: str
    wording: Wording
    ids: frozenset[str] = frozenset()
    required: bool = False
    fallback: Wording | None = None

    def say(self, rng: random.Random, attempt: int) -> str:
        """The words of one attempt."""
        return self.fallback(rng) if attempt and self.fallback is not None else self.wording(rng)


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything a trajectory will say, before the words are chosen. ``conclude`` words the answer from the nodes that
    the steps told; ``optional`` are (name, node) of what the answer can do without; ``concludes`` that a diagnosis is asked
    for, which needs a reason."""

    observe: tuple[Clause, ...]
    steps: tuple[Clause, ...]
    conclude: Callable[[frozenset[str]], Clause]
    optional: tuple[tuple[str, str], ...] = ()
    unsaid: frozenset[str] = frozenset()
    concludes: bool = False

    @property
    def told(self) -> frozenset[str]:
        """The nodes that the steps are about."""
        return frozenset(i for s in self.steps for i in s.ids)

    @property
    def answer(self) -> Clause:
        """The answer, which says nothing that no step has told."""
        return self.conclude(self.told - self.unsaid)

    def shorten_answer(self, names: Collection[str]) -> Outline | None:
        """The outline whose answer leaves out the optional parts of these names; ``None`` when none of them is in it."""
        dropped = {node for name, node in self.optional if name in names} - self.unsaid
        return replace(self, unsaid=self.unsaid | dropped) if dropped else None

    def render(self, *, seed: str, dialect: str = "observe", attempt: Sequence[int] = ()) -> tuple[Trajectory, list[Clause]]:
        """The trajectory in words.

        Args:
            seed: the wording depends on it and on nothing else.
            dialect: tags of the blocks.
            attempt: per clause (observe clauses, steps, answer) which wording to take; missing ones are 0.

        Returns:
            The trajectory and its clauses in the order of their words.
        """
        clauses = [*self.observe, *self.steps, self.answer]
        tries = [*attempt, *([0] * (len(clauses) - len(attempt)))]
        words: list[str] = []
        openings: set[str] = set()
        for i, (clause, n) in enumerate(zip(clauses, tries, strict=True)):
            for again in range(REDRAWS):
                said = say.sentence(clause.say(random.Random(f"{seed}/{i}/{n}" + (f"/{again}" if again else "")), n))
                opening = " ".join(said.split(" ", 2)[:2])
                if opening not in openings:
                    break
            openings.add(opening)
            words.append(said)
        n = len(self.observe)
        return Trajectory(" ".join(words[:n]), tuple(words[n:-1]), words[-1], dialect), clauses


def without(outline: Outline, dropped: set[int]) -> Outline:
    """The outline without the clauses of these numbers (observe clauses first, then steps)."""
    n = len(outline.observe)
    return replace(outline, observe=tuple(c for i, c in enumerate(outline.observe) if i not in dropped),
                   steps=tuple(c for i, c in enumerate(outline.steps, n) if i not in dropped))
