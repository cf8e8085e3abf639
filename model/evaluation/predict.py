"""Predictions of a model, with the right slide or under a control."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.data.prompts import SYSTEM_PROMPT, prompt_text
from model.data.samples import TrainingSample
from pathkg.errors import InputError

Condition = Literal["slide", "text_only", "shuffled"]
CONDITIONS: tuple[Condition, ...] = ("slide", "text_only", "shuffled")
"""The right bag; no bag; another case's bag."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One generated answer.

    Attributes:
        id: of the sample.
        text: what the model wrote.
        confidence: geometric mean of the probabilities of the tokens of the answer block (of all tokens where
            there is none); ``None`` when not measured.
        condition: see :data:`CONDITIONS`.
    """

    id: str
    text: str
    confidence: float | None = None
    condition: Condition = "slide"

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "confidence": self.confidence, "condition": self.condition}


def under(samples: Sequence[TrainingSample], condition: Condition, *, seed: int = 0) -> list[TrainingSample]:
    """The samples as a control sees them. Shuffling gives every case another case's bag (no case keeps its own).

    Raises:
        InputError: shuffling fewer than two bags.

    Example:
        >>> cases = [TrainingSample(str(i), f"{i}.h5", "q") for i in range(4)]
        >>> shuffled = under(cases, "shuffled")
        >>> sorted(s.image for s in shuffled), any(a.image == b.image for a, b in zip(cases, shuffled))
        (['0.h5', '1.h5', '2.h5', '3.h5'], False)
    """
    if condition == "slide":
        return list(samples)
    if condition == "text_only":
        return [replace(s, image="") for s in samples]
    n = len(samples)
    if len({s.image for s in samples}) < 2:
        raise InputError("the shuffled control needs at least two bags", hint="evaluate more cases, or leave it out")
    rng = np.random.default_rng(seed)
    # a cyclic shift of a random order moves every case; cases that share a bag may still meet it again
    order = rng.permutation(n)
    given = {int(order[i]): samples[int(order[(i + 1) % n])].image for i in range(n)}
    return [replace(s, image=given[i]) for i, s in enumerate(samples)]


def predict(model: Any, processor: Any, samples: Sequence[TrainingSample], *, condition: Condition = "slide",
            batch_size: int = 8, max_new_tokens: int = 256, temperature: float = 0.0, seed: int = 0,
            system_prompt: str = SYSTEM_PROMPT, confidence: bool = True,
            progress: Callable[[int, int], None] | None = None) -> list[Prediction]:
    """Generate one answer per sample, greedily or by sampling.

    Args:
        model: the slide VLM.
        processor: its processor.
        samples: the questions.
        condition: see :data:`CONDITIONS`.
        batch_size: rows per call.
        max_new_tokens: length limit.
        temperature: 0 for greedy.
        seed: of sampling and of the shuffled control.
        system_prompt: as in training.
        confidence: measure it.
        progress: called with (done, all).
    """
    import torch

    shown = under(samples, condition, seed=seed)
    model.eval()
    found: list[Prediction] = []
    sampling = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0} if temperature > 0 else {
        "do_sample": False}
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        for batch in _batches(shown, batch_size):
            prompts = [prompt_text(processor, s, system_prompt=system_prompt) for s in batch]
            images = [[s.image] if s.image else [] for s in batch]
            inputs = processor(images=images if any(images) else None, text=prompts, padding=True, padding_side="left",
                               return_tensors="pt", add_special_tokens=False).to(model.device)
            with torch.no_grad():
                out = model.generate(**inputs, max_new_tokens=max_new_tokens, return_dict_in_generate=True,
                                     output_scores=confidence, **sampling)
            written = out.sequences[:, inputs["input_ids"].shape[1]:]
            sure = _confidence(model, processor, out, written) if confidence else [None] * len(batch)
            texts = processor.batch_decode(written, skip_special_tokens=True)
            found += [Prediction(s.id, t.strip(), c, condition) for s, t, c in zip(batch, texts, sure, strict=True)]
            if progress is not None:
                progress(len(found), len(samples))
    finally:
        torch.random.set_rng_state(state)
    return found


def _batches(items: Sequence[TrainingSample], size: int) -> Iterator[Sequence[TrainingSample]]:
    for start in range(0, len(items), size):
        yield items[start:start + size]


def _confidence(model: Any, processor: Any, out: Any, written: Any) -> list[float | None]:
    import torch

    logs = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
    ends = {processor.tokenizer.eos_token_id, processor.tokenizer.pad_token_id}
    opening = processor.tokenizer.get_vocab().get("<answer>")
    closing = processor.tokenizer.get_vocab().get("</answer>")
    values: list[float | None] = []
    for row, tokens in zip(logs, written.tolist(), strict=True):
        real = [i for i, token in enumerate(tokens) if token not in ends]
        inside = real
        if opening in tokens:
            start = tokens.index(opening)
            stop = tokens.index(closing, start) if closing in tokens[start:] else len(tokens)
            inside = [i for i in real if start < i < stop]
        picked = row[torch.tensor(inside, dtype=torch.long, device=row.device)] if inside else None
        values.append(None if picked is None else float(picked.double().mean().exp()))
    return values


def write_predictions(path: str | Path, predictions: Sequence[Prediction]) -> Path:
    """Write predictions as JSON lines."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(p.to_dict(), ensure_ascii=False, sort_keys=True) + "\n" for p in predictions),
                    encoding="utf-8")
    return file


def read_predictions(path: str | Path) -> list[Prediction]:
    """Read predictions (rows with ``id`` and ``text``; ``confidence`` and ``condition`` if known).

    Raises:
        InputError: no such file, or a row without id and text.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"no prediction file {file}", hint="pathkg-train generate writes one")
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            found.append(Prediction(str(record["id"]), str(record["text"]), record.get("confidence"),
                                    record.get("condition") or "slide"))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"{file}, line {number}: not a prediction ({type(error).__name__}: {error})",
                             hint="a row needs id and text") from error
    return found
