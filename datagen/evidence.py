"""Evidence between two concepts: the graph path that a verifier will accept, ranked for telling it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datagen.findings import Finding
from pathkg.records import Path, PathEdge, PathNode
from pathkg.trajectory.evidence import HIERARCHY, READS_AS, GraphEvidence

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
CACHE_PAIRS = 200_000


@dataclass(frozen=True, slots=True)
class Link:
    """One finding, one conclusion, and the path between them. ``stance`` says how the finding, with its polarity,
    speaks: an absent finding speaks against what expects it."""

    finding: Finding
    target_id: str
    target_name: str
    target_type: str
    stance: str
    path: Path
    strength: float

    @property
    def relation(self) -> str:
        """The relation of the edge that carries the evidence (not of the is_a steps around it)."""
        return self.main_edge.relation

    @property
    def main_edge(self) -> PathEdge:
        for edge in self.path.edges:
            if edge.relation not in HIERARCHY and edge.relation not in READS_AS:
                return edge
        return self.path.edges[0]

    @property
    def main_nodes(self) -> tuple[PathNode, PathNode]:
        """The two ends of :attr:`main_edge`, in the order of the path."""
        at = self.path.edges.index(self.main_edge)
        return self.path.nodes[at], self.path.nodes[at + 1]

    def to_dict(self) -> dict[str, Any]:
        return {"finding": self.finding.to_dict(), "target": self.target_id, "target_name": self.target_name,
                "stance": self.stance, "strength": round(self.strength, 4), "words": self.path.explain(),
                "edges": [e.id for e in self.path.edges]}


class EvidenceFinder:
    """Links between findings and conclusions of one graph, memoised within bounds."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self._lookup = GraphEvidence(graph)
        self._links: dict[tuple[str, str], tuple[tuple[int, Path, float], ...]] = {}

    def links(self, findings: Iterable[Finding], target: str, *, stance: str) -> list[Link]:
        """Links of ``stance`` from ``findings`` to the node ``target``, strongest first."""
        name, kind = self.graph.name(target), self.graph.type(target)
        found: list[Link] = []
        for finding in findings:
            if finding.id == target:
                continue
            flip = -1 if finding.polarity == "-" else 1
            for sign, path, strength in self._paths(finding.id, target):
                if (sign * flip > 0) == (stance == "supports"):
                    found.append(Link(finding, target, name, kind, stance, path, strength))
                    break
        return sorted(found, key=lambda k: (-round(k.strength, 6), k.finding.start, k.finding.id))

    def _paths(self, source: str, target: str) -> tuple[tuple[int, Path, float], ...]:
        key = (source, target)
        known = self._links.get(key)
        if known is None:
            if len(self._links) > CACHE_PAIRS:
                self._links.clear()
                self._lookup = GraphEvidence(self.graph)
            known = tuple((c.sign, *self._path(source, c.edges)) for c in self._lookup.connections(source, target)
                          if c.sign)
            self._links[key] = known
        return known

    def _path(self, start: str, edges: tuple[int, ...]) -> tuple[Path, float]:
        graph = self.graph
        nodes = [PathNode(start, graph.name(start), graph.type(start))]
        walked: list[PathEdge] = []
        strength = 0.0
        for number in edges:
            edge = graph.edge(number)
            forward = edge.subject == nodes[-1].id
            other = edge.object if forward else edge.subject
            nodes.append(PathNode(other, graph.name(other), graph.type(other)))
            walked.append(PathEdge(number, edge.relation, edge.source, "forward" if forward else "backward",
                                   edge.negated))
            if edge.relation not in HIERARCHY and edge.relation not in READS_AS:
                strength = max(strength, STRENGTH.get(edge.relation, OTHER_RELATION))
        strength = strength or OTHER_RELATION
        strength -= PER_EXTRA_EDGE * (len(walked) - 1) + PER_LOG_DEGREE * math.log1p(graph.degree(start))
        return Path(tuple(nodes), tuple(walked), strength, {"strength": strength}), strength
