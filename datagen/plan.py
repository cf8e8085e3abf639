"""The plan of a case: what is concluded, from which findings, by which paths, and what speaks against the rest.

A plan is a value: it can be printed, compared and stored before a word is written. Writers, offline or LLM, only tell
what is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datagen.evidence import EvidenceFinder, Link
from datagen.findings import CaseFindings, Finding, Measure
from datagen.records import canonical_json, digest
from datagen.taxonomy import Taxonomy
from pathkg.records import Path

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

EVIDENCE_TYPES = ("morphology", "marker_result", "effect/phenotype")
GENERIC = frozenset({
    "MONDO:0005070", "MONDO:0004992", "MONDO:0024879", "MONDO:0004993", "MONDO:0040677", "MONDO:0004647",
    "MONDO:0000001", "MONDO:0005165", "MONDO:0021148"})
"""neoplasm, malignant neoplasm, metastatic carcinoma, carcinoma, invasive carcinoma, carcinoma in situ, disease,
benign neoplasm, female reproductive organ cancer: they classify, they do not diagnose."""

VAGUE = frozenset({
    "PATHKG:tumor-size", "PATHKG:mass", "PATHKG:no-pathologic-abnormality", "PATHKG:morphologic-finding",
    "PATHKG:tumor-spread-finding", "PATHKG:margin-distance", "PATHKG:number-of-lymph-nodes-examined",
    "PATHKG:number-of-positive-lymph-nodes", "PATHKG:lesion", "PATHKG:treatment-effect", "PATHKG:nodule",
    "PATHKG:multiplicity", "PATHKG:tumor-focality", "PATHKG:growth-pattern", "PATHKG:tumor-growth-pattern",
    "PATHKG:metastasis", "PATHKG:margin-finding", "PATHKG:margin-cannot-be-assessed"})
"""Headings and measures that are linked like findings but state nothing by themselves ("metastasis": where?)."""

POSITIVE_MARGIN, SURGICAL_MARGIN = "PATHKG:positive-margin", "PATHKG:surgical-margin"
NODAL_METASTASES = re.compile(r"lymph node metastas|^(?:macro|micro)metastasis$|^isolated tumor cells$|"
                              r"^extra(?:nodal|capsular) extension$", re.IGNORECASE)
_SKIN_NAME = re.compile(r"\b(?:skin|dermal|dermis|epiderm\w*|cutaneous)\b", re.IGNORECASE)
_SKIN_HOME = re.compile(r"skin|melan|breast|nipple|vulva|penis|scrot|anal\b|anus|lip\b|eyelid|ear\b|head|neck|merkel", re.IGNORECASE)
_LABORATORY = re.compile(
    r"immunohisto|hybridi[sz]ation|sequencing|cytometry|cytogenetics|microscopy|polymerase|section|\bstain|examination|consultation|"
    r"decalcification|inking|therapy|transfusion|technique|cautery|\btest|imaging|tomography|autopsy|localization", re.IGNORECASE)
"""Procedures that look at a specimen, or treat a patient, and are no way to obtain one."""

_VAGUE_NAME = re.compile(
    r"^tumor size\b|\b(?:findings?|features?|status|size|count|tumor border|architectural pattern|depth of invasion|deposit|in cytology)$"
    r"|^(?:percentage|number|residual non-neoplastic|pigment and)\b", re.IGNORECASE)
"""Names of classes of findings rather than of a finding."""
_BYSTANDER = re.compile(r"artifact|biopsy site|anthraco|granulation tissue|\bink|suture|foreign body|reactive|normocellular", re.IGNORECASE)
"""What a biopsy or a life leaves in a tissue: it is seen beside tumors and speaks for none."""
_NORMAL_NAME = re.compile(r"unremarkable|normal|benign|negative|uninvolved|confined|^no\b", re.IGNORECASE)
"""Findings of normal tissue: their absence is a slip of a reader, not something one looks for."""

_NO_SITE = re.compile(r"margin|capsule|vein|arter|vessel|vascular|lymph|\bnodes?\b|groove|nerve|duct\b|sinus|"
                      r"^lobe of|pleura|muscularis|mucosa|serosa|dermis|membrane|canal\b|mesocolon|subcutaneous|nipple", re.IGNORECASE)
"""Anatomy that reports name to say whether the tumor reaches it, not where it sits."""
_SENTENCE = re.compile(r"(?:[^.;\n]|\.(?=\w))+")
_FREE = re.compile(r"\b(?:free|uninvolved|not|no|non|negative|without|unremarkable|normal|benign|absent|away|spared|spares|"
                   r"remaining|uninvaded|intact|from|distance|beyond|into)\b|unidentified|extend|extension|invad|invasion", re.IGNORECASE)
_TUMOR_WORD = re.compile(r"tumou?r|carcinoma|sarcoma|lymphoma|melanoma|neoplasm|lesion|mass\b|cancer|malignan|blastoma|"
                         r"glioma|cytoma|seminoma", re.IGNORECASE)

_CLASS_NAME = re.compile(r"^(?:adenoma|lymphoma|sarcoma|leukemia|melanocytic neoplasm|neuroendocrine neoplasm|germ cell tumor|"
                         r"adenocarcinoma|borderline tumor|.*\bbenign\b.*|.*\b(?:neoplasm|disease|disorder|cancer))$", re.IGNORECASE)
"""Classes that nobody weighs as a diagnosis of their own; they stand in only where no better rival is known."""

MALIGNANT = ("MONDO:0004992", "MONDO:0005070")
_MALIGNANT_NAME = re.compile(r"carcinoma|sarcoma|lymphoma|melanoma|blastoma|mesothelioma|seminoma|glioma|cytoma|malignan|"
                             r"leukemia|myeloma|germinoma", re.IGNORECASE)
TUMORS = ("MONDO:0005165", "MONDO:0021148")
_TUMOR_NAME = re.compile(r"tumou?r|neoplasm|oma\b|polyp|dysplasia|in situ", re.IGNORECASE)
NOT_AN_ORGAN = frozenset({"UBERON:0000029", "UBERON:0000062", "UBERON:0002405"})
"""Lymph node, organ, immune system: where metastases and lymphomas are, rarely what was removed for a tumour."""
_TISSUE_NAME = re.compile(r"\b(?:tissue|muscle|bone|skeleton|epithelium|mucosa|system)$", re.IGNORECASE)
"""Anatomy of many organs: the home of a tumour only where the tumour is known to arise in it."""

MIN_TUMORS_OF_ORGAN = 12
"""Anatomy in which the graph knows this many diseases to arise is taken for an organ."""

DEFINED_KINDS = ("pT", "pN", "pM")

MAX_SUPPORT = 6
MAX_DIFFERENTIALS = 3
MAX_CANDIDATE_DIFFERENTIALS = 40
MAX_SITES = 2
MAX_BACKGROUND = 4
MAX_AGAINST_EDGES = 3
"""Longer chains against a rival are true and say nothing ("a metastasis opposes every benign thing")."""


@dataclass(frozen=True, slots=True)
class Differential:
    """A diagnosis that was considered and is not the conclusion, with what speaks against it."""

    id: str
    name: str
    against: tuple[Link, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "against": [k.to_dict() for k in self.against]}


@dataclass(frozen=True, slots=True)
class Category:
    """A grade or stage category of the report, with the findings that define it in the graph, if any do. ``shared``: the
    finding is a criterion of other categories of the same organ as well, and does not decide between them."""

    kind: str
    finding: Finding
    defined_by: tuple[Link, ...] = ()
    shared: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "finding": self.finding.to_dict(),
                "defined_by": [k.to_dict() for k in self.defined_by]}


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module."""

    case_id: str
    graph_hash: str
    diagnosis: Finding
    organ: Finding | None
    procedure: Finding | None
    support: tuple[Link, ...]
    differentials: tuple[Differential, ...]
    categories: tuple[Category, ...]
    prognostic: tuple[Link, ...]
    present: tuple[Finding, ...]
    absent: tuple[Finding, ...]
    measures: tuple[Measure, ...] = ()
    site_link: Link | None = None
    tentative: bool = False
    sites: tuple[Finding, ...] = ()
    background: tuple[Finding, ...] = ()
    margin: Finding | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The ranked paths from findings to the diagnosis."""
        return tuple(k.path for k in self.support)

    @property
    def n_findings(self) -> int:
        """Linked findings that the trajectory can build on, the diagnosis included."""
        extra = [f for f in (self.diagnosis, self.organ, self.procedure) if f is not None]
        return (len(self.present) + len(self.absent) + len(self.categories) + len(extra) + len(self.sites)
                + len(self.background))

    def category(self, kind: str) -> Category | None:
        """The category of a kind: ``grade``, ``pT``, ``pN``, ``pM`` or ``stage``."""
        return next((c for c in self.categories if c.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "graph_hash": self.graph_hash, "diagnosis": self.diagnosis.to_dict(),
                "organ": self.organ.to_dict() if self.organ else None,
                "procedure": self.procedure.to_dict() if self.procedure else None,
                "support": [k.to_dict() for k in self.support],
                "differentials": [d.to_dict() for d in self.differentials],
                "categories": [c.to_dict() for c in self.categories],
                "prognostic": [k.to_dict() for k in self.prognostic],
                "present": [f.to_dict() for f in self.present], "absent": [f.to_dict() for f in self.absent],
                "sites": [f.to_dict() for f in self.sites], "background": [f.to_dict() for f in self.background],
                "margin": self.margin.to_dict() if self.margin else None,
                "measures": [m.to_dict() for m in self.measures], "tentative": self.tentative}

    @property
    def hash(self) -> str:
        """A hash of the plan's content."""
        return digest(canonical_json(self.to_dict()))

    def explain(self) -> str:
        """The plan for a person."""
        lines = [f"case {self.case_id}", f"diagnosis: {self.diagnosis.name} ({self.diagnosis.id})"
                 f" — report {self.diagnosis.text!r}"]
        if self.organ:
            lines.append(f"organ: {self.organ.name}")
        lines += [f"for      {k.strength:+5.2f}  {'no ' if k.finding.polarity == '-' else ''}{k.path.explain()}"
                  for k in self.support]
        for differential in self.differentials:
            lines += [f"against {differential.name}: {'no ' if k.finding.polarity == '-' else ''}{k.path.explain()}"
                      for k in differential.against]
        for category in self.categories:
            why = "; ".join(k.path.explain() for k in category.defined_by) or "as reported"
            lines.append(f"{category.kind}: {category.finding.name} ({why})")
        lines.append(f"present: {', '.join(f.name for f in self.present)}")
        lines.append(f"absent:  {', '.join(f.name for f in self.absent)}")
        return "\n".join(lines)


