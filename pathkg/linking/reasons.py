"""What is told of a mention besides its place: the node's names, the score, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pathkg.linking.cues import AFFIRMED, HISTORICAL, STATUS
from pathkg.linking.lexicon import KINDS
from pathkg.linking.sentences import Core, Told

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.lexicon import Lexicon
    from pathkg.linking.marker_results import MarkerResults
    from pathkg.linking.sentences import Found, Sentence, Settled

_SIDES = frozenset({"left", "right", "bilateral"})
_MOST = 50_000
_SCORE = {"name": 0.97, "exact": 0.95, "abbreviation": 0.85, "form": 0.85}
_OTHER_KIND = 0.75
_DECIDED = 0.95
"""Factor on the score where the text had to decide."""


class Reasons:
    """Tells the mentions of sentences. What is told of equal words is told once and kept.

    Args:
        graph: the graph.
        lexicon: its lexicon.
        results: the result nodes of markers.
        repairs: tokens that were read as other words, with the similarity.
    """

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon, results: MarkerResults,
                 repairs: Mapping[str, tuple[str, float]]) -> None:
        self.graph = graph
        self.lexicon = lexicon
        self.results = results
        self.repairs = repairs
        self._cores: dict[tuple[tuple[str, ...], int, int, str, int, str | None], Core] = {}
        self._names: dict[int, tuple[str, str, str]] = {}

    def tell(self, sentence: Sentence, settled: Settled) -> tuple[Told, ...]:
        """The mentions of a sentence, at its own offsets."""
        made: list[Told] = []
        words, tokens, offsets, cores = sentence.words, sentence.tokens, sentence.offsets, self._cores
        for found, (category, phrase), result in zip(settled.found, settled.status, settled.results, strict=True):
            first, last, key_id, node, how = found
            key = (tokens[first:last], key_id, node, how, category, phrase)
            core = cores.get(key)
            if core is None:
                if len(cores) > _MOST:
                    cores.clear()
                core = cores[key] = self._core(sentence, found, category, phrase)
            value: tuple[tuple[str, str], ...] = ()
            if first and words[first - 1] in _SIDES:
                value = (("laterality", words[first - 1]),)
            if result:
                value = (*value, ("result", result))
                known = self.results.nodes.get((node, result))
                if known is not None:
                    curie, name, _ = self._describe(known)
                    value = (*value, ("result_id", curie), ("result_name", name))
            made.append((offsets[2 * first], offsets[2 * last - 1], core, value))
        return tuple(made)

    def _core(self, sentence: Sentence, found: Found, category: int, phrase: str | None) -> Core:
        first, last, key_id, node, how = found
        form = " ".join(sentence.words[first:last])
        kind = next((KINDS[k] for owner, k, _ in self.lexicon.entries(key_id) if owner == node), "form")
        score = _SCORE.get(kind, _OTHER_KIND)
        reasons = [f"{kind} {form!r}"]
        repairs = [(t, self.repairs[t]) for t in sentence.tokens[first:last] if t in self.repairs]
        for token, (word, similarity) in repairs:
            score *= similarity
            reasons.append(f"{token!r} read as {word!r} ({similarity:.2f})")
        if how:
            score *= _DECIDED
            reasons.append(how)
        if phrase is not None and category != AFFIRMED:
            reasons.append(f"{STATUS[category]} by {phrase!r}")
        elif category != AFFIRMED:
            reasons.append(f"{STATUS[category]} by its {'section' if category == HISTORICAL else 'value'}")
        return (*self._describe(node), category, score, "; ".join(reasons))

    def _describe(self, node: int) -> tuple[str, str, str]:
        known = self._names.get(node)
        if known is None:
            known = (self.graph.curie(node), self.graph.name(node), self.graph.type(node))
            self._names[node] = known
        return known
