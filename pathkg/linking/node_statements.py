"""Statements of a report about its lymph nodes: "two of fifteen", "three nodes negative for tumor", "0/12"."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80}
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}
_WORD = (r"(?:" + "|".join(_TENS) + r")(?:[\s\-]+(?:" + "|".join(_UNITS[1:10]) + r"))?|" +
         "|".join(sorted(_UNITS, key=len, reverse=True)))
PLAIN = rf"(?:\d{{1,3}}|{_WORD})"
MOST = 150
"""More nodes than this are a misread number."""


def number(word: str) -> int | None:
    """The value of a written or spelled number.

    Example:
        >>> number("twenty-three"), number("12"), number("no"), number("both")
        (23, 12, 0, 2)
    """
    word = word.lower().strip()
    if word.isdigit():
        return int(word)
    known = {"no": 0, "none": 0, "single": 1, "a single": 1, "both": 2, "a": 1, "an": 1}.get(word)
    if known is not None:
        return known
    total = 0
    for part in re.split(r"[\s\-]+", word):
        if part in _TENS:
            total += _TENS[part]
        elif part in _UNITS:
            total += _UNITS.index(part)
        else:
            return None
    return total


def _roman(word: str) -> int:
    values = [_ROMAN[c] for c in word.lower()]
    return sum(-v if any(w > v for w in values[k + 1:k + 2]) else v for k, v in enumerate(values))


@dataclass(frozen=True, slots=True)
class Group:
    """One statement: ``positive`` of ``examined`` nodes; ``None`` where the report leaves it open."""

    positive: int | None
    examined: int | None
    start: int
    end: int
    ratio: bool = False
    total: bool = False
    part: str = ""
    label: int = 0
    block: int = 0


# a full stop inside a phrase is a lost line break
_UNFINISHED = frozenset({
    "lymph", "ymph", "of", "for", "in", "the", "and", "or", "with", "are", "is", "negative", "positive", "no", "metastatic", "metastasis", "axillary",
    "pelvic", "sentinel", "regional", "identified", "showing", "involving", "evidence", "single", "multiple", "total", "out", "from", "a", "benign",
    "reactive", "anthracotic", "examined", "right", "left", "hilar", "any", "all"})
_STOP = re.compile(r"\b([a-z]+)\.(?=\s)", re.I)
_BROKEN_RATIO = re.compile(r"(?<=\))\.(?=\s+(?:lymph\s+)?nodes?\b(?!\s*[:,(]))", re.I)
_NODES = r"(?:\(?[a-z|]{0,2}ymph\w{0,2}[\s.\-]*n?odes?(?:\s*\(s\))?|nodes?(?:\s*\(s\))?|lns?|lymphonod\w+|lymphadenect\w+)\b"
_NODE = re.compile(_NODES, re.I)
# words between a number and its noun
_KIND = (r"(?:[\s,/&]+(?!(?:of|in|with|is|are|was|were|cm|mm|x|by|no|and|lobes?|pieces?|fragments?|portions?|sections?|slides?|parts?|years?"
         r"|ribs?|masses|cassettes?|possible|probable|candidate|potential|palpable|grams?|levels?|stations?|foci|focus)\b)"
         r"\(?[a-z][\w\-']*\)?){0,6}?[\s,]+")
_COUNT = rf"(?:(?P<n>{PLAIN}|(?:a\s+)?single|both)(?:\s*\(\s?(?P<p>{PLAIN})\s?\))?|(?:multiple|several|few|total)\s*\(\s?(?P<q>{PLAIN})\s?\))"
_PLAIN_COUNT = re.compile(rf"(?<![\w./,#+])(?<!\d-){_COUNT}(?P<kind>{_KIND})(?P<noun>{_NODES})(?P<s>\s+metastas[ei]s)?", re.I)
_RATIO = re.compile(
    rf"(?<![\w./#+])(?P<a>{PLAIN}|no|none|all|(?:a\s+)?single|multiple)\s*(?:\(\s?\d{{1,3}}\s?\)\s*)?\(?\s*(?:nodes?\s+|lymph\s+nodes?\s+)?"
    rf"(?:(?P<a2>{PLAIN})\s*)?(?:(?:is\s+|are\s+)?(?:positive|involved)\s+(?=(?:out\s+)?of\b))?(?P<sep>out\s+of|of|/)\s*(?:the\s+)?(?P<total>(?:a\s+)?total\s+(?:of\s+)?)?(?P<b>{PLAIN})(?![\w/+]|\.\d|\s?(?:cm|mm|hpf|mitos|%))",
    re.I)
_ROMAN_RATIO = re.compile(r"(?:\bN[o0r]\.?\s*|\()(?!V\s?/\s?L\b)(?P<a>[IVXL]+|[0O])\s?/\s?(?P<b>[IVXL]+)\b", re.I)
"""But "(V/L)" is venous and lymphatic."""
_NOT_A_RATIO = re.compile(r"\b(?:grade|score|nottingham|richardson|tubul\w*|mitos\w*|mitotic|nuclear|nuclei|pleomorphism|G\d?|gleason|stage|o'clock|dated?|section|slide|block|"
                          r"part|page|differentiat\w+|hpf|intensity|her2?|neu|formation|Elston|cassette|day|of)\b\W{0,4}(?:\w+\W{1,2}){0,2}$", re.I)
_PAGE = re.compile(r"\b(?:page|part|sheet|copy|block|stage|grade)\W{0,3}$", re.I)
_AFTER_WORDS = re.compile(rf"(?:\s*\))?(?:\s*\(\s?\d{{1,3}}\s?\))?(?:\s*\(\s?\d{{1,3}}\s?/\s?\d{{1,3}}\s?\))?(?:{_KIND}|\s*){_NODES}", re.I)
_CUE = re.compile(r"node|metast|\blns?\b|lymph|axill|sentinel|nodal|\bpN\d", re.I)
_BEHIND_CATEGORY = re.compile(r"(?<![A-Za-z])[ycr]{0,2}[pP]?N[0-3][a-cA-C]?(?:mi)?\s*\($")
_NEAR = 110
_REGION_CUE = re.compile(r"node|\blns?\b|lymph|pn\d|metastas[ei]s|metastatic|number\s+examined|(?<![a-z])N[0-3][a-c]?\s?\(", re.I)

_SOME_OF = re.compile(rf"(?<![\w./,#+])(?P<n>{PLAIN})\s+of\s+(?:the|these)(?:\s+[a-z][\w\-]*){{0,4}}?\s+{_NODES}", re.I)
_TIMES = re.compile(rf"{_NODES}\s*(?:[x×]\s?(?P<n>\d{{1,2}})|\(\s?(?P<p>{PLAIN})\s?\)|[,:\-]+\s*(?P<m>{PLAIN})(?=\s*(?:,|nodes?|lymph|negative|positive|benign|in\s+total|total|examined)))", re.I)

_NEGATIVE_KIND = re.compile(r"benign|negative|reactive|unremarkable|uninvolved|free|hyperplastic|normal|anthracotic|uninvaded|unaffected", re.I)
_POSITIVE_KIND = re.compile(r"positive|metasta\w+|involved|macrometas|tumor-bearing", re.I)
_NEGATIVE_AFTER = re.compile(
    r"\W*(?:(?:which|that|and|all|each|but|examined|identified|submitted|sampled|present|found|seen|isolated|retrieved|dissected|fragments?|is|are|was|were|both|being|"
    r"appears?|shows?|showing|show|with|having|contain\w*|demonstrat\w+|reveal\w*|without|by|on|in|the|of|specimen|tissue|associated|fibro\w+|adipose|fat|fatty)\W+|\([^)]{0,30}\)\W*){0,7}"
    r"(?:negative|no\b|free|uninvolved|without|benign|reactive|unremarkable|not\s+involved|clear|devoid|none\b|tumor[\s\-]free|within\s+normal"
    r"|sinus\s+histiocyt|hyperplas|lipomat|anthrac|neither)", re.I)
_POSITIVE_AFTER = re.compile(
    r"\W*(?:(?:which|that|and|all|each|examined|identified|submitted|sampled|is|are|was|were|both|being|shows?|showing|show|with|having|contain\w*|found|appear\w*|to|be|"
    r"demonstrat\w+|reveal\w*|has|have|the|evidence|of|partly|completely|largely|totally|focally|extensively|by|for)\W+){0,5}"
    r"(?:positive|metasta\w+|involved|infiltrat\w+|replaced|invaded|macrometas|micrometas|carcinoma|tumou?r(?!\s*[\-]?\s*free))", re.I)
_NEGATIVE_BEFORE = re.compile(
    r"(?:\bno\b|\bwithout\b|negative|\bfree\b|absent|\bnor\b)(?:(?!\bbut\b|[;:]|\.\s+[A-Z])[^;])"
    r"{0,75}?(?:\b(?:in|of|within|involving|to|into|from|among)\b|[,:\-(])\s*(?:any|all|each|either)?(?:\s+of)?(?:\s+the)?(?:\s+a\s+total\s+of)?\W*$", re.I)
_POSITIVE_BEFORE = re.compile(
    r"(?:metasta\w+|carcinoma|melanoma|tumou?r|positive|involve[sd]?|involving|adenocarcinoma|present|identified)(?:(?![;:]|\.\s+[A-Z])[^;])"
    r"{0,60}?(?:\b(?:in|of|within|involving|to|into|involves)\b)\s*(?:all)?(?:\s+of)?(?:\s+the)?(?:\s+at\s+least)?\W*$|(?:involving|involves|metasta\w+)\s*(?:to|in)?\W{0,3}$", re.I)
_OF_THESE = re.compile(
    rf"^[^;]{{0,110}}?\b(?:of\s+(?:these|those)|(?:of|in)\s+which|of\s+them|including|among\s+(?:them|these))\W+(?:only\s+)?(?P<n>{PLAIN}|none)\b"
    rf"(?P<t>[^.;]{{0,50}})", re.I)
_OF_THESE_TURNED = re.compile(rf"^[^;.]{{0,60}}?[,:]\s*(?P<n>{PLAIN}|none)\s+(?:of\s+(?:which|them|these)|(?:is|are|being|with|show\w*|contain\w*))\b(?P<t>[^.;]{{0,50}})", re.I)
_METASTATIC = re.compile(r"metast|positive|involve|tumou?r|carcinoma|infiltrat|melanoma|replaced", re.I)
_EXAMINED = re.compile(r"\W*(?:\w+\W+){0,2}(?:examined|identified|found|retrieved|recovered|isolated|dissected)", re.I)
_REFERENCE = re.compile(r"^[^.;]{0,80}\(?\bsee\s+(?:parts?|specimens?|above|below)\b", re.I)
_REMAINING = re.compile(r"remaining|other|rest\b|additional", re.I)
_CLINICAL = re.compile(r"possible|probable|candidate|cassette|bisected|whole|measur|ranging|grossly|submitted\s+in|palpable|suspicious|represent\w+|trisected|\bper\b",
                       re.I)

# headings, and whether counts below them are of the gross description
_HEADING = re.compile(
    r"(?P<gross>\bgross\s+(?:description|examination|pathology|findings)|\bmacroscop(?:ic|y)\w*(?:\s+description)?\s*[:.]|\bspecimen\s+description|(?:tissue|cissue)\s+description"
    r"|\b(?:block|slide|section|cassette)\s+(?:summary|code|key)|summary\s+of\s+(?:sections|cassettes|blocks)|received\s+(?:fresh|in\s+formalin|unfixed|labell?ed)|clinical\s+(?:history|diagnosis|notes)"
    r"|\bcassettes?\s*:|the\s+specimen\s+is\s+(?:received|labell?ed)|specimens?\s+(?:submitted|received)|specimen\s*\(?s?\)?\s*:)"
    r"|(?P<quick>frozen\s+section|intra-?\s?operative\s+(?:consultation|diagnosis|evaluation)|preliminary|rapid\s+section)"
    r"|(?P<new>\bmicroscop(?:ic|y)\w*(?:\s+(?:description|examination|findings))?\s*[:.]|synoptic|checklist|(?<!see\s)template|tumou?r\s+(?:summary|profile)|\(pN\)|\bstaging\b|(?<!see\s)\bcomments?\s*[:.]|"
    r"(?<!see\s)\b(?:final\s+)?(?:pathologic\w*\s+|histolog\w*\s+|patho\w+\s+|surgical\s+(?:pathology\s+)?)?diagnos[ie]s\b(?:\s*[:.(]|\s+[A-Z(])|\bconclusion|\bsummary\s*[:.]|case\s+summary|addendum|\bopinion\s*:)", re.I)
_HEADING_START = re.compile(
    r"gross|ma(?=croscop)|specimen|tissue|cissue|block|slide|section|cassette|summary|received|clinical|the(?=\s)|frozen|intra|preliminary|rapid|mi(?=croscop)|synoptic"
    r"|checklist|template|tumou?r|\(pn\)|staging|comment|final|path(?=o)|histolog|surgical|diagnos|conclusion|case|addendum|opinion")
_ODD_CASE = re.compile("[\u0130\u0131\u017f\u212a]")
"""Letters that are equal to ASCII ones where case does not count, and no lower case of theirs."""
_PART = re.compile(r"(?:\bpart\s*#?\s*\d+|\bpart\s+[A-Z]\b|(?<![\w.])[A-Z]\d?\s?[.):](?=\s)|(?<![\w.])\d{1,2}\s?[.):]+(?=\s+[A-Z])|\blymph[\s.]*nodes?\s*[,:]|\bSP:)", re.I)
_LABEL = re.compile(r"\bpart\s*#?\s*(?:\d+|[A-Z])\s*[:.,-]|(?<![\w.])[A-Z]\d?\s?[.):](?=\s)|(?<![\w.])\d{1,2}\s?[.):]+(?=\s+[A-Z])|\bSP:", re.I)
_STATION = re.compile(
    r"\b(?:left|right|bilateral|lt|rt|sentinel|non-?\s?sentinel|axill\w+|pelvic|obturator|iliac|external|internal|common|para-?\s?aortic|periaortic|aortocaval|hilar|hilum|mediastinal|"
    r"sub-?carinal|para-?tracheal|peri-?bronchial|inter-?lobar|lobar|inter-?pectoral|intra-?mammary|internal\s+mammary|supra-?clavicular|cervical|jugular|parotid|sub-?mandibular|submental|"
    r"peri-?gastric|greater|lesser|celiac|hepatic|portal|spleni\w+|peri-?pancreatic|mesenteric|peri-?colic|apical|central|inguinal|femoral|retroperitoneal|para-?esophageal|periesophageal|"
    r"cystic|anterior|posterior|superior|inferior|upper|lower|middle|proximal|distal|pre-?sacral|neck|delphian|pre-?tracheal|recurrent|omental|intra-?parotid|(?:levels?|stations?|st|nos?\.?)\s?[\dIV]+[A-Z]?)\b|#\s?\d+", re.I)



# -- statements -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the sections of a report begin, and whether they are of the gross description (``gross``) or not (``new``)."""

    starts: tuple[int, ...]
    kinds: tuple[str, ...]

    def at(self, position: int) -> tuple[int, str]:
        """Number and kind of the section at a position."""
        k = bisect_right(self.starts, position) - 1
        return k, self.kinds[k] if k >= 0 else "new"


