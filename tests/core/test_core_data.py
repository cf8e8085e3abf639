"""The bundled core graph keeps its schema: every row, every relation, every surface form, every CURIE."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.shared_data import shared

CORE = Path(__file__).resolve().parents[2] / "pathkg" / "data" / "core"

TYPES = {"anatomy", "cell", "disease", "effect/phenotype", "gene/protein", "grade", "marker", "marker_result",
         "morphology", "procedure", "specimen", "stage"}
FINDING = {"morphology", "effect/phenotype"}
SIGNATURE: dict[str, tuple[set[str], set[str]] | None] = {
    "is_a": None,  # both ends of one type
    "part_of": ({"anatomy", "cell"}, {"anatomy"}),
    "arises_in": ({"disease"}, {"anatomy", "cell"}),
    "has_morphology": ({"disease"}, FINDING),
    "has_growth_pattern": ({"disease"}, FINDING),
    "has_cytologic_feature": ({"disease"}, FINDING | {"cell"}),
    "has_stromal_feature": ({"disease"}, FINDING | {"cell"}),
    "supports": (FINDING | {"marker_result", "stage", "grade"}, {"disease"}),
    "opposes": (FINDING | {"marker_result"}, {"disease"}),
    "stains_positive_for": ({"disease", "cell", "morphology"}, {"marker"}),
    "stains_negative_for": ({"disease", "cell", "morphology"}, {"marker"}),
    "has_genetic_alteration": ({"disease"}, {"gene/protein", "marker"}),
    "result_of": ({"marker_result"}, {"marker"}),
    "encodes_target_of": ({"gene/protein"}, {"marker"}),
    "differential_of": ({"disease"}, {"disease"}),
    "precursor_of": ({"disease", "morphology"}, {"disease"}),
    "graded_by": ({"disease"}, {"grade"}),
    "defined_by": ({"stage", "grade"}, FINDING | {"anatomy", "marker_result", "disease"}),
    "stage_of": ({"stage"}, {"disease"}),
    "invades": ({"disease"}, {"anatomy"}),
    "spreads_to": ({"disease"}, {"anatomy"}),
    "drains_to": ({"anatomy"}, {"anatomy"}),
    "associated_with": (FINDING | {"disease"}, FINDING | {"disease"}),
    "has_prognostic_factor": ({"disease"}, FINDING | {"stage", "grade", "marker_result"}),
    "obtained_by": ({"specimen"}, {"procedure"}),
    "removes": ({"procedure"}, {"anatomy"}),
}
CONTEXT_KEYS = {"case", "near", "not", "organ", "type", "prior"}


def read_all(pattern: str, header: str) -> list[list[str]]:
    paths = sorted(CORE.glob(pattern))
    assert paths, pattern
    return [row for path in paths for row in read(path.name, header)]


def read(name: str, header: str) -> list[list[str]]:
    lines = (CORE / name).read_text(encoding="utf-8").split("\n")
    assert lines[0] == header.replace(" ", "\t"), f"{name}: header"
    assert lines[-1] == "", f"{name} must end with a newline"
    rows = [line.split("\t") for line in lines[1:-1]]
    width = len(header.split())
    wrong = [(k, row) for k, row in enumerate(rows, 2) if len(row) != width]
    assert not wrong, f"{name}: rows of another width: {wrong[:3]}"
    return rows


@pytest.fixture(scope="module")
def nodes() -> dict[str, list[str]]:
    rows = read("nodes.tsv", "id name type definition xrefs source")
    counts = Counter(row[0] for row in rows)
    assert [i for i, n in counts.items() if n > 1] == [], "duplicate ids"
    return {row[0]: row for row in rows}


@pytest.fixture(scope="module")
def edges() -> list[list[str]]:
    return read_all("edges_*.tsv", "subject relation object source")


@pytest.fixture(scope="module")
def forms() -> list[list[str]]:
    return read_all("forms_*.tsv", "form id kind context")


def test_counts(nodes: dict[str, list[str]], edges: list[list[str]], forms: list[list[str]]) -> None:
    assert len(nodes) >= 8_000
    assert len(edges) >= 40_000
    assert len({row[0] for row in forms}) >= 50_000


def test_nodes(nodes: dict[str, list[str]]) -> None:
    bad = []
    for curie, (_, name, node_type, definition, _xrefs, source) in nodes.items():
        if node_type not in TYPES:
            bad.append((curie, "type", node_type))
        if not name or name != name.strip():
            bad.append((curie, "name", name))
        if not source:
            bad.append((curie, "source", ""))
        if curie.startswith("PATHKG:") and not re.fullmatch(r"PATHKG:[a-z0-9]+(-[a-z0-9]+)*", curie):
            bad.append((curie, "slug", ""))
        if node_type in {"morphology", "stage", "grade"} and not definition and curie.startswith("PATHKG:"):
            bad.append((curie, "definition missing", name))
    assert bad == []


def test_files_are_sorted(nodes: dict[str, list[str]]) -> None:
    assert list(nodes) == sorted(nodes)
    for path in CORE.glob("edges_*.tsv"):
        keys = [tuple(row[:3]) for row in read(path.name, "subject relation object source")]
        assert keys == sorted(keys), path.name
    for path in CORE.glob("forms_*.tsv"):
        owners = [row[1] for row in read(path.name, "form id kind context")]
        assert owners == sorted(owners), path.name


def test_no_file_is_too_large_to_read() -> None:
    assert {p.name: p.stat().st_size for p in CORE.glob("*.tsv") if p.stat().st_size > 4_000_000} == {}


def test_edges(nodes: dict[str, list[str]], edges: list[list[str]]) -> None:
    seen: set[tuple[str, str, str]] = set()
    bad = []
    for subject, relation, obj, source in edges:
        key = (subject, relation, obj)
        if subject not in nodes or obj not in nodes:
            bad.append((*key, "dangling"))
            continue
        if key in seen or subject == obj or not source:
            bad.append((*key, "duplicate, self-loop or no source"))
        if relation in {"differential_of", "associated_with"} and (obj, relation, subject) in seen:
            bad.append((*key, "symmetric relation written twice"))
        seen.add(key)
        if relation not in SIGNATURE:
            bad.append((*key, "unknown relation"))
            continue
        ends = SIGNATURE[relation]
        a, b = nodes[subject][2], nodes[obj][2]
        if (ends is None and a != b) or (ends is not None and (a not in ends[0] or b not in ends[1])):
            bad.append((*key, f"{a} -> {b}"))
    assert bad == []


@pytest.mark.parametrize("relation", ["is_a", "part_of"])
def test_hierarchies_have_no_cycle(edges: list[list[str]], relation: str) -> None:
    up: dict[str, set[str]] = defaultdict(set)
    for subject, name, obj, _ in edges:
        if name == relation:
            up[subject].add(obj)
    done: set[str] = set()
    while True:  # peel off nodes whose parents are all done; a cycle never peels
        ready = {n for n in up if n not in done and all(p in done or p not in up for p in up[n])}
        if not ready:
            break
        done |= ready
    assert sorted(set(up) - done) == []


def test_no_edge_claims_and_denies(edges: list[list[str]]) -> None:
    pairs = {(s, r, o) for s, r, o, _ in edges}
    contradictions = [(s, r, o) for s, r, o in pairs
                      if (r == "supports" and (s, "opposes", o) in pairs)
                      or (r == "stains_positive_for" and (s, "stains_negative_for", o) in pairs)]
    assert contradictions == []


def test_forms_have_one_owner_or_a_rule(nodes: dict[str, list[str]], forms: list[list[str]]) -> None:
    owners: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    bad: list[object] = []
    for form, curie, kind, context in forms:
        if curie not in nodes or kind not in {"name", "exact", "related", "broad", "narrow", "abbreviation"}:
            bad.append((form, curie, kind))
        if not form or form != re.sub(r"\s+", " ", form).strip():
            bad.append((form, "white space"))
        for condition in filter(None, context.split(";")):
            key, _, value = condition.partition("=")
            if key not in CONTEXT_KEYS or not value:
                bad.append((form, curie, context))
            if key == "organ":
                bad += [(form, curie, organ) for organ in value.split("|") if organ not in nodes]
        owners[form.lower()][curie].add(context)
    for form, by_node in owners.items():
        defaults = [curie for curie, contexts in by_node.items() if "" in contexts]
        if len(defaults) > 1:
            bad.append((form, "several owners without a context rule", defaults))
    assert bad == []


def test_every_node_has_its_name_as_a_form(nodes: dict[str, list[str]], forms: list[list[str]]) -> None:
    named = {row[1]: row[0] for row in forms if row[2] == "name"}
    assert [i for i, row in nodes.items() if named.get(i) != row[1]] == []


def test_tcga_projects(nodes: dict[str, list[str]]) -> None:
    rows = read("tcga_projects.tsv", "project name oncotree nodes organ")
    assert len({row[0] for row in rows}) == len(rows) == 33
    for project, _, oncotree, ids, organ in rows:
        assert oncotree, project
        assert all(nodes[i][2] == "disease" for i in ids.split("|")), project
        assert nodes[organ][2] == "anatomy", project


def test_abbreviations_are_forms(forms: list[list[str]]) -> None:
    rows = read("abbreviations.tsv", "abbreviation meaning id context")
    listed = {(row[0], row[2], row[3]) for row in rows}
    assert listed == {(f, i, c) for f, i, kind, c in forms if kind == "abbreviation"}


def _words(text: str) -> str:
    """Comparable words of a label: order, plural, hyphens, tumour/tumor/neoplasm and haem-/hem- do not count."""
    text = re.sub(r"\btumou?rs?\b|\bneoplasms\b", "neoplasm", text.lower()).replace("aem", "em").replace("oed", "ed")
    words = [w for w in re.findall(r"[a-z0-9]+", text) if w not in {"of", "the", "a", "an", "and", "in"}]
    return " ".join(sorted(w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith(("ss", "is", "us")) else w
                           for w in words))


def test_curies_exist_with_matching_label(nodes: dict[str, list[str]], forms: list[list[str]]) -> None:
    labels: dict[str, set[str]] = defaultdict(set)
    for name in ("mondo_uberon_import.obo.gz", "hp.obo.gz"):
        current = ""
        with gzip.open(shared(f"ontologies/{name}"), "rt", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("["):
                    current = ""
                elif line.startswith("id: "):
                    current = line[4:].strip()
                elif current and line.startswith("name: "):
                    labels[current].add(_words(line[6:]))
                elif current and line.startswith("synonym: "):
                    labels[current].add(_words(line.split('"')[1]))
    with gzip.open(shared("ontologies/mondo.json.gz"), "rt", encoding="utf-8") as handle:
        for term in json.load(handle):
            labels["MONDO:" + term["id"]] = {_words(t) for t in [term["name"], *term.get("synonyms", [])]}
    with gzip.open(shared("ontologies/go.json.gz"), "rt", encoding="utf-8") as handle:
        for term in json.load(handle):
            labels[term["id"]] = {_words(t) for t in [term["name"], *term.get("synonyms", [])]}
    with gzip.open(shared("ontologies/hgnc_entries.tsv.gz"), "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            symbol, status = line.split("\t")[1], line.split("\t")[3]
            if status == "Approved":
                labels["HGNC:" + symbol] = {_words(symbol)}
    own: dict[str, set[str]] = defaultdict(set)
    for form, curie, kind, _ in forms:
        if kind in {"name", "exact"}:
            own[curie].add(_words(form))
    unknown = [i for i in nodes if not i.startswith("PATHKG:") and i not in labels]
    unlike = [(i, row[1]) for i, row in nodes.items()
              if i in labels and not labels[i] & (own[i] | {_words(row[1])})]
    assert unknown == []
    assert unlike == []


def test_every_source_is_explained(nodes: dict[str, list[str]], edges: list[list[str]]) -> None:
    listed = [row[0] for row in read("sources.tsv", "source work place")]
    used = {key for row in edges for key in row[3].split("|")} | {key for row in nodes.values() for key in row[5].split("|")}
    assert listed == sorted(listed)
    assert used == set(listed)


def test_the_documented_sample_is_large_and_good(nodes: dict[str, list[str]], edges: list[list[str]]) -> None:
    rows = read("sample_review.tsv", "subject relation object verdict reason")
    known = {tuple(row[:3]) for row in edges}
    faults = {tuple(row[:3]) for row in rows if row[3] == "fault"}
    assert len(rows) >= 400
    assert {row[3] for row in rows} == {"right", "fault"}
    assert len(faults) < 0.03 * len(rows)
    assert faults & known == set(), "a fault that was found is corrected"
