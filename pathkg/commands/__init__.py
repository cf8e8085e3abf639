"""The commands of the ``pathkg`` program, one module each, and what they share."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pathkg.errors import InputError
from pathkg.graph import KnowledgeGraph


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--store`` and ``--json``, which every look-up command has."""
    parser.add_argument("--store", metavar="STORE",
                        help="graph store folder (default: the bundled pathology core)")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def open_store(args: argparse.Namespace) -> KnowledgeGraph:
    """The graph that ``--store`` names, or the bundled core."""
    from pathkg.api import load

    return load(args.store)


def check_port(port: int) -> None:
    """Refuse a port number that cannot exist.

    Raises:
        InputError: it is not 0 to 65535.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"there is no port {port}", hint="give 0 to 65535 with --port; 0 picks a free one")


def print_json(value: Any) -> None:
    """Print ``value`` (JSON types, or something with ``to_dict``) as indented UTF-8 JSON."""
    record = value.to_dict() if hasattr(value, "to_dict") else value
    print(json.dumps(record, ensure_ascii=False, indent=1))


def read_text(name: str) -> str:
    """The text of a file, or of standard input for ``-``.

    Raises:
        InputError: no such file, a folder, or bytes that are not UTF-8 text.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}",
                         hint="give the path of a text file, or - for standard input") from error
    if b"\x00" in data[:65536]:
        raise InputError(f"{name} looks like a binary file, not text",
                         hint="give a UTF-8 text file; convert PDF or Word files to text first")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start})",
                         hint=f"convert it: iconv -f latin1 -t utf-8 {name} > {name}.utf8") from error
