"""Forms of general vocabularies in a merged store: which of them a pathology report may mean.

Gene, pathway and disease vocabularies list short and everyday words among their synonyms: "THES" and "FOR" are genes,
"CM" and "AT" are diseases, "body" is an organism. In a report they are almost always something else. A merged store
therefore gives the core's forms precedence, and short or common ones of the other sources count only where the text also
holds the words of the concept's name (rule ``named``), or never in a report (rule ``scope=all``: only linkers with
``generic="all"`` use them).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pathkg.sources.core import CORE_RECORD

CORE_SOURCE = "core"
"""Source of the forms that a merged store has from the pathology core."""

MOLECULAR = frozenset({"gene/protein", "molecular_function", "biological_process", "cellular_component", "drug", "pathway"})
"""Node types whose own names are symbols or everyday words."""

FUNCTION_WORDS = frozenset(word for line in ("""
a an the of for in on at by to from with without within into onto over under per via as is are was were be been being am and or nor
but if so than then that this these those there here it he she we you they all any both each few more most no not none non only
out off up down yes can may might must shall will would could should has have had do did does done due new old one two three
four five six seven ten see seen set put got get let end pre post sub her his its our who whom what when which where why how
left right also very too now ii iii iv vi vii viii page client code clamp
""",) for word in line.split())
"""Words that no report means a gene or a disease by."""

_PROCESSES = MOLECULAR - {"gene/protein", "drug"}
_SHORT, _SHORT_SYMBOL = 4, 5
_HAS_LETTER = re.compile(r"[^\W\d_]")
_LABEL = re.compile(r"[a-z]\d{1,2}|\d{1,2}[a-z]", re.I)


def is_core(source: str) -> bool:
    """Whether the core is among the sources of a form ("core", "core|MONDO")."""
    return CORE_SOURCE in source.split("|")


def is_only_core(manifest: Mapping[str, Any]) -> bool:
    """Whether a store was built from nothing but the core (whose own rows name ontologies as their sources)."""
    return [record.get("name") for record in manifest.get("source_records", ())] == [CORE_RECORD["name"]]


def rule_of(form: str, key: str, kind: str, type_: str, core_words: Collection[str]) -> str | None:
    """The context rule of a form from a general vocabulary.

    Args:
        form, key: as written, and its key in the lexicon.
        kind: of the form (``name``, ``exact``, …).
        type_: node type of its owner.
        core_words: words that the core's own forms are made of.

    Returns:
        ``""`` for no rule, ``named``, ``scope=all``, or ``None`` for a form no text can mean.

    Example:
        >>> [rule_of(f, f.lower(), k, t, {"lobe"}) for f, k, t in (("FOR", "exact", "gene/protein"), ("CM", "exact", "disease"),
        ...                                                      ("Lobe", "exact", "gene/protein"), ("gout", "name", "disease"))]
        [None, 'named', 'named', '']
    """
    words = key.split(" ")
    if not _HAS_LETTER.search(form) or all(w in FUNCTION_WORDS or w.isdigit() for w in words):
        return None  # "AND-1" is a gene
    if " " in form.strip():
        return ""
    letters = form.replace("-", "").replace("/", "")
    symbol = type_ in MOLECULAR and len(letters) <= _SHORT_SYMBOL and letters.isalpha()
    risky = symbol or len(letters) <= _SHORT or _LABEL.fullmatch(letters) is not None or key in core_words
    if kind != "name":
        return "named" if risky else ""
    return "scope=all" if type_ in _PROCESSES or (risky and type_ in MOLECULAR) else ""
