"""Categories that follow from stated numbers: T by size, N by the count of positive nodes.

AJCC Cancer Staging Manual, 8th edition, in its numbers only. Used to complete a category that the report gives
without its letter ("pN2" with 5 positive nodes of a colon is N2a) and to fill in one that it leaves out.
"""

from __future__ import annotations

import re

BY_NODES: dict[str, tuple[tuple[int, str], ...]] = {
    # lowest count of positive nodes -> category, the highest first
    "breast": ((10, "3a"), (4, "2a"), (1, "1a"), (0, "0")),
    "colorectum": ((7, "2b"), (4, "2a"), (2, "1b"), (1, "1a"), (0, "0")),
    "stomach": ((16, "3b"), (7, "3a"), (3, "2"), (1, "1"), (0, "0")),
    "esophagus": ((7, "3"), (3, "2"), (1, "1"), (0, "0")),
    "pancreas": ((4, "2"), (1, "1"), (0, "0")),
    "kidney": ((1, "1"), (0, "0")), "liver": ((1, "1"), (0, "0")), "prostate": ((1, "1"), (0, "0")),
}
BY_SIZE: dict[str, tuple[tuple[float, str], ...]] = {
    # largest size in mm -> category, in rising order
    "breast": ((1, "1mi"), (5, "1a"), (10, "1b"), (20, "1c"), (50, "2"), (float("inf"), "3")),
    "kidney": ((40, "1a"), (70, "1b"), (100, "2a"), (float("inf"), "2b")),
    "lung": ((10, "1a"), (20, "1b"), (30, "1c"), (40, "2a"), (50, "2b"), (70, "3"), (float("inf"), "4")),
    "thyroid": ((10, "1a"), (20, "1b"), (40, "2"), (float("inf"), "3a")),
}


def category_by_nodes(organ: str, positive: int) -> str | None:
    """The N category of a number of positive nodes, or ``None`` where the organ has no such rule.

    Example:
        >>> category_by_nodes("colorectum", 5), category_by_nodes("breast", 0)
        ('2a', '0')
    """
    return next((category for lowest, category in BY_NODES.get(organ, ()) if positive >= lowest), None)


def category_by_size(organ: str, millimetres: float) -> str | None:
    """The T category of a tumour size, or ``None`` where size alone does not decide.

    Example:
        >>> category_by_size("breast", 17), category_by_size("colorectum", 17)
        ('1c', None)
    """
    return next((category for largest, category in BY_SIZE.get(organ, ()) if millimetres <= largest), None)


_MICRO = re.compile(r"micro-?me'?tast", re.I)
_MACRO = re.compile(r"macro-?metast|extra-?(?:nodal|capsular)\s+extension\W{0,3}(?:is\s+)?(?:present|identified)", re.I)
_ABOVE_THE_CLAVICLE = re.compile(r"supra-?clavicular\s+(?:lymph\s+)?nodes?[^.;]{0,60}?(?<!no )metasta", re.I)


def breast_nodes(text: str, positive: int) -> str | None:
    """N categories of the breast that the count does not give: micrometastases, nodes above the clavicle.

    Example:
        >>> breast_nodes("Micrometastasis (0.6 mm) in one of two sentinel nodes.", 1)
        '1mi'
        >>> breast_nodes("Left supraclavicular lymph node, excision: metastatic carcinoma.", 19)
        '3c'
    """
    if positive == 0:
        return None
    if _ABOVE_THE_CLAVICLE.search(text):
        return "3c"
    return "1mi" if positive <= 3 and _MICRO.search(text) and not _MACRO.search(text) else None


def refine(stated: str, derived: str | None) -> str:
    """A stated category completed by the letter that follows from the numbers, where both agree on the figure.

    Example:
        >>> refine("2", "2a"), refine("1", "2a"), refine("1b", "1a")
        ('2a', '1', '1b')
    """
    return derived if derived and len(stated) == 1 and derived.startswith(stated) else stated