def diff_plans(old: Plan, new: Plan) -> list[str]:
    """What changed between two plans of one case, one line per change (``-`` gone, ``+`` new).

    Useful to see what an edit of the graph or the report does to the reasoning.
    """
    before, after = old.explain().splitlines(), new.explain().splitlines()
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after if line not in before]


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
    diagnosis = _diagnosis(findings, taxonomy, frozenset(recorded))
    if diagnosis is None:
        return None
    organ = _organ(findings, diagnosis, taxonomy)
    categories = {category_kind(f): f for f in findings.of_type("stage") if f.assertion == "present"}
    telling = [f for f in findings.of_type(*EVIDENCE_TYPES, polarity=None)
               if f.id not in VAGUE and not _VAGUE_NAME.search(f.name) and _belongs(f, categories, organ, diagnosis)]
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
    fitting = [(_fits_organ(f, organ, taxonomy), f) for f in findings.of_type("procedure") if not _LABORATORY.search(f.name)]
    procedures = [f for fit, f in sorted(fitting, key=lambda item: (-item[0], -item[1].count, item[1].start)) if fit]
    site = evidence.links((organ,), diagnosis.id, stance="supports") if organ else []
    return Plan(
        case_id, graph.hash, diagnosis, organ, procedures[0] if procedures else None, support,
        _differentials(diagnosis, organ, (*present, *absent), findings, taxonomy, evidence),
        _categories(findings, diagnosis, present, taxonomy, evidence), tuple(prognostic[:3]), present, absent,
        _measures(findings.measures, categories, present), site[0] if site else None, diagnosis.assertion == "possible",
        _sites(findings, organ, taxonomy, text), _background(findings, diagnosis, taxonomy), _margin(findings))


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
    """The links without those inherited from a class of another organ's book; those that hold of every tumor (a
    metastasis supports "malignant neoplasm") only where nothing else does."""
    books = evidence.books(diagnosis.id)
    fitting = [k for k in links if k.main_nodes[1].id == k.target_id or not books
               or not k.main_edge.source.startswith("WHO-") or k.main_edge.source in books]
    special = [k for k in fitting if k.main_nodes[1].id not in GENERIC and k.main_nodes[1].id not in MALIGNANT]
    return special or fitting


