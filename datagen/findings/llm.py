"""Findings by a language model: every item it lists must stand in the report, or it is rejected."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from datagen.client import ChatClient
from datagen.client.structured import UnreadableAnswer, read_record, wire_schema
from datagen.prompts import read_prompt
from pathkg.records import Assertion, LinkResult, Mention

MAX_REPORT = 20_000
MIN_QUOTE = 3


class ExtractedItem(BaseModel):
    """One item as the model gives it."""

    model_config = ConfigDict(extra="ignore")

    quote: str = Field(max_length=400)
    status: Literal["present", "absent", "possible"] = "present"


class ExtractedItems(BaseModel):
    """What the model is asked for."""

    model_config = ConfigDict(title="findings", extra="ignore")

    items: list[ExtractedItem] = Field(max_length=200)


@dataclass(frozen=True, slots=True)
class Extraction:
    """Mentions that the model pointed at and the linker knows, and what became of its items."""

    mentions: tuple[Mention, ...]
    items: int
    located: int
    rejected: tuple[str, ...]


def locate(quote: str, report: str) -> tuple[int, int] | None:
    """Where ``quote`` stands in ``report``: as it is, else with other spacing, case or dashes.

    Example:
        >>> locate("Perineural  invasion", "NO PERINEURAL INVASION.")
        (3, 22)
        >>> locate("keratin pearls", "NO PERINEURAL INVASION.") is None
        True
    """
    tidy = quote.strip(" \t\n\"'“”.,;:")
    if len(tidy) < MIN_QUOTE:
        return None
    at = report.find(tidy)
    if at >= 0:
        return at, at + len(tidy)
    words = re.findall(r"\w+|[^\w\s]", tidy)
    pattern = r"[\s\-–.]*".join(re.escape(w) for w in words)
    match = re.search(pattern, report, re.IGNORECASE)
    return (match.start(), match.end()) if match else None


async def extract(report: str, linked: LinkResult, client: ChatClient, *, link: Callable[[str], LinkResult],
                  prompts: str | None = None, tag: str = "") -> Extraction:
    """Ask the model for findings and keep those that stand in the report and that the graph knows.

    An item's span must be in the report. Within it the linker's own mentions are taken; where it has none, the words
    are linked by themselves. The model's status is used where it and the rules differ about *present* and *absent*
    only if the rules have no opinion: words like "no" are the rules' strength.

    Raises:
        EndpointError: the endpoint gave no answer.
    """
    prompt = read_prompt("extract", prompts)
    completion = await client.complete(prompt.messages(report=report[:MAX_REPORT]),
                                       schema=wire_schema(ExtractedItems), tag=tag)
    try:
        items = read_record(completion.text, ExtractedItems).items
    except UnreadableAnswer as error:
        return Extraction((), 0, 0, (error.message,))
    kept: dict[tuple[int, str], Mention] = {}
    rejected: list[str] = []
    located = 0
    for item in items:
        span = locate(item.quote, report)
        if span is None:
            rejected.append(item.quote)
            continue
        located += 1
        for mention in _within(span, linked.mentions) or _fresh(report, span, item, link):
            kept.setdefault((mention.start, mention.id), mention)
    return Extraction(tuple(sorted(kept.values(), key=lambda m: (m.start, m.end))), len(items), located, tuple(rejected))


def _within(span: tuple[int, int], mentions: Sequence[Mention]) -> list[Mention]:
    return [m for m in mentions if m.start < span[1] and span[0] < m.end]


def _fresh(report: str, span: tuple[int, int], item: ExtractedItem, link: Callable[[str], LinkResult]) -> list[Mention]:
    found = []
    for m in link(report[span[0]:span[1]]):
        assertion = m.assertion if m.assertion is not Assertion.PRESENT else Assertion(item.status)
        found.append(Mention(m.start + span[0], m.end + span[0], m.text, m.id, m.name, m.type, assertion, m.score,
                             f"{m.why}; pointed at by the model", m.value))
    return found
