"""``pathkg link``: what the linker understands of a text."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from pathkg.commands import add_store_options, open_store, print_json, read_text
from pathkg.errors import InputError

_FILE_NAME = re.compile(r"\S+\.(txt|md|jsonl?|csv|tsv|html?|xml|pdf|docx?|rtf)", re.IGNORECASE)


def configure(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("text", nargs="?", help="the text to link")
    source.add_argument("--file", metavar="FILE", help="read the text from a file (- for standard input)")
    parser.add_argument("--html", metavar="FILE", help="write the report with highlighted mentions as an HTML page")
    parser.add_argument("--findings", action="store_true", help="print the structured findings instead of the mentions")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    from pathkg.linking import extract_findings, linker_for

    text = args.text if args.file is None else read_text(args.file)
    if args.file is None and _FILE_NAME.fullmatch(text):
        print(f"pathkg: linking the words {text!r} themselves\n  to read a file: pathkg link --file {text}",
              file=sys.stderr)
    linker = linker_for(open_store(args))
    result = linker.link(text)
    if args.html:
        from pathkg.linking.render import html_page

        page = html_page(result, findings=extract_findings(text, linker=linker, mentions=result),
                         title=Path(args.file).name if args.file and args.file != "-" else "Linked report")
        try:
            Path(args.html).write_text(page, encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {args.html}: {error.strerror or error}",
                             hint="give a file in a folder that exists and may be written") from error
        if not args.json:
            print(f"{len(result)} mentions; page written to {args.html}")
            return 0
    if args.findings:
        found = extract_findings(text, linker=linker, mentions=result)
        if args.json:
            print_json(found)
        else:
            print(found.explain() or "no structured finding")
    elif args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0
