"""From a given span to its node: a sieve that tries the safest comparison first.

Exact key; key after small rewritings (number words, Roman numerals, "disease" for "disorder", adjectives); same
words in another order; misspelt words repaired; last, the nearest form by rapidfuzz among forms that share a rare
word; and, if a sentence-embedding model is given, its nearest forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from pathkg.linking.lexicon import KINDS, Lexicon, bag_of
from pathkg.linking.spelling import Speller
from pathkg.linking.tokens import form_key

_FUZZY_ENOUGH = 88.0
_SHORTLIST = 4000
_KIND_SCORE = {"name": 1.0, "exact": 0.97, "abbreviation": 0.9, "narrow": 0.75, "related": 0.7, "broad": 0.6}

_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7"}
_ARABIC = {number: roman for roman, number in _ROMAN.items()}
# words that names of one disease use for each other, tried in turn
_SWAPS: tuple[tuple[str, ...], ...] = (
    ("disease", "disorder", "syndrome"), ("tumor", "neoplasm", "cancer", "carcinoma"), ("malignancy", "cancer"),
    ("hereditary", "familial", "inherited"), ("deficiency", "deficient"), ("kidney", "renal"), ("liver", "hepatic"),
    ("heart", "cardiac"), ("lung", "pulmonary"), ("colon", "colonic"), ("injury", "damage"), ("failure", "insufficiency"),
    ("hemorrhage", "bleeding"), ("abnormality", "anomaly", "defect", "malformation"), ("impairment", "deficit", "loss"),
    ("dysfunction", "disorder", "disease"), ("stroke", "infarction"), ("absent", "absence", "aplasia"),
    ("small", "short", "hypoplastic"), ("large", "big"), ("retardation", "disability", "delay"), ("ovary", "ovarian"),
    ("toxicity", "toxic"), ("breast", "mammary"), ("stomach", "gastric"), ("bladder", "urinary bladder"))
_OPTIONAL = frozenset({"disease", "disorder", "syndrome", "of", "the", "type", "sporadic", "inherited", "hereditary", "familial", "human",
                       "acute", "chronic", "severe", "mild", "progressive", "classic", "classical", "typical", "primary", "isolated", "patient",
                       "congenital", "early", "onset", "recurrent", "persistent", "bilateral", "unilateral", "diffuse", "generalized"})


def _wordings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    lines = Path(__file__).with_name("wordings.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        said, listed = map(form_key, line.split("\t"))
        found[said] = (*found.get(said, ()), listed)
    return found


_WORDINGS = _wordings()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that a span may mean, with a score in [0, 1] and how it was found."""

    node: int
    score: float
    form: str
    how: str


