"""Making the plan of a case: what its findings tell together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from datagen.categories import category_kind, choose_categories
from datagen.conclusion import (
    GENERIC,
    MALIGNANT,
    background,
    choose_diagnosis,
    choose_organ,
    fits_organ,
    tumor_sites,
)
from datagen.differentials import weigh_differentials
from datagen.evidence import EvidenceFinder, Link
from datagen.findings import CaseFindings, Finding, Measure
from datagen.plan import EVIDENCE_TYPES, POSITIVE_MARGIN, SURGICAL_MARGIN, Plan
from datagen.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

VAGUE = frozenset({
    "PATHKG:tumor-size", "PATHKG:mass", "PATHKG:no-pathologic-abnormality", "PATHKG:morphologic-finding",
    "PATHKG:tumor-spread-finding", "PATHKG:margin-distance", "PATHKG:number-of-lymph-nodes-examined",
    "PATHKG:number-of-positive-lymph-nodes", "PATHKG:lesion", "PATHKG:treatment-effect", "PATHKG:nodule",
    "PATHKG:multiplicity", "PATHKG:tumor-focality", "PATHKG:growth-pattern", "PATHKG:tumor-growth-pattern",
    "PATHKG:metastasis", "PATHKG:margin-finding", "PATHKG:margin-cannot-be-assessed"})
"""Headings and measures that are linked like findings but state nothing by themselves ("metastasis": where?)."""

NODAL_METASTASES = re.compile(r"lymph node metastas|^(?:macro|micro)metastasis$|^isolated tumor cells$|"
                              r"^extra(?:nodal|capsular) extension$", re.IGNORECASE)
_SKIN_NAME = re.compile(r"\b(?:skin|dermal|dermis|epiderm\w*|cutaneous)\b", re.IGNORECASE)

_SKIN_HOME = re.compile(r"skin|melan|breast|nipple|vulva|penis|scrot|anal\b|anus|lip\b|eyelid|ear\b|head|neck|merkel", re.IGNORECASE)
_LABORATORY = re.compile(
    r"immunohisto|hybridi[sz]ation|sequencing|cytometry|cytogenetics|microscopy|polymerase|section|\bstain|examination|consultation|"
    r"decalcification|inking|therapy|transfusion|technique|cautery|\btest|imaging|tomography|autopsy|localization", re.IGNORECASE)
"""Procedures that look at a specimen, or treat a patient, and are no way to obtain one."""

_VAGUE_NAME = re.compile(
    r"^tumor size\b|\b(?:findings?|features?|status|size|count|tumor border|architectural pattern|deposit|in cytology)$"
    r"|\b(?:diameter|dimension|tumor extent|thickness|pattern of invasion|depth of (?:\w+ )?invasion)$"
    r"|^(?:percentage|number|residual non-neoplastic|pigment and)\b", re.IGNORECASE)
"""Names of classes of findings, and of measures, rather than of a finding."""

_BYSTANDER = re.compile(r"artifact|biopsy site|anthraco|granulation tissue|\bink|suture|foreign body|reactive|normocellular", re.IGNORECASE)
"""What a biopsy or a life leaves in a tissue: it is seen beside tumors and speaks for none."""

_NORMAL_NAME = re.compile(r"unremarkable|normal|benign|negative|uninvolved|confined|^no\b", re.IGNORECASE)
"""Findings of normal tissue: their absence is a slip of a reader, not something one looks for."""

MAX_SUPPORT = 6


def says_nothing(node: str, name: str) -> bool:
    """Whether a finding is only a heading or a measure: linked like a finding, it states nothing by itself.

    Example:
        >>> says_nothing("PATHKG:largest-basal-diameter", "largest basal diameter"), says_nothing("", "tumor necrosis")
        (True, False)
    """
    return node in VAGUE or _VAGUE_NAME.search(name) is not None


def build_plan(case_id: str, findings: CaseFindings, *, graph: KnowledgeGraph, evidence: EvidenceFinder,
               taxonomy: Taxonomy, recorded: Sequence[str] = (), text: str = "") -> Plan | None:
    """Plan a case.

    Args:
        case_id: goes into the plan.
        findings: of the case.
        graph: the graph.
        evidence: finder over the same graph.
        taxonomy: of the same graph.
        recorded: node ids of the diagnosis recorded beside the text, if any: of several candidate diagnoses in the
            report the one that agrees with the record is taken.
        text: of the case; sites are told only when a sentence of it puts the tumor there.

    Returns:
        The plan, or ``None`` when the text states no diagnosis that the graph knows.
    """
    diagnosis = choose_diagnosis(findings, taxonomy, frozenset(recorded))
    if diagnosis is None:
        return None
    organ = choose_organ(findings, diagnosis, taxonomy)
    categories = {category_kind(f): f for f in findings.of_type("stage") if f.assertion == "present"}
    telling = [f for f in findings.of_type(*EVIDENCE_TYPES, polarity=None)
               if not says_nothing(f.id, f.name) and _belongs(f, categories, organ, diagnosis)]
    # "necrosis" beside "no tumor necrosis": the general word says less than what is denied
    denied = {c for f in telling if f.polarity == "-" for c in taxonomy.above(f.id)}
    special = {c for f in telling if f.assertion == "present" for c in taxonomy.above(f.id)}
    present = tuple(f for f in telling if f.assertion == "present" and (f.id not in denied or f.id in special))
    # "no invasion" beside "perineural invasion" is said of two places; told together they contradict each other
    classes = {c for f in present for c in taxonomy.above(f.id)}
    absent = tuple(f for f in telling if f.polarity == "-" and f.id != POSITIVE_MARGIN
                   and not _NORMAL_NAME.search(f.name) and f.id not in classes)
    links = _telling_links(evidence.links((*present, *absent), diagnosis.id, stance="supports"), evidence, diagnosis)
    prognostic = [k for k in links if k.relation == "has_prognostic_factor" and k.finding.polarity == "+"]
    prognostic += [k for k in evidence.links(absent, diagnosis.id, stance="opposes")
                   if k.relation == "has_prognostic_factor"]
    # of "vascular invasion" and "extensive vascular invasion" only the special one is told
    support = _diverse([k for k in links if k.finding.polarity == "+" and k.relation != "has_prognostic_factor"
                        and k.finding.id not in classes and not _BYSTANDER.search(k.finding.name)], MAX_SUPPORT)
    fitting = [(fits_organ(f, organ, taxonomy), f) for f in findings.of_type("procedure") if not _LABORATORY.search(f.name)]
    procedures = [f for fit, f in sorted(fitting, key=lambda item: (-item[0], -item[1].count, item[1].start)) if fit]
    site = evidence.links((organ,), diagnosis.id, stance="supports") if organ else []
    return Plan(
        case_id, graph.hash, diagnosis, organ, procedures[0] if procedures else None, support,
        weigh_differentials(diagnosis, organ, (*present, *absent), findings, taxonomy, evidence),
        choose_categories(findings, diagnosis, present, taxonomy, evidence), tuple(prognostic[:3]), present, absent,
        _measures(findings.measures, categories, present), site[0] if site else None, diagnosis.assertion == "possible",
        tumor_sites(findings, organ, taxonomy, text), background(findings, diagnosis, taxonomy), _margin(findings))


def _margin(findings: CaseFindings) -> Finding | None:
    """The margins, where everything the report says of them agrees: as the finding "positive margin", or as the margin itself,
    whose span says that it is free. A report with a free and an involved margin has no one answer."""
    said = [m for m in findings.measures if m.kind == "margin"]
    if len({m.value for m in said}) != 1:
        return None
    positive, named = findings.by_id.get(POSITIVE_MARGIN), findings.by_id.get(SURGICAL_MARGIN)
    if said[0].value[0]:
        return positive if positive is not None and positive.polarity == "+" else None
    if named is None or named.polarity != "+" or (positive is not None and positive.polarity == "+"):
        return None
    return replace(named, start=said[0].start, end=said[0].end, text=said[0].text)


def _belongs(finding: Finding, categories: Mapping[str, Finding], organ: Finding | None, diagnosis: Finding) -> bool:
    """Whether a finding agrees with the stage the report gives, and with the organ: a form that says "M" or "retraction" is
    linked, but a report of pN0 has no nodal metastasis, one without M1 no distant one, and a kidney no skin."""
    if finding.polarity == "+":
        if finding.id == "PATHKG:distant-metastasis":
            return categories["pM"].name.endswith("1") if "pM" in categories else False
        if NODAL_METASTASES.search(finding.name):
            return "pN" not in categories or not categories["pN"].name.startswith("pN0")
    elif "pN" in categories and finding.id == "PATHKG:lymph-node-metastasis":
        return categories["pN"].name.startswith("pN0")
    home = f"{organ.name if organ else ''} {diagnosis.name}"
    return not _SKIN_NAME.search(finding.name) or bool(_SKIN_NAME.search(finding.text) or _SKIN_HOME.search(home))


def _measures(measures: Sequence[Measure], categories: Mapping[str, Finding], present: Sequence[Finding]
              ) -> tuple[Measure, ...]:
    """The measures without node counts that the nodal category or finding speaks against: they count another station."""
    positive = any(NODAL_METASTASES.search(f.name) for f in present)
    if "pN" in categories:
        positive = not categories["pN"].name.startswith("pN0")
    return tuple(m for m in measures if m.kind != "nodes" or (m.value[0] > 0) == positive)


def _telling_links(links: Sequence[Link], evidence: EvidenceFinder, diagnosis: Finding) -> list[Link]:
    """The links without those inherited from a class of another organ's book, or of the class because another subtype is named
    for the finding; those that hold of every tumor (a metastasis supports "malignant neoplasm") only where nothing else does."""
    books = evidence.books(diagnosis.id)
    fitting = [k for k in links if k.main_nodes[1].id == k.target_id or (
        (not books or not k.main_edge.source.startswith("WHO-") or k.main_edge.source in books)
        and k.relation != "precursor_of" and not evidence.names_a_sibling(k))]
    special = [k for k in fitting if k.main_nodes[1].id not in GENERIC and k.main_nodes[1].id not in MALIGNANT]
    return special or fitting


def _diverse(links: Sequence[Link], most: int) -> tuple[Link, ...]:
    """Strong links first, but each further one of the same relation or the same finding's family counts less."""
    chosen: list[Link] = []
    pool = list(links)
    while pool and len(chosen) < most:
        def gain(link: Link) -> float:
            same = sum(1 for c in chosen if c.relation == link.relation)
            return link.strength - 0.8 * same
        best = max(pool, key=lambda k: (round(gain(k), 6), -k.finding.start))
        pool.remove(best)
        chosen.append(best)
    return tuple(chosen)
