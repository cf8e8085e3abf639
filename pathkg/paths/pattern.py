"""Meta-path patterns (filled in below)."""

from __future__ import annotations

from dataclasses import dataclass

from pathkg.errors import InputError
from pathkg.graph import KnowledgeGraph


@dataclass(frozen=True, slots=True)
class Pattern:
    """A meta-path."""

    text: str

    def __str__(self) -> str:
        return self.text


def parse_pattern(text: str, graph: KnowledgeGraph) -> Pattern:
    """Read a pattern."""
    raise InputError("patterns are not there yet", hint="use relations= and node_types=")
