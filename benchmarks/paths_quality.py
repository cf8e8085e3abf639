"""How well differential support recovers held-back finding-diagnosis edges of the core graph.

    python -m benchmarks.paths_quality [--store STORE] [--sizes 3 …] [--variants one …] [--per-tumour N]
        [--limit N] [--gold FILE] [--out FILE]

Protocol (leave-edge-out). A *tumour* is a disease node that is a neoplasm by the words of its own name or of an
ancestor's and is not below "non-neoplastic disease". Its *findings* are the morphology, phenotype, cell and marker-result
nodes joined to it by supports, has_morphology, has_growth_pattern, has_cytologic_feature or has_stromal_feature. Every
tumour with five or more findings is a target. For each target a query of q of its findings is drawn by seed and the graph
is asked for the diagnosis with edges removed:

* ``one``: the edges between the tumour and one of the query's findings, every parallel relation between the two
  included: does the rest of the case still lead to the tumour? This is the recovery of one held-back edge.
* ``all``: the edges between the tumour and every finding of the query: nothing joins the case to its tumour directly.
  This is how well structure alone (kinds, siblings, markers) tells; expect little.
* ``none``: no edge; what the graph answers about what it has been told.

``rank`` is the place of the target among all tumour nodes (not only those with five findings). Ties count against
it. Sizes: 3, 4, 5, 8 and ``every`` (all findings of the tumour, five or more). ``mixed`` is any number of findings from three to
all of them, drawn by seed.

The tumours are also reported in two halves, split by a hash of their CURIE, to show how far a figure hangs on the sample.
With ``--gold`` the overlap of the
best paths with gold paths is reported too; columns in :mod:`pathkg.paths.gold`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import pathkg
from pathkg.graph import KnowledgeGraph
from pathkg.paths.chains import SupportReader

FINDING_TYPES = ("morphology", "effect/phenotype", "cell", "marker_result")
EVIDENCE = ("supports", "has_morphology", "has_growth_pattern", "has_cytologic_feature", "has_stromal_feature")
NEOPLASM = re.compile(r"neoplas|tumou?r|cancer|carcinoma|sarcoma|lymphoma|leuka?emia|melanoma|blastoma|glioma|oma\b"
                      r"|malignan|metasta")
LEAST_FINDINGS = 5
SIZES: tuple[int | str, ...] = (3, 4, 5, 8, "every", "mixed")
VARIANTS = ("one", "all", "none")
HALVES = ("half_a", "half_b")


class Targets:
    """Tumours of a graph, their findings, and the edges between the two."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        arrays = graph.arrays
        kinds = np.asarray(arrays.node_type)
        disease = graph.node_types.index("disease")
        finding = {graph.node_types.index(t) for t in FINDING_TYPES if t in graph.node_types}
        evidence = {graph.relations.index(r) for r in EVIDENCE if r in graph.relations}
        self.edges: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.findings: dict[int, set[int]] = defaultdict(set)
        for e, (s, o, r) in enumerate(zip(arrays.edge_subject.tolist(), arrays.edge_object.tolist(),
                                          arrays.edge_relation.tolist(), strict=True)):
            for d, f in ((s, o), (o, s)):
                if kinds[d] == disease and kinds[f] in finding:
                    self.edges[f, d].append(e)
                    if r in evidence:
                        self.findings[d].add(f)
        benign = graph.find_index("PATHKG:non-neoplastic-disease")
        self.tumours = []
        for d in np.flatnonzero(kinds == disease).tolist():
            above = [graph.curie(d), *graph.ancestors(graph.curie(d))]
            if benign is not None and graph.curie(benign) in above:
                continue
            if any(NEOPLASM.search(graph.name(c).lower()) for c in above):
                self.tumours.append(d)
        self.targets = [d for d in self.tumours if len(self.findings[d]) >= LEAST_FINDINGS]


def half_of(curie: str) -> str:
    """Which half a tumour belongs to."""
    return HALVES[hashlib.sha256(curie.encode()).digest()[0] % 2]


def draw_query(curie: str, known: list[int], size: int | str, draw: int) -> list[int]:
    """Some findings of a tumour, by seed."""
    rng = random.Random(f"{curie} {size} {draw}")
    if size == "mixed":
        return rng.sample(known, rng.randint(3, len(known)))
    return rng.sample(known, len(known) if size == "every" else min(int(size), len(known)))


def recover(graph: KnowledgeGraph, targets: Targets, size: int | str, variant: str, *, per_tumour: int,
            limit: int | None, reader: SupportReader | None = None) -> dict[str, Any]:
    """Ranks of one query size and variant, summarised, for all targets and for each half of them."""
    reader = reader or SupportReader(graph)
    ranks: dict[str, list[int]] = {half: [] for half in HALVES}
    began = time.perf_counter()
    chosen = targets.targets[::max(1, len(targets.targets) // limit)][:limit] if limit else targets.targets
    for d in chosen:
        curie = graph.curie(d)
        for draw in range(per_tumour):
            query = draw_query(curie, sorted(targets.findings[d]), size, draw)
            held = {"one": query[:1], "all": query, "none": []}[variant]
            avoid = frozenset(e for f in held for e in targets.edges[f, d])
            score = reader.scores([(f, "+") for f in query], avoid)
            mine = score.get(d, 0.0)
            ranks[half_of(curie)].append(sum(score.get(t, 0.0) >= mine - 1e-9 for t in targets.tumours))
    every = [rank for half in HALVES for rank in ranks[half]]
    return {"query_findings": size, "held_back": variant, **_summary(every),
            **{half: _summary(ranks[half]) for half in HALVES}, "seconds": round(time.perf_counter() - began, 1)}


def _summary(ranks: list[int]) -> dict[str, Any]:
    place = np.array(ranks)
    if not len(place):
        return {"queries": 0}
    return {"queries": len(place), "rank_1": round(float((place == 1).mean()), 4),
            "within_5": round(float((place <= 5).mean()), 4), "within_10": round(float((place <= 10).mean()), 4),
            "median_rank": float(np.median(place)), "mean_reciprocal_rank": round(float((1 / place).mean()), 4)}


def main() -> int:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description="Recovery of held-back finding-diagnosis edges.")
    parser.add_argument("--store", help="graph store (default: the bundled core)")
    parser.add_argument("--per-tumour", type=int, default=1, help="queries per tumour, size and variant (default 1)")
    parser.add_argument("--limit", type=int, help="an evenly spread sample of N tumours, for a quick look")
    parser.add_argument("--sizes", nargs="+", default=[str(s) for s in SIZES], help="query sizes (default: 3 4 5 8 every mixed)")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS, help="edges held back")
    parser.add_argument("--gold", help="file of gold paths: report the overlap as well")
    parser.add_argument("--out", help="write the JSON to this file too")
    args = parser.parse_args()
    graph = pathkg.load(args.store)
    targets = Targets(graph)
    reader = SupportReader(graph)
    report: dict[str, Any] = {
        "graph": graph.hash, "tumours": len(targets.tumours), "targets": len(targets.targets),
        "protocol": "rank of the tumour among all tumours; edges held back as named; ties count against",
        "recovery": [recover(graph, targets, int(s) if s.isdigit() else s, v, per_tumour=args.per_tumour,
                             limit=args.limit, reader=reader) for s in args.sizes for v in args.variants]}
    if args.gold:
        from pathkg.paths.gold import gold_overlap, read_gold

        gold, skipped = read_gold(graph, args.gold)
        report["gold"] = gold_overlap(graph, gold) | {"lines_skipped": skipped}
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        Path(args.out).write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
