"""Verify, reword what failed, drop what cannot be said: until the whole trajectory is supported or nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datagen.writers.outline import Clause, Outline, without
from pathkg.errors import InputError
from pathkg.trajectory import Trajectory

if TYPE_CHECKING:
    from pathkg.trajectory import Certificate

ROUNDS = 6
VALUED = ("size", "nodes", "margin", "grade")
"""Kinds of clauses whose values may clash with the report's without an entity to blame."""
EVIDENTIAL = frozenset({"support", "against", "site"})
"""Kinds of clauses that give a reason for a diagnosis; a list of statements that ends in one teaches no reasoning."""
WORDINGS_PER_CLAUSE = 2
"""A clause that fails in two wordings is dropped: the trouble is then what it says, not how."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A trajectory all of whose parts are supported."""

    trajectory: Trajectory
    certificate: Certificate
    clauses: tuple[Clause, ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why no supported trajectory came out."""

    reason: str
    detail: str


def write_verified(outline: Outline, verify: Callable[[Trajectory], Certificate], *, seed: str,
                   dialect: str = "observe", min_steps: int = 2) -> Verified | Failed:
    """Render ``outline`` until ``verify`` finds every part supported.

    Args:
        outline: what to say.
        verify: trajectory -> certificate.
        seed: of the wording.
        dialect: tags of the blocks.
        min_steps: fewer reasoning steps are not worth a sample.
    """
    tries: dict[int, int] = {}
    keys = list(range(len(outline.observe) + len(outline.steps) + 1))
    for round_number in range(ROUNDS):
        if not outline.observe:
            return Failed("nothing_to_observe", "no finding could be stated without giving the answer away")
        if len(outline.steps) < min_steps:
            return Failed("too_few_steps", f"{len(outline.steps)} verified steps are left, {min_steps} are needed")
        if not outline.answer.ids <= outline.told:
            return Failed("answer_not_reasoned", "no verified step leads to the answer")
        try:
            trajectory, clauses = outline.render(seed=seed, dialect=dialect, attempt=[tries.get(k, 0) for k in keys])
        except InputError as error:
            return Failed("unwritable", error.message)
        certificate = verify(trajectory)
        if certificate.verdict == "supported":
            if outline.concludes and not any(c.kind in EVIDENTIAL for c in outline.steps):
                return Failed("no_evidence_step", "no step says why: all that is left repeats the report")
            return Verified(trajectory, certificate, tuple(clauses), round_number)
        failing = _failing(certificate, outline, trajectory)
        if not failing:
            return Failed("verification", f"verdict {certificate.verdict} with no part to blame")
        dropped: set[int] = set()
        for position in failing:
            key = keys[position]
            tries[key] = tries.get(key, 0) + 1
            if position < len(clauses) - 1 and tries[key] >= WORDINGS_PER_CLAUSE:
                dropped.add(position)
        if keys[-1] in tries:
            bad = [e.name for e in certificate.parts[-1].entities if e.verdict != "supported"]
            outline = outline.shorten_answer(bad) or outline
        if tries.get(keys[-1], 0) > 2 * WORDINGS_PER_CLAUSE:
            return Failed("answer_unsupported", _why(certificate.parts[-1]))
        outline = without(outline, dropped)
        keys = [k for i, k in enumerate(keys) if i not in dropped]
    return Failed("verification", f"not supported after {ROUNDS} rounds")


def _failing(certificate: Certificate, outline: Outline, trajectory: Trajectory) -> list[int]:
    """Numbers of the clauses to blame: in ``<observe>`` the sentences around a bad entity, else the whole step."""
    n = len(outline.observe)
    failing: list[int] = []
    for number, part in enumerate(certificate.parts):
        if not part.checked or part.verdict == "supported":
            continue
        if number == 0:
            bad_ids = {e.id for e in part.entities if e.verdict != "supported"}
            bad = [i for i, c in enumerate(outline.observe) if bad_ids & c.ids]
            if part.conflicts:
                bad += [i for i, c in enumerate(outline.observe) if c.kind in VALUED]
            failing += bad or list(range(n))
        else:
            failing.append(n + number - 1)
    return failing


def _why(part: object) -> str:
    entities = getattr(part, "entities", ())
    conflicts = getattr(part, "conflicts", ())
    bad = [f"{e.name}: {e.reason}" for e in entities if e.verdict != "supported"]
    return "; ".join([*bad, *conflicts])[:300]
