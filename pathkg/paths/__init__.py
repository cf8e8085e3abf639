"""Evidence paths: search over the adjacency arrays, ranking, explanation, differential support."""

from pathkg.paths.constraints import Constraints
from pathkg.paths.finder import PathFinder
from pathkg.paths.query import find_paths, finder_for
from pathkg.paths.ranking import Weights, default_weights, read_weights
from pathkg.paths.support import Candidate, CaseExplanation, Evidence, explain_case

__all__ = ["Candidate", "CaseExplanation", "Constraints", "Evidence", "PathFinder", "Weights", "default_weights",
           "explain_case", "find_paths", "finder_for", "read_weights"]
