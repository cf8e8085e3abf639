"""Residual identifiers: what could name a patient, a doctor, a place or a date.

Reports that passed de-identification still carry some. The rules prefer to find too much: a false alarm costs one
sample, a miss costs a patient's privacy.
"""

from __future__ import annotations

import re

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}\.?"
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("date", re.compile(r"(?<![\d./-])(?:0?[1-9]|1[0-2]|[12]\d|3[01])([/.-])(?:0?[1-9]|1[0-2]|[12]\d|3[01])\1(?:19|20)?\d{2}(?![\d/-])(?!\.\d)")),
    ("date", re.compile(r"(?<!\d)(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")),
    ("date", re.compile(rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}\b", re.I)),
    ("date", re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?:19|20)\d{{2}}\b", re.I)),
    ("telephone number", re.compile(r"(?<![\d.-])(?:\+?1[\s.-])?\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?![\d.-])")),
    ("e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")),
    ("web address", re.compile(r"\bhttps?://|\bwww\.", re.I)),
    ("social security number", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    ("record number", re.compile(r"\b[mMaAcCpP](?i:(?<=m)(?:RN|edical record)|(?<=a)(?:ccession|cc(?:ession)?\s*(?:no|#|number))"
                                 r"|(?<=c)ase\s*(?:no|#|number)|(?<=p)atient\s*(?:id|no|#))(?i:[\s.:#-]*[A-Z]{0,3}\d[\dA-Z-]{3,})")),
    ("accession number", re.compile(r"\b[A-Z]{1,3}-?\d{2}-\d{3,7}\b")),
    ("barcode", re.compile(r"\bTCGA-[A-Z0-9]{2}-[A-Z0-9]{4}\b")),
    ("identifier", re.compile(r"\b[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\b", re.I)),
    ("name of a doctor", re.compile(r"\b(?:Dr|Doctor|Prof|Professor)\.?\s+[A-Z][a-z]+")),
    ("name of a doctor", re.compile(r"\b[A-Z][a-z]+,?\s+(?:[A-Z]\.\s*)?[A-Z]?[a-z]*,?\s*(?:M\.D\.|MD|D\.O\.|MBBS|Ph\.D\.)(?![A-Za-z])")),
    ("name of a person", re.compile(r"\b(?:Mr|Mrs|Ms|Miss)\.?\s+[A-Z][a-z]+")),
    ("name of a person", re.compile(r"\b[PpNnSsDdAa](?i:(?<=p)atient(?:'s)? name|(?<=n)ame of patient|(?<=s)igned by|(?<=d)ictated by"
                                  r"|(?<=a)ttending)(?i:\s*:?\s+[A-Z][a-z]+)")),
    ("age over 89", re.compile(r"\b(?:9\d|1[0-2]\d)[\s-]*(?:year|yr|y/?o)s?\b", re.I)),
    ("hospital", re.compile(r"\b(?:[A-Z][a-z]+\s+){1,3}(?:Hospital|Medical Center|Clinic|University)\b")),
)


_YEAR = r"\s(?:19|20)\d\d"
_HINTS: tuple[re.Pattern[str] | None, ...] = tuple(
    None if hint is None else re.compile(hint) for hint in (
        r"\d[/.-]\d\d?[/.-]\d", r"\d\d-\d\d-", _YEAR, _YEAR, r"\d\d\d[\s.-]\d\d\d\d", "@", "[hHwW][tTwW][tTwW]",
        r"\d\d-\d\d-", None, r"\d-\d\d\d", "TCGA", "-[^-]{4}-[^-]{4}-", r"D(?:r|octor)\b|Prof", r"MB|M\.?D|D\.O\.|Ph\.D\.",
        "M[rsi]s?s?", None, r"(?:9\d|1[012]\d)[\s-]*[yY]", "Hospital|Medical C|Clinic|University"))
"""Per rule what a text must hold for the rule to match. Cheap to look for: most texts hold none of it."""


def find_identifiers(text: str) -> list[tuple[str, int, int]]:
    """``(kind, start, end)`` of what could identify somebody, in order of position.

    Example:
        >>> find_identifiers("Seen on 03/14/2011 by Dr. Miller.")
        [('date', 8, 18), ('name of a doctor', 22, 32)]
        >>> find_identifiers("Two of 12 nodes, 2.5 x 1.0 cm, Gleason 3+4=7, pT2a.")
        []
    """
    found = [(kind, m.start(), m.end()) for (kind, rule), hint in zip(RULES, _HINTS, strict=True)
             if hint is None or hint.search(text) for m in rule.finditer(text)]
    return sorted(found, key=lambda item: (item[1], item[2]))


def redact(text: str) -> str:
    """``text`` with identifiers replaced by ``[kind]``.

    Example:
        >>> redact("Seen on 03/14/2011.")
        'Seen on [date].'
    """
    pieces, position = [], 0
    for kind, start, end in find_identifiers(text):
        if start >= position:
            pieces += [text[position:start], f"[{kind}]"]
            position = end
    return "".join([*pieces, text[position:]])
