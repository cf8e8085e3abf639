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
* A sentence said twice in one block, a sentence of the findings that is copied into the reasoning, a sentence most of whose words
  are the same, a node named twice in one sentence, a node named more than four times in one block, and a finding named
  again in the findings (beyond two), are a violation per repetition.
* A word of doubt beside a finding ("possibly", "cannot be excluded"), and a diagnosis, stage or grade of the answer that
  the findings give already, are a violation each.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pathkg.rewards.reference import Reference, Statement
from pathkg.rewards.similarity import GraphSimilarity
from pathkg.rewards.wording import (
    SENTENCE_END,
    foreign_words,
    hedges,
    is_value,
    repeats,
    retractions,
    supposed,
    within,
)
from pathkg.trajectory.blocks import HIDDEN, Blocks, find_blocks, visible, without_sources
from pathkg.trajectory.dialects import DIALECTS
from pathkg.trajectory.values import value_spans

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

MAX_CHARS = 32_768
"""Default cap on what is read of one completion, in characters. The longest trajectories seen are a third of it."""

REPEATED, HIDDEN_RUN, FOREIGN, UNSTATED, RETRACTED = "repeated", "hidden", "foreign", "unstated", "retracted"
HEDGED, TOLD_EARLY, RESTATED, COPIED = "hedged", "told_early", "restated", "copied"
VIOLATIONS = (REPEATED, HIDDEN_RUN, FOREIGN, UNSTATED, RETRACTED, HEDGED, TOLD_EARLY, RESTATED, COPIED)

FINDINGS = ("morphology", "marker_result", "disease", "effect/phenotype")
"""Node types that state a finding. Places, procedures and methods are named in passing."""

MOST_RESTATED = 2
"""So many findings may be named a second time in the findings."""

DECIDED = frozenset({"pT", "pN", "pM", "stage", "grade", "gleason"})
"""Kinds of values that an answer gives; findings that give them already leave nothing to conclude."""

MOST_IN_BLOCK = 4
"""Naming one node more often than this in one block adds nothing."""