@lru_cache(maxsize=8)
def marks_of(text: str) -> Marks:
    """The sections of a report by their headings; several fields of one report ask for them."""
    found = [(m.start(), str(m.lastgroup)) for m in _headings(text)]
    return Marks(tuple(s for s, _ in found), tuple(k for _, k in found))


def _headings(text: str) -> Iterator[re.Match[str]]:
    """The matches of :data:`_HEADING`, which is tried only where one of its first words stands: a hundred times fewer places."""
    lowered = text.lower()
    if len(lowered) != len(text) or (not text.isascii() and _ODD_CASE.search(text)):
        yield from _HEADING.finditer(text)
        return
    done = 0
    for place in _HEADING_START.finditer(lowered):
        match = _HEADING.match(text, place.start()) if place.start() >= done else None
        if match is not None:
            yield match
            done = match.end()


class _Add(Protocol):
    def __call__(self, a: int | None, b: int | None, start: int, end: int, *, ratio: bool = False, total: bool = False) -> None: ...


@lru_cache(maxsize=8)
def joined_lines(report: str) -> str:
    """A report whose stops inside a phrase, which are lost line breaks, are spaces. Offsets stay as they are.

    Example:
        >>> joined_lines("Metastasis in two of. nine lymph. nodes (2/9). nodes are matted.")
        'Metastasis in two of  nine lymph  nodes (2/9)  nodes are matted.'
    """
    return _BROKEN_RATIO.sub(" ", _STOP.sub(lambda m: f"{m[1]} " if m[1].lower() in _UNFINISHED else m[0], report))


