"""Intervals and paired tests. Small, exact where it is cheap, seeded where it draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from typing import Any

import numpy as np

Z95 = 1.959963984540054
"""The 97.5% point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95% interval and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6), "n": self.n}


def proportion(hits: Sequence[bool]) -> Estimate | None:
    """A share with Wilson's score interval (Wilson 1927); ``None`` for no cases.

    Example:
        >>> e = proportion([True] * 8 + [False] * 2)
        >>> round(e.low, 3), e.value, round(e.high, 3)
        (0.49, 0.8, 0.943)
    """
    n = len(hits)
    if n == 0:
        return None
    p = sum(hits) / n
    centre = (p + Z95 ** 2 / (2 * n)) / (1 + Z95 ** 2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + Z95 ** 2 / (4 * n * n)) / (1 + Z95 ** 2 / n)
    return Estimate(p, max(0.0, centre - half), min(1.0, centre + half), n)


def mean(values: Sequence[float], *, seed: int = 0, draws: int = 2000) -> Estimate | None:
    """A mean with the percentile bootstrap's interval; ``None`` for no cases."""
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(len(array), size=(draws, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Exact two-sided McNemar test of two paired series of hits: the p-value.

    Example:
        >>> round(mcnemar([True] * 8 + [False], [False] * 8 + [True]), 4)
        0.0391
    """
    wins = sum(a and not b for a, b in zip(first, second, strict=True))
    losses = sum(b and not a for a, b in zip(first, second, strict=True))
    n = wins + losses
    if n == 0:
        return 1.0
    tail: float = sum(comb(n, k) for k in range(min(wins, losses) + 1)) / float(2 ** n)
    return min(1.0, 2 * tail)


def paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0, draws: int = 10_000) -> dict[str, float]:
    """Is ``first`` larger than ``second``, case by case?

    Returns:
        ``difference`` (mean), its 95% bootstrap interval ``low`` and ``high``, and ``p``: the one-sided p-value of a
        sign-flip permutation test (how often random signs give a mean at least as large).

    Example:
        >>> r = paired([1.0] * 12, [0.0] * 12)
        >>> r["difference"], r["p"] < 0.001
        (1.0, True)
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if difference.size == 0:
        raise ValueError("no pairs")
    rng = np.random.default_rng(seed)
    observed = float(difference.mean())
    signs = rng.choice(np.array([-1.0, 1.0]), size=(draws, difference.size))
    larger = int(((signs * difference).mean(axis=1) >= observed - 1e-12).sum())
    means = difference[rng.integers(difference.size, size=(2000, difference.size))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"difference": observed, "low": float(low), "high": float(high), "p": (larger + 1) / (draws + 1),
            "n": float(difference.size)}


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], *, bins: int = 10) -> dict[str, Any] | None:
    """Expected calibration error over equal-width bins (Naeini et al. 2015); ``None`` for no cases.

    Example:
        >>> calibration_error([0.9, 0.9], [True, False])["ece"]
        0.4
    """
    if not confidence:
        return None
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    index = np.minimum((sure * bins).astype(int), bins - 1)
    table, ece = [], 0.0
    for b in range(bins):
        inside = index == b
        count = int(inside.sum())
        if count:
            gap = abs(float(sure[inside].mean()) - float(hits[inside].mean()))
            ece += gap * count / len(sure)
            table.append({"bin": b / bins, "n": count, "confidence": round(float(sure[inside].mean()), 6),
                          "accuracy": round(float(hits[inside].mean()), 6)})
    return {"ece": round(ece, 6), "n": len(sure), "bins": table}
