"""``pathkg export``: a store in other programs' formats."""

from __future__ import annotations

import argparse

from pathkg.commands import add_store_options, open_store, print_json
from pathkg.graph.export import FORMATS, export

_ABOUT = {"kgx": "KGX TSV (nodes.tsv, edges.tsv); complete, can be read back with --tsv",
          "graphml": "GraphML for Gephi, yEd, Cytoscape, networkx", "neo4j": "CSV for neo4j-admin database import",
          "ntriples": "N-Triples", "primekg": "kg.csv with PrimeKG's twelve columns, and nodes.csv"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = "formats:\n" + "\n".join(f"  {k:<9} {v}" for k, v in _ABOUT.items())
    parser.add_argument("--format", required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder to make")
    parser.add_argument("--around", action="append", metavar="NODE",
                        help="only the graph around this node (CURIE or name; may be repeated)")
    parser.add_argument("--hops", type=int, default=1, metavar="N", help="how far around (default 1)")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the files and name them."""
    graph = open_store(args)
    tables = graph.tables() if not args.around else graph.subgraph([graph.resolve(n) for n in args.around],
                                                                   hops=args.hops)
    files = export(tables, args.out, args.format)
    record = {"graph": graph.hash, "nodes": tables.nodes.num_rows, "edges": tables.edges.num_rows,
              "files": [str(f) for f in files]}
    if args.json:
        print_json(record)
    else:
        print(f"{record['nodes']:,} nodes, {record['edges']:,} edges: {', '.join(f.name for f in files)}")
    return 0
