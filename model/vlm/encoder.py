"""The slide encoder: patch features and places in, slide tokens out."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from model.vlm.attention import dilated_attention
from model.vlm.config import POSITION_CHANNELS, SlideEncoderConfig

REFERENCE_MAGNIFICATION = 20.0
"""Magnifications are told to the model as log2 of their ratio to this one."""


POSITION_SCALE = 0.1
"""Size of the position code at the start, where the features have size 1. At 1 the places, which say little, drown the
features, which say what there is, and a model learns the text and never the slide (seen in the demo's world)."""


@dataclass(frozen=True, slots=True)
class SlideTokens:
    """What the encoder gives.

    Attributes:
        tokens: shape (B, T, hidden).
        mask: bool, shape (B, T): which tokens exist. A row without a bag has none.
        attention: shape (B, T, N): how much each token took from each patch, rows sum to 1; ``None`` when every
            patch is a token of its own.
    """

    tokens: Tensor
    mask: Tensor
    attention: Tensor | None


def position_code(grid: Tensor, width: int) -> Tensor:
    """Sine-cosine code of 2-D places, shape (..., width); half of it for x, half for y.

    Wavelengths run from one patch to 10,000 patches, as in Vaswani et al. 2017 for words.

    Example:
        >>> position_code(torch.zeros(1, 2), 8).tolist()
        [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]]
    """
    quarter = width // 4
    rates = torch.exp(torch.arange(quarter, device=grid.device, dtype=torch.float32) * (-log(10_000.0) / quarter))
    angles = grid.float().unsqueeze(-1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)


class _Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, config: SlideEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        batch, n, width = hidden.shape
        heads = self.config.num_heads
        q, k, v = self.query_key_value(hidden).view(batch, n, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        mixed = dilated_attention(q, k, v, mask, segment_lengths=self.config.segment_lengths,
                                  dilation_rates=self.config.dilation_rates, max_scores=self.config.segment_chunk)
        return self.output(mixed.transpose(1, 2).reshape(batch, n, width))


def _mlp(config: SlideEncoderConfig) -> nn.Sequential:
    inner = int(config.hidden_size * config.mlp_ratio)
    return nn.Sequential(nn.Linear(config.hidden_size, inner), nn.GELU(), nn.Dropout(config.dropout),
                         nn.Linear(inner, config.hidden_size))


class DilatedBlock(GradientCheckpointingLayer):  # type: ignore[misc]
    """Pre-norm block with dilated attention."""

    def __init__(self, config: SlideEncoderConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden_size)
        self.attention = _Attention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size)
        self.mlp = _mlp(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        hidden = hidden + self.dropout(self.attention(self.attention_norm(hidden), mask))
        return hidden + self.dropout(self.mlp(self.mlp_norm(hidden)))


class CrossAttentionPool(nn.Module):  # type: ignore[misc]
    """Learned latents read the bag once: Perceiver's cross attention (Jaegle et al. 2021)."""

    def __init__(self, config: SlideEncoderConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.latent_norm = nn.LayerNorm(config.hidden_size)
        self.bag_norm = nn.LayerNorm(config.hidden_size)
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key_value = nn.Linear(config.hidden_size, 2 * config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.mlp_norm = nn.LayerNorm(config.hidden_size)
        self.mlp = _mlp(config)

    def forward(self, latents: Tensor, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        batch, n, width = hidden.shape
        size = width // self.heads
        q = self.query(self.latent_norm(latents)).view(batch, -1, self.heads, size).transpose(1, 2)
        k, v = self.key_value(self.bag_norm(hidden)).view(batch, n, 2, self.heads, size).permute(2, 0, 3, 1, 4)
        scores = (q.float() @ k.float().transpose(-1, -2)) * size ** -0.5
        scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        read = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(batch, -1, width)
        latents = latents + self.output(read)
        return latents + self.mlp(self.mlp_norm(latents)), weights.mean(dim=1)


class GatedAttentionPool(nn.Module):  # type: ignore[misc]
    """ABMIL's gated attention (Ilse, Tomczak and Welling 2018, equation 9), one set of weights per token."""

    def __init__(self, config: SlideEncoderConfig, num_tokens: int) -> None:
        super().__init__()
        inner = config.hidden_size // 2
        self.norm = nn.LayerNorm(config.hidden_size)
        self.signal = nn.Linear(config.hidden_size, inner)
        self.gate = nn.Linear(config.hidden_size, inner)
        self.score = nn.Linear(inner, num_tokens)

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(hidden)
        scores = self.score(torch.tanh(self.signal(hidden)) * torch.sigmoid(self.gate(hidden)))
        scores = scores.float().transpose(1, 2).masked_fill(~mask[:, None, :], torch.finfo(torch.float32).min)
        weights = scores.softmax(dim=-1)
        return weights.to(hidden.dtype) @ hidden, weights


class SlideEncoder(nn.Module):  # type: ignore[misc]
    """``pixel_values`` (B, N, D + 3) and ``mask`` (B, N) to :class:`SlideTokens`."""

    def __init__(self, config: SlideEncoderConfig) -> None:
        super().__init__()
        self.config = config
        width, tokens = config.hidden_size, config.num_tokens
        self.feature_norm = nn.LayerNorm(config.feature_dim)
        self.embed = nn.Linear(config.feature_dim, width)
        self.embed_norm = nn.LayerNorm(width)
        self.position_scale = nn.Parameter(torch.tensor(POSITION_SCALE))
        self.magnification = nn.Linear(2, width)
        self.layers = nn.ModuleList()
        self.latents: nn.Parameter | None = None
        self.pool: nn.Module | None = None
        if config.kind == "dilated":
            self.layers.extend(DilatedBlock(config) for _ in range(config.num_layers))
        elif config.kind == "resampler":
            self.layers.extend(CrossAttentionPool(config) for _ in range(config.num_layers))
        if config.kind == "gated_attention":
            assert tokens is not None
            self.pool = GatedAttentionPool(config, tokens)
        elif tokens is not None:
            self.latents = nn.Parameter(torch.randn(tokens, width) * 0.02)
            if config.kind != "resampler":
                self.pool = CrossAttentionPool(config)
        self.norm = nn.LayerNorm(width)

    def forward(self, pixel_values: Tensor, mask: Tensor) -> SlideTokens:
        mask = mask.bool()
        hidden = self._embed(pixel_values, mask)
        batch = len(hidden)
        some = mask.any(dim=1, keepdim=True)
        if self.config.kind == "dilated":
            for layer in self.layers:
                hidden = layer(hidden, mask)
        if self.config.num_tokens is None:
            return SlideTokens(self.norm(hidden), mask, None)
        if isinstance(self.pool, GatedAttentionPool):
            tokens, attention = self.pool(hidden, mask)
        else:
            assert self.latents is not None
            tokens = self.latents.to(hidden.dtype).unsqueeze(0).expand(batch, -1, -1)
            attention = None
            readers: list[Any] = list(self.layers) if self.config.kind == "resampler" else [self.pool]
            for reader in readers:
                tokens, attention = reader(tokens, hidden, mask)
        return SlideTokens(self.norm(tokens), some.expand(-1, self.config.num_tokens), attention)

    def _embed(self, pixel_values: Tensor, mask: Tensor) -> Tensor:
        # padding may hold anything; zero it before it meets a norm
        values = torch.where(mask.unsqueeze(-1), pixel_values, torch.zeros((), dtype=pixel_values.dtype,
                                                                           device=pixel_values.device))
        features, grid, magnification = values.split([self.config.feature_dim, 2, 1], dim=-1)
        known = magnification > 0
        ratio = torch.where(known, magnification, torch.full_like(magnification, REFERENCE_MAGNIFICATION))
        scale = torch.cat([torch.log2(ratio.float() / REFERENCE_MAGNIFICATION), known.float()], dim=-1)
        dtype = self.embed.weight.dtype
        hidden = self.embed_norm(self.embed(self.feature_norm(features.to(dtype))))
        place = self.position_scale * position_code(grid, self.config.hidden_size).to(dtype)
        return hidden + place + self.magnification(scale.to(dtype))


def check_pixel_values(pixel_values: Any, config: SlideEncoderConfig) -> None:
    """Raise when the last axis cannot be features, x, y and magnification."""
    from pathkg.errors import InputError

    if pixel_values.ndim != 3 or pixel_values.shape[-1] != config.feature_dim + POSITION_CHANNELS:
        raise InputError(
            f"pixel_values have shape {tuple(pixel_values.shape)}; this model needs (batch, patches, "
            f"{config.feature_dim} features + {POSITION_CHANNELS} for x, y and magnification)",
            hint="let the processor make them from the feature file: processor(images=..., text=...)")
