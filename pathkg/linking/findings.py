"""Structured findings of a report: what a synoptic summary would hold, each value with its evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pathkg.linking import counts, derived, lymph_nodes, margins, staging
from pathkg.linking.staging import Value
from pathkg.records import Assertion, LinkResult, Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.matcher import Linker

FIELDS = ("procedure", "site", "laterality", "histologic_type", "grade", "pT", "pN", "pM", "stage_group", "nodes_examined",
          "nodes_positive", "tumor_size_mm", "margins", "margin_distance_mm", "lymphovascular_invasion",
          "perineural_invasion", "ER", "PR", "HER2", "Ki-67", "markers")
"""The fields of :class:`ReportFindings`, in the order of a synoptic report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One value read from a report, and where it stands."""

    field: str
    value: Any
    start: int
    end: int
    text: str
    id: str = ""
    weight: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        return {"field": self.field, "value": self.value, "start": self.start, "end": self.end, "text": self.text,
                "id": self.id}


@dataclass(frozen=True, slots=True)
class ReportFindings:
    """The structured findings of one report: field name -> findings, the most certain first."""

    fields: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> tuple[Finding, ...]:
        return self.fields.get(name, ())

    def first(self, name: str) -> Any:
        """The value of the most certain finding of a field, or ``None``."""
        found = self.fields.get(name, ())
        return found[0].value if found else None

    def to_dict(self) -> dict[str, Any]:
        return {name: [f.to_dict() for f in found] for name, found in self.fields.items()}

    def explain(self) -> str:
        """Every field on a line, its values with the words they were read from; the same value once."""
        lines = []
        for name, found in self.fields.items():
            distinct = {str(f.value): f for f in reversed(found)}
            said = [f"{f.value} (from {f.text!r})" for f in found if distinct[str(f.value)] is f]
            lines.append(f"{name}: {'; '.join(said)}")
        return "\n".join(lines)


def extract_findings(text: str, *, linker: Linker, mentions: LinkResult | None = None) -> ReportFindings:
    """Structured findings of a report. Rule-based and offline; a field that the report does not state is absent.

    Args:
        text: the report.
        linker: links the mentions.
        mentions: the linked report, if it is there already.

    Example:
        >>> import pathkg
        >>> from pathkg.linking import linker_for
        >>> found = extract_findings("Colon, right hemicolectomy: adenocarcinoma, moderately differentiated. pT3 pN0. "
        ...                          "Metastasis in 0 of 14 lymph nodes.", linker=linker_for(pathkg.load()))
        >>> found.first("pT"), found.first("nodes_examined"), found.first("grade")["grade"]
        ('3', 14, 2)
    """
    result = mentions if mentions is not None else linker.link(text)
    # a full stop before a small letter is a lost line break; offsets stay as they are
    flat = re.sub(r"\.(?=\s+[a-z(])", " ", text)
    kinds = _kinds(linker.graph)
    read: list[tuple[str, Sequence[Value]]] = [
        ("grade", staging.grades(flat)), ("pT", staging.tnm(flat, "T")), ("pN", staging.tnm(flat, "N")),
        ("pM", staging.tnm(flat, "M")), ("stage_group", staging.stage_group(flat)),
        ("tumor_size_mm", counts.sizes(flat)), ("margin_distance_mm", margins.margin_distances(flat)), ("margins", margins.margin_status(flat))]
    examined, positive = lymph_nodes.node_counts(flat)
    read += [("nodes_examined", examined), ("nodes_positive", positive), *counts.receptors(flat, [m.start for m in result if m.type in _MARKER_TYPES and not m.name.startswith(_RECEPTOR_NAMES)]).items()]
    fields: dict[str, list[Finding]] = {
        name: [Finding(name, v.value, v.start, v.end, text[v.start:v.end], weight=v.weight) for v in values]
        for name, values in read if values}
    fields["histologic_type"] = _histologic_type(text, result, kinds)
    fields["procedure"] = _specific_first(_ranked("procedure", text, result, lambda m: m.type == "procedure" and m.id in kinds.removals),
                                          linker.graph)
    fields["site"] = _site(_ranked("site", text, result, lambda m: m.type == "anatomy" and m.id in kinds.organs),
                           fields["histologic_type"], linker.graph)
    fields["grade"] = _own_grade(fields.get("grade", []), fields["histologic_type"])
    fields["laterality"] = _laterality(text, result)
    fields["lymphovascular_invasion"] = _invasion("lymphovascular_invasion", result, kinds.vessels, kinds.large)
    fields["perineural_invasion"] = _invasion("perineural_invasion", result, kinds.nerves)
    fields["markers"] = [Finding("markers", {"marker": m.name, "result": m.value["result"]}, m.start, m.end, m.text, m.id)
                         for m in result if "result" in m.value]
    _complete(fields, flat)
    return ReportFindings({name: tuple(fields[name]) for name in FIELDS if fields.get(name)})


# -- what the graph says of the mentions ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Kinds:
    malignant: frozenset[str]
    organs: frozenset[str]
    removals: frozenset[str]
    vessels: Mapping[str, float]
    nerves: Mapping[str, float]
    large: frozenset[str]
    depth: Mapping[str, int]
    above: Mapping[str, frozenset[str]]


_MARKER_TYPES = frozenset({"marker", "marker_result", "gene/protein"})
_RECEPTOR_NAMES = ("estrogen receptor", "progesterone receptor", "HER2", "ERBB2", "Ki-67")
_TUMOUR_NAME = re.compile(r"oma\b|neoplasm|tumou?r|cancer|leuk|mesothelioma|malignan|histiocytosis|Paget|mycosis", re.I)
_STATUS_NODES = {"PATHKG:l0": False, "PATHKG:l1": True, "PATHKG:v0": False, "PATHKG:v1": True, "PATHKG:v2": True}
_NERVE_NODES = {"PATHKG:perineural-pn0": False, "PATHKG:perineural-pn1": True}
"""Categories that state an invasion: L1, V0, Pn1."""
_LARGE_VEIN = re.compile(r"\b(?:renal|portal|hepatic|splenic|mesenteric|pulmonary|jugular|vortex|iliac|gonadal|adrenal|axillary|femoral|azygos)\s+(?:vein|artery)"
                         r"|\bcava|\bcaval\b|great vessel|\baort", re.I)
"""Invasion of a vein or artery with a name is a finding of its own, and no lymphovascular invasion."""
_NOT_A_TUMOUR = re.compile(r"hematoma|granuloma|xanthoma|hamartoma|glaucoma|trachoma|stroma", re.I)


@lru_cache(maxsize=4)
def _kinds_of(graph: KnowledgeGraph) -> _Kinds:
    malignant = {c for root in ("MONDO:0004992", "MONDO:0005070") if root in graph for c in graph.descendants(root)}
    # the is_a edges of a core graph have gaps; a tumour's name tells as well
    malignant |= {graph.curie(i) for i in range(graph.n_nodes)
                  if graph.type(i) == "disease" and _TUMOUR_NAME.search(graph.name(i))
                  and not _NOT_A_TUMOUR.search(graph.name(i))}
    arises = [graph.neighbors(c, relation="arises_in", direction="forward") for c in sorted(malignant)]
    organs = frozenset(other for row in arises for _, other, _ in row)
    removals = frozenset(graph.curie(i) for i in range(graph.n_nodes) if graph.type(i) == "procedure"
                         and (graph.neighbors(graph.curie(i), relation="removes", direction="forward")
                              or re.search(r"ectomy|resection|excision|amputation|biopsy|exenteration", graph.name(i))))
    above = {c: frozenset(graph.ancestors(c)) for c in malignant}
    depth = {c: len(found) for c, found in above.items()}

    def weights(names: Mapping[str, float]) -> dict[str, float]:
        found = {}
        for slug, weight in names.items():
            curie = f"PATHKG:{slug}"
            if curie in graph:
                found[curie] = weight
                for below in graph.descendants(curie):
                    found.setdefault(below, weight - 0.1)
        return found

    vessels = weights({"lymphovascular-invasion": 3, "vascular-invasion": 2, "lymphatic-invasion": 2, "venous-invasion": 1.5,
                       "angioinvasion": 2, "small-vessel-invasion": 2, "large-vessel-invasion": 1.5})
    return _Kinds(frozenset(malignant), organs, removals, vessels,
                  weights({"perineural-invasion": 3, "neural-invasion": 2, "intraneural-invasion": 2}),
                  frozenset(curie for curie in vessels if _LARGE_VEIN.search(graph.name(curie))), depth, above)


def _kinds(graph: KnowledgeGraph) -> _Kinds:
    return _kinds_of(graph)


_ORGAN_NAMES = (("breast", r"breast|mammary"), ("colorectum", r"col(?:on|orectal|orectum)|rect(?:al|um)|cecum|sigmoid"),
                ("stomach", r"gastric|stomach"), ("esophagus", r"esophag"), ("pancreas", r"pancrea"),
                ("kidney", r"kidney|\brenal"), ("liver", r"hepat|liver"), ("prostate", r"prostat"),
                ("lung", r"lung|pulmonary"), ("thyroid", r"thyroid"))


_DEPTH = re.compile(r"(?:depth of invasion|extent of invasion|tumou?r extent|extension)\W+(?:invades\W+)?(submucos|lamina propria|mucosa)",
                    re.I)


def _complete(fields: dict[str, list[Finding]], text: str) -> None:
    """Complete pT and pN from size and node count where the organ's rule is by numbers."""
    said = " ".join(str(f.value) for name in ("histologic_type", "site") for f in fields.get(name, ())[:2])
    organ = next((organ for organ, pattern in _ORGAN_NAMES if re.search(pattern, said, re.I)), "")
    found = fields.get("pT")
    if found and found[0].value == "1" and organ in ("esophagus", "stomach"):
        depth = _DEPTH.search(text)
        if depth:
            value = "1b" if depth[1].lower().startswith("sub") else "1a"
            fields["pT"] = [replace(found[0], value=value), *found]
    sources = (("pN", "nodes_positive", derived.category_by_nodes),
               ("pT", "tumor_size_mm", derived.category_by_size))
    for name, number, rule in sources:
        counted = fields.get(number)
        if not counted:
            continue
        category = rule(organ, counted[0].value)
        if name == "pN" and organ == "breast" and category != "0":
            category = derived.breast_nodes(text, counted[0].value) or category
        if category is None:
            continue
        stated = [f for f in fields.get(name, ()) if f.weight >= 1 and f.value != "is"]
        if stated:
            # an earlier biopsy's category may stand beside this one's: the numbers tell which is which
            agreeing = [f for f in stated if f.value[:1] == category[:1]]
            if name == "pN" and agreeing and agreeing[0] is not stated[0]:
                stated = [agreeing[0], *(f for f in stated if f is not agreeing[0])]
                fields[name] = stated
            value = derived.refine(stated[0].value, category)
            if value != stated[0].value:
                first = stated[0]
                fields[name] = [Finding(name, value, first.start, first.end, first.text, weight=first.weight), *stated]
        elif name == "pN" or organ in ("breast", "thyroid", "kidney"):
            source = counted[0]
            fields[name] = [Finding(name, category, source.start, source.end, source.text, weight=0.5),
                            *fields.get(name, ())]


