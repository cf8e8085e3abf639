"""How fast the reward is: on one core, on two, in a large store, in a fresh process, over HTTP.

    python benchmarks/reward_speed.py [core large batch fresh http] [--completions 1000] [--soak SECONDS]

Completions are distinct texts of about 3.8 kB, made with a fixed seed by shuffling sentences of the bundled gold cases
(so they are as dense in entities as real ones, and like those of one prompt they share sentences, which are remembered).
``reward_new_sentences`` is the other end: one pass over texts of which every sentence is new, its terms exchanged for others
of the graph and its numbers drawn anew, so that nothing is remembered. ``large`` adds generated names to the core until the store has 500,000
forms. The predecessors' bare formula (Aho-Corasick, no polarity, no word boundaries) runs on the same texts. ``cpu``
rates count processor time, ``wall`` rates the clock: on a busy machine they differ. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

import pathkg
from pathkg.graph import KnowledgeGraph, write_store
from pathkg.graph.tables import GraphTables
from pathkg.linking import linker_for
from pathkg.rewards import CompositeReward, build_reference
from pathkg.rewards.redteam import gold_cases
from pathkg.rewards.redteam.cases import sentences_of
from pathkg.rewards.redteam.predecessor import PredecessorReward
from pathkg.sources.core import read_core

SIZE = 3800
LARGE_FORMS = 500_000


def completions(n: int, seed: int = 7) -> tuple[list[str], list[str]]:
    """Distinct texts of about :data:`SIZE` characters, and the reference of the case each begins with."""
    cases = gold_cases()
    references = [build_reference(c.gold).to_json() for c in cases]
    sentences = [s for c in cases for s in sentences_of(c.report)]
    rng = Random(seed)
    texts = []
    for i in range(n):
        case = cases[i % len(cases)]
        head = f"<observe>\n{case.gold.observe} "
        tail = f"\n</observe>\n\n<think>\n{case.gold.think}\n</think>\n\n<answer>\n{case.gold.answer}\n</answer>"
        filler: list[str] = []
        while len(head) + len(tail) + sum(map(len, filler)) + len(filler) < SIZE:
            filler.append(rng.choice(sentences))
        texts.append(head + " ".join(filler) + tail)
    return texts, [references[i % len(cases)] for i in range(n)]


def new_sentences(graph: KnowledgeGraph, n: int, seed: int = 8) -> tuple[list[str], list[str]]:
    """Like :func:`completions`, every sentence unlike any before: other terms of the same type, other numbers."""
    linker = linker_for(graph)
    rng = Random(seed)
    names: dict[str, list[str]] = {}
    for i in range(min(graph.n_nodes, 20_000)):
        names.setdefault(graph.type(i), []).append(graph.name(i))
    cases = gold_cases()
    templates = [(s, [(m.start, m.end, m.type) for m in linker.link(s)]) for c in cases for s in sentences_of(c.report)]
    references = [build_reference(c.gold).to_json() for c in cases]
    seen: set[str] = set()

    def sentence() -> str:
        while True:
            text, mentions = rng.choice(templates)
            for start, end, type_ in reversed(mentions):
                if rng.random() < 0.5 and type_ in names:
                    text = text[:start] + rng.choice(names[type_]) + text[end:]
            text = re.sub(r"\d", lambda m: str(rng.randint(0, 9)), text)
            if text not in seen:
                seen.add(text)
                return text

    def block(size: int) -> str:
        said: list[str] = []
        while sum(map(len, said)) + len(said) < size:
            said.append(sentence())
        return " ".join(said)

    texts = [f"<observe>\n{block(SIZE - 900)}\n</observe>\n\n<think>\n1. {block(600)}\n</think>\n\n<answer>\n{sentence()}\n</answer>"
             for _ in range(n)]
    return texts, [references[i % len(references)] for i in range(n)]


def large_store(folder: Path) -> KnowledgeGraph:
    """The core plus generated names, built from its own words, up to :data:`LARGE_FORMS` forms."""
    core = read_core()
    words = sorted({w for form in core.synonyms["form"].to_pylist() for w in form.lower().split() if w.isalpha() and len(w) > 3})
    rng = Random(11)
    n_nodes = (LARGE_FORMS - core.synonyms.num_rows) // 2
    forms = [f"{' '.join(rng.sample(words, rng.choice((2, 2, 3))))} {i}" if i % 3 else " ".join(rng.sample(words, 3))
             for i in range(2 * n_nodes)]
    base = core.nodes.num_rows
    nodes = pa.table({"id": [f"ZZ:{i:07d}" for i in range(n_nodes)], "name": forms[:n_nodes], "type": ["gene/protein"] * n_nodes,
                      "definition": [""] * n_nodes, "sources": ["generated"] * n_nodes}).cast(core.nodes.schema)
    synonyms = pa.table({"node": [base + i % n_nodes for i in range(2 * n_nodes)], "form": forms,
                         "kind": ["name"] * n_nodes + ["exact"] * n_nodes, "context": [""] * (2 * n_nodes),
                         "source": ["generated"] * (2 * n_nodes)}).cast(core.synonyms.schema)

    def joined(a: pa.Table, b: pa.Table) -> pa.Table:
        return pa.concat_tables([a, b]).unify_dictionaries()

    tables = GraphTables(joined(core.nodes, nodes), core.edges, joined(core.synonyms, synonyms), core.xrefs)
    return KnowledgeGraph.open(write_store(folder, tables))


def timed(function: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def best_rates(function: Callable[[], Any], n: int, rounds: int = 3) -> dict[str, float]:
    """Best of some rounds: what the machine can do when nobody else uses it."""
    times = [timed(function) for _ in range(rounds)]
    return {"per_s_wall": round(n / min(t[0] for t in times), 1), "per_s_cpu": round(n / min(t[1] for t in times), 1)}


def percentile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def one_core(graph: KnowledgeGraph, n: int) -> dict[str, Any]:
    texts, references = completions(n)
    reward = CompositeReward(store=str(graph.path))
    opened = time.perf_counter()
    reward.score(texts[0], references[0])
    first = time.perf_counter() - opened
    reward.score_batch(texts[: n // 4], references[: n // 4])
    engine = reward.engine
    new_texts, new_references = new_sentences(graph, n)
    return {
        "completions": n, "mean_characters": round(statistics.mean(map(len, texts))),
        "forms": graph.synonyms_table().num_rows, "first_score_s": round(first, 3),
        "reward": best_rates(lambda: reward.score_batch(texts, references), n),
        "reward_new_sentences": best_rates(lambda: reward.score_batch(new_texts, new_references), n, 1),
        "linking_alone": best_rates(lambda: [engine.linker.entities(t) for t in texts], n),
        "predecessor": predecessor(graph, texts, references)}


def predecessor(graph: KnowledgeGraph, texts: list[str], references: list[str]) -> dict[str, Any]:
    built = time.perf_counter()
    reward = PredecessorReward(graph)
    built = time.perf_counter() - built
    found = [reward.find(t) for t in texts]
    gold = found[1:] + found[:1]
    return {"matcher": reward.find.kind, "names": len(reward.names), "build_s": round(built, 2),
            "matching_and_dice": best_rates(lambda: [2 * len(reward.find(t) & g) for t, g in zip(texts, gold, strict=True)],
                                            len(texts)),
            "with_soft_matches": best_rates(lambda: [reward(t, r) for t, r in zip(texts, references, strict=True)],
                                            len(texts), 1)}


def core(args: argparse.Namespace) -> dict[str, Any]:
    return one_core(pathkg.load(), args.completions)


def large(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return one_core(large_store(Path(folder) / "store"), args.completions)


def batch(args: argparse.Namespace) -> dict[str, Any]:
    """Two processes against one, both warm, on the same batch."""
    texts, references = completions(args.completions * 2)
    reward = CompositeReward()
    reward.score_batch(texts[:400], references[:400])
    reward.score_batch(texts[:400], references[:400], workers=2)
    one = min(timed(lambda: reward.score_batch(texts, references))[0] for _ in range(3))
    two = min(timed(lambda: reward.score_batch(texts, references, workers=2))[0] for _ in range(3))
    return {"completions": len(texts), "cores": os.cpu_count(), "one_s": round(one, 3), "two_s": round(two, 3),
            "speed_up": round(one / two, 2)}


_FRESH = """
import sys, time, json
a = time.perf_counter()
import pathkg, pathkg.rewards
b = time.perf_counter()
text, reference = json.load(sys.stdin)
total = pathkg.rewards.CompositeReward()(text, reference)
c = time.perf_counter()
print(json.dumps({"import_s": round(b - a, 3), "first_score_after_import_s": round(c - b, 3), "total": total}))
"""


def fresh(args: argparse.Namespace) -> dict[str, Any]:
    """The first score of a new process, best of five."""
    case = gold_cases()[0]
    given = json.dumps([case.gold.render(), build_reference(case.gold).to_json()])
    runs = [json.loads(subprocess.run([sys.executable, "-c", _FRESH], input=given, capture_output=True, text=True,
                                      check=True).stdout) for _ in range(5)]
    return dict(min(runs, key=lambda r: r["first_score_after_import_s"]))


def http(args: argparse.Namespace) -> dict[str, Any]:
    """100 clients, 100 requests/s together, against a real server process."""
    port = 18077
    command = [sys.executable, "-m", "pathkg.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        return asyncio.run(_load(f"http://127.0.0.1:{port}", server.pid, args))
    finally:
        server.terminate()
        server.wait(10)


async def _load(url: str, pid: int, args: argparse.Namespace) -> dict[str, Any]:
    import httpx

    texts, references = completions(400)
    latencies: list[float] = []
    failures: list[str] = []
    memory: list[float] = []
    rate, clients, seconds = args.rate, args.clients, args.soak
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:
        for _ in range(200):
            try:
                if (await client.get("/healthz")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        body = {"text": texts[0], "reference": references[0]}
        for _ in range(50):
            await client.post("/v1/reward", json=body)
        start = time.perf_counter()

        async def one_client(number: int) -> None:
            sent = 0
            while True:
                due = start + (sent * clients + number) / rate
                if due - start > seconds:
                    return
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                i = (sent * clients + number) % len(texts)
                try:
                    began = time.perf_counter()
                    reply = await client.post("/v1/reward", json={"text": texts[i], "reference": references[i]})
                    latencies.append(time.perf_counter() - began)
                    if reply.status_code != 200:
                        failures.append(str(reply.status_code))
                except httpx.HTTPError as error:
                    failures.append(type(error).__name__)
                sent += 1

        async def watch() -> None:
            while True:
                memory.append(_memory_mb(pid))
                await asyncio.sleep(max(1.0, seconds / 60))

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(one_client(i) for i in range(clients)))
        watching.cancel()
        elapsed = time.perf_counter() - start
    third = max(1, len(memory) // 3)
    return {"clients": clients, "seconds": round(elapsed, 1), "requests": len(latencies),
            "requests_per_s": round(len(latencies) / elapsed, 1), "errors": len(failures), "error_kinds": sorted(set(failures)),
            "p50_ms": round(1000 * percentile(latencies, 0.5), 1), "p99_ms": round(1000 * percentile(latencies, 0.99), 1),
            "max_ms": round(1000 * max(latencies), 1),
            "server_memory_mb": {"first_third": round(statistics.mean(memory[:third]), 1),
                                 "last_third": round(statistics.mean(memory[-third:]), 1), "highest": round(max(memory), 1)}}


def _memory_mb(pid: int) -> float:
    """Resident memory of a process without the pages it shares with files."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "core": core, "large": large, "batch": batch, "fresh": fresh, "http": http}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--completions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0, help="http: requests per second, all clients together")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--soak", type=float, default=30.0, help="http: seconds (600 for the ten-minute run)")
    args = parser.parse_args()
    unknown = [p for p in args.parts if p not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    report = {"graph_hash": pathkg.load().hash, "cores": os.cpu_count(), "load_average": os.getloadavg()[0]}
    for part in args.parts or PARTS:
        report[part] = PARTS[part](args)
        print(f"{part} done", file=sys.stderr)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
