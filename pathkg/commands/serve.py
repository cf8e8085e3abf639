"""``pathkg serve``: reward and look-ups over HTTP."""

from __future__ import annotations

import argparse
import os

from pathkg.errors import InputError, MissingExtraError
from pathkg.serve.settings import LOOPBACK, TOKEN_ENVIRONMENT, Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="STORE", default="", help="graph store folder (default: the bundled core)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8077)
    parser.add_argument("--workers", type=int, default=1, help="processes; all of them map one store")
    defaults = Settings()
    parser.add_argument("--max-body", type=int, default=defaults.max_body, metavar="BYTES")
    parser.add_argument("--time-limit", type=float, default=defaults.time_limit_s, metavar="SECONDS")
    parser.add_argument("--running", type=int, default=defaults.running, help="requests computed at once per process")
    parser.add_argument("--queue", type=int, default=defaults.waiting, help="requests that may wait; more get 503")
    parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"))
    parser.epilog = (f"A bearer token is read from the environment variable {TOKEN_ENVIRONMENT}. Without one, only "
                     "loopback addresses are served.")


def run(args: argparse.Namespace) -> int:
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
    options = {"host": args.host, "port": args.port, "log_level": args.log_level, "access_log": False,
               "timeout_keep_alive": 30}
    print(f"pathkg serves on http://{args.host}:{args.port} (page: /docs)", flush=True)
    if args.workers > 1:
        settings.to_environment()
        uvicorn.run("pathkg.serve.app:app_from_environment", factory=True, workers=args.workers, **options)
    else:
        from pathkg.serve.app import create_app

        uvicorn.run(create_app(settings), **options)
    return 0
