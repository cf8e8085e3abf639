"""The HTTP server as ``pathkg serve`` runs it in one process."""

from __future__ import annotations

import os
import signal
from types import FrameType

import uvicorn


class Server(uvicorn.Server):
    """Ctrl-C finishes what is being answered; a second one ends the process without a traceback."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signals that end a program."""
        if self.should_exit and sig == signal.SIGINT:
            os._exit(130)  # an open answer is cut off, which is what a second Ctrl-C asks for
        super().handle_exit(sig, frame)
