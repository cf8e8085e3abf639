"""Trajectories: the tagged text format, and verification against a report and the graph."""

from __future__ import annotations

from pathkg.trajectory.blocks import Blocks, find_blocks
from pathkg.trajectory.certificate import Certificate, CheckedClaim, CheckedEntity, CheckedStep, Evidence
from pathkg.trajectory.dialects import BLOCKS, DIALECTS, Dialect, get_dialect
from pathkg.trajectory.model import Trajectory, parse, split_steps
from pathkg.trajectory.verify import Recheck, recheck, verify

__all__ = ["BLOCKS", "DIALECTS", "Blocks", "Certificate", "CheckedClaim", "CheckedEntity", "CheckedStep", "Dialect",
           "Evidence", "Recheck", "Trajectory", "find_blocks", "get_dialect", "parse", "recheck", "split_steps", "verify"]
