"""The published kind of reward, written from its description, as the row to compare with.

Format: the six tags occur in order, anything between and around them. Entities: every name of the lexicon that
occurs anywhere in the lower-cased text as a substring; ``min(1, 2·I / (|P| + |G|))`` with ``I = |P ∩ G| + 0.5·Σ`` over
every left-over name of its best similarity to any reference name. No polarity, no word boundaries, no assignment. Its
judge is left out, since none runs here; so the total is ``format + 0.5·entity``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pathkg.rewards.reference import Reference

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_TAGS = re.compile(r"<observe>.*?</observe>.*?<think>.*?</think>.*?<answer>.*?</answer>", re.DOTALL)
BETA = 0.5
NEAR = 80.0
"""Smallest string similarity (0 to 100) that counts as a near-synonym."""


class SubstringMatcher:
    """Finds names as substrings (an Aho-Corasick automaton where one is installed, else one big alternation)."""

    def __init__(self, names: list[str]) -> None:
        try:
            import ahocorasick
        except ImportError:
            self._find = _by_alternation(names)
            self.kind = "regular expression"
            return
        automaton = ahocorasick.Automaton()
        for name in names:
            automaton.add_word(name, name)
        automaton.make_automaton()
        self._find = lambda text: {name for _, name in automaton.iter(text)}
        self.kind = "Aho-Corasick"

    def __call__(self, text: str) -> set[str]:
        return self._find(text.lower())


def _by_alternation(names: list[str]) -> Callable[[str], set[str]]:
    pattern = re.compile("|".join(re.escape(n) for n in sorted(names, key=len, reverse=True)))
    return lambda text: set(pattern.findall(text))


class PredecessorReward:
    """``format + 0.5·entity`` of the published kind."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.names = sorted({graph.name(i).lower() for i in range(graph.n_nodes)} - {""})
        self._name_of = {graph.curie(i): graph.name(i).lower() for i in range(graph.n_nodes)}
        self.find = SubstringMatcher(self.names)

    def __call__(self, text: str, reference: str | Reference) -> float:
        gold = {self._name_of[s.id] for s in Reference.coerce(reference).entities if s.id in self._name_of}
        return (1.0 if _TAGS.search(text) else 0.0) + BETA * self.entity(self.find(text), gold)

    @staticmethod
    def entity(said: set[str], gold: set[str]) -> float:
        from rapidfuzz import fuzz, process

        if not said or not gold:
            return 0.0
        hits = float(len(said & gold))
        references = sorted(gold)
        for name in said - gold:
            best = process.extractOne(name, references, scorer=fuzz.token_set_ratio, score_cutoff=NEAR)
            if best is not None:
                hits += BETA * best[1] / 100
        return min(1.0, 2 * hits / (len(said) + len(gold)))
