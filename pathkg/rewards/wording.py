"""What the wording of a completion costs, or takes back: suppositions, retractions, chants, letters of other alphabets.

Read by rule, without the graph. :mod:`pathkg.rewards.reading` puts it together with what is linked.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

SENTENCE_END = re.compile(r"[.;!?\n]+")
_MIN_SENTENCE = 12
"""Shorter sentences ("No.", "Grade 2") repeat in honest text."""

_MIN_CHANT = 8
"""A sentence of at least this many words, of which at most half are different, is a chant."""

_BESIDE_VALUE = 17
"""Characters a mention of a grade may have beside its value ("FNCLCC grade 2", "moderately differentiated"); with more, it
says more than the grade ("urothelial carcinoma, high grade")."""

_WHOLE_SENTENCE = re.compile(r".+?(?:[.;!?](?=\s|$)|\n|$)", re.DOTALL)
_SUPPOSED = re.compile(r"\b(?:if|whether|suppose|supposing|assume|assuming|imagine|hypothetical(?:ly)?|were there|had there been|pretend)\b",
                       re.IGNORECASE)
_ALL_SAID = r"(?:this|that|these|those|it|(?:the |all ){0,4}(?:above|foregoing|preceding|findings|statements?|answer|diagnos[ei]s|description))"
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
    rf"(?<!\w)\w*(?:[^\W\d_{_LATIN_OR_GREEK}\u0370-\u03ff]"  # letters of other alphabets, full-width and mathematical letters
    r"|(?<=[A-Za-z])[\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b9\u03bd\u03bf"
    r"\u03c1\u03c5\u03f2]"  # Greek look-alikes beside Latin letters
    r"|[\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b9\u03bd\u03bf\u03c1\u03c5"
    r"\u03f2](?=[A-Za-z]))\w*")

_ACCENTED = re.compile(r"(?<![A-Za-z])[A-Za-z]*[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff][A-Za-z\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]*")
MOST_ACCENTED = 3
"""So many words may have accents, as names do ("Sj\u00f6gren", "caf\u00e9-au-lait")."""

_SUSPECT = re.compile(rf"[^\W\d_{_LATIN_OR_GREEK}\u0370-\u03ff]|[\u0391-\u03c5\u03f2]")
"""A letter without which :data:`_FOREIGN` finds nothing: most texts are not ASCII for a quotation mark only."""


_HEDGE = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|perhaps|maybe|may (?:well )?(?:be|represent|indicate|reflect|have)|might|could (?:well )?(?:be|represent|indicate|reflect)"
    r"|(?:cannot|can not|can't) be (?:excluded|ruled out)|suspicious (?:for|of)|suspected|questionable|uncertain|presumabl[ey]|conceivabl[ey])\b", re.IGNORECASE)
_DOUBTS = re.compile(r"[Pp](?:ossib|robab|erhaps|resum)|[Mm](?:ay|ight)|could|be (?:ex|ru)|[Ss]usp|questio|uncert|conceiv|POSSIB|PROBAB|SUSP")
"""Letters without which nothing is hedged."""


def hedges(text: str) -> int:
    """How many words of doubt a sentence has.

    Example:
        >>> hedges("Necrosis is possibly present; melanoma cannot be excluded."), hedges("The mayor part is solid.")
        (2, 0)
    """
    return len(_HEDGE.findall(text)) if _DOUBTS.search(text) else 0


def retractions(text: str) -> int:
    """How often a sentence takes back what was said.

    Example:
        >>> retractions("None of the above is true."), retractions("The margin is not involved.")
        (1, 0)
    """
    return len(_RETRACTION.findall(text)) if _DOUBT.search(text) else 0


def foreign_words(text: str) -> int:
    """Words with letters of other alphabets, or with look-alikes of Latin letters, and those with accents beyond a few.

    Example:
        >>> foreign_words("squam\u043eus"), foreign_words("\u03b2-catenin, 3 \u00b5m, Sj\u00f6gren")
        (1, 0)
    """
    if text.isascii():
        return 0
    accented = len(_ACCENTED.findall(text)) - MOST_ACCENTED
    return max(0, accented) + (sum(1 for _ in _FOREIGN.finditer(text)) if _SUSPECT.search(text) else 0)


def supposed(text: str) -> list[tuple[int, int]]:
    """The ranges of a text that are asked or supposed rather than said.

    Example:
        >>> supposed("Is it melanoma? No.  Margins are free if mucin is absent.")
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


def within(ranges: list[tuple[int, int]], at: int) -> bool:
    return any(start <= at < end for start, end in ranges)


def is_value(values: list[tuple[int, int, str]], start: int, end: int) -> bool:
    """Whether a mention is one of the values, give or take a word."""
    for a, b, _ in values[max(0, bisect_left(values, (start, 0, "")) - 2):]:
        if a >= end:
            return False
        if start < b and end - start < b - a + _BESIDE_VALUE:
            return True
    return False


def repeats(blocks: Sequence[list[str]]) -> tuple[int, int]:
    """How many sentences of the blocks, each given in pieces that end where sentences do, are said again in their block or are chants,
    and how many of the first block the second only copies.

    Example:
        >>> repeats([["Keratin pearls are seen."], ["1. Keratin pearls are seen. 2. So it is."], []])
        (0, 1)
    """
    found = 0
    distinct: list[set[str]] = []
    for pieces in blocks:
        sentences: list[str] = []
        for piece in pieces:
            own, chanted = (_known_sentences if len(piece) <= _KNOWN_LENGTH else _sentences_of)(piece)
            sentences += own
            found += chanted
        distinct.append(set(sentences))
        found += len(sentences) - len(distinct[-1])
    return found, len(distinct[0] & distinct[1])


def _sentences_of(piece: str) -> tuple[tuple[str, ...], int]:
    """The sentences of a piece, reduced to their words, and how many of them are chants."""
    split = [s.split() for s in SENTENCE_END.split(piece.lower()) if len(s) >= _MIN_SENTENCE]
    chants = sum([2 * len(set(words)) <= len(words) for words in split if len(words) >= _MIN_CHANT])
    return tuple([" ".join(words) for words in split]), chants


_KNOWN_LENGTH = 500
_known_sentences = lru_cache(maxsize=32_768)(_sentences_of)


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
