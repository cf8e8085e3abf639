"""The cases the red team attacks: gold trajectories written for this package, and honest texts made from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pathkg.rewards.builder import build_reference
from pathkg.rewards.reference import Reference
from pathkg.trajectory import Trajectory, verify

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph


@dataclass(frozen=True, slots=True)
class GoldCase:
    """A report, written for this package in the style of real ones, and a verified trajectory about it."""

    id: str
    organ: str
    report: str
    gold: Trajectory


@dataclass(frozen=True, slots=True)
class HonestCase:
    """What an attack starts from: an honest text and the reference it is scored against.

    ``kind`` is ``gold`` (the gold itself, which earns the maximum), ``odd`` or ``even`` (the gold with every other
    sentence of its findings and every other step left out: the cases in which an attack has something to gain).
    """

    id: str
    kind: str
    case: GoldCase
    honest: Trajectory
    reference: Reference


@lru_cache(maxsize=1)
def gold_cases() -> tuple[GoldCase, ...]:
    """The bundled gold cases, 27 of 19 organs and sites."""
    text = files("pathkg.rewards.redteam").joinpath("gold.json").read_text(encoding="utf-8")
    return tuple(GoldCase(r["id"], r["organ"], r["report"], Trajectory(r["observe"], tuple(r["steps"]), r["answer"]))
                 for r in json.loads(text))


def honest_cases(graph: KnowledgeGraph) -> tuple[HonestCase, ...]:
    """Three honest texts per gold case."""
    made: list[HonestCase] = []
    for case in gold_cases():
        reference = build_reference(case.gold, graph=graph,
                                    certificate=verify(case.gold, report=case.report, graph=graph), report=case.report)
        made.append(HonestCase(f"{case.id}/gold", "gold", case, case.gold, reference))
        made.append(HonestCase(f"{case.id}/odd", "odd", case, _half(case.gold, 0), reference))
        made.append(HonestCase(f"{case.id}/even", "even", case, _half(case.gold, 1), reference))
    return tuple(made)


def _half(gold: Trajectory, first: int) -> Trajectory:
    sentences = sentences_of(gold.observe)
    return gold.replace(observe=" ".join(sentences[first::2]), steps=gold.steps[first::2])


def sentences_of(text: str) -> Sequence[str]:
    """The sentences of a text, ends included.

    Example:
        >>> sentences_of("No necrosis. Size 3.5 cm.")
        ['No necrosis.', 'Size 3.5 cm.']
    """
    parts = text.replace(". ", ".\x1f").split("\x1f")
    return [p for p in parts if p.strip()]
