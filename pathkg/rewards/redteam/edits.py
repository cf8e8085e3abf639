"""Single edits of a trajectory, each checked by the linker to do what it says: for demonstrations and studies."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from pathkg.records import Mention
from pathkg.trajectory import Trajectory

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking import Linker

EDITABLE = frozenset({"morphology", "marker_result", "disease", "effect/phenotype"})
STUFFED = 30
"""How many unrelated entities stuffing adds."""

_DENIALS: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(p, re.IGNORECASE), r) for p, r in (
    (r"\bno (?:evidence|sign|indication)s? of ", ""), (r"\bwithout ", "with "), (r"\b(?:no|nor|neither) ", ""),
    (r"\bfree of ", "showing "), (r"\bnegative for ", "positive for "), (r"\bnegative\b", "positive"),
    (r"\bnot (identified|seen|found|present|observed|detected|noted|evident|apparent)\b", r"\1"),
    (r"\b(?:absent|missing|lacking)\b", "present"), (r"\blacks?\b", "shows"), (r"\bloss of ", "retained ")))

_AFFIRMATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(p, re.IGNORECASE), r) for p, r in (
    (r"\bpositive\b", "negative"), (r"\b(?:is|are) (?:seen|present|identified|found|noted|evident)\b", "is absent")))


_PLAIN = re.compile(r"(?!.*\b(?:negative|absent|no|normal)\b)[A-Za-z][A-Za-z0-9 -]{3,40}")
"""Names that read well in the place of another finding."""


def flip_negation(trajectory: Trajectory, *, linker: Linker) -> str:
    """The text with one finding turned round: an absent one claimed present, or, where nothing is absent, a present
    one denied. Every statement about that finding is turned, so that the text does not contradict itself.

    Raises:
        ValueError: the trajectory states no finding that can be turned.
    """
    for polarity, rules in (("-", _DENIALS), ("+", _AFFIRMATIONS)):
        for target in _findings(trajectory, linker):
            if target.polarity != polarity:
                continue
            edited = _each_block(trajectory, lambda text, t=target, r=rules: _turn(text, t, r, linker))  # type: ignore[misc]
            if edited is not None:
                return edited
    raise ValueError("the trajectory states no finding that could be turned round")


def replace_entity(trajectory: Trajectory, *, graph: KnowledgeGraph, linker: Linker, seed: int = 0) -> str:
    """The text with one finding exchanged, everywhere, for another of its type that it does not hold.

    Raises:
        ValueError: the trajectory states no finding.
    """
    rng = Random(seed)
    stated = {m.id for m in _findings(trajectory, linker)}
    for target in _findings(trajectory, linker):
        names = [n for n in _names(graph, target.type) if _PLAIN.fullmatch(n) and n.lower() not in trajectory.render().lower()]
        for new in rng.sample(names, min(20, len(names))):
            found = {m.id for m in linker.link(f"There is {new}.").with_results()}
            if len(found) != 1 or found & stated:
                continue
            swap = re.compile(re.escape(target.text), re.IGNORECASE)
            return trajectory.replace(observe=swap.sub(new, trajectory.observe),
                                      steps=tuple(swap.sub(new, s) for s in trajectory.steps),
                                      answer=swap.sub(new, trajectory.answer)).render()
    raise ValueError("the trajectory states no finding that could be exchanged")


def stuff_entities(trajectory: Trajectory, *, graph: KnowledgeGraph, seed: int = 0) -> str:
    """The text with thirty unrelated findings listed in its answer."""
    rng = Random(seed)
    names = _names(graph, "morphology") + _names(graph, "marker_result")
    listed = ", ".join(rng.sample(names, min(STUFFED, len(names))))
    return trajectory.replace(answer=f"{trajectory.answer} Also: {listed}.").render()


def _findings(trajectory: Trajectory, linker: Linker) -> list[Mention]:
    found = [m for m in linker.link(trajectory.observe).with_results() if m.type in EDITABLE and m.polarity is not None]
    return list({m.id: m for m in reversed(found)}.values())[::-1]


def _names(graph: KnowledgeGraph, type_: str) -> list[str]:
    code = graph.node_types.index(type_)
    return [graph.name(int(i)) for i in (graph.arrays.node_type == code).nonzero()[0]]


def _each_block(trajectory: Trajectory, edit: Callable[[str], str | None]) -> str | None:
    blocks = [trajectory.observe, *trajectory.steps, trajectory.answer]
    edited = [edit(block) for block in blocks]
    if edited[0] is None:
        return None
    new = [b if e is None else e for b, e in zip(blocks, edited, strict=True)]
    return trajectory.replace(observe=new[0], steps=tuple(new[1:-1]), answer=new[-1]).render()


def _turn(text: str, target: Mention, rules: tuple[tuple[re.Pattern[str], str], ...], linker: Linker) -> str | None:
    """``text`` with the first denial (or affirmation) near ``target`` turned, or ``None`` if that changes nothing."""
    for sentence in re.split(r"(?<=[.;])\s+", text):
        if not any(m.id == target.id and m.polarity == target.polarity for m in linker.link(sentence).with_results()):
            continue
        for pattern, replacement in rules:
            for match in pattern.finditer(sentence):
                new = sentence[:match.start()] + match.expand(replacement) + sentence[match.end():]
                if not any(m.id == target.id and m.polarity == target.polarity for m in linker.link(new).with_results()):
                    return text.replace(sentence, new[:1].upper() + new[1:], 1)
    return None
