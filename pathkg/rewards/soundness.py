"""Is what an answer rests on true? The false statements of a completion, as its reference knows them.

The overlap of statements sees a denied finding as one of thirty that does not match: it costs a hundredth. To a reader it
makes the rest worth less. So false statements scale the credit of the answer, wherever they stand:

* a *contradiction* states a node with the polarity opposite to the reference's, or a stage, grade, side, size, count or
  percentage in the place of the reference's, or takes back what was said;
* an *invention* states a finding as present that the reference neither holds nor implies (nothing above or below it), or a size,
  percentage, count or rate beside the true one (any, where the reference knows the report's numbers), or a bound that no
  known size keeps.

What is left out is no false statement, and costs nothing here. Nor does what the two answers themselves dispute: it has
been charged by :mod:`pathkg.rewards.equivalence`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from pathkg.rewards.reading import RETRACTED, Engine, Reading, Target
from pathkg.trajectory.values import EXCLUSIVE, Value, compatible


@dataclass(frozen=True, slots=True)
class Faults:
    """False statements: ``contradictions`` and ``inventions``, in words."""

    contradictions: tuple[str, ...] = ()
    inventions: tuple[str, ...] = ()

    def factor(self, contradiction: float, invention: float) -> float:
        """What is left of a credit when each fault takes its share.

        Example:
            >>> Faults(("pT=3",), ("MONDO:1+",)).factor(0.5, 0.2)
            0.4
        """
        return float((1 - contradiction) ** len(self.contradictions) * (1 - invention) ** len(self.inventions))


NO_FAULTS = Faults()
MEASURED_KINDS = frozenset({"size", "percent", "ratio", "mitoses"})
"""Kinds of values that a case has several of: one beside the true one is no contradiction, but it is invented."""

_value = lru_cache(maxsize=8192)(Value.from_text)


def faults_of(reading: Reading, target: Target, engine: Engine) -> Faults:
    """The false statements of a completion."""
    gold = target.whole | target.answer
    more = reading.whole - gold
    taken_back = reading.violations[RETRACTED] - target.allowed.get(RETRACTED, 0)
    values = _contradicting(reading.values - _charged(reading, target) - frozenset(target.reference.known or ()), target.values) \
        if reading.values - target.values else ()
    if taken_back > 0:
        values = (*values, *[RETRACTED] * taken_back)
    numbers = _invented(reading.values - frozenset(values), target) if reading.values else ()
    if not more:
        return Faults(values, numbers) if values or numbers else NO_FAULTS
    findings = engine.finding_types
    above = engine.similarity.above
    stated = {node for node, polarity in gold if polarity == "+"}
    implied: set[int] | None = None
    contradictions: list[str] = []
    inventions: list[str] = list(numbers)
    for key in sorted(more):
        node, polarity = key
        opposite = (node, "-" if polarity == "+" else "+")
        if opposite in gold:
            if not (key in reading.answer and opposite in target.answer and opposite not in reading.answer):
                contradictions.append(engine.name(key))
        elif polarity == "+" and engine.types[node] in findings:
            if implied is None:
                implied = set().union(*map(above, stated))
            if node not in implied and stated.isdisjoint(above(node)):
                inventions.append(engine.name(key))
    return Faults((*contradictions, *values), tuple(inventions))


def _charged(reading: Reading, target: Target) -> frozenset[str]:
    """Values whose conflict is one between the two answers, and costs there."""
    kinds = {v.split("=", 1)[0] for v in target.answer_values} & {*EXCLUSIVE, "side"}
    return frozenset(v for v in reading.answer_values if v.split("=", 1)[0] in kinds)


def _invented(said: frozenset[str], target: Target) -> tuple[str, ...]:
    """Measured values that are none of the gold's or the report's, and bounds that none of those keeps."""
    known = target.reference.known
    true = target.values if known is None else target.values.union(known)
    kinds = {v.split("=", 1)[0] for v in true}
    found = []
    for text in sorted(said - true):
        kind, _, value = text.partition("=")
        if kind in MEASURED_KINDS:
            if known is not None or kind in kinds:
                found.append(text)
        elif kind == "bound":
            of = "percent=" if value.endswith("%") else "size="
            lengths = [float(v[len(of):]) for v in true if v.startswith(of)]
            limit = float(value.strip("<>=%"))
            equal = "=" in value
            if lengths and not any((length > limit if value[0] == ">" else length < limit) or (equal and length == limit) for length in lengths):
                found.append(text)
    return tuple(found)


def _contradicting(said: frozenset[str], gold: frozenset[str]) -> tuple[str, ...]:
    """Values said in the place of the gold's: as many of a kind as the gold has that were not said."""
    left = Counter(v.split("=", 1)[0] for v in gold - said)
    if not left:
        return ()
    known = [_value(v) for v in gold]
    sides = {v.value for v in known if v.kind == "side"}
    found = []
    for text in sorted(said - gold):
        value = _value(text)
        if value.kind == "side":
            wrong = bool(sides) and value.value not in sides and "both" not in sides
        elif value.kind in EXCLUSIVE:
            wrong = not any(k.kind == value.kind and compatible(value, k) for k in known)
        else:
            wrong = True
        if wrong and left[value.kind]:
            left[value.kind] -= 1
            found.append(text)
    return tuple(found)
