"""Lymph nodes examined and positive: every count a report states, and the one total they make.

Reports state counts as a ratio ("two of fifteen", "0/12"), as a count with a result ("three lymph nodes negative
for tumor", "metastasis in eleven nodes"), part by part, as lines of a form ("Number examined: 14"), and mostly more
than once. Every statement is read with its part and section; then repetitions and totals are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pathkg.linking.node_statements import (
    MOST,
    PLAIN,
    Group,
    joined_lines,
    number,
    regions_of,
    statements,
    within,
)
from pathkg.linking.staging import Value


def node_counts(text: str) -> tuple[list[Value], list[Value]]:
    """Examined and positive lymph nodes; each list holds one total, or nothing where the report gives none.

    Example:
        >>> examined, positive = node_counts("Metastatic carcinoma in one of nine lymph nodes (1/9).")
        >>> examined[0].value, positive[0].value
        (9, 1)
        >>> examined, positive = node_counts("Right pelvic nodes: 0/7. Left pelvic nodes: 1/5. Total: 1/12.")
        >>> examined[0].value, positive[0].value
        (12, 1)
    """
    text = joined_lines(text)
    regions = regions_of(text)
    if not regions:
        return [], []
    forms = [list(within(p, text, regions)) for p in (_BOTH_LINE, _EXAMINED_LINE, _POSITIVE_LINE)]
    taken = [m.span() for matches in forms for m in matches]
    groups = _chosen(_without_gross([g for g in statements(text) if not any(
        s < g.end and g.start < e for s, e in taken)]))
    whole = _sum(groups)
    examined, positive = _form_lines(text, *forms)
    if whole is not None:
        a, b, start, end = whole
        # a line of the form counts one station only where the parts hold more
        if (examined is None or (examined.weight < 5 and b is not None and b > examined.value)) and b is not None:
            examined = Value(b, start, end, 3.0)
            if a is not None and (positive is None or positive.weight < 5 or positive.value < a):
                positive = Value(a, start, end, 3.0)
        if positive is None and a is not None:
            positive = Value(a, start, end, 3.0)
    if examined and positive and examined.value < positive.value:
        if examined.weight == positive.weight:
            examined, positive = positive, examined  # the two lines changed places in some forms
        else:
            examined = None
    if positive is None and examined is not None and _ALL_FREE.search(text) and not _SOME.search(text):
        positive = Value(0, examined.start, examined.end, 1.0)
    return ([examined] if examined else []), ([positive] if positive else [])


_ALL_FREE = re.compile(r"\bpN[0O]\b|T\d[a-d]?\s?,?\s?p?N[0O]\b|\bbenign\s+lymph\s+nodes|no\s+(?:regional\s+)?(?:lymph\s+)?nod(?:al|es?)\s+metast|nodes?\s*(?:\(pN\))?\s*[:\-]?\s*(?:are\s+|is\s+)?(?:all\s+)?"
                       r"(?:negative|free|uninvolved|not\s+involved|tumou?r[\s-]free)|no\s+evidence\s+of\s+metast", re.I)
_SOME = re.compile(r"\bp?N[123]|nodes?\s+(?:are\s+|is\s+)?(?:positive|involved)|\bmetast\w+\s+(?:\w+\s+){0,3}(?:in|to|involving)\s+(?:\w+\s+){0,4}nodes?", re.I)


# -- lines of forms -------------------------------------------------------------------------------------------

_LN = r"(?:regional\s+|pelvic\s+|axillary\s+|sentinel\s+(?:and\s+non-?\s?sentinel\s+)?|non-?sentinel\s+|mesenteric\s+|hilar\s+)*(?:\(?[a-z|]{0,2}'?ymph\s*)?n?odes?(?:\s*\(s\))?"
_GAP = r"(?:\s*\([^)\d]{0,60}\))?\s*(?:(?:is|are|was|were|identified|recovered)\s+)?[:=\-\s.#]{0,6}"
_HOW_MANY = r"(?:total\s+)?(?:number|no\.?|#|count)\s*(?:of\s+|:\s*)?"
_METASTATIC_WORDS = r"(?:involved|positive|with\s+(?:\w+\s+){0,2}(?:metast\w+|tumou?r|carcinoma)|containing\s+(?:\w+\s+){0,2}(?:metast\w+|tumou?r|carcinoma)|metastatic|having\s+metast\w+)"
_EXAMINED_LINE = re.compile(
    rf"(?:(?P<t1>total\s+)?(?:number|no\.?|#|count)\s*(?:of\s+|:\s*)?{_LN}\s*(?:sampled\s+and\s+)?(?:examined|sampled|identified|present|retrieved|removed|evaluated|found|received|resected|submitted|dissected|total)"
    rf"|(?P<t2>total\s+)(?:number\s+)?(?:of\s+)?{_LN}(?:\s+(?:examined|sampled|identified|removed|retrieved|found|evaluated))?"
    rf"|(?P<t3>total\s+)?(?:number|no\.?|#)\s*(?:of\s+)?(?:examined|sampled|retrieved)|{_LN}\s+(?:examined|sampled|retrieved|evaluated)(?=\s*[:=\d])|\bLNs?\s+(?:examined|sampled)"
    rf"|total\s+examined){_GAP}(?P<n>{PLAIN}|none)\b(?!\s*(?:/|of|out|cm|mm|\.\d))", re.I)
_POSITIVE_LINE = re.compile(
    rf"(?:(?P<t1>total\s+)?(?:number|no\.?|#|count)\s*(?:of\s+|:\s*)?{_LN}\s*{_METASTATIC_WORDS}(?:\s+(?:by|with)\s+(?:\w+\s+){{0,2}}(?:metast\w+|tumou?r|carcinoma))?"
    rf"|(?P<t2>total\s+)?(?:number|no\.?|#|count)\s*(?:of\s+|:\s*)?(?:positive|involved|metastatic(?:ally)?(?:[\s\-]+involved)?)\s+{_LN}"
    rf"|(?P<t3>total\s+)?(?:number|no\.?|#)\s*(?:of\s+)?{_METASTATIC_WORDS}|(?<!negative\s){_LN}\s+(?:involved|positive)(?=\s*[:=\d])|total\s+positive|metastatic\s+{_LN}(?=\s*[:=])"
    rf"){_GAP}(?P<n>{PLAIN}|none)\b(?!\s*(?:cm|mm|\.\d))(?P<slash>\s*(?:/|of|out\s+of)\s*(?P<b>\d{{1,3}}))?", re.I)
_BOTH_LINE = re.compile(rf"(?:positive\s+{_LN}\s*(?:/|out\s+of|of)\s*total[^:]{{0,40}}|{_LN}\s*\(?\s*(?:positive|involved)\s*/\s*(?:total|examined)\s*\)?[^:]{{0,20}}"
                        r"|(?:metastas[ie]s|nodal\s+status|nodes?\s+status|lymph\s+node\s+involvement)[^:.;]{0,20})\s*[:=]\s*(?:N[0-3][a-c]?\s*)?\(?\s*"
                        r"(?P<a>\d{1,3})\s?(?:/|of|out\s+of)\s?(?P<b>\d{1,3})", re.I)
_NODE_ITEM = re.compile(r"\bSP:|\blymph[\s.]*nodes?\s*[,;]", re.I)
_ITEM = re.compile(r"\bSP:|\blymph[\s.]*nodes?\s*,|(?<![\w.])\d{1,2}\s?[.)]\s+[A-Z]|\bpart\s+#?\w\b|(?<![\w.])[A-Z][.)]\s", re.I)


def _form_lines(text: str, both: Sequence[re.Match[str]], examined: Sequence[re.Match[str]],
                positive: Sequence[re.Match[str]]) -> tuple[Value | None, Value | None]:
    """Totals given by the lines of a form. Lines of one form per part are added up."""
    pairs = [(m, m["a"], m["b"]) for m in both] + [(m, m["n"], m["b"] or "") for m in positive]
    for match, first, second in pairs:
        a, b = number(first), number(second)
        if a is not None and b is not None and a <= b <= MOST and b > 0:
            return Value(b, match.start(), match.end(), 4.0), Value(a, match.start(), match.end(), 4.0)
    return _line(text, examined), _line(text, positive)


def _line(text: str, matches: Sequence[re.Match[str]]) -> Value | None:
    found: list[Value] = []
    for match in matches:
        n = number(match["n"])
        if n is None or n > MOST:
            continue
        said = match.group().lower()
        total = bool(match["t1"] or match["t2"] or match["t3"]) or ("sentinel and non" in said)
        # a line for the sentinel nodes alone is no total
        weight = 6.0 if total else 4.0 if "sentinel" in said else 5.0
        found.append(Value(n, match.start(), match.end(), weight))
    if not found:
        return None
    best = max(v.weight for v in found)
    found = [v for v in found if v.weight == best]
    kept = [found[0]]
    for value in found[1:]:
        between = text[kept[-1].end:value.start]
        if best < 6 and len(between) < 1500 and (_ITEM if value.value != kept[-1].value else _NODE_ITEM).search(between):
            kept.append(value)  # the same form again, for the next part
    if len(kept) == 1:
        return kept[0]
    return Value(sum(v.value for v in kept), kept[0].start, kept[-1].end, best)


# -- from statements to a total ---------------------------------------------------------------------------------


def _without_gross(groups: list[Group]) -> list[Group]:
    said = [g for g in groups if g.block >= -1]
    if said:
        return said
    return [g for g in groups if g.block == -10_000] or [g for g in groups if g.positive is not None]


def _chosen(groups: list[Group]) -> list[Group]:
    """The statements of one section, each node once."""
    blocks: dict[int, list[Group]] = {}
    for g in groups:
        blocks.setdefault(g.block, []).append(g)
    best: list[Group] = []
    for block in blocks.values():
        kept = _distinct(block)
        if best:
            now, then = _sum(kept), _sum(best)
            if len(kept) == len(best) == 1 and kept[0].ratio and best[0].ratio:
                continue  # two sections disagree: the first
            if now is not None and then is not None and (now[1] or 0, now[0] or 0) > (then[1] or 0, then[0] or 0):
                best = kept
        else:
            best = kept
    return best


def _distinct(block: list[Group]) -> list[Group]:
    """Statements of a section without repetitions and without the parts of a total."""
    kept: list[Group] = []
    for g in block:
        if any((o.positive, o.examined) == (g.positive, g.examined) and _may_be_same(o, g) for o in kept):
            continue  # the same count of the same station again
        kept.append(g)
    # "one node with metastasis, replaced by tumor. ... In all one of forty-two": the first is among the second
    kept = [g for g in kept if g.ratio or not g.positive or not any(
        o.ratio and (o.examined or 0) >= _LARGE and (o.positive or 0) >= g.positive and (o.part == g.part or not g.part)
        and o.label == g.label for o in kept)]
    # "one lymph node examined" says again what the part's result said
    kept = [g for k, g in enumerate(kept) if g.positive is not None or not any(
        o.positive is not None and o.examined == g.examined and o.label == g.label for o in kept[:k])]
    totals = [g for g in kept if g.total and g.examined is not None and g.positive is not None]
    if totals:
        best = max(totals, key=lambda g: g.examined or 0)
        rest = [g.examined or 0 for g in kept if not g.total]
        if not rest or (best.examined or 0) >= max(rest):
            return [best]
    full = [g for g in kept if g.examined is not None]
    for k, g in enumerate(full):
        if (g.examined or 0) < _SMALL_TOTAL:
            continue
        for run in (full[:k], full[k + 1:]):
            if len(run) > 1 and sum(o.examined or 0 for o in run) == g.examined and sum(
                    o.positive or 0 for o in run) == (g.positive or 0):
                others = full[k + 1:] if run is full[:k] or run == full[:k] else full[:k]
                return [g, *others]
    return kept


_LARGE = 5
_SMALL_TOTAL = 3


def _may_be_same(one: Group, other: Group) -> bool:
    if (one.examined or 0) < _LARGE:
        return one.part == other.part and bool(one.part)
    a, b = set(one.part.split()), set(other.part.split())
    if not a or not b:
        return True
    apart = {w for w in a ^ b if w in _SIDES or any(c.isdigit() for c in w)}
    return not apart and bool(a & b)


_SIDES = frozenset({"left", "right", "lt", "rt", "sentinel", "nonsentinel"})


def _sum(groups: list[Group]) -> tuple[int | None, int | None, int, int] | None:
    if not groups:
        return None
    examined = [g.examined for g in groups if g.examined is not None]
    positive = [g.positive for g in groups if g.positive is not None]
    return (sum(positive) if positive else None, sum(examined) if examined else None, groups[0].start, groups[-1].end)
