"""Stage categories and grades as values, read from the text itself (also from scanned text)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "l": 1, "ll": 2, "lll": 3, "1": 1, "2": 2, "3": 3, "4": 4,
          "one": 1, "two": 2, "three": 3, "four": 4, "low": 1, "intermediate": 2, "high": 3}
_N = r"[0-9OolI]"
_STAGE_OF_FIBROSIS = re.compile(r"(?:fibrosis|hepatitis|inflammat\w*|cirrhosis|steatohepatitis|metavir|ishak|batts|ludwig|scheuer|brunt|laennec)\b(?!.*\b(?:AJCC|UICC|TNM|FIGO|patholog\w+|tumou?r|\w*carcinoma|\w*sarcoma|clinical|[yp]{0,2}T[0-4][a-d]?)\b)[^;:.\n]{0,60}$", re.I)

_T = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=AJCC))(?P<prefix>[yYrRmMaA]{0,2}[pP]?|[cC])[\s_]?[T](?P<gap>[\s:]{0,2})"
    r"(?P<value>[iI][sS]|[0-4lI]\s?[a-eA-E]?(?:mi|MI)?[1-3]?|[xX]|[aA](?=[\s,.;:)\]/]|$|p?N))(?![a-z0-9])(?P<tail>(?:\s?\([a-z0-9+\-,. ]{1,12}\))?)")
_NODE = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=AJCC))(?P<prefix>[yYrRaA]{0,2}[pP]?|[cC])[\s_]?N(?P<gap>[\s:]{0,2})"
    r"(?P<value>[0-3OolI](?:\s?[a-c]|[A-C](?![A-Za-z]))?(?:\s?(?:mi|MI(?![A-Za-z])))?|[xX])(?![a-z0-9])")
_M = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=AJCC))(?P<prefix>[yYrRaA]{0,2}[pP]?|[cC])[\s_]?M(?P<gap>[\s:]{0,2})(?P<value>[0-1OolI]\s?[a-d]?|[xX])(?![a-z0-9])")
_RUN = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=AJCC))(?P<prefix>[yYrRmM]{0,2}[pP]?)T(?P<T>[iI][sS]|[0-4lIxX](?:[a-e]|[A-E](?![A-Za-z]))?[1-3]?)[,;\s]{0,2}[pP]?N\s?"
    r"(?P<N>[0-3OolIxX](?:[a-c]|[A-C](?![A-Za-z]))?(?:mi|MI(?![A-Za-z]))?)(?:\([^)]{1,10}\))?(?:[,;\s]{0,2}[pP]?M\s?(?P<M>[0-1OolIxX][a-d]?))?(?![a-z0-9S])")
# "Pn" beside T or M is nodal; behind L, V or N it is perineural invasion
_NODAL_PN = re.compile(r"(?<![A-Za-z])[pP]?T\s?[0-4][a-d]?[,;\s]{1,2}Pn(?P<v>[0-3][a-c]?)(?![a-z0-9])|(?<![A-Za-z])Pn(?P<w>[0-3][a-c]?)[,;\s]{1,2}[pP]?M\s?[01xX](?![a-z0-9])")
_M_FOLLOWS = re.compile(r"[pc]?[NM]\s?[0-3xXoO](?![a-z])|[VLR][0-2]")
_WORD_BEHIND = re.compile(r"[ \t]+(?![pPyYcC]{0,2}[MmNnGgRrLlVv][\s:]?[\dXxOo](?![A-Za-z]))(?!(?:stage|AJCC|UICC|FIGO|TNM|and|with|M|at|patholog\w*|clinical|grade|overall|prognostic|anatomic)\b)[A-Za-z]{2,}", re.I)
_STAGING_WORDS = re.compile(r"stag|tumou?r\s+extent|TNM|AJCC|UICC|primary tumor|regional lymph|classif|category|pathologic", re.I)
_PREVIOUS = re.compile(r"year[\s\-]*old|history|clinical(?:ly)?\s|previous|biopsy of", re.I)
_STAGE_GROUP = re.compile(
    r"\bstage\s*(?:group(?:ing)?)?\s*[:=]?\s*(?P<value>(?:IV|I{1,3}|0|[1-4])\s?[A-D]?[0-9]?)(?![A-Za-z0-9])", re.I)


@dataclass(frozen=True, slots=True)
class Value:
    """A parsed value, where it stands, and how much speaks for it."""

    value: Any
    start: int
    end: int
    weight: float


def _category(value: str) -> str:
    value = value.replace(" ", "").lower()
    head, rest = value[0], value[1:]
    head = {"l": "1", "i": "1", "o": "0"}.get(head, head) if value != "is" else head
    return head + rest


def tnm(text: str, letter: str) -> list[Value]:
    """The T, N or M categories stated in ``text``, the most certain first.

    Args:
        text: a report.
        letter: ``T``, ``N`` or ``M``.

    Example:
        >>> [v.value for v in tnm("Pathologic staging: pT2a pNO MX", "T")]
        ['2a']
        >>> [v.value for v in tnm("Pathologic staging: Tlc NO MX", "N")]
        ['0']
    """
    values = []
    for match in _NODAL_PN.finditer(text) if letter == "N" else ():
        values.append(Value(match["v"] or match["w"], match.start(), match.end(), 4.0))
    for match in _RUN.finditer(text):
        if letter == "N" and match["N"] in "Oo" and not match["M"] and _WORD_BEHIND.match(text, match.end()):
            continue
        if match[letter]:
            values.append(Value(_category(match[letter]), match.start(), match.end(), 5.0))
    for match in {"T": _T, "N": _NODE, "M": _M}[letter].finditer(text):
        if any(v.start <= match.start() < v.end for v in values):
            continue
        prefix, raw = match["prefix"].lower(), match["value"]
        weight = 0.0
        before = text[max(0, match.start() - 70):match.start()]
        if _PREVIOUS.search(before):
            weight -= 3
        after = text[match.end():match.end() + 14]
        if "p" in prefix or "y" in prefix:
            weight += 3
        if "c" in prefix:
            weight -= 1
        if _STAGING_WORDS.search(before):
            weight += 2
        others = "TNM".replace(letter, "")
        if re.search(rf"(?<![A-Za-z])[pP]?[{others}]\s?{_N}", after) or re.search(
                rf"(?<![A-Za-z])[pP]?[{others}]\s?{_N}[a-dA-D]?(?:\((?:m|sn|f|is|\d)\)\W{{0,3}}|\W{{1,3}})$", before[-12:]):
            weight += 2.5
        if raw.lower() in ("is", "a") and "p" not in prefix:
            continue  # "TIS" is also a scrap of TISSUE
        if raw in "oOlI" and (text[match.end():match.end() + 1].isalpha() and not _M_FOLLOWS.match(text, match.end())):
            continue  # "NOT", "NODES"
        if raw in "oOlI" and "p" not in prefix and weight < 2.5 and (raw != "O" or re.match(r"\.| ?[A-Za-z]", text[match.end():match.end() + 2])):
            continue  # "EXCISION. NO CARCINOMA", "PATH.NO:"
        if raw in "oO" and _WORD_BEHIND.match(text, match.end()):
            continue  # "pT1. NO NODES SUBMITTED", but "pT1 NO MX"
        if match["gap"] and "p" not in prefix and weight < 2:
            continue
        if weight >= 2:
            values.append(Value(_category(raw), match.start(), match.end(), weight))
    # what is said again in another place is more certain
    count: dict[str, int] = {}
    for v in values:
        count[v.value] = count.get(v.value, 0) + 1
    return sorted((Value(v.value, v.start, v.end, v.weight + 0.5 * (count[v.value] - 1) - (3 if v.value == "x" else 0))
                   for v in values), key=lambda v: (-v.weight, v.start))


def stage_group(text: str) -> list[Value]:
    """Stage groups such as ``IIA`` stated in ``text``, in order."""
    found = []
    for match in _STAGE_GROUP.finditer(text):
        if _STAGE_OF_FIBROSIS.search(text, max(0, match.start() - 90), match.start()):
            continue
        value = match["value"].replace(" ", "").upper()
        value = {"1": "I", "2": "II", "3": "III", "4": "IV"}.get(value[0], value[0]) + value[1:]
        found.append(Value(value, match.start(), match.end(), 1.0))
    return found


_DIGIT = r"(?P<g>IV|I{1,3}|l{1,3}|[1-4]|one|two|three|four)"
# "2-3", "II to III", "G1/G2"; a stroke before a bare figure is "2 of 3", and "grade 2 - 3 cm" has a size behind it
_TO = (r"(?:(?:[-–]\s?(?:grade\s*|G)?|\s+(?:to|or|through)\s+(?:grade\s*|G)?|\s*(?:[/&]|\band\b)\s*(?:grade\s*|G))(?P<to>IV|I{1,3}|[1-4]|one|two|three|four)"
       r"(?![A-Za-z0-9+]|\.\d|\s*(?:cm|mm|x\s*\d|foc|lymph|node|positive|of\s+\d\d)))?")
_OF = _TO + r"(?:\s*(?:/|of|out of)\s*(?:III|IV|3|4|three|four|III|lll))?"
_IN_PARTS = 5.5
"""The weight of a Gleason score whose two patterns stand apart."""
_GRADE_PATTERNS: tuple[tuple[str, float, re.Pattern[str]], ...] = tuple(
    (system, weight, re.compile(pattern, re.I)) for system, weight, pattern in (
        ("Gleason", 6, r"gleason(?:'s)?\W{0,3}(?:combined\W+)?(?:total\W+)?(?:(?:score|grade|pattern|sum)\W{0,4}){0,3}\W{0,4}(?:of\W+)?(?:\d0?\W{0,3}\(?\W?)?"
                       r"(?P<a>[1-5])\s?\+\s?(?P<b>[1-5])"),
        ("Gleason", _IN_PARTS, r"\bprimary\W+(?:gleason\W+)?(?:(?:grade|pattern|score)\W+){0,2}(?P<a>[1-5])(?:\s?/\s?5)?(?!\d|\.\d)[^0-9]{1,40}?\bsecondary\W+(?:gleason\W+)?"
                         r"(?:(?:grade|pattern|score)\W+){1,2}(?P<b>[1-5])(?!\d|\.\d)"),
        ("Gleason", 4.5, r"\bgrade\s+group\W{0,4}(?:of\W+)?(?P<group>[1-5])(?!\d|\.\d|\s?\+)"),
        ("Gleason", 4, r"gleason(?:'s)?\W+(?:(?:total|combined|sum|score|grade|of)\W+){0,4}(?P<sum>[6-9]|10)(?:\s?/\s?10)?(?!\s?[+.]?\d|\s?\+|\s?(?:cm|mm|%))"),
        ("Fuhrman", 5, rf"f[uo]+hrman(?:n)?(?:'s)?\W+(?:nuclear\W+)?(?:grade\W*)?(?:is\W+)?(?:of\W+)?{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("Fuhrman", 4, rf"(?:fuhrman|nuclear)\s+grade\s*\(?(?:fuhrman)?\)?\W{{0,4}}{_DIGIT}(?![A-Za-z0-9]){_OF}"),
        ("ISUP", 5, rf"\bISUP\W+(?:nucleolar\W+)?grade\W{{0,3}}{_DIGIT}(?![A-Za-z0-9]){_OF}"),
        ("Nottingham", 6, rf"(?:nottingham|elston|bloom|SBR|scarff|modified\s+b)[^.;]{{0,60}}?\bgrade\W{{0,4}}{_DIGIT}(?![A-Za-z0-9+]|\.\d){_OF}"),
        ("Nottingham", 4, r"(?:nottingham|bloom|elston|SBR)[^;]{0,130}?(?:score|total|sum|=|grade)?\W{0,6}(?<!/)(?P<score>[3-9])\s*(?:/|of|out of)\s*9"),
        ("Nottingham", 5, r"nottingham\s+(?:combined\s+)?(?:histologic(?:al)?\s+)?score\W{0,4}(?<!/)(?P<score>[3-9])(?![0-9.])"),
        ("Nottingham", 3, r"(?:nottingham|bloom)[^;]{0,90}?=\s?(?P<score>[3-9])(?![0-9.])"),
        ("FIGO", 5, rf"\bFIGO\W+(?:histologic(?:al)?\W+)?grade\W{{0,3}}{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("FNCLCC", 5, rf"\bFNCLCC\W+(?:histologic(?:al)?\W+)?grade\W{{0,3}}{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("WHO", 4.5, rf"\bWHO\W+(?:CNS\W+)?grade\W{{0,3}}{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("overall", 5, rf"\boverall\s+(?:histologic(?:al)?\s+)?grade\W{{0,4}}(?:grade\W{{0,2}})?{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("histologic", 4, r"\b(?:histologic(?:al)?|tumou?r|combined)\s+grade\s*(?:\([^)]{0,40}\))?\W{0,4}(?:grade\W{0,2}|G)?"
                          rf"{_DIGIT}(?![A-Za-z0-9]|\.\d){_OF}"),
        ("histologic", 4, r"\b(?:histologic(?:al)?|tumou?r)\s+(?:type\s+and\s+)?grade\s*(?:\([^)]{0,40}\))?\W{0,4}(?:GX|G[1-4]\W{1,3})?"
                          r"(?P<w>(?:well|moderately|poorly)[\s\-]+(?:to\s+(?:focally\s+)?(?P<w2>moderately|poorly|undifferentiated)"
                          r"[\s\-]+)?differentiated|undifferentiated|high[\s\-]grade|low[\s\-]grade|intermediate[\s\-]grade)"),
        ("differentiation", 3, r"\b(?P<w>(?:well|moderately|poorly)(?:[\s\-]+(?:to|and)[\s\-]+(?P<w2>moderately|poorly|undifferentiated))?[\s.\-]+differentiated"
                               r"|undifferentiated(?!\W+(?:pleomorphic|spindle|round|embryonal|sarcoma|component|small)))"),
        ("differentiation", 2, r"\b(?P<w>(?:well|moderate|moderately|poor|poorly))[\s\-]+differentiation"),
        ("numeric", 2.5, rf"\bgrade\W{{0,3}}{_DIGIT}(?![A-Za-z0-9+]|\.\d){_OF}"),
        ("numeric", 2.5, rf"(?<![A-Za-z0-9])G\s?(?P<g>[1-4])(?![0-9A-Za-z]){_TO}"),
        ("tier", 1, r"\b(?P<w>high|low|intermediate)[\s\-]+grade\b(?![\s\-]+(?:dysplasia|PIN|prostatic|squamous|intra|DCIS|ductal|glandular))"),
    ))
_WORDS = {"well": 1, "moderate": 2, "moderately": 2, "poor": 3, "poorly": 3, "undifferentiated": 4, "high": 3, "low": 1,
          "intermediate": 2}
_NOT_TUMOUR_GRADE = re.compile(r"(?:in[\s\-]situ|DCIS|nuclear|dysplasia|architectural|steatosis|fibrosis|inflammat|activity|regression|response|CIN|PIN|PanIN|intraepithelial)\W+(?:\w+\W+){0,2}$",
                               re.I)


_OF_HEPATITIS = re.compile(r"hepatitis[^\w;\n]+(?:\w+[^\w.;\n]+){0,2}$", re.I)
_TUMOUR_BEHIND = re.compile(r"\s*(?:\w+\s+){0,2}\w*(?:carcinoma|sarcoma|tumou?r|neoplasm)\b", re.I)


def grades(text: str) -> list[Value]:
    """Grades stated in ``text``: ``{"system", "grade"}`` (and ``gleason``, ``score``), the most certain first.

    Example:
        >>> grades("Prostatic adenocarcinoma, Gleason score 3+4=7")[0].value
        {'system': 'Gleason', 'gleason': [3, 4], 'grade': 2}
        >>> grades("Nottingham histologic grade II/III")[0].value
        {'system': 'Nottingham', 'grade': 2}
    """
    found: list[Value] = []
    legends = _legends(text)
    for system, weight, pattern in _GRADE_PATTERNS:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            at = match.start(next((name for name in ("g", "w") if groups.get(name)), 0))
            if any(start <= at < end for start, end in legends) or _UNTICKED.search(text, max(0, at - 8), at):
                continue
            value: dict[str, Any] = {"system": system}
            if weight == _IN_PARTS and "gleason" not in text[max(0, match.start() - 40):match.end()].lower() and match[0].lower().count("pattern") < 2:
                continue  # "primary grade 2 lesion, secondary grade 3 lesion"
            if groups.get("a"):
                pair = [int(groups["a"]), int(groups["b"])]
                value.update(gleason=pair, grade=_grade_group(*pair))
            elif groups.get("group"):
                value["grade"] = int(groups["group"])
            elif groups.get("sum"):
                total = int(groups["sum"])
                value.update(score=total, grade=_GROUP_OF_SUM[total])
            elif groups.get("score"):
                score = int(groups["score"])
                value.update(score=score, grade=1 if score <= 5 else 2 if score <= 7 else 3)
            elif groups.get("g"):
                value["grade"] = _ROMAN[groups["g"].lower()]
                if groups.get("to"):  # of a range the higher
                    value["grade"] = max(value["grade"], _ROMAN[groups["to"].lower()])
            else:
                word = groups["w"].lower()
                first = re.split(r"[\s.\-]", word)[0]
                # "moderately to focally poorly differentiated" is moderately
                whole = not groups.get("w2") or "focal" in word
                value["grade"] = _WORDS[first] if whole else _WORDS[groups["w2"].lower()]
                value["words"] = re.sub(r"[\s.\-]+", " ", word)
            if system not in ("Gleason", "Nottingham", "Fuhrman") and _NOT_TUMOUR_GRADE.search(
                    text[max(0, match.start() - 40):match.start()]):
                continue
            if system == "numeric" and _OF_HEPATITIS.search(text, max(0, match.start() - 40), match.start()) and not _TUMOUR_BEHIND.match(text, match.end()):
                continue
            found.append(Value(value, match.start(), match.end(), weight))
    return _each_once(sorted(found, key=lambda v: (-v.weight, v.start)))


_GENERAL = frozenset({"numeric", "tier", "histologic"})


def _each_once(found: list[Value]) -> list[Value]:
    """Grades, the most certain first, without those that say the same again: a grade given thrice is one finding, and "Fuhrman
    grade 3" is no plain "grade 3" besides."""
    kept: list[Value] = []
    for v in found:
        system = v.value["system"]
        if system in _GENERAL and any(k.weight > v.weight and k.value["grade"] == v.value["grade"] and k.start <= v.start < k.end for k in found):
            continue
        if not any(k.value == v.value or (k.value["system"] == system and system not in ("Gleason", "Nottingham") and k.start < v.end and v.start < k.end)
                   for k in kept):
            kept.append(v)
    return kept


