"""``Linker``: from a text to its mentions."""

from __future__ import annotations

import os
import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pathkg.errors import InputError
from pathkg.linking.abbreviations import definitions
from pathkg.linking.abstracts import AbstractReader
from pathkg.linking.assertion import CUE_TRIE, UNFINISHED, assert_mentions, find_cues
from pathkg.linking.automaton import BARE_STAGE, COLON, CUE, FORM, RARE, RUN, STOP, Row, TokenTable
from pathkg.linking.choice import AMBIGUOUS, NOT_A_MATCH, Chooser, TextSense
from pathkg.linking.composition import Composer
from pathkg.linking.context import ContextGrounder
from pathkg.linking.cues import AFFIRMED, HISTORICAL, NEGATED, STATUS, Cue
from pathkg.linking.dense import DenseIndex
from pathkg.linking.grounding import Candidate, Grounder
from pathkg.linking.lexicon import KINDS, Lexicon, open_lexicon
from pathkg.linking.marker_results import MarkerResults
from pathkg.linking.sections import history_ranges
from pathkg.linking.sentences import (
    MOST_JOINED,
    MOST_SETTLED,
    Draft,
    Found,
    Sentence,
    SentenceMemo,
    Settled,
    Status,
    ends,
)
from pathkg.linking.tokens import cut_stages, has_strict_stops, nodal_categories, split_piece
from pathkg.records import Assertion, LinkResult, Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_SIDES = frozenset({"left", "right", "bilateral"})
_INTRODUCING = frozenset({"a", "an", "with", "containing", "residual", "viable", "recurrent", "metastatic"})
_NOT_INTRODUCING = frozenset({"of", "the", "by", "in", "and", "or", "this", "is", "to", "from", "for"})
_ARTICLE_REACH = 5
_DENIED = re.compile(r"""\s*[:=]\s*(?:
    [-–−](?=[ \t]*(?:$|[\n,;.]))                                                        # lymphovascular invasion: -
    |(?:0\s?%|[LVlv]0|Pn0|0(?=\s*(?:$|[\n,;)]|\.(?!\d))))(?![\w.-]*\d)                         # necrosis: 0%, tumor deposits: 0
    |(?:\[\s?\][^\[\]:\n]{0,40})?\[\s?[xX]\s?\]\s*(?:absent|no|not|none)\b(?!\s+(?:spec|appl|assess|know))  # [ ] present [x] absent
    )""", re.X)
"""Values of a field that deny it, and that no cue phrase can hold."""
_GLEASON_SUM = re.compile(r"gleason[^.;\n+\d]{0,40}(?P<a>[1-5])\s?\+\s?(?P<b>[1-5])(?![\d.])", re.I)
_SHORT_FORM = re.compile(r"(?<![\w-])[a-z]{0,3}[A-Z][\w/-]*\w")
_JOIN_LENGTH = 6
_POLARITY: tuple[str | None, ...] = ("-", "+", None, None, None, "+")

Entity = tuple[int, "str | None", int, int]
"""Node index, polarity (``+``, ``-`` or ``None``), start and end offsets."""

_Key = tuple[tuple[int, ...], tuple[tuple[int, str], ...]]
"""What a text decides for one sentence: its organs, and the nodes of undecided forms."""

