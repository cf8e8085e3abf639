"""Where tests find the shared real inputs, which are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("PATHKG_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def shared(relative: str) -> Path:
    """The path of a shared file; skips the calling test, with the reason, where it is absent."""
    path = ROOT / relative
    if not path.exists():
        pytest.skip(f"shared data not here: {relative} (set PATHKG_SHARED_DATA)", allow_module_level=True)
    return path
