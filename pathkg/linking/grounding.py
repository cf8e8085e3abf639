"""From a given span to its node: a sieve that tries the safest comparison first.

Exact key; key after small rewritings (number words, Roman numerals, "disease" for "disorder", adjectives); same
words in another order; misspelt words repaired; last, the nearest form by rapidfuzz among forms that share a rare
word; and, if a sentence-embedding model is given, its nearest forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from pathkg.linking.calibration import probability
from pathkg.linking.lexicon import KINDS, Lexicon, bag_of
from pathkg.linking.spelling import Speller
from pathkg.linking.tokens import form_key
from pathkg.linking.variants import VariantIndex, is_head

_FUZZY_ENOUGH = 88.0
_SHORTLIST = 4000
_VARIANT_ENOUGH = 0.6
_NOUN_LENGTH = 4
_NOUN_ENOUGH = 0.75
_FINDING_STEP = 0.05
"""A disease called so comes before a finding named so."""
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


WORDINGS = _wordings()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that a span may mean, with a score in [0, 1] that orders candidates, and how it was found."""

    node: int
    score: float
    form: str
    how: str

    @property
    def probability(self) -> float:
        """How often a best candidate found this way with this score was right on annotated abstracts."""
        return probability(self.how, self.score)


class Grounder:
    """Looks one span up in a lexicon."""

    def __init__(self, lexicon: Lexicon, speller: Speller, *, dense: Any | None = None,
                 second: Callable[[int], bool] = lambda node: False) -> None:
        self.lexicon = lexicon
        self.speller = speller
        self.dense = dense
        self._second = second
        self.variants = VariantIndex(lexicon)
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

    def noun_of(self, adjective: str) -> Candidate | None:
        """The node named by the noun of an adjective alone ("hypotensive": hypotension), else ``None``."""
        found = self._rewritten([adjective]) or self._varied([adjective])
        single = [c for c in found if " " not in c.form and c.score >= _NOUN_ENOUGH]
        return min(single, key=lambda c: (_FINDING_STEP * self._second(c.node) - c.score, c.node), default=None)

    def _search(self, key: str) -> list[Candidate]:
        words = [w for w in key.split(" ") if w and (w[0].isalnum())]
        if not words:
            return []
        for step in (self._exact, self._reworded, self._reordered, self._rewritten, self._varied, self._repaired, self._shortened,
                     self._fuzzy, self._embedded):
            found = step(words)
            if found:
                return sorted(found, key=lambda c: (_FINDING_STEP * self._second(c.node) - c.score, c.node))
        return []

    def owners(self, key: str, factor: float, how: str) -> list[Candidate]:
        key_id = self.lexicon.forms.get(key, -1)
        if key_id < 0:
            return []
        return [Candidate(node, factor * _KIND_SCORE[KINDS[kind]], key, how)
                for node, kind, _ in self.lexicon.entries(key_id)]

    def _exact(self, words: Sequence[str]) -> list[Candidate]:
        return self.owners(" ".join(words), 1.0, "exact")

    def _reworded(self, words: Sequence[str]) -> list[Candidate]:
        """Usual wordings that no ontology lists ("nephrotoxicity" for a kidney disorder)."""
        for other in WORDINGS.get(" ".join(words), ()):
            found = self.owners(other, 0.9, "usual wording")
            if found:
                return found
        return []

    def _rewritten(self, words: Sequence[str]) -> list[Candidate]:
        for other in _rewritings(words):
            found = self.owners(" ".join(other), 0.93, "rewritten") or self._by_bag(other, 0.92, "rewritten, words reordered")
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

    def _varied(self, words: Sequence[str]) -> list[Candidate]:
        found = []
        for near in self.variants.search(words, least=_VARIANT_ENOUGH):
            found += [Candidate(node, near.score * 0.9 * _KIND_SCORE[KINDS[kind]], near.form, f"other words for {near.form!r} ({near.score:.2f})")
                      for node, kind, _ in self.lexicon.entries(near.key_id)]
        return found

    def _repaired(self, words: Sequence[str]) -> list[Candidate]:
        repaired, similarity = [], 1.0
        for word in words:
            fixed = None if self.speller.knows(word) else self.speller.repair(word)
            repaired.append(fixed[0] if fixed else word)
            similarity *= fixed[1] if fixed else 1.0
        if similarity == 1.0:
            return []
        return (self.owners(" ".join(repaired), similarity, "spelling repaired")
                or self._by_bag(repaired, similarity * 0.95, "spelling repaired, words reordered"))

    def _shortened(self, words: Sequence[str]) -> list[Candidate]:
        kept = [w for w in words if w not in _OPTIONAL]
        if not kept or len(kept) == len(words):
            kept = list(words)
        for tail in ("", "disease", "syndrome"):
            other = [*kept, tail] if tail else kept
            found = self.owners(" ".join(other), 0.85, "without a side word") or self._by_bag(other, 0.83, "without a side word")
            if found:
                return found
        # the first words qualify the last: drop them one by one; the last alone must name a disease by itself
        for start in range(1, len(words)):
            if start == len(words) - 1 and (len(words[-1]) < _NOUN_LENGTH or is_head(words[-1])):
                break
            found = self.owners(" ".join(words[start:]), 0.8, "the end of the phrase")
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
            found += self.owners(form, score / 100 * 0.9, f"near {form!r} ({score:.0f})")
        return found

    def _embedded(self, words: Sequence[str]) -> list[Candidate]:
        if self.dense is None:
            return []
        return [c for form, score in self.dense.nearest(" ".join(words)) for c in self.owners(form, score, f"embedding of {form!r}")]


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
        if word.startswith("non") and len(word) > 6:
            yield [*words[:i], "non", word[3:], *words[i + 1:]]
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
