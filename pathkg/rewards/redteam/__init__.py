"""The red team: attack families against any reward function, and the cases they start from."""

from __future__ import annotations

from pathkg.rewards.redteam import falsehoods, policies, shapes, stuffing, wording
from pathkg.rewards.redteam.cases import GoldCase, HonestCase, gold_cases, honest_cases
from pathkg.rewards.redteam.registry import ATTACKS
from pathkg.rewards.redteam.run import FamilyResult, RedTeamResult, run_redteam

__all__ = ["ATTACKS", "FamilyResult", "GoldCase", "HonestCase", "RedTeamResult", "falsehoods", "gold_cases", "honest_cases",
           "policies", "run_redteam", "shapes", "stuffing", "wording"]
