"""``pathkg explain``: evidence for and against candidate diagnoses."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathkg.commands import add_store_options, open_store, print_json, read_text
from pathkg.errors import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = ("Rank candidate diagnoses by the evidence that findings give for and against them. "
                          "For research, not for diagnosis.")
    parser.epilog = ('example:\n  pathkg explain --findings "clear cytoplasm" "CD10 positive" "no CK7 positive" '
                     '--html case.html')
    parser.add_argument("--findings", nargs="+", default=[], metavar="F",
                        help='CURIE or name; "no F" for an absent finding')
    parser.add_argument("--findings-file", metavar="FILE", help="one finding per line (# begins a comment); - for stdin")
    parser.add_argument("--candidates", nargs="+", metavar="D",
                        help="CURIE or name of diagnoses (default: every disease that a finding speaks for)")
    parser.add_argument("--top", type=int, default=6, help="how many candidates to show (default 6)")
    parser.add_argument("--avoid-edge", type=int, action="append", default=[], metavar="ID", help="edge not to use")
    parser.add_argument("--svg", metavar="FILE", help="write the picture of the case")
    parser.add_argument("--html", metavar="FILE", help="write a page with the picture and the evidence in words")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the ranked candidates; exit code 1 when there is none."""
    from pathkg.paths import explain_case
    from pathkg.paths.words import case_table

    if args.top < 1:
        raise InputError(f"--top is {args.top}", hint="give a number of at least 1")
    findings = [*args.findings]
    if args.findings_file:
        lines = (line.split("#")[0].strip() for line in read_text(args.findings_file).splitlines())
        findings += [line for line in lines if line]
    if not findings:
        raise InputError("no finding was given", hint='--findings "keratin pearl" "no mucin", or --findings-file FILE')
    case = explain_case(open_store(args), findings, args.candidates, top=args.top, avoid_edges=args.avoid_edge)
    if args.svg:
        from pathkg.paths.picture import case_svg

        _write(args.svg, case_svg(case, candidates=args.top) + "\n")
    if args.html:
        from pathkg.paths.page import case_html

        _write(args.html, case_html(case, candidates=args.top))
    if args.json:
        print_json(case)
    else:
        print(case_table(case))
        for name in filter(None, (args.svg, args.html)):
            print(f"wrote {name}", file=sys.stderr)
    return 0 if case.candidates else 1


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"cannot write {name}: {error.strerror or error}", hint="give a path that can be written") from error
