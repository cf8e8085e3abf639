"""``pathkg-train pretrain``."""

from __future__ import annotations

import argparse

from model.commands import add_run_options, load_checked, plain_logging


def configure(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(args: argparse.Namespace) -> int:
    settings = load_checked(args, "pretrain")
    if settings is None:
        return 0
    plain_logging()
    from model.training.sft import run_sft

    figures = run_sft(settings, captions=True)
    print(f"model: {figures['model']}")
    return 0