def _diagnosis(findings: CaseFindings, taxonomy: Taxonomy, recorded: frozenset[str]) -> Finding | None:
    """The disease that the text names as its conclusion: malignant before benign, headed before mentioned, special
    before general, at home in the organ that was removed, and in agreement with the record where there is one."""
    diseases = [f for f in findings.of_type("disease") if f.id not in GENERIC]
    sites = Counter({f.id: f.count for f in findings.of_type("anatomy")})
    most = max(sites.values(), default=1)
    stated = {f.id for f in diseases}
    ranked: list[tuple[float, int, Finding]] = []
    for finding in diseases:
        above = taxonomy.above(finding.id)
        malignant = any(m in above for m in MALIGNANT) or bool(_MALIGNANT_NAME.search(finding.name))
        score = min(finding.count, 4) * 0.5 + (2.0 if finding.headed else 0.0) + (3.0 if malignant else 0.0)
        score += min(len(above), 6) * 0.25 + min(taxonomy.graph.degree(finding.id), 120) / 60
        home = {s for n in (finding.id, *above) for s in taxonomy.next(n, "arises_in", "forward")}
        score += 2.0 * max((sites[s] / most for s in home), default=0.0)
        score -= 1.5 if finding.assertion == "possible" else 0.0
        score -= 2.5 if "in situ" in finding.name or "metasta" in finding.name else 0.0
        # a lesion that leads to another one in the same report is its background, not the conclusion
        score -= 2.5 if any(n in stated for n in taxonomy.next(finding.id, "precursor_of", "forward")) else 0.0
        score -= 1.0 if any(finding.id in taxonomy.above(other) for other in stated if other != finding.id) else 0.0
        if recorded & taxonomy.kin(finding.id):
            score += 6.0 if finding.id in recorded else 4.0
        ranked.append((score, -finding.start, finding))
    if not ranked:
        return None
    ranked.sort(key=lambda item: item[:2], reverse=True)
    # the class is chosen by all that speaks for it, but the conclusion is its most special form that is stated
    best = ranked[0][2]
    for _, _, finding in ranked:
        home = set(taxonomy.next(finding.id, "arises_in", "forward"))
        if (finding.assertion == "present" and best.id in taxonomy.above(finding.id)
                and (finding.headed or finding.count > 1) and (not home or any(sites[s] for s in home))
                and "in situ" not in finding.name and "metasta" not in finding.name):
            best = finding
    return best


