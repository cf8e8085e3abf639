"""Surgical margins: involved or not, and how far away the tumour is."""

from __future__ import annotations

import re

from pathkg.linking.node_statements import marks_of
from pathkg.linking.staging import Value

_N = r"(?P<n>\d{1,3}(?:[.,]\s?\d+)?)\s*-?\s*(?P<unit>cm|mm|millimet\w+|centimet\w+)\b"
_EDGE = r"(?:margins?|resection\s+(?:lines?|edges?|borders?|planes?)|inked\s+(?:edge|surface)|staple\s+lines?|CRM)"
_TUMOUR = r"(?:(?:adeno)?carcinoma|tumou?r|melanoma|\w*sarcoma|lymphoma|neoplasm|malignancy|DCIS|LCIS|CIN\s?[23]|HSIL|carcinoma\s+in\s+situ)"
# the distance stands before its margin, behind it, or behind "closest"
_BEFORE = re.compile(rf"{_N}\.?\s*(?:\([^)]{{0,20}}\)\s*)?(?:away\s+)?(?:from|to|of|clear\s+of)\s+(?:both\s+|all\s+|its\s+)?(?:the\s+)?(?P<to>(?:[\w\-/()]+[\s.,]+){{0,6}}?){_EDGE}", re.I)
_BEHIND = re.compile(rf"\b{_EDGE}(?!\s+(?:measur|is\s+inked))(?P<gap>[^.;\d]{{0,70}}?)(?:by|of|is|at|[:=(<>]|measures|distance|clearance|approximately|about|within)\s*"
                     rf"(?:approximately|about|less\s+than|greater\s+than|more\s+than|at\s+least|only|[<>~=])?\s*{_N}(?!\s*(?:in\s+(?:circumf|diam|length|width|thick|max|great|largest|dimen|size)|x\s*\d))", re.I)
_CLOSEST = re.compile(rf"(?:(?:closest|nearest)(?P<gap>[^.;]{{0,80}}?)|distance(?P<gap2>[^.;]{{0,60}}?{_EDGE}[^.;\d]{{0,40}}?)){_N}", re.I)
_NOT_A_DISTANCE = re.compile(r"measur\w*\W+(?:\w+\W+){0,4}$|superior\s+to|medial\s+to|anterior\s+to|length|circumference", re.I)
_OTHER_PLACE = re.compile(r"junction|dentate|pectinate|anal\s+verge|ligament|nipple|incision|carina|diameter|dimension", re.I)

_CLEAN = r"(?:negative|uninvolved|free|clear|clean|not\s+involved|unremarkable|benign|no\s+(?:residual\s+|invasive\s+|evidence\s+of\s+)?(?:tumou?r|carcinoma|malign\w+|neoplas\w+|dysplasia|cancer|involvement|evidence|melanoma|sarcoma)|without\s+(?:tumou?r|carcinoma|evidence)|absent|not\s+seen)"
_FREE = re.compile(rf"\b{_EDGE}\b(?P<m>(?:(?!{_EDGE})[^.;]){{0,80}}?)\b{_CLEAN}\b|\b(?:negative|clear|free|uninvolved|clean|tumou?r-free)\s+(?:\w+\s+){{0,3}}{_EDGE}"
                   rf"|\bR0\b|\bno\s+(?:positive|involved)\s+{_EDGE}|\b(?:positive|involved)\s+(?:\w+\s+){{0,2}}{_EDGE}\s*(?::|is|are|were|was)?\s*(?:none|absent|not\s+(?:identified|seen|present|found))|no\s+(?:tumou?r|carcinoma|malignancy)\s+(?:\w+\s+){{0,3}}(?:at|in)\s+(?:the\s+)?(?:\w+\s+){{0,4}}{_EDGE}", re.I)
_INVOLVED = re.compile(
    rf"\b{_EDGE}\b(?P<m>(?:(?!{_EDGE}|negative|uninvolved|free|clear|not|un|no\b|close)[^.;]){{0,50}}?)\b(?:positive|involved|involvement\s*:\s*(?:yes|present))\b(?!\s*[:?(]|\s+(?:is|are)\s+(?:absent|not))"
    rf"|\b(?:positive|involved)\s+(?:\w+\s+){{0,3}}{_EDGE}\b(?!\s*(?::|is|are|were|was)?\s*(?:no\b|none|absent|not\b|n/?a\b))|\b(?:extends?\s+(?:focally\s+)?to|(?<!not\s)present\s+at|involv(?:es|ing)|transected\s+at|focally\s+at)\s+(?:the\s+)?(?:\w+\s+){{0,4}}{_EDGE}\b"
    rf"|\b{_TUMOUR}(?:\s+in\s+situ)?\s+(?:is\s+|are\s+)?(?:seen\s+|present\s+|identified\s+|focally\s+)?(?:at|on)\s+(?:the\s+)?(?:\w+\s+){{0,4}}?{_EDGE}\b(?!\s*[:?])"
    rf"|\b{_EDGE}\s*(?:\([^)]{{0,30}}\))?\s*[:–]\s*(?:(?!no\b|not\b|free|neg|un|clear|without|absen)[\w\-]+\s+){{0,4}}?{_TUMOUR}\b(?!\s*[\-]?\s*free|\s+(?:is\s+|are\s+)?(?:not|absent|\d|approx|comes|measures))"
    rf"|\bR[12]\b(?!\w|\s*(?:lymph|node))", re.I)
