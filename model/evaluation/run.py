"""An evaluation from a question file to the report, with its controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.data.prompts import SYSTEM_PROMPT
from model.data.samples import TrainingSample
from model.evaluation.predict import Condition, Prediction, predict, write_predictions
from model.evaluation.report import compare_controls, slide_was_used, write_report
from model.evaluation.scoring import Scored, ScoringSettings, score_predictions, summarize


def evaluate(samples: Sequence[TrainingSample], predictions: Mapping[str, Sequence[Prediction]], folder: str | Path, *,
             settings: ScoringSettings | None = None, title: str = "slide VLM",
             facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Score predictions under each condition, compare the controls, write the report.

    Args:
        samples: the questions.
        predictions: by condition; ``slide`` must be there.
        folder: gets ``report.json`` and ``report.html``.
        settings: what is measured.
        title: of the report.
        facts: written into the report (question file, left-out questions, …).

    Returns:
        The figures, as in ``report.json`` without the cases.
    """
    settings = settings or ScoringSettings()
    scored: dict[str, list[Scored]] = {name: score_predictions(samples, rows, settings)
                                       for name, rows in predictions.items()}
    conditions = {name: summarize(rows, seed=settings.seed) for name, rows in scored.items()}
    controls = {name: compare_controls(scored["slide"], rows) for name, rows in scored.items() if name != "slide"}
    figures = {"title": title, **(facts or {}), "conditions": conditions, "controls": controls,
               "slide_used": slide_was_used(controls)}
    files = write_report(folder, figures, scored)
    figures["files"] = [str(f) for f in files]
    return figures


def predict_all(model: Any, processor: Any, samples: Sequence[TrainingSample], conditions: Sequence[Condition],
                folder: str | Path, *, batch_size: int = 8, max_new_tokens: int = 256, temperature: float = 0.0,
                seed: int = 0, system_prompt: str = SYSTEM_PROMPT,
                progress: Callable[[int, int], None] | None = None) -> dict[str, list[Prediction]]:
    """Predictions under each condition, also written as ``predictions-<condition>.jsonl``."""
    found = {}
    for condition in conditions:
        found[str(condition)] = predict(
            model, processor, samples, condition=condition, batch_size=batch_size, max_new_tokens=max_new_tokens,
            temperature=temperature, seed=seed, system_prompt=system_prompt, progress=progress)
        write_predictions(Path(folder) / f"predictions-{condition}.jsonl", found[str(condition)])
    return found
