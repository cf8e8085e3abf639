"""Alignment by words: slide tokens learn to point at the words of their caption before the language model is run.

For a bag with slide tokens p_1 … p_T (behind the projector), and every word piece v of a candidate vocabulary with its
embedding e_v in the language model (both taken from the mean embedding and scaled to length one),

    score_v = log mean_t exp(κ · p_t · e_v)

and the loss is the cross-entropy between softmax(score) and the word pieces of the caption, each weighted by
log(captions / captions that hold it): a piece that stands in every caption says nothing about a slide and weighs
nothing. One token is free to explain "keratin" and another "pearl": the mean over tokens asks only that some token does.

The language model is not run, only its embedding table is read, so a step takes milliseconds where a step through the
language model takes seconds. Afterwards the slide tokens lie among the embeddings of the words they stand for, and
what is left to learn is to read them out, which language models do with words all the time. The idea that the two
sides are brought together before the language model is run is that of BLIP-2's first stage (Li et al. 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, log, pi
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from model.data.samples import TrainingSample
from model.training.config import AlignSection
from model.training.launch import finished, mark_finished, on_main
from model.training.parts import best_device, memory_guard
from model.training.rows import rng_for
from model.vlm.processor import pad_bags
from pathkg.errors import DialectError, InputError

SCALE = 20.0
"""κ: how sharply a slide token has to point."""

NEGATIVES = 2048
"""Word pieces of the whole vocabulary, drawn at random, that no caption holds and no slide token may point at."""

CHECKED = 64
"""Held-back samples that are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The candidate vocabulary.

    Attributes:
        ids: word pieces: first those of the captions, then the random others.
        weights: their weights in a caption, shape (V,); zero for the others.
        places: word piece -> row.
    """

    ids: list[int]
    weights: Tensor
    places: dict[int, int]

    def targets(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """For each caption the wanted distribution over the vocabulary, shape (B, V); zero throughout where a caption
        holds no telling word."""
        wanted = torch.zeros(len(rows), len(self.ids))
        for number, pieces in enumerate(rows):
            for piece in set(pieces):
                place = self.places.get(piece)
                if place is not None:
                    wanted[number, place] = self.weights[place]
        return wanted / wanted.sum(dim=1, keepdim=True).clamp(min=1e-12)


def told(sample: TrainingSample) -> str:
    """What is said about the slide: the caption, else what the trajectory observes and answers."""
    if sample.caption:
        return sample.caption
    if not sample.text:
        return ""
    try:
        trajectory = sample.trajectory
    except DialectError:
        return ""
    return f"{trajectory.observe} {trajectory.answer}"


def pieces_of(samples: Sequence[TrainingSample], tokenizer: Any) -> list[list[int]]:
    """The word pieces of each sample's words, as they stand in the middle of a text."""
    return [list(tokenizer(" " + told(s), add_special_tokens=False)["input_ids"]) for s in samples]


def lexicon(rows: Sequence[Sequence[int]], vocabulary: int, *, seed: int) -> Lexicon:
    """The vocabulary of these captions with random others.

    Raises:
        InputError: every caption says the same.
    """
    counts = Counter(piece for row in rows for piece in set(row))
    known = sorted(counts)
    weights = [log(len(rows) / counts[piece]) for piece in known]
    if not any(weights):
        raise InputError("the captions all hold the same words, so there is nothing to align with",
                         hint="give captions that differ between slides, or leave 'align' out")
    drawn = rng_for(seed, "align", "negatives").choice(vocabulary, size=min(NEGATIVES, vocabulary), replace=False)
    others = sorted({int(piece) for piece in drawn} - set(known))
    ids = [*known, *others]
    return Lexicon(ids, torch.tensor([*weights, *([0.0] * len(others))]), {piece: i for i, piece in enumerate(ids)})


def align(vlm: Any, processor: Any, samples: Sequence[TrainingSample], held_back: Sequence[TrainingSample],
          section: AlignSection, *, folder: Path, seed: int, resume: bool = True) -> dict[str, Any]:
    """Train encoder and projector of ``vlm`` in place; the result is kept in ``folder`` and read from there by a
    second run.

    Args:
        vlm: the slide VLM; its language model is not touched.
        processor: its processor.
        samples: those with a bag and words are used.
        held_back: measured before and after.
        section: steps, batch size, rate.
        folder: gets ``slide.safetensors``, ``done.json`` and ``log.jsonl``.
        seed: same seed, same weights.
        resume: use what lies in ``folder``.

    Returns:
        Figures: losses by step, and before and after the share of the ``top`` best words of a held-back bag that its
        caption holds.

    Raises:
        InputError: no sample has a bag and words.
    """
    from safetensors.torch import load_file, save_file

    file = folder / "slide.safetensors"
    done = finished(folder)
    if resume and done is not None and file.is_file():
        _slide_side(vlm).load_state_dict(load_file(file))
        return done
    used = [s for s in samples if s.image and told(s)]
    if not used:
        raise InputError("no sample has both a bag and words about it", hint="rows need 'image', and 'caption' or 'text'; "
                                                                             "or leave 'align' out")
    with memory_guard():
        figures = _train(vlm.to(best_device()), processor, used, [s for s in held_back if s.image and told(s)][:CHECKED],
                         section, seed)
    if on_main():
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in _slide_side(vlm).state_dict().items()}, file)
    mark_finished(folder, figures)
    return figures


