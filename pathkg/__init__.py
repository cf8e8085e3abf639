"""pathkg: a knowledge graph for computational pathology.

Three verbs over a bundled graph:

* ``pathkg.link(text)``: the entities of a report, each with its assertion status;
* ``pathkg.find_paths(a, b)``: evidence paths from findings to a diagnosis;
* ``pathkg.verify(trajectory, report=...)``: a certificate for a reasoning trajectory;

and ``pathkg.rewards`` for reinforcement learning. Research use only, not for diagnosis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pathkg import linking, paths, records, rewards, trajectory
    from pathkg.api import find_paths, link, load, verify
    from pathkg.errors import PathkgError
    from pathkg.graph import KnowledgeGraph

_WHERE = {
    "load": "pathkg.api", "link": "pathkg.api", "find_paths": "pathkg.api", "verify": "pathkg.api",
    "KnowledgeGraph": "pathkg.graph", "PathkgError": "pathkg.errors",
}
_ROOMS = frozenset({"linking", "paths", "records", "rewards", "trajectory", "graph", "errors"})

__all__ = ["KnowledgeGraph", "PathkgError", "__version__", "find_paths", "link", "linking", "load", "paths", "records",
           "rewards", "trajectory", "verify"]


def __getattr__(name: str) -> Any:
    # rooms load on first use, so that `import pathkg` costs next to nothing
    if name in _WHERE:
        value = getattr(importlib.import_module(_WHERE[name]), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"pathkg.{name}")
    raise AttributeError(f"module 'pathkg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
