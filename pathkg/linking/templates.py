"""Lines of a form that nobody filled in: instructions, blanks, column titles, lists of options, legends of grades.

"Lymphovascular invasion: select one", "necrosis: ____", "extranodal extension: SIDE. LEVEL." and "perineural invasion:
present / absent" say nothing of this case; "grade 1: well differentiated; grade 2: …" explains the grades.
"""

from __future__ import annotations

from collections.abc import Sequence

from pathkg.linking.cues import AFFIRMED, NEGATED, POSSIBLE, UNSPECIFIED

OPENERS = frozenset({":", "(", "[", ")", "present", "absent", "yes"})
"""What may stand behind the name of such a field; anything else is not looked at."""

_INSTRUCTIONS = {"select": frozenset({"one", "all", "any", "only"}), "check": frozenset({"one", "all", "any", "only", "appropriate"}),
                 "choose": frozenset({"one", "all", "any", "only"}), "tick": frozenset({"one", "all", "any"}), "mark": frozenset({"one", "all", "any"}),
                 "circle": frozenset({"one", "all"}), "pick": frozenset({"one"}), "specify": frozenset(), "enter": frozenset(),
                 "please": frozenset({"select", "specify", "check", "choose", "circle", "indicate", "enter"})}
"""Words that ask for an answer, and the words behind them that make it sure (empty: none needed)."""
TITLES = frozenset({"side", "level", "number", "size", "extent", "location", "laterality", "percentage", "percent", "quantity", "station",
                     "total", "comment", "value", "result", "site", "focality", "examined", "involved", "positive", "node", "of", "and"})
_TITLE_WORDS = TITLES - {"positive", "involved", "examined", "node", "of", "and", "result", "value"}
"""Titles of columns; the others may stand beside one."""
_ENDS = frozenset({".", ";", "\n", ")", "]"})
_BETWEEN = frozenset({",", "or", "|", "/"})
_YES, _NO, _OPEN = AFFIRMED, NEGATED, POSSIBLE
_POLAR = {"present": _YES, "yes": _YES, "identified": _YES, "positive": _YES, "seen": _YES, "involved": _YES, "absent": _NO, "no": _NO,
          "negative": _NO, "none": _NO, "uninvolved": _NO, "indeterminate": _OPEN, "equivocal": _OPEN, "suspicious": _OPEN, "uncertain": _OPEN}
_AFTER_NOT = {"identified": _NO, "seen": _NO, "present": _NO, "found": _NO, "detected": _NO, "involved": _NO, "applicable": UNSPECIFIED,
              "specified": UNSPECIFIED, "determined": UNSPECIFIED, "assessed": UNSPECIFIED, "known": UNSPECIFIED}
_ALTERNATIVES = ((2, frozenset({"minimal", "gross", "extensive"})), (2, frozenset({"focal", "extensive", "multifocal"})), (3, frozenset({"right", "left", "bilateral"})),
                 (3, frozenset({"low", "intermediate", "high"})), (3, frozenset({"mild", "moderate", "severe"})))
"""Values of which a field can only have one, and how many of them in a row are a list to choose from."""
_LONGEST_INSTRUCTION = 8


def unfilled(words: Sequence[str], end: int, high: int) -> int | None:
    """What a field says that may be unfilled: a category, or ``None`` where this is no such field.

    Args:
        words: canonical tokens.
        end: the token behind the field's name, one of :data:`OPENERS`.
        high: the end of the sentence.

    Example:
        >>> unfilled("necrosis : present absent".split(), 1, 4) == UNSPECIFIED
        True
        >>> unfilled("necrosis : present , focal".split(), 1, 5) is None
        True
    """
    at = end
    bracketed = False
    while at < high and words[at] in (":", "(", "[", ")"):  # "invasion (LVI): (select one)"
        if words[at] in "([":
            bracketed = True
        at += 1
        if words[at - 1] == "(" and at + 2 < high and words[at + 1] == ")" and words[at + 2] == ":":
            at, bracketed = at + 2, False
    if at >= high:
        return None
    word = words[at]
    if word in _INSTRUCTIONS and at > end:
        needed = _INSTRUCTIONS[word]
        if needed and (at + 1 >= high or words[at + 1] not in needed):
            return None
        return _behind_bracket(words, at, high) if bracketed else UNSPECIFIED
    if at > end and word[0] == "_":
        return UNSPECIFIED if at + 1 >= high or words[at + 1] in _ENDS else None
    if at > end and word in _TITLE_WORDS:
        return UNSPECIFIED if _is_title_row(words, at, high) else None
    return _options(words, at, high, named=at > end, bracketed=bracketed)


def _behind_bracket(words: Sequence[str], at: int, high: int) -> int | None:
    """The category of an instruction in brackets, behind which the answer may stand."""
    for close in range(at, min(at + _LONGEST_INSTRUCTION, high)):
        if words[close] in (")", "]"):
            behind = words[close + 1] if close + 1 < high else ""
            if behind == "not" and close + 2 < high:
                return _AFTER_NOT.get(words[close + 2], UNSPECIFIED)
            if behind in _POLAR:
                return _POLAR[behind]
            return None if close + 2 < high and behind == ":" else UNSPECIFIED
    return UNSPECIFIED


def _is_title_row(words: Sequence[str], at: int, high: int) -> bool:
    while at < high and words[at] in TITLES:
        at += 1
        if at < high and words[at] == ":" and (at + 1 >= high or words[at + 1] in TITLES):
            at += 1  # "side: level:"
    return at >= high or words[at] in _ENDS


