"""Which organs a text is about, and the organ's own version of a general term.

"Adenocarcinoma" in a report on a colectomy is colon adenocarcinoma; its "serosa" is the serosa of the colon.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.automaton import State
    from pathkg.linking.lexicon import Lexicon

_PROCEDURE_WEIGHT = 3
_DISEASE_WEIGHT = 2
_ANATOMY_WEIGHT = 1
_DEPTH = 6
_MOST_FORMS = 40
_MOST_SITES = 2
_CALLED_SO = 1
"""Kinds of forms up to this one are names and exact synonyms."""
_UNIT = lcm(*(20 + 3 * depth for depth in range(_DEPTH)))
"""Each step up divides a vote by 0.15 more; in this unit every vote is a whole number, so sums do not depend on order."""

# tissues that occur in every report and say nothing of the organ
_EVERYWHERE = frozenset({
    "lymph node", "skin", "adipose tissue", "soft tissue", "blood vessel", "vein", "artery", "nerve", "skeletal muscle",
    "connective tissue", "bone", "blood", "lymphatic vessel", "surgical margin", "epithelium", "muscle", "stroma",
    "lymph node capsule", "mucosa", "serosa", "capsule", "smooth muscle", "axillary lymph node", "pelvic lymph node",
    "peripheral nerve", "subcutaneous tissue", "fat", "peritoneum", "omentum", "diaphragm", "bone marrow", "abdomen",
    "lymphoid tissue"})

PART_WORDS = frozenset({
    "capsule", "hilum", "pelvis", "mucosa", "submucosa", "serosa", "wall", "dome", "cortex", "medulla", "parenchyma",
    "muscularis propria", "apex", "base", "fundus", "body", "tail", "lobe", "upper lobe", "lower lobe",
    "middle lobe", "left lobe", "right lobe", "trigone", "isthmus", "cardia", "antrum", "pylorus", "septum", "sinus", "stroma",
    "corpus", "adventitia", "lamina propria", "posterior wall", "anterior wall", "lateral wall", "ligament",
    "subserosa", "ventricle", "canal", "tip", "anterior lobe", "posterior lobe", "gland", "glans", "calyx"})
"""Names of parts that many organs have."""


class OrganSense:
    """Organ weights of a text and organ-specific versions of nodes, with caches."""

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon, root: State, rule_organs: Iterable[str]) -> None:
        self.graph = graph
        self.lexicon = lexicon
        self._root = root
        self._relation = {name: code for code, name in enumerate(graph.relations)}
        self._type = graph.node_types
        self._votes: dict[int, tuple[tuple[int, int], ...]] = {}
        self._special: dict[tuple[str, int, int], int] = {}
        self._seats: dict[int, list[int]] = {}
        self._wider: dict[int, frozenset[int]] = {}
        self._organ_forms: dict[int, tuple[tuple[str, State | None], ...]] = {}
        organs = {index for index in map(graph.find_index, rule_organs) if index is not None}
        arises = self._relation.get("arises_in")
        if arises is not None:
            rows = (graph.arrays.edge_relation == arises).nonzero()[0]
            organs.update(graph.arrays.edge_object[rows].tolist())
        self._organs = frozenset(o for o in organs if graph.name(o) not in _EVERYWHERE)

    def votes_of(self, node: int) -> tuple[tuple[int, int], ...]:
        """Organs that one node speaks for, with their weight in units that keep sums exact."""
        found = self._votes.get(node)
        if found is None:
            found = self._votes[node] = self._vote(node)
        return found

    def _vote(self, node: int) -> tuple[tuple[int, int], ...]:
        kind = self._type[int(self.graph.arrays.node_type[node])]
        if kind == "anatomy":
            return self._closure([node], _ANATOMY_WEIGHT)
        if kind == "procedure":
            return self._closure(self._objects(node, ("removes",)), _PROCEDURE_WEIGHT)
        return self._closure(self.seats_of(node), _DISEASE_WEIGHT) if kind == "disease" else ()

    def seats_of(self, disease: int) -> list[int]:
        """Where a disease arises. One of many sites has no seat; the parts of one organ are one site."""
        known = self._seats.get(disease)
        if known is None:
            sites = self._wholes(self._objects(disease, ("arises_in",)))
            known = self._seats[disease] = sites if len(sites) <= _MOST_SITES else []
        return known

    def _objects(self, node: int, relations: tuple[str, ...]) -> list[int]:
        arrays = self.graph.arrays
        codes = {self._relation[r] for r in relations if r in self._relation}
        start, stop = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
        return [other for other, edge, flow in zip(
            arrays.neighbor[start:stop].tolist(), arrays.edge[start:stop].tolist(),
            arrays.flow[start:stop].tolist(), strict=True)
            if flow & 1 and int(arrays.edge_relation[edge]) in codes]

    def _wholes(self, sites: list[int]) -> list[int]:
        """``sites`` without those that are part of another of them."""
        if len(sites) < 2:
            return sites
        own = set(sites)
        return [site for site in sites if own.isdisjoint(self._above(site))]

    def _above(self, node: int) -> frozenset[int]:
        """What a node is part of or a kind of, up to the depth that counts."""
        known = self._wider.get(node)
        if known is not None:
            return known
        found: set[int] = set()
        level = [node]
        for _ in range(_DEPTH):
            level = [n for n in {other for at in level for other in self._objects(at, ("part_of", "is_a"))} if n not in found]
            found.update(level)
        known = self._wider[node] = frozenset(found - {node})
        return known

    def around(self, organs: list[int]) -> frozenset[int]:
        """``organs`` and all that they are part of."""
        return frozenset(organs).union(*map(self._above, organs))

    def _closure(self, nodes: list[int], weight: int) -> tuple[tuple[int, int], ...]:
        found: dict[int, int] = {}
        level = list(nodes)
        seen = set(level)
        for depth in range(_DEPTH):
            for node in level:
                if node in self._organs:
                    # the organ named beats the organs it is part of
                    found.setdefault(node, weight * _UNIT // (20 + 3 * depth))
            above = [other for node in level for other in self._objects(node, ("part_of", "is_a"))]
            level = [n for n in dict.fromkeys(above) if n not in seen]
            seen.update(level)
        return tuple(found.items())

    def organ_forms(self, organ: int) -> tuple[tuple[str, State | None], ...]:
        """Keys of the names and exact synonyms of an organ, short ones first, each with its place in the trie of forms."""
        known = self._organ_forms.get(organ)
        if known is None:
            from pathkg.linking.lexicon import variants

            table = self.graph.synonyms_table()
            rows = np.flatnonzero(_int32(table["node"]) == organ).tolist()
            forms = dict.fromkeys(key for row in rows for key in variants(table["form"][row].as_py()))
            ordered = sorted(forms, key=lambda f: (len(f), f))[:_MOST_FORMS]
            known = self._organ_forms[organ] = tuple([(form, self._root.walk(form)) for form in ordered])
        return known

    def special(self, key: str, node: int, organ: int, type_: str) -> int:
        """The organ's own node for a general term, else -1: ``adenocarcinoma`` + colon -> colon adenocarcinoma.

        Args:
            key: canonical tokens of the term in the text.
            node: the general node.
            organ: an organ node.
            type_: the node type that the answer must have.
        """
        # the same words may mean two nodes, and each has its own name to look for
        cached = self._special.get((key, node, organ))
        if cached is not None:
            return cached
        answer = self._special[(key, node, organ)] = self._find_special(key, node, organ, type_)
        return answer

    def _find_special(self, key: str, node: int, organ: int, type_: str) -> int:
        # few forms of an organ begin other forms, and few terms go on with "of": the trie tells at once
        terms = [(term, self._root.walk(f"{term} of")) for term in dict.fromkeys((key, _name_key(self.graph.name(node))))]
        for form, before in self.organ_forms(organ):
            for term, of in terms:
                for state in (before.walk(term) if before is not None else None, of.walk(form) if of is not None else None):
                    if state is None or state.key_id < 0:
                        continue
                    for other, kind, _ in self.lexicon.entries(state.key_id):
                        if other != node and kind <= _CALLED_SO and self.graph.type(other) == type_:
                            return other
        return -1


def _name_key(name: str) -> str:
    from pathkg.linking.tokens import form_key

    return form_key(name)


def _int32(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """An int32 column without nulls as numpy. Arrow's own ``to_numpy`` and comparisons would import pandas, which costs
    a new process a third of a second."""
    parts = [np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset:chunk.offset + len(chunk)]
             for chunk in column.chunks if len(chunk)]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)
