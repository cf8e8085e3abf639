"""LLaVA and SlideChat: ``conversations`` of ``human`` and ``gpt`` turns, one image per sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datagen.output.exports.prompt import images_of, instruction, report_part, text_in


def llava_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """A row as LLaVA's and SlideChat's loaders read it: ``<image>`` stands in the human turn where there is one."""
    images = images_of(row)
    asked = report_part(row, with_report) + instruction(row, dialect)
    human = "\n".join(["<image>", asked]) if images else asked
    record: dict[str, Any] = {"id": row["sample_id"], "conversations": [
        {"from": "human", "value": human}, {"from": "gpt", "value": text_in(row, dialect)}]}
    return {**record, "image": images[0]} if images else record