MOST_UNSTATED = 3
"""So many findings may be named without being stated."""

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
    ``hedged`` is how often a word of doubt stands beside them, ``unstated`` are findings it names without stating them, ``asked`` is how often it asks or supposes something, ``retracted`` how often it takes
    something back."""

    keys: tuple[Key, ...]
    starts: tuple[int, ...]
    values: frozenset[str]
    placed_values: tuple[tuple[int, str], ...]
    close: frozenset[Key]
    unstated: frozenset[int]
    asked: int
    retracted: int
    hedged: int
    words: str


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
    _disease: int = -1
    _last: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.types = self.graph.arrays.node_type.tolist()
        self.finding_types = frozenset(map(self.type_code, FINDINGS))
        self._disease = self.type_code("disease")
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
        hidden = repeated = 0
        for written in blocks.texts:
            shown, n = visible(written)
            cleaned.append(shown)
            hidden += n
        whole_text = "\n\n".join(cleaned)
        joined = without_sources(whole_text)
        foreign = foreign_words(joined)
        if not read.isascii():
            hidden += len(HIDDEN.findall(read)) - sum(len(HIDDEN.findall(b)) for b in blocks.texts)
        think_start = len(cleaned[0]) + 2
        answer_start = think_start + len(cleaned[1]) + 2
        # findings, reasoning, answer: each key as often as it is said, in order
        said: tuple[list[Key], list[Key], list[Key]] = ([], [], [])
        values: set[str] = set()
        seen_values: set[str] = set()
        answer_values: set[str] = set()
        close: set[tuple[Key, int]] = set()
        pieces: tuple[list[str], list[str], list[str]] = ([], [], [])
        unstated: set[int] = set()
        asked = retracted = hedged = 0
        observed: set[str] = set()
        copied: list[Key] = []
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
            hedged += view.hedged
            block = (begin >= think_start) + (begin >= answer_start)
            if end <= (think_start, answer_start, end)[block]:
                pieces[block].append(joined[begin:end])
                if block == 0:
                    observed.add(view.words)
                # what is only copied from the findings is not reasoned with
                (copied if block == 1 and view.words in observed else said[block]).extend(view.keys)
                values |= view.values
                if block == 2:
                    answer_values |= view.values
                elif block == 0:
                    seen_values |= view.values
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
                seen_values.update(value for start, value in view.placed_values if base + start < think_start)
        restated = 0
        for block, keys in enumerate(said):
            if len(keys) > len(set(keys)):
                often = [(key, n) for key, n in Counter(keys).items() if n > 1]
                repeated += sum([n - MOST_IN_BLOCK for _, n in often if n > MOST_IN_BLOCK])
                restated = restated if block else self._restated(often)
        again, copies = repeats(pieces if joined == whole_text else [[block] for block in cleaned])
        repeated += again
        if close:
            repeated += self._said_close(joined, placed, close, think_start, answer_start)
        answer = frozenset(said[2])
        reasoned = answer.union(said[1])
        whole = reasoned.union(said[0], copied)
        if len(unstated) > MOST_UNSTATED:
            unstated -= {node for node, _ in whole}
        return Reading(text, blocks, too_long, whole, reasoned, answer, frozenset(values),
                       frozenset(answer_values), cleaned[2].strip(),
                       {REPEATED: repeated, HIDDEN_RUN: hidden, FOREIGN: foreign, RETRACTED: retracted,
                        UNSTATED: asked + max(0, len(unstated) - MOST_UNSTATED), HEDGED: hedged,
                        RESTATED: restated, COPIED: copies,
                        TOLD_EARLY: self._told_early(said[0], answer) + len(DECIDED.intersection(
                            [v.partition("=")[0] for v in seen_values & answer_values]))})

    def _restated(self, often: Sequence[tuple[Key, int]]) -> int:
        """How often the findings name a finding again, beyond :data:`MOST_RESTATED` in all and short of :data:`MOST_IN_BLOCK` each."""
        types, findings = self.types, self.finding_types
        return max(0, sum([min(n, MOST_IN_BLOCK) - 1 for (node, _), n in often if types[node] in findings]) - MOST_RESTATED)

    def _told_early(self, seen: Sequence[Key], answer: frozenset[Key]) -> int:
        """How many diagnoses of the answer the findings name already."""
        disease = self._disease
        return len({key for key in seen if key[1] == "+" and self.types[key[0]] == disease and key in answer})

    def _view(self, text: str, entities: Sequence[tuple[int, str | None, int, int]]) -> _View:
        """What the rewards want of one sentence."""
        found_values = value_spans(text)
        types, measured, finding = self.types, self._measured, self.finding_types
        asked = supposed(text)
        keys: list[Key] = []
        starts: list[int] = []
        last: dict[Key, int] = {}
        close: set[Key] = set()
        unstated: set[int] = set()
        for node, polarity, start, end in entities:
            if polarity is None or (asked and within(asked, start)):
                if types[node] in finding:
                    unstated.add(node)
            # the node of a stage or grade depends on the organ; its value is compared instead
            elif not (types[node] in measured and is_value(found_values, start, end)):
                key = (node, polarity)
                if key in last and SENTENCE_END.search(text, last[key], start) is None:
                    close.add(key)
                last[key] = end
                keys.append(key)
                starts.append(start)
        values = [(start, value) for start, _, value in found_values if not (asked and within(asked, start))]
        # most sentences have none of these, and share it
        return _View(tuple(keys), tuple(starts), frozenset([value for _, value in values]) if values else _NOTHING, tuple(values),
                     frozenset(close) if close else _NOTHING, frozenset(unstated) if unstated else _NOTHING,
                     sum([any(a <= e[2] < b for e in entities) for a, b in asked]),
                     retractions(text), hedges(text) if entities else 0, " ".join(text.lower().split()).rstrip(".;!? "))

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
                    if 0 < times < MOST_IN_BLOCK and SENTENCE_END.search(joined, previous, base + start) is None:
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
