"""``pathkg explore``: browse the graph around a node, on loopback."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from pathkg.commands import check_port, open_store
from pathkg.commands.stopping import until_ctrl_c
from pathkg.errors import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("node", nargs="?", default="", help="CURIE or name to start at")
    parser.add_argument("--store", metavar="STORE", help="graph store folder (default: the bundled pathology core)")
    parser.add_argument("--port", type=int, default=8808, help="port on 127.0.0.1 (default 8808; 0 picks a free one)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from pathkg.view.explore import PREFIX, explorer_server

    check_port(args.port)
    graph = open_store(args)
    start = "#" + quote(graph.resolve(args.node)) if args.node else ""
    try:
        server = explorer_server(graph, port=args.port)
    except OSError as error:
        raise InputError(f"port {args.port} cannot be used: {error.strerror}",
                         hint="choose another with --port, or --port 0 for a free one") from error
    address = f"http://127.0.0.1:{server.server_address[1]}{PREFIX}{start}"
    print(f"{address}  (Ctrl-C ends it)", flush=True)
    if args.open:
        import webbrowser

        webbrowser.open(address)
    with server, until_ctrl_c():
        server.serve_forever()
    return 0
