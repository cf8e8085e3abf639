"""Samples to SFT rows: masked trajectories, whole trajectories and pseudo-bags, mixed by ratio."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from model.data.masking import MaskedText, Span, prefix_variants
from model.data.prompts import SYSTEM_PROMPT, completion_text, prompt_text
from model.data.pseudobags import EPSILON, MU, TAU, draw_cluster, drop_probabilities, eligible_clusters
from model.data.samples import TrainingSample
from pathkg.errors import InputError, PathkgError
from pathkg.trajectory import Trajectory

RowKind = Literal["masked", "full", "pseudo"]
KINDS: tuple[RowKind, ...] = ("masked", "full", "pseudo")
"""(masked trajectory, full bag), (full trajectory, full bag), (full trajectory, pseudo-bag)."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known about the clusters of one bag, for one sample.

    Attributes:
        labels: file of the cluster of each patch (``.npy``, in the file's order).
        clusters: the labels themselves.
        delta: Δ_c for each cluster.
    """

    labels: str
    clusters: tuple[int, ...]
    delta: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One SFT row, in TRL's prompt-completion form. ``images`` holds one bag or none."""

    prompt: str
    completion: str
    images: tuple[str, ...]
    kind: RowKind
    sample: str

    def to_dict(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "completion": self.completion, "images": list(self.images)}


def quotas(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """``total`` split by ``shares``, largest remainders first; the parts sum to ``total``.

    Example:
        >>> quotas(10, {"masked": 1, "full": 1, "pseudo": 2})
        {'masked': 3, 'full': 2, 'pseudo': 5}
    """
    weight = sum(shares.values())
    exact = {name: total * share / weight for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    order = sorted(shares, key=lambda name: (-(exact[name] - counts[name]), list(shares).index(name)))
    for name in order[:total - sum(counts.values())]:
        counts[name] += 1
    return counts


def rng_for(seed: int, *words: str | int) -> np.random.Generator:
    """A generator of its own for this seed and these words, whatever was drawn before."""
    return np.random.default_rng([seed, *(zlib.crc32(str(word).encode()) for word in words)])


def checked_trajectories(samples: Sequence[TrainingSample]) -> dict[str, Trajectory]:
    """The trajectory of every sample, by id.

    Raises:
        InputError: naming the first sample without one and how many there are.
    """
    found, broken = {}, []
    for sample in samples:
        try:
            found[sample.id] = sample.trajectory
        except PathkgError as error:
            broken.append((sample.id, error.message))
    if broken:
        raise InputError(f"{len(broken)} of {len(samples)} samples have no readable trajectory; first "
                         f"{broken[0][0]!r}: {broken[0][1]}",
                         hint="SFT needs a text with the three blocks; captions go to pathkg-train pretrain")
    return found


def build_rows(samples: Sequence[TrainingSample], processor: Any, *, mix: Mapping[str, float], seed: int,
               rows: int | None = None, mask_share: float = 0.0,
               spans: Callable[[Trajectory], list[list[Span]]] | None = None,
               priors: Mapping[str, Prior] | None = None, mu: float = MU, tau: float = TAU, epsilon: float = EPSILON,
               system_prompt: str = SYSTEM_PROMPT, question: str | None = None) -> tuple[list[Row], Counter[str]]:
    """The rows of one pass, shuffled by ``seed``.

    Args:
        samples: with trajectories.
        processor: its chat template renders the prompts.
        mix: share of each of :data:`KINDS`.
        seed: same seed, same rows.
        rows: how many; one per sample and kind with a share when ``None``.
        mask_share: see :func:`model.data.masking.prefix_variants`.
        spans: gives the entity spans of a trajectory's steps; needed when ``mask_share`` is above 0.
        priors: by sample id; needed when ``mix`` has pseudo-bags.
        mu: see :mod:`model.data.pseudobags`.
        tau: likewise.
        epsilon: likewise.
        system_prompt: see :mod:`model.data.prompts`.
        question: likewise.

    Returns:
        The rows, and counts by kind (``pseudo without cluster`` counts bags no cluster of which may be removed;
        they are used whole).
    """
    shares: dict[str, float] = {kind: float(mix.get(kind, 0.0)) for kind in KINDS if mix.get(kind, 0.0) > 0}
    trajectories = checked_trajectories(samples)
    counts = quotas(rows or len(samples) * len(shares), shares)
    counted: Counter[str] = Counter()
    built: list[Row] = []

    def row(sample: TrainingSample, text: MaskedText, image: str, kind: RowKind) -> Row:
        counted[kind] += 1
        prompt = prompt_text(processor, sample, system_prompt=system_prompt, question=question, given=text.given)
        return Row(prompt, completion_text(processor, text.target), (image,) if image else (), kind, sample.id)

    whole = {s.id: MaskedText("", trajectories[s.id].render(), 1) for s in samples}
    for kind, count in counts.items():
        pool: list[tuple[TrainingSample, int]] = [(s, m) for s in samples for m in
                                                  range(len(trajectories[s.id].steps) if kind == "masked" else 1)]
        for turn, (sample, variant) in enumerate(_cycle(pool, count, rng_for(seed, kind))):
            rng = rng_for(seed, kind, sample.id, turn)
            if kind == "masked":
                trajectory = trajectories[sample.id]
                entities = spans(trajectory) if spans is not None and mask_share else None
                text = prefix_variants(trajectory, entities=entities, mask_share=mask_share, rng=rng)[variant]
                built.append(row(sample, text, sample.image, "masked"))
            elif kind == "full":
                built.append(row(sample, whole[sample.id], sample.image, "full"))
            else:
                image = pseudo_bag(sample, (priors or {}).get(sample.id), rng, mu=mu, tau=tau, epsilon=epsilon)
                counted["pseudo without cluster"] += image == sample.image
                built.append(row(sample, whole[sample.id], image, "pseudo"))
    order = rng_for(seed, "order").permutation(len(built))
    return [built[i] for i in order], +counted


def pseudo_samples(samples: Sequence[TrainingSample], *, mix: Mapping[str, float], seed: int,
                   rows: int | None = None) -> list[TrainingSample]:
    """The samples that :func:`build_rows` with the same arguments makes pseudo-bags of, each once, in file order.

    Priors are measured for these only.
    """
    shares: dict[str, float] = {kind: float(mix.get(kind, 0.0)) for kind in KINDS if mix.get(kind, 0.0) > 0}
    count = quotas(rows or len(samples) * len(shares), shares).get("pseudo", 0)
    drawn = {s.id for s, _ in _cycle([(s, 0) for s in samples], count, rng_for(seed, "pseudo"))}
    return [s for s in samples if s.id in drawn]


def pseudo_bag(sample: TrainingSample, prior: Prior | None, rng: np.random.Generator, *, mu: float = MU,
               tau: float = TAU, epsilon: float = EPSILON) -> str:
    """The bag of ``sample`` without one drawn cluster, as a reference string; the whole bag when none may go."""
    if prior is None:
        return sample.image
    allowed = eligible_clusters(np.asarray(prior.clusters), epsilon=epsilon)
    if allowed.size == 0:
        return sample.image
    dropped = draw_cluster(drop_probabilities(prior.delta, allowed, mu=mu, tau=tau), rng)
    return f"{sample.image}#without={dropped}&clusters={prior.labels}"


def _cycle(pool: Sequence[tuple[TrainingSample, int]], count: int,
           rng: np.random.Generator) -> list[tuple[TrainingSample, int]]:
    """``count`` items of ``pool``, each used as often as any other (give or take one), in random order."""
    drawn: list[tuple[TrainingSample, int]] = []
    while len(drawn) < count:
        drawn += [pool[i] for i in rng.permutation(len(pool))]
    return drawn[:count]
