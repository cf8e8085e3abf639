"""What the sentences of a text say once the text has decided: forms to nodes, and each with its assertion."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from pathkg.linking.assertion import assert_mentions
from pathkg.linking.composition import Composer
from pathkg.linking.cue_search import find_cues
from pathkg.linking.cues import AFFIRMED, HISTORICAL, NEGATED, UNSPECIFIED
from pathkg.linking.likeness import Likeness
from pathkg.linking.sections import history_ranges
from pathkg.linking.sentences import MOST_SETTLED, Entity, Found, Key, Sentence, Settled, Status
from pathkg.linking.spread import GROWN, LISTED
from pathkg.linking.templates import unsaid
from pathkg.linking.tokens import form_key

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.abstracts import AbstractReader
    from pathkg.linking.choice import Chooser
    from pathkg.linking.lexicon import Lexicon
    from pathkg.linking.marker_results import MarkerResults
    from pathkg.linking.text_sense import TextSense

_INTRODUCING = frozenset({"a", "an", "with", "containing", "residual", "viable", "recurrent", "metastatic"})
_NOT_INTRODUCING = frozenset({"of", "the", "by", "in", "and", "or", "this", "is", "to", "from", "for"})
_ARTICLE_REACH = 5
_NAME_ENDS = r"\s*(?:\([^()\n]{1,20}\)\s*|\)\s*)?[:=]\s*"
_DENIED = re.compile(_NAME_ENDS + r"""(?:
    [-–−](?=[ \t]*(?:$|[\n,;.]))                                                        # lymphovascular invasion: -
    |(?:0\s?%|[LVlv]0|Pn0|0(?=\s*(?:$|[\n,;()]|\.(?!\d))))(?![\w.-]*\d)                         # necrosis: 0%, tumor deposits: 0
    |(?:\[\s?\][^\[\]:\n]{0,40})?\[\s?[xX]\s?\]\s*(?:absent|no|not|none)\b(?!\s+(?:spec|appl|assess|know))  # [ ] present [x] absent
    |[pPcCyY]{0,2}[NM]0(?![\w.-]*\d|\s?\(i\+)                                               # distant metastasis: M0
    )""", re.X)
"""Values of a field that deny it, and that no cue phrase can hold."""
_NOT_SAID = re.compile(_NAME_ENDS + r"[pPcCyY]{0,2}[NM][xX]\b")
"""Values of a field that leave it open: "distant metastasis (pM): pMX"."""
_FIELD = (":", "=", "(", ")")
_GLEASON_SUM = re.compile(r"gleason[^.;\n+\d]{0,40}(?P<a>[1-5])\s?\+\s?(?P<b>[1-5])(?![\d.])", re.I)
_SHORT_FORM = re.compile(r"(?<![\w-])[a-z]{0,3}[A-Z][\w/-]*\w")
_TO_GRADE = re.compile(r"(?:[-–]\s?|\s+(?:to|or|through)\s+)(?P<to>IV|I{1,3}|[1-4])(?![A-Za-z0-9+]|\.\d|\s*(?:cm|mm|x\s*\d|foc|lymph|node|positive))")
_GRADE_NUMBERS = {"1": 1, "2": 2, "3": 3, "4": 4, "i": 1, "ii": 2, "iii": 3, "iv": 4}
_RANGE = "one end of a range"
_POLARITY: tuple[str | None, ...] = ("-", "+", None, None, None, "+")
_OPEN: Key = ((), ())
"""The key of a sentence about which the text has nothing to decide."""

Meaning = dict[str, Found]
"""Short forms that a text defines."""


class Settler:
    """Takes a text's decisions and reads each of its sentences under them. Outcomes are kept with the sentences.

    Args:
        graph: the graph.
        lexicon: its lexicon.
        chooser: decides between the owners of a form.
        results: reads what is said of markers.
        abstracts: corrects the mentions of abstracts; ``None`` for reports.
    """

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon, chooser: Chooser, results: MarkerResults,
                 abstracts: AbstractReader | None) -> None:
        self.lexicon = lexicon
        self._graph = graph
        self._chooser = chooser
        self._results = results
        self._abstracts = abstracts
        self._composer = Composer(graph, lexicon)
        grade = graph.node_types.index("grade") if "grade" in graph.node_types else -1
        self._grades = frozenset(i for i, code in enumerate(graph.arrays.node_type.tolist()) if code == grade)
        self._alike = Likeness(graph, lexicon)
        self._gleason: dict[str, int] = {name: i for i, name in enumerate(graph.nodes_table()["name"].to_pylist())
                                         if name.startswith("Gleason score ")}

    def settle(self, sentences: Sequence[Sentence]) -> list[Settled]:
        """What each sentence of a text says there."""
        if any(s.ambiguous for s in sentences):
            sentences = [s.amended or s for s in sentences]
        chooser = self._chooser
        sense = chooser.sense(sentences)
        top = sense.top
        # most sentences leave the text nothing to decide
        keys: list[Key] = [(top, chooser.decide(sense, k)) if s.undecided else (top, ()) if s.special else _OPEN
                           for k, s in enumerate(sentences)]
        meaning = self._meaning(sentences, keys) if any(s.defined for s in sentences) else None
        history = _history(sense) if any(s.history for s in sentences) else None
        without = self._abstracts.unsupported(sentences, [self._joined(s, key) for s, key in zip(sentences, keys, strict=True)],
                                              meaning or {}) if self._abstracts else None
        if meaning or history or without:
            settled = [self._settled(s, key, meaning, history[k] if history else None, without[k] if without else ())
                       for k, (s, key) in enumerate(zip(sentences, keys, strict=True))]
            if history:
                self._bring_back(settled)
        else:
            settled = [s.outcome(key) or self._settled(s, key) for s, key in zip(sentences, keys, strict=True)]
        if any(s.trace for s in sentences):
            self._leave_unsaid(sentences, settled)
        return settled

    # -- one sentence --------------------------------------------------------------------------------------

    def _join(self, sentence: Sentence, key: Key) -> list[Found]:
        """The forms of a sentence once the text has decided, joined where they name one concept together."""
        top, decisions = key
        found = self._chooser.resolve(sentence, decisions, top)
        if found:
            found = self._composer.join(sentence.words, found)
        if self._abstracts:
            found = self._abstracts.complete(sentence.words, sentence.tokens, found)
        return found

    def _joined(self, sentence: Sentence, key: Key) -> list[Found]:
        """:meth:`_join`, kept for the next one who asks."""
        known = sentence.joined.get(key) if sentence.joined else None
        if known is None:
            known = self._join(sentence, key)
            if sentence.joined is None or len(sentence.joined) >= MOST_SETTLED:
                sentence.joined = {}
            sentence.joined[key] = known
        return known

    def _settled(self, sentence: Sentence, key: Key, meaning: Meaning | None = None,
                 history: Sequence[tuple[int, int]] | None = None, without: tuple[Found, ...] = ()) -> Settled:
        """What a sentence says under what the text decided, ``without`` short forms that mean something else there."""
        named = _named_in(sentence, meaning) if meaning else {}
        full_key = (key, tuple(named.values()), without) if named or without else key
        if not history:
            known = sentence.outcome(full_key)
            if known is not None:
                return known
        # a list of its own: markers with a result are changed in it
        found = [*self._joined(sentence, key)] if sentence.joined else self._join(sentence, key)
        if without:
            found = [f for f in found if f not in without]
        if named:
            found = _with_named(found, named)
        if "+" in sentence.text:
            found = self._gleason_sums(sentence, found)
        if found:
            found = self._alike.corrected(sentence.words, found)
        settled = self._read(sentence, found, history or ()) if found else Settled((), (), (), ())
        if not history:
            sentence.keep(full_key, settled)
        return settled

    def _read(self, sentence: Sentence, found: list[Found], history: Sequence[tuple[int, int]]) -> Settled:
        """The mentions of a sentence with what is said of them."""
        found, status = self._attach(sentence, found, history)
        results = self._results.read(sentence, found, status)
        return Settled(tuple(found), tuple([(category, None if cue is None else cue.phrase) for category, cue in status]),
                       self._entities(sentence, found, status, results), tuple(results))

    def _attach(self, sentence: Sentence, found: list[Found], history: Sequence[tuple[int, int]]
                ) -> tuple[list[Found], list[Status]]:
        """Mentions with their assertions, without what is generic and not asserted."""
        words, text, offsets = sentence.words, sentence.text, sentence.offsets
        chooser = self._chooser
        looseness, asserted = chooser.looseness, chooser.asserted_only
        loose = [looseness[f[3]] for f in found]
        if 2 in loose:  # a stage or grade
            found = self._grade_ranges(sentence, found)
            loose = [looseness[f[3]] for f in found]
        cue_starts: Sequence[int] = sentence.cue_starts
        inside = bytearray()
        if cue_starts:
            inside = bytearray(len(words))
            for f in found:
                inside[f[0]:f[1]] = b"\x01" * (f[1] - f[0])
            cue_starts = [i for i in cue_starts if not inside[i]]
        status = assert_mentions(words, [(f[0], f[1]) for f in found], loose,
                                 find_cues(words, cue_starts, inside) if cue_starts else (), sentence.stops, history)
        n = len(words)
        before = ""
        for k, (_, end, _, node, how) in enumerate(found):
            if (end < n and words[end] in _FIELD and status[k][0] == AFFIRMED and not looseness[node]
                    and _DENIED.match(text, offsets[2 * end - 1])):
                status[k] = (NEGATED, None)
            elif (end < n and words[end] in _FIELD and status[k][0] == AFFIRMED and not looseness[node]
                    and _NOT_SAID.match(text, offsets[2 * end - 1])):
                status[k] = (UNSPECIFIED, None)
            if how or before:
                if before == GROWN and status[k][0] == NEGATED and looseness[node] == 3:
                    status[k] = (AFFIRMED, None)  # the place that is not invaded is there
                elif how == LISTED and k and status[k] == (AFFIRMED, None):  # "does not invade the capsule or renal sinus"
                    status[k] = status[k - 2 if k > 1 and found[k - 2][4] == GROWN and not before else k - 1]
                before = how
        kept = [k for k, f in enumerate(found) if f[3] not in asserted or _is_asserted(words, f, status[k])]
        if len(kept) < len(found):
            found, status = [found[k] for k in kept], [status[k] for k in kept]
        return found, status

    def _entities(self, sentence: Sentence, found: Sequence[Found], status: Sequence[Status], results: Sequence[str]
                  ) -> tuple[Entity, ...]:
        """The mentions for rewards: a marker with a result is its result node, stated."""
        offsets, nodes = sentence.offsets, self._results.nodes
        made: list[Entity] = []
        for (first, last, _, marker, _), (category, _), result in zip(found, status, results, strict=True):
            node = nodes.get((marker, result)) if result else None
            start, end = offsets[2 * first], offsets[2 * last - 1]
            made.append((marker, _POLARITY[category], start, end) if node is None else (node, "+", start, end))
        return tuple(made)

    def _grade_ranges(self, sentence: Sentence, found: list[Found]) -> list[Found]:
        """Both grades of "Fuhrman grade 2-3"."""
        words, offsets, text = sentence.words, sentence.offsets, sentence.text
        made: list[Found] = []
        for item in found:
            first, last = item[0], item[1]
            if item[3] in self._grades and words[last - 1] in _GRADE_NUMBERS:
                if last - first > 2 and words[last - 2] in _GRADE_NUMBERS:
                    last -= 1  # the form holds both: "FNCLCC grade 2/3"
                match = _TO_GRADE.match(text, offsets[2 * last - 1])
                at = bisect_left(offsets[0::2], match.start("to")) if match is not None else len(words)
                other = self._same_grade(item[3], words[at]) if at < len(words) and (at < item[1] or all(f[0] != at for f in found)) else None
                if other is not None and other[1] != item[3]:
                    made += [(first, last, *item[2:4], _RANGE), (at, at + 1, *other, _RANGE)]
                    continue
            made.append(item)
        return made

    def _same_grade(self, node: int, figure: str) -> tuple[int, int] | None:
        """Key id and node of another grade of the same system."""
        number = _GRADE_NUMBERS.get(figure)
        name = form_key(self._graph.name(node))
        if number is None or name[-1:] not in "1234":
            return None
        key_id = self.lexicon.forms.get(f"{name[:-1]}{number}", -1)
        other = next((e[0] for e in self.lexicon.entries(key_id) if e[0] in self._grades), -1) if key_id >= 0 else -1
        return (key_id, other) if other >= 0 else None

    def _gleason_sums(self, sentence: Sentence, found: list[Found]) -> list[Found]:
        """Read "Gleason grade/sum: grade 4 + 3" as the score, where no form of the lexicon holds it whole."""
        starts = sentence.offsets[0::2]
        for match in _GLEASON_SUM.finditer(sentence.text):
            a, b = int(match["a"]), int(match["b"])
            key_id = self.lexicon.forms.get(f"gleason score {a} + {b} = {a + b}", -1)
            node = self._gleason.get(f"Gleason score {a}+{b}={a + b}", -1)
            if node < 0:
                continue
            first, last = bisect_left(starts, match.start()), bisect_left(starts, match.end())
            inner = [f for f in found if f[0] < last and f[1] > first]
            if any("+" in sentence.words[f[0]:f[1]] for f in inner):
                continue  # read already
            kept = [f for f in found if f not in inner]
            found = sorted([*kept, (first, last, key_id, node, "the two grades of a Gleason score")])
        return found

    # -- what the text says of its sentences ---------------------------------------------------------------

    def _meaning(self, sentences: Sequence[Sentence], keys: Sequence[Key]) -> Meaning:
        """The short forms that the text defines, and what their long form was linked to."""
        meaning: Meaning = {}
        for sentence, key in zip(sentences, keys, strict=True):
            if not sentence.defined:
                continue
            ends_at: dict[int, Found] = {}
            for item in self._joined(sentence, key):
                ends_at.setdefault(sentence.offsets[2 * item[1] - 1], item)  # of nested ones the longest
            for definition in sentence.defined:
                known = next((ends_at[e] for e in range(definition.end, definition.end - 3, -1) if e in ends_at), None)
                if known is not None:
                    meaning[definition.short] = known
        return meaning

    def _leave_unsaid(self, sentences: Sequence[Sentence], settled: list[Settled]) -> None:
        """Legends and column titles of a form say nothing of the case."""
        looseness = self._chooser.looseness
        for k, (low, high) in unsaid([s.words for s in sentences], [s.trace for s in sentences]).items():
            said = settled[k]
            settled[k] = self._restated(said, tuple([
                (UNSPECIFIED, None) if low <= f[0] < high and looseness[f[3]] not in (1, 3) else status
                for f, status in zip(said.found, said.status, strict=True)]))

    @staticmethod
    def _restated(said: Settled, status: tuple[tuple[int, str | None], ...]) -> Settled:
        """``said`` with another status of its mentions."""
        if status == said.status:
            return said
        return replace(said, status=status, mentions=None, view=None, entities=tuple(
            [e if s == before else (e[0], _POLARITY[s[0]], e[2], e[3])
             for e, s, before in zip(said.entities, status, said.status, strict=True)]))

    def _bring_back(self, settled: list[Settled]) -> None:
        """An operation named under history is this specimen's own where the rest of the text names it too."""
        if not any(category == HISTORICAL and cue is None for said in settled for category, cue in said.status):
            return
        current = {f[3] for said in settled for f, (category, _) in zip(said.found, said.status, strict=True)
                   if category == AFFIRMED}
        looseness = self._chooser.looseness
        for k, said in enumerate(settled):
            settled[k] = self._restated(said, tuple([
                (AFFIRMED, None) if category == HISTORICAL and cue is None and f[3] in current and looseness[f[3]] == 1
                else (category, cue) for f, (category, cue) in zip(said.found, said.status, strict=True)]))


def _history(sense: TextSense) -> list[Sequence[tuple[int, int]]]:
    """The clinical-history sections of a text, as token ranges of each sentence."""
    sentences = sense.sentences
    bases = [0, *accumulate([len(s.words) for s in sentences])]
    colons = [base + at for base, s in zip(bases, sentences, strict=False) for at in s.colons]
    stops = [base + at for base, s in zip(bases, sentences, strict=False) for at in s.stops]
    found: list[Sequence[tuple[int, int]]] = [()] * len(sentences)
    for a, b in history_ranges(sense.words, colons, stops):
        for k in range(bisect_right(bases, a) - 1, bisect_left(bases, b, 0, len(sentences))):
            base, end = bases[k], bases[k + 1]
            if a < end and b > base:
                found[k] = (*found[k], (max(a - base, 0), min(b, end) - base))
    return found


def _is_asserted(words: Sequence[str], found: Found, status: Status) -> bool:
    """Whether a generic term is said to be there or not, rather than merely talked about."""
    category, cue = status
    if category != AFFIRMED:
        return True
    if cue is not None:
        return True
    at = found[0] - 1
    for word in reversed(words[max(0, at - _ARTICLE_REACH):at + 1]):
        if word in _INTRODUCING:
            return True  # "there is a firm tumor": something new, not "the tumor" of before
        if not word[0].isalpha() or word in _NOT_INTRODUCING:
            return False
    return False


def _named_in(sentence: Sentence, meaning: Mapping[str, Found]) -> dict[tuple[int, int], Found]:
    """The defined short forms of a sentence, by token range."""
    if sentence.short_forms is None:
        sentence.short_forms = tuple([(m.start(), m.end(), m.group()) for m in _SHORT_FORM.finditer(sentence.text)])
    named: dict[tuple[int, int], Found] = {}
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    for start, end, short in sentence.short_forms:
        item = meaning.get(short) or meaning.get(short.removesuffix("s"))
        if item is not None:
            if not starts:
                starts, ends = sentence.offsets[0::2], sentence.offsets[1::2]
            first = bisect_left(starts, start)
            last = bisect_left(ends, end) + 1
            if first < last <= len(sentence.words) and starts[first] == start:
                named[(first, last)] = (first, last, item[2], item[3], "defined in the text")
    return named


def _with_named(found: Sequence[Found], named: Mapping[tuple[int, int], Found]) -> list[Found]:
    """``found`` with the defined short forms in place of what they overlap, unless that is longer."""
    taken = {k: last - first for first, last in named for k in range(first, last)}
    kept = [f for f in found
            if all(k not in taken for k in range(f[0], f[1])) or f[1] - f[0] > max(
                taken.get(k, 0) for k in range(f[0], f[1]))]
    busy = {k for f in kept for k in range(f[0], f[1])}
    return sorted([*kept, *(f for span, f in named.items() if not busy.intersection(range(*span)))])