# -- fields from mentions ------------------------------------------------------------------------------------

_TYPE_LABEL = re.compile(r"(?:histolog(?:ic|ical)\s+(?:cell\s+)?type|type\s+of\s+carcinoma|tumou?r\s+type|histologic\s+diagnosis|type\s+of\s+tumou?r)"
                         r"[^:]{0,40}:[\s\-]*$", re.I)
_DIAGNOSIS_LABEL = re.compile(r"\bdiagnos[ie]s\b(?!\s+details)", re.I)
_SUBTYPE_SHARE = 0.2
_BENIGN = re.compile(r"adenoma\b|hyperplasia|cyst\b|polyp|nevus|metaplasia|hemangioma|lipoma|leiomyoma|papilloma", re.I)
_IN_SITU = re.compile(r"in situ|intraepithelial|dysplasia", re.I)
_METASTATIC = re.compile(r"metastatic|metastasis", re.I)


def _histologic_type(text: str, result: LinkResult, kinds: _Kinds) -> list[Finding]:
    scores: Counter[str] = Counter()
    best: dict[str, Mention] = {}
    label = [m.start() for m in _DIAGNOSIS_LABEL.finditer(text)]
    for mention in result:
        if mention.type != "disease" or mention.id not in kinds.malignant:
            continue
        if mention.assertion not in (Assertion.PRESENT, Assertion.POSSIBLE):
            continue
        weight = 1.0 + 0.12 * min(kinds.depth.get(mention.id, 0), 8)
        if mention.name in ("neoplasm", "malignant neoplasm", "benign neoplasm", "carcinoma"):
            weight *= 0.25
        before = text[max(0, mention.start - 70):mention.start]
        if _TYPE_LABEL.search(before):
            weight += 5
        if any(0 <= mention.start - at < 500 for at in label):
            weight += 1.5
        if text[mention.end:mention.end + 1] == ":":
            weight *= 0.4  # the title of a form
        if mention.assertion is Assertion.POSSIBLE:
            weight *= 0.5
        if _BENIGN.search(mention.name):
            weight *= 0.3
        if _IN_SITU.search(mention.name):
            weight *= 0.3
        if _METASTATIC.search(mention.name) or _METASTATIC.search(before[-14:]):
            weight *= 0.4
        scores[mention.id] += weight  # type: ignore[assignment]
        if mention.id not in best:
            best[mention.id] = mention
    ranked = sorted(scores, key=lambda c: (-scores[c], best[c].start))
    # a subtype of what leads is the better name, if it is said with some weight
    if ranked:
        lead = ranked[0]
        for other in ranked[1:]:
            if scores[other] >= _SUBTYPE_SHARE * scores[lead] and _is_subtype(kinds, best[lead], best[other]):
                ranked.remove(other)
                ranked.insert(0, other)
                lead = other
    return [Finding("histologic_type", best[c].name, best[c].start, best[c].end, best[c].text, c, weight=float(scores[c]))
            for c in ranked]


