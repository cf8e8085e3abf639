"""``pathkg link``: what the linker understands of a text."""

from __future__ import annotations

import argparse

from pathkg.commands import add_store_options, open_store, print_json, read_text


def configure(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("text", nargs="?", help="the text to link")
    source.add_argument("--file", metavar="FILE", help="read the text from a file (- for standard input)")
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    from pathkg.linking import linker_for

    text = args.text if args.file is None else read_text(args.file)
    result = linker_for(open_store(args)).link(text)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0