# "margins involved: none" is the label of a field, and so is "margin involved:" with its value missing
_FIELD = re.compile(rf"\b{_EDGE}\s+(?:\w+\s+){{0,2}}(?P<label>involved|involvement|positive|status)\s*(?:\([^)]{{0,30}}\))?\s*[:?]\s*(?P<v>[^.;\n]{{0,40}})", re.I)
_FIELD_FREE = re.compile(r"^\W*(?:(?:all|both|the|surgical|resection|inked|final|margins?|are|is|of)\s+){0,6}(?:no\b|none|not\s+involved|negative|free|uninvolved|narrowly\s+free|absent|clear)", re.I)
_FIELD_INVOLVED = re.compile(r"^\W*(?:yes|positive|present|involved|(?:\w+\s+){0,3}margins?)(?!.*\b(?:not|no|free|negative|uninvolved|clear|cannot)\b)", re.I)
_FIELD_OPEN = re.compile(r"^\W*(?:$|n/?a\b|not\s|cannot|unknown|uncertain|indeterminate|margin)", re.I)
_DENIED = re.compile(r"\b(?:no|not|without|nor|does\s+not|do\s+not|neither|negative\s+for|free\s+of|clear\s+of|absence\s+of|uninvolved\s+by)\s+(?:\w+\s+){0,5}$", re.I)


def margin_distances(text: str) -> list[Value]:
    """Distances of the tumour from its margins in mm, the closest margin first.

    Example:
        >>> [v.value for v in margin_distances("Carcinoma is 1.2 cm from the deep margin and 4 mm from the medial margin.")]
        [4.0, 12.0]
        >>> margin_distances("The distal margin is 11.0 cm in circumference.")
        []
    """
    marks = marks_of(text)
    found: dict[int, Value] = {}
    for pattern, weight in ((_CLOSEST, 3.0), (_BEFORE, 2.0), (_BEHIND, 2.0)):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            gap = " ".join(groups.get(k) or "" for k in ("gap", "gap2", "to"))
            before = text[max(0, match.start() - 40):match.start()]
            if _OTHER_PLACE.search(gap) or (pattern is _BEFORE and (_NOT_A_DISTANCE.search(before) or re.search(r"\bto\b", gap))):
                continue
            if pattern is not _BEFORE and re.search(r"\bmargins?\b.*\b(?:circumf|measur)", gap, re.I):
                continue
            if pattern is _CLOSEST and not re.search(_EDGE, before.rpartition(". ")[2] + text[match.start():match.end() + 60], re.I):
                continue
            number = float(match["n"].replace(" ", "").replace(",", "."))
            value = round(number * (10.0 if match["unit"][0].lower() == "c" else 1.0), 2)
            if value > 400:
                continue
            if marks.at(match.start())[1] != "new":
                weight_here = weight - 1.5
            else:
                weight_here = weight
            at = match.start("n")
            if at not in found or found[at].weight < weight_here:
                found[at] = Value(value, match.start(), match.end(), weight_here)
    return sorted(found.values(), key=lambda v: (-v.weight, v.value, v.start))


def margin_status(text: str) -> list[Value]:
    """``involved`` or ``uninvolved``, the better attested first.

    Example:
        >>> margin_status("Superior margin involved by tumor. Other margins negative for tumor.")[0].value
        'involved'
        >>> margin_status("Margins involved: None. Distal margin: negative.")[0].value
        'uninvolved'
    """
    marks = marks_of(text)
    involved: list[Value] = []
    free: list[Value] = []
    labels: list[tuple[int, int]] = []
    for match in _FIELD.finditer(text):
        labels.append((match.start(), match.start("v")))
        if _FIELD_FREE.match(match["v"]):
            free.append(Value("uninvolved", match.start(), match.end("v"), 2.0))
        elif _FIELD_INVOLVED.match(match["v"]) or (match["label"].lower() == "positive" and not _FIELD_OPEN.match(match["v"])):
            involved.append(Value("involved", match.start(), match.end("v"), 2.0))
    for pattern, values, name in ((_INVOLVED, involved, "involved"), (_FREE, free, "uninvolved")):
        for match in pattern.finditer(text):
            if any(s < match.end() and match.start() < e for s, e in labels) or (
                    name == "involved" and _DENIED.search(text[max(0, match.start() - 45):match.start()])):
                continue
            weight = 2.0 if marks.at(match.start())[1] == "new" else 0.5
            values.append(Value(name, match.start(), match.end(), weight))
    firm = [v for v in involved if v.weight >= 1] or ([] if free else involved)
    free.sort(key=lambda v: -v.weight)
    if not firm and not free:
        away = [v for v in margin_distances(text) if v.value > 0]
        return [Value("uninvolved", v.start, v.end, 0.5) for v in away[:1]]
    return firm + free if len(firm) * 4 > len(free) else free + firm