def _options(words: Sequence[str], at: int, high: int, *, named: bool, bracketed: bool) -> int | None:
    """The category of a field whose value is a list to choose from; behind "(present/absent):" that of the answer."""
    said: set[int] = set()
    count = 0
    loose = False
    while at < high:
        word = words[at]
        if word in _BETWEEN:
            loose = loose or word == ","
        elif word == "not" and at + 1 < high and words[at + 1] in _AFTER_NOT:
            said.add(_AFTER_NOT[words[at + 1]])
            at, count = at + 1, count + 1
        elif word == "cannot" and at + 2 < high and words[at + 1] == "be":
            said.add(UNSPECIFIED)
            at, count = at + 2, count + 1
        elif word in ("no", "none") and at + 1 < high and _POLAR.get(words[at + 1]) == _YES:
            said.add(_NO)  # "none identified"
            at, count = at + 1, count + 1
        elif word in _POLAR:
            said.add(_POLAR[word])
            count += 1
        else:
            break
        at += 1
    over = at >= high or words[at] in _ENDS or (bracketed and words[at] == ":")
    if _YES in said and _NO in said and (over or (named and not loose)):
        if at < high and words[at] in (")", "]"):
            at += 1
        if bracketed and at + 1 < high and words[at] == ":":
            answer = words[at + 1]
            if answer == "not" and at + 2 < high:
                return _AFTER_NOT.get(words[at + 2])
            return _POLAR.get(answer)
        return UNSPECIFIED
    if named and not count:
        for least, members in _ALTERNATIVES:
            stop = at
            while stop < high and (words[stop] in members or (words[stop] in _BETWEEN and words[stop] != "," and stop > at)):
                stop += 1
            if len(members.intersection(words[at:stop])) >= least and (stop >= high or words[stop] in _ENDS):
                return UNSPECIFIED
    return None


# -- what only several sentences show ------------------------------------------------------------------------

TITLES_ONLY = (-1,)
"""The trace of a sentence that holds nothing but titles of columns."""

_NUMBERS = {"1": 1, "2": 2, "3": 3, "4": 4, "i": 1, "ii": 2, "iii": 3, "iv": 4}
_STEPS = ("well", "moderately", "poorly")
LONGEST_TITLE = 6
_MARKS = frozenset({"x", ".", ";", "to", *"☑☒■◼✓✔✗✘▣"})
"""Signs and words that make a choice of "well, moderately, poorly"."""
_LEAST_WORDS = 2


def trace_of(words: Sequence[str], colons: Sequence[int]) -> tuple[int, ...]:
    """What a sentence may share with a form's legend: the places of "grade 1:", or :data:`TITLES_ONLY`; else nothing.

    Example:
        >>> trace_of("grade 1 : well differentiated".split(), [2]), trace_of("number positive .".split(), []), trace_of(["grade"], [])
        ((2,), (-1,), ())
    """
    if len(words) <= LONGEST_TITLE and words and words[0] in TITLES:
        named = [word for word in words if word[0].isalnum()]
        if named and TITLES.issuperset(named) and not _TITLE_WORDS.isdisjoint(named):
            return TITLES_ONLY
    entries = tuple([at for at in colons if words[at - 1] in _NUMBERS and at > 1 and words[at - 2] == "grade"]) if colons else ()
    if not entries and "moderately" in words:
        steps = [words.index(step) for step in _STEPS if step in words]
        if len(steps) == len(_STEPS) and steps == sorted(steps) and _MARKS.isdisjoint(words[max(0, steps[0] - 2):steps[-1]]):
            return (steps[0],)
    return entries


def unsaid(words: Sequence[Sequence[str]], traces: Sequence[tuple[int, ...]]) -> dict[int, tuple[int, int]]:
    """Token ranges that explain a form and say nothing of the case, by sentence.

    Args:
        words: of each sentence.
        traces: of each sentence, from :func:`trace_of`.

    Example:
        >>> rows = ["grade 1 : well differentiated".split(), "grade 2 : moderately differentiated".split()]
        >>> unsaid(rows, [(2,), (2,)])
        {0: (0, 5), 1: (0, 5)}
    """
    found: dict[int, tuple[int, int]] = {}
    entries = [(k, at) for k, trace in enumerate(traces) if trace != TITLES_ONLY for at in trace]
    run: list[tuple[int, int]] = []
    for k, at in [*entries, (-1, 0)]:
        number = _NUMBERS.get(words[k][at - 1], 0) if k >= 0 and at else 0
        if k >= 0 and not number:  # "well differentiated, moderately differentiated, poorly differentiated"
            found[k] = (max(at - 1, 0), len(words[k]))
            continue
        if run and k - run[-1][0] in (0, 1) and number == _NUMBERS[words[run[-1][0]][run[-1][1] - 1]] + 1:
            run.append((k, at))
            continue
        if len(run) > 1:
            for row, colon in run:
                low, high = found.get(row, (colon - 2, 0))
                found[row] = (min(low, colon - 2), max(high, len(words[row])))
        run = [(k, at)] if number == 1 and _explains(words[k], at) else []
    for k, trace in enumerate(traces):
        # "NUMBER POSITIVE. NUMBER EXAMINED. EXTRANODAL EXTENSION." is a row of titles
        if trace == TITLES_ONLY and k > 0 and traces[k - 1] == TITLES_ONLY:
            for other in (k - 2, k + 1):
                if 0 <= other < len(words) and len(words[other]) <= LONGEST_TITLE and not traces[other]:
                    found[other] = (0, len(words[other]))
    return found


def _explains(words: Sequence[str], colon: int) -> bool:
    """Whether words, not only a share, stand behind "grade 1:"."""
    return sum(word.isalpha() for word in words[colon + 1:]) >= _LEAST_WORDS


__all__ = ["LONGEST_TITLE", "OPENERS", "TITLES", "TITLES_ONLY", "trace_of", "unfilled", "unsaid"]
