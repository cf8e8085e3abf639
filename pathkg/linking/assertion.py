"""What the text says about each mention: present, absent, possible, historical, unspecified or other.

Works on token indices. A cue governs the mentions on its side up to its reach, within its sentence, until a
break. Pathology rules on top: lists under one negation, ``X: No``, unticked options, history sections.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pathkg.linking.cues import (
    AFFIRMED,
    AFTER,
    BEFORE,
    BREAK,
    CUES,
    HISTORICAL,
    NEGATED,
    POSSIBLE,
    PSEUDO,
    Cue,
)

STATUS = ("absent", "possible", "historical", "unspecified", "other", "present")
"""Assertion by cue category (``AFFIRMED`` is ``present``)."""

HARD = frozenset({".", ";", "\n"})
_SMALL = frozenset({":", "(", ")", "is", "are", "was", "were", "be", "been", "being", "status", "=", "-", "–", "also",
                    "definitely", "has", "have", "clearly", "grossly", "microscopically", "focally", "the", "a", "an",
                    "by", "\"", "]", "[", "invasion", "of", "tumor", "any"})
_PREPOSITIONS = frozenset({"in", "within", "of", "at", "from", "into", "to", "on", "involving", "involve", "beyond",
                           "near", "through", "outside", "surrounding", "between", "under", "along"})
_POSITIVE_LEAD = frozenset({"mild", "moderate", "marked", "severe", "chronic", "acute", "focal", "minimal", "few",
                            "one", "two", "three", "scattered", "benign", "extensive", "prominent", "early", "several",
                            "multiple", "some", "numerous", "positive", "present", "with"})
_LIST_JOINERS = frozenset({"or", "nor"})

CueHit = tuple[int, int, tuple[Cue, ...]]
"""First token, token after the last, the cues of that phrase."""

Trie = dict[str, "tuple[Trie, tuple[Cue, ...]]"]


def _cue_trie() -> Trie:
    root: Trie = {}
    by_phrase: dict[str, list[Cue]] = {}
    for cue in CUES:
        by_phrase.setdefault(cue.phrase, []).append(cue)
    for phrase, cues in by_phrase.items():
        level = root
        words = phrase.split(" ")
        for i, word in enumerate(words):
            child, own = level.get(word, ({}, ()))
            if i == len(words) - 1:
                own = tuple(cues)
            level[word] = (child, own)
            level = child
    return root


CUE_TRIE = _cue_trie()


def find_cues(words: Sequence[str], starts: Sequence[int]) -> list[CueHit]:
    """Longest cue phrases at the given token positions, not overlapping."""
    hits: list[CueHit] = []
    busy = -1
    n = len(words)
    for i in starts:
        if i < busy:
            continue
        level, own = CUE_TRIE[words[i]]
        best: tuple[Cue, ...] = own
        end = i + 1
        j = i + 1
        while level and j < n:
            step = level.get(words[j])
            if step is None:
                break
            level, own = step
            j += 1
            if own:
                best, end = own, j
        if best:
            hits.append((i, end, best))
            busy = end
    return hits


def assert_mentions(words: Sequence[str], spans: Sequence[tuple[int, int]], loose: Sequence[bool],
                    cues: Sequence[CueHit], stops: Sequence[int],
                    history: Sequence[tuple[int, int]] = ()) -> list[tuple[int, Cue | None]]:
    """Category and governing cue of each span.

    Args:
        words: canonical tokens of the text.
        spans: token ranges of the mentions, in order.
        loose: whether the mention is merely a place or a procedure, which a negation reaches only directly
            ("no tumor in the bladder" leaves the bladder present).
        cues: from :func:`find_cues`, without those inside a mention.
        stops: token indices of sentence ends, sorted.
        history: token ranges of history sections.

    Returns:
        One ``(category, cue)`` per span; ``(AFFIRMED, None)`` where nothing governs it.
    """
    if not spans:
        return []
    n = len(words)
    found: list[tuple[int, Cue | None]] = []
    bounds = [-1, *stops, n]
    sentence = 0
    low, high = -1, -1
    inside: list[CueHit] = []
    at = 0
    for number, (start, end) in enumerate(spans):
        if start >= high:
            sentence = bisect_left(bounds, start)
            low, high = bounds[sentence - 1] + 1, bounds[sentence]
            while at < len(cues) and cues[at][0] < low:
                at += 1
            stop = at
            while stop < len(cues) and cues[stop][0] < high:
                stop += 1
            inside = list(cues[at:stop])
        category, cue = _govern(words, start, end, low, high, inside, loose[number]) if inside else (AFFIRMED, None)
        if category == AFFIRMED and history and not loose[number]:
            for first, last in history:
                if first <= start < last:
                    category = HISTORICAL
                    break
        found.append((category, cue))
    return found


def _govern(words: Sequence[str], start: int, end: int, low: int, high: int, cues: Sequence[CueHit],
            loose: bool) -> tuple[int, Cue | None]:
    after: tuple[int, Cue] | None = None
    blocked = False
    for hit in reversed(cues):
        cue_start, cue_end, group = hit
        if cue_end > start:
            continue
        for cue in group:
            if cue.side == AFTER and cue.category != AFFIRMED:
                distance = start - cue_end
                if distance <= cue.reach and _reaches_after(words, cue, cue_end, start, high, loose):
                    after = (distance, cue)
                    break
            elif cue.category in (BREAK, AFFIRMED) and (cue.side == AFTER or cue.category == BREAK):
                blocked = True
        if after or blocked:
            break
        if any(cue.category == PSEUDO for cue in group):
            continue
    before: tuple[int, Cue] | None = None
    for hit in cues:
        cue_start, cue_end, group = hit
        if cue_start < end:
            continue
        stop = False
        for cue in group:
            if cue.side == BEFORE:
                distance = cue_start - end
                if distance <= cue.reach and _reaches_before(words, cue, end, cue_start, cue_end, high):
                    before = (distance, cue)
                    break
            elif cue.category == BREAK or (cue.side == AFTER and cue.category in (NEGATED, POSSIBLE)):
                stop = True
        if before or stop:
            break
    if before and before[1].category != AFFIRMED and (after is None or before[0] <= after[0] + 2):
        return before[1].category, before[1]
    if after:
        if before and before[1].category == AFFIRMED and before[0] <= 1 and words[end] == ":":
            return AFFIRMED, before[1]
        return after[1].category, after[1]
    if before:
        return before[1].category, before[1]
    return AFFIRMED, None


def _reaches_after(words: Sequence[str], cue: Cue, cue_end: int, start: int, high: int, loose: bool) -> bool:
    between = words[cue_end:start]
    if not between:
        return True
    if loose and any(w in _PREPOSITIONS for w in between):
        return False
    if ":" in between and cue.category not in (HISTORICAL,) and not (between[0] == ":" and between.count(":") == 1):
        return False
    if loose and "," in between and cue.category == NEGATED and "or" not in words[cue_end:high]:
        return False
    if "," in between and cue.category == NEGATED:
        listed = any(w in _LIST_JOINERS for w in words[cue_end:high])
        last = len(between) - 1 - between[::-1].index(",")
        tail = words[cue_end + last + 1:start + 1]
        if not listed and tail and tail[0] in _POSITIVE_LEAD:
            return False
    return True


def _reaches_before(words: Sequence[str], cue: Cue, end: int, cue_start: int, cue_end: int, high: int) -> bool:
    between = words[end:cue_start]
    if cue.reach <= 3:
        # a lone value: only directly behind a colon or at the very end of the statement
        follows = words[cue_end] if cue_end < high else "."
        lone = follows in (".", ",", ";", ")", "\n", "]") or cue_end >= high
        return (lone or (":" in between and follows not in ("for",))) and all(w in (":", "(", "-", "–", "=", "is", "are", "was", "were") for w in between) and bool(between)
    if ":" in between and between[0] != ":" and between[0] != ")":
        return False
    return not any(w in ("but", "which", "however", "with") for w in between)


def polarity_code(category: int) -> str | None:
    """``-`` for absent, ``+`` for present and possible, else ``None``."""
    if category == NEGATED:
        return "-"
    return "+" if category in (AFFIRMED, POSSIBLE) else None


__all__ = ["CUE_TRIE", "HARD", "STATUS", "CueHit", "assert_mentions", "find_cues", "polarity_code"]
