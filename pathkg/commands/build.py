"""``pathkg build``: merge sources into one graph store."""

from __future__ import annotations

import argparse
import glob
import sys

from pathkg.commands import print_json
from pathkg.commands.progress import Bar
from pathkg.errors import InputError
from pathkg.merge import build, summary


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = (
        "Each option may be given several times and takes several paths. What 'pathkg download' fetched lies under\n"
        "PATHKG_HOME/downloads. Example:\n"
        "  pathkg build --primekg kg.csv --ontology mondo.obo hp.obo --pathograph PathoML/ --out store")
    for name, text in (
            ("primekg", "PrimeKG: kg.csv (.gz, .zst, .parquet), a folder with nodes and edges, a node list"),
            ("optimuskg", "OptimusKG: folder with nodes.parquet and edges.parquet"),
            ("pathograph", "PathoML files, or folders to search for them"),
            ("ontology", "OBO, OBO-graph JSON, HGNC, OncoTree or SSSOM files, or folders to search"),
            ("tsv", "folders with your own nodes.tsv and edges.tsv")):
        parser.add_argument(f"--{name}", action="extend", nargs="+", default=[], metavar="PATH", help=text)
    parser.add_argument("--core", action=argparse.BooleanOptionalAction, default=True,
                        help="include the bundled pathology core (default: yes)")
    parser.add_argument("--names", action=argparse.BooleanOptionalAction, default=True,
                        help="merge by exact names of one type too (default: yes)")
    parser.add_argument("--fuzzy", action="store_true", help="propose (never merge) pairs of near-equal names")
    parser.add_argument("--instances", action="store_true", help="keep every PathoML instance as a node")
    parser.add_argument("--lexicon", action=argparse.BooleanOptionalAction, default=True,
                        help="compile the linking index into the store (default: yes)")
    parser.add_argument("--out", required=True, metavar="STORE", help="store folder to write")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", action="store_true", help="print the merge report as JSON")


def run(args: argparse.Namespace) -> int:
    """Build, then print the report."""
    with Bar(sys.stderr, quiet=args.quiet) as bar:
        result = build(
            args.out, primekg=_expand(args.primekg), optimuskg=_expand(args.optimuskg),
            pathograph=_expand(args.pathograph), ontologies=_expand(args.ontology), tsv=_expand(args.tsv),
            core=args.core, names=args.names, fuzzy=args.fuzzy, instances=args.instances, lexicon=args.lexicon,
            progress=bar.step)
    if args.json:
        print_json({"store": str(result.path), "hash": result.graph_hash, **result.report})
    else:
        print(summary(result.report))
        print(f"store: {result.path}  {result.graph_hash}")
    return 0


def _expand(paths: list[str]) -> list[str]:
    """Patterns that the shell has left alone (quoted, or on Windows)."""
    expanded: list[str] = []
    for path in paths:
        if any(c in path for c in "*?"):
            found = sorted(glob.glob(path))
            if not found:
                raise InputError(f"no file matches {path}")
            expanded += found
        else:
            expanded.append(path)
    return expanded
