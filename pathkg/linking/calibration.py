"""From how a candidate was found, and its score, to the probability that it is right.

The map is a table of a few points per way of finding, rising with the score: ``calibration.tsv``, fitted by
``python benchmarks/linking_calibrate.py`` on annotated abstracts (even halves of two corpora); between the points it is
a straight line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

WAYS = ("exact", "usual wording", "rewritten", "words reordered", "spelling repaired", "other words", "without a side word",
        "the end of the phrase", "near", "initials", "embedding")
"""Ways of finding a candidate, by the beginning of :attr:`~pathkg.linking.grounding.Candidate.how`."""

_TABLE = Path(__file__).with_name("calibration.tsv")
_FEWEST = 25
"""Cases behind one point of the table; with fewer, neighbouring points are put together."""

_FEWEST_OF_A_WAY = 10
"""A way met less often is judged by the scores of all ways together."""

Points = tuple[tuple[float, float], ...]


def way_of(how: str) -> str:
    """The way a candidate was found.

    Example:
        >>> way_of("other words for 'heart disorder' (0.98); CD is short for 'cardiac damage'")
        'other words'
    """
    return next((way for way in WAYS if how.startswith(way)), "other words")


@cache
def _table() -> dict[str, Points]:
    found: dict[str, list[tuple[float, float]]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        way, score, probability, _ = line.split("\t")
        found.setdefault(way, []).append((float(score), float(probability)))
    return {way: tuple(points) for way, points in found.items()}


def probability(how: str, score: float, table: Mapping[str, Points] | None = None) -> float:
    """Probability that a candidate is the meaning of its span.

    Example:
        >>> 0 < probability("near 'x' (88)", 0.79) < probability("exact", 1.0) < 1
        True
    """
    known = _table() if table is None else table
    points = known.get(way_of(how)) or known[""]
    scores = [s for s, _ in points]
    at = bisect_left(scores, score)
    if at == 0:
        return points[0][1]
    if at == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[at - 1], points[at]
    return low + (high - low) * (score - left) / (right - left)


def fit(cases: Iterable[tuple[str, float, bool]]) -> dict[str, tuple[tuple[float, float, int], ...]]:
    """The rising map that fits ``(how, score, right)`` best: pool adjacent violators, per way of finding.

    Points of fewer than 25 cases are pooled with their neighbour, and every share is drawn towards the overall one by one
    case, so that no probability is 0 or 1.

    Returns:
        Way to ``(mean score, probability, cases)`` in rising order; the empty way stands for all cases together, and for ways met
        fewer than 10 times.

    Example:
        >>> table = fit([("exact", 0.9, True), ("exact", 0.5, False)] * 30)
        >>> [round(p, 2) for _, p, _ in table["exact"]]
        [0.02, 0.98]
    """
    every = list(cases)
    overall = sum(right for *_, right in every) / max(len(every), 1)
    ways: dict[str, list[tuple[float, bool]]] = {"": [(score, right) for _, score, right in every]}
    for how, score, right in every:
        ways.setdefault(way_of(how), []).append((score, right))
    return {way: _rising(sorted(pairs), overall) for way, pairs in sorted(ways.items()) if not way or len(pairs) >= _FEWEST_OF_A_WAY}


def _rising(pairs: Sequence[tuple[float, bool]], overall: float) -> tuple[tuple[float, float, int], ...]:
    groups: list[list[float]] = []  # sum of scores, right ones, cases
    last = None
    for score, right in pairs:
        if groups and (score == last or groups[-1][2] < _FEWEST):
            groups[-1] = [groups[-1][0] + score, groups[-1][1] + right, groups[-1][2] + 1]
        else:
            groups.append([score, float(right), 1])
        last = score
    if len(groups) > 1 and groups[-1][2] < _FEWEST:
        groups[-2:] = [[a + b for a, b in zip(groups[-2], groups[-1], strict=True)]]
    pooled: list[list[float]] = []
    for group in groups:
        pooled.append(group)
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            pooled[-2:] = [[a + b for a, b in zip(pooled[-2], pooled[-1], strict=True)]]
    return tuple((total / n, (right + overall) / (n + 1), int(n)) for total, right, n in pooled)


def expected_error(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error of ``(probability, right)``: mean gap between both over bins of equal width (Guo et al., "On
    calibration of modern neural networks", 2017).

    Example:
        >>> round(expected_error([(0.75, True)] * 3 + [(0.75, False)]), 3)
        0.0
    """
    filled: dict[int, list[tuple[float, bool]]] = {}
    for p, right in pairs:
        filled.setdefault(min(int(p * bins), bins - 1), []).append((p, right))
    return sum(abs(sum(p for p, _ in group) - sum(right for _, right in group)) for group in filled.values()) / max(len(pairs), 1)
