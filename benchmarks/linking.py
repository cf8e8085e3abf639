"""Linking, measured: ``python benchmarks/linking.py [PART ...] [--errors FOLDER]`` prints JSON.

Parts: gold (pathology gold, dev), annotated (human-annotated reports), reports (diagnosis and T of the other
reports), nodes (node counts against the reports themselves), ncbi, bc5cdr, hpo, negex, speed, large (500,000 forms). The plain dictionary matcher the
field uses runs on the same input. ``--errors`` writes one text file of errors per part; of the pathology gold
only the sentences with an even number are written, so that the odd half stays unread.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linking_parts import corpora, gold, negex, node_counts, reports, speed

Part = Callable[[Path, "Path | None"], dict[str, Any]]
PARTS: dict[str, Part] = {"gold": gold.measure, "annotated": reports.measure_annotated,
                         "reports": reports.measure_reports, "nodes": node_counts.measure, "negex": negex.measure, "ncbi": corpora.measure_ncbi,
                         "bc5cdr": corpora.measure_bc5cdr, "hpo": corpora.measure_hpo,
                         "speed": speed.measure, "large": speed.measure_large}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--data", type=Path, help="folder of the shared data (default: PATHKG_SHARED_DATA)")
    parser.add_argument("--errors", type=Path, metavar="FOLDER", help="write error lists here")
    args = parser.parse_args(argv)
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    from linking_parts.data import data_folder

    folder = args.data or data_folder()
    if args.errors:
        args.errors.mkdir(parents=True, exist_ok=True)
    figures = {}
    for part in args.parts or PARTS:
        figures[part] = PARTS[part](folder, args.errors)
        print(f"{part} done", file=sys.stderr)
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
