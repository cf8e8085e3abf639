"""What a trajectory is checked against: the protocol that a linked report, or a reward's reference, fulfils."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from pathkg.records import LinkResult, Polarity
from pathkg.trajectory.certificate import Evidence
from pathkg.trajectory.statements import Count
from pathkg.trajectory.values import Value


class StatedEvidence(Protocol):
    """What stands for the report: a linked report, or a reward's reference."""

    @property
    def values(self) -> frozenset[Value]: ...
    @property
    def measures(self) -> frozenset[Value] | None:
        """Every size and percentage stated; ``None`` where not all are known."""
    @property
    def counts(self) -> frozenset[Count] | None:
        """Every count of lymph nodes stated; ``None`` where not all are known."""
    @property
    def margins(self) -> frozenset[str]:
        """``free``, ``involved``, both or neither."""
    @property
    def lesser(self) -> frozenset[Value]:
        """Sizes stated only as the smaller side of something."""
    @property
    def tumor_sizes(self) -> tuple[float, ...]:
        """Sizes of the tumor in millimetres; empty where none is known."""
    def spans(self, nodes: Iterable[str], polarity: Polarity, *, limit: int = 3) -> tuple[Evidence, ...]: ...
    def together(self, first: Iterable[str], second: Iterable[str]) -> Evidence | None: ...
    def stated_among(self, nodes: Mapping[str, int]) -> tuple[str, ...]: ...
    def named(self, nodes: Collection[str]) -> Evidence | None: ...
    def value(self, value: Value) -> Evidence | None: ...
    def sides_with(self, nodes: Collection[str]) -> frozenset[Value]:
        """The sides that stand in the sentences stating one of ``nodes`` as present."""


class SupportsLinking(Protocol):
    """What verification needs of a linker."""

    def link(self, text: str) -> LinkResult: ...
