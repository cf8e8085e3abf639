"""A progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

_WIDTH = 28
_REDRAW_S = 0.1
_LINE_EVERY_S = 10.0


class Bar:
    """Draws progress on a stream; a context manager that leaves the line clean."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._terminal = stream.isatty()
        self._last = 0.0
        self._drawn = False
        self._start = time.monotonic()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def step(self, what: str, number: int, total: int) -> None:
        """One of ``total`` steps begins."""
        if self._quiet:
            return
        if self._terminal:
            filled = _WIDTH * (number - 1) // max(1, total)
            self._draw(f"[{'█' * filled}{'·' * (_WIDTH - filled)}] {number}/{total} {what}")
        else:
            print(f"[{time.monotonic() - self._start:6.1f} s] {number}/{total} {what}", file=self._stream, flush=True)

    def bytes(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes (0: unknown) have arrived."""
        now = time.monotonic()
        if self._quiet or (done != total and now - self._last < (_REDRAW_S if self._terminal else _LINE_EVERY_S)):
            return
        self._last = now
        share = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB" if total else f"{done / 1e6:,.1f} MB"
        if self._terminal:
            filled = _WIDTH * done // total if total else 0
            self._draw(f"[{'█' * filled}{'·' * (_WIDTH - filled)}] {what} {share}")
        else:
            print(f"{what}: {share}", file=self._stream, flush=True)

    def _draw(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text[:110]}")
        self._stream.flush()
        self._drawn = True
