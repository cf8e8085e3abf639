"""Figures of the data generator, printed as JSON.

    python benchmarks/datagen.py yield --cases reports.jsonl [--limit N] [--workers 2]
    python benchmarks/datagen.py stages --cases reports.jsonl [--limit N]
    python benchmarks/datagen.py memory --cases-number 100000 [--workers 1]
    python benchmarks/datagen.py kills --kills 20
    python benchmarks/datagen.py client --calls 400
    python benchmarks/datagen.py model

``yield``: share of cases with a verified sample of five or more linked findings, samples per accepted case, cases per
second end to end, and how many certificates verify again and golds earn the maximum. ``stages``: processor time per case of each stage in
one process, wall time beside it. ``memory``: peak memory over the number of synthetic cases. ``kills``: kill -9 at random moments; equal bytes afterwards. ``client``: time of calls beside
the time the same calls take with bare HTTP. ``model``: a run with the small model on loopback, and the client's share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pathkg
from datagen.api import GenerateOptions
from datagen.audit import audit
from datagen.cases import read_cases
from datagen.pipeline import run
from datagen.records import Case

EXAMPLES = Path(pathkg.__file__).parent / "data" / "examples" / "cases.jsonl"
MIB = 2**20


def measure_yield(cases: str, limit: int | None, workers: int, questions: int) -> dict[str, Any]:
    """Yield, rate and audit on a file of reports."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        summary = run(cases=cases, out=folder, limit=limit, workers=workers, options=GenerateOptions(questions=questions))
        seconds = time.perf_counter() - started
        checked = audit(folder)
    counts = summary.manifest["counts"]
    return {"cases": summary.cases, "accepted": summary.accepted, "yield": round(summary.accepted / summary.cases, 4),
            "samples": summary.samples, "samples_per_accepted": round(summary.samples / max(1, summary.accepted), 3),
            "seconds_end_to_end": round(seconds, 2), "cases_per_second": round(summary.cases / seconds, 2),
            "cases_per_second_without_start": round(summary.done_now / summary.seconds, 2), "workers": workers,
            "certificates_verify_again": checked.certificates_ok, "gold_at_maximum": checked.gold_at_maximum,
            "rejected_cases": counts["rejected_cases"], "question_kinds": counts["question_kinds"],
            "distinct_sentence_frames": summary.manifest["templating"]["distinct_skeletons"]}


STAGES = ("link and collect findings", "plan", "outline", "verify", "sample, filters", "encode")


def measure_stages(cases: str, limit: int | None, questions: int) -> dict[str, Any]:
    """Processor milliseconds per case of each stage, in one process; starting and the end of a run are apart."""
    from itertools import islice

    from datagen.runners import WorkSpec

    started = time.process_time()
    worker = WorkSpec(None, GenerateOptions(questions=questions)).build()
    start = time.process_time() - started
    spent = dict.fromkeys(STAGES, 0.0)

    def timed(owner: Any, name: str, stage: str) -> None:
        inner = getattr(owner, name)

        def outer(*args: Any, **options: Any) -> Any:
            before = time.process_time()
            try:
                return inner(*args, **options)
            finally:
                spent[stage] += time.process_time() - before

        setattr(owner, name, outer)

    generator = worker.generator
    for owner, name, stage in ((generator, "read", STAGES[0]), (generator, "plan", STAGES[1]), (generator.writer, "outline", STAGES[2]),
                               (generator, "certify", STAGES[3]), (generator, "sample", STAGES[4]), (worker, "result", STAGES[5])):
        timed(owner, name, stage)
    usable = [c for c in islice(read_cases(cases), limit) if isinstance(c, Case)]
    wall, cpu = time.perf_counter(), time.process_time()
    for case in usable:
        worker(case)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    per_case = {name: round(1000 * seconds / len(usable), 2) for name, seconds in spent.items()}
    return {"cases": len(usable), "start_processor_seconds": round(start, 2), "processor_ms_per_case": per_case,
            "processor_ms_per_case_in_all": round(1000 * cpu / len(usable), 2), "wall_ms_per_case": round(1000 * wall / len(usable), 2),
            "cases_per_processor_second": round(len(usable) / cpu, 2)}


