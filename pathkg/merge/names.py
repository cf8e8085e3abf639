"""When two names are the same: a normal form that forgives case, punctuation and spelling variants, nothing else."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BRITISH = (
    ("oesophag", "esophag"), ("haem", "hem"), ("anaem", "anem"), ("leukaem", "leukem"), ("oedem", "edem"),
    ("foet", "fet"), ("tumour", "tumor"), ("paed", "ped"), ("caec", "cec"), ("orrhoea", "orrhea"),
    ("glycaem", "glycem"), ("aemia", "emia"), ("colour", "color"), ("fibre", "fiber"), ("gynaec", "gynec"))
_ANY_BRITISH = re.compile("|".join(british for british, _ in _BRITISH))
_SUFFIX = re.compile(r" \((?:disease|disorder|finding|morphologic abnormality|qualifier value)\)$")
_POSSESSIVE = re.compile(r"['’]s\b")
_NOT_WORD = re.compile(r"[^\w+]+")
_ASCII_BLANKS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "+")}


@lru_cache(maxsize=1 << 20)
def normal_name(name: str) -> str:
    """The normal form of a name. Word order, numbers and plus signs (``CD4+``) are kept.

    Example:
        >>> normal_name("Barrett's oesophagus"), normal_name("Meningioma (disease)"), normal_name("CD4+ T-cell")
        ('barrett esophagus', 'meningioma', 'cd4+ t cell')
    """
    text = name.lower()
    if text.endswith(")"):
        text = _SUFFIX.sub("", text)
    if "'" in text or "’" in text:
        text = _POSSESSIVE.sub("", text)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        text = _NOT_WORD.sub(" ", text)
    text = " ".join(text.translate(_ASCII_BLANKS).split())
    if _ANY_BRITISH.search(text):
        for british, american in _BRITISH:
            text = text.replace(british, american)
    return text
