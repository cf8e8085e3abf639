"""Phrases that no list holds whole: "infiltration of the muscularis propria", "prostatic urethral margin"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pathkg.linking import invasiveness, spread
from pathkg.linking.tokens import form_key

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.lexicon import Lexicon

Found = tuple[int, int, int, int, str]

_LINKS = frozenset({"of", "in", "into", "to", "through", "within", "on"})
_SIDES = frozenset({"left", "right"})
_DETERMINERS = _SIDES | {"the", "a", "this"}
_MOST_GAP = 3
_AND = frozenset({"and", "or", "nor", "&", "/"})
_COLONS = frozenset({":", "="})
_SPREAD = frozenset({"invasion", "infiltration", "involvement", "extension", "penetration", "infiltrating", "invading",
                     "involving", "invades", "infiltrates", "tumor infiltration", "tumor invasion", "tumor extension"})
_SPREAD_NAMES = ("invasion", "involvement", "extension")
_TRIGGERS = spread.WORDS | invasiveness.WORDS


class Composer:
    """Joins neighbouring mentions that name one concept of the graph together."""

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon) -> None:
        self.graph = graph
        self.lexicon = lexicon
        self._margin = graph.find_index("PATHKG:surgical-margin")
        self._cancer = graph.find_index("MONDO:0004992")
        self._types = graph.arrays.node_type.tolist()
        self._type_name = graph.node_types
        self._known: dict[tuple[str, str], tuple[int, int]] = {}
        self._cancers: dict[int, tuple[int, int]] = {}
        self._spread = spread.Spread(graph, self._linked, self._is_place)
        disease = graph.node_types.index("disease") if "disease" in graph.node_types else -1
        self._invasiveness = invasiveness.Invasiveness(self._plain, lambda node: self._types[node] == disease)

    def join(self, words: Sequence[str], found: list[Found]) -> list[Found]:
        """``found`` with joined mentions in place of their parts."""
        result: list[Found] = []
        for item in found:
            if item[1] - item[0] > 1 and item[0] > 1 and words[item[0] - 1] in _AND:
                other = self._coordinated(words, item, result[-1] if result else None)
                if other is not None:
                    if result and result[-1][1] > other[0]:
                        result.pop()
                    result.append(other)
            if item[1] < len(words) and words[item[1]] in _COLONS and item[3] >= 0 and self._type_name[self._types[item[3]]] == "marker":
                item = self._pattern(words, item)
            if result:
                joined = self._pair(words, result[-1], item)
                if joined is not None:
                    result[-1] = joined
                    continue
            result.append(item)
        if not _TRIGGERS.isdisjoint(words):
            if not spread.WORDS.isdisjoint(words):
                result = self._spread.read(words, result)
            if not invasiveness.WORDS.isdisjoint(words):
                result = self._invasiveness.read(words, result)
        return result

    def _coordinated(self, words: Sequence[str], item: Found, before: Found | None) -> Found | None:
        """The first half of "lymphatic and vascular invasion", whose noun stands in the second."""
        end, head = item[0] - 1, words[item[1] - 1]
        for length in (3, 2, 1):
            start = end - length
            if start < 0 or (before is not None and before[0] < start < before[1]):
                continue
            if before is not None and before[0] <= start < before[1] and before[1] - before[0] > length:
                continue
            key_id = self.lexicon.forms.get(" ".join((*words[start:end], head)), -1)
            if key_id >= 0:
                plain = [e for e in self.lexicon.entries(key_id) if e[2] == 0]
                if plain and plain[0][0] != item[3]:
                    return start, end, key_id, plain[0][0], f"its noun {head!r} stands behind"
        return None

    def _pattern(self, words: Sequence[str], marker: Found) -> Found:
        """The marker with the pattern behind its colon: "p53: wild-type pattern". Plain results are read elsewhere."""
        first, last = marker[:2]
        for length in (3, 2, 1):
            behind = words[last + 1:last + 1 + length]
            if len(behind) < length or not behind[0][0].isalpha() or behind[-1] in ("positive", "negative"):
                continue
            key_id = self.lexicon.forms.get(" ".join((*words[first:last], *behind)), -1)
            plain = [e for e in self.lexicon.entries(key_id) if e[2] == 0] if key_id >= 0 else []
            if plain and self._type_name[self._types[plain[0][0]]] == "marker_result":
                return first, last + 1 + length, key_id, plain[0][0], "its pattern stands behind the colon"
        return marker

    def _pair(self, words: Sequence[str], left: Found, right: Found) -> Found | None:
        gap = right[0] - left[1]
        if gap == 0:
            # the margin of a place is one thing
            if right[3] == self._margin and self._margin is not None and left[3] >= 0 and self._is_place(left[3]):
                return left[0], right[1], right[2], right[3], "the margin of a place"
            if right[3] == self._cancer and right[3] is not None and left[3] >= 0 and self._is_place(left[3]):
                key_id, node = self._cancer_of(left[3])
                return (left[0], right[1], key_id, node, "cancer of a place") if node >= 0 else None
            return None
        if not 0 < gap <= _MOST_GAP or words[left[1]] not in _LINKS or not _DETERMINERS.issuperset(words[left[1] + 1:right[0]]):
            return None
        between = words[left[1] + 1:right[0]]
        key_id, node = -1, -1
        first = " ".join(words[left[0]:left[1]])
        if _SIDES.isdisjoint(between) or first in _SPREAD:  # the side of a tumour would be lost
            key_id, node = self._linked(first, " ".join(words[right[0]:right[1]]))
        if node < 0 and left[3] == self._cancer and words[left[1]] in ("of", "in") and right[3] >= 0 and self._is_place(right[3]):
            key_id, node = self._cancer_of(right[3])
        if node < 0:
            return None
        return left[0], right[1], key_id, node, "joined from its parts"

    def _cancer_of(self, place: int) -> tuple[int, int]:
        """Key id and node of the cancer of a place: of its own, or of the nearest place that it is part of ("cecal cancer" is
        colon cancer); -1 and -1 where the graph names none."""
        known = self._cancers.get(place)
        if known is None:
            known = (-1, -1)
            own = self.graph.curie(place)
            for curie in (own, *self.graph.ancestors(own, relations=("part_of", "is_a"))):
                known = self._linked("cancer", form_key(self.graph.name(self.graph.index(curie))))
                if known[1] >= 0:
                    break
            self._cancers[place] = known
        return known

    def _linked(self, left: str, right: str) -> tuple[int, int]:
        known = self._known.get((left, right))
        if known is None:
            heads = _SPREAD_NAMES if left in _SPREAD else (left,)
            known = (-1, -1)
            for head in heads:
                for key in (f"{head} {right}",) if left.endswith(" through") else (f"{right} {head}", f"{head} of {right}", f"{head} into {right}", f"{head} in {right}"):
                    known = self._plain(key)
                    if known[1] >= 0:
                        break
                if known[1] >= 0:
                    break
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[(left, right)] = known
        return known

    def _plain(self, key: str) -> tuple[int, int]:
        """Key id and node of a form that needs no context; -1 and -1 where there is none."""
        key_id = self.lexicon.forms.get(key, -1)
        plain = [e for e in self.lexicon.entries(key_id) if e[2] == 0] if key_id >= 0 else []
        return (key_id, plain[0][0]) if plain else (-1, -1)

    def _is_place(self, node: int) -> bool:
        return self._type_name[self._types[node]] in ("anatomy", "cell")
