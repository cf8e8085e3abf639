"""The pathology gold: spans, concepts and assertions in report sentences.

* Relaxed span match: gold and found span overlap; each counts once, the largest overlap first.
* Concept match: a matched span whose node is the gold CURIE, or has the gold concept among its names and
  synonyms (compared as canonical tokens, order of words ignored).
* Assertion accuracy: over matched spans.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from linking_parts.baseline import DictionaryMatcher
from linking_parts.data import json_lines, mondo, obo

import pathkg
from pathkg.linking import linker_for
from pathkg.linking.tokens import form_key

Found = tuple[int, int, str, str]  # start, end, CURIE, assertion


def measure(folder: Path, errors: Path | None) -> dict[str, Any]:
    records = json_lines(folder / "linking" / "pathology_gold_dev.jsonl")
    graph = pathkg.load()
    linker = linker_for(graph)
    names: dict[str, set[str]] = defaultdict(set)
    table = graph.synonyms_table()
    for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True):
        names[graph.curie(node)].add(_bag(form))
    output: dict[str, list[Found]] = {}
    for record in records:
        prefix = record["context"]
        text = prefix + record["sentence"]
        # the context says which section and organ this is; mentions inside it are not scored
        found = [(m.start - len(prefix), m.end - len(prefix), m.id, str(m.assertion)) for m in linker.link(text)
                 if m.end > len(prefix)]
        output[record["id"]] = [(max(0, s), e, c, a) for s, e, c, a in found]
    types = {c: graph.type(c) for found in output.values() for _, _, c, _ in found}
    figures: dict[str, Any] = {}
    for name, part in (("all", records), ("even", records[::2]), ("odd", records[1::2])):
        figures[name] = _score(part, output, names, types)
    if errors:
        lines = [line for record in records[::2] for line in _errors(record, output[record["id"]], names, graph)]
        (errors / "gold_even.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures["baseline"] = _score(records, *_baseline(folder, records), {})
    return figures


def _bag(form: str) -> str:
    return " ".join(sorted(w for w in re.findall(r"\w+", form_key(form)) if w not in ("of", "the")))


def _baseline(folder: Path, records: list[dict[str, Any]]) -> tuple[dict[str, list[Found]], dict[str, set[str]]]:
    terms = [*mondo(folder), *obo(folder / "ontologies" / "hp.obo.gz"),
             *obo(folder / "ontologies" / "mondo_uberon_import.obo.gz")]
    forms = [(form, t["id"]) for t in terms for form in [t["name"], *(t.get("synonyms") or [])] if form]
    names: dict[str, set[str]] = defaultdict(set)
    for form, curie in forms:
        names[curie].add(_bag(form))
    matcher = DictionaryMatcher(forms)
    return {r["id"]: [(s, e, c, "present") for s, e, c in matcher.match(r["sentence"])] for r in records}, names


def _pairs(gold: list[dict[str, Any]], found: list[Found]) -> list[tuple[int, int]]:
    overlaps = sorted(((min(g["end"], f[1]) - max(g["start"], f[0]), -i, -j)
                       for i, g in enumerate(gold) for j, f in enumerate(found)
                       if min(g["end"], f[1]) > max(g["start"], f[0])), reverse=True)
    used_gold: set[int] = set()
    used_found: set[int] = set()
    pairs = []
    for _, i, j in overlaps:
        if -i not in used_gold and -j not in used_found:
            used_gold.add(-i)
            used_found.add(-j)
            pairs.append((-i, -j))
    return pairs


def _is_concept(gold: dict[str, Any], curie: str, names: dict[str, set[str]]) -> bool:
    return curie == gold["curie"] or _bag(gold["concept"]) in names.get(curie, ())


def _score(records: list[dict[str, Any]], output: dict[str, list[Found]], names: dict[str, set[str]],
           types: dict[str, str]) -> dict[str, Any]:
    n_gold = n_found = n_pairs = n_concepts = n_status = 0
    by_type: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    confusion: dict[str, int] = defaultdict(int)
    for record in records:
        gold, found = record["entities"], output[record["id"]]
        n_gold += len(gold)
        n_found += len(found)
        for entity in gold:
            by_type[entity["type"]][0] += 1
        for i, j in _pairs(gold, found):
            n_pairs += 1
            by_type[gold[i]["type"]][1] += 1
            if _is_concept(gold[i], found[j][2], names):
                n_concepts += 1
                by_type[gold[i]["type"]][2] += 1
            n_status += gold[i]["assertion"] == found[j][3]
            if gold[i]["assertion"] != found[j][3]:
                kind = types.get(found[j][2], "")
                confusion[f"{gold[i]['type']} linked as {kind}: {gold[i]['assertion']} read as {found[j][3]}"] += 1
    return {"span_precision": _ratio(n_pairs, n_found), "span_recall": _ratio(n_pairs, n_gold),
            "span_f1": _ratio(2 * n_pairs, n_gold + n_found), "concept_f1": _ratio(2 * n_concepts, n_gold + n_found),
            "assertion_accuracy": _ratio(n_status, n_pairs), "entities": n_gold, "found": n_found, "assertion_errors": dict(sorted(confusion.items())),
            "types": {t: {"entities": a, "span_recall": _ratio(b, a), "concept_recall": _ratio(c, a)}
                      for t, (a, b, c) in sorted(by_type.items())}}


def _ratio(a: float, b: float) -> float:
    return round(a / b, 4) if b else 0.0


def _errors(record: dict[str, Any], found: list[Found], names: dict[str, set[str]], graph: Any) -> list[str]:
    gold, text = record["entities"], record["sentence"]
    pairs = dict(_pairs(gold, found))
    lines = []
    for i, entity in enumerate(gold):
        said = f"{entity['text']!r} = {entity['concept']!r} {entity['curie']} {entity['type']} {entity['assertion']}"
        if i not in pairs:
            lines.append(f"  MISSED  {said}")
            continue
        start, end, curie, status = found[pairs[i]]
        node = f"{text[start:end]!r} -> {graph.name(curie)!r} {curie}"
        if not _is_concept(entity, curie, names):
            lines.append(f"  CONCEPT {said} | {node}")
        if status != entity["assertion"]:
            lines.append(f"  STATUS  {said} | {status}")
    for j, (start, end, curie, status) in enumerate(found):
        if j not in pairs.values():
            lines.append(f"  EXTRA   {text[start:end]!r} -> {graph.name(curie)!r} {curie} {status}")
    return [f"{record['id']} {record['project']} …{record['context'][-80:]}|| {text}", *lines] if lines else []
