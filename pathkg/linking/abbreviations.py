"""Short forms that a text defines itself: "chronic lymphocytic leukemia (CLL)".

The search for the long form goes backwards letter by letter, after Schwartz and Hearst, "A simple algorithm for
identifying abbreviation definitions in biomedical text" (2003).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRACKETS = re.compile(r"\(([^()]{2,60})\)")
_SHORT = re.compile(r"[A-Za-z][A-Za-z0-9\-/]{0,8}[A-Z0-9]|[A-Z]{2,10}s?|[A-Za-z]{0,3}[A-Z][A-Za-z0-9\-/]{1,8}")
_EXTRA_WORDS = 5
_ROMAN = ("", "I", "II", "III", "IV")
_NOT_SHORT = frozenset({"NOS", "II", "III", "IV", "VI", "VII", "HE", "TNM", "WHO", "FIGO", "AJCC"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A short form, its long form, and where the long form stands."""

    short: str
    long: str
    start: int
    end: int


def definitions(text: str) -> list[Definition]:
    """The abbreviations that ``text`` defines, in order.

    Example:
        >>> [(d.short, d.long) for d in definitions("Hereditary angioneurotic edema (HANE) was found. HANE recurred.")]
        [('HANE', 'Hereditary angioneurotic edema')]
    """
    found = []
    for match in _BRACKETS.finditer(text):
        inside = match[1].strip()
        end = match.start()
        short = inside
        if not _SHORT.fullmatch(inside):
            # "(dystrophia myotonica, DM)", "(CLL; see comment)"
            parts = re.split(r"[,;]\s", inside)
            short = next((part for part in (parts[-1], parts[0]) if len(parts) > 1 and _SHORT.fullmatch(part)), "")
        if not short or short in _NOT_SHORT or not any(c.isupper() for c in short):
            continue
        before = text[max(0, end - 200):end].rstrip()
        clause = re.split(r"[.;:()\[\]]\s", before)[-1]
        words = clause.split()
        limit = min(len(short) + _EXTRA_WORDS, 2 * len(short))
        window = " ".join(words[-limit:])
        singular = short.rstrip("s") if short[-1] == "s" and short[:-1].isupper() else short
        long = (_long_form(singular, window) or _by_initials(singular, words)
                or _long_form(re.sub(r"[1-4]$", lambda m: _ROMAN[int(m[0])], singular), window))
        if long is None or len(long) < len(short) + 2 or short in long.split():
            continue
        start = text.rfind(long, 0, end)
        if start >= 0:
            found.append(Definition(short, long, start, start + len(long)))
    return found


def _long_form(short: str, window: str) -> str | None:
    letters = [c.lower() for c in short if c.isalnum()]
    at = len(window)
    lowered = window.lower()
    for position in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and (lowered[at] != letters[position]
                           or (position == 0 and at > 0 and window[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return None
    start = max(window.rfind(" ", 0, at), window.rfind("-", 0, at)) + 1
    return window[start:].strip(" ,") or None


def _by_initials(short: str, words: list[str]) -> str | None:
    """The last words whose initials are the letters of ``short`` in any order ("myotonic dystrophy (DM)")."""
    if not short.isalpha() or not short.isupper() or len(short) < 2:
        return None
    last = words[-len(short):]
    return " ".join(last) if sorted(w[0].lower() for w in last) == sorted(short.lower()) else None
