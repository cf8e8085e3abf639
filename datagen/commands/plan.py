"""``pathkg-datagen plan``: what a case would be reasoned from, before a word is written."""

from __future__ import annotations

import argparse
from itertools import islice

from datagen.api import Generator
from datagen.cases import ColumnMap, UnusableCase, read_cases
from datagen.plan import Plan, diff_plans
from datagen.records import Rejection
from pathkg.api import load
from pathkg.commands import add_store_options, open_store, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--cases", required=True, metavar="FILE", help="file or folder of cases")
    parser.add_argument("--case", metavar="ID", help="only this case (default: the first ones)")
    parser.add_argument("--limit", type=int, default=3, metavar="N", help="how many cases (default: 3)")
    parser.add_argument("--column", action="append", default=[], metavar="FIELD=COLUMN", help="as for run")
    parser.add_argument("--diff-store", metavar="STORE", help="show what changes when this graph is used instead")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print plans, or the difference between the plans of two graphs."""
    generator = Generator(open_store(args))
    other = Generator(load(args.diff_store)) if args.diff_store else None
    cases = (c for c in read_cases(args.cases, columns=ColumnMap.parse(args.column))
             if not isinstance(c, UnusableCase) and args.case in (None, c.case_id))
    records = []
    for case in islice(cases, 1 if args.case else args.limit):
        plan = generator.plan(case, generator.read(case)[1])
        changed = other.plan(case, other.read(case)[1]) if other else None
        if args.json:
            records.append(plan.to_dict())
        elif isinstance(plan, Rejection):
            print(f"case {case.case_id}: {plan.reason} ({plan.detail})\n")
        elif isinstance(changed, Plan):
            print("\n".join([f"case {case.case_id}", *(diff_plans(plan, changed) or ["no difference"])]) + "\n")
        else:
            print(plan.explain() + "\n")
    if args.json:
        print_json(records)
    return 0
