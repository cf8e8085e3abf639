"""Progress: one line that is redrawn on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

EVERY_SECONDS = 10.0
REDRAW_SECONDS = 0.25


class Progress:
    """Counts finished cases and says how fast, how dear and how long still.

    Args:
        total: cases to do, 0 when unknown.
        done: cases that an earlier run finished.
        stream: where to write; standard error by default.
        quiet: write nothing.
    """

    def __init__(self, total: int, *, done: int = 0, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.total, self.done, self._before = total, done, done
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._started = time.monotonic()
        self._shown = self._started
        self._terminal = self._stream.isatty()
        self.cost: Callable[[], float] | None = None
        self.usage: Any = None

    def step(self, *, accepted: int = 0) -> None:
        """One more case is done."""
        self.done += 1
        now = time.monotonic()
        if not self._quiet and now - self._shown >= (REDRAW_SECONDS if self._terminal else EVERY_SECONDS):
            self._shown = now
            self._write(self.line(accepted), end="\r" if self._terminal else "\n")

    def line(self, accepted: int) -> str:
        """What is shown."""
        elapsed = max(1e-9, time.monotonic() - self._started)
        rate = (self.done - self._before) / elapsed
        parts = [f"{self.done}/{self.total or '?'} cases", f"{accepted} samples", f"{rate:.1f} cases/s"]
        if self.cost is not None:
            parts.append(f"cost {self.cost():.4f}")
        if self.total and rate > 0:
            left = (self.total - self.done) / rate
            parts.append(f"{int(left // 60)}:{int(left % 60):02d} left")
        return ", ".join(parts)

    def finish(self) -> float:
        """Clear the line; returns the seconds since the start."""
        if self._terminal and not self._quiet:
            self._write(" " * 100, end="\r")
        return time.monotonic() - self._started

    def _write(self, text: str, *, end: str) -> None:
        self._stream.write(f"{text:<100}{end}" if end == "\r" else text + end)
        self._stream.flush()
