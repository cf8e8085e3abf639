"""Dilated attention over a long, masked sequence of patches.

Formula: Ding et al. 2023, LongNet, sections 2.2 and 2.3. The sequence is cut in segments of length w; within a
segment, head h takes every r-th element starting at h mod r; ordinary softmax attention runs on what is left.
Several (w, r) are mixed, each weighted by its softmax denominator, which is the same as one softmax over the
union of the attended positions with duplicates counted. For constant w the memory grows linearly with the
sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def dilated_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, *, segment_lengths: list[int],
                      dilation_rates: list[int], max_scores: int = 2 ** 24) -> Tensor:
    """Mix of segment-wise dilated attentions.

    Args:
        query: shape (B, H, N, C).
        key: shape (B, H, N, C).
        value: shape (B, H, N, C).
        mask: bool, shape (B, N): true where there is a patch. Padding stands at the end.
        segment_lengths: w of each part.
        dilation_rates: r of each part.
        max_scores: bound on the attention scores held at once.

    Returns:
        Shape (B, H, N, C). Masked rows are zero.

    Example:
        >>> q = torch.randn(1, 2, 6, 4)
        >>> dilated_attention(q, q, q, torch.ones(1, 6, dtype=torch.bool), segment_lengths=[6],
        ...                   dilation_rates=[1]).shape
        torch.Size([1, 2, 6, 4])
    """
    outputs, denominators = [], []
    for length, rate in zip(segment_lengths, dilation_rates, strict=True):
        output, log_denominator = _one_pattern(query, key, value, mask, length, rate, max_scores)
        outputs.append(output)
        denominators.append(log_denominator)
    if len(outputs) == 1:
        mixed = outputs[0]
    else:
        # a position that a pattern leaves out has log denominator -inf there, so weight zero
        stacked = torch.stack(denominators)
        top = stacked.amax(dim=0, keepdim=True).clamp(min=torch.finfo(stacked.dtype).min)
        weights = torch.exp(stacked - top)
        weights = weights / weights.sum(dim=0, keepdim=True).clamp(min=1e-20)
        mixed = sum((w.unsqueeze(-1).to(o.dtype) * o for w, o in zip(weights, outputs, strict=True)), torch.zeros_like(outputs[0]))
    return mixed * mask[:, None, :, None].to(mixed.dtype)


def _one_pattern(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, length: int, rate: int,
                 max_scores: int) -> tuple[Tensor, Tensor]:
    """One (w, r): the outputs (B, H, N, C), zero where the pattern attends nothing, and the log of the softmax
    denominators (B, H, N), float32."""
    batch, heads, n, width = query.shape
    # a segment longer than the bag is the whole bag; the next multiple of r keeps the picking regular
    length = min(length, -(-n // rate) * rate)
    n_segments = -(-n // length)
    padded = n_segments * length
    picks = _picks(heads, rate, length, query.device)  # (H, m): positions in a segment that head h attends

    def segmented(x: Tensor) -> Tensor:
        x = torch.nn.functional.pad(x, (0, 0, 0, padded - n)).view(batch, heads, n_segments, length, width)
        index = picks[None, :, None, :, None].expand(batch, heads, n_segments, -1, width)
        return torch.gather(x, 3, index)

    allowed = torch.nn.functional.pad(mask, (0, padded - n)).view(batch, 1, n_segments, length)
    allowed = torch.gather(allowed.expand(-1, heads, -1, -1), 3,
                           picks[None, :, None, :].expand(batch, heads, n_segments, -1))
    q, k, v = segmented(query), segmented(key), segmented(value)
    attended = q.shape[3]
    per_chunk = max(1, max_scores // max(1, batch * heads * attended * attended))
    parts = []
    for start in range(0, n_segments, per_chunk):
        window = slice(start, start + per_chunk)
        arguments = (q[:, :, window], k[:, :, window], v[:, :, window], allowed[:, :, window])
        if n_segments > per_chunk and torch.is_grad_enabled() and query.requires_grad:
            # the scores of a chunk are made again in the backward pass, so that only one chunk is ever held
            parts.append(checkpoint(_softmax_attention, *arguments, use_reentrant=False))
        else:
            parts.append(_softmax_attention(*arguments))
    found = torch.cat([p[0] for p in parts], dim=2)
    log_denominator = torch.cat([p[1] for p in parts], dim=2)
    if rate == 1:
        output = found.reshape(batch, heads, padded, width)[:, :, :n]
        return output, log_denominator.reshape(batch, heads, padded)[:, :, :n]
    where = picks[None, :, None, :].expand(batch, heads, n_segments, -1)
    output = found.new_zeros(batch, heads, n_segments, length, width)
    output = output.scatter(3, where.unsqueeze(-1).expand(-1, -1, -1, -1, width), found)
    logs = log_denominator.new_full((batch, heads, n_segments, length), float("-inf"))
    logs = logs.scatter(3, where, log_denominator)
    return output.reshape(batch, heads, padded, width)[:, :, :n], logs.reshape(batch, heads, padded)[:, :, :n]


def _picks(heads: int, rate: int, length: int, device: torch.device) -> Tensor:
    offsets = torch.arange(heads, device=device) % rate
    return offsets[:, None] + torch.arange(0, length, rate, device=device)[None, :]


def _softmax_attention(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    scores = (q.float() @ k.float().transpose(-1, -2)) * q.shape[-1] ** -0.5
    scores = scores.masked_fill(~allowed.unsqueeze(-2), torch.finfo(scores.dtype).min)
    log_denominator = torch.logsumexp(scores, dim=-1)
    weights = torch.exp(scores - log_denominator.unsqueeze(-1))
    # a segment of padding only has no key at all: output zero, denominator -inf
    empty = ~allowed.any(dim=-1, keepdim=True)
    weights = weights.masked_fill(empty.unsqueeze(-1), 0.0)
    return (weights.to(v.dtype) @ v), log_denominator.masked_fill(empty, float("-inf"))
