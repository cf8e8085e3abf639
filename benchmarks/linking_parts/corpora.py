"""Public corpora against a store with MONDO (or HPO) and its synonyms.

* Gold-span accuracy: the annotated span is given; is the best node the annotated concept? Over mappable mentions,
  those whose MeSH or OMIM id has a MONDO term (exact mapping or cross-reference). A MONDO term without a MeSH
  id stands for those of its ancestors, at most two steps above (MeSH has one "Breast Neoplasms" for MONDO's
  breast neoplasm, cancer and carcinoma).
* End-to-end F1: found spans that overlap a mention and carry its concept. Mentions without a MONDO term are left
  out, and so are finds that touch only those.
* Baseline: exact dictionary of names and synonyms.
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

from linking_parts.baseline import DictionaryMatcher
from linking_parts.data import json_lines, mondo, obo

from pathkg.graph import KnowledgeGraph, make_tables, write_store
from pathkg.linking import Linker, compile_lexicon
from pathkg.linking.abbreviations import definitions


@dataclass(frozen=True)
class Gold:
    start: int
    end: int
    text: str
    ids: frozenset[str]


def _store(terms: list[dict[str, Any]], prefix: str, kind: str) -> KnowledgeGraph:
    nodes = [{"id": t["id"], "name": t["name"], "type": kind} for t in terms]
    known = {t["id"] for t in terms}
    edges = [{"subject": t["id"], "relation": "is_a", "object": p, "source": prefix}
             for t in terms for p in t["parents"] if p in known]
    forms = [{"id": t["id"], "form": s, "kind": k, "source": prefix}
             for t in terms for s, k in zip(t["synonyms"], t["scopes"], strict=True)]
    folder = Path(tempfile.mkdtemp(prefix="pathkg-linking-")) / prefix
    write_store(folder, make_tables(nodes=nodes, edges=edges, synonyms=forms),
                finish=lambda path: compile_lexicon(KnowledgeGraph.open(path), path / "lexicon") and None)
    return KnowledgeGraph.open(folder)


def mondo_store(folder: Path) -> tuple[KnowledgeGraph, dict[str, set[str]]]:
    """A store of MONDO and, per MONDO id, its MeSH and OMIM ids."""
    terms, foreign = [], defaultdict(set)
    inherited: dict[str, set[str]] = {}
    for t in mondo(folder):
        curie = f"MONDO:{t['id']}"
        terms.append({"id": curie, "name": t["name"], "synonyms": t.get("synonyms") or [],
                      "scopes": ["exact"] * len(t.get("synonyms") or []),
                      "parents": [f"MONDO:{p}" for p in (t.get("relations") or {}).get("is_a", [])]})
        for x in t.get("xrefs") or []:
            if x["namespace"] in ("MESH", "OMIM"):
                foreign[curie].add(x["id"])
    for name in ("mesh", "omim"):
        with gzip.open(folder / "ontologies" / "mappings" / f"mondo_exactmatch_{name}.sssom.tsv.gz", "rt") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                if fields[0].startswith("MONDO:"):
                    foreign[fields[0]].add(fields[3].split(":")[1])
    graph = _store(terms, "mondo", "disease")
    # MeSH is the smaller vocabulary: a term without a MeSH id of its own stands for those of its near ancestors
    for term in terms:
        own = foreign.get(term["id"], set())
        if not any(x[0] in "DC" for x in own):
            near = [curie for curie, distance in graph.ancestors(term["id"]).items() if distance <= _STEPS]
            inherited[term["id"]] = own | {x for curie in near for x in foreign.get(curie, ()) if x[0] in "DC"}
    return graph, {**foreign, **inherited}


def pubtator(path: Path, kind: str | None) -> Iterator[tuple[str, list[Gold]]]:
    """Texts and mentions of a PubTator file; ``kind`` keeps one type of entity."""
    texts: dict[str, list[str]] = defaultdict(list)
    mentions: dict[str, list[Gold]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"(\d+)\|[ta]\|(.*)", line)
        if match:
            texts[match[1]].append(match[2])
            continue
        fields = line.split("\t")
        if len(fields) >= 6 and (kind is None or fields[4] == kind):
            ids = frozenset(x.strip().removeprefix("MESH:").removeprefix("OMIM:") for x in re.split(r"[|+]", fields[5]))
            mentions[fields[0]].append(Gold(int(fields[1]), int(fields[2]), fields[3], ids))
    for key, parts in texts.items():
        yield " ".join(parts), mentions[key]


def _measure_diseases(path: Path, kind: str | None, graph: KnowledgeGraph, foreign: dict[str, set[str]],
                      errors: Path | None, name: str) -> dict[str, Any]:
    linker = Linker(graph, generic="all", specialise=False)
    table = graph.synonyms_table()
    forms = [(form, graph.curie(node)) for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True)]
    matcher = DictionaryMatcher(forms)
    exact: dict[str, str] = {}
    for form, curie in forms:
        exact.setdefault(form.lower(), curie)
    reachable = {x for ids in foreign.values() for x in ids}
    n = right = plain = 0
    ours, theirs = [0, 0, 0], [0, 0, 0]
    lines = []
    for text, gold in pubtator(path, kind):
        long_forms = {d.short: d.long for d in definitions(text)}
        named = {m.id for m in linker.link(text)}
        for mention in gold:
            if not mention.ids & reachable:
                continue
            n += 1
            span = long_forms.get(mention.text, mention.text)
            best = linker.ground(span)
            if len(best) > 1 and span.isupper():  # an acronym of several: the one named in full in the abstract
                best = tuple(sorted(best, key=lambda c: graph.curie(c.node) not in named))
            ok = bool(best) and bool(foreign.get(graph.curie(best[0].node), set()) & mention.ids)
            right += ok
            plain += bool(foreign.get(exact.get(mention.text.lower(), ""), set()) & mention.ids)
            if not ok:
                lines.append(f"SPAN {mention.text!r} {sorted(mention.ids)} -> "
                             f"{best and (graph.name(best[0].node), best[0].how, sorted(foreign.get(graph.curie(best[0].node), set()))[:2])}")
        _count(ours, gold, [(m.start, m.end, m.id) for m in linker.link(text)], foreign, reachable, lines)
        _count(theirs, gold, matcher.match(text), foreign, reachable, None)
    if errors:
        (errors / f"{name}.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return {"mappable_mentions": n, "gold_span_accuracy": round(right / n, 4),
            "baseline_exact_dictionary_gold_span": round(plain / n, 4),
            "end_to_end_f1": _f1(ours), "precision": round(ours[0] / max(ours[0] + ours[1], 1), 4),
            "recall": round(ours[0] / max(ours[0] + ours[2], 1), 4), "baseline_end_to_end_f1": _f1(theirs)}


def _count(counts: list[int], gold: list[Gold], found: list[tuple[int, int, str]], foreign: dict[str, set[str]],
           reachable: set[str], lines: list[str] | None) -> None:
    used: set[int] = set()
    for start, end, curie in found:
        touched = [(i, g) for i, g in enumerate(gold) if g.start < end and start < g.end]
        hit = next((i for i, g in touched if i not in used and g.ids & foreign.get(curie, set()) and g.ids & reachable), None)
        if hit is not None:
            used.add(hit)
            counts[0] += 1
        elif not touched or any(g.ids & reachable for _, g in touched):
            counts[1] += 1
            if lines is not None:
                lines.append(f"{'WRONG' if touched else 'EXTRA'} {curie} {[g.text for _, g in touched]}")
    for i, g in enumerate(gold):
        if i not in used and g.ids & reachable:
            counts[2] += 1
            if lines is not None:
                lines.append(f"MISSED {g.text!r}")


def _f1(counts: list[int]) -> float:
    return round(2 * counts[0] / max(2 * counts[0] + counts[1] + counts[2], 1), 4)


_STEPS = 2
_MONDO: list[tuple[KnowledgeGraph, dict[str, set[str]]]] = []


def _mondo(folder: Path) -> tuple[KnowledgeGraph, dict[str, set[str]]]:
    if not _MONDO:
        _MONDO.append(mondo_store(folder))
    return _MONDO[0]


def measure_ncbi(folder: Path, errors: Path | None) -> dict[str, Any]:
    graph, foreign = _mondo(folder)
    return _measure_diseases(folder / "linking" / "ncbi_disease" / "NCBIdevelopset_corpus.txt", None, graph, foreign,
                             errors, "ncbi")


def measure_bc5cdr(folder: Path, errors: Path | None) -> dict[str, Any]:
    graph, foreign = _mondo(folder)
    return _measure_diseases(folder / "linking" / "bc5cdr" / "dev_corpus.txt", "Disease", graph, foreign, errors,
                             "bc5cdr")


def measure_hpo(folder: Path, errors: Path | None) -> dict[str, Any]:
    """GSC+: F1 of (overlapping span, HPO term) over 61 abstracts."""
    terms = obo(folder / "ontologies" / "hp.obo.gz")
    whole = _store(terms, "hp", "effect/phenotype")
    # findings and inheritance; modifiers such as "severe" or "bilateral" are no phenotypes
    wanted = {c for root in ("HP:0000118", "HP:0000005") for c in whole.descendants(root)}
    terms = [t for t in terms if t["id"] in wanted]
    graph = _store(terms, "hp", "effect/phenotype")
    primary = {alt: t["id"] for t in terms for alt in [t["id"], *t["alt_ids"]]}
    linker = Linker(graph, generic="all", specialise=False, nested=True)
    matcher = DictionaryMatcher((s, t["id"]) for t in terms for s in [t["name"], *t["synonyms"]])
    ours, theirs = [0, 0, 0], [0, 0, 0]
    lines: list[str] = []
    for record in json_lines(folder / "linking" / "gsc_hpo" / "dev.jsonl"):
        spans = next(v for k, v in record.items() if isinstance(v, list))
        gold = []
        for s in spans:
            start, end, curie = (s["start"], s["end"], s.get("hpo") or s.get("id") or s.get("curie"))
            curie = str(curie).replace("_", ":")
            gold.append(Gold(start, end, record["text"][start:end], frozenset({primary.get(curie, curie)})))
        same = {t["id"]: {t["id"]} for t in terms}
        reachable = set(same)
        _count(ours, gold, [(m.start, m.end, m.id) for m in linker.link(record["text"])], same, reachable, lines)
        _count(theirs, gold, matcher.match(record["text"]), same, reachable, None)
    if errors:
        (errors / "hpo.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return {"f1": _f1(ours), "precision": round(ours[0] / max(ours[0] + ours[1], 1), 4),
            "recall": round(ours[0] / max(ours[0] + ours[2], 1), 4), "baseline_f1": _f1(theirs)}
