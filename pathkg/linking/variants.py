"""Names that say one thing in different words: "cardiac damage" and "heart disorder", "convulsive" and "convulsions".

Every word is brought to a class: words of one line of ``word_classes.tsv`` ("kidney", "renal"), else words with one
stem ("psychosis", "psychotic"). A phrase and a form are compared by the classes they share, each weighed by how
rare it is in the lexicon; side words ("sporadic", "severe", "of") weigh little, so that they may be missing on
either side. The words of a class are looked up in the postings of the lexicon, so only forms that share a rare
word are compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathkg.linking.lexicon import Lexicon
from pathkg.linking.tokens import canonical

_SIDE_WEIGHT = 0.12
_NUMBER_WEIGHT = 4.0
_HEAD_WEIGHT = 2.2
_OTHER_WORD = 0.92
"""What a shared class counts where the words differ: "renal" for "kidney" is right, the same word is safer."""

_MISSING_IN_FORM = 0.75
_MISSING_IN_PHRASE = 1.25
"""A form may leave out a modifier of the phrase (its concept is broader); one that adds words says more than the text."""

_MOST_FORMS = 3000
_PLAIN_HEADS = ("disorder", "disease")
_RAREST = 2

_ENDINGS = (
    ("opathies", "opath"), ("opathic", "opath"), ("opathy", "opath"), ("omatous", "om"), ("ematous", "ema"), ("edema", "edema"),
    ("ectatic", "ecta"), ("ectasia", "ecta"), ("plastic", "plas"), ("plasia", "plas"), ("trophic", "troph"), ("trophy", "troph"),
    ("kinesia", "kine"), ("kinetic", "kine"), ("kinesis", "kine"), ("tensive", "tens"), ("tension", "tens"), ("ptic", "p"), ("psy", "p"),
    ("iency", "ien"), ("ient", "ien"), ("lysis", "ly"), ("lytic", "ly"), ("lyzed", "ly"), ("itis", "it"), ("itic", "it"),
    ("osis", "o"), ("otic", "o"), ("emia", "em"), ("emic", "em"), ("uria", "ur"), ("uric", "ur"), ("esthesia", "esthe"), ("esthetic", "esthe"),
    ("plegia", "pleg"), ("plegic", "pleg"), ("algia", "alg"), ("algic", "alg"), ("cytic", "cyt"), ("oma", "om"),
    ("ication", ""), ("ations", ""), ("ation", ""), ("ition", "it"), ("ions", ""), ("ion", ""), ("ive", ""), ("ical", ""), ("iac", ""),
    ("ous", ""), ("ant", ""), ("ing", ""), ("ed", ""), ("es", ""), ("ic", ""), ("ia", ""), ("al", ""), ("y", ""), ("e", ""), ("is", ""))
_SHORTEST_STEM = 4
_COMPOUND = re.compile(r"([a-z]{3,}?o)(toxicity|toxic|pathy|pathic|protective)")


@dataclass(frozen=True, slots=True)
class Near:
    """A form near a phrase: key id, similarity in (0, 1], and its key."""

    key_id: int
    score: float
    form: str


def stem(word: str) -> str:
    """The part that a noun and its adjective share.

    Example:
        >>> stem("psychosis") == stem("psychotic"), stem("convulsive") == stem("convulsion"), stem("gland")
        (True, True, 'gland')
    """
    if len(word) <= _SHORTEST_STEM or not word.isalpha():
        return word
    for ending, kept in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(kept) >= _SHORTEST_STEM:
            return word[:len(word) - len(ending)] + kept
    return word


def _read_classes() -> tuple[dict[str, str], dict[str, str]]:
    """Class of each listed word, and kind of each class."""
    classes: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for line in Path(__file__).with_name("word_classes.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        kind, listed = line.split("\t")
        words = [canonical(word) for word in listed.split("|")]
        for word in words:
            name = f"{word}*" if kind == "side" else f"{words[0]}*"
            classes.setdefault(word, name)
            kinds.setdefault(name, kind)
    return classes, kinds


_CLASSES, _KINDS = _read_classes()


_NUMBERS = {word: str(value) for value, words in enumerate((
    "first i", "second ii", "third iii", "fourth iv", "fifth v", "sixth vi", "seventh vii", "eighth viii", "ninth ix", "tenth"), 1)
    for word in words.split()}


def class_of(word: str) -> str:
    """The class of a canonical word: a number's figure, its line in the table, else its stem.

    Example:
        >>> class_of("renal") == class_of("kidney"), class_of("manic") == class_of("mania")
        (True, False)
    """
    return _CLASSES.get(word) or _NUMBERS.get(word) or stem(word)


def is_head(word: str) -> bool:
    """Whether a word names a kind of trouble but not which ("lesion"), or is a side word."""
    return _KINDS.get(class_of(word)) in ("head", "side", "quality")


def is_organ(word: str) -> bool:
    """Whether a word names an organ or a part of the body, as noun or adjective."""
    return _KINDS.get(_CLASSES.get(word, "")) == "organ"


def is_trouble(word: str) -> bool:
    """Whether a word says that something is wrong, and hardly more ("damage", "anomaly", "tumor")."""
    return _CLASSES.get(word) in ("disorder*", "abnormality*", "tumor*")


def parts_of(words: Iterable[str]) -> list[str]:
    """``words`` with compounds of an organ and a harm taken apart ("cardiotoxicity").

    Example:
        >>> parts_of(["cardiotoxicity"]), parts_of(["thyroid"])
        (['cardio', 'toxicity'], ['thyroid'])
    """
    found: list[str] = []
    for word in words:
        match = _COMPOUND.fullmatch(word)
        if match and match[1] in _CLASSES:
            found += [match[1], "disorder" if match[2].startswith("path") else match[2]]
        else:
            found.append(word)
    return found


class VariantIndex:
    """Finds the forms of a lexicon that say what a phrase says. Made on first use: it lists the lexicon's words."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._members: dict[str, list[str]] | None = None
        self._weights: dict[str, float] = {}
        self._forms: dict[int, dict[str, str]] = {}

    def search(self, words: Sequence[str], *, least: float, limit: int = 5) -> list[Near]:
        """The forms nearest to ``words``, best first, none below ``least``."""
        asked = self._profile(parts_of(words))
        content = [c for c in asked if _KINDS.get(c) != "side" and any(ch.isalpha() for ch in c)]
        if not content:
            return []
        ranked: list[Near] = []
        for key_id in self._sharing(content):
            score = self._similarity(asked, self._form(key_id))
            if score >= least:
                ranked.append(Near(key_id, score, self.lexicon.forms.restore_key(key_id)))
        ranked.sort(key=self._rank)
        return ranked[:limit]

    def _words(self) -> dict[str, list[str]]:
        if self._members is None:
            members: dict[str, list[str]] = {}
            for word in self.lexicon.words.iterkeys():
                members.setdefault(class_of(word), []).append(word)
            self._members = members
        return self._members

    def _count(self, name: str) -> int:
        starts, words = self.lexicon.post_start, self.lexicon.words
        return sum(int(starts[words[word] + 1] - starts[words[word]]) for word in self._words().get(name, ()))

    def _weight(self, name: str) -> float:
        known = self._weights.get(name)
        if known is None:
            kind = _KINDS.get(name)
            if kind == "side":
                known = _SIDE_WEIGHT
            elif kind == "head":
                known = _HEAD_WEIGHT
            elif name.isdigit() or len(name) == 1:
                known = _NUMBER_WEIGHT
            else:
                known = max(1.5, math.log(self.lexicon.n_keys / (1 + self._count(name))))
            self._weights[name] = known
        return known

    def _profile(self, words: Iterable[str]) -> dict[str, str]:
        return {class_of(word): word for word in words if word[0].isalnum()}

    def _form(self, key_id: int) -> dict[str, str]:
        known = self._forms.get(key_id)
        if known is None:
            if len(self._forms) > 50_000:
                self._forms.clear()
            known = self._forms[key_id] = self._profile(parts_of(self.lexicon.forms.restore_key(key_id).split(" ")))
        return known

    def _sharing(self, content: Sequence[str]) -> list[int]:
        """Ids of the forms that hold one of the rarest classes of a phrase."""
        lexicon = self.lexicon
        counted = sorted((count, name) for name in content if (count := self._count(name)))
        keys: set[int] = set()
        for count, name in counted[:_RAREST]:
            if keys and count > _MOST_FORMS:
                break
            for word in self._words()[name]:
                number = lexicon.words[word]
                keys.update(lexicon.post_key[int(lexicon.post_start[number]):int(lexicon.post_start[number + 1])].tolist())
        return sorted(keys)

    def _rank(self, near: Near) -> tuple[float, bool, int, str]:
        # of equals the one without a particular kind of trouble
        return -round(near.score, 2), not any(w in near.form for w in _PLAIN_HEADS), len(near.form), near.form

    def _similarity(self, asked: dict[str, str], form: dict[str, str]) -> float:
        shared = missing = added = 0.0
        for name, word in asked.items():
            weight = self._weight(name)
            other = form.get(name)
            if other is None:
                missing += weight
            else:
                shared += weight * (1.0 if other == word else _OTHER_WORD)
                missing += weight * (0.0 if other == word else 1 - _OTHER_WORD)
        for name in form:
            if name not in asked:
                added += self._weight(name)
        whole = shared + _MISSING_IN_FORM * missing + _MISSING_IN_PHRASE * added
        return shared / whole if whole else 0.0
