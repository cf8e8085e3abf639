"""The model card that a run writes beside its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.data.prompts import SYSTEM_PROMPT
from model.data.samples import TrainingSample


def write_card(folder: Path, run: Any, figures: Mapping[str, Any], samples: Sequence[TrainingSample]) -> Path:
    """Write ``README.md`` (the card) and ``run.json`` (the exact run) into the model's folder.

    Everything in the card comes from the run itself; what is not known is said to be unknown.
    """
    from model.training.launch import on_main

    if not on_main():
        return folder / "README.md"
    kind = str(figures["kind"])
    hashes = sorted({s.graph_hash for s in samples if s.graph_hash})
    organs = sorted({s.organ for s in samples if s.organ})
    base = run.model.path or run.model.lm
    lines = [
        "---", "library_name: transformers", "pipeline_tag: image-text-to-text",
        "tags: [computational-pathology, whole-slide-image, knowledge-graph, research-only]", "---", "",
        f"# Slide VLM, trained with pathkg ({kind})", "",
        "Research use only. Not for diagnosis. Not validated on patients. The weights are under the terms of the "
        "language model and the data they were made from; this card does not grant any.", "",
        "## What it is", "",
        f"* Made from: `{Path(str(base)).name}`",
        f"* Training: {kind}; samples: {len(samples)}; held back: {figures.get('held_back', 'unknown')}",
        f"* Organs in the data: {', '.join(organs) or 'not stated'}",
        f"* Knowledge graph: {', '.join(hashes) or 'not stated in the data'}",
        f"* Seed: {run.seed}", "", "## Figures of the run", "",
        "| stage | steps | held-back loss before | held-back loss after | train loss |", "|---|---|---|---|---|"]
    for name, stage in figures.get("stages", {}).items():
        lines.append(_stage_line(name, stage))
    lines += ["", "## How to load", "", "```python", "import model.vlm  # registers the classes",
              "from transformers import AutoModelForImageTextToText, AutoProcessor",
              "vlm = AutoModelForImageTextToText.from_pretrained(FOLDER)",
              "processor = AutoProcessor.from_pretrained(FOLDER)", "```", "",
              "## Limits", "",
              "The answers of a model of this kind can be fluent and wrong. Check them with `pathkg verify`, which "
              "says for every step whether the report or the graph supports it.", ""]
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / "README.md"
    card.write_text("\n".join(lines), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(run.model_dump(), indent=1, sort_keys=True), encoding="utf-8")
    return card


def system_prompt_of(folder: str | Path) -> str:
    """The system prompt that a model was trained with, from the ``run.json`` beside its weights; the usual one where
    there is none."""
    file = Path(folder) / "run.json"
    if not file.is_file():
        return SYSTEM_PROMPT
    return str(json.loads(file.read_text(encoding="utf-8")).get("data", {}).get("system_prompt", SYSTEM_PROMPT))


def _stage_line(name: str, stage: Mapping[str, Any]) -> str:
    history = stage.get("history", [])
    losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    steps = max((entry.get("step", 0) for entry in history), default=0)
    before = f"{losses[0]:.4f}" if losses else "not measured"
    after = f"{losses[-1]:.4f}" if losses else "not measured"
    train_loss = stage.get("metrics", {}).get("train_loss")
    return f"| {name} | {steps} | {before} | {after} | {train_loss:.4f} |" if train_loss is not None \
        else f"| {name} | {steps} | {before} | {after} | unknown |"
