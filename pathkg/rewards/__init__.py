"""Rewards for reinforcement learning: format, entity, semantic, path, and their weighted sum.

Adapters for TRL, verl, EasyR1, OpenRLHF, ms-swift and verifiers lie in :mod:`pathkg.rewards.adapters`, one file each.
"""

from __future__ import annotations

from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown, unscored_counts
from pathkg.rewards.builder import build_reference
from pathkg.rewards.composite import CompositeReward
from pathkg.rewards.entity import EntityReward
from pathkg.rewards.format import FormatReward
from pathkg.rewards.judge import Judge, Judgement
from pathkg.rewards.path import PathReward
from pathkg.rewards.reference import Reference, Statement
from pathkg.rewards.semantic import SemanticReward

__all__ = ["CompositeReward", "EntityReward", "FormatReward", "Judge", "Judgement", "PathReward", "Reference", "Reward", "RewardBreakdown",
           "SemanticReward", "Statement", "build_reference", "unscored_counts"]
