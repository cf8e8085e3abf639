"""Reading what a finding says about diseases off the graph: chains of edges, and their weight of evidence.

See :mod:`pathkg.paths.support` for the rules in words; the numbers are in ``support.json``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from pathkg.graph import FORWARD, KnowledgeGraph

_POSITIVE = re.compile(r"\b(positive|positivity|present|overexpression|amplified|retained|expression)\b")
_NEGATIVE = re.compile(r"\b(negative|negativity|absent|loss|lost|deficient)\b")
_BROADER_STEPS = 3
_INHERIT_STEPS = 2
_NODES_KEPT = 20_000
_RECORDED = 0.5
"""Relations of at least this strength count as recorded findings of a disease."""

_FINDING_TYPES = ("morphology", "effect/phenotype", "cell", "marker_result")
"""Recorded findings are counted together over these types, and for every other type apart."""

_FINDINGS = -1
"""The group of these types."""

Step = tuple[int, int]
"""Edge id, node index."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How a finding reaches a disease.

    Attributes:
        strength: of the chain; negative speaks against.
        steps: (edge id, node index) from the finding to the disease.
        own: the finding itself (or its marker) is recorded for the disease itself; ``node`` is that finding or marker.
        node: index of the node next to the first disease.
    """

    strength: float
    steps: tuple[Step, ...]
    own: bool = False
    node: int = -1


Weighed = tuple[float, tuple[Step, ...]]
"""Weight of evidence (powers of ten) and the steps it rests on."""

_Entry = tuple[int, int, bool, int, float]
"""Edge id, neighbour, whether walked forward, relation code, strength (negated edges with the sign turned)."""


class SupportReader:
    """Weighs what findings say about the diseases of one graph; see :mod:`pathkg.paths.support` for the rules."""

    def __init__(self, graph: KnowledgeGraph, rules: Mapping[str, Any] | None = None) -> None:
        self.graph = graph
        self._rules = rules or default_rules()
        strength = self._rules["relations"]
        self._strength = np.array([float(strength.get(r, 0.0)) for r in graph.relations] or [0.0])
        self._is_a, self._result_of, self._differential = (graph.relations.index(r) if r in graph.relations else -1
                                                           for r in ("is_a", "result_of", "differential_of"))
        self._known: dict[int, list[_Entry]] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._last: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
        disease = graph.node_types.index("disease") if "disease" in graph.node_types else -1
        self._type: list[int] = np.asarray(graph.arrays.node_type).tolist()
        self._is_disease: list[bool] = (np.asarray(graph.arrays.node_type) == disease).tolist()
        findings = {graph.node_types.index(t) for t in _FINDING_TYPES if t in graph.node_types}
        self._group = [_FINDINGS if t in findings else t for t in range(len(graph.node_types))]

    def scores(self, findings: Sequence[tuple[int, str]], avoid: frozenset[int] = frozenset()) -> dict[int, float]:
        """Score of every disease (node index) that the findings reach; findings are (node index, polarity)."""
        total: dict[int, float] = {}
        for node, polarity in findings:
            for disease, (weight, _) in self.weigh(node, avoid, absent=polarity == "-").items():
                total[disease] = total.get(disease, 0.0) + weight
        return {disease: weight + self.standing(disease, avoid) for disease, weight in total.items()}

    def standing(self, disease: int, avoid: frozenset[int] = frozenset()) -> float:
        """What is added once per case: a well-described diagnosis is met more often than a rarely described one."""
        recorded = self._n_recorded(disease, _FINDINGS, avoid) + self._rules["unrecorded"]
        return float(self._rules["well_described"]) * math.log10(recorded / self._rules["typical"])

    def weigh(self, finding: int, avoid: frozenset[int] = frozenset(), *, absent: bool = False) -> dict[int, Weighed]:
        """Weight of evidence of one finding for each disease it reaches, with the chain that gives it."""
        chains, n_direct = self._reach(finding, avoid, absent)
        rules = self._rules
        chance = rules["chance"] * ((n_direct + 1) / 10) ** rules["common"]
        marker = self.graph.type(finding) == "marker_result"
        seen = float(rules["seen_marker" if marker else "seen"])
        weights = {}
        for disease, chain in chains.items():
            if absent:
                missing = math.log10(1 - seen * min(1.0, abs(chain.strength)))
                weight = missing if chain.strength > 0 else -missing
            elif chain.strength < 0:
                weight = float(rules["against"]) * chain.strength
            else:
                recorded = rules["typical"]
                if chain.own:
                    group = self._group[self._type[chain.node]]
                    recorded = self._n_recorded(disease, group, avoid) + rules["unrecorded"]
                weight = math.log10(1 + chain.strength / recorded / chance)
            weights[disease] = weight, chain.steps
        return weights

    def _reach(self, finding: int, avoid: frozenset[int], absent: bool) -> tuple[dict[int, Chain], int]:
        """The strongest chain to each disease, and how many diseases are joined to the finding itself."""
        direct: dict[int, Chain] = {}
        for node, sign, strength, steps, kind in self._finding_side(finding, avoid, absent):
            for edge, other, _, _, value in self._entries(node, avoid):
                if value == 0.0 or (kind == "narrower" and value < 0) or not self._is_disease[other] or other == finding:
                    continue
                _keep(direct, other, Chain(value * sign * strength, (*steps, (edge, other)), kind == "own", node))
        reached = dict(direct)
        for disease, chain in direct.items():
            down = "passed_down" if absent or chain.strength < 0 else "inherited_from_parent"
            self._pass_down(reached, disease, chain, float(self._rules[down]), avoid, _INHERIT_STEPS)
        if not absent:
            self._from_relatives(reached, direct, avoid)
        return reached, sum(chain.own for chain in direct.values())

    def _pass_down(self, reached: dict[int, Chain], disease: int, chain: Chain, factor: float, avoid: frozenset[int],
                   steps: int) -> None:
        if steps == 0:
            return
        for edge, child, forward, relation, _ in self._entries(disease, avoid):
            if not forward and relation == self._is_a:
                longer = Chain(chain.strength * factor, (*chain.steps, (edge, child)), False, chain.node)
                _keep(reached, child, longer)
                self._pass_down(reached, child, longer, factor, avoid, steps - 1)

    def _from_relatives(self, reached: dict[int, Chain], direct: Mapping[int, Chain], avoid: frozenset[int]) -> None:
        """A disease is credited with the share of its kinds, of its parent's other kinds, and of its differential
        diagnoses for which the finding speaks; the chain shown is by way of the strongest of them."""
        rules = self._rules
        below: dict[int, list[tuple[int, Chain, Step]]] = {}
        beside: dict[int, list[tuple[int, Chain, Step]]] = {}
        for disease, chain in sorted(direct.items(), key=lambda item: (-item[1].strength, item[0])):
            if chain.strength <= 0:
                break
            ups, alike = set(), set()
            for edge, other, forward, code, _ in self._entries(disease, avoid):
                if code == self._is_a and forward and other != disease and other not in ups:
                    ups.add(other)
                    below.setdefault(other, []).append((disease, chain, (edge, other)))
                elif code == self._differential and self._is_disease[other] and other != disease and other not in alike:
                    alike.add(other)
                    beside.setdefault(other, []).append((disease, chain, (edge, other)))
        for parent, found in below.items():
            kinds: dict[int, int] = {}
            for edge, other, forward, code, _ in self._entries(parent, avoid):
                if code == self._is_a and not forward:
                    kinds.setdefault(other, edge)
            total = sum(chain.strength for _, chain, _ in found)
            _keep(reached, parent, _by_way_of(found[0], rules["known_of_subtype"] * total / len(kinds)))
            for other, edge in kinds.items():
                rest = [item for item in found[:2] if item[0] != other]
                if rest and len(kinds) > 1:
                    own = direct[other].strength if other in direct and direct[other].strength > 0 else 0.0
                    share = (total - own) / (len(kinds) - 1)
                    _keep(reached, other, _by_way_of(rest[0], rules["known_of_sibling"] * share, (edge, other)))
        for other, found in beside.items():
            alike = {neighbour for _, neighbour, _, code, _ in self._entries(other, avoid)
                     if code == self._differential and neighbour != other}
            total = sum(chain.strength for _, chain, _ in found)
            _keep(reached, other, _by_way_of(found[0], rules["known_of_differential"] * total / len(alike)))

    def _n_recorded(self, disease: int, group: int, avoid: frozenset[int]) -> int:
        """How many findings of a group of node types the graph records for a disease."""
        key = disease, group
        count = self._counts.get(key)
        touched = bool(avoid) and disease in self._touched(avoid)
        if count is None or touched:
            count = len({other for _, other, _, _, value in self._entries(disease, avoid)
                         if abs(value) >= _RECORDED and self._group[self._type[other]] == group})
            if not touched:
                self._counts[key] = count
        return max(1, count)

    def _finding_side(self, finding: int, avoid: frozenset[int], absent: bool
                      ) -> Iterator[tuple[int, int, float, tuple[Step, ...], str]]:
        """(node, sign, strength, steps, own | broader | narrower) of what stands for the finding."""
        known: dict[int, tuple[float, tuple[Step, ...], str]] = {finding: (1.0, (), "own")}
        layer = [] if absent else [finding]
        for _ in range(_BROADER_STEPS):
            upper = []
            for node in layer:
                strength, steps, _ = known[node]
                for edge, other, forward, relation, _ in self._entries(node, avoid):
                    if forward and relation == self._is_a and other not in known:
                        known[other] = strength * self._rules["broader_finding"], (*steps, (edge, other)), "broader"
                        upper.append(other)
            layer = upper
        kind = float(self._rules["absent_kind" if absent else "narrower_finding"])
        for edge, other, forward, relation, _ in self._entries(finding, avoid):
            if not forward and relation == self._is_a and other not in known:
                known[other] = kind, ((edge, other),), "narrower"
        for node, (strength, steps, name) in list(known.items()):
            yield node, 1, strength, steps, name
            for edge, other, forward, relation, _ in self._entries(node, avoid):
                if relation == self._result_of:
                    sign = result_sign(self.graph.name(node if forward else other))
                    if sign and other not in known:
                        yield other, sign, strength, (*steps, (edge, other)), name if name == "own" else "broader"

    def _entries(self, node: int, avoid: frozenset[int]) -> list[_Entry]:
        known = self._known.get(node)
        if known is None:
            arrays = self.graph.arrays
            here = slice(int(arrays.indptr[node]), int(arrays.indptr[node + 1]))
            edges = arrays.edge[here]
            relations = arrays.edge_relation[edges]
            values = self._strength[relations] * np.where(arrays.edge_negated[edges], -1.0, 1.0)
            known = list(zip(edges.tolist(), arrays.neighbor[here].tolist(), ((arrays.flow[here] & FORWARD) != 0).tolist(),
                             relations.tolist(), values.tolist(), strict=True))
            if len(self._known) >= _NODES_KEPT:
                self._known.clear()
            self._known[node] = known
        return [entry for entry in known if entry[0] not in avoid] if avoid and node in self._touched(avoid) else known

    def _touched(self, avoid: frozenset[int]) -> frozenset[int]:
        """The ends of the edges to avoid."""
        last = self._last
        if last[0] != avoid:
            arrays, edges = self.graph.arrays, sorted(avoid)
            ends = arrays.edge_subject[edges].tolist() + arrays.edge_object[edges].tolist()
            self._last = last = avoid, frozenset(ends)
        return last[1]


def _by_way_of(item: tuple[int, Chain, Step], strength: float, *further: Step) -> Chain:
    _, chain, step = item
    return Chain(strength, (*chain.steps, step, *further), False, chain.node)


def _keep(found: dict[int, Chain], node: int, chain: Chain) -> None:
    """Keep the finding's own edge before a detour, then the stronger chain; of equals the first."""
    old = found.get(node)
    if old is None or (chain.own, abs(chain.strength)) > (old.own, abs(old.strength) + 1e-12):
        found[node] = chain


def result_sign(name: str) -> int:
    """1 for a positive marker result, -1 for a negative one, 0 when the name does not tell.

    Example:
        >>> result_sign("CD10 positive"), result_sign("MLH1 loss of expression"), result_sign("Ki-67 high")
        (1, -1, 0)
    """
    if _NEGATIVE.search(name):
        return -1
    return 1 if _POSITIVE.search(name) else 0


@lru_cache(maxsize=1)
def default_rules() -> Mapping[str, Any]:
    """The strengths that ship with the package (``support.json``)."""
    text = (resources.files("pathkg.paths") / "support.json").read_text("utf-8")
    rules: Mapping[str, Any] = json.loads(text)
    return rules


@lru_cache(maxsize=4)
def reader_for(graph: KnowledgeGraph) -> SupportReader:
    """The shared reader of a graph."""
    return SupportReader(graph)
