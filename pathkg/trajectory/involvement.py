"""Places that a text calls involved or free: "the seminal vesicles are free of tumor" denies seminal vesicle invasion.

A linker reads terms, and a place is one: that a tumor reaches it stands in the words around it. Here those words are read, and the
finding is the one that the linker knows by its canonical name ("invasion of the seminal vesicles"). Reports and steps are read
alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pathkg.records import Assertion, Mention
from pathkg.trajectory.stated import SupportsLinking

Cache = dict[tuple[int, str], "Mention | None"]
"""Words of a place -> the finding that it is involved."""

_REACH = 90
"""Characters before or behind a place in which the words about it stand."""

_VERB = (r"(?:invad(?:e|es|ed|ing)|invasion|infiltrat(?:e|es|ed|ing|ion)|involv(?:e|es|ed|ing|ement)|extend(?:s|ed|ing)?|extension"
         r"|penetrat(?:e|es|ed|ing|ion)|perforat(?:e|es|ed|ing|ion)|breach(?:es|ed|ing)?)")
_FILL = (r"(?:the|a|an|its|both|either|any|adjacent|surrounding|overlying|underlying|left|right|bilateral|of|to|into|through|onto|directly"
         r"|and|or|nor|as|well)")
_PLACE = "\x01"
_ONWARDS = re.compile(rf"^\s*(?:,\s*)?(?:and\s+)?(?:into|to|through|onto|as far as)\s+(?:(?:{_FILL}\b|[,/{_PLACE}])\s*)*$", re.IGNORECASE)
_BUT_NOT = re.compile(r"\bbut\s+not\s+(?:(?:into|to|of|the)\s+)*$", re.IGNORECASE)
_ANY_VERB = re.compile(rf"\b{_VERB}\b", re.IGNORECASE)
_TUMOR = r"(?:tumou?r|carcinoma|malignan\w+|metasta\w+|neoplas\w+|invasion|involvement|disease)"
_LEAD = rf"^\s*(?:\([^)]{{0,20}}\)\s*)?(?:(?:,?\s*(?:and|or)|,)\s*(?:(?:{_FILL}\b|[,/{_PLACE}])\s*)*)?"
_BE = r"(?:(?:is|are|was|were|appears?|remains?)\s+)?(?:(?:all|both|also|completely|grossly|entirely|microscopically|histologically)\s+)?"
_FREE = re.compile(
    rf"{_LEAD}(?:[:,–-]\s*)?{_BE}(?:(?:free|clear)(?=\s+(?:of|from)\b|\s*(?:[.,;)]|$))|uninvolved|not\s+(?:involved|invaded|infiltrated|affected)|negative\s+for\s+{_TUMOR}|negative(?=\s*(?:[.,;)]|$))"
    rf"|spared|tumou?r[-\s]free|without\s+(?:\w+\s+){{0,2}}{_TUMOR}|(?:shows?|with|contains?|has|have|had)\s+no\s+(?:\w+\s+){{0,2}}{_TUMOR}"
    rf"|no\s+(?:\w+\s+){{0,2}}{_TUMOR}(?=\s*(?:[.,;]|$|is|seen|identified|present|found)))", re.IGNORECASE)
_INVOLVED = re.compile(
    rf"{_LEAD}(?:(?:is|are|was|were)\s+(?:(?!not\b|un)\w+ly\s+)?(?:involved|invaded|infiltrated|penetrated|replaced\s+by\s+{_TUMOR})"
    rf"|(?:[:,–-]\s*)?(?:(?:is|are|was|were)\s+)?positive\s+for\s+{_TUMOR}"
    rf"|(?::|shows?|contains?|with|has|have|holds?)\s*(?:(?!no\b|not\b|without\b|negative\b|free\b)\w+\s+){{0,2}}?(?:metasta(?:sis|ses|tic)|tumou?r\s+(?:deposits?|implants?|involvement))\b)", re.IGNORECASE)
_MARGIN_BEHIND = re.compile(r"^\s*(?:\w+\s+){0,2}margins?\b|^\s*(?:lymph\s+)?nodes?\b", re.IGNORECASE)
_NOT_A_PLACE = re.compile(r"\b(?:node|nodes|margin|margins|nodal|lymph)\b", re.IGNORECASE)
_STOP = re.compile(r"[.;\n](?=\s|$)")
_TELLS = re.compile(r"inva[ds]|through|infiltr|involv|exten[ds]|penetr|perfor|breach|free|clear|negative|spared|without|metasta|deposit|implant|\bno\b",
                    re.IGNORECASE)
_NAMES_INVASION = re.compile(r"\b(?:invasion|involvement|extension|infiltration)\b", re.IGNORECASE)


def with_involvements(text: str, mentions: Iterable[Mention], linker: SupportsLinking, cache: Cache) -> list[Mention]:
    """The mentions of a text and, beside them, what it says of its places.

    Args:
        text: a report, or a part of a trajectory.
        mentions: of the text, in order, results resolved.
        linker: asked for the canonical names of involvements.
        cache: what it answered, to be shared by the texts of a graph.
    """
    known = list(mentions)
    places = [m for m in known if m.type == "anatomy" and not _NOT_A_PLACE.search(m.text)]
    if not places or not _TELLS.search(text):
        return known
    found = [m for place in places if (m := _involvement(text, place, known, linker, cache)) is not None]
    said = {(m.id, m.start) for m in known}
    found = [m for m in found if (m.id, m.start) not in said]
    return sorted([*known, *found], key=lambda m: (m.start, m.end)) if found else known


def _involvement(text: str, place: Mention, known: Sequence[Mention], linker: SupportsLinking, cache: Cache) -> Mention | None:
    status = _status(text, place, known)
    if status is None:
        return None
    finding = _finding(place.text, linker, cache)
    if finding is None or any(m.id == finding.id and m.start <= place.start < m.end for m in known):
        return None
    return replace(place, id=finding.id, name=finding.name, type=finding.type, why="the words about the place",
                   assertion=Assertion.PRESENT if status else Assertion.ABSENT, value={})


def _status(text: str, place: Mention, known: Sequence[Mention]) -> bool | None:
    """Whether the text calls a place involved (true) or free (false)."""
    begin = max((m.end() for m in _STOP.finditer(text, max(0, place.start - 3 * _REACH), place.start)), default=max(0, place.start - 3 * _REACH))
    stop = _STOP.search(text, place.end)
    end = min(len(text) if stop is None else stop.start() + 1, place.end + _REACH)
    behind = _masked(text, place.end, end, known)
    if _MARGIN_BEHIND.search(behind):
        return None
    if _FREE.match(behind):
        return False
    if _INVOLVED.match(behind):
        return True
    return _governed(text, begin, place, known)


def _governed(text: str, begin: int, place: Mention, known: Sequence[Mention]) -> bool | None:
    """What an invasion said before a place says of it: "through the serosa into the omentum", "but not the omentum"."""
    if _BUT_NOT.search(text, begin, place.start) and _ANY_VERB.search(text, begin, place.start):
        return False
    for m in reversed(known):
        if begin <= m.start and m.end <= place.start and m.type == "morphology" and _NAMES_INVASION.search(f"{m.text} {m.name}"):
            return m.polarity == "+" if m.polarity is not None and _ONWARDS.match(_masked(text, m.end, place.start, known)) else None
    return None


def _masked(text: str, start: int, end: int, known: Sequence[Mention]) -> str:
    """A range of a text with its places as single characters repeated, so that only other words are words."""
    piece = text[start:end]
    for m in known:
        if m.type == "anatomy" and start <= m.start and m.end <= end:
            piece = piece[:m.start - start] + _PLACE * (m.end - m.start) + piece[m.end - start:]
    return piece


_ASKED = ("invasion of the {}", "invasion into {}", "{} invasion", "{} involvement", "extension into the {}")
_MOST_KNOWN = 20_000


def _finding(place: str, linker: SupportsLinking, cache: Cache) -> Mention | None:
    """The finding that a place is involved, as the linker knows it; remembered."""
    words = " ".join(place.lower().split())
    key = (id(linker), words)  # another linker may know other words
    try:
        return cache[key]
    except KeyError:
        if len(cache) > _MOST_KNOWN:
            cache.clear()
        found = cache[key] = next((m for asked in _ASKED if (m := _whole(asked.format(words), words, linker)) is not None), None)
        return found


def _whole(asked: str, place: str, linker: SupportsLinking) -> Mention | None:
    """The one finding that a phrase is, from its first word to its last."""
    found = [m for m in linker.link(asked) if m.type == "morphology" and m.start == 0 and m.end == len(asked)]
    return found[0] if found and place in found[0].text.lower() else None
