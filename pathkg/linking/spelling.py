"""Repairing tokens that the lexicon does not know: OCR confusions, slips of the pen, words torn apart.

Only a token that no form and no cue contains is touched, once per distinct token; the answer is cached by the
caller. A repair must lead to a word of the lexicon.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

if TYPE_CHECKING:
    from pathkg.linking.lexicon import Lexicon

# what scanners read for what was printed; each is tried alone and at every place
_CONFUSIONS = (("rn", "m"), ("m", "rn"), ("0", "o"), ("1", "l"), ("1", "i"), ("l", "i"), ("i", "l"), ("5", "s"),
               ("vv", "w"), ("cl", "d"), ("ii", "u"), ("u", "ii"), ("li", "h"), ("h", "li"), ("c", "e"), ("e", "c"),
               ("o", "c"), ("c", "o"), ("n", "r"), ("in", "m"), ("tn", "m"), ("8", "b"), ("6", "b"), ("f", "t"),
               ("t", "f"), ("o", "a"), ("g", "q"), ("q", "g"), ("y", "v"), ("v", "y"))
MIN_LENGTH = 5
"""Shorter tokens have too many neighbours."""

_TWO_EDITS_FROM = 10

# ordinary words one letter away from a word of the lexicon; they stay as they are
ORDINARY = frozenset((Path(__file__).with_name("ordinary_words.txt")).read_text(encoding="utf-8").split())


class Speller:
    """Finds the word of a lexicon that a misread token stands for."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon

    def knows(self, word: str) -> bool:
        return word in self.lexicon.words

    def repair(self, word: str) -> tuple[str, float] | None:
        """The intended word and a similarity in (0, 1), or ``None``.

        Args:
            word: a canonical token that the lexicon does not know.
        """
        if len(word) < MIN_LENGTH or word in ORDINARY or not any(c.isalpha() for c in word):
            return None
        best: tuple[float, int, str] | None = None
        for wrong, right in _CONFUSIONS:
            at = word.find(wrong)
            while at >= 0:
                candidate = word[:at] + right + word[at + len(wrong):]
                count = self.lexicon.count_of(candidate)
                if count:
                    item = (0.95, count, candidate)
                    if best is None or item > best:
                        best = item
                at = word.find(wrong, at + 1)
        digits = re.sub("[0]", "o", word).replace("1", "l").replace("5", "s")
        if best is None and digits != word and self.lexicon.count_of(digits):
            best = (0.95, 1, digits)
        if best is not None:
            return best[2], best[0]
        if not word.isalpha() or len(word) < MIN_LENGTH + 1:
            return None
        allowed = 2 if len(word) >= _TWO_EDITS_FROM else 1
        for candidate in self.lexicon.near_words(word):
            distance = OSA.distance(word, candidate, score_cutoff=allowed)
            if distance > allowed or (candidate[0] != word[0] and len(word) < _TWO_EDITS_FROM - 2):
                continue
            if _is_inflection(word, candidate):
                continue
            count = self.lexicon.count_of(candidate)
            item = (1.0 - distance / max(len(word), len(candidate)), count, candidate)
            if best is None or item > best:
                best = item
        return (best[2], best[0]) if best else None


def _is_inflection(word: str, candidate: str) -> bool:
    """Whether two words differ only in an ending or a prefix that changes the meaning, which is no misspelling."""
    shorter, longer = sorted((word, candidate), key=len)
    if longer.startswith(shorter[:-1]) and len(longer) - len(shorter) <= 2 and longer[-2:] in (
            "ed", "er", "ly", "al", "ic", "ng", "es", "or", "ve", "ty", "le", "ar", "on", "us", "ry"):
        return True
    return longer.endswith(shorter) and len(longer) - len(shorter) <= 2
