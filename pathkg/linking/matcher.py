"""``Linker``: from a text to its mentions."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pathkg.errors import InputError
from pathkg.linking.abbreviations import definitions
from pathkg.linking.assertion import CUE_TRIE, UNFINISHED, CueHit, assert_mentions, find_cues
from pathkg.linking.automaton import BARE_STAGE, COLON, CUE, FORM, RUN, STOP, UNKNOWN, Row, TokenTable
from pathkg.linking.choice import AMBIGUOUS, NOT_A_MATCH, Chooser
from pathkg.linking.composition import Composer
from pathkg.linking.cues import AFFIRMED, HISTORICAL, NEGATED, STATUS, Cue
from pathkg.linking.grounding import Candidate, DenseIndex, Grounder
from pathkg.linking.lexicon import KINDS, Lexicon, open_lexicon
from pathkg.linking.sections import history_ranges
from pathkg.linking.tokens import cut_stages, split
from pathkg.records import Assertion, LinkResult, Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_SIDES = frozenset({"left", "right", "bilateral"})
_INTRODUCING = frozenset({"a", "an", "with", "containing", "residual", "viable", "recurrent", "metastatic"})
_NOT_INTRODUCING = frozenset({"of", "the", "by", "in", "and", "or", "this", "is", "to", "from", "for"})
_ARTICLE_REACH = 5
_MINUS = ("-", "–", "−")
_SIGN_ENDS = (",", ";", ")", "")
_DENIED = re.compile(r"""\s*[:=]\s*(?:
    [-–−](?=[ \t]*(?:$|[\n,;.]))                                                        # lymphovascular invasion: -
    |(?:0\s?%|[LVlv]0|Pn0)(?![\w.-])                                                      # necrosis: 0%
    |(?:\[\s?\][^\[\]:\n]{0,40})?\[\s?[xX]\s?\]\s*(?:absent|no|not|none)\b(?!\s+(?:spec|appl|assess|know))  # [ ] present [x] absent
    )""", re.X)
"""Values of a field that deny it, and that no cue phrase can hold."""
_RARE = UNKNOWN | RUN
_LISTING = frozenset({",", "and", "&"})
_GLEASON_SUM = re.compile(r"gleason[^.;\n+\d]{0,40}(?P<a>[1-5])\s?\+\s?(?P<b>[1-5])(?![\d.])", re.I)
_SHORT_FORM = re.compile(r"(?<![\w-])[a-z]{0,3}[A-Z][\w/-]*\w")
_JOIN_LENGTH = 6
_POLARITY: tuple[str | None, ...] = ("-", "+", None, None, None, "+")

Entity = tuple[int, "str | None", int, int]
"""Node index, polarity (``+``, ``-`` or ``None``), start and end offsets."""

Found = tuple[int, int, int, int, str]
"""First token, token after the last, key id, node index, how (empty: as in the lexicon)."""


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
        index = DenseIndex(self.lexicon, model=dense) if dense else None
        self._grounder = Grounder(self.lexicon, self._tokens.speller, dense=index)
        self._composer = Composer(graph, self.lexicon)
        self._joins: dict[tuple[str, str], str] = {}
        self._names: dict[int, tuple[str, str, str]] = {}
        self._nodes_by_name: dict[str, int] = {}
        self._results: dict[tuple[int, str], int] = {}
        self._result_words: dict[int, str] = {}
        self._index_results()

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
        scan = self._scan(text)
        mentions = []
        for (first, last, key_id, node, how), (category, cue) in zip(scan.found, scan.status, strict=True):
            start, end = scan.span(first, last)
            curie, name, type_ = self._describe(node)
            score, why = self._why(scan, first, last, key_id, node, how, category, cue)
            value = {"laterality": scan.words[first - 1]} if first and scan.words[first - 1] in _SIDES else {}
            mentions.append(Mention(start, end, text[start:end], curie, name, type_, Assertion(STATUS[category]),
                                    score, why, value))
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

        Polarity is ``+`` (present, possible), ``-`` (absent) or ``None`` (asserts nothing about this case).
        """
        scan = self._scan(text)
        offsets = scan.offsets
        return tuple([(f[3], _POLARITY[s[0]], offsets[2 * f[0]], offsets[2 * f[1] - 1])
                      for f, s in zip(scan.found, scan.status, strict=True)])

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

    def assertion_of(self, text: str, start: int, end: int) -> Assertion:
        """What ``text`` says about the span from ``start`` to ``end``, whatever concept stands there."""
        scan = self._scan(text)
        first = bisect_left(scan.offsets[1::2], start + 1)
        last = max(first + 1, bisect_left(scan.offsets[0::2], end))
        words = [*scan.words[:first], *["\x00"] * (last - first), *scan.words[last:]]
        cues = find_cues(words, [i for i, word in enumerate(words) if word in CUE_TRIE])
        category, _ = assert_mentions(scan.words, [(first, last)], [0], cues, scan.stops,
                                      history_ranges(scan.words, scan.colons, scan.stops))[0]
        return Assertion(STATUS[category])

    def _index_results(self) -> None:
        """The result nodes "<marker> positive" and "<marker> negative" of every marker, by its ``result_of`` edges."""
        graph, arrays = self.graph, self.graph.arrays
        names: list[str] = graph.nodes_table()["name"].to_pylist()
        self._nodes_by_name = {name: i for i, name in enumerate(names) if name.startswith("Gleason score ")}
        if "result_of" not in graph.relations:
            return
        for edge in np.flatnonzero(arrays.edge_relation == graph.relations.index("result_of")).tolist():
            result, marker = int(arrays.edge_subject[edge]), int(arrays.edge_object[edge])
            value = names[result].rpartition(" ")[2]
            # the plain result, not "diffuse CK7 positive": its name is a name of the marker and the value
            if value in ("positive", "negative") and graph.type(result) == "marker_result" and names[result] in (
                    f"{names[marker]} {value}", f"{graph.curie(marker).partition(':')[2].upper()} {value}"):
                self._results[(marker, value)] = result
                self._result_words[result] = value

    # -- inside --------------------------------------------------------------------------------------------

    def _scan(self, text: str) -> _Scan:
        if not isinstance(text, str):
            raise InputError(f"a text must be a str, not {type(text).__name__}",
                             hint="decode bytes first; pass one text at a time, or use link_many")
        tokens, offsets = split(text)
        table = self._tokens
        rows = [table[token] for token in tokens]
        rare = [i for i, row in enumerate(rows) if row[2] & _RARE]
        if rare:
            tokens, offsets, rows = self._mend(tokens, offsets, rows, rare)
        words = [row[0] for row in rows]
        found: list[Found] = []
        cue_starts: list[int] = []
        stops: list[int] = []
        colons: list[int] = []
        busy = 0
        ambiguous = False
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
        scan = _Scan(text, tokens, offsets, words, stops, colons, rows)
        if ambiguous and "NO" in tokens:
            self._node_category(tokens, words, found)
        if self.options["nested"]:
            found = self._inner(rows, words, found)
        scan.found = self._composer.join(words, self._chooser.resolve(scan, found, ambiguous))
        if "(" in text:
            self._use_definitions(scan)
        if "+" in text:
            self._gleason_sums(scan)
        self._listed_results(scan)
        self._attach(scan, cue_starts)
        return scan

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

    def _node_category(self, tokens: list[str], words: list[str], found: list[Found]) -> None:
        """Read the letters "NO" between two categories as N0 ("pT3a NO Mx"), which scanners make of it."""
        state = self._tokens.root["pn0"]
        if state is None:
            return
        node = state.node if state.node is not None else self._chooser.settle(state)
        for k, token in enumerate(tokens):
            if token != "NO" or k == 0 or "pt" not in (words[k - 1][:2], words[max(0, k - 2)][:2]):
                continue
            if any(f[1] > k >= f[0] for f in found):
                continue
            if node >= 0 or node == AMBIGUOUS:
                found.append((k, k + 1, state.key_id, node, ""))
                found.sort()

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

    def _gleason_sums(self, scan: _Scan) -> None:
        """Read "Gleason grade/sum: grade 4 + 3" as the score, where no form of the lexicon holds it whole."""
        starts = scan.offsets[0::2]
        for match in _GLEASON_SUM.finditer(scan.text):
            a, b = int(match["a"]), int(match["b"])
            key_id = self.lexicon.forms.get(f"gleason score {a} + {b} = {a + b}", -1)
            node = self._nodes_by_name.get(f"Gleason score {a}+{b}={a + b}", -1)
            if node < 0:
                continue
            first, last = bisect_left(starts, match.start()), bisect_left(starts, match.end())
            inner = [f for f in scan.found if f[0] < last and f[1] > first]
            if any("+" in scan.words[f[0]:f[1]] for f in inner):
                continue  # read already
            kept = [f for f in scan.found if f not in inner]
            scan.found = sorted([*kept, (first, last, key_id, node, "the two grades of a Gleason score")])

    def _listed_results(self, scan: _Scan) -> None:
        """Give every marker of a list the result its first or last member has ("S100, SOX10 and Melan-A positive")."""
        found, words, types = scan.found, scan.words, self._result_words
        for k, f in enumerate(found):
            if f[3] not in types:
                continue
            value = types[f[3]]
            # what was given its result here does not pass it on
            step = 1 if words[f[0]] == value else -1 if words[f[1] - 1] == value or "stands behind" in f[4] else 0
            at = k + step
            while step and 0 <= at < len(found):
                left, right = (found[at - 1], found[at]) if step > 0 else (found[at], found[at + 1])
                gap = words[left[1]:right[0]]
                if not gap or len(gap) > 2 or any(word not in _LISTING for word in gap):
                    break
                node = self._results.get((found[at][3], value), -1)
                if node >= 0 and found[at][3] not in types:
                    found[at] = (*found[at][:3], node, f"{value} with the others of its list")
                elif types.get(found[at][3]) != value:
                    break
                at += step

    def _use_definitions(self, scan: _Scan) -> None:
        """Link the short forms that the text defines to what their long form was linked to."""
        defined = definitions(scan.text)
        if not defined:
            return
        meaning: dict[str, Found] = {}
        ends_at = {scan.offsets[2 * item[1] - 1]: item for item in scan.found}
        for definition in defined:
            item = next((ends_at[e] for e in range(definition.end, definition.end - 3, -1) if e in ends_at), None)
            if item is not None:
                meaning[definition.short] = item
        if not meaning:
            return
        starts, ends = scan.offsets[0::2], scan.offsets[1::2]
        named: dict[tuple[int, int], Found] = {}
        for match in _SHORT_FORM.finditer(scan.text):
            item = meaning.get(match.group()) or meaning.get(match.group().removesuffix("s"))
            if item is not None:
                first = bisect_left(starts, match.start())
                last = bisect_left(ends, match.end()) + 1
                if first < last <= len(scan.words) and starts[first] == match.start():
                    named[(first, last)] = (first, last, item[2], item[3], "defined in the text")
        taken = {k: last - first for first, last in named for k in range(first, last)}
        kept = [f for f in scan.found
                if all(k not in taken for k in range(f[0], f[1])) or f[1] - f[0] > max(
                    taken.get(k, 0) for k in range(f[0], f[1]))]
        busy = {k for f in kept for k in range(f[0], f[1])}
        scan.found = sorted([*kept, *(f for span, f in named.items() if not busy.intersection(range(*span)))])

    def _attach(self, scan: _Scan, cue_starts: Sequence[int]) -> None:
        """Assertions for the found mentions; drops what is generic and not asserted."""
        words, found = scan.words, scan.found
        inside = bytearray()
        if cue_starts:
            inside = bytearray(len(words))
            for f in found:
                inside[f[0]:f[1]] = b"\x01" * (f[1] - f[0])
            cue_starts = [i for i in cue_starts if not inside[i]]
        scan.cues = find_cues(words, cue_starts, inside)
        chooser = self._chooser
        status = assert_mentions(words, [(f[0], f[1]) for f in found], [chooser.looseness[f[3]] for f in found],
                                 scan.cues, scan.stops, history_ranges(words, scan.colons, scan.stops))
        for k, f in enumerate(found):
            if f[3] in chooser.signed:
                at = scan.offsets[2 * f[1] - 1]
                if scan.text[at:at + 1] in _MINUS and scan.text[at + 1:at + 2] in _SIGN_ENDS:  # "S100-, HMB45-"
                    status[k] = (NEGATED, None)
            if (status[k][0] == AFFIRMED and f[1] < len(words) and words[f[1]] in (":", "=")
                    and not chooser.looseness[f[3]] and _DENIED.match(scan.text, scan.offsets[2 * f[1] - 1])):
                status[k] = (NEGATED, None)
        if any(category == HISTORICAL and cue is None for category, cue in status):
            # the operation of this specimen may be named under history too
            current = {f[3] for f, (category, _) in zip(found, status, strict=True) if category == AFFIRMED}
            status = [(AFFIRMED, None) if category == HISTORICAL and cue is None and f[3] in current
                      and chooser.looseness[f[3]] == 1 else (category, cue)
                      for f, (category, cue) in zip(found, status, strict=True)]
        asserted = chooser.asserted_only
        kept = [k for k, f in enumerate(found) if f[3] not in asserted
                or _is_asserted(words, f, status[k])]
        if len(kept) < len(found):
            found, status = [found[k] for k in kept], [status[k] for k in kept]
        scan.found, scan.status = found, status

    def _describe(self, node: int) -> tuple[str, str, str]:
        known = self._names.get(node)
        if known is None:
            known = (self.graph.curie(node), self.graph.name(node), self.graph.type(node))
            self._names[node] = known
        return known

    def _why(self, scan: _Scan, first: int, last: int, key_id: int, node: int, how: str, category: int,
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


class _Scan:
    """Everything known about one text while it is linked."""

    __slots__ = (
        "colons",
        "counts",
        "cues",
        "fits",
        "found",
        "joined",
        "offsets",
        "phrases",
        "rows",
        "status",
        "stops",
        "text",
        "tokens",
        "words",
    )

    def __init__(self, text: str, tokens: list[str], offsets: list[int], words: list[str], stops: list[int],
                 colons: list[int], rows: list[Row]) -> None:
        self.text = text
        self.tokens = tokens
        self.offsets = offsets
        self.words = words
        self.stops = stops
        self.colons = colons
        self.rows = rows
        self.counts: Counter[str] | None = None
        self.joined: str | None = None
        self.phrases: dict[str, bool] = {}
        self.fits: dict[int, tuple[float, str] | None] = {}
        self.found: list[Found] = []
        self.cues: list[CueHit] = []
        self.status: list[tuple[int, Cue | None]] = []

    def near(self, keys: Sequence[str], first: int, last: int) -> str | None:
        """The first of ``keys`` that occurs in the text outside the tokens ``first`` to ``last``."""
        if self.counts is None:
            self.counts = Counter(self.words)
        counts = self.counts
        inside = self.words[first:last]
        for key in keys:
            if key in counts:
                if counts[key] > inside.count(key):
                    return key
            elif " " in key and all(part in counts for part in key.split(" ")):
                if self.joined is None:
                    self.joined = f" {' '.join(self.words)} "
                known = self.phrases.get(key)
                if known is None:
                    known = self.phrases[key] = f" {key} " in self.joined
                if known:
                    return key
        return None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Offsets of a range of tokens."""
        return self.offsets[2 * first], self.offsets[2 * last - 1]


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
