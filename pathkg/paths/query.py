"""``find_paths``: the one verb over the shared finder of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pathkg.graph import KnowledgeGraph
from pathkg.paths.ends import Ends
from pathkg.paths.finder import PathFinder
from pathkg.paths.ranking import Weights
from pathkg.records import PathResult


def find_paths(graph: KnowledgeGraph, a: Ends, b: Ends, *, k: int | None = 5, max_hops: int = 4,
               weights: Weights | Mapping[str, Any] | None = None, **options: Any) -> PathResult:
    """The best evidence paths from ``a`` to ``b``.

    Args:
        graph: the graph to search.
        a: a CURIE, name or synonym, or several of them.
        b: likewise. With several on a side, every pair is searched and the answers are joined.
        k: how many paths to return; ``None`` for all.
        max_hops: the longest path, in edges.
        weights: of the ranking (:mod:`pathkg.paths.ranking`); the package's own when ``None``.
        **options: ``mode``, one of

            * ``k_shortest`` (default): simple paths; lengths are searched in order, each one completely, until at least
              k paths are known; the k best of these by score;
            * ``shortest``: the best of the shortest paths;
            * ``all_shortest``: the k best of the shortest paths; ``total`` is their exact number;
            * ``all_simple``: all simple paths up to ``max_hops``, the k best returned; ``total`` is their exact number.

            Parallel edges make different paths. ``select``: ``best`` (by score; the default for one pair) or
            ``diverse`` (default for several, see :func:`~pathkg.paths.selection.select_diverse`). ``case``: other
            findings, for the coherence term (with several starts: these). ``limit``: how many paths to enumerate at
            most; ``max_expansions``: how many search steps to try at most; ``time_limit``: seconds; when one runs out,
            what has been found is returned with ``truncated``. And every field of
            :class:`~pathkg.paths.constraints.Constraints`.

    Returns:
        Paths, best score first (then shorter, then by node and edge number). An unknown name raises nothing: the
        result is empty, ``reason`` is ``unknown_entity`` and ``detail`` says what was meant perhaps; among several names
        it is left out and named in ``detail``. The same node twice gives ``filtered``.

    Raises:
        InputError: an option that cannot be meant: an unknown type, relation, source or option name, a pattern that
            cannot be read, a negative number.

    Example:
        >>> import pathkg
        >>> result = find_paths(pathkg.load(), "keratin pearl", "squamous cell carcinoma", k=1)
        >>> result[0].edges[0].relation
        'supports'
    """
    if isinstance(weights, Mapping):
        weights = Weights.from_dict(weights)
    finder = finder_for(graph) if weights is None else PathFinder(graph, weights=weights)
    return finder.find(a, b, k=k, max_hops=max_hops, **options)


@lru_cache(maxsize=4)
def finder_for(graph: KnowledgeGraph) -> PathFinder:
    """The shared finder of a graph with the package's weights."""
    return PathFinder(graph)
