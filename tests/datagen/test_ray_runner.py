"""Ray: the same dataset as the local run, also when a worker is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from datagen.cases import read_cases
from datagen.pipeline import run
from datagen.records import Case
from datagen.runners import WorkSpec, run_cases
from pathkg.errors import InputError
from tests.datagen.conftest import EXAMPLES


def test_an_unknown_runner_is_refused() -> None:
    with pytest.raises(InputError, match="no runner 'dask'"):
        next(run_cases([], WorkSpec(None, None), runner="dask"))  # type: ignore[arg-type]


def _ray_workers() -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue  # it ended while we looked
            if b"ray::MapWorker" in line or b"ray::_MapWorker" in line or b"RayWorker" in line:
                found.append(int(process.name))
    return found


@pytest.mark.slow
def test_a_real_cluster_with_a_killed_worker_gives_the_local_dataset(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs pathkg[ray]")
    cases = tmp_path / "cases.jsonl"
    texts = [c.text for c in read_cases(EXAMPLES) if isinstance(c, Case)]
    with cases.open("w") as handle:
        for i in range(240):
            handle.write(json.dumps({"case_id": f"c{i}", "text": f"{texts[i % len(texts)]} Block A{i}."}) + "\n")
    killed: list[int] = []

    def kill_one() -> None:
        limit = time.monotonic() + 120
        while time.monotonic() < limit and not killed:
            workers = _ray_workers()
            if workers:
                time.sleep(6)  # let it open the graph and begin
                os.kill(workers[0], signal.SIGKILL)
                killed.append(workers[0])
            time.sleep(0.2)

    thread = threading.Thread(target=kill_one)
    thread.start()
    run(cases=cases, out=tmp_path / "ray", runner="ray", workers=2)
    thread.join()
    run(cases=cases, out=tmp_path / "local")
    assert killed
    for name in ("samples.jsonl", "samples.parquet", "rejected.jsonl", "manifest.json"):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