@lru_cache(maxsize=8)
def statements(text: str) -> tuple[Group, ...]:
    """The statements of a report (:func:`joined_lines`) in order of position; several fields ask for them."""
    regions = regions_of(text)
    found: list[Group] = []

    def add(a: int | None, b: int | None, start: int, end: int, *, ratio: bool = False, total: bool = False) -> None:
        if (a is not None and b is not None and a > b) or (b is not None and not 0 < b <= MOST) or (a or 0) > MOST:
            return
        for g in found:
            if start < g.end and g.start < end:
                return
        found.append(Group(a, b, start, end, ratio, total))

    for match in within(_ROMAN_RATIO, text, regions):
        if _CUE.search(text[max(0, match.start() - _NEAR):match.end() + 40]):
            a = 0 if match["a"] in "0Oo" else _roman(match["a"])
            add(a, _roman(match["b"]), match.start(), match.end(), ratio=True)
    for match in within(_RATIO, text, regions):
        _ratio(text, match, add)
    for match in within(_PLAIN_COUNT, text, regions):
        _count(text, match, add)
    for match in within(_SOME_OF, text, regions):
        n = number(match["n"])
        if n and (_POSITIVE_BEFORE.search(text[max(0, match.start() - 110):match.start()])
                  or _POSITIVE_AFTER.match(text[match.end():match.end() + 60])):
            add(n, None, match.start(), match.end())
    for match in within(_TIMES, text, regions):
        n = number(match["n"] or match["p"] or match["m"])
        after, before = text[match.end():match.end() + 90], text[max(0, match.start() - 70):match.start()]
        if n is None or n == 0:
            continue
        if _NEGATIVE_AFTER.match(after):
            add(0, n, match.start(), match.end())
        elif _POSITIVE_AFTER.match(after):
            add(n, n, match.start(), match.end())
        elif match["p"] and (_NEGATIVE_BEFORE.search(before) or re.match(r"[^.;:]{0,60}\bnegative\s+for\b", after, re.I)):
            add(0, n, match.start(), match.end())
    found.sort(key=lambda g: g.start)
    found = _one_per_statement(text, found)
    singles = _single_parts(text, found)
    found = sorted([*found, *singles], key=lambda g: g.start)
    if not found:
        return ()
    marks = marks_of(text)
    placed = []
    labels = [m.start() for m in _LABEL.finditer(text)]
    for g in found:
        block, kind = marks.at(g.start)
        placed.append(replace(g, part=_part(text, g), label=bisect_right(labels, g.start), block=block if kind == "new" else -2 - block if kind == "gross" else -10_000))
    return tuple(placed)