def _slide_side(vlm: Any) -> torch.nn.ModuleDict:
    return torch.nn.ModuleDict({"slide_encoder": vlm.model.slide_encoder, "projector": vlm.model.projector})


def _train(vlm: Any, processor: Any, samples: Sequence[TrainingSample], held_back: Sequence[TrainingSample],
           section: AlignSection, seed: int) -> dict[str, Any]:
    table = vlm.get_input_embeddings().weight.detach()
    rows = pieces_of(samples, processor.tokenizer)
    words = lexicon(rows, len(table), seed=seed)
    centre = table.float().mean(dim=0)
    candidates = functional.normalize(table[torch.tensor(words.ids, device=table.device)].float() - centre, dim=-1)
    parameters = list(_slide_side(vlm).parameters())
    was = [(p, p.requires_grad) for p in parameters]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=section.learning_rate, weight_decay=0.01)
    checks = pieces_of(held_back, processor.tokenizer)
    before = _precision(vlm, processor, held_back, checks, words, candidates, centre, section)
    vlm.train()
    history = []
    for step in range(section.steps):
        # a sample is used as often as any other: every epoch is a new order
        epoch, start = divmod(step * section.batch_size, len(samples))
        order = [*rng_for(seed, "align", epoch).permutation(len(samples)),
                 *rng_for(seed, "align", epoch + 1).permutation(len(samples))]
        batch = [int(i) for i in order[start:start + section.batch_size]]
        wanted = words.targets([rows[i] for i in batch]).to(table.device)
        scores = _scores(vlm, processor, [samples[i] for i in batch], candidates, centre)
        loss = -(wanted * scores.log_softmax(dim=-1)).sum(dim=1).mean()
        rate = min(1.0, (step + 1) / max(1, section.warmup_steps)) * (0.5 + 0.5 * cos(pi * step / section.steps))
        for group in optimizer.param_groups:
            group["lr"] = section.learning_rate * rate
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step == 0 or (step + 1) % section.logging_steps == 0 or step + 1 == section.steps:
            history.append({"step": step + 1, "align_loss": float(loss.detach())})
    vlm.eval()
    for parameter, flag in was:
        parameter.requires_grad_(flag)
    after = _precision(vlm, processor, held_back, checks, words, candidates, centre, section)
    return {"history": history, "samples": len(samples), "vocabulary": len(words.ids), "top": section.top,
            "held_back": len(held_back), "precision_before": before, "precision_after": after}


def _scores(vlm: Any, processor: Any, samples: Sequence[TrainingSample], candidates: Tensor, centre: Tensor) -> Tensor:
    """Shape (B, V)."""
    values, mask = pad_bags([processor.bag(s.image) for s in samples])
    encoded = vlm.model.encode_slides(values.to(centre.device), mask.to(centre.device))
    tokens = functional.normalize(vlm.model.projector(encoded.tokens).float() - centre, dim=-1)
    pointed = (tokens @ candidates.T * SCALE).masked_fill(~encoded.mask.unsqueeze(-1), float("-inf"))
    scores: Tensor = pointed.logsumexp(dim=1) - encoded.mask.sum(dim=1, keepdim=True).log()
    return scores


@torch.no_grad()
def _precision(vlm: Any, processor: Any, samples: Sequence[TrainingSample], rows: Sequence[Sequence[int]],
               words: Lexicon, candidates: Tensor, centre: Tensor, section: AlignSection) -> float | None:
    """Of the ``top`` best words of each bag, the share that its caption holds and not every caption; ``None`` without
    held-back samples."""
    if not samples:
        return None
    vlm.eval()
    hits = []
    for start in range(0, len(samples), section.batch_size):
        best = _scores(vlm, processor, samples[start:start + section.batch_size], candidates, centre).topk(section.top).indices
        # a word of every caption is no hit: it says nothing about this bag
        hits += [words.ids[place] in set(row) and bool(words.weights[place]) for row, places in zip(rows[start:], best.tolist(), strict=False)
                 for place in places]
    return sum(hits) / len(hits)
