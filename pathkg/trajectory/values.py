"""Structured values that a text states beside its entities: stage categories, grades, sides, sizes, counts.

Entities alone do not see that ``pT2a`` became ``pT3b``, ``left`` became ``right`` or ``Gleason 3+4`` became ``4+4``.
These values are read by rule, without the graph, so a reward and a certificate compare them in any store. They are
deliberately plain: the structured findings of :mod:`pathkg.linking` know far more forms, at far more cost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

KINDS = ("pT", "pN", "pM", "stage", "grade", "gleason", "side", "ratio", "size", "percent", "mitoses", "bound")
"""What :func:`find_values` can find."""

EXCLUSIVE = frozenset({"pT", "pN", "pM", "stage", "grade", "gleason"})
"""Kinds of which a tumour has one value: another one contradicts."""

_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "0": "0", "1": "1", "2": "2", "3": "3", "4": "4"}
_WORDS = {"well": "1", "moderate": "2", "moderately": "2", "poor": "3", "poorly": "3", "low": "low",
          "intermediate": "intermediate", "high": "high", "one": "1", "two": "2", "three": "3", "four": "4"}

# Each pattern begins with a literal or a set of letters, never with a look-behind: the regex engine then skips
# to candidates in C. What stands before a match is checked afterwards.
_TNM = re.compile(r"[TNM](?:(?<=T)(?:[0-4](?:mi|[a-e](?:[12]|i{1,2})?)?|is|[xXa])"
                  r"|(?<=N)(?:[0-3O](?:mi|[a-c])?|[xX])|(?<=M)(?:[01O][a-d]?|[xX]))(?![a-z0-9])")
_STAGE = re.compile(r"[Ss](?:tage|TAGE)\s+(?:[Gg]roup\s+)?((?:IV|I{1,3}|iv|i{1,3}|[0-4])(?:[A-Da-d][0-3]?)?)(?![A-Za-z0-9])")
_GRADE = re.compile(r"[Gg](?:rade|RADE)\s+(?:(?:[Gg]roup|of)\s+)?(IV|I{1,3}|[1-5]|one|two|three|four)(?![A-Za-z0-9])(?!\.\d)")
_G = re.compile(r"G([1-4])(?![A-Za-z0-9])")
_DIFF = re.compile(r"[WwMmPp](?:ell|oderately|oorly|ELL|ODERATELY|OORLY)"
                   r"(?=(?:[\s-]to[\s-](?:moderately|poorly))?[\s-]+[Dd](?:ifferentiated|IFFERENTIATED))")
_LOWHIGH = re.compile(r"[LlHhIi](?:ow|igh|ntermediate|OW|IGH|NTERMEDIATE)(?=[\s-][Gg](?:rade|RADE))")
_SIDE = re.compile(
    r"([LlRrBb](?:eft|ight|ilateral|EFT|IGHT|ILATERAL))(?![A-Za-z])(?:[\s-]+[Ss]ided)?"
    r"(?:[\s-]+(?:upper|lower|middle|mid|distal|proximal|anterior|posterior|lateral|medial|inner|outer|radical|partial"
    r"|total|simple|superior|inferior|deep|superficial|the|of|UPPER|LOWER|MIDDLE|RADICAL|PARTIAL|TOTAL)(?![A-Za-z]))*"
    r"(?:[\s-]+([A-Za-z]{3,24}))?")
_NUMBER = re.compile(
    r"\d{1,3}(?:"
    r"(?P<gleason>\s?\+\s?[1-5])(?![0-9.%])"
    r"|(?P<mitoses>\s?(?:/|per)\s?(?:mm[2²]|square\s(?:mm|millimet))|\s?(?:/|per)\s?(?:10|ten)\s?(?:HPFs?|hpfs?|high))"
    r"|(?P<ratio>\s?(?:/|(?:out )?of)\s?\d{1,3})(?![\d./])"
    r"|(?P<unit>(?:\.\d{1,2})?\s?[cmCM][mM])(?![A-Za-z])"
    r"|(?P<percent>(?:\.\d)?\s?%))")
_NOT_BEFORE = frozenset("0123456789./+")
_STAGING_PREFIX = frozenset("pcymra")
_CATEGORY_END = re.compile(r"[TN](?:[0-4OsxXa]|[0-4](?:[a-e]|mi))$")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """One stated value. ``value`` is normalised text; ``about`` is the word a side belongs to."""

    kind: str
    value: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.kind}={self.value}:{self.about}" if self.about else f"{self.kind}={self.value}"

    @classmethod
    def from_text(cls, text: str) -> Value:
        """Rebuild from ``str(value)``."""
        kind, _, rest = text.partition("=")
        value, _, about = rest.partition(":")
        return cls(kind, value, about)


def find_values(text: str) -> list[tuple[Value, int, int]]:
    """All stated values with their span, in order.

    Example:
        >>> [str(v) for v, _, _ in find_values("Left kidney, 4.5 cm, Fuhrman grade III, pT1bN0, 0/12 nodes")]
        ['side=left:kidney', 'size=45', 'grade=3', 'pT=1b', 'pN=0', 'ratio=0/12']
        >>> [str(v) for v, _, _ in find_values("Gleason score 3 + 4 = 7, stage IIB, poorly differentiated, G3")]
        ['gleason=3+4', 'stage=2b', 'grade=3', 'grade=3']
    """
    return sorted(((pair[0], start, end) for pair, start, end in _scan(text)), key=lambda item: (item[1], item[2]))


def value_spans(text: str) -> list[tuple[int, int, str]]:
    """Like :func:`find_values`, each value as its text form: (start, end, ``"pT=2a"``)."""
    return sorted((start, end, pair[1]) for pair, start, end in _scan(text))


@lru_cache(maxsize=256)
def value_set(text: str) -> frozenset[Value]:
    """The set of values a text states; several checks of a step ask for it."""
    return frozenset(pair[0] for pair, _, _ in _scan(text))


_Pair = tuple[Value, str]
"""A value and its text form."""


def _scan(text: str) -> list[tuple[_Pair, int, int]]:
    found: list[tuple[_Pair, int, int]] = []
    bounded = _BOUND_WORD.search(text) is not None
    for match in _TNM.finditer(text):
        start = match.start()
        whole = match[0]
        if _staging(text, start) and ("O" not in whole or text[start - 1:start] == "p"
                                      or text[start - 1:start].isdigit()):
            found.append((_made(_category, whole), start, match.end()))
    for words, pattern, make in _WORDY:
        if any(word in text for word in words):
            for match in pattern.finditer(text):
                if _fresh(text, match.start()):
                    found.append((_made(make, match[0]), match.start(), match.end()))
    for match in _NUMBER.finditer(text):
        start = match.start()
        if start == 0 or text[start - 1] not in _NOT_BEFORE:
            value = _made(_number, match[0])
            if value is not None:
                if bounded and value[0].kind in ("size", "percent"):
                    value = _bound(text, value, start, match.end())
                found.append((value, start, match.end()))
    return found


def _bound(text: str, value: _Pair, start: int, end: int) -> _Pair:
    """The value, or the bound that the words around it make of it: "more than 2 cm" measures nothing."""
    before = _BOUND_BEFORE.search(text, max(0, start - 40), start)
    if before is None and _BOUND_AFTER.match(text, end) is None:
        return value
    lower = before is not None and _LOWER.search(text, max(0, before.start() - 10), start) is not None
    kind, number = value[0].kind, value[0].value
    exact = "=" if before is not None and _INCLUSIVE.search(text, max(0, before.start() - 10), start) else ""
    made = Value("bound", f"{'>' if lower else '<'}{exact}{number}{'%' if kind == 'percent' else ''}")
    return made, str(made)


_memo: dict[tuple[str, str], _Pair | None] = {}
_MEMO_LIMIT = 50_000


def _made(make: Callable[[str], Value | None], whole: str) -> Any:
    """``make(whole)``, remembered: reports and completions say the same few things in the same few ways."""
    key = (make.__name__, whole)
    try:
        return _memo[key]
    except KeyError:
        if len(_memo) > _MEMO_LIMIT:
            _memo.clear()
        value = make(whole)
        pair = _memo[key] = None if value is None else (value, str(value))
        return pair


def _category(whole: str) -> Value:
    return Value("p" + whole[0], whole[1:].lower().replace("o", "0"))


def _stage(whole: str) -> Value:
    stage = whole.split()[-1].lower()
    digits = stage.rstrip("abcd0123") if stage[0] == "i" else stage[0]
    return Value("stage", _ROMAN[digits] + stage[len(digits):])


def _grade(whole: str) -> Value:
    grade = whole.split()[-1].lower()
    if len(grade) == 2 and grade[0] == "g":
        grade = grade[1]
    return Value("grade", _ROMAN.get(grade) or _WORDS.get(grade) or grade)


def _side(whole: str) -> Value:
    match = _SIDE.match(whole)
    assert match is not None
    side = match[1].lower()
    return Value("side", "both" if side == "bilateral" else side, _singular(match[2]))


_WORDY: tuple[tuple[tuple[str, ...], re.Pattern[str], Callable[[str], Value]], ...] = (
    (("tage", "TAGE"), _STAGE, _stage),
    (("rade", "RADE"), _GRADE, _grade),
    (("G1", "G2", "G3", "G4"), _G, _grade),
    (("ifferent", "IFFERENT"), _DIFF, _grade),
    (("rade", "RADE"), _LOWHIGH, _grade),
    (("eft", "ight", "ilateral", "EFT", "IGHT", "ILATERAL"), _SIDE, _side),
)


def _fresh(text: str, start: int) -> bool:
    return start == 0 or not text[start - 1].isalnum()


def _staging(text: str, start: int) -> bool:
    """Whether a T, N or M at ``start`` begins a category: a word of its own, after p, c, y…, or after T or N."""
    at = start
    while at and start - at < 4 and text[at - 1] in _STAGING_PREFIX:
        at -= 1
    if _fresh(text, at):
        return True
    return _CATEGORY_END.search(text, max(0, at - 4), at) is not None


def _number(whole: str) -> Value | None:
    if "+" in whole:
        first, second = whole.replace(" ", "").split("+")
        return Value("gleason", f"{first}+{second}") if first in "12345" else None
    if "/mm" in whole or "per" in whole or "h" in whole.lower():
        digits = _DIGITS.findall(whole)[0]
        return Value("mitoses", f"{int(digits)}/{'mm2' if 'mm' in whole or 'square' in whole else '10 HPF'}")
    if whole[-1] == "%":
        return Value("percent", f"{float(whole[:-1]):g}")
    if whole[-1] in "mM":
        return Value("size", f"{float(whole[:-2]) * (10 if whole[-2] in 'cC' else 1):g}")
    numbers = _DIGITS.findall(whole)
    return Value("ratio", f"{int(numbers[0])}/{int(numbers[1])}")


def _singular(word: str | None) -> str:
    word = (word or "").lower()
    if len(word) > 5 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


_MEASURE = re.compile(r"(?<![\d./+])(?P<numbers>\d{1,3}(?:\.\d{1,2})?(?:\s?(?:[cmCM][mM])?\s?(?:[xX×]|by|BY)\s?\d{1,3}(?:\.\d{1,2})?){0,3})"
                      r"\s?(?P<unit>[cmCM][mM]|%)(?![A-Za-z\d])")
_RATE = re.compile(r"\d\s?(?:/|per)\s?(?:mm|sq|10|ten)")
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")
_BOUND_BEFORE = re.compile(
    r"(?:[<>≤≥]\s*=?|\d\s*(?:[cm]m|%)?\s*[–-]|\d\s*(?:[cm]m|%)?\s+to|between\s+[\d.]+\s*(?:[cm]m|%)?\s+and"
    r"|\b(?:than|least|most|up to|under|over|above|below|within|exceed(?:s|ing)?|between|every|per|cut-?off|threshold|limit))"
    r"(?:\s+(?:of|is|a|the))?\s*$", re.IGNORECASE)
_BOUND_AFTER = re.compile(
    r"\s*(?:[–-]\s*\d|(?:or|and)\s+(?:less|more|smaller|larger|greater|fewer|below|above)|to\s+\d|cut-?off|threshold"
    r"|limit|rule)", re.IGNORECASE)


_LOWER = re.compile(r"(?:greater|larger|more|bigger|higher|longer|thicker)\s+than|over|above|exceed|least|[>≥]", re.IGNORECASE)
_INCLUSIVE = re.compile(r"at\s+least|at\s+most|up\s+to|(?:not|no)\s+\w+\s+than|[≥≤]|[<>]\s*=", re.IGNORECASE)
_BOUND_WORD = re.compile(r"than|least|most|up to|under|over|above|below|within|xceed|etween|or (?:less|more|greater|larger|smaller)|[<>≤≥–]|\d\s*(?:[cm]m|%)?\s*(?:-|to\b)\s*\d", re.IGNORECASE)


def measures(text: str, *, asserted: bool = False) -> list[tuple[Value, str]]:
    """Sizes in millimetres, percentages and mitotic rates, every side of "3 x 4 x 5 cm", each with its text.

    Args:
        text: a report, or one step.
        asserted: leave out bounds and ranges ("more than 2 cm", "2-5 cm"): they measure nothing.

    Example:
        >>> [str(v) for v, _ in measures("3 x 4.5 cm, Ki-67 12%, 18 MM")]
        ['size=30', 'size=45', 'percent=12', 'size=18']
        >>> measures("at most 2 cm, 2-5 cm, more than 20%", asserted=True)
        []
    """
    found: list[tuple[Value, str]] = []
    for match in _MEASURE.finditer(text):
        if asserted and (_BOUND_BEFORE.search(text, max(0, match.start() - 40), match.start())
                         or _BOUND_AFTER.match(text, match.end())):
            continue
        unit = match["unit"].lower()
        factor = 10 if unit == "cm" else 1
        for amount in _AMOUNT.findall(match["numbers"]):
            found.append((Value("percent" if unit == "%" else "size", f"{float(amount) * factor:g}"),
                          f"{amount}{'' if unit == '%' else ' '}{unit}"))
    found += [(pair[0], text[start:end]) for pair, start, end in _scan(text) if pair[0].kind == "mitoses"] if _RATE.search(text) else []
    return found


def conflicts(stated: Iterable[Value], known: Iterable[Value]) -> list[tuple[Value, Value]]:
    """Pairs (stated, known) that cannot both be true.

    Of an exclusive kind, a text that repeats a known value may discuss others. A side conflicts when the same
    organ is known on the other side only.

    Example:
        >>> [(str(a), str(b)) for a, b in conflicts(value_set("left lung, pT2"), value_set("right lung, pT3"))]
        [('pT=2', 'pT=3'), ('side=left:lung', 'side=right:lung')]
        >>> conflicts(value_set("pT2 rather than pT3"), value_set("pT3"))
        []
    """
    known_set = set(known)
    stated_set = sorted(set(stated))
    found: list[tuple[Value, Value]] = []
    for value in stated_set:
        rivals = sorted(k for k in known_set if k.kind == value.kind and k.about == value.about)
        if value.kind in EXCLUSIVE:
            agreed = any(s.kind == value.kind and any(compatible(s, k) for k in rivals) for s in stated_set)
            if rivals and not agreed:
                found.append((value, rivals[0]))
        elif value.kind == "side" and rivals and not any(k.value in (value.value, "both") for k in rivals) \
                and value.value != "both":
            found.append((value, rivals[0]))
    return found


def compatible(a: Value, b: Value) -> bool:
    """Whether two values of a kind can both be true: "T2" is the coarser word for "T2a", and "stage 2" for "stage 2b".

    Example:
        >>> compatible(Value("pT", "2"), Value("pT", "2a")), compatible(Value("grade", "2"), Value("grade", "3"))
        (True, False)
    """
    return a.value == b.value or (a.kind not in ("grade", "gleason")
                                  and (a.value.startswith(b.value) or b.value.startswith(a.value)))
