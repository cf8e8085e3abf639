"""The engines of this process: one per store, shared by every reward."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pathkg.errors import StoreError
from pathkg.rewards.reading import Engine
from pathkg.rewards.similarity import GraphSimilarity

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph


def bundled() -> KnowledgeGraph:
    """The bundled graph."""
    from pathkg.api import load

    return load()


@lru_cache(maxsize=16)
def engine_for(store: str, graph_hash: str) -> Engine:
    """The engine of a store, shared by everything in this process.

    Args:
        store: the store's folder.
        graph_hash: its content hash; ``""`` takes what is there.

    Raises:
        StoreError: no store there, or its content is not ``graph_hash``.
    """
    from pathkg.api import load
    from pathkg.linking import linker_for

    if not store:
        graph = load()
    elif (Path(store) / "manifest.json").is_file():
        graph = load(store)
    else:
        # a pickle from another machine: the bundled graph lies elsewhere there, its content is the same
        graph = load()
        if graph.hash != graph_hash:
            raise StoreError(f"there is no store {store}", hint="copy the store to this machine, at the same path")
    if graph_hash and graph.hash != graph_hash:
        raise StoreError(f"the store {store or graph.path} has changed: it is {graph.hash[:19]}, not "
                         f"{graph_hash[:19]}", hint="make the reward again from the store as it is now")
    return Engine(graph, GraphSimilarity(graph), linker_for(graph))
