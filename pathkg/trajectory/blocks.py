"""Finding the tagged blocks of a text, and deciding whether a block says anything.

Everything here is one pass over the text: a hostile megabyte costs what an honest one does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pathkg.trajectory.dialects import BLOCKS, DIALECTS, Dialect

_NAMES = sorted({tag for d in DIALECTS.values() for tag in d.tags})
TAG = re.compile(r"<\s*(/?)\s*(" + "|".join(_NAMES) + r")\s*>", re.IGNORECASE)
"""Any tag of any dialect, however it is spaced or capitalised."""

_HIDDEN_CLASS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff")
HIDDEN = re.compile(f"[{_HIDDEN_CLASS}]+")
"""Runs of characters a reader cannot see: zero width, fillers, direction marks, tags, controls, lone surrogates."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
_HIDING = re.compile(r"<([A-Za-z]{1,12})\b[^<>\n]{0,200}?(?:display\s*:\s*none|visibility\s*:\s*hidden|"
                     r"font-size\s*:\s*0|opacity\s*:\s*0|\bhidden\b)[^<>\n]{0,200}>.*?(?:</\1\s*>|\Z)",
                     re.DOTALL | re.IGNORECASE)
_WORD = re.compile(r"[^\W_]")
_SOURCES = ("WHO-", "AJCC", "CAP-", "ISUP-", "FIGO-", "HGNC-")
_SOURCE = re.compile(r"\b(?:WHO|AJCC\d?|CAP|ISUP|FIGO|HGNC)-"
                     r"(?!(?:[Gg]rade|[Ss]tage|[Gg]roup|[IV]+[A-D]?\d?|[ycra]*p?[TNM]?\d[a-e]?)\b)[\w-]+")


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks found in a text.

    ``texts`` holds the inner text per block name of :data:`~pathkg.trajectory.dialects.BLOCKS` (several blocks of
    one tag are joined by a newline; a missing one is ``""``); ``strict`` says that the whole text is exactly the
    three blocks, each once, in order, each saying something; ``fault`` is the reason where it is not.
    """

    texts: tuple[str, str, str]
    strict: bool
    fault: str = ""

    @property
    def observe(self) -> str:
        return self.texts[0]

    @property
    def think(self) -> str:
        return self.texts[1]

    @property
    def answer(self) -> str:
        return self.texts[2]


def visible(text: str) -> tuple[str, int]:
    """``text`` as a reader sees it, and how many hidden runs were taken out.

    Taken out are characters of no width, comments, and elements that markup hides.

    Example:
        >>> visible("carci\\u200bnoma <!-- sarcoma -->")
        ('carcinoma  ', 2)
    """
    removed = 0
    if "<" in text:
        text, n = _COMMENT.subn(" ", text)
        removed += n
        if "=" in text or "hidden" in text:
            text, n = _HIDING.subn(" ", text)
            removed += n
    # str.isprintable runs in C and is true of nearly every completion once the white space is gone
    if not text.isascii() or not "".join(text.split()).isprintable():
        text, n = HIDDEN.subn("", text)
        removed += n
    return text, removed


def without_sources(text: str) -> str:
    """``text`` with the labels of cited sources as spaces: ``WHO-breast-2019`` is a book, no finding in a breast.

    Every other character stays where it is. ``WHO-grade 2`` and ``FIGO-IIB`` are values and stay.

    Example:
        >>> without_sources("Lobular (WHO-breast-2019), FIGO-IIB")
        'Lobular (               ), FIGO-IIB'
    """
    if any(label in text for label in _SOURCES):
        return _SOURCE.sub(lambda match: " " * len(match[0]), text)
    return text


def is_blank(text: str) -> bool:
    """Whether a reader would call the block empty: no visible letter or digit outside markup.

    Example:
        >>> is_blank(" \\u200b ... "), is_blank("<!-- carcinoma -->"), is_blank("pT2")
        (True, True, False)
    """
    head = text[:64]
    if head.isascii() and "<" not in head and _WORD.search(head):
        return False
    return _WORD.search(_MARKUP.sub(" ", visible(text)[0])) is None


def find_blocks(text: str, dialect: Dialect) -> Blocks:
    """Find the blocks of ``dialect`` in ``text``.

    A block is an opening tag whose next tag (of any dialect) is its own closing tag. Tags count as written: for
    ``strict`` they must be exactly ``<think>``, not ``< Think >``.

    Example:
        >>> find_blocks("<observe>a</observe><think>b</think><answer>c</answer>", DIALECTS["observe"])
        Blocks(texts=('a', 'b', 'c'), strict=True, fault='')
        >>> find_blocks("x <think>b</think>", DIALECTS["observe"]).fault
        'no <observe> block'
    """
    found: dict[str, list[str]] = {tag: [] for tag in dialect.tags}
    order: list[str] = []
    last_open: tuple[str, int] | None = None
    loose = False
    outside = False
    unmatched = ""
    position = 0
    for match in TAG.finditer(text):
        name = match.group(2).lower()
        closing = bool(match.group(1))
        if match.end() - match.start() != len(name) + 2 + closing or match.group(2) != name:
            loose = True
        if not closing:
            if last_open is not None:
                unmatched = unmatched or f"<{last_open[0]}> is not closed before <{name}>"
            elif not outside and not _only_space(text, position, match.start()):
                outside = True
            last_open = (name, match.end())
        elif last_open is not None and last_open[0] == name:
            if name in found:
                found[name].append(text[last_open[1]:match.start()])
            order.append(name)
            last_open = None
        else:
            unmatched = unmatched or f"</{name}> closes nothing"
        position = match.end()
    if last_open is not None:
        unmatched = unmatched or f"<{last_open[0]}> is never closed"
    elif not outside and not _only_space(text, position, len(text)):
        outside = True
    texts = tuple("\n".join(found[tag]) for tag in dialect.tags)
    fault = _fault(dialect, texts, found, order, unmatched=unmatched, loose=loose, outside=outside)
    return Blocks((texts[0], texts[1], texts[2]), not fault, fault)


def _only_space(text: str, start: int, end: int) -> bool:
    return not text[start:end].strip(" \t\r\n")


def _fault(dialect: Dialect, texts: tuple[str, ...], found: dict[str, list[str]], order: list[str], *,
           unmatched: str, loose: bool, outside: bool) -> str:
    if unmatched:
        return unmatched
    for tag in dialect.tags:
        if not found[tag]:
            return f"no <{tag}> block"
        if len(found[tag]) > 1:
            return f"{len(found[tag])} <{tag}> blocks"
    if len(order) != len(dialect.tags):
        return "a block of another dialect"
    if tuple(order) != dialect.tags:
        return "blocks out of order: " + ", ".join(order)
    if loose:
        return "tags not written exactly"
    if outside:
        return "text outside the blocks"
    for tag, block in zip(dialect.tags, texts, strict=True):
        if is_blank(block):
            return f"<{tag}> says nothing"
    return ""


__all__ = ["BLOCKS", "HIDDEN", "TAG", "Blocks", "find_blocks", "is_blank", "visible", "without_sources"]
