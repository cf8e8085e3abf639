"""Reading a completion once for all rewards: blocks, statements, values, violations.

What counts as read, in one place:

* Only the inside of the three blocks counts. A block is an opening tag whose next tag is its closing tag; text
  outside, and blocks of the other dialect, count for nothing.
* At most ``max_chars`` characters are read; a longer completion fails the format.
* The labels of cited sources (``WHO-breast-2019``) are taken out: a book about the breast states no breast.
* A stage or grade that parses to a value (``pT=2a``) is compared by that value, not by its node: which node pT2a is
  depends on the organ, and so on words elsewhere.
* Characters without width, comments and hidden elements are taken out before linking, and each run is a violation.
* Words that mix alphabets (look-alike letters) and letters of other alphabets are violations.
* A question and what follows an "if" state nothing, neither entities nor values.
* Findings that are only named (options without a tick, "not assessed") are a violation each beyond three, and so is every
  question or supposition that names something.
* Taking back what was said ("none of the above is true") is a violation, and a contradiction.
* A sentence said twice in one block, a sentence most of whose words are the same, a node named twice in one sentence, and
  a node named more than four times in one block, are a violation per repetition.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathkg.errors import StoreError
from pathkg.rewards.reference import Reference, Statement
from pathkg.rewards.similarity import GraphSimilarity
from pathkg.trajectory.blocks import HIDDEN, Blocks, find_blocks, visible, without_sources
from pathkg.trajectory.dialects import DIALECTS
from pathkg.trajectory.values import value_spans

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

MAX_CHARS = 32_768
"""Default cap on what is read of one completion, in characters. The longest trajectories seen are a third of it."""

REPEATED, HIDDEN_RUN, FOREIGN, UNSTATED, RETRACTED = "repeated", "hidden", "foreign", "unstated", "retracted"
VIOLATIONS = (REPEATED, HIDDEN_RUN, FOREIGN, UNSTATED, RETRACTED)

_SENTENCE = re.compile(r"[.;!?\n]+")
_MIN_SENTENCE = 12
"""Shorter sentences ("No.", "Grade 2") repeat in honest text."""

FINDINGS = ("morphology", "marker_result", "disease", "effect/phenotype")
"""Node types that state a finding. Places, procedures and methods are named in passing."""

MOST_IN_BLOCK = 4
"""Naming one node more often than this in one block adds nothing."""

_MIN_CHANT = 8
"""A sentence of at least this many words, of which at most half are different, is a chant."""

_BESIDE_VALUE = 17
"""Characters a mention of a grade may have beside its value ("FNCLCC grade 2", "moderately differentiated"); with more, it
says more than the grade ("urothelial carcinoma, high grade")."""

MOST_UNSTATED = 3
"""So many findings may be named without being stated."""

_WHOLE_SENTENCE = re.compile(r".+?(?:[.;!?](?=\s|$)|\n|$)", re.DOTALL)
_SUPPOSED = re.compile(r"\b(?:if|whether|suppose|supposing|assume|assuming|imagine|hypothetical(?:ly)?|were there|had there been|pretend)\b",
                       re.IGNORECASE)
_ALL_SAID = r"(?:this|that|these|those|it|(?:the |all )*(?:above|foregoing|preceding|findings|statements?|answer|diagnos[ei]s|description))"
_UNTRUE = r"(?:wrong|false|incorrect|untrue|invalid|mistaken|a mistake|an error|made up|fictitious|not (?:true|correct|right|accurate|so|the case|the diagnosis|the answer|present))"
_DOUBT = re.compile(r"[Ww]rong|[Ff]alse|[Ii]ncorrect|[Ii]nvalid|[Uu]ntrue|[Mm]ista|error|made up|fictit|not |[Nn]one|[Nn]othing|[Nn]either|no part"
                    r"|gnore|isregard|orget|etract|ithdraw|iscard|ake back|pposite|ontrary|everse|[A-Z]{6}")
"""Words without which nothing is taken back: a quick look before the long one."""

_RETRACTION = re.compile(
    rf"\b(?:none|nothing|neither|no part) of (?:all )?{_ALL_SAID}\b"
    rf"|\b(?:all|everything|each|any|most) (?:of )?{_ALL_SAID}[^.;\n]{{0,30}}\b{_UNTRUE}\b"
    rf"|\b{_ALL_SAID}(?: (?:findings?|statements?|said|above))*,? (?:is|are|was|were|would be)(?: \w+ly| all| quite)? {_UNTRUE}\b"
    rf"|\b(?:disregard|ignore|forget|retract|withdraw|discard|take back|do not believe)\b[^.;\n]{{0,25}}\b{_ALL_SAID}\b"
    r"|\b(?:the )?(?:opposite|contrary|reverse)(?: of \w+(?: \w+)?)? (?:is|holds|applies)\b", re.IGNORECASE)

_LATIN_OR_GREEK = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u1e00-\u1eff\ufb00-\ufb06"
_FOREIGN = re.compile(
    rf"\w*(?:[^\W\d_{_LATIN_OR_GREEK}\u0370-\u03ff]"  # letters of other alphabets, full-width and mathematical letters
    r"|(?<=[A-Za-z])[\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b9\u03bd\u03bf"
    r"\u03c1\u03c5\u03f2]"  # Greek look-alikes beside Latin letters
    r"|[\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b9\u03bd\u03bf\u03c1\u03c5"
    r"\u03f2](?=[A-Za-z]))\w*")

_SUSPECT = re.compile(rf"[^\W\d_{_LATIN_OR_GREEK}\u0370-\u03ff]|[\u0391-\u03c5\u03f2]")
"""A letter without which :data:`_FOREIGN` finds nothing: most texts are not ASCII for a quotation mark only."""

Key = tuple[int, str]
"""Node index and polarity."""

_NOTHING: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a completion says, as the rewards see it."""

    text: str
    blocks: Blocks
    too_long: bool
    whole: frozenset[Key]
    reasoned: frozenset[Key]
    answer: frozenset[Key]
    values: frozenset[str]
    answer_values: frozenset[str]
    answer_text: str
    violations: Mapping[str, int]

    @property
    def length(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True)
