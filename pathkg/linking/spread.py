"""How far a tumour has grown: the verb and the place it reaches name one finding, also in lists and with a depth.

"Invades into the perirenal fat" is invasion of the perinephric fat; "does not invade the capsule or renal sinus" denies two
invasions; "invading less than half of the myometrium" is its own finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.sentences import Found

_ALONE = frozenset({"invade", "invading", "invaded", "infiltrate", "infiltrating", "infiltrated", "penetrate", "penetrating"})
"""Verbs that take a place as object; with "into" or "through" as well. "Involving the rectum" may say where a tumor arose."""
_INTO = frozenset({"extend", "extending", "extended", "extension", "grow", "growing", "invasion", "infiltration", "penetration"})
"""Words that need "into" or "through" before the place (or "of", behind a noun)."""
_NOUNS = frozenset({"invasion", "infiltration", "extension", "penetration"})
_PASSIVE = frozenset({"invaded", "infiltrated", "penetrated"})
_NEITHER_VERBS = _PASSIVE | {"involved", "affected", "breached"}
_VERBS = _ALONE | {"extend", "extending", "extended", "grow", "growing"}
WORDS = _ALONE | _INTO | {"neither"}
"""Without one of these there is nothing to read in a sentence."""

_SKIPPED = frozenset({"the", "a", "an", "its", "adjacent", "underlying", "overlying", "surrounding", "right", "left", "focally", "directly", "either"})
_WAYS = frozenset({"into", "through", "of", "to", "beyond"})
_LIST = frozenset({",", "or", "nor", "and", "&", "the", "a", "an", "into", "of", "through", "either", "any", "its", "adjacent", "surrounding", "right", "left"})
_JOINERS = frozenset({"or", "nor", "and", "&"})
_BE = frozenset({"is", "are", "was", "were", "be", "been", "not"})
_REACH, _CLAUSE = 9, 12
_AROUND, _ARTICLES = frozenset({"surrounding", "adjacent"}), frozenset({"the", "a", "an", "its"})
_OTHER_SUBJECTS = frozenset({
    "inflammation", "inflammatory", "hemorrhage", "ulcer", "ulceration", "abscess", "fistula", "fibrosis", "endometriosis", "adenomyosis", "granulation",
    "diverticulum", "incision", "biopsy", "defect", "catheter", "suture", "lymphocyte", "lymphoid", "plasma", "neutrophil", "eosinophil", "macrophage", "histiocyte",
    "leukocyte", "edema", "scar", "tract", "benign", "crypt", "nevus", "perforation", "dissection", "hematoma", "tear", "granuloma", "exudate", "section", "specimen",
    "resection", "margin"})
"""What extends or infiltrates and is no tumor."""
_SUBJECT_REACH, _AGENT_REACH = 6, 5
_STEM = 4
_GAP = 4
_FILLERS = frozenset({"invasion", "involvement", "extension", "infiltration", "of", "into", "through", "the", "tissue", "soft", "fat", "adipose", "wall", "gland",
                      "perineural", "vascular", "venous", "lymphatic"})
"""Words of a finding's name that need not stand in the place."""

_DEPTH_WORDS = frozenset({"inner", "outer", "middle", "deep", "superficial", "half", "third", "one", "two", "less", "more", "greater", "than", "full", "thickness",
                          "50", "%", "<", ">", "the", "of", "most", "only", "entire", "approximately", "myometrial", "upper", "lower", "in"})
_DEEPER = re.compile(r"\b(?:outer|deep|more than|greater than|> 50|full thickness|entire)\b")
_LESS = re.compile(r"\b(?:inner|superficial|less than)\b|< 50")
_MIDDLE = re.compile(r"\bmiddle\b")
_DEPTHS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple((re.compile(place), depth, name) for place, depth, name in (
    (r"myometrium$", _DEEPER, "myometrial invasion half or more"), (r"myometrium$", _LESS, "myometrial invasion less than half"),
    (r"cervical stroma$", _DEEPER, "full-thickness cervical stromal invasion"), (r"cervical stroma$", _MIDDLE, "middle third cervical stromal invasion"),
    (r"cervical stroma$", _LESS, "inner third cervical stromal invasion"),
    (r"^bladder muscularis propria$|detrusor", _DEEPER, "outer half muscularis propria invasion"),
    (r"^bladder muscularis propria$|detrusor", _LESS, "inner half muscularis propria invasion")))
"""Places with findings of their own for a depth, by the names of the place and the finding."""


LISTED = "its verb stands before"
"""How a place further on in a list was read: it shares the status of the verb's own mention before it."""
GROWN = "how far the tumor has grown"


