"""``pathkg view``: one self-contained HTML page of a dataset, or of one trajectory."""

from __future__ import annotations

import argparse
from pathlib import Path

from pathkg.commands import open_store, read_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("source", metavar="DATASET|FILE",
                        help="folder of a pathkg-datagen run, a samples .jsonl, one sample .json, or a text file with "
                             "one tagged trajectory")
    parser.add_argument("-o", "--out", metavar="FILE", help="HTML file to write (default: NAME.html)")
    parser.add_argument("--report", metavar="FILE", help="the report that a bare trajectory is about")
    parser.add_argument("--store", metavar="STORE",
                        help="graph store that the certificates cite (default: the bundled pathology core)")
    parser.add_argument("--title", default="", help="heading of the page (default: the source's name)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from pathkg.view import write_page

    source = Path(args.source)
    out = Path(args.out) if args.out else Path(source.resolve().name).with_suffix(".html")
    report = read_text(args.report) if args.report else None
    count = write_page(source, out, graph=open_store(args), report=report, title=args.title, limit=args.limit)
    print(f"{out}: {count} {'case' if count == 1 else 'cases'}, {out.stat().st_size / 1e6:.1f} MB")
    if args.open:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())
    return 0
