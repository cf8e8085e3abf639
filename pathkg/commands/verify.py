"""``pathkg verify``: check a trajectory against a report and the graph; check a certificate again."""

from __future__ import annotations

import argparse
import json

from pathkg.commands import add_store_options, open_store, print_json, read_text
from pathkg.errors import InputError

EXIT = {"supported": 0, "unsupported": 1, "contradicted": 1}


def configure(parser: argparse.ArgumentParser) -> None:
    add_store_options(parser)
    parser.add_argument("trajectory", help="file with the tagged trajectory; - for standard input")
    parser.add_argument("--report", metavar="FILE", help="the report it is about")
    parser.add_argument("--dialect", default="auto", help="observe, info, or auto (default)")
    parser.add_argument("--out", metavar="FILE", help="write the certificate as JSON")
    parser.add_argument("--recheck", metavar="CERTIFICATE", help="run the verification again and compare with this certificate")
    parser.epilog = "exit code: 0 supported (or the certificate holds), 1 not, 2 bad input"


def run(args: argparse.Namespace) -> int:
    from pathkg.trajectory import Certificate, recheck, verify

    graph = open_store(args)
    text = read_text(args.trajectory).strip()
    report = read_text(args.report) if args.report else None
    if args.recheck:
        try:
            record = json.loads(read_text(args.recheck))
        except ValueError as error:
            raise InputError(f"{args.recheck} is not JSON: {error}",
                             hint="pass a certificate written by pathkg verify --out") from error
        result = recheck(Certificate.from_dict(record), text, report=report, graph=graph, dialect=args.dialect)
        if args.json:
            print_json(result)
        else:
            print("the certificate holds" if result else "the certificate does NOT hold:\n  "
                  + "\n  ".join(result.differences[:20]))
        return 0 if result else 1
    certificate = verify(text, report=report, graph=graph, dialect=args.dialect)
    if args.out:
        try:
            with open(args.out, "w", encoding="utf-8") as file:
                json.dump(certificate.to_dict(), file, ensure_ascii=False, indent=1)
        except OSError as error:
            raise InputError(f"cannot write {args.out}: {error.strerror or error}",
                             hint="give a file in a folder that exists") from error
    if args.json:
        print_json(certificate)
    else:
        print(certificate.explain())
    return EXIT[certificate.verdict]
