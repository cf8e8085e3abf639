"""The graph entities of trajectory steps, as spans for masking."""

from __future__ import annotations

from typing import Any

from model.data.masking import Span
from pathkg.trajectory import Trajectory


def step_spans(trajectory: Trajectory, linker: Any) -> list[list[Span]]:
    """For each step, where its graph entities stand.

    Args:
        trajectory: its steps are linked one by one.
        linker: :class:`pathkg.linking.Linker`.
    """
    return [text_spans(step, linker) for step in trajectory.steps]


def text_spans(text: str, linker: Any) -> list[Span]:
    """Where the graph entities of ``text`` stand."""
    return [Span(mention.start, mention.end) for mention in linker.link(text)]
