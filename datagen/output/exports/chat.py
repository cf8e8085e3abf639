"""Plain chat messages, and ms-swift's form of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datagen.output.exports.prompt import SYSTEM, images_of, instruction, report_part, text_in


def chat_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """``messages`` with system, user and assistant."""
    return {"messages": [{"role": "system", "content": SYSTEM},
                         {"role": "user", "content": report_part(row, with_report) + instruction(row, dialect)},
                         {"role": "assistant", "content": text_in(row, dialect)}]}


def swift_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """ms-swift: ``messages`` with an ``<image>`` mark per image, ``images``, and ``solution`` for its reward functions."""
    record = chat_row(row, dialect=dialect, with_report=with_report)
    images = images_of(row)
    if images:
        record["messages"][1]["content"] = "<image>" * len(images) + record["messages"][1]["content"]
        record["images"] = images
    return {**record, "solution": row["reference_json"]}
