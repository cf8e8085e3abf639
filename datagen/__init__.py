"""``datagen``: from reports, findings and questions to a verified dataset of reasoning trajectories."""

from __future__ import annotations

from typing import Any

__all__ = ["generate_case", "run"]


def __getattr__(name: str) -> Any:
    # the generator pulls in the linker and NumPy; `import datagen` alone stays instant
    if name in __all__:
        from datagen import api

        return getattr(api, name)
    raise AttributeError(f"module 'datagen' has no attribute {name!r}")
