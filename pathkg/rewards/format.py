"""``FormatReward``: exactly the three blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathkg.rewards.base import Reward
from pathkg.rewards.breakdown import RewardBreakdown
from pathkg.rewards.reading import Engine, Reading, Target
from pathkg.trajectory.blocks import is_blank


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatReward(Reward):
    """1 iff the whole text is exactly the three blocks, each once, in order, each saying something; else 0.

    Nothing but white space may stand outside. A block says something when a reader would see a letter or digit in
    it: punctuation, characters without width, comments and hidden elements do not count. A text longer than
    ``max_chars`` fails.

    Args:
        lenient: find the blocks anywhere, in any order; text around them is forgiven.

    Example:
        >>> r = FormatReward()
        >>> gold = "<observe>Keratin pearls.</observe><think>1. So.</think><answer>SCC.</answer>"
        >>> r(gold, '{"v":1,"e":[]}'), r("Well, " + gold, '{"v":1,"e":[]}')
        (1.0, 0.0)
        >>> r.with_options(lenient=True)("Well, " + gold, '{"v":1,"e":[]}')
        1.0
    """

    lenient: bool = False

    name: ClassVar[str] = "format"

    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        fault = reading.blocks.fault
        if reading.too_long:
            fault = f"longer than {self.max_chars} characters"
        elif self.lenient and not any(is_blank(block) for block in reading.blocks.texts):
            fault = ""
        value = 0.0 if fault else 1.0
        return RewardBreakdown(value, {self.name: value}, reasons=(f"format: {fault}",) if fault else ())
