"""What the text says about each mention: present, absent, possible, historical, unspecified or other.

Works on token indices. A cue governs the mentions on its side up to its reach, within its sentence, until a
break. Pathology rules on top: lists under one negation, ``X: No``, unticked options, history sections.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pathkg.linking import limits
from pathkg.linking.cue_search import CueHit
from pathkg.linking.cues import (
    AFFIRMED,
    AFTER,
    BEFORE,
    BREAK,
    HISTORICAL,
    NEGATED,
    POSSIBLE,
    SECTION_OF,
    UNSPECIFIED,
    Cue,
)
from pathkg.linking.templates import OPENERS, unfilled

HARD = frozenset({".", ";", "\n"})
UNFINISHED = frozenset({"for", "of", "the", "and", "or", "by", "with", "in", "to", "a", "an", "from", "no", "is", "are", "at",
                        "on", "was", "were", "that", "which", "as", "than", "into", "not", "this", "without", "has", "have", "duct", "infiltrating",
                        "squamous", "metastatic", "lymph", "moderately", "poorly", "perineural", "lymphovascular", "hepatocellular",
                        "transitional", ","})
"""No sentence ends behind these; a full stop there is a lost line break."""

_PREPOSITIONS = frozenset({"in", "within", "of", "at", "from", "into", "to", "on", "involving", "involve", "beyond",
                           "near", "through", "outside", "surrounding", "between", "under", "along", "for", "by",
                           "or", "and", ","})
_POSITIVE_LEAD = frozenset({"mild", "moderate", "marked", "severe", "chronic", "acute", "focal", "minimal", "few",
                            "one", "two", "three", "scattered", "benign", "extensive", "prominent", "early", "several",
                            "multiple", "some", "numerous", "positive", "present", "with", "but", "focally", "there",
                            "tumor", "status", "ptnm"})
_LIST_JOINERS = frozenset({"or", "nor"})
_JOINERS = frozenset({"or", "nor", "and"})
_BEFORE_BREAKS = frozenset({"but", "which", "however", "with", "without", "showing", "-", "–"})
_VALUE_GLUE = frozenset({":", "(", "-", "–", "=", "is", "are", "was", "were", "status", "\"", "?"})
_LABEL_GOES_ON = frozenset({"of", "in", "into", "through", "to", "beyond", "at", "on", "by", "within", "across"})
_LABEL_WORDS = 8
_LETTERS = frozenset({"n", "y"})
_VALUE_ENDS = frozenset({".", ",", ";", ")", "(", "\n", "]", "-", "–", "/"})
_NONE = frozenset({"0", "zero", "none"})
_BEFORE_COUNT = frozenset({":", "(", "in", "to", "-", "–", "="})
_COUNT_TOKENS = 3
_CONTRASTS = frozenset({"rather than", "instead of", "and not"})
_EARLIER_MATERIAL = frozenset({"biopsy", "excision", "resection", "specimen", "diagnosis", "pathology", "slide", "material", "report", "aspiration", "surgery",
                               "case", "curettage", "fna", "mastectomy", "lumpectomy", "turbt"})
_SUBJECTS = frozenset({"margin", "node", "edge"})
"""What is free or negative by itself; a finding joined to it by "and" is not."""
_LABEL_ENDS = frozenset({"present", "status", "identified", "involved", "size"})
_TITLE_REACH = 10
_COLON_REACH = 4
_MARK_REACH = 4
_BRACKET_TOKENS = 5
_SUBJECT_REACH = 4
_EMPTY_BOXES = frozenset("☐□❏❑◻▢")
_TICKED_BOXES = frozenset("☑☒■◼✓✔✗✘▣")
_BOXES = _EMPTY_BOXES | _TICKED_BOXES


def assert_mentions(words: Sequence[str], spans: Sequence[tuple[int, int]], loose: Sequence[int],
                    cues: Sequence[CueHit], stops: Sequence[int],
                    history: Sequence[tuple[int, int]] = ()) -> list[tuple[int, Cue | None]]:
    """Category and governing cue of each span.

    Args:
        words: canonical tokens of the text.
        spans: token ranges of the mentions, in order.
        loose: 1 for a procedure or specimen, which a negation reaches only directly ("no tumor in the bladder"
            leaves the bladder present), 3 for a place, which has no history either; 2 for a stage or grade,
            which no negation reaches; else 0.
        cues: from :func:`find_cues`, without those inside a mention.
        stops: token indices of sentence ends, sorted.
        history: token ranges of history sections.

    Returns:
        One ``(category, cue)`` per span; ``(AFFIRMED, None)`` where nothing governs it.
    """
    found: list[tuple[int, Cue | None]] = []
    n = len(words)
    low, high = 0, -1
    inside: Sequence[CueHit] = ()
    at = stop = past = 0
    n_cues = len(cues)
    for number, (start, end) in enumerate(spans):
        if start > high:
            position = bisect_left(stops, start)
            low = stops[position - 1] + 1 if position else 0
            high = stops[position] if position < len(stops) else n
            at = stop
            while at < n_cues and cues[at][0] < low:
                at += 1
            stop = at
            while stop < n_cues and cues[stop][0] < high:
                stop += 1
            inside = cues[at:stop]
        category: int = AFFIRMED
        cue: Cue | None = None
        if inside:
            category, cue = _govern(words, start, end, low, high, inside, loose[number] in (1, 3))
            if cue is not None and cue.phrase == "?" and number and _asks_before(words, spans[number - 1], start):
                others = [hit for hit in inside if hit[1] != start]
                category, cue = _govern(words, start, end, low, high, others, loose[number] in (1, 3))
            if (category == NEGATED and loose[number] == 2) or (category == HISTORICAL and loose[number] == 3):
                category, cue = AFFIRMED, None  # a category that is given is given
        if end < high and words[end] in OPENERS and loose[number] in (0, 2):
            answer = unfilled(words, end, high)
            if answer is not None:
                category, cue = answer, None
        if category == AFFIRMED:
            if (start > low and words[start - 1][0] in "_])xX") or (start > low + 1 and words[start - 2][0] in "_])") or (
                    start > low and words[start - 1] in _BOXES):
                category = _mark(words, start, low)
            elif loose[number] not in (1, 3) and end + 2 < high and words[end] == ":" and number + 1 < len(spans) and _is_empty_field(
                    words, end, spans[number + 1], high):
                category = UNSPECIFIED
            elif not loose[number] and end < n and words[end] == ":" and end + 1 == n:
                category = UNSPECIFIED  # a field without a value
            elif not loose[number] and _is_none_of(words, start, end, low, high):
                category = NEGATED
            if history and category == AFFIRMED and loose[number] != 3:
                while past < len(history) and history[past][1] <= start:
                    past += 1
                if past < len(history) and history[past][0] <= start:
                    category = HISTORICAL
        found.append((category, cue))
    return found


def _asks_before(words: Sequence[str], previous: tuple[int, int], start: int) -> bool:
    """Whether the question mark before a mention ends a question about the one before it ("Necrosis? Dysplasia present")."""
    return previous[1] == start - 1 and (not previous[0] or words[previous[0] - 1] != "?")


def _is_none_of(words: Sequence[str], start: int, end: int, low: int, high: int) -> bool:
    """Whether a count denies a finding: "0 of 18 nodes involved", "metastasis in 0/18", "metastasis (0/18)"."""
    if start - low > 1 and words[start - 1].isdigit():  # the stroke of "0/18" is no token
        at = start - 3 if words[start - 2] == "of" and start - low > _COUNT_TOKENS - 1 else start - 2
        return words[at] in _NONE
    at = end
    while at < high and at < end + 2 and words[at] in _BEFORE_COUNT:
        at += 1
    if at == end or at + 1 >= high or words[at] not in _NONE:
        return False
    return words[at + 1].isdigit() or (words[at + 1] == "of" and at + 2 < high and words[at + 2].isdigit())


def _mark(words: Sequence[str], start: int, low: int) -> int:
    """Category by the tick box before an option: ``[ ] x``, ``___ x`` unticked, ``[x] x``, ``_x_ x`` ticked."""
    for at in range(start - 1, max(low, start - _MARK_REACH) - 1, -1):
        word = words[at]
        if word in _BOXES:
            return UNSPECIFIED if word in _EMPTY_BOXES else AFFIRMED
        if word[0] == "_":
            return AFFIRMED if words[at - 1] in ("x", "1") and at > low and words[at - 2][:1] == "_" else UNSPECIFIED
        if word in ("]", ")"):
            before = words[at - 1] if at > low else ""
            if before in ("[", "("):
                return UNSPECIFIED
            return AFFIRMED
        if not word[0].isalnum():
            return AFFIRMED
    return AFFIRMED


def _is_empty_field(words: Sequence[str], colon: int, following: tuple[int, int], high: int) -> bool:
    """Whether another field begins right behind the colon: "venous invasion: perineural invasion: absent"."""
    start, end = following
    if end < high and words[end] in _LABEL_ENDS:
        end += 1  # "renal vein invasion: adrenal gland present:"
    return start == colon + 1 and end < high and words[end] == ":"


def _govern(words: Sequence[str], start: int, end: int, low: int, high: int, cues: Sequence[CueHit],
            loose: bool) -> tuple[int, Cue | None]:
    after: Cue | None = None
    after_distance = 0
    for position in range(len(cues) - 1, -1, -1):
        cue_start, cue_end, group = cues[position]
        if cue_end > start:
            continue
        block = False
        for cue in group:
            if cue.side == AFTER and cue.category != AFFIRMED:
                if loose and not cue.existence:
                    continue
                distance = start - cue_end
                if distance <= cue.reach and _reaches_after(words, cue, cue_start, cue_end, start, end, low, high,
                                                            loose):
                    after, after_distance = (_denial(words, cues, position) if cue.phrase in limits.EVIDENCE else None) or cue, distance
                    break
            elif cue.category == BREAK:
                block = True
            elif cue.side == BEFORE and cue.category in (AFFIRMED, NEGATED) and (
                    (cue_end < start and words[cue_end] not in _JOINERS) or loose):
                block = True  # the clause before is complete: "no tumor present. skin of cheek"
            elif cue.category == AFFIRMED and cue.side == AFTER:
                if _is_past(words, cue_start, cues):
                    continue  # "prior biopsy showed melanoma"
                if start - cue_end <= cue.reach and not loose:
                    after, after_distance = (_denial(words, cues, position) if cue.phrase in limits.EVIDENCE else None) or cue, start - cue_end
                    break
                block = True
        if after is not None or block:
            break
    before: Cue | None = None
    before_distance = 0
    for cue_start, cue_end, group in cues:
        if cue_start < end or (cue_start > end and _is_unticked(words, cue_start, end)):
            continue
        block = False
        for cue in group:
            if cue.side == BEFORE:
                if loose and not cue.existence:
                    continue
                distance = cue_start - end
                if loose and cue.reach <= 3 and cue_end < high and words[cue_end][0].isalnum():
                    continue  # "renal vein: no tumor": the denial has an object of its own
                if distance <= cue.reach + _BRACKET_TOKENS and _reaches_before(words, cue, start, end, cue_start, cue_end, low, high, loose):
                    before, before_distance = cue, distance
                    break
            elif cue.phrase == "?" or (cue.phrase in _CONTRASTS and cue_start == end):
                continue  # "necrosis? not seen"
            elif cue.category == BREAK or (cue.side == AFTER and cue.category in (NEGATED, POSSIBLE)):
                if (cue.category == NEGATED and cue.existence and not loose and cue_start == end + 1
                        and words[end] == ":"):
                    before, before_distance = cue, 0  # "venous invasion: no definite invasion is seen"
                    break
                block = True
        if before is not None and before.category == AFFIRMED and cue_end < high and words[cue_end] == ":":
            before = None  # "stones present: not identified"
            continue
        if before is not None or block:
            break
    if before is not None and after is not None:
        if after.phrase in _CONTRASTS and not after_distance:
            return after.category, after  # "enchondroma rather than chondrosarcoma is favored"
        if before.category == AFFIRMED:
            # "no X is seen" is a denial; "no tumor, X is present" is not
            if after.category in (NEGATED, POSSIBLE) and before_distance <= 1 and "," in words[
                    start - after_distance:start] and words[start - 1] not in _JOINERS:
                return AFFIRMED, before
            return after.category, after
        if after.category == AFFIRMED or before_distance <= after_distance + 2:
            return before.category, before
        return after.category, after
    if before is not None:
        return before.category, before
    if after is not None:
        return after.category, after
    return AFFIRMED, None


def _denial(words: Sequence[str], cues: Sequence[CueHit], position: int) -> Cue | None:
    """The denial that takes back the evidence of the cue at ``position``: "no matrix is seen to suggest osteosarcoma"."""
    at = cues[position][0]
    for _, end, group in reversed(cues[:position]):
        for cue in group:
            if cue.category == NEGATED and cue.side == AFTER and cue.phrase in limits.DENIERS:
                return cue if limits.is_denied_evidence(words, end, at) else None
    return None


def _is_unticked(words: Sequence[str], start: int, low: int) -> bool:
    """Whether an empty box stands before an option: "[ ] absent", "__ absent", "☐ absent"."""
    box, before = words[start - 1], words[start - 2] if start - 2 >= low else ""
    return box in _EMPTY_BOXES or (box in ("]", ")") and before in ("[", "(")) or (box[0] == "_" and before not in ("x", "1"))


def _is_past(words: Sequence[str], verb: int, cues: Sequence[CueHit]) -> bool:
    """Whether the subject of a verb is of the past."""
    return any(end <= verb <= end + _SUBJECT_REACH and not {",", ":"}.intersection(words[end:verb])
               and any(cue.category == HISTORICAL and cue.side == AFTER for cue in group) for _, end, group in cues)


def _reaches_after(words: Sequence[str], cue: Cue, cue_start: int, cue_end: int, start: int, end: int, low: int,
                   high: int, loose: bool) -> bool:
    if end < high and words[end] == ":" and cue_start > low and words[cue_start - 1] == ":":
        return False  # the value of the field before: "necrosis: absent invasion: present"
    between = words[cue_end:start]
    if cue.category == NEGATED and ":" in between and (cue_start == low or words[cue_start - 1] != ":"):
        colon = between.index(":")
        if SECTION_OF.get(" ".join(between[:colon])) == "diagnosis":
            between = between[colon + 1:]  # "there is no diagnosis: melanoma"
    if loose:
        if cue.category in (POSSIBLE, UNSPECIFIED):
            return not between
        if cue.category == NEGATED and any(w in _PREPOSITIONS for w in between):
            return False
        if cue.category == NEGATED and len(between) > 3:
            return False
    if not between:
        return cue.phrase != "should" or cue_start == low or not words[cue_start - 1][0].isalnum()
    if cue.phrase == "should" and cue_start > low and words[cue_start - 1][0].isalnum():
        return False  # "should lymphoma be a concern", not "it should …"
    if cue.category == NEGATED and between[0] == ",":
        return False  # "necrosis absent, ulceration present"
    if cue.phrase == "loss of" and "," in between and not any(w in ("and", "or", "&") for w in words[start:high]):
        return False  # "loss of chromosome 1p, monosomy 3"
    if cue.category == HISTORICAL and between.count(":") == 1 and between[-1] == ":" and len(between) <= _TITLE_REACH and (
            _EARLIER_MATERIAL.intersection(between)):
        return True  # "prior core biopsy (S12-3344): melanoma"
    if ":" in between and not (between[0] == ":" and between.count(":") == 1):
        return False
    if "-" in between or "–" in between:
        return False
    if "," in between and cue.category in (NEGATED, POSSIBLE):
        if cue.category == POSSIBLE:
            return any(w in _JOINERS for w in words[start - 1:start]) or words[start - 1] == ","
        if limits.is_own_value(words, start, end, high):
            return False  # "no necrosis, mitotic activity low"
        listed = any(w in _LIST_JOINERS for w in words[cue_end:high])
        last = len(between) - 1 - between[::-1].index(",")
        tail = words[cue_end + last + 1:start + 1]
        if not listed and tail and tail[0] in _POSITIVE_LEAD:
            return False
    return True


def _is_label(between: Sequence[str]) -> bool:
    """Whether the tokens behind a mention, up to a colon, only go on naming the field."""
    inner = [word for word in between[:-1] if word != "?"]
    return len(inner) <= _LABEL_WORDS and all(word[0].isalnum() for word in inner)


def _reaches_before(words: Sequence[str], cue: Cue, start: int, end: int, cue_start: int, cue_end: int, low: int,
                    high: int, loose: bool) -> bool:
    between = words[end:cue_start]
    if "(" in between and ")" in between:
        opened, closed = between.index("("), between.index(")")
        if opened < closed:  # "HER2 (Herceptest): negative"
            between = [*between[:opened], *between[closed + 1:]]
    if cue.reach <= 3 and not loose and len(between) > 2 and between[-1] == ":" and between[0] in _LABEL_GOES_ON and _is_label(between) and (
            cue_end >= high or words[cue_end] in _VALUE_ENDS):
        return True  # "perforation through the visceral peritoneum: no"
    if len(between) > cue.reach:
        return False
    if cue.reach == 1:
        return not between
    if cue.reach <= 3:
        # a lone value: directly behind a colon, or at the very end of the statement
        follows = words[cue_end] if cue_end < high else "."
        if ")" in between and ":" in between:  # the short form too: "lymphovascular invasion (LVI): N"
            between = [w for w in between if w != ")"]
        if not all(w in _VALUE_GLUE for w in between):
            return False
        if cue.phrase in _LETTERS:  # "LVI: N", not "lymph nodes: N 0"
            return ":" in between and follows in _VALUE_ENDS
        if ":" in between or "=" in between or "-" in between or "–" in between:
            return True
        return follows in _VALUE_ENDS and (bool(between) or not cue.existence)
    if ":" in between:
        colon = between.index(":")
        if "," in between[:colon]:
            return False
        value = [w for w in between[colon + 1:] if w[0].isalnum() and w != "x"]
        return ":" not in between[colon + 1:] and len(value) <= _COLON_REACH
    if len(between) == 1 and between[0] in ("-", "–"):
        return True  # "necrosis - absent"
    if any(w in _BEFORE_BREAKS for w in between):
        return False
    if not cue.existence and "and" in between and not _SUBJECTS.isdisjoint(between):
        return False  # "invades the serosa and margins are free"
    if len(between) == 1 and between[0] == "," and cue.category == NEGATED and cue.phrase.startswith(("not ", "none ")) and (
            cue_end >= high or words[cue_end] in _VALUE_ENDS):
        return True  # "angiolymphatic invasion, not identified; ..."
    if "," in between:
        if cue.phrase.startswith(("is ", "was ")) and "and" in between and words[end + between.index("and") + 1] == "the":
            return False  # "invades the muscle, and the serosa is free"
        # a list with its verb behind: the last member is joined by "and" or "or"
        last = len(between) - 1 - between[::-1].index(",")
        return any(w in _JOINERS for w in between[last + 1:])
    return True
