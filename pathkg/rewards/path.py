"""``PathReward``: does the reasoning hold?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pathkg.errors import InputError
from pathkg.records import Polarity
from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.reading import Engine, Reading, Target
from pathkg.trajectory import Trajectory, split_steps
from pathkg.trajectory.blocks import is_blank
from pathkg.trajectory.certificate import Evidence
from pathkg.trajectory.checking import check_trajectory
from pathkg.trajectory.statements import Count
from pathkg.trajectory.values import Value


class ReferenceEvidence:
    """The reference in the place of a linked report: what the gold states counts as stated."""

    def __init__(self, target: Target) -> None:
        self._stated = {(s.id, s.polarity) for s in target.reference.entities}
        self._named = {s.id for s in target.reference.entities}
        self._claims = {(a, b) for a, b, stance in target.reference.claims if stance != "opposes"}
        self.measures: frozenset[Value] | None = None
        self.counts: frozenset[Count] | None = None
        self.margins: frozenset[str] = frozenset()
        self.lesser: frozenset[Value] = frozenset()
        self.tumor_sizes: tuple[float, ...] = ()
        self.values = frozenset(map(Value.from_text, target.reference.values))

    def spans(self, nodes: Iterable[str], polarity: Polarity, *, limit: int = 3) -> tuple[Evidence, ...]:
        return tuple(Evidence("report", f"{node}{polarity}") for node in nodes
                     if (node, polarity) in self._stated)[:limit]

    def stated_among(self, nodes: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(sorted({i for i, polarity in self._stated if polarity == "+" and i in nodes}, key=nodes.__getitem__))

    def named(self, nodes: Collection[str]) -> Evidence | None:
        found = sorted(self._named & set(nodes))
        return Evidence("report", found[0]) if found else None

    def value(self, value: Value) -> Evidence | None:
        return Evidence("report", str(value)) if value in self.values else None

    def sides_with(self, nodes: Collection[str]) -> frozenset[Value]:
        return frozenset()  # a reference does not know what stands in one sentence

    def together(self, first: Iterable[str], second: Iterable[str]) -> Evidence | None:
        targets = set(second)
        for node in first:
            for source, target in sorted(self._claims):
                if source == node and target in targets:
                    return Evidence("report", f"{source} {target}")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReward(Reward):
    """Share of the reasoning steps that report or graph supports; contradictions cost what support earns.

    ``max(0, supported − contradicted) / max(checked, 1)`` over the steps of the completion that state something.
    The certificate rules of :func:`pathkg.trajectory.verify` decide; what the reference states, and the claims its
    certificate supports, stand for the report. A completion without the blocks, or whose steps state nothing
    while the gold's do, earns 0.

    Example:
        >>> from pathkg.rewards import Reference
        >>> r = PathReward()
        >>> ref = Reference.of(["PATHKG:keratin-pearl+", "MONDO:0005096+"])
        >>> text = "<observe>Keratin pearls.</observe><think>1. Keratin pearls {} squamous cell carcinoma.</think>"
        >>> text += "<answer>Squamous cell carcinoma.</answer>"
        >>> r(text.format("support"), ref), r(text.format("argue against"), ref)
        (1.0, 0.0)
    """

    name: ClassVar[str] = "path"

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        if any(is_blank(block) for block in reading.blocks.texts):
            return RewardBreakdown(0.0, {self.name: 0.0}, reasons=("path: a block is missing or empty",))
        preamble, steps = split_steps(reading.blocks.think.strip("\n"))
        try:
            trajectory = Trajectory(reading.blocks.observe, steps, reading.blocks.answer, preamble=preamble)
        except InputError as error:
            return RewardBreakdown(0.0, {self.name: 0.0}, reasons=(f"path: {error.message}",))
        parts = check_trajectory(trajectory, ReferenceEvidence(target), engine.graph, engine.linker)
        checked = [p for p in parts if p.is_reasoning and p.checked]
        supported = sum(p.verdict == "supported" for p in checked)
        contradicted = [p.name for p in checked if p.verdict == "contradicted"]
        value = max(0, supported - len(contradicted)) / max(len(checked), 1)
        reasons = tuple(f"path: {p.name} {p.verdict}" for p in checked if p.verdict != "supported")
        return RewardBreakdown(value, {self.name: value}, reasons=reasons or (() if checked else
                               ("path: no step states anything",)))
