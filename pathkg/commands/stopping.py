"""How a command that serves until it is stopped ends: quietly."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def until_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends what is inside, without a message: it is how such a command is meant to end.

    Further ones are not heard, so that an impatient second one prints no traceback on the way out.
    """
    try:
        yield
    except KeyboardInterrupt:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave_at_once_on_ctrl_c() -> None:
    """Ctrl-C ends the process there and then, for one that waits in a thread that nothing can wake.

    Reading standard input is such a wait: Python would join the thread first, so the first Ctrl-C would seem to do
    nothing until a line is entered.
    """
    signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(0)
