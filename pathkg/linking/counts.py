"""Numbers of a report: lymph nodes, size, margins' distance, receptor results."""

from __future__ import annotations

import re
from typing import Any

from pathkg.linking.staging import Value

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
_WORD_NUMBER = (r"(?:" + "|".join(_TENS) + r")(?:[\s\-]+(?:" + "|".join(_UNITS[1:10]) + r"))?|" +
                "|".join(sorted(_UNITS, key=len, reverse=True)))
NUMBER = rf"(?:\d{{1,3}}|{_WORD_NUMBER}|no|none|all|single|a single)"
_NODES = r"(?:(?:\w+[\s\-.]+){0,4}?(?:lymph[\s.\-]*)?nodes?)"


def number(word: str) -> int | None:
    """The value of a written or spelled number.

    Example:
        >>> number("twenty-three"), number("12"), number("no")
        (23, 12, 0)
    """
    word = word.lower().strip()
    if word.isdigit():
        return int(word)
    if word in ("no", "none"):
        return 0
    if word in ("single", "a single"):
        return 1
    parts = re.split(r"[\s\-]+", word)
    total = 0
    for part in parts:
        if part in _TENS:
            total += _TENS[part]
        elif part in _UNITS:
            total += _UNITS.index(part)
        else:
            return None
    return total


_SUMMARY_EXAMINED = re.compile(
    rf"(?:(?:total\s+)?(?:number|no\.?|#)\s+(?:of\s+)?(?:regional\s+)?(?:lymph\s+)?nodes?[\s.]+(?:sampled[\s.]+and[\s.]+)?"
    rf"(?:examined|sampled|identified|present|retrieved|total)|(?:lymph\s+)?nodes?[\s.]+(?:examined|sampled)|total\s+(?:lymph\s+)?nodes?(?:\s+examined)?"
    rf"|number\s+examined|LN\s+examined)\W{{0,6}}(?P<n>{NUMBER})\b", re.I)
_SUMMARY_POSITIVE = re.compile(
    rf"(?:(?:total\s+)?(?:number|no\.?|#)\s+(?:of\s+)?(?:positive\s+)?(?:regional\s+)?(?:lymph\s+)?nodes?[\s.]+(?:involved|positive|with\s+metast\w+)"
    rf"|number\s+of\s+positive\s+(?:lymph\s+)?nodes?|(?:lymph\s+)?nodes?[\s.]+(?:involved|positive(?!\s+for))|number\s+(?:involved|positive)|total\s+positive)"
    rf"\W{{0,6}}(?P<n>{NUMBER})\b", re.I)
_SUMMARY_BOTH = re.compile(r"positive\s+l.?ymph\s+nodes?(?:\s*/\s*total[^:]{0,40})?\s*[:=]\s*(?P<a>\d{1,3})\s?(?:/|of|out\s+of)\s?(?P<b>\d{1,3})", re.I)
_SLASH = re.compile(r"(?<![\d./])(?P<a>\d{1,2})\s?/\s?(?P<b>\d{1,3})(?![\d/]|\s?(?:cm|mm|hpf|HPF|\d{4}))")
_SLASH_CUE = re.compile(r"node|metast|LN\b|lymph|axill|sentinel", re.I)
_OF = re.compile(rf"\b(?P<a>{NUMBER})\s*(?:\(\d+\)\s*)?(?:out\s+of|of)\s+(?:the\s+)?(?:a\s+total\s+of\s+)?(?P<b>{NUMBER})\s*(?:\(\s?\d+\s?\)\s*)?(?:\(?\s?\d+/\d+\s?\)?\s*)?"
                 rf"{_NODES}", re.I)
_KIND = (r"(?:(?:benign|reactive|negative|unremarkable|tumor[\s\-]free|identified|regional|axillary|sentinel|pelvic|mesenteric|"
         r"pericolic|hyperplastic|anthracotic|minute|small|large|hilar|mediastinal|additional|examined|intramammary|"
         r"periesophageal|perigastric|separate)[\s,]+){0,3}")
_NEGATIVE = re.compile(rf"\b(?P<b>\d{{1,3}}|{_WORD_NUMBER}|single)\s*(?:\(\s?\d+\s?\)\s*)?{_KIND}(?:lymph[\s.\-]*)?nodes?(?:\s+fragments?)?[,:;]?\s+"
                       rf"(?:with\s+[\w\s]{{0,30}},\s*)?(?:(?:is|are|were|show|with|all)\s+)?"
                       rf"(?:negative|free\s+of|no\s+(?:evidence|tumor|metast|malig|carcin)|uninvolved|without)", re.I)
