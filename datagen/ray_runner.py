"""The same stages as Ray Data operators: many machines, results equal to the local run.

Cases travel as rows of ``(index, case)``; one actor per worker opens the graph once and turns batches of cases into
results. Ray replaces workers that die and runs their batches again. The journal orders the results by case, so the
dataset does not depend on where or in which order the work was done.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from datagen.output.journal import CaseResult
from datagen.records import Case, GivenQuestion, ImageRef, canonical_json
from datagen.runners import NumberedCase, WorkSpec
from pathkg.errors import MissingExtraError, PathkgError

BATCH = 8
BLOCK = 64
ROUND = 2048
"""Cases handed to Ray at a time. A round that fails costs at most this much; memory of the driver stays bounded."""


class RayWorker:
    """A Ray Data actor: holds a worker, maps batches of cases to batches of results."""

    def __init__(self, spec: WorkSpec) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._work = spec.build()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        import json

        results = [self._work(case_from_dict(json.loads(str(text)))) for text in batch["case"]]
        # JSON holds no bare tab; lists of a changing length make Arrow guess at types
        return {"index": list(batch["index"]), "key": [str(k) for k in batch["key"]],
                "result": ["\t".join((r.head, *r.samples)) for r in results]}


def case_from_dict(record: Mapping[str, Any]) -> Case:
    """The inverse of :meth:`datagen.records.Case.to_dict`.

    Example:
        >>> case = Case("a", "p", "text", images=(ImageRef("s.svs", roi=(0, 0, 9, 9)),))
        >>> case_from_dict(case.to_dict()) == case
        True
    """
    images = tuple(ImageRef(i["slide"], i["features"], tuple(i["roi"]), i["magnification"]) for i in record["images"])
    questions = tuple(GivenQuestion(q["question"], q["answer"], tuple(q["options"])) for q in record["questions"])
    return Case(record["case_id"], record["patient_id"], record["text"], record["kind"], record["diagnosis"], images,
                questions, dict(record["metadata"]))


def run_ray(cases: Iterable[NumberedCase], spec: WorkSpec, *, workers: int, address: str | None = None
            ) -> Iterator[tuple[int, str, CaseResult]]:
    """Work on a Ray cluster.

    Args:
        cases: numbered cases.
        spec: what each worker opens.
        workers: actors at once.
        address: of a running cluster; ``None`` joins the one of ``RAY_ADDRESS``, else starts a local one.

    Raises:
        MissingExtraError: Ray Data is not installed.
        PathkgError: Ray gave up on a batch.
    """
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise MissingExtraError.for_extra("ray[data]", "ray") from error
    started = not ray.is_initialized()
    if started:
        try:
            ray.init(address=address, log_to_driver=False, include_dashboard=False, logging_level=logging.WARNING, **({} if address else {"num_cpus": workers}))
        except Exception as error:  # Ray raises bare exceptions when a node is slow to start
            raise PathkgError(f"Ray did not start: {str(error)[:300]}",
                              hint="try again when the machine is less busy, or --runner local: the dataset is the same") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)  # plans and times of its own operators; progress is told by the caller
    source = iter(cases)
    try:
        while rows := [{"index": n, "key": c.key, "case": canonical_json(c.to_dict())} for n, c in islice(source, ROUND)]:
            blocks = max(workers, -(-len(rows) // BLOCK))
            # Ray Data restarts the actors of a pool when they die, and does their batches again
            data = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
                RayWorker, fn_constructor_args=(spec,), batch_size=BATCH,
                compute=ray.data.ActorPoolStrategy(size=min(workers, blocks)))
            for row in data.iter_rows():
                head, *samples = str(row["result"]).split("\t")
                yield int(row["index"]), str(row["key"]), CaseResult(head, tuple(samples))
    except ray.exceptions.RayError as error:
        raise PathkgError(f"Ray gave up: {str(error)[:300]}",
                          hint="run the same command again: finished cases are kept; ray status shows the cluster") from error
    finally:
        if started:
            ray.shutdown()
