"""verl: Parquet with ``data_source, prompt, ability, reward_model, extra_info``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datagen.output.exports.prompt import SYSTEM, images_of, instruction, report_part, text_in


def verl_row(row: Mapping[str, Any], *, dialect: str, with_report: bool) -> dict[str, Any]:
    """A row for verl's RL data set; ``ground_truth`` is the reference that the reward functions read."""
    images = images_of(row)
    asked = report_part(row, with_report) + instruction(row, dialect)
    record: dict[str, Any] = {
        "data_source": "pathkg", "ability": "pathology",
        "prompt": [{"role": "system", "content": SYSTEM},
                   {"role": "user", "content": f"<image>{asked}" if images else asked}],
        "reward_model": {"style": "rule", "ground_truth": row["reference_json"]},
        "extra_info": {"split": row["split"], "index": row["sample_id"], "answer": row["answer"],
                       "question": row["question"], "trajectory": text_in(row, dialect)}}
    return {**record, "images": [{"image": i} for i in images]} if images else record
