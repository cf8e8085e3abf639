"""The commands of ``pathkg-train``: each has ``configure(parser)`` and ``run(args) -> int``."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from typing import Any


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """``--config`` and ``--set``."""
    parser.add_argument("--config", required=True, metavar="RUN.yaml", help="the run: a file, or the name of a bundled one such as sft-cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
                        help="change one value, e.g. --set trainer.learning_rate=1e-4 (may be repeated)")
    parser.add_argument("--check", action="store_true", help="check the run file and stop")


def load_checked(args: argparse.Namespace, kind: str) -> Any:
    """The run that the options name, or ``None`` after ``--check`` has said that it is well."""
    from model.training.config import load_run

    run = load_run(args.config, kind, args.overrides)
    if args.check:
        print(f"{args.config}: fine")
        return None
    return run


def plain_logging() -> None:
    """Plain log lines on stderr, without the repeated deprecation notes of the libraries underneath."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s",
                        datefmt="%H:%M:%S")
    for name in ("httpx", "datasets", "transformers", "accelerate"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