def _is_subtype(kinds: _Kinds, broad: Mention, narrow: Mention) -> bool:
    if _IN_SITU.search(narrow.name) or _METASTATIC.search(narrow.name) or _BENIGN.search(narrow.name):
        return False
    return broad.id in kinds.above.get(narrow.id, ()) or set(broad.name.split()) < set(narrow.name.split())


def _ranked(name: str, text: str, result: LinkResult, wanted: Callable[[Mention], bool]) -> list[Finding]:
    scores: Counter[str] = Counter()
    best: dict[str, Mention] = {}
    for position, mention in enumerate(m for m in result if m.assertion is Assertion.PRESENT and wanted(m)):
        scores[mention.id] += 3 if position < 2 else 1
        best.setdefault(mention.id, mention)
    return [Finding(name, best[c].name, best[c].start, best[c].end, best[c].text, c, weight=float(w))
            for c, w in sorted(scores.items(), key=lambda item: (-item[1], best[item[0]].start))]


_SIDE_SITE = re.compile(r"lymph node|capsule|vein|artery|vena cava|nerve|\brib\b|soft tissue|diaphragm|skeletal muscle|adipose|^skin$|peritoneum|omentum", re.I)


def _site(found: list[Finding], types: Sequence[Finding], graph: KnowledgeGraph) -> list[Finding]:
    """Sites with that where the tumor arises first, and what is sampled along last."""
    homes: set[str] = set()
    for kind in types[:1]:
        for node in (kind.id, *graph.ancestors(kind.id)):
            homes.update(other for _, other, _ in graph.neighbors(node, relation="arises_in", direction="forward"))
            if homes:
                break
    places = homes | {part for home in homes for part in graph.descendants(home, ("is_a", "part_of"))}

    def rank(finding: Finding) -> tuple[int, float]:
        return (0 if finding.id in places else 2 if _SIDE_SITE.search(finding.value) else 1), -finding.weight

    return sorted(found, key=rank)


