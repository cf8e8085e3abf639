"""Checking one claim of a step: does the graph, or the report, connect its two ends in the way it says?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pathkg.trajectory.categories import excluded_by, meant, own_kinds
from pathkg.trajectory.certificate import CheckedClaim, Evidence, Verdict
from pathkg.trajectory.claims import Claim
from pathkg.trajectory.evidence import LOCATION, Connection, GraphEvidence
from pathkg.trajectory.size_rules import obeys, read_span
from pathkg.trajectory.stated import StatedEvidence
from pathkg.trajectory.values import value_set

_QUANTITY = re.compile(r"\b(?:size|thickness|depth(?: of (?:\w+ )?invasion)?|diameter|dimension|extent|metastas[ie]s)$", re.IGNORECASE)
"""Findings that decide a category by a number: how thick, how large, how many."""


@dataclass(frozen=True, slots=True)
class ClaimChecker:
    """Checks claims against a report and a graph.

    Args:
        stated: the report; ``None`` without one.
        lookup: of the graph.
    """

    stated: StatedEvidence | None
    lookup: GraphEvidence

    def check(self, claim: Claim, *, measured: bool = False) -> CheckedClaim | None:
        """The checked claim; ``None`` for one that says too little to be called unsupported.

        Args:
            claim: the claim.
            measured: the step gives sizes or counts, and the report gives each of them.
        """
        source, target = claim.source, claim.target
        flip = -1 if source.polarity == "-" else 1
        # that a tumor is absent says nothing against the organ it would arise in
        connections = tuple(c for c in self.lookup.connections(source.id, target.id)
                            if not (claim.stance == "opposes" and c.sign * flip < 0 and c.relations & LOCATION))
        wanted = {"supports": 1, "opposes": -1, "mentions": 0}[claim.stance]
        agreeing = [c for c in connections if wanted in (0, c.sign * flip)]
        if agreeing:
            return self._by_graph(claim, agreeing[0], "the graph connects them")
        if wanted > 0 and target.type == "stage":
            decided = self._category(claim, flip, measured)
            if decided is not None:
                return decided
        if self.stated is not None and wanted >= 0 and source.polarity == "+":
            span = self.stated.together(self.lookup.below(source.id), self.lookup.below(target.id))
            if span is not None:
                return self._made(claim, "supported", "one sentence of the report states both", (span,))
        if self.stated is not None and wanted > 0 and source.polarity == "+" and not connections:
            # "the lesion" of a step is the lesion of the cervix that the report describes
            for narrower in self.stated.stated_among(self.lookup.below(source.id)):
                known = next((c for c in self.lookup.connections(narrower, target.id) if c.sign > 0), None)
                if known is not None:
                    return self._by_graph(claim, known, "the graph connects what the report states of this kind")
        if connections:
            return self._by_graph(claim, connections[0], "the graph knows only the opposite", "contradicted")
        if wanted == 0 or claim.compares:
            return None
        return self._made(claim, "unsupported", "neither graph nor report connects them")

    def _category(self, claim: Claim, flip: int, measured: bool) -> CheckedClaim | None:
        """A stage category by what defines it in the report's organ; by what excludes another one; by a number of the report."""
        source, target = claim.source, claim.target
        kinds = meant(target.id, source.id, self.stated, self.lookup)
        if flip > 0:
            for kind in kinds:
                known = next((c for c in self.lookup.connections(source.id, kind) if c.sign > 0), None)
                if known is not None:
                    return self._by_graph(claim, known, "the graph connects it with the category of this organ")
        elif kinds:
            other = excluded_by(source.id, kinds, self.lookup)
            if other:
                known = next(iter(self.lookup.connections(source.id, other)), None)
                if known is not None:
                    return self._by_graph(claim, known, "present, it would make another category")
        length = read_span(source.name) if flip > 0 else None
        if length is not None and obeys(length, kinds if self.stated is None else own_kinds(target.id, self.stated, self.lookup), self.lookup.graph):
            return self._made(claim, "supported", "the category is defined by this size")
        if measured and flip > 0 and _QUANTITY.search(source.name) and self.stated is not None:
            spans = tuple(e for e in map(self.stated.value, sorted(value_set(target.text))) if e)
            if spans:
                return self._made(claim, "supported", "the report gives this number and this category", spans)
        return None

    def _by_graph(self, claim: Claim, way: Connection, reason: str, verdict: Verdict = "supported") -> CheckedClaim:
        return self._made(claim, verdict, reason, (Evidence("graph", way.words, edges=way.edges),))

    @staticmethod
    def _made(claim: Claim, verdict: Verdict, reason: str, evidence: tuple[Evidence, ...] = ()) -> CheckedClaim:
        return CheckedClaim(claim.source.id, claim.target.id, claim.stance, claim.cue, verdict, reason, evidence)
