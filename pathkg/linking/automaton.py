"""The walk through the trie of forms, token by token, with what was learned kept in plain dictionaries."""

from __future__ import annotations

from typing import Any

from pathkg.linking.assertion import HARD
from pathkg.linking.cue_search import CUE_TRIE
from pathkg.linking.lexicon import Lexicon
from pathkg.linking.spelling import Speller
from pathkg.linking.tokens import canonical, cut_stages, stage_word

CACHE_LIMIT = 400_000
"""Tokens and steps kept before the caches start anew."""

FORM, CUE, STOP, COLON, BARE_STAGE, UNKNOWN, RUN = 1, 2, 4, 8, 16, 32, 64
"""Flags of a token: forms begin with it, cues do, it ends a sentence, is a colon, is "T2" alone, is an unknown word of
letters (a part of a torn one?), is a run of stages like "pT3N1"."""

RARE = UNKNOWN
"""A token with this flag or a higher one is looked at again with its neighbours."""

Row = tuple[str, "State | None", int]
"""Canonical token, the state it leads to from the start, flags."""


class State(dict[str, "State | None"]):
    """A place in the trie of forms. Steps are looked up in the mapped trie once and then remembered."""

    __slots__ = ("forms", "key", "key_id", "node")

    def __init__(self, forms: Any, key: str, key_id: int) -> None:
        self.forms = forms
        self.key = key
        self.key_id = key_id
        self.node: int | None = None  # filled by the linker: its decision for this form, where context is not needed

    def __missing__(self, word: str) -> State | None:
        key = f"{self.key} {word}" if self.key else word
        key_id = self.forms.get(key, -1)
        child = None
        if key_id >= 0 or next(self.forms.iterkeys(key + " "), None) is not None:
            child = State(self.forms, key, key_id)
        self[word] = child
        return child

    def walk(self, key: str) -> State | None:
        """The place that further words lead to; ``None`` where no form goes on so."""
        at = self
        for word in key.split(" "):
            step = at[word]
            if step is None:
                return None
            at = step
        return at


class TokenTable(dict[str, Row]):
    """Tokens as written -> :data:`Row`.

    Args:
        lexicon: of the forms and their words.
        root: the start of its trie.
        fuzzy: repair unknown words.
    """

    def __init__(self, lexicon: Lexicon, root: State, *, fuzzy: bool) -> None:
        self.root = root
        self.speller = Speller(lexicon)
        self.fuzzy = fuzzy
        self.repairs: dict[str, tuple[str, float]] = {}

    def __missing__(self, token: str) -> Row:
        if len(self) > CACHE_LIMIT:
            self.clear()
            self.root.clear()
        row = self[token] = self._row(token)
        return row

    def _row(self, token: str) -> Row:
        stage = stage_word(token)
        if stage:
            word, bare = stage
            state = self.root[word]
            if state is not None:
                return word, state, FORM | (BARE_STAGE if bare else 0)
        if cut_stages(token):
            return canonical(token), None, RUN
        word = canonical(token)
        flags = 0
        if word not in CUE_TRIE and word[0].isalnum() and not self.speller.knows(word):
            flags |= UNKNOWN if token.isalpha() else 0
            repaired = self.speller.repair(word) if self.fuzzy else None
            if repaired is not None:
                word = repaired[0]
                self.repairs[token] = repaired
        state = self.root[word]
        if state is not None:
            flags |= FORM
        if word in CUE_TRIE:
            flags |= CUE
        if word in HARD:
            flags |= STOP
        if word == ":":
            flags |= COLON
        return word, state, flags
