"""``pathkg node``: look up one node, or search names."""

from __future__ import annotations

import argparse

from pathkg.commands import add_store_options, open_store, print_json
from pathkg.graph import KnowledgeGraph

_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("node", help="CURIE, cross-reference, name or synonym; with --search, how a name begins")
    parser.add_argument("--search", action="store_true", help="list nodes with a name that begins so")
    parser.add_argument("--relation", action="append", help="only edges of this relation (may be repeated)")
    parser.add_argument("--type", action="append", help="only neighbours of this type (may be repeated)")
    parser.add_argument("--direction", choices=("any", "forward", "backward"), default="any",
                        help="forward: edges of which the node is the subject; backward: the object (default: any)")
    parser.add_argument("--limit", type=int, default=_SHOWN, metavar="N", help=f"entries shown (default {_SHOWN})")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Look up and print."""
    graph = open_store(args)
    if args.search:
        found = [{"id": graph.curie(i), "name": graph.name(i), "type": graph.type(i)}
                 for i in graph.search(args.node, limit=args.limit)]
        if args.json:
            print_json(found)
        else:
            print("\n".join(f"{f['id']:<24} {f['name']}  ({f['type']})" for f in found) or "no name begins so")
        return 0
    curie = graph.resolve(args.node)
    neighbors = graph.neighbors(curie, args.relation, args.type, args.direction)
    edges = [{**graph.edge(edge).to_dict(), "direction": way, "neighbor": other, "neighbor_name": graph.name(other),
              "neighbor_type": graph.type(other)} for edge, other, way in neighbors[:max(0, args.limit)]]
    ancestors = graph.ancestors(curie)
    record = {**graph.node(curie).to_dict(), "degree": graph.degree(curie), "graph": graph.hash,
              "neighbors_matching": len(neighbors), "neighbors": edges,
              "ancestors": [{"id": i, "name": graph.name(i), "distance": d} for i, d in ancestors.items()],
              "descendants": len(graph.descendants(curie))}
    if args.json:
        print_json(record)
    else:
        print(_text(graph, record))
    return 0


def _text(graph: KnowledgeGraph, record: dict[str, object]) -> str:
    lines = [f"{record['id']}  {record['name']}  ({record['type']})"]
    if record["definition"]:
        lines.append(f"  {record['definition']}")
    for key in ("synonyms", "xrefs", "sources"):
        values = record[key]
        if isinstance(values, list) and values:
            more = f" … ({len(values)} in all)" if len(values) > _SHOWN else ""
            lines.append(f"  {key}: {'; '.join(values[:_SHOWN])}{more}")
    ancestors = record["ancestors"]
    if isinstance(ancestors, list) and ancestors:
        lines.append(f"  is a: {'; '.join(a['name'] for a in ancestors[:6])}{' …' if len(ancestors) > 6 else ''}")
    lines.append(f"  {record['descendants']} kinds of it, {record['degree']} edges, "
                 f"{record['neighbors_matching']} matching")
    edges = record["neighbors"]
    if isinstance(edges, list):
        for edge in edges:
            word = f"NOT {edge['relation']}" if edge["negated"] else edge["relation"]
            arrow = f"—{word}→" if edge["direction"] == "forward" else f"←{word}—"
            lines.append(f"    {arrow} {edge['neighbor_name']} ({edge['neighbor']}) [{edge['source']}]")
    return "\n".join(lines)
