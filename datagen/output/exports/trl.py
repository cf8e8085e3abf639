"""TRL: prompt/completion for SFT, and conversational rows with images and the reward's columns for SFT and GRPO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datagen.output.exports.prompt import SYSTEM, images_of, instruction, report_part, text_in


def trl_prompt_completion_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """``prompt`` and ``completion`` as plain text."""
    return {"prompt": f"{SYSTEM}\n\n{report_part(row, with_report)}{instruction(row, dialect)}\n\n",
            "completion": text_in(row, dialect)}


def trl_conversational_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """``prompt`` and ``completion`` as messages. TRL puts the image parts into the prompt itself from ``images``;
    ``reference`` is the column that :class:`pathkg.rewards.CompositeReward` reads in GRPO."""
    record: dict[str, Any] = {
        "prompt": [{"role": "system", "content": SYSTEM},
                   {"role": "user", "content": report_part(row, with_report) + instruction(row, dialect)}],
        "completion": [{"role": "assistant", "content": text_in(row, dialect)}],
        "reference": row["reference_json"], "sample_id": row["sample_id"], "question_kind": row["question_kind"]}
    images = images_of(row)
    return {**record, "images": images} if images else record
