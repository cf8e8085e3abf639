"""Evidence between findings and conclusions: the graph paths worth telling, ranked.

A path is: up to two steps up from the finding (``is_a``; ``result_of`` from a marker result to its marker), one edge
that carries the evidence, and up to two ``is_a`` steps down to the conclusion. This is a part of what
:func:`pathkg.trajectory.verify` accepts, so that what is planned here can be verified there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datagen.findings import Finding
from pathkg.records import Path, PathEdge, PathNode
from pathkg.trajectory.evidence import AGAINST, HIERARCHY, READS_AS, UNINFORMATIVE

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

STRENGTH = {
    "supports": 5.0, "opposes": 5.0, "defined_by": 5.0, "stains_positive_for": 4.2, "stains_negative_for": 4.2,
    "has_cytologic_feature": 4.0, "has_growth_pattern": 4.0, "has_morphology": 4.0, "has_genetic_alteration": 3.5,
    "has_stromal_feature": 3.2, "graded_by": 3.0, "stage_of": 2.5, "invades": 2.2, "spreads_to": 2.0,
    "precursor_of": 2.0, "has_prognostic_factor": 1.2, "associated_with": 1.5, "arises_in": 1.0}
"""How much a relation says about a diagnosis: what a pathologist counts in favour first, what is merely seen last."""

OTHER_RELATION = 1.0
PER_EXTRA_EDGE = 0.8
PER_LOG_DEGREE = 0.35
CLIMB = 2
MAX_TABLES = 3_000
MAX_CLIMBS = 20_000
SEEN_IN = frozenset({"has_morphology", "has_stromal_feature", "invades", "spreads_to", "associated_with"})
COMMON_DEGREE = 80
"""A finding that is merely seen in diseases, and has more edges than this, is characteristic of none (ulceration)."""
_EXTENT = re.compile(r"metasta|invasion|extension|hemorrhage|necrosis|inflammation|fibrosis", re.IGNORECASE)
"""Findings that say how far a tumor has come or how its surroundings react, not which it is."""
MAX_WAYS = 100_000
_NEGATIVE_RESULT = (" negative", " absent", " loss", " lost", " not expressed")

Edges = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """One finding, one conclusion, and the path between them. ``stance`` says how the finding, with its polarity,
    speaks: an absent finding speaks against what expects it. ``common``: many conclusions share the finding."""

    finding: Finding
    target_id: str
    target_name: str
    target_type: str
    stance: str
    path: Path
    strength: float
    main: int
    common: bool = False

    @property
    def main_edge(self) -> PathEdge:
        """The edge that carries the evidence (not the is_a steps around it)."""
        return self.path.edges[self.main]

    @property
    def relation(self) -> str:
        return self.main_edge.relation

    @property
    def main_nodes(self) -> tuple[PathNode, PathNode]:
        """The two ends of :attr:`main_edge`, in the order of the path."""
        return self.path.nodes[self.main], self.path.nodes[self.main + 1]

    def to_dict(self) -> dict[str, Any]:
        return {"finding": self.finding.to_dict(), "target": self.target_id, "target_name": self.target_name,
                "stance": self.stance, "strength": round(self.strength, 4), "words": self.path.explain(),
                "edges": [e.id for e in self.path.edges]}


_SHAPES = frozenset({"pattern", "growth", "change", "feature", "features", "architecture", "component", "differentiation", "morphology", "cytology", "nuclei",
                     "and", "of", "with"})
"""Words of a finding's name that no tumour is named for."""


def _words(name: str) -> frozenset[str]:
    return frozenset(name.lower().replace("-", " ").split())


def _stem(name: str) -> frozenset[str]:
    return _words(name) - _SHAPES


@dataclass(frozen=True, slots=True)
class _Way:
    """From a finding over the evidence edge: strength without the climb down, edges, and the edge's place in them."""

    strength: float
    edges: Edges
    main: int


