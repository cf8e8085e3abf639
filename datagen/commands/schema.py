"""``pathkg-datagen schema``: the schemas of what goes in and what comes out."""

from __future__ import annotations

import argparse

from datagen.cases import findings_json_schema
from datagen.output.schema import sample_schema
from pathkg.commands import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("what", choices=("findings", "sample"),
                        help="findings: JSON schema of structured slide findings; sample: columns of the dataset")


def run(args: argparse.Namespace) -> int:
    """Print the schema as JSON."""
    if args.what == "findings":
        print_json(findings_json_schema())
    else:
        print_json({field.name: str(field.type) for field in sample_schema()})
    return 0
