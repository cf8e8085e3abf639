"""``pathkg-datagen audit``: verify every certificate of a dataset again."""

from __future__ import annotations

import argparse

from datagen.audit import audit
from pathkg.commands import add_store_options, open_store, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("dir", metavar="DIR", help="the --out folder of a finished run")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N samples")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Audit and say what was found; exit code 1 when the dataset does not pass."""
    result = audit(args.dir, graph=open_store(args), limit=args.limit)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0 if result.ok else 1
