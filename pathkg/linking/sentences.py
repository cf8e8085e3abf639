"""A text in pieces that are read once: sentences, remembered by their exact words.

No form, cue or torn word reaches over the end of a sentence. So a piece of a text that ends in one gives the same
tokens, forms and cues wherever it stands, and the completions of one prompt, or the parts of one trajectory, share
most of theirs. What depends on the text around it (the organ, an ambiguous form's owner, a history section, an
abbreviation) enters as a key of what was decided, see :class:`Sentence`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pathkg.linking.abbreviations import Definition

if TYPE_CHECKING:
    from pathkg.linking.cues import Cue

Found = tuple[int, int, int, int, str]
"""First token, token after the last, key id, node index, how (empty: as in the lexicon)."""

Status = tuple[int, "Cue | None"]
"""Category of an assertion and the cue that governs it, while a sentence is read."""

Entity = tuple[int, "str | None", int, int]
"""Node index, polarity (``+``, ``-`` or ``None``), start and end offsets."""

Decision = tuple[int, str, tuple[Found, ...]]
"""Node and reason of an undecided form, and, where it is no mention, the shorter forms inside it."""

Key = tuple[tuple[int, ...], tuple[Decision, ...]]
"""What a text decides for one sentence: its organs, and the nodes of undecided forms."""

Core = tuple[str, str, str, int, float, str]
"""What is told of a mention wherever it stands: CURIE, name and type of its node, category, score, why."""

Told = tuple[int, int, Core, tuple[tuple[str, str], ...]]
"""A mention: start, end, what is told of it, and its values."""

MOST_TOKENS = 300_000
"""Tokens of sentences kept in each of two generations: about 30 MB."""

MOST_SETTLED = 64
"""Outcomes kept for one sentence; a sentence met in more surroundings starts anew."""

_LONGEST = 2_000
MOST_JOINED = 8
"""Pieces without an end that are put together before the rest of the text is read as one."""

# "NO" behind a stop may be a misread N0, which is decided by what stands before it
_CUT = re.compile(r"\.(?=\s+(?!NO\b)[A-Z0-9])")
_CUT_STRICT = re.compile(r"\.(?=\s+(?!NO\b)[A-Za-z0-9])")
_OVERHEAD = 16


@dataclass(slots=True, eq=False)
class Settled:
    """What a sentence says, once everything around it is known. Offsets are those of the sentence. ``status`` is the category
    of each assertion and the phrase of the cue that governs it."""

    found: tuple[Found, ...]
    status: tuple[tuple[int, str | None], ...]
    entities: tuple[Entity, ...]
    results: tuple[str, ...]
    mentions: tuple[Told, ...] | None = None
    view: Any = None
    """Whatever the reader of :meth:`~pathkg.linking.Linker.sentences` derives from it and wants to find again."""


@dataclass(slots=True, eq=False)
class Sentence:
    """What can be known of a piece of text from itself alone, and what it was found to say in its surroundings.

    ``open`` says that it cannot stand alone: what follows belongs to its last sentence or form. ``found`` are the forms,
    before the text has decided what is left open: ``undecided`` are positions in ``found`` that need the text (an ambiguous
    form, or a category without its letter: ``bare``), ``special`` says that the text's organ matters, ``nodes`` are those
    that stand fast. ``amended`` is the sentence as it is read where the text has undecided forms, if that differs.

    ``key`` and ``said`` are the first outcome and what the text had decided for it; ``settled`` and ``joined`` keep others.

    Tuples of words and numbers rather than lists, here and in :class:`Settled`: the garbage collector stops following them,
    and thousands of remembered sentences would keep it busy.
    """

    text: str
    tokens: tuple[str, ...]
    offsets: tuple[int, ...]
    words: tuple[str, ...]
    stops: tuple[int, ...]
    colons: tuple[int, ...]
    cue_starts: tuple[int, ...]
    open: bool
    ambiguous: bool
    history: bool
    defined: tuple[Definition, ...]
    found: tuple[Found, ...]
    undecided: tuple[int, ...]
    bare: tuple[int, ...]
    special: bool
    nodes: tuple[int, ...]
    amended: Sentence | None = None
    key: Any = None
    said: Settled | None = None
    settled: dict[Any, Settled] | None = None
    joined: dict[Any, list[Found]] | None = None
    short_forms: tuple[tuple[int, int, str], ...] | None = None
    trace: tuple[int, ...] = ()
    """Of a form's legend or column titles, see :func:`pathkg.linking.templates.trace_of`."""

    def outcome(self, key: Any) -> Settled | None:
        """What was found under ``key``."""
        if self.key == key:
            return self.said
        return self.settled.get(key) if self.settled is not None else None

    def keep(self, key: Any, said: Settled) -> None:
        """Remember an outcome."""
        if self.said is None:
            self.key, self.said = key, said
        elif self.settled is None or len(self.settled) >= MOST_SETTLED:
            self.settled = {key: said}
        else:
            self.settled[key] = said


class SentenceMemo:
    """Sentences by their text, in two generations: when the young one is full, the old one is forgotten.

    Without locks: entries depend on nothing but their key, so a race costs at most a second reading.
    """

    def __init__(self, limit: int = MOST_TOKENS) -> None:
        self.limit = limit
        self._young: dict[str, Sentence] = {}
        self._old: dict[str, Sentence] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, text: str) -> Sentence | None:
        found = self._young.get(text)
        if found is None:
            found = self._old.get(text)
            if found is not None:
                self.put(found)
        return found

    def put(self, sentence: Sentence) -> None:
        if len(sentence.text) > _LONGEST:
            return
        self._young[sentence.text] = sentence
        self._size += len(sentence.tokens) + _OVERHEAD
        if self._size > self.limit:
            self._old, self._young, self._size = self._young, {}, 0

    def clear(self) -> None:
        self._old, self._young, self._size = {}, {}, 0


def ends(text: str, *, strict: bool) -> list[int]:
    """Offsets behind which ``text`` may be cut, and its length.

    Example:
        >>> ends("pT2. Nodes. one. Free.", strict=False)
        [4, 16, 22]
    """
    found = [match.end() for match in (_CUT_STRICT if strict else _CUT).finditer(text)]
    found.append(len(text))
    return found


__all__ = ["MOST_JOINED", "MOST_SETTLED", "MOST_TOKENS", "Decision", "Found", "Sentence", "SentenceMemo", "Settled", "Status", "ends"]
