"""Candidates by sentence embeddings: an optional last resort for phrases that share no word with a form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pathkg.linking.lexicon import KINDS, Lexicon

_NAME = KINDS.index("name")


class DenseIndex:
    """Nearest names by sentence embeddings.

    The names of the nodes are embedded at the first question, one vector each; with ``cache`` they are kept there, by
    the lexicon's content and the model's path, and mapped the next time.

    Args:
        lexicon: whose names are embedded.
        model: path of a sentence-embedding model folder for ``transformers`` (mean pooling).
        embed: instead of a model, a function from texts to an (n, d) float array.
        threshold: least cosine of a candidate.
        cache: folder for the vectors.
    """

    def __init__(self, lexicon: Lexicon, *, model: str | None = None, embed: Callable[[Sequence[str]], Any] | None = None,
                 threshold: float = 0.75, cache: Path | None = None) -> None:
        self.lexicon = lexicon
        self.threshold = threshold
        self.cache = cache / f"dense-{_mark(lexicon, model or '')}.npy" if cache else None
        self._embed = embed or _transformer(str(model))
        self._keys: list[str] | None = None
        self._matrix: Any = None

    def nearest(self, text: str, *, limit: int = 3) -> list[tuple[str, float]]:
        """``(form key, cosine)`` of the nearest names above the threshold."""
        return self.nearest_many([text], limit=limit)[0]

    def nearest_many(self, texts: Sequence[str], *, limit: int = 3) -> list[list[tuple[str, float]]]:
        """As :meth:`nearest` for several texts, which are embedded together."""
        if self._keys is None:
            self._matrix = self._vectors(keys := self._names())
            self._keys = keys
        found = []
        for vector in _unit(np.asarray(self._embed(texts), np.float32)) if texts else ():
            scores = self._matrix @ vector
            order = np.argsort(-scores, kind="stable")[:limit]
            found.append([(self._keys[i], float(scores[i])) for i in order if scores[i] >= self.threshold])
        return found

    def _names(self) -> list[str]:
        lexicon = self.lexicon
        return sorted(key for key, key_id in lexicon.forms.iteritems()
                      if lexicon.entry_kind[int(lexicon.key_start[key_id])] == _NAME)

    def _vectors(self, keys: list[str]) -> Any:
        if self.cache is not None and self.cache.is_file():
            return np.load(self.cache, mmap_mode="r")
        matrix = _unit(np.asarray(self._embed(keys), np.float32))
        if self.cache is not None:
            self.cache.parent.mkdir(parents=True, exist_ok=True)
            working = self.cache.with_suffix(".part.npy")
            np.save(working, matrix)
            working.replace(self.cache)
        return matrix


def _mark(lexicon: Lexicon, model: str) -> str:
    return hashlib.sha256(f"{lexicon.graph_hash}\t{lexicon.n_keys}\t{model}".encode()).hexdigest()[:16]


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
        # texts of one length together: padding would cost more than the words
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows: list[Any] = []
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                batch = tokenizer([texts[i] for i in order[start:start + 64]], padding=True, truncation=True, return_tensors="pt")
                hidden = encoder(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1)
                rows.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
        return np.concatenate(rows)[np.argsort(np.array(order), kind="stable")]

    return embed
