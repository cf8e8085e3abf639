"""``pathkg mcp``: reward and look-ups for agents, over the Model Context Protocol."""

from __future__ import annotations

import argparse

from pathkg.commands.stopping import leave_at_once_on_ctrl_c
from pathkg.serve.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="STORE", default="", help="graph store folder (default: the bundled core)")
    parser.epilog = 'Add to an agent\'s configuration: {"command": "pathkg", "args": ["mcp"]}'


def run(args: argparse.Namespace) -> int:
    from pathkg.serve.mcp import create_server

    server = create_server(Settings(store=args.store))
    leave_at_once_on_ctrl_c()
    server.run()
    return 0
