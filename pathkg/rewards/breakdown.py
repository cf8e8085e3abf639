"""``RewardBreakdown``: a score that says what it is made of."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_lock = threading.Lock()
_unscored: Counter[str] = Counter()


def count_unscored(reason: str) -> None:
    """Count something this process could not score, under the first word of its reason."""
    with _lock:
        _unscored[reason.split(":", 1)[0]] += 1


def unscored_counts(*, reset: bool = False) -> dict[str, int]:
    """How many scores of this process were ``None``, by reason."""
    with _lock:
        counts = dict(sorted(_unscored.items()))
        if reset:
            _unscored.clear()
    return counts


@dataclass(frozen=True, slots=True)
class RewardBreakdown:
    """One score.

    Attributes:
        total: the score; ``None`` when it could not be computed (never a silent 0.0).
        parts: the named parts it is made of, before weighting; ``None`` for one that could not be scored.
        matched: reference statements that were found (``~`` in front: a near miss that earned a share).
        missed: reference statements that were not.
        extra: statements that the reference lacks, and violations (``repeated``, ``hidden``, ...).
        contradicted: statements made with both polarities, or with the opposite of the reference's.
        reasons: why a part is low or ``None``.
        weights: weight of each part in ``total`` (empty for a single reward).
    """

    total: float | None
    parts: Mapping[str, float | None]
    matched: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def partial(self) -> float:
        """``total``, or where it is ``None`` the parts that could be scored, scaled up to the full weight.

        For frameworks that accept floats only: ``0.0`` when nothing could be scored. Log ``scored`` beside it.
        """
        if self.total is not None:
            return self.total
        weights = self.weights or dict.fromkeys(self.parts, 1.0)
        known = {name: value for name, value in self.parts.items() if value is not None and weights.get(name)}
        available = sum(weights[name] for name in known)
        if not available:
            return 0.0
        return sum(weights[name] * value for name, value in known.items()) * sum(weights.values()) / available

    @property
    def scored(self) -> bool:
        """Whether every part that carries weight could be scored."""
        return self.total is not None

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {"total": self.total, "parts": dict(self.parts)}
        for name in ("matched", "missed", "extra", "contradicted", "reasons"):
            record[name] = list(getattr(self, name))
        if self.weights:
            record["weights"] = dict(self.weights)
        return record

    def explain(self) -> str:
        """The score for a person."""
        shown = "none" if self.total is None else f"{self.total:.3f}"
        lines = [f"total {shown}"]
        for name, value in self.parts.items():
            weight = f" × {self.weights[name]:g}" if name in self.weights else ""
            lines.append(f"  {name} {'none' if value is None else format(value, '.3f')}{weight}")
        for name in ("matched", "missed", "extra", "contradicted", "reasons"):
            items = getattr(self, name)
            if items:
                lines.append(f"  {name}: {', '.join(items)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        parts = ", ".join(f"{k}={'none' if v is None else format(v, '.3f')}" for k, v in self.parts.items())
        return f"<RewardBreakdown {'none' if self.total is None else format(self.total, '.3f')} ({parts})>"
