"""Entity-drop-guided pseudo-bags: leave out the patches that the entities of the answer hang on.

The patches of a bag are clustered; for each cluster c, Δ_c says how much worse the model does with c hidden
(:mod:`model.training.priors` measures it). One cluster is drawn with

    p_c = μ · softmax(Δ_c / τ) + (1 - μ) · uniform

over the clusters with at least max(1, ⌊ε · N⌋) patches, and is removed. Pure functions; randomness is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

MU = 0.7
"""Weight of the guided part against the uniform part."""
TAU = 1.0
"""Temperature of the softmax over Δ."""
EPSILON = 0.02
"""A cluster must hold at least this share of the patches to be drawn."""


def cluster_patches(features: NDArray[np.float32], k: int, *, seed: int = 0) -> NDArray[np.int64]:
    """k-means labels of the patches, shape (N,).

    Labels are numbered by the first patch they occur at, so that equal partitions are equal arrays. With fewer
    distinct patches than ``k`` there are fewer clusters.

    Example:
        >>> cluster_patches(np.array([[0.0], [0.1], [9.0], [9.1]], np.float32), 2).tolist()
        [0, 0, 1, 1]
    """
    from model.extras import require

    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    distinct = len(np.unique(features, axis=0))
    k = min(k, distinct)
    if k == 1:
        return np.zeros(len(features), dtype=np.int64)
    cluster: Any = require("sklearn.cluster")
    labels = cluster.KMeans(n_clusters=k, n_init=4, random_state=seed).fit_predict(features)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[inverse], dtype=np.int64)


def eligible_clusters(labels: NDArray[np.int64], *, epsilon: float = EPSILON) -> NDArray[np.int64]:
    """Clusters that may be removed: at least max(1, ⌊ε · N⌋) patches, and not the whole bag.

    Example:
        >>> eligible_clusters(np.array([0] * 60 + [1] * 39 + [2])).tolist()
        [0, 1]
    """
    clusters, counts = np.unique(labels, return_counts=True)
    least = max(1, int(np.floor(epsilon * len(labels))))
    kept: NDArray[np.int64] = clusters[(counts >= least) & (counts < len(labels))]
    return kept


def drop_probabilities(delta: ArrayLike, eligible: Sequence[int] | NDArray[np.int64], *, mu: float = MU,
                       tau: float = TAU) -> NDArray[np.float64]:
    """p_c for every cluster, zero where it is not eligible.

    Args:
        delta: Δ_c for every cluster, shape (k,).
        eligible: the clusters that may be drawn; not empty.
        mu: see :data:`MU`.
        tau: see :data:`TAU`; must be positive.

    Returns:
        Shape (k,), sums to 1.

    Raises:
        ValueError: nothing is eligible, a parameter is out of range, or an eligible Δ is not finite.

    Example:
        >>> drop_probabilities([1.0, 1.0, 5.0], [0, 1]).tolist()
        [0.5, 0.5, 0.0]
    """
    values = np.asarray(delta, dtype=np.float64)
    chosen = np.asarray(eligible, dtype=np.int64)
    if chosen.size == 0:
        raise ValueError("no cluster is eligible")
    if not 0.0 <= mu <= 1.0 or tau <= 0.0:
        raise ValueError(f"mu {mu} must lie in 0 … 1 and tau {tau} above 0")
    if not np.isfinite(values[chosen]).all():
        raise ValueError("Δ is not finite")
    scaled = values[chosen] / tau
    weights = np.exp(scaled - scaled.max())
    result = np.zeros_like(values)
    result[chosen] = mu * weights / weights.sum() + (1.0 - mu) / chosen.size
    return result


def draw_cluster(probabilities: NDArray[np.float64], rng: Generator) -> int:
    """One cluster, drawn with these probabilities."""
    return int(rng.choice(len(probabilities), p=probabilities))
