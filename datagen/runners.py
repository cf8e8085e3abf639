"""Who does the work on cases: this process, several processes, or a Ray cluster. The results do not depend on it."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.api import GenerateOptions, Generator
from datagen.filters.contamination import BenchmarkIndex
from datagen.filters.duplicates import pack, signature
from datagen.filters.templating import skeleton
from datagen.output.journal import CaseResult
from datagen.output.splits import DEFAULT, split_of
from datagen.records import Case, Rejection, Sample
from pathkg.errors import InputError, PathkgError

if TYPE_CHECKING:
    from pathkg.trajectory import Certificate

_LOG = logging.getLogger(__name__)
RUNNERS = ("local", "ray")
FAULTS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
"""What a fault in our code raises on one text. A full disk or memory is the machine's trouble, and ends the run."""

CHUNK = 4
PARENT_CHECK_SECONDS = 1.0
GARBAGE_THRESHOLDS = (20_000, 20, 20)
CHUNKS_AHEAD = 4
"""Chunks under way per worker: enough to keep it busy, few enough to keep memory flat."""

NumberedCase = tuple[int, Case]


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """All that a worker needs to be set up, small enough to send. ``fractions`` are those of the patient-level splits."""

    store: str | None
    options: GenerateOptions
    benchmarks: tuple[str, ...] = ()
    fractions: tuple[tuple[str, float], ...] = tuple(DEFAULT.items())

    def build(self) -> Worker:
        """Open the graph and make a worker."""
        from pathkg.api import load

        index = BenchmarkIndex.of_files(map(Path, self.benchmarks), length=self.options.filters.shared_words) \
            if self.benchmarks else None
        return Worker(Generator(load(self.store), options=self.options, benchmarks=index), dict(self.fractions))


class Worker:
    """Turns a case into its journal entry."""

    def __init__(self, generator: Generator, fractions: Mapping[str, float] = DEFAULT) -> None:
        self.generator = generator
        self.fractions = fractions

    def __call__(self, case: Case) -> CaseResult:
        try:
            made = self.generator.generate(case)
        except PathkgError as error:
            why = Rejection(case.case_id, case.patient_id, "read", "unusable", error.message)
            return CaseResult.of(case.case_id, rejected=[why.to_dict()])
        except FAULTS as error:  # a fault of ours on one text must not cost the others; it is counted and logged
            _LOG.exception("case %s could not be worked on", case.case_id)
            why = Rejection(case.case_id, case.patient_id, "read", "internal_error", f"{type(error).__name__}: {error}")
            return CaseResult.of(case.case_id, rejected=[why.to_dict()])
        certificates = [certificate for _, certificate, _ in made.written]
        return self.result(case, made.samples, certificates, made.rejected)

    def result(self, case: Case, samples: Sequence[Sample], certificates: Sequence[Certificate],
               rejected: Sequence[Rejection], extraction: Mapping[str, int] | None = None) -> CaseResult:
        """Samples and rejections as the journal keeps them, with what the run-wide filters need: computed here, where
        there are many hands. ``extraction`` counts the items a model extracted and those that were located."""
        split = split_of(case.patient_id, self.fractions, seed=self.generator.options.seed)
        notes = [note_of(s, c) | {"split": split} for s, c in zip(samples, certificates, strict=True)]
        return CaseResult.of(case.case_id, samples=[s.to_dict() | {"split": split} for s in samples], notes=notes,
                             rejected=[r.to_dict() for r in rejected], extraction=extraction or {})


def note_of(sample: Sample, certificate: Certificate) -> dict[str, Any]:
    """What the run-wide filters and the counts need to know of a sample."""
    spans: list[str] = []
    structure: list[str] = []
    for part in certificate.parts:
        spans.append(skeleton(part.text, ((e.start, e.end) for e in part.entities)))
        if part.is_reasoning:
            structure.append("-".join(sorted({c.stance for c in part.claims})) or "state")
    return {"patient_id": sample.patient_id, "question_kind": sample.question_kind, "diagnosis": sample.diagnosis,
            "skeleton": " / ".join(spans), "structure": structure, "minhash": pack(signature(sample.text))}


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
    # what is open now stays, and what follows holds hardly a cycle: looking for garbage as often as Python does by default
    # costs a worker a fifteenth of its time
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


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