def _own_grade(found: list[Finding], types: Sequence[Finding]) -> list[Finding]:
    """Grades without the Gleason score of an incidental tumor of the prostate in front."""
    if types and not re.search(r"prostat|acinar", types[0].value, re.I):
        return sorted(found, key=lambda f: f.value.get("system") == "Gleason")
    return found


_PLAIN_PROCEDURE = re.compile(r"(?:excisional |incisional |core needle |needle |open )?(?:biopsy|excision|resection|re-excision|procedure)|segmental resection|lymphadenectomy", re.I)
_SIDE_PROCEDURE = re.compile(r"biopsy|re-excision|skin excision|localization|appendectomy|omentectomy|cholecystectomy|dissection|sampling|aspiration", re.I)


def _specific_first(found: list[Finding], graph: KnowledgeGraph) -> list[Finding]:
    """Procedures with those that say what was removed before "excision", and a kind before what it is a kind of."""
    if len(found) < 2:
        return found
    above = {f.id: graph.ancestors(f.id) for f in found}

    def rank(finding: Finding) -> tuple[int, float]:
        # what a narrower name was said for counts for the narrower
        own = finding.weight + sum(f.weight for f in found if f.id in above[finding.id])
        side = 2 if _PLAIN_PROCEDURE.fullmatch(finding.value) else 1 if _SIDE_PROCEDURE.search(finding.value) else 0
        return side, -own

    ordered = sorted(found, key=rank)
    lead = ordered[0]
    for other in ordered[1:]:
        if lead.id in above[other.id] or set(lead.value.split()) < set(other.value.split()):
            ordered.remove(other)
            return [other, *ordered]
    return ordered


