"""``pathkg-datagen inspect``: statistics and figures of a dataset."""

from __future__ import annotations

import argparse

from datagen.inspection import inspect
from pathkg.commands import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("dir", metavar="DIR", help="the --out folder of a finished run")
    parser.add_argument("--figures", metavar="DIR", help="draw SVG figures into this folder")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def run(args: argparse.Namespace) -> int:
    """Print statistics."""
    result = inspect(args.dir, figures=args.figures)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0