def as_table(figures: dict[str, Any]) -> str:
    """The figures of ``yield`` as the README shows them."""
    reasons = ", ".join(f"{reason.split('/')[-1].replace('_', ' ')} {n}" for reason, n in figures["rejected_cases"].items())
    rows = [("reports with a verified sample", f"{figures['accepted']} of {figures['cases']} ({figures['yield']:.1%})"),
            ("verified samples", f"{figures['samples']}"),
            ("certificates that verify again", str(figures["certificates_verify_again"])),
            ("gold texts that earn the maximum reward", str(figures["gold_at_maximum"])),
            ("reports without a sample, by reason", reasons),
            (f"reports per second, end to end, {figures['workers']} processes", f"{figures['cases_per_second']:.1f}")]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def synthetic(path: Path, number: int, *, seed: int = 0) -> None:
    """Short synthetic reports: shuffled sentences of the example cases, each with an id of its own."""
    texts = [c.text for c in read_cases(EXAMPLES) if isinstance(c, Case)]
    chooser = random.Random(seed)
    with path.open("w", encoding="utf-8") as handle:
        for i in range(number):
            sentences = texts[i % len(texts)].split(". ")
            chooser.shuffle(sentences)
            kept = sentences[:max(6, len(sentences) - chooser.randrange(4))]
            handle.write(json.dumps({"case_id": f"c{i}", "text": ". ".join(kept) + f". Block A{i}."}) + "\n")


def _tree_memory(root: int) -> int:
    """Proportional resident memory of a process and its children, bytes (shared pages are counted once)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, queue = 0, [root]
    while queue:
        pid = queue.pop()
        queue += children.get(pid, [])
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            continue
    return total


def measure_memory(number: int, workers: int) -> dict[str, Any]:
    """Peak memory of a run over synthetic cases, and its course."""
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.jsonl"
        synthetic(cases, number)
        command = [sys.executable, "-m", "datagen.cli", "run", "--cases", str(cases), "--out", f"{folder}/out", "--workers",
                   str(workers), "--questions", "2", "--quiet", "--json", "--near-duplicate", "0.99"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        course: list[int] = []
        done = threading.Event()

        def watch() -> None:
            while not done.wait(1.0):
                course.append(_tree_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        output = process.communicate()[0]
        done.set()
        watcher.join()
        seconds = time.perf_counter() - started
    counts = json.loads(output)["manifest"]["counts"]
    tenths = [round(max(course[i * len(course) // 10:(i + 1) * len(course) // 10 + 1]) / MIB) for i in range(10)] if course else []
    return {"cases": number, "workers": workers, "samples": counts["samples"], "peak_mib": round(max(course, default=0) / MIB),
            "peak_mib_per_tenth": tenths, "seconds": round(seconds, 1), "cases_per_second": round(number / seconds, 2)}


def measure_kills(kills: int, number: int) -> dict[str, Any]:
    """Kill a run with SIGKILL at random moments, then let it finish and compare with an undisturbed one."""
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.jsonl"
        synthetic(cases, number)
        command = [sys.executable, "-m", "datagen.cli", "run", "--cases", str(cases), "--workers", "2", "--quiet", "--out"]
        chooser, done = random.Random(7), 0
        journal = Path(folder) / "out" / ".run" / "journal.tsv"
        for _ in range(kills):
            size = journal.stat().st_size if journal.exists() else 0
            process = subprocess.Popen([*command, f"{folder}/out"], stdout=subprocess.DEVNULL, start_new_session=True)
            while process.poll() is None and (journal.stat().st_size if journal.exists() else 0) <= size:
                time.sleep(0.02)
            time.sleep(chooser.random())
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                done += 1
        for out in ("out", "calm"):
            subprocess.run([*command, f"{folder}/{out}"], check=True, stdout=subprocess.DEVNULL)
        names = ("samples.jsonl", "samples.parquet", "rejected.jsonl", "manifest.json")
        equal = [n for n in names if (Path(folder) / "out" / n).read_bytes() == (Path(folder) / "calm" / n).read_bytes()]
    return {"kills": done, "cases": number, "equal_files": equal, "lost_or_doubled": len(names) - len(equal)}


def measure_client(calls: int) -> dict[str, Any]:
    """The client's own time per call, beside bare HTTP calls of the same size to the same server of ours."""
    import httpx

    from datagen.client import CallCache, ChatClient, ClientOptions
    from tests.datagen.llm_server import FaultServer

    answer_seconds, at_once = 1.0, 8
    messages = [{"role": "user", "content": "x" * 2000}]

    async def bare(url: str) -> float:
        gate = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(timeout=60) as http:
            await http.post(f"{url}/chat/completions", json={"messages": []})

            async def one(i: int) -> None:
                async with gate:
                    body = {"model": "m", "messages": [{**messages[0], "content": f"{i}{messages[0]['content']}"}]}
                    (await http.post(f"{url}/chat/completions", json=body)).raise_for_status()

            started = time.perf_counter()
            await asyncio.gather(*map(one, range(calls)))
            return time.perf_counter() - started

    async def ours(url: str, cache: str) -> float:
        client = ChatClient(ClientOptions("m", base_url=url, concurrency=at_once), cache=CallCache(cache))
        await client.complete([{"role": "user", "content": "imports and the first connection are not calls"}])
        started = time.perf_counter()
        await asyncio.gather(*(client.complete([{**messages[0], "content": f"{i}{messages[0]['content']}"}]) for i in range(calls)))
        seconds = time.perf_counter() - started
        await client.close()
        return seconds

    with FaultServer(lambda *_: ("slow", answer_seconds, "fine")) as server, tempfile.TemporaryDirectory() as folder:
        plain = asyncio.run(bare(server.url))
        with_client = asyncio.run(ours(server.url, f"{folder}/c"))
        again = asyncio.run(ours(server.url, f"{folder}/c"))
    bound = calls * answer_seconds / at_once
    return {"calls": calls, "at_once": at_once, "answer_seconds": answer_seconds, "server_bound_seconds": round(bound, 2),
            "bare_http_seconds": round(plain, 2), "client_seconds": round(with_client, 2),
            "overhead_over_bound": round(with_client / bound - 1, 4),
            "overhead_over_bare_http": round(with_client / plain - 1, 4), "cached_seconds": round(again, 3)}


