"""The store for the public corpora, and what its nodes mean in the corpora's vocabularies (MeSH and OMIM).

The corpora are annotated with MeSH headings and OMIM numbers, the store holds MONDO diseases and HPO findings. Which node
is right for a gold id follows from these rules, in this order; a node that has an answer by one rule is not asked by the next:

1. ids of its own: MONDO's cross-references and curated exact matches, biomappings (direct or through the Disease Ontology),
   and HPO's references to MeSH; a node that equals another (MONDO's references to HPO, one UMLS concept, the name of
   one is a name or exact synonym of the other, adjectives of organs aside) also has that node's ids, and is one with it in the rules below;
2. a MONDO group without an OMIM number stands for that of its member "<name> 1" or "<name> type 1" (OMIM has one number for
   "Wolfram syndrome" and "Wolfram syndrome 1");
3. a node without a MeSH heading (D…) stands for those of a child with the same name but for "neoplasm", "tumor", "cancer",
   "carcinoma" (MeSH has one "Brain Neoplasms" for MONDO's brain neoplasm and brain cancer);
4. a node without a MeSH heading stands for those of its ancestors at most two steps above: MeSH is the smaller vocabulary,
   and supplementary concepts (C…) are entered under headings. From breast carcinoma to breast cancer to breast neoplasm is no
   step, by the reason of rule 3. Headings younger than the corpora (ids of ten characters) are no answer here.

A mention is mappable if one of its ids is an id of a MONDO node of the store by rule 1. Mappings to nodes that the store
does not hold (obsolete ones) count for nothing. Strict scoring uses rule 1 alone.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linking_parts.data import mondo, obo

from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.linking import compile_lexicon
from pathkg.linking.tokens import form_key
from pathkg.linking.variants import class_of, is_organ

Ids = dict[str, frozenset[str]]
_STEPS = 2
_HEADING_LENGTH = 7
_TUMOUR = re.compile(r"\b(neoplasm|tumou?r|cancer|carcinoma|malignant|malignancy)\b")


@dataclass(frozen=True)
class Vocabulary:
    """A store and its nodes' MeSH and OMIM ids: by every rule, by the first alone, and those that make a mention mappable."""

    graph: KnowledgeGraph
    ids: Ids
    own: Ids
    mappable: frozenset[str]


def store_of(terms: list[dict[str, Any]], name: str) -> KnowledgeGraph:
    """A temporary store of ``{id, name, type, synonyms, scopes, parents}``."""
    known = {t["id"] for t in terms}
    nodes = [{"id": t["id"], "name": t["name"], "type": t["type"]} for t in terms]
    edges = [{"subject": t["id"], "relation": "is_a", "object": p, "source": name}
             for t in terms for p in t["parents"] if p in known]
    forms = [{"id": t["id"], "form": s, "kind": k, "source": name}
             for t in terms for s, k in zip(t["synonyms"], t["scopes"], strict=True)]
    folder = Path(tempfile.mkdtemp(prefix="pathkg-linking-")) / name
    write_store(folder, make_tables(nodes=nodes, edges=edges, synonyms=forms),
                finish=lambda path: compile_lexicon(KnowledgeGraph.open(path), path / "lexicon") and None)
    return KnowledgeGraph.open(folder)


def hpo_terms(folder: Path) -> list[dict[str, Any]]:
    """Findings and modes of inheritance of HPO; modifiers such as "severe" or "bilateral" are no phenotypes."""
    terms = obo(folder / "ontologies" / "hp.obo.gz")
    children: dict[str, list[str]] = defaultdict(list)
    for t in terms:
        for parent in t["parents"]:
            children[parent].append(t["id"])
    wanted, stack = set(), ["HP:0000118", "HP:0000005"]
    while stack:
        for child in children[stack.pop()]:
            if child not in wanted:
                wanted.add(child)
                stack.append(child)
    return [{**t, "type": "effect/phenotype"} for t in terms if t["id"] in wanted]


def mondo_terms(folder: Path) -> list[dict[str, Any]]:
    return [{"id": f"MONDO:{t['id']}", "name": t["name"], "type": "disease", "synonyms": t.get("synonyms") or [],
             "scopes": ["exact"] * len(t.get("synonyms") or []),
             "parents": [f"MONDO:{p}" for p in (t.get("relations") or {}).get("is_a", [])]} for t in mondo(folder)]


def diseases(folder: Path) -> Vocabulary:
    """MONDO and HPO in one store."""
    terms = [*mondo_terms(folder), *hpo_terms(folder)]
    graph = store_of(terms, "diseases")
    stated = {curie: ids for curie, ids in _own_ids(folder).items() if curie in graph}
    pairs = _equals(folder, {t["id"]: t.get("umls", ()) for t in terms}) | _same_names(terms)
    own = _of_equals(stated, pairs)
    return Vocabulary(graph, _with_rules(terms, stated, own, pairs), {c: frozenset(x) for c, x in own.items()},
                      frozenset(x for c, ids in stated.items() if c.startswith("MONDO:") for x in ids))


def _equals(folder: Path, umls: dict[str, Any]) -> set[tuple[str, str]]:
    """Pairs of a MONDO and an HPO term that MONDO or a shared UMLS concept equates."""
    mappings = folder / "ontologies" / "mappings"
    pairs = set(_sssom(mappings / "mondo_hasdbxref_hp.sssom.tsv.gz"))
    findings: dict[str, list[str]] = defaultdict(list)
    for curie, concepts in umls.items():
        for concept in concepts:
            findings[concept].append(curie)
    for disease, concept in _sssom(mappings / "mondo_exactmatch_umls.sssom.tsv.gz"):
        pairs |= {(disease, finding) for finding in findings.get(concept, ())}
    return {(a, b) for a, b in pairs if a in umls and b in umls}


