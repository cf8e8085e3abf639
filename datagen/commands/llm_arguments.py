"""The options of the LLM writer, shared by the commands that call a model."""

from __future__ import annotations

import argparse
from typing import Any


def add_llm_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the LLM writer."""


def llm_options(args: argparse.Namespace) -> Any:
    """The options as a value."""
    return None
