"""Trajectory masking: how one reasoning trajectory becomes several training texts.

(a) Prefix variants: for m = 1 … L the first m - 1 steps are given and the model writes steps m … L and the answer,
so a trajectory of L steps makes L samples. (b) Entity masking: the graph entities of a share of the given steps
become ``[MASK]``; the words between them, which state the relations, stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pathkg.trajectory import Trajectory
from pathkg.trajectory.dialects import get_dialect

if TYPE_CHECKING:
    from numpy.random import Generator

MASK = "[MASK]"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where an entity stands in a step: string offsets, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MaskedText:
    """One training text: ``given`` is read by the model, ``target`` is written by it.

    Without entity masks ``given + target`` is the whole trajectory as it is rendered.

    Attributes:
        given: the opening of the trajectory, ``""`` for the first variant.
        target: the rest.
        first_step: m, the first step the model writes (from 1).
        masked_steps: numbers of the given steps whose entities are masked.
    """

    given: str
    target: str
    first_step: int
    masked_steps: tuple[int, ...] = ()


def mask_entities(step: str, spans: Sequence[Span], mask: str = MASK) -> str:
    """``step`` with every span replaced by ``mask``. Overlapping spans are one mask.

    Example:
        >>> mask_entities("Keratin pearls support squamous cell carcinoma.", [Span(0, 14), Span(23, 46)])
        '[MASK] support [MASK].'
        >>> mask_entities("Small cell carcinoma.", [Span(0, 20), Span(6, 20)])
        '[MASK].'
    """
    parts, position = [], 0
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        elif span.end > span.start:
            merged.append(span)
    for span in merged:
        parts += [step[position:span.start], mask]
        position = span.end
    return "".join([*parts, step[position:]])


def split_at(trajectory: Trajectory, first_step: int, steps: Sequence[str] | None = None) -> tuple[str, str]:
    """The rendered trajectory cut before step ``first_step``: what is given, and what is to be written.

    Args:
        trajectory: the whole trajectory.
        first_step: from 1; 1 gives nothing and leaves everything to be written.
        steps: other texts for the given steps (masked ones).

    Example:
        >>> t = Trajectory("a", ("b", "c"), "d")
        >>> split_at(t, 2)
        ('<observe>\\na\\n</observe>\\n\\n<think>\\n1. b\\n', '2. c\\n</think>\\n\\n<answer>\\nd\\n</answer>')
    """
    if first_step == 1:
        return "", trajectory.render()
    shown = tuple(steps) if steps is not None else trajectory.steps
    whole = trajectory.replace(steps=shown).render()
    # the rest is the same text whether or not the given steps are masked: count it from the end
    head = trajectory.replace(steps=trajectory.steps[:first_step - 1]).render()
    tags = get_dialect(trajectory.dialect).tags
    closing = f"\n</{tags[1]}>"
    rest = len(trajectory.render()) - (head.rindex(closing) + 1)
    return whole[:-rest], whole[-rest:]


def prefix_variants(trajectory: Trajectory, *, entities: Sequence[Sequence[Span]] | None = None,
                    mask_share: float = 0.0, rng: Generator | None = None, mask: str = MASK) -> list[MaskedText]:
    """All prefix variants of a trajectory, m = 1 … L.

    Args:
        trajectory: L steps.
        entities: for each step the spans of its graph entities; needed when ``mask_share`` is above 0.
        mask_share: of the given steps of a variant, the share whose entities are masked (rounded to the nearest
            whole number of steps, drawn by ``rng``).
        rng: draws the masked steps; needed when ``mask_share`` is above 0.
        mask: what stands for an entity.

    Returns:
        L texts, in order of m.

    Raises:
        ValueError: ``mask_share`` is outside 0 … 1, or spans or rng are missing for it.

    Example:
        >>> [v.first_step for v in prefix_variants(Trajectory("a", ("b", "c", "d"), "e"))]
        [1, 2, 3]
    """
    if not 0.0 <= mask_share <= 1.0:
        raise ValueError(f"mask_share {mask_share} is outside 0 … 1")
    if mask_share and (entities is None or rng is None):
        raise ValueError("mask_share needs entities and rng")
    if entities is not None and len(entities) != len(trajectory.steps):
        raise ValueError(f"{len(entities)} lists of spans for {len(trajectory.steps)} steps")
    variants = []
    for first in range(1, len(trajectory.steps) + 1):
        steps = list(trajectory.steps)
        chosen: tuple[int, ...] = ()
        if mask_share and first > 1:
            assert entities is not None
            assert rng is not None
            count = int(mask_share * (first - 1) + 0.5)
            chosen = tuple(sorted(int(i) + 1 for i in rng.choice(first - 1, size=count, replace=False)))
            for number in chosen:
                steps[number - 1] = mask_entities(steps[number - 1], entities[number - 1], mask)
        given, target = split_at(trajectory, first, steps)
        variants.append(MaskedText(given, target, first, chosen))
    return variants
