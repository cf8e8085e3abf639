"""The templating audit: do the samples of one class read as if cast in one mould?

A model that meets one sentence pattern per diagnosis learns the pattern. Three measures, per class (the diagnosis):

* skeleton share: the largest share of samples with the same *skeleton*, which is the text with entities, quotations
  and numbers taken out;
* n-gram purity: the largest share of samples of the class that hold one skeleton 6-gram which is rare elsewhere: a
  phrase that gives the class away without naming anything;
* structure purity: the largest share with the same sequence of step kinds.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.records import digest

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|\([^()]*\)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_TOKEN = re.compile(r"[a-z]+|_+")
GRAM = 6
MOST_BLANKS = 2
"""Blanks in an n-gram that is counted: with more it says nothing."""
MIN_CLASS = 20
KEPT_GRAMS = 200_000
"""Most n-grams counted; when there are more, the rarest are forgotten."""


def skeleton(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """``text`` with the given entity spans, quotations, brackets and numbers replaced by a blank mark.

    Example:
        >>> skeleton("Keratin pearls support squamous cell carcinoma, 2 of 3.", [(0, 14), (23, 46)])
        '_ support _ _ of _'
    """
    pieces, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            pieces += [text[position:start], " _ "]
            position = end
    bare = "".join([*pieces, text[position:]]).lower()
    return " ".join(_TOKEN.findall(_NUMBER.sub(" _ ", _QUOTED.sub(" _ ", bare))))


@dataclass(frozen=True, slots=True)
class ClassReport:
    """The audit of one class."""

    label: str
    samples: int
    skeleton_share: float
    ngram_purity: float
    ngram: str
    structure_share: float

    def to_dict(self) -> dict[str, Any]:
        return {"class": self.label, "samples": self.samples, "skeleton_share": round(self.skeleton_share, 4),
                "ngram_purity": round(self.ngram_purity, 4), "ngram": self.ngram,
                "structure_share": round(self.structure_share, 4)}


class TemplatingAudit:
    """Collects skeletons over a run; memory is bounded by pruning rare n-grams.

    Example:
        >>> audit = TemplatingAudit()
        >>> for i in range(30):
        ...     _ = audit.add("A", "_ clearly points to _ beyond any doubt at all", ("support",), share=0.1)
        >>> audit.report()[0].skeleton_share
        1.0
        >>> audit.add("A", "_ clearly points to _ beyond any doubt at all", ("support",), share=0.1)
        True
    """

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._skeletons: dict[str, Counter[str]] = defaultdict(Counter)
        self._structures: dict[str, Counter[str]] = defaultdict(Counter)
        self._grams: Counter[tuple[str, str]] = Counter()
        self._all: Counter[str] = Counter()

    def add(self, label: str, bare: str, structure: Sequence[str], *, share: float) -> bool:
        """Count one sample. True when it is one too many of its mould in its class."""
        key = digest(bare)
        self._count[label] += 1
        self._skeletons[label][key] += 1
        self._structures[label][" ".join(structure)] += 1
        tokens = bare.split()
        for gram in {" ".join(tokens[i:i + GRAM]) for i in range(len(tokens) - GRAM + 1)}:
            if gram.split(" ").count("_") <= MOST_BLANKS:
                self._grams[label, gram] += 1
                self._all[gram] += 1
        if len(self._grams) > KEPT_GRAMS:
            self._prune()
        total = self._count[label]
        return total >= MIN_CLASS and self._skeletons[label][key] > max(1.0, share * total)

    def _prune(self) -> None:
        """Forget the rarest n-grams until half of the room is free: pruning at every sample would take for ever."""
        least = 1
        while len(self._grams) > KEPT_GRAMS // 2:
            self._grams = Counter({k: n for k, n in self._grams.items() if n > least})
            self._all = Counter({k: n for k, n in self._all.items() if n > least})
            least += 1

    def report(self) -> list[ClassReport]:
        """One report per class with at least 20 samples, largest class first."""
        everything = sum(self._count.values())
        best: dict[str, tuple[float, str]] = {}
        for (label, gram), count in sorted(self._grams.items()):
            elsewhere = (self._all[gram] - count) / max(1, everything - self._count[label])
            purity = count / self._count[label] - elsewhere
            if purity > best.get(label, (0.0, ""))[0]:
                best[label] = (purity, gram)
        return [ClassReport(label, n, _top(self._skeletons[label]) / n, *best.get(label, (0.0, "")),
                            _top(self._structures[label]) / n)
                for label, n in sorted(self._count.items(), key=lambda item: (-item[1], item[0])) if n >= MIN_CLASS]

    def to_dict(self) -> dict[str, Any]:
        reports = self.report()
        distinct = sum(len(c) for c in self._skeletons.values())
        total = sum(self._count.values())
        summary: dict[str, Any] = {"samples": total, "distinct_skeletons": distinct,
                                   "classes": [r.to_dict() for r in reports]}
        return summary


def _top(counter: Mapping[str, int]) -> int:
    return max(counter.values(), default=0)