_Meaning = dict[str, Found]
"""Short forms that a text defines."""


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
        self._tokens = TokenTable(self.lexicon, fuzzy=fuzzy)
        self._chooser = Chooser(graph, self.lexicon, generic=generic, specialise=specialise)
        kept = self.lexicon.path if os.access(self.lexicon.path, os.W_OK) else None
        index = DenseIndex(self.lexicon, model=dense, cache=kept) if dense else None
        self._grounder = Grounder(self.lexicon, self._tokens.speller, dense=index, second=self._is_finding)
        self._abstracts = (AbstractReader(self._grounder, self._chooser.is_silent, nested=nested)
                           if generic == "all" else None)
        self._in_context = ContextGrounder(self._grounder, self.entities)
        self._composer = Composer(graph, self.lexicon)
        self._memos = (SentenceMemo(), SentenceMemo())
        self._joins: dict[tuple[str, str], str] = {}
        self._names: dict[int, tuple[str, str, str]] = {}
        self._nodes_by_name: dict[str, int] = {name: i for i, name in enumerate(graph.nodes_table()["name"].to_pylist())
                                               if name.startswith("Gleason score ")}
        self._results = MarkerResults(graph)

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
            if settled.mentions is None:
                settled.mentions = self._mentions(sentence, settled)
            for start, end, written, curie, name, type_, assertion, score, why, value in settled.mentions:
                mentions.append(Mention(base + start, base + end, written, curie, name, type_, assertion, score, why, dict(value)))
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
        scan = self._learn(_checked(text), strict=has_strict_stops(text))
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
        sentences = [sentence for _, sentence in placed]
        ambiguous = any(s.ambiguous for s in sentences)
        drafts = [s.amended or s.draft for s in sentences] if ambiguous else [s.draft for s in sentences]
        chooser = self._chooser
        sense = chooser.sense(sentences, drafts)
        keys: list[_Key] = [(sense.top if draft.special else (), chooser.decide(sense, k, draft) if draft.undecided else ())
                            for k, draft in enumerate(drafts)]
        meaning = self._meaning(sentences, drafts, keys) if any(s.defined for s in sentences) else None
        history = self._history(sense) if any(s.history for s in sentences) else None
        without = self._abstracts.unsupported(sentences, [self._joined(s, d, key) for s, d, key in zip(
            sentences, drafts, keys, strict=True)], meaning or {}) if self._abstracts else None
        if meaning or history or without:
            settled = [self._settled(s, d, key, meaning, history[k] if history else None, without[k] if without else ())
                       for k, (s, d, key) in enumerate(zip(sentences, drafts, keys, strict=True))]
            if history:
                self._bring_back(settled)
        else:
            settled = [d.settled.get(key) or self._settled(s, d, key)
                       for s, d, key in zip(sentences, drafts, keys, strict=True)]
        return [(base, sentence, said) for (base, sentence), said in zip(placed, settled, strict=True)]

    def _sentences(self, text: str) -> list[tuple[int, Sentence]]:
        """``text`` cut into what can be read on its own, with the offset of each piece."""
        strict = has_strict_stops(text)
        if self.options["nested"]:
            return [(0, self._learn(text, strict=strict))]
        placed: list[tuple[int, Sentence]] = []
        memo = self._memos[strict]
        start = joined = 0
        for end in ends(text, strict=strict):
            piece = text[start:end]
            sentence = memo.get(piece)
            if sentence is None:
                sentence = self._learn(piece, strict=strict)
                memo.put(sentence)
            if sentence.open and end < len(text):
                joined += 1
                if joined < MOST_JOINED:
                    continue
                # nothing ends here; cutting on would read the same words again and again
                return [*placed, (start, self._learn(text[start:], strict=strict))]
            placed.append((start, sentence))
            start, joined = end, 0
        return placed

    def _learn(self, text: str, *, strict: bool) -> Sentence:
        """Read a piece of a text: everything about it that does not depend on its surroundings."""
        tokens, offsets = split_piece(text, strict=strict)
        table = self._tokens
        rows = [table[token] for token in tokens]
        rare = [i for i, row in enumerate(rows) if row[2] >= RARE]
        if rare:
            tokens, offsets, rows = self._mend(tokens, offsets, rows, rare)
        words = [row[0] for row in rows]
        for i in nodal_categories(tokens, words) if "Pn" in text else ():
            tokens, rows = list(tokens), list(rows)
            tokens[i] = f"pN{tokens[i][2:]}"
            rows[i] = table[tokens[i]]
            words[i] = rows[i][0]
        found: list[Found] = []
        cue_starts: list[int] = []
        stops: list[int] = []
        colons: list[int] = []
        busy = 0
        ambiguous = goes_on = False
        chooser = self._chooser
        n = len(words)
        for i, (_, state, flags) in enumerate(rows):
            if not flags:
                continue
            if flags & FORM:
                best = NOT_A_MATCH
                key_id = state.key_id  # type: ignore[union-attr]
                end = j = i + 1
                if key_id >= 0:
                    decided = state.node  # type: ignore[union-attr]
                    best = chooser.settle(state) if decided is None else decided  # type: ignore[arg-type]
                while j < n:
                    step = state[words[j]]  # type: ignore[index]
                    if step is None:
                        # an article inside a phrase, or a full stop where no sentence can end
                        word = words[j]
                        if j + 1 < n and (word == "the" or (word == "." and words[j - 1] in UNFINISHED)):
                            step = state[words[j + 1]]  # type: ignore[index]
                            if step is None:
                                break
                            j += 1
                        else:
                            break
                    state = step
                    j += 1
                    if step.key_id >= 0:
                        decided = step.node
                        if decided is None:
                            decided = chooser.settle(step)
                        if decided != NOT_A_MATCH:
                            best, key_id, end = decided, step.key_id, j
                else:
                    goes_on = True  # a longer form may go on behind the end
                if best != NOT_A_MATCH and end > busy:
                    if i < busy:  # overlaps the one before: the longer stays
                        before = found[-1]
                        # "mucinous adenocarcinoma of the colon" is mucinous first: "of" only says where
                        if (words[before[1]] == "of" or
                                end - i - words[i:end].count(",") <= before[1] - before[0]):
                            best = NOT_A_MATCH
                        else:
                            found.pop()
                    if best != NOT_A_MATCH:
                        if best == AMBIGUOUS or flags & BARE_STAGE:
                            ambiguous = True
                        found.append((i, end, key_id, best, ""))
                        busy = end
            if flags & CUE:
                cue_starts.append(i)
            elif flags & STOP:
                if i == 0 or words[i - 1] not in UNFINISHED:
                    stops.append(i)
            elif flags & COLON:
                colons.append(i)
        if self.options["nested"]:
            found = self._inner(rows, words, found)
        amended = self._node_category(tokens, words, found) if "NO" in tokens else None
        return Sentence(
            text, tokens, offsets, words, stops, colons, cue_starts,
            open=goes_on or not n or not stops or stops[-1] != n - 1, ambiguous=ambiguous,
            history=bool(history_ranges(words, colons, stops)), defined=tuple(definitions(text)) if "(" in text else (),
            draft=chooser.draft(rows, found), amended=None if amended is None else chooser.draft(rows, amended))

    def _joined(self, sentence: Sentence, draft: Draft, key: _Key) -> list[Found]:
        """The forms of a sentence once the text has decided, joined where they name one concept together."""
        known = draft.joined.get(key)
        if known is None:
            top, decisions = key
            known = self._composer.join(sentence.words, self._chooser.resolve(sentence, draft, decisions, top))
            if self._abstracts:
                known = self._abstracts.complete(sentence.words, sentence.tokens, known)
            if len(draft.joined) >= MOST_SETTLED:
                draft.joined.clear()
            draft.joined[key] = known
        return known

    def _settled(self, sentence: Sentence, draft: Draft, key: _Key, meaning: _Meaning | None = None,
                 history: Sequence[tuple[int, int]] | None = None, without: tuple[Found, ...] = ()) -> Settled:
        """What a sentence says under what the text decided, ``without`` short forms that mean something else there."""
        named = self._named_in(sentence, meaning) if meaning else {}
        full_key = (key, tuple(named.values()), without) if named or without else key
        if not history:
            known = draft.settled.get(full_key)
            if known is not None:
                return known
        found = [f for f in self._joined(sentence, draft, key) if f not in without]
        if named:
            found = _with_named(found, named)
        if "+" in sentence.text:
            found = self._gleason_sums(sentence, found)
        found, status = self._attach(sentence, found, history or ())
        results = self._results.read(sentence, found, status)
        settled = Settled(found, status, self._entities(sentence, found, status, results), results)
        if not history:
            if len(draft.settled) >= MOST_SETTLED:
                draft.settled.clear()
            draft.settled[full_key] = settled
        return settled

    def _history(self, sense: TextSense) -> list[list[tuple[int, int]]]:
        """The clinical-history sections of a text, as token ranges of each sentence."""
        base = 0
        colons: list[int] = []
        stops: list[int] = []
        for sentence in sense.sentences:
            colons += [base + at for at in sentence.colons]
            stops += [base + at for at in sentence.stops]
            base += len(sentence.words)
        ranges = history_ranges(sense.words, colons, stops)
        found = []
        base = 0
        for sentence in sense.sentences:
            n = len(sentence.words)
            found.append([(max(a - base, 0), min(b - base, n)) for a, b in ranges if a < base + n and b > base])
            base += n
        return found

    def _bring_back(self, settled: list[Settled]) -> None:
        """An operation named under history is this specimen's own where the rest of the text names it too."""
        if not any(category == HISTORICAL and cue is None for said in settled for category, cue in said.status):
            return
        current = {f[3] for said in settled for f, (category, _) in zip(said.found, said.status, strict=True)
                   if category == AFFIRMED}
        looseness = self._chooser.looseness
        for k, said in enumerate(settled):
            status: list[Status] = [
                (AFFIRMED, None) if category == HISTORICAL and cue is None and f[3] in current and looseness[f[3]] == 1
                else (category, cue) for f, (category, cue) in zip(said.found, said.status, strict=True)]
            if status != said.status:
                settled[k] = replace(said, status=status, mentions=None, entities=tuple(
                    [e if s == before else (e[0], _POLARITY[s[0]], e[2], e[3])
                     for e, s, before in zip(said.entities, status, said.status, strict=True)]))

    def _mentions(self, sentence: Sentence, settled: Settled) -> list[tuple[Any, ...]]:
        """The fields of the mentions of a sentence, at its own offsets."""
        made = []
        words, text, offsets = sentence.words, sentence.text, sentence.offsets
        for (first, last, key_id, node, how), (category, cue), result in zip(
                settled.found, settled.status, settled.results, strict=True):
            start, end = offsets[2 * first], offsets[2 * last - 1]
            score, why = self._why(sentence, first, last, key_id, node, how, category, cue)
            value: dict[str, Any] = {}
            if first and words[first - 1] in _SIDES:
                value["laterality"] = words[first - 1]
            if result:
                value["result"] = result
                known = self._results.nodes.get((node, result))
                if known is not None:
                    value["result_id"], value["result_name"], _ = self._describe(known)
            made.append((start, end, text[start:end], *self._describe(node), Assertion(STATUS[category]), score, why, value))
        return made

    def _mend(self, tokens: list[str], offsets: list[int], rows: list[Row], rare: list[int]
              ) -> tuple[list[str], list[int], list[Row]]:
        """Put words together that a scanner tore apart ("adeno carcinoma", "carci- noma") and cut runs of stages.

        Args:
            tokens, offsets, rows: of the text.
            rare: indices of the tokens that are unknown or runs.
        """
        changes: list[tuple[int, int, list[str]]] = []
        n = len(rows)
        for i in rare:
            if rows[i][2] & RUN:
                changes.append((i, i + 1, list(cut_stages(tokens[i]))))
                continue
            for at in (i, i - 1):
                if (0 <= at < n - 1 and (not changes or changes[-1][1] <= at)
                        and offsets[2 * at + 2] - offsets[2 * at + 1] <= 3 and self._join(tokens[at], tokens[at + 1])):
                    changes.append((at, at + 2, []))
                    break
        if not changes:
            return tokens, offsets, rows
        tokens, offsets, rows = list(tokens), list(offsets), list(rows)
        for first, last, parts in reversed(changes):
            if parts:
                at = offsets[2 * first]
                inner = []
                for part in parts:
                    inner += [at, at + len(part)]
                    at += len(part)
                rows[first:last] = [self._tokens[part] for part in parts]
                tokens[first:last] = parts
                offsets[2 * first:2 * last] = inner
            else:
                rows[first:last] = [self._tokens[self._join(tokens[first], tokens[first + 1])]]
                tokens[first:last] = [tokens[first] + tokens[first + 1]]
                del offsets[2 * first + 1:2 * first + 3]
        return tokens, offsets, rows

    def _join(self, left: str, right: str) -> str:
        """The word of the lexicon that two neighbours make together, or an empty string."""
        known = self._joins.get((left, right))
        if known is None:
            known = ""
            if left.isalpha() and right.isalpha() and len(left) + len(right) >= _JOIN_LENGTH:
                word = (left + right).lower()
                # both parts being words of their own is no sign of a torn word
                if self._tokens.speller.knows(word) and not (left[-1].islower() and right[0].isupper()):
                    known = word
            if len(self._joins) > 200_000:
                self._joins.clear()
            self._joins[(left, right)] = known
        return known

    def _node_category(self, tokens: list[str], words: list[str], found: list[Found]) -> list[Found] | None:
        """``found`` with the letters "NO" between two categories as N0 ("pT3a NO Mx"), which scanners make of it; ``None``
        where there are none."""
        state = self._tokens.root["pn0"]
        if state is None:
            return None
        node = state.node if state.node is not None else self._chooser.settle(state)
        if node < 0 and node != AMBIGUOUS:
            return None
        added = [(k, k + 1, state.key_id, node, "") for k, token in enumerate(tokens)
                 if token == "NO" and k and "pt" in (words[k - 1][:2], words[max(0, k - 2)][:2])
                 and not any(f[1] > k >= f[0] for f in found)]
        return sorted([*found, *added]) if added else None

    def _inner(self, rows: list[Row], words: list[str], found: list[Found]) -> list[Found]:
        """``found`` and every shorter form inside."""
        every = list(found)
        for first, last, _, _, _ in found:
            for i in range(first, last):
                state = rows[i][1]
                j = i + 1
                while state is not None:
                    if state.key_id >= 0 and (i, j) != (first, last):
                        node = self._chooser.settle(state) if state.node is None else state.node
                        if node >= 0:
                            every.append((i, j, state.key_id, node, ""))
                    if j >= last:
                        break
                    state = state[words[j]]
                    j += 1
        return sorted(every)

    def _gleason_sums(self, sentence: Sentence, found: list[Found]) -> list[Found]:
        """Read "Gleason grade/sum: grade 4 + 3" as the score, where no form of the lexicon holds it whole."""
        starts = sentence.offsets[0::2]
        for match in _GLEASON_SUM.finditer(sentence.text):
            a, b = int(match["a"]), int(match["b"])
            key_id = self.lexicon.forms.get(f"gleason score {a} + {b} = {a + b}", -1)
            node = self._nodes_by_name.get(f"Gleason score {a}+{b}={a + b}", -1)
            if node < 0:
                continue
            first, last = bisect_left(starts, match.start()), bisect_left(starts, match.end())
            inner = [f for f in found if f[0] < last and f[1] > first]
            if any("+" in sentence.words[f[0]:f[1]] for f in inner):
                continue  # read already
            kept = [f for f in found if f not in inner]
            found = sorted([*kept, (first, last, key_id, node, "the two grades of a Gleason score")])
        return found

    def _meaning(self, sentences: Sequence[Sentence], drafts: Sequence[Draft], keys: Sequence[_Key]) -> _Meaning:
        """The short forms that the text defines, and what their long form was linked to."""
        meaning: _Meaning = {}
        for sentence, draft, key in zip(sentences, drafts, keys, strict=True):
            if not sentence.defined:
                continue
            ends_at: dict[int, Found] = {}
            for item in self._joined(sentence, draft, key):
                ends_at.setdefault(sentence.offsets[2 * item[1] - 1], item)  # of nested ones the longest
            for definition in sentence.defined:
                known = next((ends_at[e] for e in range(definition.end, definition.end - 3, -1) if e in ends_at), None)
                if known is not None:
                    meaning[definition.short] = known
        return meaning

    def _named_in(self, sentence: Sentence, meaning: _Meaning) -> dict[tuple[int, int], Found]:
        """The defined short forms of a sentence, by token range."""
        if sentence.short_forms is None:
            sentence.short_forms = tuple([(m.start(), m.end(), m.group()) for m in _SHORT_FORM.finditer(sentence.text)])
        named: dict[tuple[int, int], Found] = {}
        starts: list[int] = []
        ends_: list[int] = []
        for start, end, short in sentence.short_forms:
            item = meaning.get(short) or meaning.get(short.removesuffix("s"))
            if item is not None:
                if not starts:
                    starts, ends_ = sentence.offsets[0::2], sentence.offsets[1::2]
                first = bisect_left(starts, start)
                last = bisect_left(ends_, end) + 1
                if first < last <= len(sentence.words) and starts[first] == start:
                    named[(first, last)] = (first, last, item[2], item[3], "defined in the text")
        return named

    def _attach(self, sentence: Sentence, found: list[Found], history: Sequence[tuple[int, int]]
                ) -> tuple[list[Found], list[Status]]:
        """Mentions with their assertions, without what is generic and not asserted."""
        words, text, offsets = sentence.words, sentence.text, sentence.offsets
        cue_starts: Sequence[int] = sentence.cue_starts
        inside = bytearray()
        if cue_starts:
            inside = bytearray(len(words))
            for f in found:
                inside[f[0]:f[1]] = b"\x01" * (f[1] - f[0])
            cue_starts = [i for i in cue_starts if not inside[i]]
        chooser = self._chooser
        looseness = chooser.looseness
        status = assert_mentions(words, [(f[0], f[1]) for f in found], [looseness[f[3]] for f in found],
                                 find_cues(words, cue_starts, inside), sentence.stops, history)
        for k, f in enumerate(found):
            if (status[k][0] == AFFIRMED and f[1] < len(words) and words[f[1]] in (":", "=")
                    and not looseness[f[3]] and _DENIED.match(text, offsets[2 * f[1] - 1])):
                status[k] = (NEGATED, None)
        asserted = chooser.asserted_only
        kept = [k for k, f in enumerate(found) if f[3] not in asserted or _is_asserted(words, f, status[k])]
        if len(kept) < len(found):
            found, status = [found[k] for k in kept], [status[k] for k in kept]
        return found, status

    def _entities(self, sentence: Sentence, found: Sequence[Found], status: Sequence[Status], results: Sequence[str]
                  ) -> tuple[Entity, ...]:
        """The mentions for rewards: a marker with a result is its result node, stated."""
        offsets, nodes = sentence.offsets, self._results.nodes
        made: list[Entity] = []
        for f, s, result in zip(found, status, results, strict=True):
            node = nodes.get((f[3], result)) if result else None
            start, end = offsets[2 * f[0]], offsets[2 * f[1] - 1]
            made.append((f[3], _POLARITY[s[0]], start, end) if node is None else (node, "+", start, end))
        return tuple(made)

    def _describe(self, node: int) -> tuple[str, str, str]:
        known = self._names.get(node)
        if known is None:
            known = (self.graph.curie(node), self.graph.name(node), self.graph.type(node))
            self._names[node] = known
        return known

    def _why(self, scan: Sentence, first: int, last: int, key_id: int, node: int, how: str, category: int,
             cue: Cue | None) -> tuple[float, str]:
        form = " ".join(scan.words[first:last])
        kind = next((KINDS[k] for owner, k, _ in self.lexicon.entries(key_id) if owner == node), "form")
        score = {"name": 0.97, "exact": 0.95, "abbreviation": 0.85, "form": 0.85}.get(kind, 0.75)
        reasons = [f"{kind} {form!r}"]
        repairs = [(t, self._tokens.repairs[t]) for t in scan.tokens[first:last] if t in self._tokens.repairs]
        for token, (word, similarity) in repairs:
            score *= similarity
            reasons.append(f"{token!r} read as {word!r} ({similarity:.2f})")
        if how:
            score *= 0.95
            reasons.append(how)
        if cue is not None and category != AFFIRMED:
            reasons.append(f"{STATUS[category]} by {cue.phrase!r}")
        elif category != AFFIRMED:
            reasons.append(f"{STATUS[category]} by its {'section' if category == HISTORICAL else 'value'}")
        return score, "; ".join(reasons)


def _is_asserted(words: Sequence[str], found: Found, status: tuple[int, Cue | None]) -> bool:
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


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"a text must be a str, not {type(text).__name__}",
                         hint="decode bytes first; pass one text at a time, or use link_many")
    return text


def _with_named(found: list[Found], named: dict[tuple[int, int], Found]) -> list[Found]:
    """``found`` with the defined short forms in place of what they overlap, unless that is longer."""
    taken = {k: last - first for first, last in named for k in range(first, last)}
    kept = [f for f in found
            if all(k not in taken for k in range(f[0], f[1])) or f[1] - f[0] > max(
                taken.get(k, 0) for k in range(f[0], f[1]))]
    busy = {k for f in kept for k in range(f[0], f[1])}
    return sorted([*kept, *(f for span, f in named.items() if not busy.intersection(range(*span)))])


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
