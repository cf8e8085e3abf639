"""Training data: samples, prompts, trajectory masking and pseudo-bags. Everything here is pure and seeded."""

from __future__ import annotations

from model.data.masking import MaskedText, Span, mask_entities, prefix_variants
from model.data.pseudobags import cluster_patches, draw_cluster, drop_probabilities, eligible_clusters
from model.data.samples import TrainingSample, read_samples, write_samples

__all__ = ["MaskedText", "Span", "TrainingSample", "cluster_patches", "draw_cluster", "drop_probabilities",
           "eligible_clusters", "mask_entities", "prefix_variants", "read_samples", "write_samples"]