_POSITIVE_GROUP = re.compile(rf"\b(?P<b>\d{{1,3}}|{_WORD_NUMBER}|single)\s*(?:\(\s?\d+\s?\)\s*)?{_KIND}(?:lymph[\s.\-]*)?nodes?[,:]?\s+"
                             rf"(?:(?:is|are|were|with)\s+)?(?:positive\s+for|with\s+metastatic|involved)"
                             rf"|involving\s+(?P<c>\d{{1,2}}|one|two|three)\s+(?:examined\s+)?(?:lymph\s+)?nodes?\b", re.I)
# a part labelled as one node: "LYMPH NODE, LEFT SENTINEL, EXCISION: - NEGATIVE FOR TUMOR"
_PART = re.compile(r"(?<!non-)(?<!two )(?<!three )(?<!four )\b(?:sentinel\s+|non-?sentinel\s+)?lymph\s+node\b(?!s)[^:.]{0,80}:[\s\-]*"
                   r"(?P<r>negative|no\s+(?:evidence|tumor|metast)|positive|metastatic)", re.I)


def node_counts(text: str) -> tuple[list[Value], list[Value]]:
    """Examined and positive lymph nodes; each list holds one total.

    A synoptic line wins; else the counts of the groups are added up, each group once.

    Example:
        >>> examined, positive = node_counts("Metastatic carcinoma in one of nine lymph nodes (1/9).")
        >>> examined[0].value, positive[0].value
        (9, 1)
    """
    for both in _SUMMARY_BOTH.finditer(text):
        if int(both["a"]) <= int(both["b"]):
            return ([Value(int(both["b"]), both.start(), both.end(), 6.0)],
                    [Value(int(both["a"]), both.start(), both.end(), 6.0)])
    examined = [Value(n, m.start(), m.end(), 5.0) for m in _SUMMARY_EXAMINED.finditer(text)
                if (n := number(m["n"])) is not None]
    positive = [Value(n, m.start(), m.end(), 5.0) for m in _SUMMARY_POSITIVE.finditer(text)
                if (n := number(m["n"])) is not None]
    groups = _first_block(text, _groups(text))
    if groups:
        first, last = groups[0], groups[-1]
        whole = Value(sum(b for _, b, _, _ in groups), first[2], last[3], 3.0)
        part = Value(sum(a for a, _, _, _ in groups), first[2], last[3], 3.0)
        examined = examined or [whole]
        positive = positive or [part]
    if examined and positive and examined[0].value < positive[0].value:
        examined, positive = positive, examined  # the two lines changed places in some forms
    return examined[:1], positive[:1]


_NEW_PART = re.compile(r"\b[A-Z]\d?[.)]\s|\bpart\b|\b\d{1,2}[.)]\s|lymph\s+nodes?[,:]", re.I)


def _groups(text: str) -> list[tuple[int, int, int, int]]:
    found: list[tuple[int, int, int, int]] = []

    def add(a: int | None, b: int | None, start: int, end: int) -> None:
        if a is None or b is None or a > b or b == 0 or b > 120:
            return
        for x, y, s, e in found:
            between = text[min(e, end):max(s, start)]
            # the same count in words and figures beside each other
            if (x, y) == (a, b) and len(between) < 90 and not _NEW_PART.search(between):
                return
            if s < end and start < e:
                return
        found.append((a, b, start, end))

    for match in _OF.finditer(text):
        add(number(match["a"]), number(match["b"]), match.start(), match.end())
    for match in _SLASH.finditer(text):
        around = text[max(0, match.start() - 60):match.end() + 40]
        if _SLASH_CUE.search(around):
            add(int(match["a"]), int(match["b"]), match.start(), match.end())
    for match in _NEGATIVE.finditer(text):
        add(0, number(match["b"]), match.start(), match.end())
    for match in _POSITIVE_GROUP.finditer(text):
        n = number(match["b"] or match["c"])
        # "one node with metastatic carcinoma …, one of forty-two in all": the total follows without a new part
        if any(b >= _LARGE and a >= (n or 0) and not _NEW_PART.search(text[min(e, match.end()):max(s, match.start())])
               for a, b, s, e in found):
            continue
        add(n, n, match.start(), match.end())
    for match in _PART.finditer(text):
        inside = text[match.start():match.end() + 50]
        if re.search(rf"\b(?:{NUMBER})\s*(?:\(\d+\))?\s*{_KIND}(?:lymph\s+)?nodes", inside, re.I):
            continue
        add(0 if match["r"].lower()[:2] in ("ne", "no") else 1, 1, match.start(), match.end())
    found.sort(key=lambda g: g[2])
    return found


