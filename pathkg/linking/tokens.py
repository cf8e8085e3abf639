"""Cutting a text into tokens, and bringing a token to the spelling the lexicon uses.

The same two functions serve the compiler of the lexicon and the linker, so a form and its mention meet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

# Words, numbers with decimals, and every other sign on its own. Between tokens lie gaps: white space, hyphens
# and slashes inside compounds ("HER-2/neu"), apostrophes, and a full stop before a small letter, which in
# flattened reports is a line break left inside a phrase ("adrenal. cortical carcinoma").
_WORD = r"TCGA-[A-Za-z0-9][\w-]*|\d+\.\d+|[^\W_]+"  # the "PR" of a barcode is no receptor
_BULLET = r"(?<=\s)[-–](?=\s)"
_SIGN = r"\([-–+]\)|(?<=[A-Z0-9])[-–](?=/[A-Z])"  # also "ER-/PR-"
_LINE = r"\n(?=\s*(?:[-•*\[(]|[A-Z0-9]))"
_SOFT = re.compile(rf"({_WORD}|{_SIGN}|{_BULLET}|{_LINE}|\.(?!\s+[a-z(])|[^\w\s.'’/\-–‐‑]|_+)")
_STRICT = re.compile(rf"({_WORD}|{_SIGN}|{_BULLET}|{_LINE}|\.|[^\w\s.'’/\-–‐‑]|_+)")
# a run such as "pT3N1MX", to be cut before each letter category
_TNM_RUN = re.compile(r"((?:y?[cprau]{0,2}|m?p)T(?:is|[0-4XO][a-e]?[1-3]?))([cp]{0,2}N[0-3XO][a-c]?(?:mi)?)?([cp]{0,2}M[01XO][a-d]?)?",
                      re.I)
_CAPITAL_START = re.compile(r"\.\s+[A-Z]")

GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda",
         "μ": "mu", "µ": "mu", "σ": "sigma", "ω": "omega", "ß": "beta"}
_GREEK_TABLE = str.maketrans(GREEK)

# British spelling to American, as suffix, prefix or inner string of a token; applied to both sides, so an
# over-eager rule costs nothing unless two words fall together.
_BRITISH = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"^oe(?=sophag|strogen|stradiol|dema)", "e"), (r"oedema", "edema"), (r"oesophag", "esophag"),
    (r"(?<=[a-z])oestr", "estr"), (r"haem", "hem"), (r"aemi(?=[ac])", "emi"), (r"^(an|leuk|isch)aem", r"\1em"),
    (r"umour", "umor"), (r"colour", "color"), (r"^grey", "gray"), (r"fibre", "fiber"), (r"centre", "center"),
    (r"caec", "cec"), (r"faec", "fec"), (r"^paed", "ped"), (r"paedic", "pedic"), (r"^foet", "fet"), (r"rrhoea", "rrhea"),
    (r"gynaec", "gynec"), (r"^coel", "cel"), (r"anaesth", "anesth"), (r"^aetiol", "etiol"), (r"metre$", "meter"),
    (r"is(ation|ed|ing|e)$", r"iz\1"), (r"yse(d?)$", r"yze\1"), (r"sulph", "sulf"), (r"naev", "nev"),
    (r"^peri?tonae", "peritone"), (r"labour", "labor"), (r"odour", "odor"), (r"localis", "localiz"),
    (r"^orchidect", "orchiect"), (r"^calibre$", "caliber"), (r"mould", "mold"), (r"aneurysm", "aneurism"),
)]
_ANY_BRITISH = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _BRITISH))
# words where "-ise" or "-ised" is no British ending
_KEEP_ISE = re.compile(r"(?:prec|exc|inc|circumc|prom|rev|superv|adv|comp|r|otherw|w|r|no|d|bas|surpr|exerc|merchand)is")
_IRREGULAR = {
    "metastases": "metastasis", "diagnoses": "diagnosis", "nuclei": "nucleus", "nucleoli": "nucleolus",
    "foci": "focus", "nevi": "nevus", "thrombi": "thrombus", "emboli": "embolus", "calculi": "calculus",
    "villi": "villus", "bronchi": "bronchus", "alveoli": "alveolus", "bacilli": "bacillus", "fungi": "fungus",
    "rami": "ramus", "fundi": "fundus", "uteri": "uterus", "humeri": "humerus", "isthmi": "isthmus",
    "calyces": "calyx", "calices": "calyx", "cortices": "cortex", "apices": "apex", "cervices": "cervix",
    "appendices": "appendix", "indices": "index", "matrices": "matrix", "varices": "varix", "cicatrices": "cicatrix",
    "ova": "ovum", "septa": "septum", "atria": "atrium", "ostia": "ostium", "hila": "hilum", "epithelia": "epithelium",
    "adnexae": "adnexa", "criteria": "criterion", "ganglia": "ganglion", "phenomena": "phenomenon",
    "diverticula": "diverticulum", "labia": "labium", "bacteria": "bacterium", "mitoses": "mitosis",
    "crura": "crus", "corpora": "corpus", "foramina": "foramen", "lumina": "lumen", "feet": "foot", "teeth": "tooth",
    "ureters": "ureter", "women": "woman", "men": "man", "pelves": "pelvis", "testes": "testis",
    "epididymides": "epididymis", "calves": "calf", "halves": "half", "leaves": "leaf", "biopsied": "biopsy",
}
_KEEP_S = frozenset({"pancreas", "always", "plus", "was", "has", "as", "is", "his", "this", "us", "yes", "gas",
                     "pus", "ros", "nos", "ans", "ras", "kras", "nras", "hras", "braf", "pas", "mas", "cns",
                     "pns", "cis", "ais", "dcis", "lcis", "mis", "its", "mets", "ms", "ss", "os", "los", "bas", "less",
                     "biceps", "triceps", "series", "herpes", "species", "facies", "caries", "scabies", "diabetes",
                     "rabies", "ascites", "sos", "fus", "ews", "gus", "lens", "mons", "pons", "ends", "pms2", "ts"})


def split(text: str) -> tuple[list[str], list[int]]:
    """Tokens of ``text`` and their offsets.

    Returns:
        ``(tokens, offsets)``: ``offsets[2 * k]`` is the start and ``offsets[2 * k + 1]`` the end of token k, as
        string offsets into ``text``.

    Example:
        >>> tokens, offsets = split("adrenal. cortical carcinoma, pT2. Nodes")
        >>> tokens
        ['adrenal', 'cortical', 'carcinoma', ',', 'pT2', '.', 'Nodes']
        >>> offsets[4:6]
        [18, 27]
    """
    return split_piece(text, strict=has_strict_stops(text))


def has_strict_stops(text: str) -> bool:
    """Whether every full stop ends a sentence: a text that never starts one with a capital has no soft stops."""
    return _CAPITAL_START.search(text) is None and text.count(". ") > 1


def split_piece(text: str, *, strict: bool) -> tuple[list[str], list[int]]:
    """:func:`split` for a piece of a text whose stops are known to be ``strict`` or not."""
    parts = (_STRICT if strict else _SOFT).split(text)
    return parts[1::2], list(accumulate(map(len, parts)))


def cut_stages(token: str) -> tuple[str, ...]:
    """The categories of a run such as ``pT3N1MX``; empty for any other token.

    Example:
        >>> cut_stages("pT3N1MX"), cut_stages("pT2a"), cut_stages("tissue")
        (('pT3', 'N1', 'MX'), (), ())
    """
    if not 4 <= len(token) <= 16:
        return ()
    match = _TNM_RUN.fullmatch(token)
    # in a run the letter O can only be a zero
    parts = tuple(part.replace("O", "0").replace("No", "N0") for part in match.groups() if part) if match else ()
    return parts if len(parts) > 1 else ()


def canonical(token: str) -> str:
    """The spelling of one token in the lexicon: lower case, no accents, Greek spelled out, American, singular.

    Example:
        >>> [canonical(t) for t in ("Tumours", "β", "Metastases", "HAEMORRHAGE", "biopsies", "nevi")]
        ['tumor', 'beta', 'metastasis', 'hemorrhage', 'biopsy', 'nevus']
    """
    if len(token) == 3 and token[:2] == "Pn" and token[2] in "01":
        return "perineural" + token[2]  # perineural invasion, not the nodes of pN
    word = token.lower()
    if not word.isascii():
        word = unicodedata.normalize("NFKD", word.translate(_GREEK_TABLE)).encode("utf-8", "ignore").decode()
        # an accent that stands alone, or half a surrogate pair, is a sign: every token is a word
        word = "".join(c for c in word if not unicodedata.combining(c)) or "^"
    if len(word) > 3 and word.isalpha():
        if _ANY_BRITISH.search(word) and not _KEEP_ISE.match(word):  # one look at most words instead of thirty
            for pattern, replacement in _BRITISH:
                word = pattern.sub(replacement, word)
        return _singular(word)
    return word


def nodal_categories(tokens: Sequence[str], words: Sequence[str]) -> list[int]:
    """Positions of "Pn0" and "Pn1" that mean nodes: T stands before or M behind, and no other N is given.

    Example:
        >>> nodal_categories(["pT2", "Pn0"], ["pt2", "perineural0"]), nodal_categories(["pT2", "N1", "Pn0"], ["pt2", "pn1", "perineural0"])
        ([1], [])
    """
    if any(_N_WORD.fullmatch(word) for word in words):
        return []
    found = []
    for i, token in enumerate(tokens):
        if token in ("Pn0", "Pn1"):
            before = next((w for w in reversed(words[max(0, i - 2):i]) if w != ","), "")
            after = next((w for w in words[i + 1:i + 3] if w != ","), "")
            if _T_WORD.fullmatch(before) or _M_WORD.fullmatch(after):
                found.append(i)
    return found


_T_WORD, _N_WORD, _M_WORD = (re.compile(rf"y?[pc]{letter}(?:is|[0-4x][a-e]?(?:mi)?[1-3]?)") for letter in "tnm")


def _singular(word: str) -> str:
    irregular = _IRREGULAR.get(word)
    if irregular is not None:
        return irregular
    if word.endswith("mata"):
        return word[:-2]
    if word.endswith("ae") and len(word) > 4:
        return word[:-1]
    if not word.endswith("s") or word in _KEEP_S or word.endswith(("ss", "us", "is", "itis")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("noses", "tases", "broses", "yses", "theses", "croses", "lipses", "plases", "choses")):
        return word[:-2] + "is"
    if word.endswith(("sses", "xes", "ches", "shes", "zes", "uses")):
        return word[:-2]
    return word[:-1]


_STAGE = re.compile(r"(?P<prefix>m?(?:y?[cprau]{0,2}))(?P<letter>[TNM])(?P<value>is|IS|[0-4xXoO](?:[a-eA-E]|mi)?[1-3]?)")
_STAGE_SMALL = re.compile(r"(?P<prefix>m?(?:y?[cp]))(?P<letter>[tnm])(?P<value>is|[0-4xXoO](?:[a-e]|mi)?[1-3]?)")


def stage_word(token: str) -> tuple[str, bool] | None:
    """The key of a TNM category, and whether it stood without a prefix; ``None`` for any other token.

    Example:
        >>> stage_word("pNO"), stage_word("T2a"), stage_word("ypT0"), stage_word("pTIS"), stage_word("NO")
        (('pn0', False), ('pt2a', True), ('ypt0', False), ('ptis', False), None)
    """
    if not 2 <= len(token) <= 8:
        return None
    upper = token.upper() if token[:1] in "PYCMA" and len(token) <= 6 else ""
    if upper == token:  # "PT2A", "PNO" in a text of capitals
        token = re.sub(r"^[PYCMAR]+(?=[TNM][0-4XOI])", lambda m: m.group().lower(), token)
    match = _STAGE.fullmatch(token) or _STAGE_SMALL.fullmatch(token)
    if match is None:
        return None
    prefix, letter, value = match["prefix"], match["letter"].lower(), match["value"].lower().replace("o", "0")
    if not prefix and (value == "0" and match["value"] in "oO"):
        return None
    kept = "".join(c for c in prefix if c in "yc")
    return (("yp" if "y" in kept else "c" if "c" in kept else "p") + letter + value, not prefix)


def form_key(form: str) -> str:
    """The key of a surface form: its canonical tokens, joined by spaces.

    Example:
        >>> form_key("Invasive Ductal Carcinomas")
        'invasive ductal carcinoma'
        >>> form_key("HER-2/neu")
        'her 2 neu'
    """
    return " ".join(map(key_word, split(form)[0]))


def key_word(token: str) -> str:
    """The word a token stands for in keys: a TNM category in one spelling, else :func:`canonical`."""
    stage = stage_word(token)
    return stage[0] if stage else canonical(token)