class EvidenceFinder:
    """Links between findings and conclusions of one graph. Tables per finding are kept, within bounds."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        arrays = graph.arrays
        self._subject, self._object = arrays.edge_subject, arrays.edge_object
        self._relation, self._negated = arrays.edge_relation, arrays.edge_negated
        self._hierarchy = {i for i, r in enumerate(graph.relations) if r in HIERARCHY}
        self._reads_as = {i for i, r in enumerate(graph.relations) if r in READS_AS}
        self._silent = {i for i, r in enumerate(graph.relations) if r in UNINFORMATIVE} | self._hierarchy | self._reads_as
        self._against = {i for i, r in enumerate(graph.relations) if r in AGAINST}
        self._stains = {i for i, r in enumerate(graph.relations) if r in ("stains_positive_for", "stains_negative_for")}
        self._strength = [STRENGTH.get(r, OTHER_RELATION) for r in graph.relations]
        wanted = {i for i, t in enumerate(graph.node_types) if t in ("disease", "stage", "grade")}
        self._is_target = [int(t) in wanted for t in arrays.node_type.tolist()]
        self._tables: dict[int, dict[int, tuple[_Way | None, _Way | None]]] = {}
        self._climbs: dict[int, dict[int, Edges]] = {}
        self._books: dict[str, frozenset[str]] = {}
        self._siblings: dict[tuple[str, str, str], bool] = {}
        self._below: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._ways: dict[tuple[str, int, int], tuple[_Way, Path] | None] = {}

    def links(self, findings: Iterable[Finding], target: str, *, stance: str) -> list[Link]:
        """Links of ``stance`` (``supports`` or ``opposes``) from ``findings`` to a node, strongest first."""
        goal = self.graph.find_index(target)
        if goal is None:
            return []
        name, kind = self.graph.name(goal), self.graph.type(goal)
        found: list[Link] = []
        for finding in findings:
            best = self._known(finding, goal, stance)
            if best is not None:
                way, path = best
                at = self.graph.index(path.nodes[way.main].id)
                indptr = self.graph.arrays.indptr
                relation = self.graph.relations[int(self._relation[way.edges[way.main]])]
                common = relation == "associated_with" or _EXTENT.search(finding.name) is not None or (
                    relation in SEEN_IN and int(indptr[at + 1] - indptr[at]) > COMMON_DEGREE)
                found.append(Link(finding, target, name, kind, stance, path, way.strength, way.main, common))
        return sorted(found, key=lambda k: (-round(k.strength, 6), k.finding.start, k.finding.id))

    def books(self, disease: str) -> frozenset[str]:
        """The sources (``WHO-urinary-2022``) of a disease's own edges, or of its nearest class that has any."""
        if disease not in self._books:
            node, found = self.graph.find_index(disease), set[str]()
            for reached in () if node is None else self._climb(node, results=False):
                for _, edge in self._around(reached):
                    if int(self._relation[edge]) not in self._silent:
                        source = self.graph.sources[int(self.graph.arrays.edge_source[edge])].split("|")[0]
                        found |= {source} if source.startswith("WHO-") else set()
                if found:
                    break
            self._books[disease] = frozenset(found)
        return self._books[disease]

    def speaks(self, finding: Finding, target: str, *, stance: str) -> bool:
        """Whether a finding speaks for or against a node."""
        goal = self.graph.find_index(target)
        return goal is not None and self._known(finding, goal, stance) is not None

    def names_a_sibling(self, link: Link) -> bool:
        """Whether a finding that a class passes on belongs to another subtype, which is named for it: tall cells are typical of
        papillary thyroid carcinoma because of its tall cell variant, and say nothing for the follicular one."""
        finding, holder = (node.id for node in link.main_nodes)
        if holder == link.target_id:
            return False
        key = (finding, holder, link.target_id)
        known = self._siblings.get(key)
        if known is None:
            if len(self._siblings) > MAX_WAYS:
                self._siblings.clear()
            stem = _stem(self.graph.name(self.graph.index(finding)))
            kin = {link.target_id, *self.graph.ancestors(link.target_id), *self.graph.descendants(link.target_id)} if stem else set()
            known = self._siblings[key] = bool(stem) and any(
                stem <= words and other not in kin for other, words in self._named_below(holder))
        return known

    def _named_below(self, holder: str) -> list[tuple[str, frozenset[str]]]:
        """The kinds of a class with the words of their names."""
        if holder not in self._below:
            if len(self._below) > MAX_TABLES:
                self._below.clear()
            self._below[holder] = [(other, _words(self.graph.name(self.graph.index(other)))) for other in self.graph.descendants(holder)]
        return self._below[holder]

    def _known(self, finding: Finding, goal: int, stance: str) -> tuple[_Way, Path] | None:
        """The best way and its path, remembered: reports state the same few hundred findings."""
        side = 0 if (stance == "supports") == (finding.polarity == "+") else 1
        key = (finding.id, goal, side)
        try:
            return self._ways[key]
        except KeyError:
            if len(self._ways) > MAX_WAYS:
                self._ways.clear()
            way = self._best(finding.id, goal, side)
            known = self._ways[key] = None if way is None else (way, self._path(finding.id, way))
            return known

    def _best(self, finding: str, goal: int, side: int) -> _Way | None:
        start = self.graph.find_index(finding)
        if start is None or start == goal:
            return None
        table = self._table(start)
        best: _Way | None = None
        for node, walked in self._climb(goal, results=False).items():
            ways = table.get(node)
            way = ways[side] if ways else None
            if way is None:
                continue
            strength = way.strength - PER_EXTRA_EDGE * len(walked)
            if best is None or (strength, -len(way.edges)) > (best.strength, -len(best.edges)):
                best = _Way(strength, (*way.edges, *walked[::-1]), way.main)
        return best

    def _climb(self, start: int, *, results: bool) -> dict[int, Edges]:
        """Node -> edges of the walk up to it, breadth first."""
        key = start if results else -start - 1
        known = self._climbs.get(key)
        if known is not None:
            return known
        if len(self._climbs) > MAX_CLIMBS:
            self._climbs.clear()
        allowed = self._hierarchy | self._reads_as if results else self._hierarchy
        reached: dict[int, Edges] = {start: ()}
        frontier = [start]
        for _ in range(CLIMB):
            following: list[int] = []
            for node in frontier:
                for other, edge in self._around(node):
                    if other not in reached and int(self._subject[edge]) == node and int(self._relation[edge]) in allowed:
                        reached[other] = (*reached[node], edge)
                        following.append(other)
            frontier = following
        self._climbs[key] = reached
        return reached

    def _around(self, node: int) -> Iterable[tuple[int, int]]:
        arrays = self.graph.arrays
        low, high = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
        return zip(arrays.neighbor[low:high].tolist(), arrays.edge[low:high].tolist(), strict=True)

    def _table(self, start: int) -> dict[int, tuple[_Way | None, _Way | None]]:
        """Target node -> best way that speaks for it, best way that speaks against it."""
        known = self._tables.get(start)
        if known is not None:
            return known
        if len(self._tables) >= MAX_TABLES:
            self._tables.clear()
        graph = self.graph
        penalty = PER_LOG_DEGREE * math.log1p(int(graph.arrays.indptr[start + 1] - graph.arrays.indptr[start]))
        negative = graph.type(start) == "marker_result" and graph.name(start).lower().endswith(_NEGATIVE_RESULT)
        table: dict[int, tuple[_Way | None, _Way | None]] = {}
        for node, walked in self._climb(start, results=True).items():
            for other, edge in self._around(node):
                relation = int(self._relation[edge])
                if relation in self._silent or not self._is_target[other] or other == start:
                    continue
                against = relation in self._against or bool(self._negated[edge])
                if negative and (relation in self._stains or any(int(self._relation[e]) in self._reads_as for e in walked)):
                    against = not against  # what is known of a marker, or of an alteration, is denied by its negative result
                strength = self._strength[relation] - PER_EXTRA_EDGE * len(walked) - penalty
                old = table.get(other, (None, None))
                rival = old[1] if against else old[0]
                if rival is None or strength > rival.strength:
                    way = _Way(strength, (*walked, edge), len(walked))
                    table[other] = (old[0], way) if against else (way, old[1])
        self._tables[start] = table
        return table

    def _path(self, start: str, way: _Way) -> Path:
        graph = self.graph
        at = graph.index(start)
        nodes = [PathNode(start, graph.name(at), graph.type(at))]
        walked: list[PathEdge] = []
        for edge in way.edges:
            forward = int(self._subject[edge]) == at
            at = int(self._object[edge]) if forward else int(self._subject[edge])
            nodes.append(PathNode(graph.curie(at), graph.name(at), graph.type(at)))
            walked.append(PathEdge(edge, graph.relations[int(self._relation[edge])],
                                   graph.sources[int(graph.arrays.edge_source[edge])],
                                   "forward" if forward else "backward", bool(self._negated[edge])))
        return Path(tuple(nodes), tuple(walked), way.strength, {"strength": way.strength})
