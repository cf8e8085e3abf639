"""Gold paths: how far the found paths agree with them, and weights fitted on them.

A gold file is tab-separated text with a header (DrugMechDB's paths fit after renaming):

========== ======================================================================================
column     meaning
========== ======================================================================================
nodes      CURIEs (or names) from start to target, joined with ``|``
relations  optional: one relation per step, joined with ``|``; empty or ``*`` where any will do
id         optional: what to call the path in messages
========== ======================================================================================

Several rows with the same ends are several gold paths of one question. A row that cannot be used is skipped, counted and
named with its line number.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.errors import InputError, UnknownEntityError
from pathkg.graph import KnowledgeGraph
from pathkg.paths.finder import PathFinder
from pathkg.paths.ranking import PARTS, Weights, default_weights

Array = npt.NDArray[Any]

FITTED = ("length", "hub", "relation", "type", "source")
"""The weights that gold paths can teach; the coherence weight needs whole cases and stays as it is."""

_POOL = 64
_STEPS = 400
_RATE = 0.05
_SHRINK = 0.02


@dataclass(frozen=True, slots=True)
class GoldPath:
    """A gold path: node indices, and per step an edge id that the graph has for it (``-1`` where it has none)."""

    name: str
    nodes: tuple[int, ...]
    edges: tuple[int, ...]


def read_gold(graph: KnowledgeGraph, path: str | FilePath) -> tuple[list[GoldPath], list[str]]:
    """The usable gold paths of a file, and a message for each row that is not.

    Raises:
        InputError: no such file, not UTF-8, or no column ``nodes``.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read gold paths from {path}: {error}", hint="give a UTF-8 .tsv file") from error
    if not rows or "nodes" not in rows[0]:
        raise InputError(f"{path} has no column 'nodes', or no rows",
                         hint="columns are nodes, relations, id, separated by tabs; see the documentation of paths")
    gold, skipped = [], []
    for line, row in enumerate(rows, 2):
        try:
            gold.append(_read_row(graph, row, f"line {line}"))
        except (UnknownEntityError, InputError) as error:
            skipped.append(f"line {line}: {error.message}")
    return gold, skipped


def _read_row(graph: KnowledgeGraph, row: dict[str, str | None], line: str) -> GoldPath:
    names = [n.strip() for n in (row.get("nodes") or "").split("|")]
    nodes = [graph.index(graph.resolve(n)) for n in names if n]
    if len(nodes) < 2 or len(set(nodes)) < len(nodes):
        raise InputError(f"the nodes {row.get('nodes')!r} are not two or more different ones")
    given = [r.strip() for r in (row.get("relations") or "").split("|")] if row.get("relations") else []
    if given and len(given) != len(nodes) - 1:
        raise InputError(f"{len(given)} relations for {len(nodes) - 1} steps")
    relations = given or ["*"] * (len(nodes) - 1)
    edges = tuple(_edge(graph, u, v, r) for u, v, r in zip(nodes, nodes[1:], relations, strict=False))
    return GoldPath(row.get("id") or line, tuple(nodes), edges)


def _edge(graph: KnowledgeGraph, u: int, v: int, relation: str) -> int:
    arrays = graph.arrays
    begin, end = int(arrays.indptr[u]), int(arrays.indptr[u + 1])
    at = begin + int(np.searchsorted(arrays.neighbor[begin:end], v))
    while at < end and int(arrays.neighbor[at]) == v:
        edge = int(arrays.edge[at])
        if relation in ("", "*") or graph.relations[int(arrays.edge_relation[edge])] == relation:
            return edge
        at += 1
    return -1


