"""Where the cues of assertion stand in a text: the longest phrases, not overlapping."""

from __future__ import annotations

from collections.abc import Sequence

from pathkg.linking.cues import CUES, Cue

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


def find_cues(words: Sequence[str], starts: Sequence[int], inside: Sequence[int] = ()) -> list[CueHit]:
    """Longest cue phrases at the given token positions, not overlapping."""
    hits: list[CueHit] = []
    busy = -1
    n = len(words)
    for i in starts:
        if i < busy:
            continue
        level, best = CUE_TRIE[words[i]]
        end = i + 1
        j = i + 1
        while level and j < n and not (inside and inside[j]):
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
