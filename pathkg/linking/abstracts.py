"""What the longest match gets wrong or leaves over in abstracts, where every disease counts and no organ is at hand.

Reports are read by context rules of the core lexicon; big ontologies have none. Two things stand in for them:

* a short form means a node only if the text says so: it was defined so, or the node is named in full elsewhere. A short
  form that the text defines as something else is that;
* adjectives ("hypotensive"), usual wordings ("renal impairment") and a harm of an organ ("myocardial damage") are looked
  up where nothing longer was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pathkg.linking.grounding import WORDINGS, Candidate, Grounder
from pathkg.linking.lexicon import KINDS, bag_of
from pathkg.linking.sentences import Found, Sentence
from pathkg.linking.variants import is_organ, is_trouble, parts_of

_SHORT_ENOUGH = 3
"""Longer short forms have few other readings and count without support ("COPD"), if the text does not define them."""

_LONGEST_SHORT = 6
_SMALL = 4
_LONGEST_TYPE = 3
_ADJECTIVES = ("ive", "ic", "ics", "ous")
_SHORTEST_ADJECTIVE = 7
_LONGEST_WORDING = 4
_SURE = 0.75
_CACHE = 50_000


class AbstractReader:
    """Corrects the mentions of a text after the longest match."""

    def __init__(self, grounder: Grounder, silent: Callable[[int], bool], *, nested: bool) -> None:
        self.grounder = grounder
        self.silent = silent
        self.nested = nested
        self._adjectives: dict[str, Candidate | None] = {}

    def complete(self, words: Sequence[str], tokens: Sequence[str], found: Sequence[Found]) -> list[Found]:
        """``found`` in a sentence with what the longest match left over, and without its slips."""
        kept = [f for f in found if f[1] - f[0] > 1 or f[4] or not self._is_slip(words[f[0]], tokens[f[0]], f)]
        taken = {k for first, last, *_ in kept for k in range(first, last)}
        added: list[Found] = []
        i = 0
        while i < len(words):
            item = None if i in taken or not words[i][0].isalpha() else self._at(words, i, taken)
            if item is not None:
                added.append(item)
            i = item[1] if item is not None else i + 1
        typed = [self._with_type(words, f) for f in kept]
        return sorted({*typed, *added, *(kept if self.nested else ())})

    def _with_type(self, words: Sequence[str], found: Found) -> Found:
        """"Brachydactyly type C" as the type that some form names in another order."""
        last = found[1]
        if last + 1 >= len(words) or words[last] != "type" or len(words[last + 1]) > _LONGEST_TYPE or not words[last + 1].isalnum():
            return found
        lexicon = self.grounder.lexicon
        entries = [(key_id, e) for key_id in lexicon.keys_of_bag(bag_of(words[found[0]:last + 2])) for e in lexicon.entries(key_id)]
        named = [(key_id, e) for key_id, e in entries if words[last + 1] in lexicon.forms.restore_key(key_id).split(" ")]
        return (found[0], last + 2, named[0][0], named[0][1][0], "its type named in another order") if named else found

    def unsupported(self, sentences: Sequence[Sentence], found: Sequence[Sequence[Found]], meaning: Mapping[str, Found]
                    ) -> list[tuple[Found, ...]] | None:
        """The short forms of each sentence that mean something else in this text; ``None`` if there are none.

        Args:
            sentences: of the text.
            found: the mentions of each.
            meaning: the short forms that the text defines and the linker understood.
        """
        short = [tuple(f for f in here if f[1] - f[0] == 1 and _is_short(s.tokens[f[0]]))
                 for s, here in zip(sentences, found, strict=True)]
        if not any(short):
            return None
        defined = {d.short for s in sentences for d in s.defined}
        in_full = {f[3] for here, some in zip(found, short, strict=True) for f in here if f not in some}
        in_full |= {item[3] for item in meaning.values()}
        dropped = [tuple(f for f in some if f[3] not in in_full and (
            s.tokens[f[0]] in defined or len(s.tokens[f[0]]) <= _SHORT_ENOUGH)) for s, some in zip(sentences, short, strict=True)]
        return dropped if any(dropped) else None

    def _is_slip(self, word: str, token: str, found: Found) -> bool:
        """Whether one word is no mention although some form is written so: MONDO calls some tumours by their organ
        ("skin"), and short forms of several letters meet small words ("pre", "cold")."""
        if is_organ(word):
            return True
        return len(token) <= _SMALL and not token.isupper() and not any(
            node == found[3] and KINDS[kind] == "name" for node, kind, _ in self.grounder.lexicon.entries(found[2]))

    def _at(self, words: Sequence[str], i: int, taken: set[int]) -> Found | None:
        room = next((k for k in range(1, _LONGEST_WORDING + 1) if i + k > len(words) or i + k - 1 in taken), _LONGEST_WORDING + 1) - 1
        for length in range(room, 0, -1):
            part = words[i:i + length]
            best: Candidate | None = None
            if " ".join(part) in WORDINGS:
                best = next(iter(self.grounder.candidates(" ".join(part))), None)
            elif _is_trouble_of_a_place(part):
                best = next((c for c in self.grounder.candidates(" ".join(part)) if c.score >= _SURE), None)
            elif length == 1:
                best = self._single(part[0])
            if best is not None and not self.silent(best.node):
                return i, i + length, self.grounder.lexicon.forms.get(best.form, -1), best.node, best.how
        return None

    def _single(self, word: str) -> Candidate | None:
        """The disease of an adjective, or of a compound like "nephrotoxicity"."""
        if word in self._adjectives:
            return self._adjectives[word]
        found: Candidate | None = None
        if len(parts_of([word])) > 1:
            found = next((c for c in self.grounder.candidates(word) if c.score >= _SURE), None)
        elif len(word) >= _SHORTEST_ADJECTIVE and word.endswith(_ADJECTIVES) and not is_organ(word):
            found = self.grounder.noun_of(word)
        if len(self._adjectives) > _CACHE:
            self._adjectives.clear()
        self._adjectives[word] = found
        return found


def _is_trouble_of_a_place(words: Sequence[str]) -> bool:
    """"Renal abnormality", "central nervous system tumor", "anomaly of rib"."""
    if len(words) > 2 and words[1] == "of":
        return is_trouble(words[0]) and all(map(_is_place, words[2:])) and any(map(is_organ, words[2:]))
    return len(words) > 1 and is_trouble(words[-1]) and all(map(_is_place, words[:-1])) and any(map(is_organ, words[:-1]))


def _is_place(word: str) -> bool:
    return is_organ(word) or word in ("central", "peripheral", "system", "tract", "the", "arch", "inner", "outer", "middle")


def _is_short(token: str) -> bool:
    return 1 < len(token) <= _LONGEST_SHORT and token.isupper() and token.isalnum()
