"""``pathkg-datagen export``: a dataset in the format of a training framework."""

from __future__ import annotations

import argparse

from datagen.output.exports import FORMATS, export
from pathkg.commands import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.epilog = "formats:\n" + "\n".join(f"  {name:<9} {about}" for name, (_, _, about) in FORMATS.items())
    parser.add_argument("dir", metavar="DIR", help="the --out folder of a finished run")
    parser.add_argument("--format", required=True, choices=FORMATS, help="see below")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the export")
    parser.add_argument("--dialect", help="tags of the trajectories: observe or info (default: the dataset's own)")
    parser.add_argument("--with-report", action="store_true", help="put the report into the prompt")
    parser.add_argument("--publish", action="store_true",
                        help="for giving away: all licences must be known, identifiers and local paths are removed")
    parser.add_argument("--title", default="Pathology reasoning trajectories", help="of the dataset card")
    parser.add_argument("--cases-licence", default="", metavar="SPDX", help="terms of the cases")
    parser.add_argument("--model-licence", default="", metavar="TERMS", help="terms on what the model wrote")
    parser.add_argument("--licence", default="", metavar="SPDX", help="of the export itself")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def run(args: argparse.Namespace) -> int:
    """Export and say what was written."""
    summary = export(args.dir, args.out, format=args.format, dialect=args.dialect, with_report=args.with_report,
                     publish=args.publish, title=args.title, cases_licence=args.cases_licence,
                     model_licence=args.model_licence, licence=args.licence)
    if args.json:
        print_json(summary)
    else:
        print(summary.explain())
    return 0
