"""The filters that look at one sample alone, and the list of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datagen.filters.contamination import BenchmarkIndex
from datagen.filters.identifiers import find_identifiers
from datagen.records import Sample
from pathkg.errors import InputError, did_you_mean

FILTERS: Mapping[str, str] = {
    "verification": "every step is supported by the report or the graph",
    "leakage": "<observe> does not already hold the answer",
    "contradiction": "no entity both present and absent, no value against the report",
    "length": "each block has a sensible length",
    "identifiers": "no date, number, address or name of a person in the written text",
    "contamination": "no long word sequence shared with the given benchmark files",
    "near_duplicate": "not nearly the same text as an earlier sample",
    "templating": "not written in a mould that its class has used too often",
    "image_dependence": "a text-only model cannot answer from the question alone",
    "sufficiency": "a model answers rightly from the reasoning alone",
}
"""Name -> what a sample must satisfy. The last two ask a model and run only where one is given."""

WITH_MODEL = ("image_dependence", "sufficiency")


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Thresholds of the filters.

    Args:
        skip: names of filters not to run.
        min_words, max_words: of the whole trajectory.
        min_steps, max_steps: of the reasoning.
        min_observe_words: of the ``<observe>`` block.
        near_duplicate: the estimated Jaccard similarity of word 5-grams from which two samples are one.
        mould_share: the largest share of one class that may have the same skeleton, from 20 samples on.
        shared_words: the length of a word sequence that counts as contamination.
    """

    skip: tuple[str, ...] = ()
    min_words: int = 25
    max_words: int = 1500
    min_steps: int = 2
    max_steps: int = 24
    min_observe_words: int = 4
    near_duplicate: float = 0.85
    mould_share: float = 0.10
    shared_words: int = 13

    def __post_init__(self) -> None:
        for name in self.skip:
            if name not in FILTERS:
                raise InputError(f"there is no filter {name!r}",
                                 hint=did_you_mean(name, FILTERS) or f"filters are {', '.join(FILTERS)}")

    def runs(self, name: str) -> bool:
        return name not in self.skip

    def to_dict(self) -> dict[str, Any]:
        return {"skip": sorted(self.skip), "min_words": self.min_words, "max_words": self.max_words,
                "min_steps": self.min_steps, "max_steps": self.max_steps,
                "min_observe_words": self.min_observe_words, "near_duplicate": self.near_duplicate,
                "mould_share": self.mould_share, "shared_words": self.shared_words}


@dataclass(frozen=True, slots=True)
class Finding:
    """A filter that a sample does not pass."""

    filter: str
    detail: str


def check_text_filters(sample: Sample, options: FilterOptions, benchmarks: BenchmarkIndex | None = None
                       ) -> Finding | None:
    """The first of the length, identifier and contamination filters that ``sample`` does not pass."""
    if options.runs("length"):
        problem = _length_problem(sample, options)
        if problem:
            return Finding("length", problem)
    if options.runs("identifiers"):
        found = find_identifiers(f"{sample.question}\n{sample.text}")
        if found:
            kind, _, _ = found[0]
            return Finding("identifiers", f"a {kind} in the written text")
    if benchmarks is not None and options.runs("contamination"):
        shared = benchmarks.shared_with(sample.question, sample.text, sample.report)
        if shared:
            return Finding("contamination", f"shares with {shared[0]}: {shared[1]!r}")
    return None


def _length_problem(sample: Sample, options: FilterOptions) -> str:
    words = len(sample.text.split())
    if not options.min_words <= words <= options.max_words:
        return f"{words} words, allowed {options.min_words} to {options.max_words}"
    if not options.min_steps <= len(sample.steps) <= options.max_steps:
        return f"{len(sample.steps)} steps, allowed {options.min_steps} to {options.max_steps}"
    seen = len(sample.observe.split())
    if seen < options.min_observe_words:
        return f"<observe> has {seen} words, at least {options.min_observe_words} are asked for"
    return ""
