"""``pathkg-train demo-data``: the generated world of :mod:`model.demo.world`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, metavar="FOLDER", help="gets train, validation and test .jsonl, and bags/")
    parser.add_argument("--train", type=int, default=240, help="cases to train on (default 240)")
    parser.add_argument("--validation", type=int, default=48, help="held-back cases (default 48)")
    parser.add_argument("--test", type=int, default=60, help="cases for evaluation (default 60)")
    parser.add_argument("--diagnoses", type=int, default=6, help="how many diagnoses, 2 to 6 (default 6)")
    parser.add_argument("--closed", type=float, default=0.0, metavar="SHARE",
                        help="share asked as a multiple choice (default 0)")
    parser.add_argument("--careless", type=float, default=0.0, metavar="SHARE",
                        help="share of the training trajectories written carelessly (default 0; the demo: 0.4)")
    parser.add_argument("--features", choices=("slides", "prototypes"), default="prototypes",
                        help="draw slides, tile and encode them (needs pathkg[slides]), or random features (default)")
    parser.add_argument("--real-slide", default="", metavar="FILE", help="a slide whose patches join those that say "
                                                                         "nothing")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default 0)")


def run(args: argparse.Namespace) -> int:
    from model.demo.world import DIAGNOSES, WorldSettings, write_world
    from pathkg.errors import InputError

    if not 2 <= args.diagnoses <= len(DIAGNOSES):
        raise InputError(f"--diagnoses {args.diagnoses}", hint=f"between 2 and {len(DIAGNOSES)}")
    files = write_world(args.out, train=args.train, validation=args.validation, test=args.test,
                        settings=WorldSettings(seed=args.seed, diagnoses=args.diagnoses, closed_share=args.closed, careless=args.careless,
                                               slides=args.features == "slides", real_slide=args.real_slide))
    for split, file in files.items():
        print(f"{split}: {file}")
    return 0