_LARGE = 5
_NEW_SECTION = re.compile(r"gross\s+desc|synoptic|tumou?r\s+summary|checklist|template|microscopic\s+desc|final\s+(?:pathologic\s+)?diagnosis"
                          r"|\(pN\)|clinical\s+(?:history|diagnosis)|staging|comment|\bdiagnosis\b", re.I)


def _first_block(text: str, groups: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """The groups of one section: a report states its counts in the diagnosis and again in its summary."""
    blocks: list[list[tuple[int, int, int, int]]] = []
    large: set[tuple[int, int]] = set()
    for group in groups:
        if group[1] >= _LARGE:
            if group[:2] in large:
                continue  # the same large count again is the same nodes again
            large.add(group[:2])
        if not blocks or group[2] - blocks[-1][-1][3] > 1500 or _NEW_SECTION.search(text[blocks[-1][-1][3]:group[2]]):
            blocks.append([])
        block = blocks[-1]
        if len(block) > 1 and group[1] >= _LARGE and group[0] == sum(a for a, _, _, _ in block) and group[1] == sum(b for _, b, _, _ in block):
            continue  # the total of those before
        block.append(group)
    if len(blocks) < 2:
        return blocks[0] if blocks else []
    # a later section that gives one total for all is the better source
    for block in blocks[1:]:
        if len(block) == 1 and block[0][1] >= sum(b for _, b, _, _ in blocks[0]):
            return block
    return blocks[0]


_SIZE = re.compile(
    r"(?:tumou?r\s+(?:size|dimensions?)|size(?:\s+of)?(?:\s+(?:the\s+)?(?:invasive|primary|largest|main))?(?:\s+(?:tumou?r|component|mass|lesion))?"
    r"|greatest\s+dimension|maximum\s+(?:dimension|diameter)|max\.?\s+diameter|measuring|measures|diameter)"
    r"[^0-9.;]{0,60}?(?P<a>\d{1,3}(?:\.\s?\d{1,2})?)\s?(?:x|X|by|\*)?\s?(?P<b>\d{1,3}(?:\.\d{1,2})?)?\s?(?:x|X|by|\*)?\s?(?P<c>\d{1,3}(?:\.\d{1,2})?)?"
    r"\s*(?P<unit>cm|mm)\b", re.I)


def sizes(text: str) -> list[Value]:
    """Tumour sizes in mm (greatest dimension), those of a size line first."""
    found = []
    for match in _SIZE.finditer(text):
        values = [float(match[g].replace(" ", "")) for g in "abc" if match[g]]
        factor = 10.0 if match["unit"].lower() == "cm" else 1.0
        weight = 3.0 if re.match(r"tumou?r\s+size|size", match.group(), re.I) else 1.0
        if re.search(r"tumou?r|mass|lesion|carcinoma", text[max(0, match.start() - 50):match.end()], re.I):
            weight += 1
        found.append(Value(round(max(values) * factor, 1), match.start(), match.end(), weight))
    return sorted(found, key=lambda v: (-v.weight, v.start))


_DISTANCE = re.compile(r"(?:closest|nearest|distance)[^.;]{0,80}?(?P<n>\d{1,3}(?:\.\s?\d+)?)\s*(?P<unit>cm|mm)\b", re.I)


def margin_distance(text: str) -> list[Value]:
    """Distances to the closest margin in mm."""
    return [Value(float(m["n"].replace(" ", "")) * (10 if m["unit"].lower() == "cm" else 1), m.start(), m.end(), 1.0)
            for m in _DISTANCE.finditer(text)]


_RECEPTORS: dict[str, str] = {
    "ER": r"(?<![A-Za-z])(?:o?estrogen(?:\s+receptors?)?(?:\s*\(?ER\)?)?|ER(?:\s*\(?1D5\)?)?|ER-?alpha)(?![A-Za-z])",
    "PR": r"(?<![A-Za-z])(?:progest(?:erone|in)(?:\s+receptors?)?(?:\s*\(?PgR|\s*\(?PR\)?)?|PR|PgR)(?![A-Za-z])",
    "HER2": r"(?<![A-Za-z])(?:HER[\s.\-]{0,2}2(?:[\s/.\-]{0,2}neu)?(?:\s+oncoprotein)?|c-?erb-?B-?2|ERBB2)(?![A-Za-z0-9])",
    "Ki-67": r"(?<![A-Za-z])(?:Ki[\s\-.]?67|MIB[\s\-]?1)(?![0-9])",
}
_RECEPTOR = {name: re.compile(pattern, re.I) for name, pattern in _RECEPTORS.items()}
_RESULT = re.compile(
    r"(?P<neg>\b(?:negative|neg|not\s+amplified|non-?\s?amplified|not\s+over-?\s?expressed|no\s+(?:over-?expression|amplification|expression)|unamplified|absent|nonreactive)\b"
    r"|\(\s?[-–]\s?\)|\b0\s?%)"
    r"|(?P<pos>\b(?:positive|pos|strong(?:ly)?|amplified|over-?expressed|present|immunoreactive)\b|\(\s?\+\s?\)|\b[1-9]\d?\s?%|\b100\s?%)"
    r"|(?P<equ>\bequivocal|indeterminate|borderline)"
    r"|(?P<none>\bnot\s+(?:performed|done|available|applicable|specified)|pending|\bunknown\b|ordered)", re.I)
_SCORE = re.compile(r"(?<![\d.])(?P<s>[0-3])\s?\+|score\W{0,3}(?:of\s+)?(?P<t>[0-3])(?![\d.%])|(?P<w>[0-3])\s?(?:of|/)\s?3\+?", re.I)
_PERCENT = re.compile(r"(?P<p>\d{1,3})\s?(?:-\s?(?P<q>\d{1,3})\s?)?%")
_STOP = re.compile(r"[;]|\.\s+(?=[A-Z])")


def receptors(text: str) -> dict[str, list[Value]]:
    """ER, PR, HER2 and Ki-67 results: ``{"expression": bool | None, "percentage", "score"}``.

    Example:
        >>> found = receptors("ER: Positive (95%). PR: Negative. HER2/neu: 1+ (negative).")
        >>> found["ER"][0].value, found["HER2"][0].value["score"]
        ({'expression': True, 'percentage': 95}, 1)
    """
    starts = sorted((m.start(), m.end(), name) for name, pattern in _RECEPTOR.items() for m in pattern.finditer(text)
                    if not (name in ("ER", "PR") and m.group().lower() in ("er", "pr") and not m.group().isupper()))
    found: dict[str, list[Value]] = {}
    for k, (start, _, name) in enumerate(starts):
        # names in a row share the result behind the last ("ER/PR immunostains are strongly positive")
        last = k
        while (last + 1 < len(starts) and starts[last + 1][2] != name
               and re.fullmatch(r"[\s,/&+]*(?:and|receptors?|\(?\s*)?[\s,/&)]*", text[starts[last][1]:starts[last + 1][0]], re.I)):
            last += 1
        behind = starts[last][1]
        limit = min((s for s, _, _ in starts[last + 1:]), default=len(text))
        window = text[behind:min(limit, behind + 160)]
        stop = next((m.start() for m in _STOP.finditer(window) if m.start() > 25 or _RESULT.search(window[:m.start()])), None)
        window = window[:stop]
        value: dict[str, Any] = {}
        match = _RESULT.search(window)
        if match is None or match["none"]:
            before = text[max(0, start - 40):start]
            lead = re.search(r"\b(positive|negative)\s+(?:for|staining\s+for)\s+(?:[\w\s,/()-]{0,30})$", before, re.I)
            if lead:
                value["expression"] = lead[1].lower() == "positive"
            elif name != "Ki-67" or not _PERCENT.search(window):
                continue
        else:
            value["expression"] = True if match["pos"] else False if match["neg"] else None
        percent = _PERCENT.search(window)
        if percent:
            value["percentage"] = int(percent["p"])
        score = _SCORE.search(window) if name == "HER2" else None
        if score:
            value["score"] = int(score["s"] or score["t"] or score["w"])
        weight = 2.0 + (1.0 if window.lstrip()[:1] in ":-–" else 0.0)
        found.setdefault(name, []).append(Value(value, start, behind + (match.end() if match else 0), weight))
    return {name: sorted(values, key=lambda v: (-v.weight, v.start)) for name, values in found.items()}
