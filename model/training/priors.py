"""Δ_c for real: how much worse the model does when one cluster of patches is hidden.

Two estimators:

* ``loglik`` (default): the mean log-likelihood of the reference's entity tokens with the whole bag, minus that
  with cluster c hidden. One forward pass each.
* ``entity_score``: the entity reward of the model's own greedy answer with the whole bag, minus that with c
  hidden. One generation each.

Results are kept by content (bag, clustering, text, model, estimator) in a file that grows line by line, so that an
interrupted run goes on where it stopped and a second run pays nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from model.bags import SlideBag, load_bag
from model.data.masking import Span
from model.data.prompts import SYSTEM_PROMPT, completion_text, prompt_text
from model.data.pseudobags import cluster_patches
from model.data.samples import TrainingSample
from model.training.rows import Prior

Estimator = Literal["loglik", "entity_score"]


@dataclass(frozen=True, slots=True)
class PriorSettings:
    """How the priors are made; see :mod:`model.data.pseudobags` and this module."""

    clusters: int = 8
    seed: int = 0
    estimator: Estimator = "loglik"
    batch_size: int = 8
    max_new_tokens: int = 256
    system_prompt: str = SYSTEM_PROMPT
    question: str | None = None


@dataclass(frozen=True, slots=True)
class PriorReport:
    """How many priors were measured now, found in the cache, and left out (no bag, one cluster, nothing to score)."""

    measured: int
    cached: int
    skipped: int


def model_fingerprint(model: Any) -> str:
    """A hash that changes when any weight does (sums and absolute sums of every tensor, in double precision)."""
    seal = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().double()
        seal.update(f"{name}{tuple(tensor.shape)}{values.sum().item():.12e}{values.abs().sum().item():.12e}".encode())
    return seal.hexdigest()[:32]


def cluster_file(image: str, settings: PriorSettings, cache: Path, *, processor: Any) -> tuple[Path, SlideBag]:
    """The labels of a bag's patches (made once, kept by content) and the bag in its file's order."""
    bag = load_bag(image, feature_dim=processor.feature_dim, missing_coords=processor.missing_coords, order="given")
    seal = hashlib.sha256(np.ascontiguousarray(bag.features).tobytes()).hexdigest()[:24]
    file = cache / "clusters" / f"{seal}-k{settings.clusters}-s{settings.seed}.npy"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part.npy")
        np.save(draft, cluster_patches(bag.features, settings.clusters, seed=settings.seed))
        draft.replace(file)
    return file, bag


def measure_priors(model: Any, processor: Any, samples: Sequence[TrainingSample], *, cache: str | Path,
                   settings: PriorSettings | None = None, spans: Callable[[str], list[Span]] | None = None,
                   score: Callable[[str, TrainingSample], float | None] | None = None,
                   progress: Callable[[int, int], None] | None = None) -> tuple[dict[str, Prior], PriorReport]:
    """Priors of all samples that have a bag and a trajectory.

    Args:
        model: the slide VLM, in evaluation mode for the time of the call.
        processor: its processor.
        samples: with bags.
        cache: folder of the results and cluster labels.
        settings: see :class:`PriorSettings`.
        spans: where the entities of a text stand (``loglik``).
        score: the entity score of an answer for a sample (``entity_score``).
        progress: called with (done, all).

    Returns:
        Priors by sample id, and what was done.
    """
    settings = settings or PriorSettings()
    if settings.estimator == "loglik" and spans is None:
        raise ValueError("the loglik estimator needs spans")
    if settings.estimator == "entity_score" and score is None:
        raise ValueError("the entity_score estimator needs score")
    folder = Path(cache)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = folder / f"delta-{settings.estimator}.jsonl"
    known = _read_ledger(ledger)
    fingerprint = model_fingerprint(model)
    priors: dict[str, Prior] = {}
    measured = cached = skipped = 0
    was_training = model.training
    model.eval()
    try:
        for number, sample in enumerate(samples, 1):
            if not sample.image or not sample.text:
                skipped += 1
                continue
            file, bag = cluster_file(sample.image, settings, folder, processor=processor)
            labels = np.load(file)
            key = _key(sample, file.name, fingerprint, settings)
            delta = known.get(key)
            if delta is None:
                delta = _delta(model, processor, sample, bag, labels, settings, spans, score)
                if delta is None:
                    skipped += 1
                    continue
                measured += 1
                with ledger.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"key": key, "sample": sample.id, "delta": delta}) + "\n")
            else:
                cached += 1
            priors[sample.id] = Prior(str(file.resolve()), tuple(labels.tolist()), tuple(delta))
            if progress is not None:
                progress(number, len(samples))
    finally:
        model.train(was_training)
    return priors, PriorReport(measured, cached, skipped)


def _read_ledger(ledger: Path) -> dict[str, list[float]]:
    known: dict[str, list[float]] = {}
    if not ledger.is_file():
        return known
    for line in ledger.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a killed run may be cut short; it is measured again
        known[record["key"]] = record["delta"]
    return known


def _key(sample: TrainingSample, clusters: str, fingerprint: str, settings: PriorSettings) -> str:
    words = [clusters, fingerprint, settings.estimator, sample.ask(), settings.question or "", sample.text,
             settings.system_prompt]
    if settings.estimator == "entity_score":
        words += [sample.reference, str(settings.max_new_tokens)]
    return hashlib.sha256("\x00".join(words).encode()).hexdigest()[:32]


def _delta(model: Any, processor: Any, sample: TrainingSample, bag: SlideBag, labels: np.ndarray[Any, Any],
           settings: PriorSettings, spans: Callable[[str], list[Span]] | None,
           score: Callable[[str, TrainingSample], float | None] | None) -> list[float] | None:
    clusters = int(labels.max()) + 1
    if clusters < 2:
        return None
    bags = [bag, *(bag.take(labels != c) for c in range(clusters))]
    values: list[float | None] = []
    for batch in _batches(bags, settings.batch_size):
        if settings.estimator == "loglik":
            assert spans is not None
            values += entity_loglik(model, processor, sample, batch, spans(sample.text), settings)
        else:
            assert score is not None
            values += [score(text, sample) for text in greedy_answers(model, processor, sample, batch, settings)]
    if any(v is None for v in values):
        return None
    scores = [float(v) for v in values if v is not None]
    return [scores[0] - s for s in scores[1:]]


def _batches(items: Sequence[SlideBag], size: int) -> Iterator[Sequence[SlideBag]]:
    for start in range(0, len(items), size):
        yield items[start:start + size]


@torch.no_grad()  # type: ignore[untyped-decorator]
def entity_loglik(model: Any, processor: Any, sample: TrainingSample, bags: Sequence[SlideBag],
                  spans: Sequence[Span], settings: PriorSettings) -> list[float | None]:
    """Mean log-likelihood of the entity tokens of the sample's text, once for each bag; ``None`` without entities."""
    target = completion_text(processor, sample.text)
    words = processor.tokenizer(target, add_special_tokens=False, return_offsets_mapping=True)
    wanted = [any(start < span.end and end > span.start for span in spans) for start, end in words["offset_mapping"]]
    if not any(wanted):
        return [None] * len(bags)
    prompt = prompt_text(processor, sample, system_prompt=settings.system_prompt, question=settings.question)
    inputs = processor(images=[[bag] for bag in bags], text=[prompt] * len(bags), padding=True, padding_side="left",
                       return_tensors="pt", add_special_tokens=False)
    ids = torch.tensor(words["input_ids"]).expand(len(bags), -1)
    inputs["input_ids"] = torch.cat([inputs["input_ids"], ids], dim=1)
    inputs["attention_mask"] = torch.cat([inputs["attention_mask"], torch.ones_like(ids)], dim=1)
    inputs = inputs.to(model.device)
    hidden = model.model(**inputs, use_cache=False).last_hidden_state
    length = ids.shape[1]
    places = torch.tensor([i for i, entity in enumerate(wanted) if entity], device=hidden.device)
    # the hidden state one place before a token predicts it
    states = hidden[:, hidden.shape[1] - length - 1 + places]
    logs = torch.log_softmax(model.lm_head(states).float(), dim=-1)
    picked = logs.gather(-1, ids.to(hidden.device)[:, places].unsqueeze(-1)).squeeze(-1)
    means: list[float | None] = picked.double().mean(dim=1).tolist()
    return means


@torch.no_grad()  # type: ignore[untyped-decorator]
def greedy_answers(model: Any, processor: Any, sample: TrainingSample, bags: Sequence[SlideBag],
                   settings: PriorSettings) -> list[str]:
    """The model's greedy answer for each bag."""
    prompt = prompt_text(processor, sample, system_prompt=settings.system_prompt, question=settings.question)
    inputs = processor(images=[[bag] for bag in bags], text=[prompt] * len(bags), padding=True, padding_side="left",
                       return_tensors="pt", add_special_tokens=False).to(model.device)
    out = model.generate(**inputs, max_new_tokens=settings.max_new_tokens, do_sample=False)
    texts: list[str] = processor.batch_decode(out[:, inputs["input_ids"].shape[1]:], skip_special_tokens=True)
    return [text.strip() for text in texts]
