"""``pathkg paths``: evidence paths between entities; many pairs; weights fitted on gold paths."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pathkg.commands import add_store_options, open_store, print_json, read_text
from pathkg.errors import InputError, PathkgError

_REPEATED = {
    "node_types": ("--type", "inner nodes of this type only"), "not_node_types": ("--not-type", "no inner node of this type"),
    "relations": ("--relation", "this relation only"), "not_relations": ("--not-relation", "without this relation"),
    "sources": ("--source", "edges from this source only"), "not_sources": ("--not-source", "no edge from this source"),
    "avoid_nodes": ("--avoid-node", "never pass through this node")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = ('examples:\n  pathkg paths "keratin pearl" "squamous cell carcinoma"\n'
                     '  pathkg paths "CD10 positive" MONDO:0005005 --pattern "marker_result -supports-> disease -is_a*-> disease"\n'
                     "  pathkg paths --pairs pairs.tsv --max-degree 500 > paths.jsonl\n"
                     "  pathkg paths --fit-gold gold.tsv --out weights.json")
    parser.add_argument("start", nargs="?", help="CURIE or name")
    parser.add_argument("target", nargs="?", help="CURIE or name")
    parser.add_argument("--and-start", action="append", default=[], metavar="NAME", help="a further start")
    parser.add_argument("--and-target", action="append", default=[], metavar="NAME", help="a further target")
    parser.add_argument("-k", type=int, default=5, help="how many paths (default 5); 0 for all")
    parser.add_argument("--max-hops", type=int, default=4, help="longest path in edges (default 4)")
    parser.add_argument("--mode", default="k_shortest", help="k_shortest (default), shortest, all_shortest, all_simple")
    parser.add_argument("--select", help="best, or diverse (default for several ends)")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="another finding of the case")
    what = parser.add_argument_group("what a path may use (may be repeated)")
    for name, (flag, meaning) in _REPEATED.items():
        what.add_argument(flag, dest=name, action="append", metavar="NAME", help=meaning)
    what.add_argument("--avoid-edge", dest="avoid_edges", action="append", type=int, metavar="ID", help="never use this edge")
    what.add_argument("--avoid-direct", action="store_true", help="never step straight from start to target")
    what.add_argument("--direction", default="any", help="any (default), forward, backward")
    what.add_argument("--max-degree", type=int, metavar="N", help="do not pass through nodes with more edges")
    what.add_argument("--polarity", help="absent: opposing and negated edges only; present: none of these")
    what.add_argument("--pattern", help="meta-path, for example: morphology -supports-> disease -is_a*-> disease")
    cost = parser.add_argument_group("budget")
    cost.add_argument("--limit", type=int, help="enumerate at most so many paths")
    cost.add_argument("--max-expansions", type=int, help="try at most so many steps")
    cost.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop with what has been found by then")
    more = parser.add_argument_group("files")
    more.add_argument("--pairs", metavar="FILE", help="lines 'start<TAB>target' (- for stdin); one JSON result per line")
    more.add_argument("--weights", metavar="FILE", help="ranking weights (JSON)")
    more.add_argument("--fit-gold", metavar="FILE", help="fit the weights on gold paths (columns: see docs)")
    more.add_argument("--out", metavar="FILE", help="where --fit-gold writes the weights (default: stdout)")
    parser.add_argument("--words", action="store_true", help="say the paths in sentences")
    parser.add_argument("--parts", action="store_true", help="print the parts of each score")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the paths; exit code 1 when there is none (with ``--pairs``: when a line could not be used)."""
    from pathkg.paths import find_paths, read_weights

    if args.fit_gold:
        return _fit(args)
    weights = read_weights(args.weights) if args.weights else None
    if args.pairs:
        return _pairs(args, weights)
    if not (args.start and args.target):
        raise InputError("start and target are needed", hint='pathkg paths "keratin pearl" "squamous cell carcinoma"')
    options = _options(args)
    for name in ("select", "limit", "time_limit"):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    result = find_paths(open_store(args), [args.start, *args.and_start], [args.target, *args.and_target], weights=weights,
                        case=args.case, k=args.k or None, **options)
    if args.json:
        print_json(result)
    else:
        print(_in_words(result) if args.words and result.paths else result.explain())
        if args.parts:
            for place, path in enumerate(result, 1):
                print(f"{place}. " + "  ".join(f"{name} {value:+.3f}" for name, value in path.parts.items()))
        notes = ["score: 0 is best; every edge, hub and vague relation costs (--parts shows how much)"] if result.paths else []
        notes += [result.detail] if result.detail and result.paths else []
        if result.truncated:
            notes.append("truncated: the budget or the limit ran out")
        if result.total is not None and result.total > len(result):
            notes.append(f"{result.total} such paths in all")
        print("\n".join(notes), file=sys.stderr, end="\n" if notes else "")
    return 0 if result.paths else 1


def _options(args: argparse.Namespace) -> dict[str, Any]:
    names = ("max_hops", "mode", "direction", "max_degree", "polarity", "pattern", "avoid_direct", "max_expansions",
             "avoid_edges", *_REPEATED)
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _in_words(result: Any) -> str:
    from pathkg.paths.words import path_in_words

    return "\n".join(f"{i}. {path_in_words(p)}  (score {p.score:.3f})" for i, p in enumerate(result, 1))


def _pairs(args: argparse.Namespace, weights: Any) -> int:
    from pathkg.paths import PathFinder

    finder = PathFinder(open_store(args), weights=weights)
    pairs, bad = [], 0
    for number, line in enumerate(read_text(args.pairs).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [f.strip() for f in line.split("\t")]
        if len(fields) < 2 or not all(fields[:2]):
            print(f"{args.pairs}, line {number}: expected 'start<TAB>target', got {line[:60]!r}", file=sys.stderr)
            bad += 1
            continue
        pairs.append((number, fields[0], fields[1]))
    results = finder.find_many([(a, b) for _, a, b in pairs], k=args.k or 256, **_options(args))
    for (number, start, target), result in zip(pairs, results, strict=True):
        if result.reason == "unknown_entity":
            print(f"{args.pairs}, line {number}: {result.detail}", file=sys.stderr)
            bad += 1
        print(json.dumps({"line": number, "start": start, "target": target} | result.to_dict(), ensure_ascii=False))
    if bad:
        print(f"{bad} of {len(pairs) + bad} lines could not be used", file=sys.stderr)
    return 1 if bad else 0


def _fit(args: argparse.Namespace) -> int:
    from pathkg.paths import read_weights
    from pathkg.paths.gold import fit_weights, gold_overlap, read_gold

    graph = open_store(args)
    gold, skipped = read_gold(graph, args.fit_gold)
    for message in skipped:
        print(f"{args.fit_gold}, {message}", file=sys.stderr)
    start = read_weights(args.weights) if args.weights else None
    fitted, report = fit_weights(graph, gold, start=start, max_hops=args.max_hops)
    overlap = {when: gold_overlap(graph, gold, k=args.k or 5, max_hops=args.max_hops, weights=weights)
               for when, weights in (("before", start), ("after", fitted))}
    text = json.dumps(fitted.to_dict() | {"made_by": "pathkg paths --fit-gold"}, indent=1) + "\n"
    report = {"lines_skipped": len(skipped), **report, "overlap": overlap}
    if args.out:
        try:
            Path(args.out).write_text(text, "utf-8")
        except OSError as error:
            raise PathkgError(f"cannot write {args.out}: {error}", hint="give --out a path that can be written") from error
        print_json(report)
    else:
        print(text, end="")
        print(json.dumps(report), file=sys.stderr)
    return 0
