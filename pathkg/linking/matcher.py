"""``Linker``: from a text to its mentions.

The work is done in four rooms: :mod:`~pathkg.linking.reader` cuts a text into sentences and reads each by itself,
:mod:`~pathkg.linking.choice` decides what depends on the text, :mod:`~pathkg.linking.settler` reads the sentences under
these decisions, and :mod:`~pathkg.linking.reasons` puts the mentions into words.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pathkg.errors import InputError
from pathkg.linking.abstracts import AbstractReader
from pathkg.linking.assertion import assert_mentions
from pathkg.linking.choice import Chooser
from pathkg.linking.context import ContextGrounder
from pathkg.linking.cue_search import CUE_TRIE, find_cues
from pathkg.linking.cues import STATUS
from pathkg.linking.dense import DenseIndex
from pathkg.linking.grounding import Candidate, Grounder
from pathkg.linking.lexicon import Lexicon, open_lexicon
from pathkg.linking.marker_results import MarkerResults
from pathkg.linking.reader import SentenceReader
from pathkg.linking.reasons import Reasons
from pathkg.linking.sections import history_ranges
from pathkg.linking.sentences import Entity, Sentence, Settled
from pathkg.linking.settler import Settler
from pathkg.linking.tokens import has_strict_stops
from pathkg.records import Assertion, LinkResult, Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_ASSERTIONS = tuple(map(Assertion, STATUS))


class Linker:
    """Finds the mentions of a graph's nodes in text.

    Thread-safe; a pickle carries the graph's path. Opening maps the lexicon; caches fill with use.

    Args:
        graph: the graph whose surface forms are looked for.
        generic: ``asserted`` leaves out bare "tumor", "mass" and the like unless the text asserts them, as a
            pathologist reads a report; ``all`` reports every form of the graph (abstracts, other ontologies).
        fuzzy: repair misread and misspelt words.
        nested: also report forms inside longer ones ("pain" in "abdominal pain").
        dense: path of a sentence-embedding model, used by :meth:`ground` where nothing else is near.
        specialise: give a general term the organ's own node ("adenocarcinoma" in a colectomy report).

    Example:
        >>> import pathkg
        >>> linker = Linker(pathkg.load())
        >>> [(m.name, str(m.assertion)) for m in linker.link("Keratin pearls are seen. No perineural invasion.")]
        [('keratin pearl', 'present'), ('perineural invasion', 'absent')]
    """

    def __init__(self, graph: KnowledgeGraph, *, generic: Literal["asserted", "all"] = "asserted",
                 fuzzy: bool = True, specialise: bool = True, nested: bool = False, dense: str | None = None) -> None:
        self.graph = graph
        self.options = {"generic": generic, "fuzzy": fuzzy, "specialise": specialise, "nested": nested,
                        "dense": dense}
        self.lexicon: Lexicon = open_lexicon(graph)
        chooser = Chooser(graph, self.lexicon, generic=generic, specialise=specialise)
        self._reader = SentenceReader(self.lexicon, chooser, fuzzy=fuzzy, nested=nested)
        table = self._reader.table
        kept = self.lexicon.path if os.access(self.lexicon.path, os.W_OK) else None
        index = DenseIndex(self.lexicon, model=dense, cache=kept) if dense else None
        self._grounder = Grounder(self.lexicon, table.speller, dense=index, second=self._is_finding)
        abstracts = AbstractReader(self._grounder, chooser.is_silent, nested=nested) if generic == "all" else None
        self._in_context = ContextGrounder(self._grounder, self.entities)
        results = MarkerResults(graph)
        self._settler = Settler(graph, self.lexicon, chooser, results, abstracts)
        self._reasons = Reasons(graph, self.lexicon, results, table.repairs)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.graph, self.options))

    def __repr__(self) -> str:
        return f"<Linker {self.lexicon.n_keys:,} forms of {self.graph!r}>"

    # -- the two ways to use it ----------------------------------------------------------------------------

    def link(self, text: str) -> LinkResult:
        """The mentions of ``text`` in order of position.

        Raises:
            InputError: ``text`` is not a string.
        """
        mentions = []
        for base, sentence, settled in self._scan(text):
            told = settled.mentions
            if told is None:
                told = settled.mentions = self._reasons.tell(sentence, settled)
            for start, end, (curie, name, type_, category, score, why), value in told:
                mentions.append(Mention(base + start, base + end, sentence.text[start:end], curie, name, type_, _ASSERTIONS[category],
                                        score, why, dict(value)))
        return LinkResult(text, tuple(mentions), self.graph.hash)

    def link_many(self, texts: Iterable[str], *, workers: int = 1) -> Iterator[LinkResult]:
        """The results for many texts, in order. ``workers`` > 1 spreads them over processes."""
        if workers <= 1:
            yield from map(self.link, texts)
            return
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(workers, initializer=_set_worker, initargs=(self,)) as pool:
            yield from pool.map(_work, texts, chunksize=16)

    def entities(self, text: str) -> tuple[Entity, ...]:
        """The hot path for rewards: ``(node index, polarity, start, end)`` without names and reasons.

        Polarity is ``+`` (present, possible), ``-`` (absent) or ``None`` (asserts nothing about this case). A marker with a
        result is given as its result node ("CK7 negative", ``+``), as in :meth:`LinkResult.with_results
        <pathkg.records.LinkResult.with_results>`.
        """
        return tuple([(node, polarity, base + start, base + end) for base, _, settled in self._scan(text)
                      for node, polarity, start, end in settled.entities])

    def sentences(self, text: str) -> list[tuple[int, Sentence, Settled]]:
        """What :meth:`entities` is made of: where each sentence begins, the sentence, and what it says there.

        The same objects come again for the same sentence in like surroundings, and must not be changed.
        """
        return self._scan(text)

    def ground(self, span: str, *, limit: int = 5) -> tuple[Candidate, ...]:
        """The nodes that a given span may mean, best first, by a sieve from exact to fuzzy.

        For spans that were found by someone else; :meth:`link` finds its own.

        Example:
            >>> import pathkg
            >>> linker = linker_for(pathkg.load())
            >>> best = linker.ground("carcinoma, squamus cell")[0]
            >>> linker.graph.name(best.node)
            'squamous cell carcinoma'
        """
        return self._grounder.candidates(span, limit=limit)

    def ground_in(self, text: str, start: int, end: int, *, limit: int = 5) -> tuple[Candidate, ...]:
        """As :meth:`ground`, for the span from ``start`` to ``end`` of ``text``: short forms mean what the text
        says they mean, and of several owners the one that the text names elsewhere comes first."""
        return self._in_context.candidates(text, start, end, limit=limit)

    def assertion_of(self, text: str, start: int, end: int) -> Assertion:
        """What ``text`` says about the span from ``start`` to ``end``, whatever concept stands there."""
        scan = self._reader.learn(_checked(text), strict=has_strict_stops(text))
        first = bisect_left(scan.offsets[1::2], start + 1)
        last = max(first + 1, bisect_left(scan.offsets[0::2], end))
        words = [*scan.words[:first], *["\x00"] * (last - first), *scan.words[last:]]
        cues = find_cues(words, [i for i, word in enumerate(words) if word in CUE_TRIE])
        category, _ = assert_mentions(scan.words, [(first, last)], [0], cues, scan.stops,
                                      history_ranges(scan.words, scan.colons, scan.stops))[0]
        return Assertion(STATUS[category])

    def _is_finding(self, node: int) -> bool:
        """Of a disease and a finding of one name the disease comes first."""
        return self.graph.type(node) == "effect/phenotype"

    # -- inside --------------------------------------------------------------------------------------------

    def _scan(self, text: str) -> list[tuple[int, Sentence, Settled]]:
        """The sentences of a text, where each begins, and what it says there."""
        placed = self._sentences(_checked(text))
        settled = self._settler.settle([sentence for _, sentence in placed])
        return [(base, sentence, said) for (base, sentence), said in zip(placed, settled, strict=True)]

    def _sentences(self, text: str) -> list[tuple[int, Sentence]]:
        """``text`` cut into what can be read on its own, with the offset of each piece."""
        return self._reader.sentences(text)


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"a text must be a str, not {type(text).__name__}",
                         hint="decode bytes first; pass one text at a time, or use link_many")
    return text


def _rebuild(graph: KnowledgeGraph, options: dict[str, Any]) -> Linker:
    return Linker(graph, **options)


_WORKER: dict[str, Linker] = {}


def _set_worker(linker: Linker) -> None:
    _WORKER["linker"] = linker


def _work(text: str) -> LinkResult:
    return _WORKER["linker"].link(text)


_LINKERS: dict[str, Linker] = {}
_LOCK = threading.Lock()


def linker_for(graph: KnowledgeGraph) -> Linker:
    """The linker of a graph, made once per process and content."""
    with _LOCK:
        linker = _LINKERS.get(graph.hash)
        if linker is None:
            linker = _LINKERS[graph.hash] = Linker(graph)
        return linker
