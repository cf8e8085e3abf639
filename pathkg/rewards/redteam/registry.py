"""How attack families are made: each turns an honest text into one that should not be worth as much.

An attack is a function ``(HonestCase, Random, World) -> str | None``; ``None`` where it does not apply (a text
without a stage has none to swap). It is deterministic for its seed. Attacks know the honest text, the report and the
graph, as a model in training in effect does, but never the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from pathkg.rewards.redteam.cases import HonestCase
from pathkg.rewards.redteam.world import World
from pathkg.trajectory import Trajectory

Attack = Callable[[HonestCase, Random, World], "str | None"]
ATTACKS: dict[str, tuple[Attack, str]] = {}
"""Family name -> (attack, one-line description)."""


def attack(description: str) -> Callable[[Attack], Attack]:
    def register(function: Attack) -> Attack:
        ATTACKS[function.__name__] = (function, description)
        return function
    return register


def raw(t: Trajectory, observe: str | None = None, think: str | None = None, answer: str | None = None) -> str:
    parts = (t.observe if observe is None else observe, t.think if think is None else think,
             t.answer if answer is None else answer)
    return "\n\n".join(f"<{tag}>\n{body}\n</{tag}>" for tag, body in zip(("observe", "think", "answer"), parts,
                                                                         strict=True))


def pick(rng: Random, items: Sequence[str], n: int) -> list[str]:
    return rng.sample(list(items), min(n, len(items)))


def sub_each(t: Trajectory, pattern: re.Pattern[str], make: Callable[[re.Match[str]], str]) -> str | None:
    """Replace in every block; ``None`` when nothing matched."""
    blocks = [pattern.sub(make, block) for block in (t.observe, t.think, t.answer)]
    return raw(t, *blocks) if blocks != [t.observe, t.think, t.answer] else None