def _organ(findings: CaseFindings, diagnosis: Finding, taxonomy: Taxonomy) -> Finding | None:
    """The organ of the specimen: where the diagnosis usually arises and the text has been, else where the text has
    been most among organs that tumours arise in."""
    usual: set[str] = set()
    for node in (diagnosis.id, *sorted(taxonomy.above(diagnosis.id))):
        usual.update(taxonomy.next(node, "arises_in", "forward"))
    removed = {r for p in findings.of_type("procedure") for n in (p.id, *taxonomy.above(p.id))
               for r in taxonomy.next(n, "removes", "forward")}
    best: tuple[tuple[int, bool, int, int], Finding] | None = None
    for finding in findings.of_type("anatomy"):
        if finding.id in NOT_AN_ORGAN:
            continue
        whole = taxonomy.above(finding.id, ("is_a", "part_of")) - {"UBERON:0000062"}
        level = 3 if finding.id in usual else 2 if usual & whole else 0
        if not level and not _TISSUE_NAME.search(finding.name) and len(taxonomy.next(finding.id, "arises_in", "backward")) >= MIN_TUMORS_OF_ORGAN:
            level = 1
        # of the organs a tumour may arise in, the one that was taken out: ureters are named in every cystectomy
        rank = (level, finding.id in removed or bool(removed & whole), finding.count, -finding.start)
        if level and (best is None or rank > best[0]):
            best = (rank, finding)
    return best[1] if best else None


