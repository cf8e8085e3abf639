"""One file per reinforcement-learning framework. Each can be imported, or pointed at by its path.

``pathkg reward path --framework verl`` prints the path to put into a framework's configuration. All of them score
through :func:`pathkg.rewards.adapters.scoring.score_many`, so equal text earns equal numbers everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pathkg.errors import InputError, did_you_mean

FRAMEWORKS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "trl": ("trl.py", "pathkg_reward"),
    "verl": ("verl.py", "compute_score"),
    "verl-batch": ("verl.py", "compute_score_batch"),
    "easyr1": ("easyr1.py", "compute_score"),
    "openrlhf": ("openrlhf.py", "reward_func"),
    "ms-swift": ("msswift.py", "pathkg"),
    "verifiers": ("verifiers.py", "PathkgRewards"),
})
"""Framework -> (file of this package, name in it)."""


def adapter_path(framework: str) -> Path:
    """The file to configure for a framework.

    Raises:
        InputError: there is no adapter for it.

    Example:
        >>> adapter_path("verl").name
        'verl.py'
    """
    try:
        return Path(__file__).with_name(FRAMEWORKS[framework][0])
    except KeyError:
        raise InputError(f"there is no adapter for {framework!r}; there are {', '.join(FRAMEWORKS)}",
                         hint=did_you_mean(framework, FRAMEWORKS) or "any of them shows how to write another") from None
