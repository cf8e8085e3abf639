"""Choosing few paths that together say much: coverage of the findings, different kinds of argument."""

from __future__ import annotations

from collections.abc import Sequence

from pathkg.paths.ranking import Weights
from pathkg.records import Path


def select_diverse(paths: Sequence[Path], k: int | None, weights: Weights) -> list[Path]:
    """Choose ``k`` paths one after another, each time the one with the highest gain.

    The gain of a path is its score, plus ``new_finding`` when its start is not covered yet, minus ``same_relations``
    for every chosen path with the same sequence of relations and directions, minus ``shared_node`` times the largest
    share of its inner nodes that one chosen path has too. Equal gains: the earlier path.

    Returns:
        The chosen paths, in the order of choice.

    Example:
        >>> from pathkg.paths.ranking import default_weights
        >>> select_diverse([], 3, default_weights())
        []
    """
    left = list(range(len(paths)))
    inner = [frozenset(n.id for n in p.nodes[1:-1]) for p in paths]
    kind = [tuple((e.relation, e.direction) for e in p.edges) for p in paths]
    gain = [p.score + weights.new_finding for p in paths]
    overlap = [0.0] * len(paths)
    covered: set[str] = set()
    chosen: list[Path] = []
    while left and (k is None or len(chosen) < k):
        best = max(left, key=lambda i: (round(gain[i] - weights.shared_node * overlap[i], 9), -i))
        left.remove(best)
        chosen.append(paths[best])
        start = paths[best].nodes[0].id
        for i in left:
            if paths[i].nodes[0].id == start and start not in covered:
                gain[i] -= weights.new_finding
            if kind[i] == kind[best]:
                gain[i] -= weights.same_relations
            if inner[i]:
                overlap[i] = max(overlap[i], len(inner[i] & inner[best]) / len(inner[i]))
        covered.add(start)
    return chosen
