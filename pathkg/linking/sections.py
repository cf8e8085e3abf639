"""Sections of a report, also of one whose line breaks are lost: a known heading before a colon opens one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from pathkg.linking.cues import SECTION_OF

_LONGEST = max(len(heading.split()) for heading in SECTION_OF)
_HISTORY_TOKENS = 80
HISTORY_ENDS = frozenset(heading.split()[-1] for heading, section in SECTION_OF.items() if section == "history")
"""Words that a heading of the clinical history ends with: a text without them before a stop or colon has none."""
_LAST_WORDS = frozenset(heading.split()[-1] for heading in SECTION_OF)


def section_ranges(words: Sequence[str], colons: Sequence[int]) -> list[tuple[str, int, int]]:
    """``(section, first token, token after the last)`` of every section with a known heading.

    Args:
        words: canonical tokens.
        colons: indices of the colons among them.
    """
    opened: list[tuple[str, int, int]] = []
    for at in colons:
        if at == 0 or words[at - 1] not in _LAST_WORDS:
            continue
        for length in range(min(_LONGEST, at), 0, -1):
            section = SECTION_OF.get(" ".join(words[at - length:at]))
            if section is not None:
                opened.append((section, at - length, at + 1))
                break
    return [(section, start, opened[k + 1][1] if k + 1 < len(opened) else len(words))
            for k, (section, _, start) in enumerate(opened)]


def history_ranges(words: Sequence[str], colons: Sequence[int], stops: Sequence[int]) -> list[tuple[int, int]]:
    """Token ranges of the clinical-history sections.

    Such a section is short: it ends with the sentence before the next label of any kind.
    """
    ranges: list[tuple[int, int]] = []
    for number, stop in enumerate(stops):
        # "CLINICAL HISTORY. Left upper lobe cancer."
        if stop and words[stop - 1] in HISTORY_ENDS:
            for length in (4, 3, 2, 1):
                first = stop - length
                if first >= 0 and SECTION_OF.get(" ".join(words[first:stop])) == "history" and (
                        first == 0 or not words[first - 1][0].isalnum()):
                    following = next((s for s in stops[number + 1:number + 3] if s > stop + 1), len(words))
                    ranges.append((stop + 1, min(following, stop + _HISTORY_TOKENS)))
                    break
    for section, start, end in section_ranges(words, colons):
        if section != "history":
            continue
        end = min(end, start + _HISTORY_TOKENS)
        at = bisect_right(colons, start)
        if at < len(colons) and colons[at] < end:
            stop = bisect_right(stops, colons[at]) - 1
            end = stops[stop] if stop >= 0 and stops[stop] > start else colons[at]
        ranges.append((start, end))
    return sorted(ranges)
