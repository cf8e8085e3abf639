"""``pathkg-datagen run``: cases in, verified dataset out."""

from __future__ import annotations

import argparse
import os
from typing import Any

from datagen.api import MIN_FINDINGS, QUESTIONS_PER_CASE, GenerateOptions
from datagen.cases import FORMATS, ColumnMap
from datagen.filters.base import FILTERS, FilterOptions
from datagen.output.splits import parse_fractions
from datagen.pipeline import WRITERS, InputOptions
from datagen.pipeline import run as run_pipeline
from datagen.questions import KINDS
from datagen.runners import RUNNERS
from pathkg.commands import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--cases", required=True, metavar="FILE",
                        help=".jsonl, .json, .csv, .tsv, .parquet or .txt file, or a folder of .txt files")
    parser.add_argument("--out", required=True, metavar="DIR", help="output folder; the same folder resumes a run")
    parser.add_argument("--store", metavar="STORE", help="graph store folder (default: the bundled pathology core)")
    parser.add_argument("--writer", choices=WRITERS, default="template", help="who writes (default: template)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases")
    parser.add_argument("--seed", type=int, default=0, help="of all choices of wording (default: 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run with other settings")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    _input_arguments(parser.add_argument_group("reading the cases"))
    _sample_arguments(parser.add_argument_group("samples"))
    group = parser.add_argument_group("workers")
    group.add_argument("--runner", choices=RUNNERS, default="local", help="where the work is done (default: local)")
    group.add_argument("--workers", type=int, default=_cores(), metavar="N",
                       help="processes, or Ray tasks at once (default: the cores of this machine)")
    group.add_argument("--ray-address", metavar="ADDRESS", help="Ray cluster to join (default: start a local one)")
    from datagen.commands.llm_arguments import add_llm_arguments

    add_llm_arguments(parser)


def _input_arguments(group: Any) -> None:
    group.add_argument("--column", action="append", default=[], metavar="FIELD=COLUMN",
                       help="which column holds case_id, patient_id, text, diagnosis, slide, features, roi or "
                            "magnification; may be repeated")
    group.add_argument("--format", choices=FORMATS, default="auto", help="form of the records (default: auto)")
    group.add_argument("--patient-rule", default="auto", metavar="RULE",
                       help="auto, tcga, column, case or regex:PATTERN (default: auto)")
    group.add_argument("--images", metavar="FILE",
                       help="table with case_id or patient_id, slide, features, roi, magnification to attach")
    group.add_argument("--max-chars", type=int, default=200_000, metavar="N", help="longest text (default: 200000)")


def _sample_arguments(group: Any) -> None:
    group.add_argument("--questions", type=int, default=QUESTIONS_PER_CASE, metavar="N",
                       help=f"most questions per case (default: {QUESTIONS_PER_CASE})")
    group.add_argument("--kinds", default=",".join(KINDS), metavar="LIST", help=f"question kinds: {', '.join(KINDS)}")
    group.add_argument("--dialect", default="observe", help="tags of the trajectories: observe or info")
    group.add_argument("--min-findings", type=int, default=MIN_FINDINGS, metavar="N",
                       help=f"fewest linked findings of a sample (default: {MIN_FINDINGS})")
    group.add_argument("--skip-filter", action="append", default=[], metavar="NAME",
                       help=f"filter not to run, of {', '.join(FILTERS)}; may be repeated")
    group.add_argument("--contamination", action="append", default=[], metavar="FILE",
                       help="benchmark file whose texts must not occur in samples; may be repeated")
    group.add_argument("--near-duplicate", type=float, default=0.85, metavar="J",
                       help="similarity from which two samples are one (default: 0.85)")
    group.add_argument("--split", default="train=0.8,validation=0.1,test=0.1", metavar="FRACTIONS",
                       help="patient-level splits (default: train=0.8,validation=0.1,test=0.1)")
    group.add_argument("--with-plan", action="store_true", help="keep the plan in each sample")


def run(args: argparse.Namespace) -> int:
    """Make the dataset and print what came of it."""
    from datagen.commands.llm_arguments import llm_options

    options = GenerateOptions(
        seed=args.seed, questions=args.questions, kinds=tuple(k for k in args.kinds.split(",") if k),
        dialect=args.dialect, min_findings=args.min_findings, with_plan=args.with_plan,
        filters=FilterOptions(skip=tuple(args.skip_filter), near_duplicate=args.near_duplicate))
    reading = InputOptions(ColumnMap.parse(args.column), args.format, args.patient_rule, args.images, args.max_chars)
    llm = llm_options(args)
    summary = run_pipeline(
        cases=args.cases, out=args.out, store=args.store, limit=args.limit, writer=args.writer, options=options,
        reading=reading, runner=args.runner, workers=args.workers, address=args.ray_address,
        benchmarks=args.contamination, fractions=parse_fractions(args.split), overwrite=args.overwrite,
        quiet=args.quiet, llm=llm)
    if args.json:
        print_json(summary)
    elif summary.manifest.get("dry_run"):
        print("dry run over {} cases: {calls} first calls, {prompt_tokens} + {completion_tokens} tokens, price {cost}; "
              "with every repair turn at most {at_most_calls} calls, {at_most_cost}".format(summary.cases, **summary.usage))
    else:
        print(summary.explain())
        print(f"the dataset is in {summary.out}/ (samples.jsonl, samples.parquet, rejected.jsonl, manifest.json)")
    return 0


def _cores() -> int:
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not on this platform
        return max(1, os.cpu_count() or 1)
