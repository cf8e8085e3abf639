"""``pathkg explain``: evidence for and against candidate diagnoses."""

from __future__ import annotations

import argparse

from pathkg.commands import add_store_options, open_store, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--findings", nargs="+", required=True, metavar="F", help="CURIE or name; 'no X' for absent")
    parser.add_argument("--candidates", nargs="+", metavar="D", help="CURIE or name (default: all diseases)")
    parser.add_argument("--top", type=int, default=5, help="how many candidates (default 5)")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the ranked candidates; exit code 1 when there is none."""
    from pathkg.paths import explain_case

    case = explain_case(open_store(args), args.findings, args.candidates, top=args.top)
    if args.json:
        print_json(case)
    else:
        print(case.explain())
    return 0 if case.candidates else 1