class Grounder:
    """Looks one span up in a lexicon."""

    def __init__(self, lexicon: Lexicon, speller: Speller, *, dense: Any | None = None) -> None:
        self.lexicon = lexicon
        self.speller = speller
        self.dense = dense
        self._cache: dict[str, tuple[Candidate, ...]] = {}

    def candidates(self, span: str, *, limit: int = 5) -> tuple[Candidate, ...]:
        """Nodes that ``span`` may mean, the best first; empty when nothing is near enough."""
        key = form_key(span)
        found = self._cache.get(key)
        if found is None:
            found = tuple(self._search(key))
            if len(self._cache) > 50_000:
                self._cache.clear()
            self._cache[key] = found
        return found[:limit]

    def _search(self, key: str) -> list[Candidate]:
        words = [w for w in key.split(" ") if w and (w[0].isalnum())]
        if not words:
            return []
        for step in (self._exact, self._reworded, self._rewritten, self._reordered, self._repaired, self._shortened, self._fuzzy, self._embedded):
            found = step(words)
            if found:
                return sorted(found, key=lambda c: (-c.score, c.node))
        return []

    def _owners(self, key: str, factor: float, how: str) -> list[Candidate]:
        key_id = self.lexicon.forms.get(key, -1)
        if key_id < 0:
            return []
        return [Candidate(node, factor * _KIND_SCORE[KINDS[kind]], key, how)
                for node, kind, _ in self.lexicon.entries(key_id)]

    def _exact(self, words: Sequence[str]) -> list[Candidate]:
        return self._owners(" ".join(words), 1.0, "exact")

    def _reworded(self, words: Sequence[str]) -> list[Candidate]:
        """Usual wordings that no ontology lists ("nephrotoxicity" for a kidney disorder)."""
        for other in _WORDINGS.get(" ".join(words), ()):
            found = self._owners(other, 0.9, "usual wording")
            if found:
                return found
        return []

    def _rewritten(self, words: Sequence[str]) -> list[Candidate]:
        for other in _rewritings(words):
            found = self._owners(" ".join(other), 0.93, "rewritten") or self._by_bag(other, 0.92, "rewritten, words reordered")
            if found:
                return found
        return []

    def _by_bag(self, words: Sequence[str], factor: float, how: str) -> list[Candidate]:
        found = []
        for key_id in self.lexicon.keys_of_bag(bag_of(words)):
            key = self.lexicon.forms.restore_key(key_id)
            found += [Candidate(node, factor * _KIND_SCORE[KINDS[kind]], key, how)
                      for node, kind, _ in self.lexicon.entries(key_id)]
        return found

    def _reordered(self, words: Sequence[str]) -> list[Candidate]:
        return self._by_bag(words, 0.95, "words reordered")

    def _repaired(self, words: Sequence[str]) -> list[Candidate]:
        repaired, similarity = [], 1.0
        for word in words:
            fixed = None if self.speller.knows(word) else self.speller.repair(word)
            repaired.append(fixed[0] if fixed else word)
            similarity *= fixed[1] if fixed else 1.0
        if similarity == 1.0:
            return []
        return (self._owners(" ".join(repaired), similarity, "spelling repaired")
                or self._by_bag(repaired, similarity * 0.95, "spelling repaired, words reordered"))

    def _shortened(self, words: Sequence[str]) -> list[Candidate]:
        kept = [w for w in words if w not in _OPTIONAL]
        if not kept or len(kept) == len(words):
            kept = list(words)
        for tail in ("", "disease", "syndrome"):
            other = [*kept, tail] if tail else kept
            found = self._owners(" ".join(other), 0.85, "without a side word") or self._by_bag(other, 0.83, "without a side word")
            if found:
                return found
        # the first words qualify the last: drop them one by one
        for start in range(1, len(words) - 1):
            found = self._owners(" ".join(words[start:]), 0.8, "the end of the phrase")
            if found:
                return found
        return []

    def _fuzzy(self, words: Sequence[str]) -> list[Candidate]:
        keys = self.lexicon.keys_with_rare_word(words, _SHORTLIST)
        if not keys:
            return []
        query = " ".join(sorted(words))
        best = process.extract(query, keys, scorer=fuzz.token_sort_ratio, score_cutoff=_FUZZY_ENOUGH, limit=3)
        found = []
        for form, score, _ in best:
            found += self._owners(form, score / 100 * 0.9, f"near {form!r} ({score:.0f})")
        return found

    def _embedded(self, words: Sequence[str]) -> list[Candidate]:
        if self.dense is None:
            return []
        return [c for form, score in self.dense.nearest(" ".join(words)) for c in self._owners(form, score, f"embedding of {form!r}")]


def _rewritings(words: Sequence[str]) -> Iterator[list[str]]:
    """Other ways to write a name, one change at a time, then two."""
    seen = {tuple(words)}
    level: list[list[str]] = [list(words)]
    for _ in range(2):
        following = []
        for current in level:
            for other in _one_change(current):
                if tuple(other) not in seen:
                    seen.add(tuple(other))
                    following.append(other)
                    yield other
        level = following[:60]


def _one_change(words: list[str]) -> Iterator[list[str]]:
    for i, word in enumerate(words):
        number = _ROMAN.get(word) or _ARABIC.get(word)
        if number and len(words) > 1:
            yield [*words[:i], number, *words[i + 1:]]
        for group in _SWAPS:
            if word in group:
                for other in group:
                    if other != word:
                        yield [*words[:i], *other.split(" "), *words[i + 1:]]
        if word == "type" and len(words) > 2:
            yield [*words[:i], *words[i + 1:]]
        if len(word) > 6:
            for ending, others in _ENDINGS:
                if word.endswith(ending):
                    for other in others:
                        yield [*words[:i], word[:-len(ending)] + other, *words[i + 1:]]


_ENDINGS = (("emic", ("emia",)), ("emia", ("emic",)), ("ous", ("us", "osis", "oma")), ("itic", ("itis",)), ("otic", ("osis",)),
            ("osis", ("otic",)), ("ic", ("y", "ia", "")), ("al", ("", "e")), ("ia", ("ic",)), ("ed", ("", "ion", "e")), ("ing", ("", "ed", "ion")),
            ("ation", ("ed",)), ("oid", ("oidosis",)), ("ectatic", ("ectasia",)), ("plastic", ("plasia",)), ("trophic", ("trophy",)),
            ("pathic", ("pathy",)), ("genetic", ("genic",)))


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


def clean_span(span: str) -> str:
    """A span without brackets and stray signs around it."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", span)