@lru_cache(maxsize=8)
def regions_of(text: str) -> tuple[tuple[int, int], ...]:
    """The stretches around every word for nodes; nothing else is searched."""
    found: list[tuple[int, int]] = []
    for match in _REGION_CUE.finditer(text):
        start, end = max(0, match.start() - 160), min(len(text), match.end() + 160)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def within(pattern: re.Pattern[str], text: str, regions: Sequence[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for start, end in regions:
        yield from pattern.finditer(text, start, end)


def _ratio(text: str, match: re.Match[str], add: _Add) -> None:
    said, b = match["a"].lower(), number(match["b"])
    before, after = text[max(0, match.start() - _NEAR):match.start()], text[match.end():match.end() + 100]
    if b is None or b > MOST or _PAGE.search(before):
        return
    if match["a2"] is not None:
        a = number(match["a2"])  # "multiple (2 of 9)"
    elif said == "all":
        a = b if _POSITIVE_AFTER.match(_behind_nodes(after)) else 0
    elif said in ("multiple",):
        return
    else:
        a = number(said)
    follows = _AFTER_WORDS.match(after)
    if match["sep"] == "/":
        if not (match["a"].isdigit() and match["b"].isdigit()) or len(match["b"]) > 3:
            return
        if match["b"].startswith("0") or _NOT_A_RATIO.search(before):
            return
        if not (follows or _CUE.search(before) or _CUE.search(after[:40]) or _BEHIND_CATEGORY.search(before)):
            return
    elif not follows and not (_NODE.search(before) and not re.search(r"[.;]\s", before[_last(_NODE, before):])):
        return
    total = bool(match["total"]) or bool(re.search(r"\b(?:total|overall|altogether)\W{0,3}(?:\w+\W+){0,3}$", before, re.I)) or bool(
        re.match(r"\W{0,3}(?:in\s+)?total\b", after, re.I))
    end = match.end() + (follows.end() if follows else 0)
    add(a, b, match.start(), end, ratio=True, total=total)


def _last(pattern: re.Pattern[str], text: str) -> int:
    at = 0
    for match in pattern.finditer(text):
        at = match.end()
    return at


def _behind_nodes(after: str) -> str:
    match = _AFTER_WORDS.match(after)
    return after[match.end():] if match else after


def _count(text: str, match: re.Match[str], add: _Add) -> None:
    n = number(match["p"] or match["q"] or match["n"])
    if n is None or n > MOST:
        return
    start, end = match.span()
    before, after = text[max(0, start - 110):start], text[end:end + 150]
    if re.search(r"(?:level|station|st|part|no|nos|#|zone|group|item|sample|specimen|number)\.?\s*$", before, re.I):
        return
    kind = match["kind"]
    if n == 0:
        return
    these = _OF_THESE.match(after) or _OF_THESE_TURNED.match(after)
    if these and (_METASTATIC.search(these["t"]) or these["n"].lower() == "none"):
        a = number(these["n"])
        if re.search(r"\b(?:negative|free|no|without|uninvolved)\b", these["t"], re.I):
            a = 0 if a == n else None
        if a is not None and a <= n and not _CLINICAL.search(these["t"]):
            add(a, n, start, end + these.end("n"), ratio=True)
            return
    if _NEGATIVE_KIND.search(kind) or _NEGATIVE_AFTER.match(after):
        a = 0
    elif match["s"] or _POSITIVE_KIND.search(kind) or _POSITIVE_AFTER.match(after):
        a = n
    elif _NEGATIVE_BEFORE.search(before):
        a = 0
    elif _POSITIVE_BEFORE.search(before):
        a = n
    else:
        said = re.search(r"\btotal\s+of\s*$", before, re.I) or (not _CLINICAL.search(after[:60]) and _EXAMINED.match(after))
        if said and not _CLINICAL.search(kind):
            add(None, n, start, end)
        return
    if a == n and match["s"]:
        add(a, None, start, end)
        return
    add(a, n, start, end)


_SINGLE = re.compile(r"\b[lf]ymph\s+node(?!s)\s*(?:[,#:(]|no\.?\s?\d|\d|biopsy|excision)[^:;.]{0,80}?(?::|\.\s|\s-\s)[\s\-]*(?=(?P<r>[^;]{0,120}))", re.I)
_SINGLE_RESULT = re.compile(r"(?P<neg>negative|no\s+(?:evidence|tumou?r|metast|malig|carcin)|benign|reactive|free\s+of|isolated\s+tumou?r\s+cells|cytokeratin\s+positive\s+cells)"
                            r"|(?P<pos>(?:posi?tive|metastatic|metastas[ie]s|involved)\b)", re.I)


def _single_parts(text: str, found: list[Group]) -> list[Group]:
    """Parts labelled as one node: "LYMPH NODE, SENTINEL #1, BIOPSY: - NEGATIVE FOR TUMOR"."""
    singles: list[Group] = []
    for match in _SINGLE.finditer(text):
        said = match["r"]
        part = _PART.search(said, 1)
        said = said[:part.start()] if part else said
        result = _SINGLE_RESULT.search(said)
        if result is None or result.start() > 70:
            continue
        end = match.start("r") + result.end()
        behind = match.start("r") + len(said)
        if any(g.start < behind and g.end > match.start() for g in found) or re.search(
                r"nodes\b|no\s+(?:lymph\s+)?node|adipose|fat\b", said, re.I):
            continue
        singles.append(Group(0 if result["neg"] else 1, 1, match.start(), end))
    return singles


def _one_per_statement(text: str, found: list[Group]) -> list[Group]:
    """Drop the words where figures follow ("six nodes, positive for carcinoma (6/9)") and what refers elsewhere."""
    kept: list[Group] = []
    for g in found:
        if kept:
            last = kept[-1]
            between = text[last.end:g.start]
            near = len(between) < 130 and not _PART.search(between) and not re.search(r"\b(?:and|level)\b", between[-25:], re.I)
            same = (last.positive, last.examined) == (g.positive, g.examined)
            again = g.ratio or last.ratio or (len(between) < 40 and not _STATION.search(between))
            if same and near and again and (len(between) < 60 or not _NODE.search(between)):
                continue
            if near and g.ratio and not last.ratio and last.examined is not None and g.examined is not None and (
                    last.examined in (g.positive, g.examined)):
                kept[-1] = g
                continue
            if (near and last.ratio and not g.ratio and g.examined is not None and last.examined is not None
                    and (g.examined == last.positive or (_REMAINING.search(text[max(0, g.start - 12):g.end])
                                                         and g.examined == last.examined - (last.positive or 0)))):
                continue
        kept.append(g)
    # "the remaining 11 nodes are negative" after "1 of 12"
    result: list[Group] = []
    for g in kept:
        if _REMAINING.search(text[max(0, g.start - 12):g.end]) and g.positive == 0 and any(
                o.examined is not None and g.examined == o.examined - (o.positive or 0) and o.start < g.start for o in result):
            continue
        if len(kept) > 1 and _REFERENCE.match(text[g.end:g.end + 90]):
            continue
        result.append(g)
    return result


def _part(text: str, group: Group) -> str:
    """The stations named around a statement, back to the label of its part."""
    lead = text[max(0, group.start - 110):group.start]
    cut = [m.start() for m in _LABEL.finditer(lead)]
    lead = lead[cut[-1]:] if cut else lead
    words = {re.sub(r"\W+", "", m.group().lower()) for m in _STATION.finditer(lead + " " + text[group.start:group.end])}
    return " ".join(sorted(words))
