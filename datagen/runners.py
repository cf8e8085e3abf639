"""Who does the work on cases: this process, several processes, or a Ray cluster. The results do not depend on it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from datagen.api import GenerateOptions, Generator
from datagen.filters.contamination import BenchmarkIndex
from datagen.filters.duplicates import pack, signature
from datagen.filters.templating import skeleton
from datagen.records import Case, Rejection
from pathkg.errors import InputError, PathkgError

RUNNERS = ("local", "ray")
CHUNK = 8
PARENT_CHECK_SECONDS = 1.0
CHUNKS_AHEAD = 4
"""Chunks under way per worker: enough to keep it busy, few enough to keep memory flat."""

NumberedCase = tuple[int, Case]
CaseResult = Mapping[str, Any]
"""What the journal keeps of a case: ``samples`` (with ``_`` fields for the run-wide filters) and ``rejected``."""


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """All that a worker needs to be set up, small enough to send."""

    store: str | None
    options: GenerateOptions
    benchmarks: tuple[str, ...] = ()

    def build(self) -> Worker:
        """Open the graph and make a worker."""
        from pathkg.api import load

        index = BenchmarkIndex.of_files(map(Path, self.benchmarks), length=self.options.filters.shared_words) \
            if self.benchmarks else None
        return Worker(Generator(load(self.store), options=self.options, benchmarks=index))


class Worker:
    """Turns a case into its journal entry."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def __call__(self, case: Case) -> CaseResult:
        try:
            made = self.generator.generate(case)
            samples, rejected = made.samples, made.rejected
        except PathkgError as error:
            samples, rejected = (), (Rejection(case.case_id, case.patient_id, "read", "unusable", error.message),)
        rows = [self.row(sample.to_dict()) for sample in samples]
        return {"case_id": case.case_id, "samples": rows, "rejected": [r.to_dict() for r in rejected]}

    @staticmethod
    def row(sample: dict[str, Any]) -> dict[str, Any]:
        """A sample with what the run-wide filters need, computed where there are many hands."""
        from json import loads

        spans: list[str] = []
        structure: list[str] = []
        for part in loads(sample["certificate_json"])["parts"]:
            spans.append(skeleton(part["text"], ((e["start"], e["end"]) for e in part["entities"])))
            if part["name"].startswith("step"):
                claims = {c["stance"] for c in part["claims"]}
                structure.append("-".join(sorted(claims)) or "state")
        return {**sample, "_skeleton": " / ".join(spans), "_structure": structure,
                "_minhash": pack(signature(sample["text"]))}


def run_here(cases: Iterable[NumberedCase], spec: WorkSpec) -> Iterator[tuple[int, str, CaseResult]]:
    """Work in this process, one case after the other."""
    worker = spec.build()
    for number, case in cases:
        yield number, case.key, worker(case)


_worker: Worker | None = None


def _start(spec: WorkSpec, parent: int) -> None:
    global _worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Ctrl-C reaches the whole process group; the parent alone decides what to do about it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    _worker = spec.build()


def _end_with_parent(parent: int) -> None:
    """A worker whose parent was killed would wait for work for ever, holding its memory."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _work(chunk: list[NumberedCase]) -> list[tuple[int, str, CaseResult]]:
    assert _worker is not None
    return [(number, case.key, _worker(case)) for number, case in chunk]


def run_processes(cases: Iterable[NumberedCase], spec: WorkSpec, *, workers: int
                  ) -> Iterator[tuple[int, str, CaseResult]]:
    """Work in ``workers`` processes; results come in the order of the cases.

    Only a bounded number of chunks is under way, so that a long input does not pile up in memory.

    Raises:
        PathkgError: a worker was killed. What is in the journal stays; running again goes on.
    """
    # not fork: the parent may hold threads (Arrow, OpenMP), whose locks a forked child would inherit locked
    context = multiprocessing.get_context("spawn")
    source = iter(cases)
    pending: deque[Future[list[tuple[int, str, CaseResult]]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start,
                             initargs=(spec, os.getpid())) as pool:
        try:
            while True:
                while len(pending) < workers * CHUNKS_AHEAD and (chunk := list(islice(source, CHUNK))):
                    pending.append(pool.submit(_work, chunk))
                if not pending:
                    return
                yield from pending.popleft().result()
        except BrokenProcessPool as error:
            raise PathkgError("a worker process died (killed, or out of memory)",
                              hint="run the same command again: finished cases are kept; --workers 1 needs less memory") \
                from error
        finally:
            for future in pending:
                future.cancel()


def run_cases(cases: Iterable[NumberedCase], spec: WorkSpec, *, runner: str = "local", workers: int = 1,
              address: str | None = None) -> Iterator[tuple[int, str, CaseResult]]:
    """Work on cases with one of :data:`RUNNERS`.

    Raises:
        InputError: an unknown runner, or fewer than one worker.
    """
    if workers < 1:
        raise InputError(f"{workers} workers cannot work", hint="give 1 or more")
    if runner == "ray":
        from datagen.ray_runner import run_ray

        return run_ray(cases, spec, workers=workers, address=address)
    if runner != "local":
        raise InputError(f"there is no runner {runner!r}", hint=f"use one of {', '.join(RUNNERS)}")
    return run_here(cases, spec) if workers == 1 else run_processes(cases, spec, workers=workers)
