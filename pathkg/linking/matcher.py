"""``Linker``: from a text to its mentions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError
from pathkg.linking.assertion import CUE_TRIE, HARD, STATUS, CueHit, assert_mentions, find_cues, polarity_code
from pathkg.linking.cues import AFFIRMED, SECTION_OF, Cue
from pathkg.linking.lexicon import KINDS, Lexicon, open_lexicon
from pathkg.linking.patterns import PATTERN_WORDS, find_pattern
from pathkg.linking.tokens import canonical, split
from pathkg.records import Assertion, LinkResult, Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

_CACHE_LIMIT = 400_000
_LOOSE_TYPES = frozenset({"anatomy", "cell", "procedure", "specimen"})
_NAME, _EXACT, _ABBREVIATION = 0, 1, 2

Entity = tuple[int, "str | None", int, int]
"""Node index, polarity (``+``, ``-`` or ``None``), start and end offsets."""


class _State(dict[str, "_State | None"]):
    """A place in the trie of forms, filled from the mapped trie when first asked for."""

    __slots__ = ("forms", "key_id", "prefix")

    def __init__(self, forms: Any, prefix: str, key_id: int) -> None:
        self.forms = forms
        self.prefix = prefix
        self.key_id = key_id

    def __missing__(self, word: str) -> _State | None:
        prefix = f"{self.prefix} {word}" if self.prefix else word
        key_id = self.forms.get(prefix, -1)
        child = None
        if key_id >= 0 or _has_prefix(self.forms, prefix + " "):
            child = _State(self.forms, prefix, key_id)
        self[word] = child
        return child


def _has_prefix(forms: Any, prefix: str) -> bool:
    for _ in forms.iterkeys(prefix):
        return True
    return False


Row = tuple[str, "_State | None", bool, bool]
"""Canonical token, its first state, whether cues begin with it, whether patterns do."""


class _Tokens(dict[str, Row]):
    """Tokens as written -> what the scan needs to know of them."""

    def __init__(self, root: _State) -> None:
        self.root = root

    def __missing__(self, token: str) -> Row:
        if len(self) > _CACHE_LIMIT:
            self.clear()
            self.root.clear()
        word = canonical(token)
        row = (word, self.root[word], word in CUE_TRIE, word in PATTERN_WORDS or _looks_like_stage(token))
        self[token] = row
        return row


def _looks_like_stage(token: str) -> bool:
    return len(token) < 8 and token[:1] in "pPcCyYrTtNnM" and any(c.isdigit() or c in "oOXx" for c in token[1:])


class Linker:
    """Finds the mentions of a graph's nodes in text.

    Thread-safe; a pickle carries the graph's path. Opening maps the lexicon; caches fill with use.

    Args:
        graph: the graph whose surface forms are looked for.

    Example:
        >>> import pathkg
        >>> linker = Linker(pathkg.load())
        >>> [(m.name, str(m.assertion)) for m in linker.link("Keratin pearls are seen. No necrosis.")]
        [('keratin pearl', 'present'), ('tumor necrosis', 'absent')]
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self.lexicon: Lexicon = open_lexicon(graph)
        self._root = _State(self.lexicon.forms, "", -1)
        self._tokens = _Tokens(self._root)
        self._owner: dict[int, int] = {}
        self._names: dict[int, tuple[str, str, str]] = {}
        self._type_codes = graph.arrays.node_type
        self._loose_codes = frozenset(i for i, t in enumerate(graph.node_types) if t in _LOOSE_TYPES)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.graph,))

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
        for (first, last, key_id, node), (category, cue) in zip(scan.found, scan.status, strict=True):
            start, end = scan.offsets[2 * first], scan.offsets[2 * last - 1]
            curie, name, type_ = self._describe(node)
            form = " ".join(scan.words[first:last])
            why = self._why(form, key_id, node, category, cue)
            mentions.append(Mention(start, end, text[start:end], curie, name, type_,
                                    Assertion(STATUS[category] if category < len(STATUS) else "present"),
                                    0.9, why))
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
        return tuple((node, polarity_code(category), offsets[2 * first], offsets[2 * last - 1])
                     for (first, last, _, node), (category, _) in zip(scan.found, scan.status, strict=True))

    # -- inside --------------------------------------------------------------------------------------------

    def _scan(self, text: str) -> _Scan:
        if not isinstance(text, str):
            raise InputError(f"a text must be a str, not {type(text).__name__}",
                             hint="decode bytes first; pass one text at a time, or use link_many")
        tokens, offsets = split(text)
        rows = list(map(self._tokens.__getitem__, tokens))
        words = [row[0] for row in rows]
        n = len(words)
        found: list[tuple[int, int, int, int]] = []
        busy_start, busy_end = -1, -1
        for i in [i for i, row in enumerate(rows) if row[1] is not None or row[3]]:
            state = rows[i][1]
            end, key_id = -1, -1
            if state is not None:
                if state.key_id >= 0:
                    end, key_id = i + 1, state.key_id
                j = i + 1
                while j < n:
                    state = state[words[j]]
                    if state is None:
                        break
                    j += 1
                    if state.key_id >= 0:
                        end, key_id = j, state.key_id
            if rows[i][3]:
                pattern = find_pattern(self.graph, text, offsets[2 * i])
                if pattern is not None:
                    last = i + 1
                    while last < n and offsets[2 * last] < pattern[0]:
                        last += 1
                    if last > end:
                        end, key_id = last, -1 - pattern[1]
            if end < 0:
                continue
            if i < busy_end:
                if end - i <= busy_end - busy_start or end <= busy_end:
                    continue
                found.pop()
            node = -1 - key_id if key_id < -1 else self._choose(key_id, i, end, tokens)
            if node < 0:
                continue
            found.append((i, end, key_id, node))
            busy_start, busy_end = i, end
        inside = bytearray(n + 1)
        for first, last, _, _ in found:
            for k in range(first, last):
                inside[k] = 1
        cues: list[CueHit] = find_cues(words, [i for i, row in enumerate(rows) if row[2] and not inside[i]])
        stops = [i for i, word in enumerate(words) if word in HARD]
        loose_codes, codes = self._loose_codes, self._type_codes
        status = assert_mentions(words, [(f[0], f[1]) for f in found],
                                 [int(codes[f[3]]) in loose_codes for f in found], cues, stops,
                                 _history(words))
        return _Scan(tokens, offsets, words, found, status)

    def _choose(self, key_id: int, first: int, last: int, tokens: list[str]) -> int:
        node = self._owner.get(key_id)
        if node is not None:
            return node
        entries = self.lexicon.entries(key_id)
        plain = [e for e in entries if not self.lexicon.contexts[e[2]]]
        if plain:
            node = plain[0][0]
            self._owner[key_id] = node
            return node
        written = "".join(tokens[first:last])
        for node, _, context in entries:
            if "case=upper" not in self.lexicon.contexts[context] or written.isupper():
                return node
        return -1

    def _describe(self, node: int) -> tuple[str, str, str]:
        known = self._names.get(node)
        if known is None:
            known = (self.graph.curie(node), self.graph.name(node), self.graph.type(node))
            self._names[node] = known
        return known

    def _why(self, form: str, key_id: int, node: int, category: int, cue: Cue | None) -> str:
        if key_id < -1:
            how = f"pattern {form!r}"
        else:
            kind = next((KINDS[k] for owner, k, _ in self.lexicon.entries(key_id) if owner == node), "form")
            how = f"{kind} {form!r}"
        if cue is not None and category != AFFIRMED:
            return f"{how}; {STATUS[category]} by {cue.phrase!r}"
        return how


class _Scan:
    __slots__ = ("found", "offsets", "status", "tokens", "words")

    def __init__(self, tokens: list[str], offsets: list[int], words: list[str],
                 found: list[tuple[int, int, int, int]], status: list[tuple[int, Cue | None]]) -> None:
        self.tokens = tokens
        self.offsets = offsets
        self.words = words
        self.found = found
        self.status = status


def _history(words: list[str]) -> list[tuple[int, int]]:
    """Token ranges of history sections: from such a heading to the next heading."""
    ranges: list[tuple[int, int]] = []
    start = -1
    at = -1
    while True:
        try:
            at = words.index(":", at + 1)
        except ValueError:
            break
        section = None
        for length in (4, 3, 2, 1):
            if at - length >= 0:
                section = SECTION_OF.get(" ".join(words[at - length:at]))
                if section:
                    break
        if section and start >= 0:
            ranges.append((start, at))
            start = -1
        if section == "history":
            start = at + 1
    if start >= 0:
        ranges.append((start, len(words)))
    return ranges


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
