"""Public corpora of abstracts against stores of MONDO and HPO.

* Gold-span accuracy: the annotated span is given with its text; is the best node the annotated concept? Over mappable mentions.
  ``strict`` takes only a node's own ids; which node is right otherwise is in :mod:`linking_parts.vocabulary`. A mention with
  several ids (a composite like "breast and ovarian cancer", or alternatives) is right when one of them is found.
* End-to-end F1: found spans that overlap a mention and carry its concept. Mentions without a MONDO term are left out, and so
  are finds that touch only those.
* Baseline: exact dictionary of MONDO's (HPO's) names and synonyms.
* ``even`` and ``odd`` are the halves of the texts: rules were made with the train parts and the even half in view.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linking_parts.baseline import DictionaryMatcher
from linking_parts.data import json_lines
from linking_parts.vocabulary import Ids, Vocabulary, diseases, hpo_terms, store_of

from pathkg.linking import Linker


@dataclass(frozen=True)
class Gold:
    start: int
    end: int
    text: str
    ids: frozenset[str]


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


def _measure_diseases(path: Path, kind: str | None, vocabulary: Vocabulary, errors: Path | None, name: str,
                      dense: str | None) -> dict[str, Any]:
    texts = list(pubtator(path, kind))
    linker = Linker(vocabulary.graph, generic="all", specialise=False, dense=dense)
    table = vocabulary.graph.synonyms_table()
    forms = [(form, curie) for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True)
             if (curie := vocabulary.graph.curie(node)).startswith("MONDO:")]
    lines: list[str] = []
    figures: dict[str, Any] = {}
    for part, chosen in (("all", texts), ("even", texts[::2]), ("odd", texts[1::2])):
        kept = lines if part == "even" else None
        figures[part] = {**_gold_spans(chosen, linker, vocabulary, kept),
                         **_end_to_end(chosen, linker, vocabulary, kept)}
    figures["baseline"] = _baseline(texts, forms, vocabulary)
    if errors:
        (errors / f"{name}_even.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return {**figures.pop("all"), **figures}


def _gold_spans(texts: list[tuple[str, list[Gold]]], linker: Linker, vocabulary: Vocabulary,
                lines: list[str] | None) -> dict[str, Any]:
    n = right = strict = 0
    graph = vocabulary.graph
    for text, gold in texts:
        for mention in gold:
            if not mention.ids & vocabulary.mappable:
                continue
            n += 1
            best = linker.ground_in(text, mention.start, mention.end)
            curie = graph.curie(best[0].node) if best else ""
            ok = bool(vocabulary.ids.get(curie, frozenset()) & mention.ids)
            right += ok
            strict += bool(vocabulary.own.get(curie, frozenset()) & mention.ids)
            if not ok and lines is not None:
                lines.append(f"SPAN {mention.text!r} {sorted(mention.ids)} -> "
                             f"{best and (graph.name(best[0].node), best[0].how, sorted(vocabulary.ids.get(curie, ()))[:2])}")
    return {"mappable_mentions": n, "gold_span_accuracy": round(right / n, 4), "gold_span_accuracy_strict": round(strict / n, 4)}


def _end_to_end(texts: list[tuple[str, list[Gold]]], linker: Linker, vocabulary: Vocabulary,
                lines: list[str] | None) -> dict[str, Any]:
    counts = [0, 0, 0]
    for text, gold in texts:
        _count(counts, gold, [(m.start, m.end, m.id) for m in linker.link(text).mentions], vocabulary.ids, vocabulary.mappable, lines)
    return {"end_to_end_f1": _f1(counts), "precision": round(counts[0] / max(counts[0] + counts[1], 1), 4),
            "recall": round(counts[0] / max(counts[0] + counts[2], 1), 4)}


def _baseline(texts: list[tuple[str, list[Gold]]], forms: list[tuple[str, str]], vocabulary: Vocabulary) -> dict[str, Any]:
    matcher = DictionaryMatcher(forms)
    exact: dict[str, str] = {}
    for form, curie in forms:
        exact.setdefault(form.lower(), curie)
    n = right = 0
    counts = [0, 0, 0]
    for text, gold in texts:
        for mention in gold:
            if mention.ids & vocabulary.mappable:
                n += 1
                right += bool(vocabulary.ids.get(exact.get(mention.text.lower(), ""), frozenset()) & mention.ids)
        _count(counts, gold, matcher.match(text), vocabulary.ids, vocabulary.mappable, None)
    return {"gold_span_accuracy": round(right / n, 4), "end_to_end_f1": _f1(counts)}


def _count(counts: list[int], gold: list[Gold], found: list[tuple[int, int, str]], ids: Ids,
           reachable: frozenset[str], lines: list[str] | None) -> None:
    used: set[int] = set()
    for start, end, curie in found:
        touched = [(i, g) for i, g in enumerate(gold) if g.start < end and start < g.end]
        own = ids.get(curie, frozenset())
        hit = next((i for i, g in touched if i not in used and g.ids & own and g.ids & reachable), None)
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


_DISEASES: list[Vocabulary] = []


def vocabulary_of(folder: Path) -> Vocabulary:
    """MONDO and HPO, built once per run."""
    if not _DISEASES:
        _DISEASES.append(diseases(folder))
    return _DISEASES[0]


NCBI = Path("linking", "ncbi_disease", "NCBIdevelopset_corpus.txt")
BC5CDR = Path("linking", "bc5cdr", "dev_corpus.txt")


def measure_ncbi(folder: Path, errors: Path | None, dense: str | None = None) -> dict[str, Any]:
    return _measure_diseases(folder / NCBI, None, vocabulary_of(folder), errors, "ncbi", dense)


def measure_bc5cdr(folder: Path, errors: Path | None, dense: str | None = None) -> dict[str, Any]:
    return _measure_diseases(folder / BC5CDR, "Disease", vocabulary_of(folder), errors, "bc5cdr", dense)


def measure_hpo(folder: Path, errors: Path | None) -> dict[str, Any]:
    """GSC+: F1 of (overlapping span, HPO term) over 61 abstracts."""
    terms = hpo_terms(folder)
    graph = store_of(terms, "hp")
    primary = {alt: t["id"] for t in terms for alt in [t["id"], *t["alt_ids"]]}
    linker = Linker(graph, generic="all", specialise=False, nested=True)
    matcher = DictionaryMatcher((s, t["id"]) for t in terms for s in [t["name"], *t["synonyms"]])
    same = {t["id"]: frozenset({t["id"]}) for t in terms}
    records = []
    for record in json_lines(folder / "linking" / "gsc_hpo" / "dev.jsonl"):
        spans = next(v for k, v in record.items() if isinstance(v, list))
        gold = []
        for s in spans:
            start, end, curie = (s["start"], s["end"], s.get("hpo") or s.get("id") or s.get("curie"))
            curie = str(curie).replace("_", ":")
            gold.append(Gold(start, end, record["text"][start:end], frozenset({primary.get(curie, curie)})))
        records.append((record["text"], gold))
    lines: list[str] = []
    figures: dict[str, Any] = {}
    for part, chosen in (("all", records), ("even", records[::2]), ("odd", records[1::2])):
        counts = [0, 0, 0]
        for text, gold in chosen:
            _count(counts, gold, [(m.start, m.end, m.id) for m in linker.link(text).mentions], same, frozenset(same),
                   lines if part == "even" else None)
        figures[part] = {"f1": _f1(counts), "precision": round(counts[0] / max(counts[0] + counts[1], 1), 4),
                         "recall": round(counts[0] / max(counts[0] + counts[2], 1), 4)}
    plain = [0, 0, 0]
    for text, gold in records:
        _count(plain, gold, matcher.match(text), same, frozenset(same), None)
    if errors:
        (errors / "hpo_even.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return {**figures.pop("all"), **figures, "baseline_f1": _f1(plain)}
