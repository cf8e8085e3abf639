"""Trajectories: the tagged text format, and verification against a report and the graph."""

from __future__ import annotations

from pathkg.trajectory.blocks import Blocks, find_blocks
from pathkg.trajectory.dialects import BLOCKS, DIALECTS, Dialect, get_dialect
from pathkg.trajectory.model import Trajectory, parse, split_steps

__all__ = ["BLOCKS", "DIALECTS", "Blocks", "Dialect", "Trajectory", "find_blocks", "get_dialect", "parse",
           "split_steps"]