def gold_overlap(graph: KnowledgeGraph, gold: Sequence[GoldPath], *, k: int = 5, max_hops: int = 4,
                 weights: Weights | None = None) -> dict[str, Any]:
    """How far the k best paths between the ends of gold paths agree with them.

    Returns:
        ``questions`` (pairs of ends); ``joined`` (share with any path within ``max_hops``); ``gold_in_graph`` (share of
        gold paths whose every step the graph has); ``hit_1`` and ``hit_k`` (share of questions with a gold node sequence
        first, among the k); ``node_recall`` (mean share of a question's gold inner nodes on the k paths);
        ``jaccard`` (mean over questions of the best node overlap of any found with any gold path).
    """
    finder = PathFinder(graph, weights=weights)
    questions: dict[tuple[int, int], list[GoldPath]] = {}
    for path in gold:
        questions.setdefault((path.nodes[0], path.nodes[-1]), []).append(path)
    joined = hit_1 = hit_k = 0
    recall, jaccard = [], []
    for (start, target), paths in questions.items():
        found = [tuple(n.id for n in p.nodes)
                 for p in finder.find(graph.curie(start), graph.curie(target), k=k, max_hops=max_hops)]
        wanted = {tuple(graph.curie(n) for n in p.nodes) for p in paths}
        joined += bool(found)
        hit_1 += bool(found) and found[0] in wanted
        hit_k += any(p in wanted for p in found)
        inner = {n for p in wanted for n in p[1:-1]}
        if inner:
            recall.append(len(inner & {n for p in found for n in p}) / len(inner))
        jaccard.append(max((len({*p} & {*w}) / len({*p} | {*w}) for p in found for w in wanted), default=0.0))
    n = max(1, len(questions))
    whole = sum(-1 not in p.edges for p in gold)
    return {"questions": len(questions), "gold_paths": len(gold), "gold_in_graph": round(whole / max(1, len(gold)), 4),
            "k": k, "max_hops": max_hops, "joined": round(joined / n, 4), "hit_1": round(hit_1 / n, 4),
            "hit_k": round(hit_k / n, 4), "node_recall": round(float(np.mean(recall)), 4) if recall else None,
            "jaccard": round(float(np.mean(jaccard)), 4) if jaccard else None}


def fit_weights(graph: KnowledgeGraph, gold: Sequence[GoldPath], *, start: Weights | None = None, max_hops: int = 4
                ) -> tuple[Weights, dict[str, Any]]:
    """Weights under which gold paths come out above the other paths between the same ends.

    Per question the candidates are the gold paths that the graph has and the 64 best others by the ``start`` weights; the
    likelihood of drawing a gold path from a softmax over scores is maximised over the five scalar weights (kept at or
    above zero, and pulled slightly towards ``start``). The tables stay as they are. Deterministic.

    Returns:
        The weights, and what the fit saw: questions used, the mean likelihood before and after.

    Raises:
        InputError: no gold path can be used: each needs all its steps in the graph and another path to stand against.
    """
    before = start or default_weights()
    unit = PathFinder(graph, weights=_with(before, np.ones(len(FITTED))))
    pool = PathFinder(graph, weights=before)
    sets: list[tuple[Array, Array]] = []
    questions: dict[tuple[int, int], list[GoldPath]] = {}
    for path in gold:
        if -1 not in path.edges:
            questions.setdefault((path.nodes[0], path.nodes[-1]), []).append(path)
    for (a, b), paths in questions.items():
        hops = max(max_hops, *(len(p.edges) for p in paths))
        others = pool.find(graph.curie(a), graph.curie(b), k=_POOL, max_hops=hops)
        edges = {p.edges for p in paths} | {tuple(e.id for e in p.edges) for p in others}
        wanted = {p.nodes for p in paths}
        rows, labels = [], []
        for candidate in sorted(edges):
            record = unit.score_path(a, candidate)
            rows.append([record.parts[name] for name in PARTS[:len(FITTED)]])
            labels.append(tuple(graph.index(n.id) for n in record.nodes) in wanted)
        if not all(labels):
            sets.append((np.array(rows), np.array(labels)))
    if not sets:
        raise InputError("no gold path can teach anything",
                         hint="each needs all its steps in the graph, and other paths between the same ends")
    origin = np.array([getattr(before, name) for name in FITTED])
    fitted = _climb(sets, origin)
    report = {"questions": len(sets), "likelihood_before": round(_likelihood(sets, origin), 4),
              "likelihood_after": round(_likelihood(sets, fitted), 4)}
    return _with(before, fitted), report


def _with(weights: Weights, values: Array) -> Weights:
    length, hub, relation, type_, source = (round(float(v), 4) for v in values)
    return replace(weights, length=length, hub=hub, relation=relation, type=type_, source=source)


def _share(rows: Array, labels: Array, w: Array) -> tuple[Array, Array, float]:
    score = rows @ w
    odds = np.exp(score - score.max())
    p = odds / odds.sum()
    gold = np.where(labels, p, 0.0)
    return p, gold, float(gold.sum())


def _likelihood(sets: Sequence[tuple[Array, Array]], w: Array) -> float:
    return float(np.mean([_share(rows, labels, w)[2] for rows, labels in sets]))


def _climb(sets: Sequence[tuple[Array, Array]], origin: Array) -> Array:
    w = origin.astype(float)
    for _ in range(_STEPS):
        slope = -_SHRINK * (w - origin)
        for rows, labels in sets:
            p, gold, total = _share(rows, labels, w)
            slope = slope + (gold / max(total, 1e-12) - p) @ rows / len(sets)
        w = np.maximum(0.0, w + _RATE * slope)
    return w
