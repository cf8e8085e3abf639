"""Candidates by sentence embeddings: an optional last resort for phrases that share no word with a form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pathkg.linking.lexicon import Lexicon


class DenseIndex:
    """Nearest forms by sentence embeddings: an optional last resort for phrases that share no word with a form.

    Args:
        lexicon: whose forms are embedded (once, kept in ``cache`` as ``.npy`` when given).
        model: path of a sentence-embedding model folder for ``transformers``.
        embed: instead of a model, a function from texts to an (n, d) float array.
    """

    def __init__(self, lexicon: Lexicon, *, model: str | None = None,
                 embed: Callable[[Sequence[str]], Any] | None = None, threshold: float = 0.8) -> None:
        self.lexicon = lexicon
        self.threshold = threshold
        self._embed = embed or _transformer(str(model))
        self._keys: list[str] | None = None
        self._matrix: Any = None

    def nearest(self, text: str, *, limit: int = 3) -> list[tuple[str, float]]:
        """``(form key, cosine)`` of the nearest forms above the threshold."""
        if self._keys is None:
            self._keys = sorted(self.lexicon.forms.keys())
            self._matrix = _unit(np.asarray(self._embed(self._keys), np.float32))
        scores = self._matrix @ _unit(np.asarray(self._embed([text]), np.float32))[0]
        order = np.argsort(-scores, kind="stable")[:limit]
        return [(self._keys[i], float(scores[i])) for i in order if scores[i] >= self.threshold]


def _unit(matrix: Any) -> Any:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


def _transformer(model: str) -> Callable[[Sequence[str]], Any]:
    from pathkg.errors import MissingExtraError

    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError.for_extra("transformers", "train") from error
    tokenizer = AutoTokenizer.from_pretrained(model)
    encoder = AutoModel.from_pretrained(model).eval()

    def embed(texts: Sequence[str]) -> Any:
        rows = []
        with torch.inference_mode():
            for start in range(0, len(texts), 64):
                batch = tokenizer(list(texts[start:start + 64]), padding=True, truncation=True, return_tensors="pt")
                hidden = encoder(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1)
                rows.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
        return np.concatenate(rows)

    return embed
