"""``pathkg serve``: reward and look-ups over HTTP."""

from __future__ import annotations

import argparse
import errno
import os
import socket
from typing import Any

from pathkg.commands import check_port
from pathkg.commands.stopping import until_ctrl_c
from pathkg.errors import InputError, MissingExtraError
from pathkg.serve.settings import LOOPBACK, TOKEN_ENVIRONMENT, Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="STORE", default="", help="graph store folder (default: the bundled core)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8077, help="port (default 8077; 0 picks a free one)")
    parser.add_argument("--workers", type=int, default=1, help="processes; all of them map one store")
    defaults = Settings()
    parser.add_argument("--max-body", type=int, default=defaults.max_body, metavar="BYTES",
                        help=f"largest request; larger ones get 413 (default {defaults.max_body:,})")
    parser.add_argument("--time-limit", type=float, default=defaults.time_limit_s, metavar="SECONDS",
                        help=f"a request that takes longer gets 504 (default {defaults.time_limit_s:g})")
    parser.add_argument("--running", type=int, default=defaults.running, help="requests computed at once per process")
    parser.add_argument("--queue", type=int, default=defaults.waiting, help="requests that may wait; more get 503")
    parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"),
                        help="what the server writes to stderr (default: warning)")
    parser.epilog = (f"A bearer token is read from the environment variable {TOKEN_ENVIRONMENT}. Without one, only "
                     "loopback addresses are served.")


def run(args: argparse.Namespace) -> int:
    check_port(args.port)
    token = os.environ.get(TOKEN_ENVIRONMENT, "")
    if args.host not in LOOPBACK and not token:
        raise InputError(f"{args.host} can be reached from other machines, and there is no token",
                         hint=f"set {TOKEN_ENVIRONMENT}, or serve on 127.0.0.1")
    settings = Settings(store=args.store, max_body=args.max_body, time_limit_s=args.time_limit, running=args.running,
                        waiting=args.queue, token=token)
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError.for_extra("uvicorn", "serve") from error
    port = _usable_port(args.host, args.port)
    options: dict[str, Any] = {"host": args.host, "port": port, "log_level": args.log_level, "access_log": False,
               "timeout_keep_alive": 30}
    line = f"pathkg serves on http://{args.host}:{port} (page: /docs)"
    if args.workers > 1:
        from pathkg.api import load

        load(args.store or None)  # a store that cannot be opened ends the command here, not each worker
        print(line, flush=True)
        settings.to_environment()
        with until_ctrl_c():
            uvicorn.run("pathkg.serve.app:app_from_environment", factory=True, workers=args.workers, **options)
    else:
        from pathkg.serve.app import create_app
        from pathkg.serve.server import Server

        app = create_app(settings)
        print(line, flush=True)
        server = Server(uvicorn.Config(app, **options))
        with until_ctrl_c():
            server.run()
        if not server.started and not server.should_exit:
            return 1  # its log says why
    return 0


def _usable_port(host: str, port: int) -> int:
    """``port``, or a free one for 0, after binding to it once."""
    failure: OSError | None = None
    bound = 0
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        addresses, failure = [], error
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # as the server does; elsewhere it would let two programs share a port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
                bound = bound or probe.getsockname()[1]
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(f"port {port} is in use", hint="give another with --port") from error
            failure = error  # such as ::1 of localhost on a machine without IPv6
    if not bound:
        why = failure.strerror if failure else "no address"
        raise InputError(f"cannot listen on {host}, port {port}: {why}",
                         hint="give another with --host or --port") from failure
    return bound
