"""``pathkg-train grpo``."""

from __future__ import annotations

import argparse

from model.commands import add_run_options, load_checked, plain_logging


def configure(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(args: argparse.Namespace) -> int:
    settings = load_checked(args, "grpo")
    if settings is None:
        return 0
    plain_logging()
    from model.training.grpo import run_grpo

    figures = run_grpo(settings)
    missing = {name: count for name, count in figures["unscored"].items() if count}
    if missing:
        print("scores that could not be made: " + ", ".join(f"{n} {c}" for n, c in missing.items()))
    print(f"model: {figures['model']}")
    return 1 if figures["stopped_for"] else 0
