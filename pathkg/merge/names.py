"""When two names are the same: a normal form that forgives case, punctuation and spelling variants, nothing else."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BRITISH = (
    ("oesophag", "esophag"), ("haem", "hem"), ("anaem", "anem"), ("leukaem", "leukem"), ("oedem", "edem"),
    ("foet", "fet"), ("tumour", "tumor"), ("paed", "ped"), ("caec", "cec"), ("orrhoea", "orrhea"),
    ("glycaem", "glycem"), ("aemia", "emia"), ("colour", "color"), ("fibre", "fiber"), ("gynaec", "gynec"))
_SUFFIX = re.compile(r" \((?:disease|disorder|finding|morphologic abnormality|qualifier value)\)$")
_POSSESSIVE = re.compile(r"['’]s\b")
_NOT_WORD = re.compile(r"[^\w+]+")


@lru_cache(maxsize=1 << 20)
def normal_name(name: str) -> str:
    """The normal form of a name. Word order, numbers and plus signs (``CD4+``) are kept.

    Example:
        >>> normal_name("Barrett's oesophagus"), normal_name("Meningioma (disease)"), normal_name("CD4+ T-cell")
        ('barrett esophagus', 'meningioma', 'cd4+ t cell')
    """
    text = name.lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _POSSESSIVE.sub("", _SUFFIX.sub("", text))
    text = _NOT_WORD.sub(" ", text.replace("_", " ")).strip()
    for british, american in _BRITISH:
        if british in text:
            text = text.replace(british, american)
    return text
