"""Where a denial ends although no word says so, and where it reaches through a doubt.

"No necrosis, mitotic activity low" denies the necrosis alone; "no features to suggest lymphoma" denies the lymphoma.
"""

from __future__ import annotations

from collections.abc import Sequence

LEVELS = frozenset({"low", "high", "moderate", "brisk", "scant", "sparse", "mild", "marked", "severe", "variable", "inconspicuous", "conspicuous", "rare",
                    "frequent", "scattered", "occasional", "numerous", "few", "abundant", "minimal", "prominent", "extensive", "focal", "multifocal", "diffuse",
                    "patchy", "chronic", "positive", "negative", "clear", "free", "intact", "uninvolved", "involved", "unremarkable", "patent", "close", "present",
                    "absent", "wide", "widely", "bland", "elevated", "increased", "decreased", "preserved", "retained", "lost", "indeterminate", "pending", "benign",
                    "normal", "reactive", "amplified", "rearranged", "mutated", "expressed"})
"""Adjectives of level or value: behind a noun they make a statement of their own."""

_VALUES = frozenset({"positive", "negative", "involved", "uninvolved", "free", "clear", "present"})
"""Values that a form may hold in its middle: "margin positive for dysplasia"."""
_ENDS = frozenset({".", ",", ";", "\n", ")", "(", "and", "but", "with", "in", "at", "for", "to", "by", "throughout"})
_COPULAS = frozenset({"is", "are", "was", "were", "of", "approximately", "about", "<", ">", "=", "~", ":"})
_ADVERBS = frozenset({"focally", "widely", "very", "markedly", "mildly", "moderately", "relatively", "only", "predominantly", "grossly", "completely", "all"})
_GRADED = frozenset({"grade", "activity", "rate", "index", "count", "cellularity", "proliferation"})
_DEGREES = frozenset({"low", "high", "intermediate", "moderate", "brisk"})

EVIDENCE = frozenset({"suggest", "suggestive of", "indicative of", "suspicious for", "suspicious of", "consistent with", "compatible with", "diagnostic of",
                      "characterized by", "concerning for", "worrisome for", "in keeping with", "supportive of", "suggestion of", "suspicion for",
                      "suspicion of", "concern for", "diagnostic for", "involved by", "infiltrated by"})
EVIDENCE |= {f"{verb} {phrase}" for verb in ("is", "are", "was", "were") for phrase in EVIDENCE}
"""Cues of doubt or proof that a denial in front takes back: "no cells suspicious for carcinoma"."""

DENIERS = frozenset({"no", "not", "neither", "without", "no significant", "no definite", "no obvious", "no malignant", "no other", "no evidence of", "no residual", "nor", "lack",
                     "no identifiable", "no further", "lacks", "lacking", "absence of", "lack of", "no unequivocal", "no convincing", "no abnormal", "no diagnostic"})
_STOPPERS = frozenset({",", ";", "but", "however", "although", "though", "yet", ":", "(", ")", "and", "with"})
_COMPLETE = frozenset({"identified", "seen", "present", "noted", "found", "detected"})
_TO_REACH, _REACH = 10, 5


def is_own_value(words: Sequence[str], start: int, end: int, high: int) -> bool:
    """Whether a mention behind a comma comes with a value, so that the denial in front has ended.

    Example:
        >>> is_own_value("no necrosis , mitotic activity low .".split(), 3, 5, 6)
        True
        >>> is_own_value("no necrosis , mitotic activity or atypia .".split(), 3, 5, 8)
        False
    """
    if words[start - 1] in ("or", "nor"):
        return False  # "no lymphatic or perineural invasion present"
    if end - start > 1 and (words[end - 1] in LEVELS or not _VALUES.isdisjoint(words[start + 1:end]) or (words[start] in _DEGREES and words[end - 1] in _GRADED)):
        return True  # the form holds its value: "margins positive", "high nuclear grade"
    at = end
    while at < high and at < end + 2 and (words[at] in _COPULAS or words[at] in _ADVERBS):
        at += 1
    if at >= high:
        return False
    word = words[at]
    if word[0].isdigit():
        return True
    if word not in LEVELS:
        return False
    return at + 1 >= high or words[at + 1] in _ENDS or words[at + 1] in LEVELS


def is_denied_evidence(words: Sequence[str], denial_end: int, cue_start: int) -> bool:
    """Whether a denial that ends at ``denial_end`` takes back the evidence word at ``cue_start``.

    Example:
        >>> is_denied_evidence("no matrix is seen to suggest osteosarcoma".split(), 1, 5)
        True
        >>> is_denied_evidence("no necrosis , suspicious for lymphoma".split(), 1, 3)
        False
    """
    between = words[denial_end:cue_start]
    if words[cue_start - 1] == "to":
        return len(between) <= _TO_REACH and _STOPPERS.isdisjoint(between)
    # "no tumor identified consistent with complete response": the denial is complete
    return len(between) <= _REACH and _STOPPERS.isdisjoint(between) and _COMPLETE.isdisjoint(between)


__all__ = ["DENIERS", "EVIDENCE", "LEVELS", "is_denied_evidence", "is_own_value"]
