"""How many calls at once: as many as the endpoint bears."""

from __future__ import annotations

import asyncio
import random

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


class Pace:
    """A limit on concurrent calls that halves when the endpoint pushes back and creeps up again when it does not
    (additive increase, multiplicative decrease).

    Args:
        most: the limit never exceeds this.
        seed: for the jitter of the waits.

    Example:
        >>> pace = Pace(8)
        >>> pace.pushed_back(); pace.limit
        4
    """

    def __init__(self, most: int, *, seed: int = 0) -> None:
        self.most = max(1, most)
        self._level = float(self.most)
        self._running = 0
        self._free = asyncio.Condition()
        self._random = random.Random(seed)
        self.pushes = 0

    @property
    def limit(self) -> int:
        return max(1, int(self._level))

    async def __aenter__(self) -> Pace:
        async with self._free:
            await self._free.wait_for(lambda: self._running < self.limit)
            self._running += 1
        return self

    async def __aexit__(self, *exc: object) -> None:
        async with self._free:
            self._running -= 1
            self._free.notify_all()

    def succeeded(self) -> None:
        self._level = min(float(self.most), self._level + 1.0 / max(1.0, self._level))

    def pushed_back(self) -> None:
        self.pushes += 1
        self._level = max(1.0, self._level / 2)

    def wait(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds before try number ``attempt + 1``: what the server asks for, else exponential with jitter."""
        if retry_after is not None:
            return min(max(retry_after, 0.0), LONGEST_WAIT)
        return float(min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT) * self._random.uniform(0.5, 1.0))
