"""Grade and stage categories of a case, and the findings that define them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from datagen.evidence import EvidenceFinder, Link
from datagen.findings import CaseFindings, Finding
from datagen.plan import Category
from datagen.taxonomy import Taxonomy

DEFINED_KINDS = ("pT", "pN", "pM")
_GRADE_VALUE = re.compile(r"\d|\b(?:low|high|intermediate|borderline)\b|differentiated|anaplastic|\b[IV]+\b", re.IGNORECASE)

_GRADE_COMPONENT = re.compile(r"tubule formation|mitotic (?:count|score|rate)|pleomorphism score|gleason pattern|nuclear score",
                              re.IGNORECASE)


def choose_categories(findings: CaseFindings, diagnosis: Finding, facts: Sequence[Finding], taxonomy: Taxonomy,
                      evidence: EvidenceFinder) -> tuple[Category, ...]:
    """One category of each kind that the text states: the whole grade before its parts, the organ's own system first."""
    chosen: dict[str, Finding] = {}
    staged = set(taxonomy.next(diagnosis.id, "stage_of", "backward"))
    usual = {g for n in (diagnosis.id, *sorted(taxonomy.above(diagnosis.id)))
             for g in taxonomy.next(n, "graded_by", "forward")}

    def rank(finding: Finding) -> tuple[bool, bool, int, bool, int]:
        # the whole grade before its parts, the organ's own system before any other
        systems = {finding.id, *taxonomy.above(finding.id)}
        return (finding.id in staged, bool(systems & usual), -_grade_part(finding.name), finding.headed, finding.count)

    for finding in findings.of_type("stage", "grade"):
        kind = category_kind(finding)
        if not kind or finding.assertion != "present":
            continue
        if kind not in chosen or rank(finding) > rank(chosen[kind]):
            chosen[kind] = finding
    order = ("grade", "pT", "pN", "pM", "stage")
    result = []
    for kind in order:
        if kind in chosen:
            # one finding decides a category of extent; a grade weighs several, so it stands as reported
            links = [k for k in evidence.links(facts, chosen[kind].id, stance="supports")
                     if k.relation == "defined_by" and k.finding.polarity == "+"] if kind in DEFINED_KINDS else []
            result.append(Category(kind, chosen[kind], tuple(links[:2]),
                                   any(_shared(k, chosen[kind], kind, taxonomy) for k in links[:2])))
    return tuple(result)


def _shared(link: Link, category: Finding, kind: str, taxonomy: Taxonomy) -> bool:
    system, kin = category.id.rsplit("-p", 1)[0], taxonomy.kin(category.id)
    defined = taxonomy.next(link.main_nodes[0].id, "defined_by", "backward")
    return any(n not in kin and n.rsplit("-p", 1)[0] == system and taxonomy.graph.node(n).name.startswith(kind) for n in defined)


def category_kind(finding: Finding) -> str:
    """``pT``, ``pN``, ``pM``, ``stage`` or ``grade``; empty for what names a system without giving a value.

    Example:
        >>> f = Finding("PATHKG:pt2a", "pT2a", "stage", "present", "+", 0, 4, "pT2a")
        >>> category_kind(f)
        'pT'
    """
    name = finding.name
    if finding.type == "stage":
        for kind in ("pT", "pN", "pM"):
            if kind in name and not name.endswith(("category", "X")):
                return kind
        return "stage" if "stage " in name.lower() and name.split()[-1].strip("ABCabc123") in {
            "I", "II", "III", "IV", "0", ""} else ""
    if finding.type == "grade":
        if name.lower().startswith(("clark", "breslow")):
            return ""  # depth of a melanoma, not how it looks
        return "grade" if _GRADE_VALUE.search(name) and _grade_part(name) < 2 else ""
    return ""


def _grade_part(name: str) -> int:
    """0 for a whole grade, 1 for a grade of the nuclei alone, 2 for a component that is no grade by itself."""
    return 2 if _GRADE_COMPONENT.search(name) else 1 if name.lower().startswith("nuclear grade") else 0
