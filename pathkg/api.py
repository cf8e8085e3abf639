"""The verbs of the package over a default graph: load, link, find_paths, verify."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError
from pathkg.graph import KnowledgeGraph, write_store
from pathkg.records import LinkResult, PathResult
from pathkg.sources.core import CORE_RECORD, core_store_path, read_core

if TYPE_CHECKING:
    from pathlib import Path

    from pathkg.trajectory import Certificate, Trajectory


def load(store: str | os.PathLike[str] | None = None) -> KnowledgeGraph:
    """Open a graph.

    Args:
        store: a store folder made by ``pathkg build``; ``None`` for the bundled pathology core, which is compiled
            into the cache folder (``PATHKG_HOME``) on first use.

    Returns:
        The graph, memory-mapped; the same object for the same store.

    Raises:
        StoreError: no store there, or one of another format version.
        InputError: not a path.

    Example:
        >>> import pathkg
        >>> graph = pathkg.load()
        >>> graph.resolve("clear cell renal cell carcinoma")
        'MONDO:0005005'
    """
    if store is not None and not isinstance(store, (str, os.PathLike)):
        raise InputError(f"the store is {type(store).__name__}, not a path", hint="pass the folder that `pathkg build` made,"
                         " or nothing for the bundled core")
    return _open(None if store is None else os.path.abspath(store))


@lru_cache(maxsize=8)
def _open(path: str | None) -> KnowledgeGraph:
    if path is not None:
        return KnowledgeGraph.open(path)
    target = core_store_path()
    if not (target / "manifest.json").is_file():
        write_store(target, read_core(), sources=[CORE_RECORD], finish=_add_lexicon)
    return KnowledgeGraph.open(target)


def _add_lexicon(folder: Path) -> None:
    from pathkg.linking import compile_lexicon

    compile_lexicon(KnowledgeGraph.open(folder), folder / "lexicon")


def link(text: str, *, graph: KnowledgeGraph | None = None) -> LinkResult:
    """Find the entities of a report text, each with its assertion status.

    Args:
        text: report text of any length.
        graph: the graph to link to; the bundled core when ``None``.

    Returns:
        The mentions in order of position.

    Example:
        >>> import pathkg
        >>> for m in pathkg.link("No lymphovascular invasion. Margins free of tumor."):
        ...     print(m.text, m.assertion)
        lymphovascular invasion absent
        Margins present
        tumor absent
    """
    from pathkg.linking import linker_for

    return linker_for(graph or load()).link(text)


def find_paths(a: str | Collection[str], b: str | Collection[str], *, k: int = 5, max_hops: int = 4,
               graph: KnowledgeGraph | None = None, **constraints: Any) -> PathResult:
    """The best evidence paths from ``a`` to ``b``.

    Args:
        a: a CURIE or name, or several of them.
        b: likewise.
        k: how many paths.
        max_hops: the longest path, in edges.
        graph: the graph to search; the bundled core when ``None``.
        **constraints: see :func:`pathkg.paths.find_paths`.

    Returns:
        Paths, best first; when there is none, ``reason`` says why.

    Raises:
        InputError: ``a`` or ``b`` is neither text nor a collection of texts.
        UnknownEntityError: the graph holds no such node.

    Example:
        >>> import pathkg
        >>> best = pathkg.find_paths("keratin pearl", "squamous cell carcinoma")[0]
        >>> best.edges[0].relation, best.edges[0].direction
        ('supports', 'forward')
    """
    from pathkg.paths import find_paths as search

    for given in (a, b):
        inside = (given,) if isinstance(given, str) else given
        if not isinstance(inside, Collection) or isinstance(inside, bytes) or not all(isinstance(x, str) for x in inside):
            raise InputError(f"cannot search from or to {given!r:.60}", hint="pass a CURIE or a name, or a list of them")
    return search(graph or load(), a, b, k=k, max_hops=max_hops, **constraints)


def verify(trajectory: Trajectory | str, *, report: str | None = None, graph: KnowledgeGraph | None = None
           ) -> Certificate:
    """Check every step of a reasoning trajectory against the report and the graph.

    Args:
        trajectory: a trajectory, or its tagged text.
        report: the report it is about; without it only the graph can support a step.
        graph: the graph to check against; the bundled core when ``None``.

    Returns:
        A certificate: per step the entities, the evidence and the verdict.

    Example:
        >>> import pathkg
        >>> text = ("<observe>Keratin pearls are present.</observe>"
        ...         "<think>1. Keratin pearls support squamous cell carcinoma.</think>"
        ...         "<answer>Squamous cell carcinoma.</answer>")
        >>> pathkg.verify(text, report="Squamous cell carcinoma with keratin pearls.").verdict
        'supported'
    """
    from pathkg.trajectory import verify as check

    return check(trajectory, report=report, graph=graph or load())