def _sites(findings: CaseFindings, organ: Finding | None, taxonomy: Taxonomy, text: str) -> tuple[Finding, ...]:
    """Where in the organ the tumor is: parts of it that a sentence of the text names together with the tumor, and that
    no sentence calls free of it; the most often named first."""
    if organ is None:
        return ()
    negative = tuple(f.start for f in findings.of_type("disease", polarity="-") if f.start >= 0)
    sentences = [(m.start(), m.end()) for m in _SENTENCE.finditer(text)]
    parts = [f for f in findings.of_type("anatomy") if f.id != organ.id and f.assertion == "present"
             and organ.id in taxonomy.above(f.id, ("is_a", "part_of")) and not _NO_SITE.search(f.name)
             and _holds_tumor(f, text, sentences, negative)]
    return tuple(sorted(parts, key=lambda f: (-f.count, f.start))[:MAX_SITES])


def _holds_tumor(site: Finding, text: str, sentences: Sequence[tuple[int, int]], negative: Sequence[int]) -> bool:
    words = re.compile(rf"\b(?:{re.escape(site.text)}|{re.escape(site.name)})\b", re.IGNORECASE)
    found = False
    for start, end in sentences:
        said = text[start:end]
        if not words.search(said):
            continue
        if _FREE.search(said) or any(start <= n < end for n in negative):
            return False
        found = found or bool(_TUMOR_WORD.search(said))
    return found


def _background(findings: CaseFindings, diagnosis: Finding, taxonomy: Taxonomy) -> tuple[Finding, ...]:
    """Other conditions that the text states: those that are no tumour (cirrhosis, gliosis), which cannot give the
    diagnosis away, and precursors that are stated as absent."""
    kin = taxonomy.kin(diagnosis.id)
    found = []
    for finding in findings.of_type("disease", polarity=None):
        above = taxonomy.above(finding.id)
        tumor = any(m in above for m in MALIGNANT) or bool(_MALIGNANT_NAME.search(finding.name))
        if finding.id not in kin and finding.id not in GENERIC and not tumor and finding.assertion != "possible":
            found.append(finding)
    return tuple(found[:MAX_BACKGROUND])


def _fits_organ(procedure: Finding, organ: Finding | None, taxonomy: Taxonomy) -> int:
    """2 for a procedure that removes the organ (or a part or the whole of it), 1 for one whose target the graph does
    not know, 0 for one that removes something else."""
    removed = {r for n in (procedure.id, *taxonomy.above(procedure.id)) for r in taxonomy.next(n, "removes", "forward")}
    if not removed:
        return 1
    if organ is None:
        return 2
    relations = ("is_a", "part_of")
    near = {organ.id, *taxonomy.above(organ.id, relations)}
    return 2 if removed & near or any(organ.id in taxonomy.above(r, relations) for r in removed) else 0


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


def _differentials(diagnosis: Finding, organ: Finding | None, facts: Sequence[Finding], findings: CaseFindings,
                   taxonomy: Taxonomy, evidence: EvidenceFinder) -> tuple[Differential, ...]:
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
                or not _at_home(rival, homes, taxonomy, unknown=rivals[rival]):
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


def _at_home(disease: str, homes: Collection[str], taxonomy: Taxonomy, *, unknown: bool = True) -> bool:
    """Whether a disease arises in one of these places, a part or the whole of one; ``unknown`` where nothing is known."""
    sites = taxonomy.usual_sites(disease)
    if not sites or not homes:
        return unknown
    relations = ("is_a", "part_of")
    near = {h for home in homes for h in (home, *taxonomy.above(home, relations))} - NOT_AN_ORGAN
    return any(s in near or not taxonomy.above(s, relations).isdisjoint(homes) for s in sites)


def _categories(findings: CaseFindings, diagnosis: Finding, facts: Sequence[Finding], taxonomy: Taxonomy,
                evidence: EvidenceFinder) -> tuple[Category, ...]:
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


_GRADE_VALUE = re.compile(r"\d|\b(?:low|high|intermediate|borderline)\b|differentiated|anaplastic|\b[IV]+\b", re.IGNORECASE)
_GRADE_COMPONENT = re.compile(r"tubule formation|mitotic (?:count|score|rate)|pleomorphism score|gleason pattern|nuclear score",
                              re.IGNORECASE)


def _grade_part(name: str) -> int:
    """0 for a whole grade, 1 for a grade of the nuclei alone, 2 for a component that is no grade by itself."""
    return 2 if _GRADE_COMPONENT.search(name) else 1 if name.lower().startswith("nuclear grade") else 0
