"""Evidence paths: search over the adjacency arrays, ranking, explanation, differential support."""

from pathkg.paths.constraints import Constraints
from pathkg.paths.finder import PathFinder, find_paths, finder_for
from pathkg.paths.ranking import Weights, default_weights, read_weights

__all__ = ["Constraints", "PathFinder", "Weights", "default_weights", "find_paths", "finder_for", "read_weights"]