_SIDE = re.compile(r"\b(left|right|bilateral)\b", re.I)


def _laterality(text: str, result: LinkResult) -> list[Finding]:
    sides: Counter[str] = Counter()
    where: dict[str, tuple[int, int]] = {}
    for match in re.finditer(r"\b(?:laterality|side)\W{0,4}(left|right|bilateral)\b", text, re.I):
        sides[match[1].lower()] += 5
        where.setdefault(match[1].lower(), match.span(1))
    for mention in result:
        side = mention.value.get("laterality")
        if mention.type in ("disease", "morphology") and mention.polarity == "+":
            inside = _SIDE.search(mention.text)  # "adenocarcinoma of the left lung" is one mention
            side = inside[1].lower() if inside else None
        if side and mention.type in ("anatomy", "procedure", "disease", "morphology"):
            sides[side] += 1
            where.setdefault(side, (mention.start, mention.end))
    return [Finding("laterality", side, *where[side], text[slice(*where[side])], weight=float(n))
            for side, n in sorted(sides.items(), key=lambda item: (-item[1], where[item[0]]))]


def _invasion(name: str, result: LinkResult, nodes: Mapping[str, float], own: frozenset[str] = frozenset()) -> list[Finding]:
    # tumor in a vein with a name, or a doubt of it, is a finding of its own; that it is free is said of vessels too
    # "cannot be excluded" is neither: a doubt stands as one, behind what is stated elsewhere
    stated: dict[Assertion, bool | str] = {
        Assertion.PRESENT: True, Assertion.ABSENT: False, Assertion.POSSIBLE: "possible"}
    found = [Finding(name, stated[m.assertion], m.start, m.end, m.text, m.id,
                     weight=nodes[m.id] - (2.5 if m.assertion is Assertion.POSSIBLE or m.id in own else 0))
             for m in result if m.id in nodes and m.assertion in stated and (m.id not in own or m.assertion is Assertion.ABSENT)]
    codes = _STATUS_NODES if name == "lymphovascular_invasion" else _NERVE_NODES
    found += [Finding(name, codes[m.id], m.start, m.end, m.text, m.id, weight=2) for m in result if m.id in codes]
    # what is there in one vessel is there: a finding outweighs a denial of another kind of vessel
    top = max((f.weight for f in found), default=0.0)
    return sorted(found, key=lambda f: (-f.weight if f.weight < top - 0.5 else -top, not f.value, f.start))

