"""What a whole text says to each of its sentences: its organs, its words, what it names in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.linking.choice import Chooser
    from pathkg.linking.sentences import Sentence

_ORGAN_SHARE = 0.3
_FIRST = 4
_SEAT_SHARE = 0.25
"""An organ whose tumour a text names counts from this share of the votes of the organ with most."""


class TextSense:
    """What a whole text says to each of its sentences: its organs, its words, what it names in full."""

    __slots__ = ("_alive", "_bases", "_chooser", "_counts", "_joined", "_nodes", "_phrases", "_sure", "_words", "fits", "most", "picks", "sentences",
                 "strong", "top", "weights")

    def __init__(self, chooser: Chooser, sentences: Sequence[Sentence]) -> None:
        self.sentences = sentences
        self._chooser = chooser
        self._alive: dict[int, tuple[float, str]] | None = None
        weights: dict[int, int] = {}
        times_named: dict[int, int] = {}
        for sentence in sentences:
            for node in sentence.nodes:
                times_named[node] = times_named.get(node, 0) + 1
        votes_of = chooser.organs.votes_of
        for node, times in times_named.items():
            for organ, weight in votes_of(node):
                weights[organ] = weights.get(organ, 0) + times * weight
        if weights:  # the first mentions count double
            for node in islice(chain.from_iterable([s.nodes for s in sentences]), _FIRST):
                for organ, weight in votes_of(node):
                    weights[organ] += weight
        self._nodes = times_named
        self.weights = weights
        self.most = max(weights.values(), default=0)
        self.strong = frozenset([o for o, w in weights.items() if w >= _ORGAN_SHARE * self.most])
        self.top: tuple[int, ...] = ()
        if weights and chooser.specialise:
            ordered = sorted(weights, key=lambda o: (-weights[o], o))[:4]
            self.top = tuple([o for o in ordered if weights[o] >= 0.5 * self.most])
            # a gallbladder that came with the liver has no tumour where the liver's is named
            malignant, seats_of = chooser.malignant, chooser.organs.seats_of
            own = [seat for node in times_named if node in malignant for seat in seats_of(node) if weights.get(seat, 0) >= _SEAT_SHARE * self.most]
            seats = chooser.organs.around(own) if own else frozenset()
            if seats:
                self.top = tuple([o if o in seats else ~o for o in self.top])
        self.fits: dict[int, tuple[float, str] | None] = {}
        self.picks: dict[tuple[int, tuple[str, ...]], tuple[int, str]] = {}
        self._sure: frozenset[int] | None = None
        self._words: list[str] | None = None
        self._counts: Counter[str] | None = None
        self._joined: str | None = None
        self._phrases: dict[str, bool] = {}
        self._bases: list[int] = []

    @property
    def alive(self) -> dict[int, tuple[float, str]]:
        """See :meth:`Chooser.alive`."""
        if self._alive is None:
            self._alive = self._chooser.alive(self)
        return self._alive

    @property
    def sure(self) -> frozenset[int]:
        """Nodes that some form of the text means without doubt."""
        if self._sure is None:
            self._sure = frozenset(self._nodes)
        return self._sure

    @property
    def words(self) -> list[str]:
        """The words of all sentences."""
        if self._words is None:
            self._words = list(chain.from_iterable([sentence.words for sentence in self.sentences]))
        return self._words

    def base_of(self, number: int) -> int:
        """How many words stand before a sentence."""
        if not self._bases:
            self._bases = [0, *accumulate(len(sentence.words) for sentence in self.sentences)]
        return self._bases[number]

    def near(self, keys: Sequence[str], inside: Sequence[str]) -> str | None:
        """The first of ``keys`` that occurs in the text more often than in the mention's own words ``inside``."""
        if self._counts is None:
            self._counts = Counter(self.words)
        counts = self._counts
        for key in keys:
            if key in counts:
                if counts[key] > inside.count(key):
                    return key
            elif " " in key and all(part in counts for part in key.split(" ")):
                if self._joined is None:
                    self._joined = f" {' '.join(self.words)} "
                known = self._phrases.get(key)
                if known is None:
                    known = self._phrases[key] = f" {key} " in self._joined
                if known:
                    return key
        return None
