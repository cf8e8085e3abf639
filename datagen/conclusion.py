"""What a case comes to: the diagnosis, its organ and sites, and what else is said of the patient."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from datagen.findings import CaseFindings, Finding
from datagen.taxonomy import Taxonomy

GENERIC = frozenset({
    "MONDO:0005070", "MONDO:0004992", "MONDO:0024879", "MONDO:0004993", "MONDO:0040677", "MONDO:0004647",
    "MONDO:0000001", "MONDO:0005165", "MONDO:0021148"})
"""neoplasm, malignant neoplasm, metastatic carcinoma, carcinoma, invasive carcinoma, carcinoma in situ, disease,
benign neoplasm, female reproductive organ cancer: they classify, they do not diagnose."""

_NO_SITE = re.compile(r"margin|capsule|vein|arter|vessel|vascular|lymph|\bnodes?\b|groove|nerve|duct\b|sinus|"
                      r"^lobe of|pleura|muscularis|mucosa|serosa|dermis|membrane|canal\b|mesocolon|subcutaneous|nipple", re.IGNORECASE)
"""Anatomy that reports name to say whether the tumor reaches it, not where it sits."""

_SENTENCE = re.compile(r"(?:[^.;\n]|\.(?=\w))+")
_FREE = re.compile(r"\b(?:free|uninvolved|not|no|non|negative|without|unremarkable|normal|benign|absent|away|spared|spares|"
                   r"remaining|uninvaded|intact|from|distance|beyond|into)\b|unidentified|extend|extension|invad|invasion", re.IGNORECASE)

_TUMOR_WORD = re.compile(r"tumou?r|carcinoma|sarcoma|lymphoma|melanoma|neoplasm|lesion|mass\b|cancer|malignan|blastoma|"
                         r"glioma|cytoma|seminoma", re.IGNORECASE)
MALIGNANT = ("MONDO:0004992", "MONDO:0005070")

_MALIGNANT_NAME = re.compile(r"carcinoma|sarcoma|lymphoma|melanoma|blastoma|mesothelioma|seminoma|glioma|cytoma|malignan|"
                             r"leukemia|myeloma|germinoma", re.IGNORECASE)
NOT_AN_ORGAN = frozenset({"UBERON:0000029", "UBERON:0000062", "UBERON:0002405"})
"""Lymph node, organ, immune system: where metastases and lymphomas are, rarely what was removed for a tumour."""

_TISSUE_NAME = re.compile(r"\b(?:tissue|muscle|bone|skeleton|epithelium|mucosa|system)$", re.IGNORECASE)
"""Anatomy of many organs: the home of a tumour only where the tumour is known to arise in it."""

MIN_TUMORS_OF_ORGAN = 12
"""Anatomy in which the graph knows this many diseases to arise is taken for an organ."""

MAX_SITES = 2
MAX_BACKGROUND = 4


def choose_diagnosis(findings: CaseFindings, taxonomy: Taxonomy, recorded: frozenset[str]) -> Finding | None:
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


def choose_organ(findings: CaseFindings, diagnosis: Finding, taxonomy: Taxonomy) -> Finding | None:
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


def tumor_sites(findings: CaseFindings, organ: Finding | None, taxonomy: Taxonomy, text: str) -> tuple[Finding, ...]:
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


def background(findings: CaseFindings, diagnosis: Finding, taxonomy: Taxonomy) -> tuple[Finding, ...]:
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


def fits_organ(procedure: Finding, organ: Finding | None, taxonomy: Taxonomy) -> int:
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