def _one_name(form: str) -> str:
    """A key that is the same for "renal papillary necrosis" and "kidney papillary necrosis"."""
    return " ".join(class_of(word) if is_organ(word) else word for word in form_key(form).split(" "))


def _same_names(terms: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Pairs of a disease and a finding of which one's name is a name or exact synonym of the other."""
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    called: dict[tuple[str, str], set[str]] = defaultdict(set)
    for t in terms:
        named[t["type"], _one_name(t["name"])].add(t["id"])
        for form, scope in zip(t["synonyms"], t["scopes"], strict=True):
            if scope == "exact":
                called[t["type"], _one_name(form)].add(t["id"])
    pairs = set()
    for (kind, key), here in named.items():
        other = "disease" if kind != "disease" else "effect/phenotype"
        there = named.get((other, key), set()) | called.get((other, key), set())
        pairs |= {(a, b) if kind == "disease" else (b, a) for a in here for b in there}
    return pairs


def _of_equals(stated: dict[str, set[str]], pairs: set[tuple[str, str]]) -> dict[str, set[str]]:
    """``stated`` with the ids of equated nodes added, one step."""
    found: dict[str, set[str]] = defaultdict(set, {c: set(ids) for c, ids in stated.items()})
    for a, b in pairs:
        found[a] |= stated.get(b, set())
        found[b] |= stated.get(a, set())
    return {c: ids for c, ids in found.items() if ids}


def _own_ids(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    mappings = folder / "ontologies" / "mappings"
    for t in mondo(folder):
        for x in t.get("xrefs") or []:
            if x["namespace"] in ("MESH", "OMIM"):
                found[f"MONDO:{t['id']}"].add(x["id"])
    for name in ("mesh", "omim"):
        for subject, object_ in _sssom(mappings / f"mondo_exactmatch_{name}.sssom.tsv.gz"):
            found[subject].add(object_.split(":")[1])
    for subject, object_ in _sssom(Path(__file__).with_name("hp_mesh.sssom.tsv")):
        found[subject].add(object_.split(":")[1])
    of_doid: dict[str, set[str]] = defaultdict(set)
    for subject, object_ in _sssom(mappings / "mondo_exactmatch_doid.sssom.tsv.gz"):
        of_doid[object_.upper()].add(subject)
    for pair in _sssom(mappings / "biomappings" / "positive.sssom.tsv.gz"):
        for here, there in (pair, pair[::-1]):
            if there.lower().startswith("mesh:"):
                local = here.split(":")[-1]
                curie = f"{here.split(':')[0].upper()}:{local}"
                for node in of_doid.get(curie, {curie} if curie.startswith(("MONDO:", "HP:")) else set()):
                    found[node].add(there.split(":")[1])
    return found


def _sssom(path: Path) -> Iterator[tuple[str, str]]:
    """``(subject, object)`` of a mapping file."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    body = [line.split("\t") for line in content.decode("utf-8").splitlines() if not line.startswith("#")]
    subject, object_ = body[0].index("subject_id"), body[0].index("object_id")
    for fields in body[1:]:
        yield fields[subject], fields[object_]


def _has_heading(ids: set[str]) -> bool:
    return any(x[0] == "D" and len(x) == _HEADING_LENGTH for x in ids)


def _with_rules(terms: list[dict[str, Any]], stated: dict[str, set[str]], own: dict[str, set[str]],
                pairs: set[tuple[str, str]]) -> Ids:
    names = {t["id"]: t["name"].lower() for t in terms}
    parents = {t["id"]: [p for p in t["parents"] if p in names] for t in terms}
    children: dict[str, list[str]] = defaultdict(list)
    for t in terms:
        for parent in t["parents"]:
            children[parent].append(t["id"])
    equal: dict[str, set[str]] = defaultdict(set)
    for a, b in pairs:
        equal[a].add(b)
        equal[b].add(a)
    found: Ids = {}
    for t in terms:
        curie = t["id"]
        ids = set(own.get(curie, ()))
        if not any(x[0].isdigit() for x in ids):
            firsts = {f"{names[curie]} 1", f"{names[curie]} type 1", f"{names[curie]}, type 1"}
            ids |= {x for c in children[curie] if names[c] in firsts for x in own.get(c, ()) if x[0].isdigit()}
        answered = _has_heading(stated.get(curie, set()))
        if not answered and _TUMOUR.search(names[curie]):
            below = {x for c in children[curie] if _same_tumour(names[c], names[curie]) for x in own.get(c, ()) if x[0] == "D"}
            ids |= below
            answered = bool(below)
        if not answered:
            above = {c for start in (curie, *equal[curie]) for c in _above(start, parents, names)}
            ids |= {x for c in above for x in own.get(c, ()) if x[0] in "DC"}
        if ids:
            found[curie] = frozenset(ids)
    return found


def _same_tumour(one: str, other: str) -> bool:
    plain = [" ".join(_TUMOUR.sub(" ", name).split()) for name in (one, other)]
    return plain[0] == plain[1] != "" and all(map(_TUMOUR.search, (one, other)))


def _above(curie: str, parents: dict[str, list[str]], names: dict[str, str]) -> set[str]:
    """Ancestors at most ``_STEPS`` above, where going from a tumour to itself under a wider word is no step."""
    best = {curie: 0}
    stack = [curie]
    while stack:
        here = stack.pop()
        for parent in parents[here]:
            steps = best[here] + (not _same_tumour(names[here], names[parent]))
            if steps <= _STEPS and steps < best.get(parent, _STEPS + 1):
                best[parent] = steps
                stack.append(parent)
    return set(best) - {curie}
