"""Which words name a node so that the linker reads the same node back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from datagen.findings import Finding
from datagen.writers.phrases import noun
from pathkg.records import LinkResult

CACHED = 50_000
_NOUN = re.compile(r"(?:osis|itis|oma|omas|ion|ions|ia|ism|ity|ment|ness|ure|oses|mas|us|um|sis|phy|plasia|[^s]s)$", re.IGNORECASE)
_ADJECTIVE = re.compile(r"(?:\S+(?:ed|ploid)|HER2-low|IDH-\w+)$")
"""Names that no sentence can hold as a noun (unencapsulated, diploid)."""
MAX_QUOTE_WORDS = 7


@dataclass(frozen=True, slots=True)
class Words:
    """A node in words: in an affirmative sentence, behind a negation, and whether verbs are plural."""

    present: str
    absent: str
    plural: bool


class PhraseBook:
    """Words per node, each tried out on the linker once.

    Args:
        link: the linker's ``link``.
    """

    def __init__(self, link: Callable[[str], LinkResult]) -> None:
        self._link = link
        self._known: dict[tuple[str, str], Words | None] = {}

    def words(self, finding: Finding) -> Words | None:
        """Words for a finding, or ``None`` when neither its name nor the report's words read back as its node."""
        if finding.type == "stage":
            # "pT2" alone is the category of no organ in particular, which the report's own category is a kind of
            return Words(finding.name, finding.name, False)
        if _ADJECTIVE.match(finding.name):
            return None
        return self.of(finding.id, finding.name, _usable(finding.text))

    def of(self, node: str, name: str, report: str = "") -> Words | None:
        """Words for a node with this name; ``report`` are other words to try."""
        key = (node, report)
        if key not in self._known:
            if len(self._known) > CACHED:
                self._known.clear()
            self._known[key] = next((w for w in (_words(n) for n in dict.fromkeys((*_variants(name), name, report)) if n)
                                     if self._reads_back(w, node)), None)
        return self._known[key]

    def result(self, finding: Finding) -> str:
        """A marker's result as a sentence (``CD117 is negative``); empty when that does not read back as the finding."""
        marker, _, result = finding.name.rpartition(" ")
        if finding.type != "marker_result" or not marker or result not in ("positive", "negative"):
            return ""
        # some abbreviations are known only together with their result
        for said in (f"{marker} is {result}", f"the tumor is {finding.name}"):
            key = (finding.id, said)
            if key not in self._known:
                reads = any(m.id == finding.id and m.polarity == "+" for m in self._link(f"{said}.").mentions)
                self._known[key] = Words(said, said, False) if reads else None
            if self._known[key]:
                return said
        return ""

    def _reads_back(self, words: Words, node: str) -> bool:
        mentions = self._link(f"There is {words.present} here.").mentions
        return any(m.id == node and m.polarity == "+" for m in mentions) \
            and any(m.id == node for m in self._link(f"No {words.absent} is seen.").mentions)


def _variants(name: str) -> tuple[str, ...]:
    """Nouns for the names of marker results: ``ER positivity`` reads better than ``ER positive`` behind a verb."""
    marker, _, result = name.rpartition(" ")
    if result == "positive":
        return (f"{marker} positivity", f"positive {marker}")
    if result == "negative":
        return (f"{marker} negativity", f"negative {marker}")
    return ()


def _words(name: str) -> Words:
    present, plural = noun(name)
    absent, _ = noun(name, absent=True)
    return Words(present, absent, plural)


def _usable(text: str) -> str:
    """The report's own words, tidied; empty when they are too long or broken by OCR."""
    words = text.split()
    if len(words) == 1 and not _NOUN.search(words[0]):
        return ""  # "papillary", "indurated": no sentence can hold them as a noun
    if not words or len(words) > MAX_QUOTE_WORDS or any(c in text for c in ".;:[]{}<>|_\\"):
        return ""
    tidy = " ".join(words)
    return tidy.lower() if tidy.isupper() and len(words) > 1 else tidy


def quote(finding: Finding) -> str:
    """The report's words in quotation marks, for a reader; empty when they cannot be quoted cleanly."""
    text = " ".join(finding.text.split())
    if not text or len(text) > 80 or any(c in text for c in "<>“”\""):
        return ""
    return f"“{text}”"
