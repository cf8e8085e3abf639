"""A bounded queue before the computation, and the numbers about it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pathkg.errors import PathkgError

_T = TypeVar("_T")

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class BusyError(PathkgError):
    """The queue is full."""


class SlowError(PathkgError):
    """The computation takes longer than the time limit."""


class Gate:
    """Runs functions in threads: ``running`` at once, ``waiting`` behind them, no more.

    A computation that overruns its time keeps its place until it ends (Python threads cannot be stopped), so slow
    requests make the queue shorter, never the process larger.
    """

    def __init__(self, running: int, waiting: int, time_limit_s: float) -> None:
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="pathkg-serve")
        self._places = running + waiting
        self._time_limit_s = time_limit_s
        self._lock = threading.Lock()
        self.taken = 0

    async def run(self, function: Callable[..., _T], *args: object) -> _T:
        """Run ``function`` when its turn comes.

        Raises:
            BusyError: all places are taken.
            SlowError: it took too long.
        """
        with self._lock:
            if self.taken >= self._places:
                raise BusyError("the server is busy", hint="try again in a second")
            self.taken += 1
        future = self._pool.submit(self._call, function, args)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._time_limit_s)
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise SlowError(f"the request took longer than {self._time_limit_s:g} s",
                            hint="send less text, or fewer items, in one request") from error
        finally:
            if future.cancelled():  # it never ran, so it could not give its place back
                self._leave()

    def _call(self, function: Callable[..., _T], args: tuple[object, ...]) -> _T:
        try:
            return function(*args)
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self.taken -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Metrics:
    """Counters and latencies in Prometheus' text format."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._sum = 0.0
        self._count = 0
        self._recent: deque[float] = deque(maxlen=4096)
        self._started = time.time()

    def add(self, route: str, status: int, seconds: float) -> None:
        with self._lock:
            self._requests[(route, status)] += 1
            self._sum += seconds
            self._count += 1
            self._recent.append(seconds)
            for bound in BUCKETS_S:
                if seconds <= bound:
                    self._buckets[bound] += 1

    def render(self, gate: Gate) -> str:
        from pathkg.rewards import unscored_counts

        with self._lock:
            lines = ["# HELP pathkg_requests_total Requests by route and status.", "# TYPE pathkg_requests_total counter"]
            lines += [f'pathkg_requests_total{{route="{route}",status="{status}"}} {n}'
                      for (route, status), n in sorted(self._requests.items())]
            lines += ["# HELP pathkg_request_seconds Time from request to answer.", "# TYPE pathkg_request_seconds histogram"]
            lines += [f'pathkg_request_seconds_bucket{{le="{bound:g}"}} {self._buckets[bound]}' for bound in BUCKETS_S]
            lines += [f'pathkg_request_seconds_bucket{{le="+Inf"}} {self._count}',
                      f"pathkg_request_seconds_sum {self._sum:.6f}", f"pathkg_request_seconds_count {self._count}"]
        lines += ["# HELP pathkg_queue Places taken (running and waiting).", "# TYPE pathkg_queue gauge",
                  f"pathkg_queue {gate.taken}", "# HELP pathkg_unscored_total Rewards that could not be computed.",
                  "# TYPE pathkg_unscored_total counter"]
        lines += [f'pathkg_unscored_total{{reason="{reason}"}} {n}' for reason, n in unscored_counts().items()]
        lines += ["# TYPE process_start_time_seconds gauge", f"process_start_time_seconds {self._started:.0f}"]
        return "\n".join(lines) + "\n"