class _View:
    """One sentence as the rewards see it: what it says in order, where, and its values. ``close`` is said twice in it,
    ``unstated`` are findings it names without stating them, ``asked`` is how often it asks or supposes something, ``retracted`` how often it takes
    something back."""

    keys: tuple[Key, ...]
    starts: tuple[int, ...]
    values: frozenset[str]
    placed_values: tuple[tuple[int, str], ...]
    close: frozenset[Key]
    unstated: frozenset[int]
    asked: int
    retracted: int


@dataclass(frozen=True, slots=True)
class Target:
    """A reference resolved against one graph."""

    reference: Reference
    whole: frozenset[Key]
    reasoned: frozenset[Key]
    answer: frozenset[Key]
    values: frozenset[str]
    answer_values: frozenset[str]
    allowed: Mapping[str, int]
    unknown: tuple[str, ...]
    foreign_graph: bool


@dataclass(slots=True)
class Engine:
    """A graph with its linker and similarity, one per process and store. Thread-safe."""

    graph: KnowledgeGraph
    similarity: GraphSimilarity
    linker: Any
    _targets: dict[int, Target] = field(default_factory=dict)
    _names: dict[Key, str] = field(default_factory=dict)
    _organs: dict[int, frozenset[int]] = field(default_factory=dict)
    _regions: dict[int, frozenset[int]] = field(default_factory=dict)
    types: list[int] = field(default_factory=list)
    finding_types: frozenset[int] = frozenset()
    _measured: frozenset[int] = frozenset()
    _last: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.types = self.graph.arrays.node_type.tolist()
        self.finding_types = frozenset(map(self.type_code, FINDINGS))
        self._measured = frozenset({self.type_code("stage"), self.type_code("grade")})

    def read(self, text: str, dialect: str = "observe", max_chars: int = MAX_CHARS) -> Reading:
        """Read a completion. The last reading of a thread is kept, so that several rewards share it."""
        key = (text, dialect, max_chars)
        last: tuple[tuple[str, str, int], Reading] | None = getattr(self._last, "value", None)
        if last is not None and last[0] == key:
            return last[1]
        reading = self._read(text, dialect, max_chars)
        self._last.value = (key, reading)
        return reading

    def _read(self, text: str, dialect: str, max_chars: int) -> Reading:
        too_long = len(text) > max_chars
        read = text[:max_chars] if too_long else text
        blocks = find_blocks(read, DIALECTS[dialect])
        cleaned: list[str] = []
        hidden = repeated = foreign = 0
        for written in blocks.texts:
            shown, n = visible(written)
            cleaned.append(shown)
            hidden += n
        whole_text = "\n\n".join(cleaned)
        joined = without_sources(whole_text)
        if not joined.isascii() and _SUSPECT.search(joined):
            foreign = sum(1 for _ in _FOREIGN.finditer(joined))
        if not read.isascii():
            hidden += len(HIDDEN.findall(read)) - sum(len(HIDDEN.findall(b)) for b in blocks.texts)
        think_start = len(cleaned[0]) + 2
        answer_start = think_start + len(cleaned[1]) + 2
        # findings, reasoning, answer: each key as often as it is said, in order
        said: tuple[list[Key], list[Key], list[Key]] = ([], [], [])
        values: set[str] = set()
        answer_values: set[str] = set()
        close: set[tuple[Key, int]] = set()
        pieces: tuple[list[str], list[str], list[str]] = ([], [], [])
        unstated: set[int] = set()
        asked = retracted = 0
        placed = self.linker.sentences(joined)
        end = 0
        for base, sentence, settled in placed:
            begin, end = end, base + len(sentence.text)
            view: _View = settled.view
            if view is None:
                view = settled.view = self._view(sentence.text, settled.entities)
            if view.unstated:
                unstated |= view.unstated
            asked += view.asked
            retracted += view.retracted
            block = (begin >= think_start) + (begin >= answer_start)
            if end <= (think_start, answer_start, end)[block]:
                pieces[block].append(joined[begin:end])
                said[block].extend(view.keys)
                values |= view.values
                if block == 2:
                    answer_values |= view.values
                if view.close:
                    close.update((key, block) for key in view.close)
            else:  # a sentence without an end before its block's end
                for part, (low, high) in enumerate(((0, think_start), (think_start, answer_start), (answer_start, end))):
                    if begin < high and end > low:
                        pieces[part].append(joined[max(begin, low):min(end, high)])
                for key, start in zip(view.keys, view.starts, strict=True):
                    block = (base + start >= think_start) + (base + start >= answer_start)
                    said[block].append(key)
                    if key in view.close:
                        close.add((key, block))
                values |= view.values
                answer_values.update(value for start, value in view.placed_values if base + start >= answer_start)
        for keys in said:
            if len(keys) > len(set(keys)):
                repeated += sum([n - MOST_IN_BLOCK for n in Counter(keys).values() if n > MOST_IN_BLOCK])
        if joined == whole_text:
            repeated += sum(map(_repeats, pieces))
        else:
            repeated += sum([_repeats([block]) for block in cleaned])
        if close:
            repeated += self._said_close(joined, placed, close, think_start, answer_start)
        answer = frozenset(said[2])
        reasoned = answer.union(said[1])
        whole = reasoned.union(said[0])
        if len(unstated) > MOST_UNSTATED:
            unstated -= {node for node, _ in whole}
        return Reading(text, blocks, too_long, whole, reasoned, answer, frozenset(values),
                       frozenset(answer_values), cleaned[2].strip(),
                       {REPEATED: repeated, HIDDEN_RUN: hidden, FOREIGN: foreign, RETRACTED: retracted,
                        UNSTATED: asked + max(0, len(unstated) - MOST_UNSTATED)})

    def _view(self, text: str, entities: Sequence[tuple[int, str | None, int, int]]) -> _View:
        """What the rewards want of one sentence."""
        found_values = value_spans(text)
        types, measured, finding = self.types, self._measured, self.finding_types
        supposed = _supposed(text)
        keys: list[Key] = []
        starts: list[int] = []
        last: dict[Key, int] = {}
        close: set[Key] = set()
        unstated: set[int] = set()
        for node, polarity, start, end in entities:
            if polarity is None or (supposed and _within(supposed, start)):
                if types[node] in finding:
                    unstated.add(node)
            # the node of a stage or grade depends on the organ; its value is compared instead
            elif not (types[node] in measured and _is_value(found_values, start, end)):
                key = (node, polarity)
                if key in last and _SENTENCE.search(text, last[key], start) is None:
                    close.add(key)
                last[key] = end
                keys.append(key)
                starts.append(start)
        values = [(start, value) for start, _, value in found_values if not (supposed and _within(supposed, start))]
        # most sentences have none of these, and share it
        return _View(tuple(keys), tuple(starts), frozenset([value for _, value in values]) if values else _NOTHING, tuple(values),
                     frozenset(close) if close else _NOTHING, frozenset(unstated) if unstated else _NOTHING,
                     sum([any(a <= e[2] < b for e in entities) for a, b in supposed]),
                     len(_RETRACTION.findall(text)) if _DOUBT.search(text) else 0)

    @staticmethod
    def _said_close(joined: str, placed: Sequence[tuple[int, Any, Any]], close: set[tuple[Key, int]], think_start: int,
                    answer_start: int) -> int:
        """How often a key of ``close`` is said again in one sentence, where it has not been counted for its number."""
        repeated = 0
        seen: dict[tuple[Key, int], tuple[int, int]] = {}
        for base, _, settled in placed:
            for node, polarity, start, end in settled.entities:
                at = ((node, polarity), (base + start >= think_start) + (base + start >= answer_start))
                if at in close:
                    times, previous = seen.get(at, (0, 0))
                    if 0 < times < MOST_IN_BLOCK and _SENTENCE.search(joined, previous, base + start) is None:
                        repeated += 1
                    seen[at] = (times + 1, base + end)
        return repeated

    def target(self, reference: Reference) -> Target:
        """The reference resolved to node indices; remembered."""
        # by identity: hashing a reference takes longer than resolving half of it; the entry keeps the object alive
        found = self._targets.get(id(reference))
        if found is None or found.reference is not reference:
            if len(self._targets) > 65536:
                self._targets.clear()
            found = self._targets[id(reference)] = self._resolve(reference)
        return found

    def _resolve(self, reference: Reference) -> Target:
        unknown: list[str] = []

        def keys(statements: tuple[Statement, ...] | frozenset[Statement]) -> frozenset[Key]:
            found = set()
            for statement in statements:
                index = self.graph.find_index(statement.id)
                if index is None:
                    unknown.append(statement.id)
                else:
                    found.add((index, statement.polarity))
            return frozenset(found)

        whole = keys(reference.entities)
        return Target(reference, whole, keys(reference.reasoned), keys(reference.answer),
                      frozenset(reference.values), frozenset(reference.answer_values), dict(reference.allowed),
                      tuple(sorted(set(unknown))), bool(reference.graph_hash) and
                      reference.graph_hash != self.graph.hash)

    def type_code(self, name: str) -> int:
        """The code of a node type; -1 where the store has none of it."""
        types = self.graph.node_types
        return types.index(name) if name in types else -1

    def organs_of(self, disease: int) -> frozenset[int]:
        """Where a disease arises."""
        found = self._organs.get(disease)
        if found is None:
            found = self._organs[disease] = frozenset(self._objects(disease, ("arises_in",)))
        return found

    def regions_of(self, organ: int) -> frozenset[int]:
        """An organ and everything it is, or is part of."""
        found = self._regions.get(organ)
        if found is None:
            seen, stack = {organ}, [organ]
            while stack:
                for other in self._objects(stack.pop(), ("part_of", "is_a")):
                    if other not in seen:
                        seen.add(other)
                        stack.append(other)
            found = self._regions[organ] = frozenset(seen)
        return found

    def _objects(self, node: int, relations: tuple[str, ...]) -> list[int]:
        arrays, names = self.graph.arrays, self.graph.relations
        lo, hi = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
        return [other for other, edge in zip(arrays.neighbor[lo:hi].tolist(), arrays.edge[lo:hi].tolist(), strict=True)
                if int(arrays.edge_subject[edge]) == node and names[int(arrays.edge_relation[edge])] in relations]

    def name(self, key: Key) -> str:
        """A statement in the form of :class:`~pathkg.rewards.reference.Statement`."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self.graph.curie(key[0]) + key[1]
        return name


def _supposed(text: str) -> list[tuple[int, int]]:
    """The ranges of a text that are asked or supposed rather than said.

    Example:
        >>> _supposed("Is it melanoma? No.  Margins are free if mucin is absent.")
        [(0, 15), (38, 57)]
    """
    if "?" not in text and _SUPPOSED.search(text) is None:
        return []
    found = []
    for match in _WHOLE_SENTENCE.finditer(text):
        if match[0][-1] == "?":
            found.append(match.span())
        else:
            supposition = _SUPPOSED.search(text, match.start(), match.end())
            if supposition is not None:
                found.append((supposition.start(), match.end()))
    return found


def _within(ranges: list[tuple[int, int]], at: int) -> bool:
    return any(start <= at < end for start, end in ranges)


def _is_value(values: list[tuple[int, int, str]], start: int, end: int) -> bool:
    """Whether a mention is one of the values, give or take a word."""
    for a, b, _ in values[max(0, bisect_left(values, (start, 0, "")) - 2):]:
        if a >= end:
            return False
        if start < b and end - start < b - a + _BESIDE_VALUE:
            return True
    return False


def _repeats(pieces: list[str]) -> int:
    """How many sentences of a block, given in pieces that end where sentences do, are said again or are chants."""
    sentences: list[str] = []
    chants = 0
    for piece in pieces:
        own, chanted = (_known_sentences if len(piece) <= _KNOWN_LENGTH else _sentences_of)(piece)
        sentences += own
        chants += chanted
    return len(sentences) - len(set(sentences)) + chants


def _sentences_of(piece: str) -> tuple[tuple[str, ...], int]:
    """The sentences of a piece, reduced to their words, and how many of them are chants."""
    split = [s.split() for s in _SENTENCE.split(piece.lower()) if len(s) >= _MIN_SENTENCE]
    chants = sum([2 * len(set(words)) <= len(words) for words in split if len(words) >= _MIN_CHANT])
    return tuple([" ".join(words) for words in split]), chants


_KNOWN_LENGTH = 500
_known_sentences = lru_cache(maxsize=32_768)(_sentences_of)


def bundled() -> KnowledgeGraph:
    """The bundled graph."""
    from pathkg.api import load

    return load()


@lru_cache(maxsize=16)
def engine_for(store: str, graph_hash: str) -> Engine:
    """The engine of a store, shared by everything in this process.

    Args:
        store: the store's folder.
        graph_hash: its content hash; ``""`` takes what is there.

    Raises:
        StoreError: no store there, or its content is not ``graph_hash``.
    """
    from pathkg.api import load
    from pathkg.linking import linker_for

    if not store:
        graph = load()
    elif (Path(store) / "manifest.json").is_file():
        graph = load(store)
    else:
        # a pickle from another machine: the bundled graph lies elsewhere there, its content is the same
        graph = load()
        if graph.hash != graph_hash:
            raise StoreError(f"there is no store {store}", hint="copy the store to this machine, at the same path")
    if graph_hash and graph.hash != graph_hash:
        raise StoreError(f"the store {store or graph.path} has changed: it is {graph.hash[:19]}, not "
                         f"{graph_hash[:19]}", hint="make the reward again from the store as it is now")
    return Engine(graph, GraphSimilarity(graph), linker_for(graph))


def as_text(value: object) -> str | None:
    """A completion as text: bytes are decoded with replacement, lone surrogates replaced; ``None`` if it is no text.

    Example:
        >>> as_text(b"pT2\\xff"), as_text(None)
        ('pT2\\ufffd', None)
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return value.encode("utf-8", "replace").decode("utf-8")
    return value
