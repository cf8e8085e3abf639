"""Repairing tokens that the lexicon does not know: OCR confusions, slips of the pen, words torn apart.

Only a token that no form and no cue contains is touched, once per distinct token; the answer is cached by the
caller. A repair must lead to a word of the lexicon.
"""

from __future__ import annotations

import re
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
_RARE = 0.5

# ordinary words one letter away from a word of the lexicon; they stay as they are
_ORDINARY = frozenset("""
about above across after again against along already among another appear appears areas around assess aware based
become been before begin being below beside better both brought called cannot care carried case center certain
chance change check clear close comes common comply could count course cover current data date dates days describe
done down draft drawn dried each early easily either else email enclose ends enough entire equal even ever every
exact except extra face faced facing fact fail fails failed false famous fast favorable feel field fills final find
finds first fits five fixed flow folds follow food force form formal former forms forth found four freely fresh from
full further gave general given gives good great green grips group grow hand hands hard have heard heavy help
here high hold home hospital hour house however human ideal image impact include indeed index inform informed inner inside
into issue items itself joined judge jury just keep kept kinds knew known label labels lack large last late later
laws lead leads least leave left legal less letter level light like limit limits line lined lines linear list live
local long longer look lower made main mainly make manner many mark marks match matter mean means measure media
medium meet mention method might mild mind minor minute miss mixed mode model moment month more most move much name
named narrow nature near nearby nearly need never next nine noise none normal north note noted notes notice number
oblong occur occurs offer often once only open order orders other others ought outer outline over page paged pages pair part
party pass passed past path patient people per phone phones photo piece pieces place places plain plan planes plate
please point points poor portion post power prefer present press prior private process proper prove provide pulled
pure purse push quick quite radio raise range rapid rate rather reach read reader ready real really reason receive
record refer refers relate release remain remains remote repeat reply report reports result results return review
right rigid room rough round route rules safe said same sample samples save says scale scope scored search seat second
section sections see seek seem seems seen self send sense sent separate series serve service seven several shaded shall
shape share shared sharp sheet shift short should show shown shows side sides sign signed signs similar simple since
single site sites size sized sizes slice sliced slices slide slides slight small smaller soft some soon sort sound
source south space spaces speak special spend split spoke spread staff stage staged stages stain stained stand start
state stated states status stay steps still stop stored story strict string strip strips strong study stuff style
subject submit such suite sure surface table take taken talk tank target task teach team tell tend term terms test
tested tests text than thank that their them then there these they thick thin thing things think third this those
though three through thus tied time times title today together told took topic total totally touch toward towards
trace track trade train treat tried trim true trust truth turn turned twice type types under unit units until upon
upper usage used useful user uses using usual value vary very view views visit visual void wait walk want warm was
water wave ways wear week weight well were what wheel when where which while white whole whom whose wide will wire
wires wish with within word words work would write writes written wrong year years yellow yield young your yours
relative selective elective effective objective reflective respective received relieved believed revealed concealed
content contents contest context contact intact exact extract distinct district instruct construct contract contrast
abstract attract detract retract subtract refract affect effect infect inject reject object eject select elect erect
direct detect protect project expect inspect respect suspect aspect prospect section action fraction faction friction
fiction diction addiction reduction production deduction seduction induction conduction construction destruction
instruction obstruction abstraction extraction subtraction attraction distraction traction contraction retraction
located allocated dedicated indicated medicated educated rotated related elated dilated diluted deleted depleted
completed competed repeated defeated treated created heated seated stated rated grated graded traded faded shaded
invoice device advice service notice practice police office officer offices proven provided providing divided dividing
sealing dealing healing feeling peeling wheeling smelling swelling telling selling spelling dwelling
""".split())  # fmt: skip


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
        if len(word) < MIN_LENGTH or word in _ORDINARY or not any(c.isalpha() for c in word):
            return None
        best: tuple[float, int, str] | None = None
        for wrong, right in _CONFUSIONS:
            at = word.find(wrong)
            while at >= 0:
                candidate = word[:at] + right + word[at + len(wrong):]
                if candidate in self.lexicon.words:
                    count = int(self.lexicon.word_count[self.lexicon.words[candidate]])
                    item = (0.95, count, candidate)
                    if best is None or item > best:
                        best = item
                at = word.find(wrong, at + 1)
        digits = re.sub("[0]", "o", word).replace("1", "l").replace("5", "s")
        if best is None and digits != word and digits in self.lexicon.words:
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
            count = int(self.lexicon.word_count[self.lexicon.words[candidate]])
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
