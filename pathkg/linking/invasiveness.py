"""Words before and behind a tumour that say how far it has not grown, which its name must not lose.

"Minimally invasive mucinous adenocarcinoma" is no invasive mucinous adenocarcinoma, and "melanoma, in situ" no melanoma that
has invaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.linking.sentences import Found

WORDS = frozenset({"situ", "noninvasive", "minimally", "micro", "pre", "preinvasive", "non", "intraepidermal"})
"""Without one of these there is nothing to read in a sentence."""

_INVASIVE = frozenset({"invasive", "infiltrating", "infiltrative"})
_NOT_YET = frozenset({"non", "pre"})
_HARDLY = frozenset({"minimally", "micro"})
_BEFORE = frozenset({"noninvasive", "preinvasive", "intraepidermal"})
_HEADS = frozenset({"carcinoma", "adenocarcinoma", "melanoma"})
_OWN_NAMES = frozenset({"urothelial", "transitional", "papillary", "encapsulated", "cystadenocarcinoma", "serous", "follicular"})
"""Non-invasive tumours of these kinds are not called "in situ"."""
_BOTH = frozenset({"and", "or", "&", "with", "versus", "vs"})
_PLACING = frozenset({"of", "involving", "arising", "on", "at", "extending", "within", "low", "high", "nuclear", "grade"})
"""Words that may go on behind "in situ" without naming something else."""
_GAP = 3


class Invasiveness:
    """Gives tumours that have not invaded their own node.

    Args:
        plain: the key id and node of a form that needs no context, -1 and -1 where there is none.
        is_disease: whether a node is a disease.
    """

    def __init__(self, plain: Callable[[str], tuple[int, int]], is_disease: Callable[[int], bool]) -> None:
        self._plain = plain
        self._is_disease = is_disease

    def read(self, words: Sequence[str], found: Sequence[Found]) -> list[Found]:
        """``found`` with tumours in situ and hardly invasive ones in place of invasive ones."""
        result: list[Found] = []
        for k, item in enumerate(found):
            if item[3] >= 0 and self._is_disease(item[3]) and "situ" not in words[item[0]:item[1]]:
                limit = found[k + 1][0] if k + 1 < len(found) else len(words)
                item = self._before(words, item) or self._behind(words, item, limit) or item
                while result and result[-1][1] > item[0]:
                    result.pop()
            result.append(item)
        return result

    def _before(self, words: Sequence[str], item: Found) -> Found | None:
        first, last = item[0], item[1]
        if not first:
            return None
        said = words[first:last]
        before = words[first - 1]
        if said[0] in _INVASIVE and len(said) > 1:
            if before in _HARDLY:
                keys = [f"{lead} {tail}" for tail in (" ".join(said[1:]), said[-1]) for lead in ("minimally invasive", "microinvasive")]
                return self._first(first - 1, last, keys)
            if before in _NOT_YET:
                return self._first(first - 1, last, self._in_situ(said[1:], ()))
        elif before in _BEFORE:
            return self._first(first - 1, last, [f"noninvasive {' '.join(said)}", *self._in_situ(said, ())])
        return None

    def _behind(self, words: Sequence[str], item: Found, limit: int) -> Found | None:
        """"Melanoma, in situ", "urothelial carcinoma, flat, in situ"."""
        last = item[1]
        high = min(len(words) - 1, last + _GAP + 2)
        at = next((k for k in range(last, high) if words[k] == "in" and words[k + 1] == "situ"), -1)
        if at < 0 or words[item[0]] in _INVASIVE or (at + 2 < len(words) and words[at + 2].isalpha() and words[at + 2] not in _PLACING):
            return None  # "in situ and invasive", "in situ component"
        between = words[last:at]
        if any(not (word == "," or word.isalpha()) or word in _BOTH or word in _INVASIVE for word in between) or (between and between[-1] != ","):
            return None
        kind = [word for word in between if word not in (",", "type", "flat")]
        if limit < at and kind:
            return None  # something else is named before it
        said = words[item[0]:last]
        wider = self._first(item[0] - 1, at + 2, [f"{' '.join(words[item[0] - 1:last])} in situ"]) if item[0] and words[item[0] - 1].isalpha() else None
        return wider or self._first(item[0], at + 2, self._in_situ(said, kind, named=True))  # "ductal carcinoma, in situ"

    def _in_situ(self, said: Sequence[str], kind: Sequence[str], *, named: bool = False) -> list[str]:
        """Names of the tumour in situ, the narrowest first."""
        if not named and not _OWN_NAMES.isdisjoint(said):
            return []
        whole = " ".join(word for word in said if word not in ("of", "the"))
        heads = [word for word in said if word in _HEADS]
        keys = [f"{' '.join(kind)} {whole} in situ"] if kind else []
        return [*keys, f"{whole} in situ", *(f"{head} in situ" for head in heads)]

    def _first(self, first: int, last: int, keys: Sequence[str]) -> Found | None:
        for key in keys:
            key_id, node = self._plain(key)
            if node >= 0 and self._is_disease(node):
                return first, last, key_id, node, "as far as it has invaded"
        return None


__all__ = ["WORDS", "Invasiveness"]
