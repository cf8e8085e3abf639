"""Are two answers the same? Offline, from the graph: synonyms, generality, organ, stage, grade, side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pathkg.rewards.reading import Engine, Key, Reading, Target
from pathkg.rewards.similarity import assign
from pathkg.trajectory.values import Value, conflicts

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

WEIGHTS = {"disease": 3.0}
"""A diagnosis weighs three times what any other statement of an answer weighs (grade, stage, organ, marker)."""

MORE_SPECIAL = 0.9
"""Credit for a subtype of the reference's diagnosis: right, but it claims more than is known."""

MORE_GENERAL = 0.6
"""Largest credit for a supertype ("carcinoma" for squamous cell carcinoma); scaled by similarity."""

ELSEWHERE = 0.25
"""Weight of an answer's statement that the reference makes outside its answer: true, but not what was asked."""

CONFLICT = 0.5
"""Every conflict (diagnosis, organ, stage, grade, side, polarity) halves the score."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LEAD = re.compile(r"^(?:final\s+)?(?:diagnosis|answer)\s*(?:is)?\s*[:\-]?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Equivalence:
    """How equal two answers are: ``score`` in [0, 1] (``None``: nothing to compare), and why."""

    score: float | None
    reasons: tuple[str, ...] = ()


def plain(answer: str) -> str:
    """An answer reduced to its words, for closed questions ("B", "yes", "negative").

    Example:
        >>> plain("Final diagnosis: B.")
        'b'
    """
    return _NOT_WORD.sub(" ", _LEAD.sub("", answer).lower()).strip()


def compare_answers(reading: Reading, target: Target, engine: Engine) -> Equivalence:
    """Compare the answer block of a completion with the reference's answer.

    The score is the harmonic mean of weighted recall and precision over the answers' statements and values, halved
    for every conflict. An answer without any statement the linker knows is compared word by word.
    """
    gold, said = target.answer, reading.answer
    gold_values, said_values = target.answer_values, reading.answer_values
    if not gold and not gold_values:
        return _closed(reading, target)
    if not reading.answer_text:
        return Equivalence(0.0, ("semantic: no answer",))
    credit, reasons = _credits(said, gold, engine)
    weight = _weights_of(engine.graph)
    gold_weight = sum(map(weight, gold)) + len(gold_values)
    hit = sum(weight(g) * c for (_, g), c in credit.items())
    recall = (hit + len(gold_values & said_values)) / gold_weight
    said_hit, said_weight = 0.0, 0.0
    paired = {s: c for (s, _), c in credit.items()}
    for key in said:
        own = weight(key)
        if key in paired:
            said_hit += own * paired[key]
        elif key in target.whole:
            own *= ELSEWHERE
        said_weight += own
    for value in said_values:
        shared = value in gold_values
        said_hit += shared
        said_weight += 1.0 if shared or value not in target.values else ELSEWHERE
    precision = said_hit / said_weight if said_weight else 0.0
    score = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    clashes = _clashes(reading, target, engine)
    score *= CONFLICT ** len(clashes)
    return Equivalence(min(1.0, score), tuple(reasons + [f"semantic: {c}" for c in clashes]))


class _Weights:
    def __init__(self, graph: KnowledgeGraph) -> None:
        of = [WEIGHTS.get(t, 1.0) for t in graph.node_types]
        self._of: list[float] = [of[t] for t in graph.arrays.node_type.tolist()]

    def __call__(self, key: Key) -> float:
        return self._of[key[0]]


@lru_cache(maxsize=16)
def _weights_of(graph: KnowledgeGraph) -> _Weights:
    return _Weights(graph)


def _credits(said: frozenset[Key], gold: frozenset[Key], engine: Engine
             ) -> tuple[dict[tuple[Key, Key], float], list[str]]:
    """(said, gold) -> credit, one-to-one, exact ones first."""
    doubled = {k for k in said if (k[0], "-" if k[1] == "+" else "+") in said
               and not ((k[0], "+") in gold and (k[0], "-") in gold)}
    exact = (said & gold) - doubled
    credit = {(key, key): 1.0 for key in exact}
    left, right = sorted(said - exact - doubled), sorted(gold - exact)
    pairs: list[tuple[float, int, int]] = []
    for j, (gold_node, polarity) in enumerate(right):
        above_gold = engine.similarity.above(gold_node)
        near = engine.similarity.near(gold_node)
        for i, (node, said_polarity) in enumerate(left):
            if said_polarity != polarity:
                continue
            if gold_node in engine.similarity.above(node):
                pairs.append((MORE_SPECIAL * max(near.get(node, 0.5), 0.5), i, j))
            elif node in above_gold:
                pairs.append((MORE_GENERAL * near.get(node, 0.3), i, j))
            elif node in near:
                pairs.append((0.5 * near[node], i, j))
    reasons = []
    for similarity, i, j in assign(pairs):
        credit[(left[i], right[j])] = similarity
        reasons.append(f"semantic: {engine.name(left[i])} for {engine.name(right[j])} ({similarity:.2f})")
    if doubled:
        reasons.append(f"semantic: says both {engine.name(min(doubled))} and its opposite")
    return credit, reasons


def _clashes(reading: Reading, target: Target, engine: Engine) -> list[str]:
    said = [Value.from_text(v) for v in reading.answer_values]
    gold = [Value.from_text(v) for v in target.answer_values]
    found = [f"{a} against {b}" for a, b in conflicts(said, gold)]
    sides_said = {v.value for v in said if v.kind == "side"}
    sides_gold = {v.value for v in gold if v.kind == "side"}
    if sides_said and sides_gold and not sides_said & sides_gold and not any(" side=" in f" {c}" for c in found):
        found.append(f"side {min(sides_said)} against {min(sides_gold)}")
    for node, polarity in sorted(target.answer):
        opposite = (node, "-" if polarity == "+" else "+")
        if opposite in reading.answer and (node, polarity) not in reading.answer:
            found.append(f"{engine.name(opposite)} against {engine.name((node, polarity))}")
    clashes = (_organs_clash(reading.answer, target.answer, engine),
               _diagnoses_clash(reading.answer, target.answer, engine))
    return [*found, *(c for c in clashes if c)]


def _diagnoses_clash(said: frozenset[Key], gold: frozenset[Key], engine: Engine) -> str:
    """Whether the answer's diagnoses are all others than the reference's: neither it, nor a kind of it, nor its kind."""
    here, there = _diagnoses(said, engine), _diagnoses(gold, engine)
    above = engine.similarity.above
    if not here or not there or any(a == b or a in above(b) or b in above(a) for a in here for b in there):
        return ""
    graph = engine.graph
    return f"diagnosis {graph.name(min(here))} against {graph.name(min(there))}"


def _diagnoses(keys: frozenset[Key], engine: Engine) -> set[int]:
    types, disease = engine.types, engine.type_code("disease")
    return {node for node, polarity in keys if polarity == "+" and types[node] == disease}


def _organs_clash(said: frozenset[Key], gold: frozenset[Key], engine: Engine) -> str:
    """Whether the answers put the disease in organs that neither contain each other nor share a part."""
    here, there = _organs(said - gold, engine), _organs(gold - said, engine)
    if not here or not there:
        return ""
    within_here = set().union(*(engine.regions_of(o) for o in here))
    within_there = set().union(*(engine.regions_of(o) for o in there))
    if here & within_there or there & within_here:
        return ""
    graph = engine.graph
    return f"organ {graph.name(min(here))} against {graph.name(min(there))}"


def _organs(keys: frozenset[Key], engine: Engine) -> set[int]:
    types, anatomy, disease = engine.types, engine.type_code("anatomy"), engine.type_code("disease")
    organs: set[int] = set()
    for node, polarity in keys:
        if polarity == "+":
            kind = types[node]
            if kind == anatomy:
                organs.add(node)
            elif kind == disease:
                organs |= engine.organs_of(node)
    return organs


def _closed(reading: Reading, target: Target) -> Equivalence:
    wanted = plain(target.reference.answer_text)
    if not wanted:
        return Equivalence(None, ("no_answer: the reference has no answer to compare with",))
    given = plain(reading.answer_text)
    return Equivalence(1.0) if given == wanted else Equivalence(0.0, (f"semantic: {given[:40]!r} is not {wanted[:40]!r}",))
