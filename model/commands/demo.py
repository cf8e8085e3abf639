"""``pathkg-train demo``: see :mod:`model.demo.run`."""

from __future__ import annotations

import argparse

from model.commands import plain_logging


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, metavar="FOLDER", help="everything is written here; resumable")
    parser.add_argument("--lm", default="smollm2", metavar="smollm2|tiny|FOLDER",
                        help="language model: SmolLM2-135M (default), a toy at random, or a folder")
    parser.add_argument("--scale", type=float, default=1.0, help="steps and cases times this (default 1)")
    parser.add_argument("--threads", type=int, help="torch threads")
    parser.add_argument("--seed", type=int, default=0, help="of the slides, the weights and the training (default 0)")
    parser.add_argument("--ablations", action="store_true", help="also train without masking, pseudo-bags and the "
                                                                 "entity reward")
    parser.add_argument("--features", choices=("slides", "prototypes"), default="slides",
                        help="draw slides, tile and encode them (default; needs pathkg[slides]), or random features")
    parser.add_argument("--real-slide", default="", metavar="FILE", help="a slide whose patches join those that say "
                                                                         "nothing")


def run(args: argparse.Namespace) -> int:
    plain_logging()
    from model.demo.run import run_demo

    return run_demo(args.out, lm=args.lm, scale=args.scale, threads=args.threads, seed=args.seed,
                    ablations=args.ablations, slides=args.features == "slides",
                    real_slide=args.real_slide)