class Spread:
    """Joins a verb of growth with its place.

    Args:
        graph: the graph.
        linked: the key id and node of "invasion of <words>", -1 and -1 where the lexicon has none.
        is_place: whether a node is a part of the body.
    """

    def __init__(self, graph: KnowledgeGraph, linked: Callable[[str, str], tuple[int, int]], is_place: Callable[[int], bool]) -> None:
        self.graph = graph
        self._linked = linked
        self._is_place = is_place
        self._of: dict[tuple[int, str], bool] = {}
        names = {name for _, _, name in _DEPTHS}
        self._nodes = {name: i for i, name in enumerate(graph.nodes_table()["name"].to_pylist()) if name in names}

    def read(self, words: Sequence[str], found: Sequence[Found]) -> list[Found]:
        """``found`` with the findings that verb and place make together."""
        result: list[Found] = []
        passive = self._neither(words) if "neither" in words else None
        objects = -1  # the end of the last place that a verb was found for
        for item in found:
            made: list[Found] = []
            before = result[-1] if result else None
            if before is not None and before[1] == item[0] and words[item[0]:item[1]] == ("fat",) and not WORDS.isdisjoint(words[before[0]:before[1]]) and (
                    words[before[1] - 1] not in _NOUNS and not self._is_place(before[3])):
                result[-1] = (before[0], item[1], *before[2:])  # "extends into the renal sinus fat"
                continue
            if words[item[0]] == "through" and item[0] > 3 and tuple(words[item[0] - 3:item[0]]) == ("into", "but", "not"):
                made = self._into(words, item)
            elif words[item[0]] in _VERBS and not _OTHER_SUBJECTS.isdisjoint(words[max(0, item[0] - 2):item[0]]) and words[item[1] - 1] not in _NOUNS:
                continue  # "inflammation extends into the submucosa"
            elif item[3] >= 0 and self._is_place(item[3]):
                if passive is not None and passive[0] < item[0] < passive[1]:
                    made = self._alone(words, item)
                elif result and self._goes_on(words, result[-1], item, is_object=objects == result[-1][1]):
                    made = self._alone(words, item, LISTED)
                else:
                    made = self._object(words, item) or self._subject(words, item)
            if made:
                objects = made[-1][1] if len(made) > 1 and made[-1] is item else -1
                while result and result[-1][1] > made[0][0]:
                    result.pop()
                result += made
            else:
                result.append(item)
        return result

    # -- what a place belongs to ---------------------------------------------------------------------------

    def _object(self, words: Sequence[str], item: Found) -> list[Found]:
        """The finding of a verb before its place: "invades the [outer half of the] myometrium"."""
        at = item[0] - 1
        low = max(0, at - _REACH)
        way = ""
        plain = True
        while at >= low:
            word = words[at]
            if word in _ALONE or word in _INTO:
                break
            if word in _WAYS and (plain or word != "of"):
                way = word
            elif word in _DEPTH_WORDS and word != "the":
                plain = False
            elif word not in _SKIPPED and word not in ("neither", "but", "not"):
                return []
            at -= 1
        if at < low or at < 0:
            return []
        verb = words[at]
        if verb in _INTO and way not in ("into", "through") and not (verb in _NOUNS and way == "of"):
            return []
        if not _OTHER_SUBJECTS.isdisjoint(words[max(0, at - _SUBJECT_REACH):at]):
            return []
        between = words[at + 1:item[0]]
        if "not" in between:
            if tuple(between[:4]) != ("into", "but", "not", "through"):
                return []
            first = at + 1 + between.index("through")
            key_id, node = self._named(words, item, through=True)
            return self._into(words, (first, item[1], key_id if node >= 0 else item[2], node if node >= 0 else item[3], item[4]))
        if way in ("to", "beyond"):
            return []
        node, key_id = self._deep(words, item, between)
        if node < 0:
            key_id, node = self._named(words, item, through=way == "through")
        if node < 0:
            return []
        if "neither" in between:
            return [(item[0], item[1], key_id, node, LISTED)]
        if verb in _NOUNS:
            return [(at, item[1], key_id, node, GROWN)]  # one name: "infiltration of the tunica muscularis"
        end = item[0]
        while words[end - 1] in _SKIPPED:
            end -= 1
        return [(at, end, key_id, node, GROWN), item]  # the place is there, whatever is said of the invasion

    def _into(self, words: Sequence[str], item: Found) -> list[Found]:
        """Both findings of "extends into but not through the muscularis propria", of which ``item`` is the second."""
        at = item[0] - 4
        place = [word for word in words[item[0] + 1:item[1]] if word not in _SKIPPED]
        if words[at] not in _ALONE and words[at] not in _INTO:
            return []
        key_id, node = self._linked("invasion", " ".join(place))
        return [] if node < 0 else [(at, at + 2, key_id, node, GROWN), item]

    def _subject(self, words: Sequence[str], item: Found) -> list[Found]:
        """The finding of a place that is invaded: "the inner third of the cervical stroma is invaded"."""
        at = item[1]
        while at < len(words) and words[at] in _BE:
            at += 1
        if at == item[1] or at >= len(words) or words[at] not in _PASSIVE or "not" in words[item[1]:at]:
            return []  # "is not invaded" keeps its words: it denies the place's finding already
        if not _OTHER_SUBJECTS.isdisjoint(words[at + 1:at + _AGENT_REACH]):
            return []  # "infiltrated by lymphocytes"
        node, key_id = self._deep(words, item, words[max(0, item[0] - _REACH):item[0]])
        if node < 0:
            key_id, node = self._named(words, item, through=False)
        return [item, (at, at + 1, key_id, node, GROWN)] if node >= 0 else []

    def _goes_on(self, words: Sequence[str], before: Found, item: Found, *, is_object: bool) -> bool:
        """Whether a place is the next object of the verb before: "invade the capsule, vein or renal sinus"."""
        gap = words[before[1]:item[0]]
        turned = gap[:2] == ("but", "not")  # "invades the muscle but not the fat"
        if not gap or len(gap) > _GAP or not all(word in _LIST for word in (gap[2:] if turned else gap)):
            return False
        if any(word in _AROUND and after in _ARTICLES for word, after in pairwise(gap)):
            return False  # "and surrounding the vesicles"
        inner = words[before[0]:before[1]]
        if before[4] != LISTED and not is_object and (WORDS.isdisjoint(inner) or inner[-1] in _NOUNS):
            return False
        if turned or not _JOINERS.isdisjoint(gap):
            return True
        # a comma goes on where the list is closed further on
        rest = words[item[1]:item[1] + _CLAUSE]
        stop = next((k for k, word in enumerate(rest) if word in (".", ";", ":", "but", "with")), len(rest))
        return any(word in _JOINERS and k and rest[k - 1] != "." for k, word in enumerate(rest[:stop]))

    def _neither(self, words: Sequence[str]) -> tuple[int, int] | None:
        """The tokens between "neither" and its verb: "neither the serosa nor the adnexa are involved"."""
        at = words.index("neither")
        stop = min(len(words), at + _CLAUSE)
        verb = next((k for k in range(at, stop) if words[k] in _NEITHER_VERBS and words[k - 1] in _BE), None)
        return None if verb is None or "nor" not in words[at:verb] else (at, verb)

    # -- which finding -------------------------------------------------------------------------------------

    def _alone(self, words: Sequence[str], item: Found, how: str = GROWN) -> list[Found]:
        """The invasion of a place, on the words of the place."""
        key_id, node = self._named(words, item, through=False)
        return [(item[0], item[1], key_id, node, how)] if node >= 0 else []

    def _named(self, words: Sequence[str], item: Found, *, through: bool) -> tuple[int, int]:
        """Key id and node of the invasion of a place, by the words of the text or its name."""
        place = " ".join(words[item[0]:item[1]])
        name = self.graph.name(item[3])
        if through:
            for said in (place, name):
                found = self._linked("invasion through", said)
                if found[1] >= 0:
                    return found
        bare = " ".join(word for word in words[item[0]:item[1]] if word not in _DEPTH_WORDS)
        # the organ's own part has its organ before the name of the part: "colonic muscularis propria"
        for said in dict.fromkeys((place, name, bare, name.partition(" ")[2])):
            found = self._linked("invasion", said) if said else (-1, -1)
            if found[1] >= 0 and self._is_of(found[1], f"{place} {name}"):
                return found
        return -1, -1

    def _is_of(self, node: int, place: str) -> bool:
        """Whether a finding is the invasion of this place and says no more: "bladder mucosal invasion" says more than the bladder."""
        known = self._of.get((node, place))
        if known is None:
            stems = {word[:_STEM] for word in place.split(" ")}
            known = self._of[node, place] = not self._is_place(node) and all(
                word in _FILLERS or word[:_STEM] in stems for word in self.graph.name(node).split(" "))
        return known

    def _deep(self, words: Sequence[str], item: Found, between: Sequence[str]) -> tuple[int, int]:
        """Node and key id of an invasion to a certain depth."""
        name = self.graph.name(item[3])
        said = " ".join([*between, *words[item[0]:item[1]]])
        for place, depth, finding in _DEPTHS:
            if place.search(name) and depth.search(said):
                return self._nodes.get(finding, -1), item[2]
        return -1, -1


__all__ = ["GROWN", "LISTED", "WORDS", "Spread"]