def measure_model(limit: int) -> dict[str, Any]:
    """A run with the small real model; the client's share is the time in which no call was under way."""
    from datagen.client import ClientOptions
    from datagen.writers.llm import LlmOptions
    from tests.datagen.llm_server import model_server

    with model_server() as url, tempfile.TemporaryDirectory() as folder:
        llm = LlmOptions(ClientOptions("smollm2", base_url=url, concurrency=2, timeout=600,
                                       parameters={"temperature": 0.2, "max_tokens": 128}))
        started = time.perf_counter()
        summary = run(cases=EXAMPLES, out=folder, limit=limit, writer="llm", llm=llm, options=GenerateOptions(questions=1))
        seconds = time.perf_counter() - started
    return {"cases": summary.cases, "samples": summary.samples, "seconds": round(seconds, 1),
            "seconds_with_cases_under_way": round(summary.seconds, 1), **summary.usage,
            "tokens_per_second": round(summary.usage["completion_tokens"] / max(1e-9, summary.seconds), 1),
            "rejected": summary.manifest["counts"]["rejected"]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures of the data generator, as JSON.")
    parser.add_argument("what", choices=("yield", "stages", "memory", "kills", "client", "model"))
    parser.add_argument("--cases", help="reports, for yield")
    parser.add_argument("--limit", type=int, help="only the first cases, for yield, stages and model")
    parser.add_argument("--table", action="store_true", help="print the figures of yield as a Markdown table")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--cases-number", type=int, default=100_000, help="synthetic cases, for memory")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--calls", type=int, default=400)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if args.what == "yield":
        if not args.cases:
            parser.error("yield needs --cases")
        result = measure_yield(args.cases, args.limit, args.workers, args.questions)
    elif args.what == "stages":
        if not args.cases:
            parser.error("stages needs --cases")
        result = measure_stages(args.cases, args.limit, args.questions)
    elif args.what == "memory":
        result = measure_memory(args.cases_number, args.workers)
    elif args.what == "kills":
        result = measure_kills(args.kills, 400)
    elif args.what == "client":
        result = measure_client(args.calls)
    else:
        result = measure_model(args.limit or 2)
    if args.table and args.what == "yield":
        print(as_table(result))
        return
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
