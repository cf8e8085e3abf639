"""``pathkg download``: fetch a source graph or ontology."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathkg.commands import print_json
from pathkg.commands.progress import Bar
from pathkg.sources.download import download
from pathkg.sources.registry import SOURCES, find_source


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    width = max(map(len, SOURCES))
    parser.epilog = "sources:\n" + "\n".join(
        f"  {s.name:<{width}}  version {s.version}; {s.licence}" for s in SOURCES.values()) + (
        "\n\nPATHKG_HOME is the cache folder, PATHKG_OFFLINE=1 forbids the network, PATHKG_MIRROR names a mirror.")
    parser.add_argument("source", nargs="+", metavar="SOURCE", help="which; see below")
    parser.add_argument("--to", metavar="FOLDER", help="put the files in FOLDER/SOURCE (default: the cache)")
    parser.add_argument("--mirror", default="", metavar="URL", help="take the files from URL/SOURCE/FILE")
    parser.add_argument("--url", action="append", default=[],
                        help="address of the source's file (repeat for its second file), instead of the registered one")
    parser.add_argument("--sha256", default="", help="expected checksum of the first file")
    parser.add_argument("--md5", default="", help="expected checksum of the first file")
    parser.add_argument("--force", action="store_true", help="fetch again even if the file is there")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def run(args: argparse.Namespace) -> int:
    """Fetch and print where the files are."""
    results = []
    for name in args.source:
        with Bar(sys.stderr) as bar:
            folder = Path(args.to) / find_source(name).name if args.to else None
            results += download(name, folder=folder, mirror=args.mirror, url=args.url, sha256=args.sha256,
                                md5=args.md5, force=args.force, progress=bar.bytes)
    if args.json:
        print_json([r.to_dict() for r in results])
    else:
        for result in results:
            state = "already there" if result.cached else f"{result.bytes:,} bytes"
            print(f"{result.path}  {state}, sha256 {result.sha256[:16]}…")
    return 0
