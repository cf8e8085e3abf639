"""The two ends of a query: what a caller names, as nodes of the graph."""

from __future__ import annotations

from collections.abc import Collection

from pathkg.errors import InputError, UnknownEntityError
from pathkg.graph import KnowledgeGraph

Ends = str | Collection[str]
"""One CURIE or name, or several."""


def nodes_of(graph: KnowledgeGraph, given: Ends) -> tuple[list[int], list[str]]:
    """Node indices without repeats, and a message for each name that the graph does not hold.

    Raises:
        InputError: a name is empty.

    Example:
        >>> import pathkg
        >>> found, unknown = nodes_of(pathkg.load(), ["keratin pearl", "keratin pearls", "keratin perl"])
        >>> len(found), unknown[0][:40]
        (1, "the graph holds no node 'keratin perl' (")
    """
    nodes: dict[int, None] = {}
    unknown = []
    for name in [given] if isinstance(given, str) else given:
        if not name.strip():
            raise InputError("a start or target is empty", hint='name it by CURIE or name: "keratin pearl"')
        try:
            nodes.setdefault(graph.index(graph.resolve(name)))
        except UnknownEntityError as error:
            unknown.append(f"{error.message} ({error.hint})" if error.hint else error.message)
    return list(nodes), unknown


def plain_pair(graph: KnowledgeGraph, a: Ends, b: Ends) -> tuple[int, int] | None:
    """The two nodes of a pair of plain names that the graph holds; ``None`` for what needs a longer answer."""
    if not (isinstance(a, str) and isinstance(b, str) and a.strip() and b.strip()):
        return None
    try:
        return graph.index(graph.resolve(a)), graph.index(graph.resolve(b))
    except UnknownEntityError:
        return None
