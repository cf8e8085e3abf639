"""The peer: what the field uses. A dictionary of names and synonyms, longest match between word boundaries,
ignoring case, with a plural "s" allowed; no negation."""

from __future__ import annotations

import re
from collections.abc import Iterable


class DictionaryMatcher:
    """Longest match of any of ``forms`` (form, id) at word boundaries, left to right."""

    def __init__(self, forms: Iterable[tuple[str, str]]) -> None:
        self.owner: dict[tuple[str, ...], str] = {}
        self.longest: dict[str, int] = {}
        for form, curie in forms:
            words = tuple(_words(form))
            if not words or (len(words) == 1 and len(words[0]) < 3):
                continue
            self.owner.setdefault(words, curie)
            self.longest[words[0]] = max(self.longest.get(words[0], 0), len(words))

    def match(self, text: str) -> list[tuple[int, int, str]]:
        spans = [(m.start(), m.end(), m.group().lower()) for m in re.finditer(r"\w+", text)]
        found = []
        i = 0
        while i < len(spans):
            for length in range(min(self.longest.get(spans[i][2], 0) or self.longest.get(_singular(spans[i][2]), 0),
                                    len(spans) - i), 0, -1):
                words = tuple(s[2] for s in spans[i:i + length])
                curie = self.owner.get(words) or self.owner.get((*words[:-1], _singular(words[-1])))
                if curie:
                    found.append((spans[i][0], spans[i + length - 1][1], curie))
                    i += length - 1
                    break
            i += 1
        return found


def _words(form: str) -> list[str]:
    return re.findall(r"\w+", form.lower())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