_LEGEND_ENTRY = re.compile(r"\bgrade\s+(?P<n>IV|I{1,3}|[1-4])\s*[:=]\s*(?P<said>[^;:]{3,90}?)(?=[;:,.]?\s*\bgrade\s|[;.]|$)", re.I)
_STEPS = re.compile(r"\bwell[\s\-]+differentiated\b[^.;]{0,30}?\bmoderately[\s\-]+differentiated\b[^.;]{0,30}?\bpoorly[\s\-]+differentiated\b(?:\s*\(G\s?\d\))?", re.I)
_UNTICKED = re.compile(r"(?:\[\s?\]|\(\s?\)|[☐□]|(?<![xX_])_{2,})\s*(?:G\s?|grade\s+)?$", re.I)
_TICKED = re.compile(r"[\[(]\s?x\s?[\])]|_x_|[☑☒■✓✔]|\bto\b", re.I)
_LEGEND_GAP = 3


def _legends(text: str) -> list[tuple[int, int]]:
    """Where a form explains its grades: "grade 1: well differentiated; grade 2: …", "well / moderately / poorly differentiated"."""
    found = [(m.start(), m.end()) for m in _STEPS.finditer(text) if not _TICKED.search(text, max(0, m.start() - 8), m.end())]
    run: list[re.Match[str]] = []
    entries = [m for m in _LEGEND_ENTRY.finditer(text) if len(re.findall(r"[A-Za-z]{2,}", m["said"])) > 1]
    for k, entry in enumerate(entries):
        number = _ROMAN[entry["n"].lower()]
        follows = bool(run) and number == _ROMAN[run[-1]["n"].lower()] + 1 and entry.start() - run[-1].end() <= _LEGEND_GAP
        if not follows:
            run = []
        if follows or number == 1:
            run.append(entry)
        last = k + 1 == len(entries) or entries[k + 1].start() - entry.end() > _LEGEND_GAP
        if len(run) > 1 and last:
            found.append((run[0].start(), run[-1].end()))
    return found


_GROUP_OF_SUM = {6: 1, 7: None, 8: 4, 9: 5, 10: 5}
"""ISUP grade group of a Gleason score; 7 is group 2 or 3, which its patterns decide."""


def _grade_group(first: int, second: int) -> int:
    """ISUP grade group of a Gleason pair (Epstein et al. 2016)."""
    total = first + second
    if total <= 6:
        return 1
    if total == 7:
        return 2 if first == 3 else 3
    return 4 if total == 8 else 5
