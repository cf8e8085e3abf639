"""The diagnoses that were considered and are not the conclusion, with what speaks against them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from datagen.conclusion import GENERIC, MALIGNANT, NOT_AN_ORGAN
from datagen.evidence import EvidenceFinder
from datagen.findings import CaseFindings, Finding
from datagen.plan import Differential
from datagen.taxonomy import Taxonomy

_CLASS_NAME = re.compile(r"^(?:adenoma|lymphoma|sarcoma|leukemia|melanocytic neoplasm|neuroendocrine neoplasm|germ cell tumor|"
                         r"adenocarcinoma|borderline tumor|.*\bbenign\b.*|.*\b(?:neoplasm|disease|disorder|cancer))$", re.IGNORECASE)
"""Classes that nobody weighs as a diagnosis of their own; they stand in only where no better rival is known."""

TUMORS = ("MONDO:0005165", "MONDO:0021148")
_TUMOR_NAME = re.compile(r"tumou?r|neoplasm|oma\b|polyp|dysplasia|in situ", re.IGNORECASE)

MAX_DIFFERENTIALS = 3
MAX_CANDIDATE_DIFFERENTIALS = 40

MAX_AGAINST_EDGES = 3
"""Longer chains against a rival are true and say nothing ("a metastasis opposes every benign thing")."""


def weigh_differentials(diagnosis: Finding, organ: Finding | None, facts: Sequence[Finding], findings: CaseFindings,
                        taxonomy: Taxonomy, evidence: EvidenceFinder) -> tuple[Differential, ...]:
    """The rivals of a diagnosis that facts of the case speak against, the clearest first."""
    graph, kin = taxonomy.graph, taxonomy.kin(diagnosis.id)
    rivals: dict[str, bool] = {}
    for node in (diagnosis.id, *sorted(taxonomy.above(diagnosis.id))):
        for other in taxonomy.next(node, "differential_of"):
            rivals.setdefault(other, node == diagnosis.id)
        if len(rivals) >= MAX_CANDIDATE_DIFFERENTIALS:
            break
    homes = {organ.id} if organ is not None else set(taxonomy.usual_sites(diagnosis.id))
    found: list[tuple[float, Differential]] = []
    for rival in list(rivals)[:MAX_CANDIDATE_DIFFERENTIALS]:
        stated = findings.by_id.get(rival)
        if rival in kin or rival in GENERIC or (stated is not None and stated.polarity == "+") \
                or graph.type(rival) != "disease" or _CLASS_NAME.search(graph.name(rival)) \
                or not at_home(rival, homes, taxonomy, unknown=rivals[rival]):
            continue
        # what speaks against the rival must not speak against the diagnosis as well
        against = [k for k in evidence.links(facts, rival, stance="opposes")
                   if k.relation != "has_prognostic_factor" and k.path.length <= MAX_AGAINST_EDGES
                   and not evidence.speaks(k.finding, diagnosis.id, stance="opposes")][:2]
        if against:
            found.append((against[0].strength + 0.3 * (len(against) - 1),
                          Differential(rival, graph.name(rival), tuple(against))))
    found.sort(key=lambda item: (-round(item[0], 6), item[1].id))
    # tumors first: an inflammation is weighed only where no tumor is
    found = [item for item in found if _is_tumor(item[1].id, item[1].name, taxonomy)] or found
    chosen: list[Differential] = []
    used: set[str] = set()
    for _, differential in found:
        key = differential.against[0].finding.id
        if key in used and len(found) > MAX_DIFFERENTIALS:
            continue
        used.add(key)
        chosen.append(differential)
        if len(chosen) == MAX_DIFFERENTIALS:
            break
    return tuple(chosen)


def _is_tumor(disease: str, name: str, taxonomy: Taxonomy) -> bool:
    return _TUMOR_NAME.search(name) is not None or any(t in taxonomy.above(disease) for t in (*MALIGNANT, *TUMORS))


def at_home(disease: str, homes: Collection[str], taxonomy: Taxonomy, *, unknown: bool = True) -> bool:
    """Whether a disease arises in one of these places, a part or the whole of one; ``unknown`` where nothing is known."""
    sites = taxonomy.usual_sites(disease)
    if not sites or not homes:
        return unknown
    relations = ("is_a", "part_of")
    near = {h for home in homes for h in (home, *taxonomy.above(home, relations))} - NOT_AN_ORGAN
    return any(s in near or not taxonomy.above(s, relations).isdisjoint(homes) for s in sites)
