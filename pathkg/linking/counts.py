"""Numbers of a report: size, receptor results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pathkg.linking.staging import Value

_MEASURE = (r"(?P<a>\d{1,3}(?:[.,]\s?\d{1,2})?)\s?(?:cm|mm)?\s?(?:x|X|by|\*)?\s?(?P<b>\d{1,3}(?:[.,]\d{1,2})?)?\s?(?:cm|mm)?\s?(?:x|X|by|\*)?"
            r"\s?(?P<c>\d{1,3}(?:[.,]\d{1,2})?)?(?:\.\s|\s?)\s*(?P<unit>cm|mm)\b")
_SIZE = re.compile(
    r"(?P<cue>tumou?r\s+(?:size|dimensions?)|size(?:\s+of)?(?:\s+(?:the\s+)?(?:invasive|primary|largest|main))?(?:\s+(?:tumou?r|component|mass|lesion))?"
    r"|(?:greatest|maximum|largest)\s+(?:tumou?r\s+)?(?:dimension|diameter|extent|size)|max\.?\s+diameter|measuring|measures|diameter)"
    r"[^0-9.;]{0,60}?" + _MEASURE, re.I)
# "carcinoma, Fuhrman grade 3, 7.2 cm": the figure of a grade stands between tumour and size, and is no size ("grade 3, 7 cm")
_GRADED = r"(?:\bgrade|\bscore)\s(?:of\s)?\d{1,2}(?:\s?(?:/|of)\s?\d{1,2})?(?=[\s,)(])(?!\s?(?:cm|mm|x)\b)"
# "a firm tan mass, 1.7 cm in greatest dimension", "invasive carcinoma (5.3 cm)"
_MASS = re.compile(r"(?P<cue>\b(?:tumou?r|mass|neoplasm|lesion|\w*carcinoma|\w*sarcoma|\w*blastoma|melanoma|seminoma|mesothelioma|pheochromocytoma|paraganglioma|thymoma|meningioma|oncocytoma"
                   r"|chordoma|teratoma|lymphoma|angiomyolipoma|\w*glioma|astrocytoma|ependymoma|carcinoid)\b(?!\s*-?\s*free))(?P<gap>(?:" + _GRADED + r"|[^.;:0-9]){0,60}?)[\s(,](?<!grade\s)(?<!score\s)" + _MEASURE
                   + r"(?!\s*(?:from|to|of\s+the|away|margin|above|below|beyond|of\s+\d|(?:distal|proximal|superior|inferior|medial|lateral|anterior|posterior|deep)(?:ly)?\s+to))", re.I)
_WITHIN_THE_TUMOUR = re.compile(r"invad|\binvasion\s+(?:of|into|is|measur|depth)|breslow|clark|level|epicent|centered|mitos", re.I)
_SIZED = re.compile(_MEASURE + r"\.?,?\s+(?P<cue>(?:[a-z\-]+,?\s+){0,5}?(?:tumou?r|mass|carcinoma|adenocarcinoma|neoplasm|lesion)\b)(?!\s*-?\s*free)", re.I)
# "the end of the specimen, there is a 3 cm mass": the specimen only says where
_WHERE = re.compile(r"\b(?:specimen|segment|portion|colon|bowel|kidney|uterus|prostate)\b[^.;]*?\b(?:there\s+(?:is|are|was)|shows?|showed|reveals?|revealed|contains?|containing|with|has|having|demonstrates?)\b", re.I)
_OTHER_THING = re.compile(r"\b(?:uninvolved|free|negative|from|away|beyond|above|below|to\s+the|clear)\b", re.I)
_METASTATIC = re.compile(r"\bmetasta\w+\W+(?:\w+\W+){0,2}$", re.I)
_NEW_SENTENCE = re.compile(r"\.\s+(?:[A-Z][a-z]|THE\b|ON\b|IT\b)")
_NOT_THE_TUMOUR = re.compile(r"\bnod(?:es?|al)\b|deposit|metasta|smaller|smallest|second\s+|satellite|breslow|specimen|fragments?|biopsy|scar|cyst|polyp|ellipse|skin|margin|depth|thickness|distance|"
                             r"extension|within|circumferenc|\bportion\b|(?<!contiguous\s)(?<!largest\s)focus\b|foci\b|segment|aggregate|in\s+situ|dcis|clot|hemorrhag|adenoma\b|uterus|prostate\s+(?:gland|measur)|kidney\s+measur", re.I)
_BOUND = re.compile(r"(?:more|greater|less|larger|smaller)\s+than|at\s+least|up\s+to|[<>≤≥]\s*=?\s*$", re.I)
_CLAUSE = re.compile(r"[.;:]\s")


def sizes(text: str) -> list[Value]:
    """Tumour sizes in mm (greatest dimension), those of a size line first.

    Example:
        >>> [v.value for v in sizes("Lymph node: size of deposit 0.6 cm. Tumor size: 7.0 x 5 x 4 cm.")]
        [70.0]
        >>> sizes("There is a firm mass, 1.7 cm in greatest dimension.")[0].value
        17.0
    """
    found: dict[int, Value] = {}
    for pattern in (_SIZE, _MASS, _SIZED):
        for match in pattern.finditer(text):
            at = match.start("a")
            before = text[max(0, match.start() - 60):match.start()]
            clauses = _CLAUSE.split(before)
            lead = clauses[-1] + text[match.start():at] + (match["cue"] if pattern is _SIZED else "")
            if match["cue"].lower() == "size" and len(clauses) > 1 and len(clauses[-1]) < 3:
                lead = clauses[-2][-25:] + lead
            if pattern is _MASS and _WITHIN_THE_TUMOUR.search(match["gap"]):
                continue
            if pattern is _MASS and _METASTATIC.search(before):
                continue
            if pattern is _SIZED and (_OTHER_THING.search(match["cue"]) or _NEW_SENTENCE.match(text, match.end("unit"))):
                continue
            if at in found or _NOT_THE_TUMOUR.search(_WHERE.sub(" ", lead)) or _BOUND.search(text[match.start():at]):
                continue
            values = [float(match[g].replace(" ", "").replace(",", ".")) for g in "abc" if match[g]]
            factor = 10.0 if match["unit"].lower() == "cm" else 1.0
            value = round(max(values) * factor, 1)
            if not 0 < value <= 500:
                continue
            cue = match["cue"].lower()
            weight = 2.0 if pattern is _MASS else 1.5 if pattern is _SIZED else 3.0 if re.match(r"tumou?r\s+size|size", cue) else 1.0
            if pattern is _SIZE and re.search(r"tumou?r|mass|lesion|carcinoma", text[max(0, match.start() - 50):match.end()], re.I):
                weight += 1
            found[at] = Value(value, match.start(), match.end(), weight)
    return sorted(found.values(), key=lambda v: (-v.weight, v.start))


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
_BARE_SCORE = re.compile(r"[\s:=(]*(?:IHC|by\s+IHC|immunohistochemistry)?[\s:=(]*(?P<s>[0-3])(?=\s*(?:$|[.,;)(]))", re.I)
_PERCENT = re.compile(r"(?P<p>\d{1,3})\s?(?:-\s?(?P<q>\d{1,3})\s?)?%")
_STOP = re.compile(r"[;]|\.\s+(?=[A-Z])")


def _score(match: re.Match[str]) -> int:
    return int(next(value for value in match.groups() if value is not None))


_BARE_SIGN = re.compile(r"\s?(?:(?P<pos>\+{1,3})|(?P<neg>[-–−](?=\s*(?:$|[,;.)/]|[A-Z]))))")
_HER2_BY_SCORE = {0: False, 1: False, 2: None, 3: True}


def receptors(text: str, others: Sequence[int] = ()) -> dict[str, list[Value]]:
    """ER, PR, HER2 and Ki-67 results: ``{"expression": bool | None, "percentage", "score"}``.

    Args:
        text: a report.
        others: where other markers are named, whose results are not these.

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
        while (last + 1 < len(starts) and starts[last + 1][2] != name and not _BARE_SIGN.match(text, starts[last][1])
               and re.fullmatch(r"[\s,/&+]*(?:and|receptors?|\(?\s*)?[\s,/&)]*", text[starts[last][1]:starts[last + 1][0]], re.I)):
            last += 1
        behind = starts[last][1]
        limit = min((s for s in (*(s for s, _, _ in starts[last + 1:]), *others) if s >= behind), default=len(text))
        window = text[behind:min(limit, behind + 160)]
        stop = next((m.start() for m in _STOP.finditer(window) if m.start() > 25 or _RESULT.search(window[:m.start()])), None)
        window = window[:stop]
        value: dict[str, Any] = {}
        sign = _BARE_SIGN.match(text, behind)
        match = sign or _RESULT.search(window)
        score = _SCORE.search(window) if name == "HER2" and not sign else None
        if score is None and name == "HER2" and not sign:
            score = _BARE_SCORE.match(window)
        if score and (match is None or (match["pos"] and match["pos"].lower().startswith("present"))):
            value["expression"] = _HER2_BY_SCORE[_score(score)]
        elif match is None or (not sign and match["none"]):
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
        if score:
            value["score"] = _score(score)
        weight = 2.0 + (1.0 if window.lstrip()[:1] in ":-–" else 0.0)
        found.setdefault(name, []).append(Value(value, start, behind + (match.end() if match else 0), weight))
    return {name: sorted(values, key=lambda v: (-v.weight, v.start)) for name, values in found.items()}
