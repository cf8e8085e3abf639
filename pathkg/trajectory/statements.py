"""What a text says in numbers and margins beyond its values: node counts, margin status, which side of a size is the largest.

Used for what a report is known to state and for what a step claims, so that both are read by the same rules.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from pathkg.linking.lymph_nodes import node_counts
from pathkg.linking.node_statements import joined_lines, statements
from pathkg.trajectory.values import Value, measures

Count = tuple["int | None", "int | None"]
"""Positive and examined lymph nodes; ``None`` where a statement gives only one of them."""

_NODE_CUE = re.compile(r"node|lymph|metast|sentinel|\bpN\d", re.IGNORECASE)
_RATIO = re.compile(r"(?<![\d./+])(\d{1,3})\s?(?:/|(?:out )?of)\s?(\d{1,3})(?![\d./]|\s?(?:cm|mm|%|HPF|hpf))")
_CUE_REACH = 60

_MARGIN = re.compile("margin", re.IGNORECASE)
_FREE = re.compile(
    r"\bmargins?\b(?:(?!margin|except|other than)[^.;]){0,60}?\b(?:negative|uninvolved|free|clear|not\s+involved|not\s+infiltrated"
    r"|no\s+(?:tumou?r|evidence|carcinoma|malign\w+|residual|involvement))\b"
    r"|\b(?:negative|clear|free|uninvolved|tumou?r-free)\s+(?:\w+\s+){0,3}margins?\b", re.IGNORECASE)
_INVOLVED = re.compile(
    r"\bmargins?\b(?:(?!margin|negative|uninvolved|free|clear|not\b|\bno\b|un)[^.;]){0,40}?\b(?:positive|involved|infiltrated)\b"
    r"|\b(?:positive|involved)\s+(?:\w+\s+){0,2}margins?\b"
    r"|\b(?:extends?\s+to|present\s+at|involv(?:es|ing))\s+(?:the\s+)?(?:\w+\s+){0,3}margins?\b", re.IGNORECASE)
_DENIED_BEFORE = re.compile(r"\b(?:no|not|nor|without|does not|do not)\s+(?:\w+\s+){0,3}$", re.IGNORECASE)

_BOUNDED = re.compile(
    r"\b(?:the|this|it|its)\b\s*(?:(?:(?!distance|margins?\b|from\b|beside\b|depth\b|thickness\b)[a-z-]+\s+){0,3}?(?:tumou?r|lesion|mass|neoplasm|carcinoma|adenocarcinoma|melanoma|sarcoma)(?:'s)?\s+)?(?:(?:greatest|maximum|largest)\s+)?"
    r"(?:(?:size|diameter|dimension)\s+)?(?:is|was|measures|measured)\s+"
    r"(?P<words>(?:(?P<above>(?:greater|larger|more|bigger)\s+than|over|above|(?P<least>at\s+least)|>)|(?P<under>(?:less|smaller)\s+than|under|below|<)|(?:less|smaller|not\s+more|not\s+larger|no\s+more|no\s+larger)\s+than|under|below|at\s+most|<)"
    r"\s*(?P<n>\d{1,3}(?:\.\d+)?)\s?(?P<u>cm|mm))\b(?!\s*(?:from|away|to\b|of\s+the|above|below|beyond|deep|thick|in\s+(?:depth|thickness)))", re.IGNORECASE)
_HAIR = 1e-6
_GREATEST = re.compile(r"\b(?:greatest|largest|maximum|maximal|max)\b", re.IGNORECASE)
_GROUP = re.compile(r"\d{1,3}(?:\.\s?\d{1,2})?(?:\s?(?:[cm]m)?\s?(?:[xX×*]|by)\s?\d{1,3}(?:\.\s?\d{1,2})?){1,3}\s?[cm]m(?![A-Za-z\d])")


@lru_cache(maxsize=8)
def stated_counts(report: str) -> frozenset[Count]:
    """Every count of lymph nodes in a report, statement by statement, and their total.

    Example:
        >>> sorted(stated_counts("Pelvic nodes: 1/7. Metastasis in two of five axillary lymph nodes."))
        [(1, 7), (2, 5), (3, 12)]
    """
    found: set[Count] = {(g.positive, g.examined) for g in statements(joined_lines(report))}
    found |= {(int(m[1]), int(m[2])) for m in _RATIO.finditer(report)}
    examined, positive = node_counts(report)
    if examined or positive:
        found.add((positive[0].value if positive else None, examined[0].value if examined else None))
    return frozenset(found)


_MAY_COUNT = re.compile(r"nod|lymph|LN|/|\bof\b", re.I)


@lru_cache(maxsize=256)
def claimed_counts(step: str) -> tuple[tuple[int, int], ...]:
    """The node counts that a step states, in figures or words; several checks ask for them.

    Example:
        >>> claimed_counts("Two nodes hold tumor (2/11). The mitotic index is 3 of 10.")
        ((2, 11),)
    """
    if not _MAY_COUNT.search(step):
        return ()
    found = [(g.positive, g.examined) for g in statements(joined_lines(step))
             if g.ratio and g.positive is not None and g.examined is not None]
    for match in _RATIO.finditer(step):
        before = step[max(0, match.start() - _CUE_REACH):match.start()].rpartition(". ")[2]
        behind = step[match.end():match.end() + _CUE_REACH].partition(". ")[0]
        if _NODE_CUE.search(f"{before} {behind}") and int(match[1]) <= int(match[2]):
            found.append((int(match[1]), int(match[2])))
    return tuple(dict.fromkeys(found))


def claimed_bounds(step: str) -> list[tuple[float, float, str]]:
    """Bounds that a step puts to the size of the tumor of the case: above, up to (in millimetres), and its words.

    A rule ("a tumor larger than 5 cm is pT3") binds no tumor.

    Example:
        >>> claimed_bounds("The tumor is greater than 5 cm in size. Tumors larger than 7 cm are pT4.")
        [(50.0, inf, 'greater than 5 cm')]
        >>> claimed_bounds("The lesion measures at most 20 mm.")
        [(0.0, 20.0, 'at most 20 mm')]
    """
    found = []
    for match in _BOUNDED.finditer(step):
        size = float(match["n"]) * (10 if match["u"].lower() == "cm" else 1)
        if match["above"]:
            found.append((size - _HAIR if match["least"] else size, math.inf, match["words"]))
        else:
            found.append((0.0, size - _HAIR if match["under"] else size, match["words"]))
    return found


def margin_status(text: str) -> frozenset[str]:
    """Whether a text calls margins ``free``, ``involved``, or, of several, both.

    Example:
        >>> sorted(margin_status("Deep margin positive. All other margins are negative for tumor."))
        ['free', 'involved']
        >>> margin_status("The margins are not involved by tumor.") == {"free"}
        True
    """
    if _MARGIN.search(text) is None:
        return frozenset()
    flat = re.sub(r"\.(?=\s+[a-z(])", " ", text)
    found = {"free"} if _FREE.search(flat) else set()
    if any(not _DENIED_BEFORE.search(flat, max(0, m.start() - 40), m.start()) for m in _INVOLVED.finditer(flat)):
        found.add("involved")
    return frozenset(found)


def lesser_sides(report: str) -> frozenset[Value]:
    """Sizes that a report gives only as a smaller side of something ("5.5 x 4.5 cm").

    Example:
        >>> [str(v) for v in lesser_sides("Tumor 5.5 x 4.5 cm, nodule 2 cm")]
        ['size=45']
    """
    smaller: set[Value] = set()
    largest: set[Value] = set()
    rest = []
    at = 0
    for match in _GROUP.finditer(report):
        sides = sorted({v for v, _ in measures(match[0])}, key=lambda v: float(v.value))
        smaller.update(sides[:-1])
        largest.update(sides[-1:])
        rest.append(report[at:match.start()])
        at = match.end()
    largest.update(v for v, _ in measures(" ; ".join([*rest, report[at:]])))
    return frozenset(smaller - largest)


def claimed_greatest(step: str) -> list[tuple[Value, str]]:
    """Sizes that a step calls the greatest, with their words.

    Example:
        >>> [w for _, w in claimed_greatest("It measures 4.5 cm in greatest dimension. A node of 1 cm.")]
        ['4.5 cm']
    """
    return [found for sentence in re.split(r"(?<=[.;])\s", step) if _GREATEST.search(sentence)
            for found in measures(sentence, asserted=True) if found[0].kind == "size"]
