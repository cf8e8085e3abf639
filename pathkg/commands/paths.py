"""``pathkg paths``: evidence paths between two entities."""

from __future__ import annotations

import argparse

from pathkg.commands import add_store_options, open_store, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("start", help="CURIE or name")
    parser.add_argument("target", help="CURIE or name")
    parser.add_argument("-k", type=int, default=5, help="how many paths (default 5)")
    parser.add_argument("--max-hops", type=int, default=4, help="longest path in edges (default 4)")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the paths; exit code 1 when there is none."""
    from pathkg.paths import find_paths

    result = find_paths(open_store(args), args.start, args.target, k=args.k, max_hops=args.max_hops)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0 if result.paths else 1
