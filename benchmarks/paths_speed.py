"""Path search against networkx, igraph, rustworkx and networkit, in one run on one graph of PrimeKG's size.

    python -m benchmarks.primekg_scale FOLDER [--openkg FOLDER]
    python -m benchmarks.paths_speed FOLDER/store [--pairs N] [--peer-pairs N] [--peers networkx igraph ...] [--out FILE]

prints JSON. Pairs are drawn by seed from the nodes that have edges. What is measured:

* ``all_shortest``: list all shortest paths of a pair, milliseconds per pair. Ours (compiled, NumPy) on ``--pairs`` pairs,
  peers on the first ``--peer-pairs`` of them; ``ours_same_pairs`` is the median on just these. Peers get the simple graph
  (parallel edges merged), which spares them work; that they find the same node sequences is checked.
* ``batch``: pairs per second on all cores: distances with exact counts; the five best shortest paths (solved; and with
  every record made); the default five best over levels up to four hops.
* ``constrained``: the time of the same pairs free, with node types forbidden, with a degree cap, as ratios.
* ``simple_paths``: ten shortest simple paths, against networkx ``shortest_simple_paths``.
* ``cold_start``: in a fresh process, seconds to import, open the store and answer the first query; and with a machine-code
  cache, to load the compiled engine.
* ``memory``: anonymous memory (not the mapped arrays) that the finder, its compiled engine and 2,000 batch queries add.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from pathkg.graph import KnowledgeGraph
from pathkg.paths import PathFinder

SEED = 20240501
MAX_HOPS = 12
PEERS = ("networkx", "igraph", "igraph_unit_weights", "rustworkx", "networkit")
_PEER_SECONDS = 300.0
_PAIR_SECONDS = 60  # where the peer can be interrupted; a pair that takes longer is counted and left out
_PEER_BYTES = 14 << 30  # a peer may list millions of paths: it gets no memory then, not the machine's last


def draw_pairs(graph: KnowledgeGraph, n: int) -> list[tuple[str, str]]:
    """Pairs of different nodes that have edges."""
    rng = np.random.default_rng(SEED)
    nodes = np.flatnonzero(np.diff(graph.arrays.indptr) > 0)
    drawn = rng.choice(nodes, (n + n // 8 + 8, 2))
    return [(graph.curie(a), graph.curie(b)) for a, b in drawn.tolist() if a != b][:n]


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and mean in milliseconds."""
    ms = np.array(seconds) * 1000
    return {"pairs": len(ms), "median_ms": round(float(np.median(ms)), 4),
            "p95_ms": round(float(np.percentile(ms, 95)), 4), "mean_ms": round(float(ms.mean()), 4)}


def timed(call: Callable[[str, str], Any], pairs: list[tuple[str, str]], most: float = 1e9) -> tuple[list[float], list[Any]]:
    """Seconds and answers per pair; stops after ``most`` seconds in all."""
    seconds, answers = [], []
    began = time.perf_counter()
    for a, b in pairs:
        start = time.perf_counter()
        answers.append(call(a, b))
        seconds.append(time.perf_counter() - start)
        if time.perf_counter() - began > most:
            break
    return seconds, answers


def simple_edges(graph: KnowledgeGraph) -> Any:
    """Undirected node pairs without repeats or loops, int64 (n, 2)."""
    u, v = np.asarray(graph.arrays.edge_subject, np.int64), np.asarray(graph.arrays.edge_object, np.int64)
    keys = np.unique(np.minimum(u, v) * len(graph) + np.maximum(u, v))
    ends = np.stack([keys // len(graph), keys % len(graph)], axis=1)
    return ends[ends[:, 0] != ends[:, 1]]


def peer_search(name: str, graph: KnowledgeGraph, edges: Any) -> Callable[[str, str], set[tuple[int, ...]]]:
    """All shortest paths of a pair, as node index sequences, by a peer."""
    n, index = len(graph), graph.index
    if name == "networkx":
        import networkx as nx

        g = nx.Graph()
        g.add_nodes_from(range(n))
        g.add_edges_from(map(tuple, edges.tolist()))
        return lambda a, b: set(map(tuple, nx.all_shortest_paths(g, index(a), index(b))))
    if name in ("igraph", "igraph_unit_weights"):
        import igraph

        h = igraph.Graph(n=n, edges=edges.tolist())
        # without weights igraph keeps every path to every node on the way; with weights of 1 it keeps parents and lists at
        # the end only what leads to the target: the better of the two is the fair peer
        weights = [1] * h.ecount() if name == "igraph_unit_weights" else None
        return lambda a, b: set(map(tuple, h.get_all_shortest_paths(index(a), index(b), weights=weights)))
    if name == "rustworkx":
        import rustworkx as rx

        r = rx.PyGraph(multigraph=False)
        r.add_nodes_from(range(n))
        r.add_edges_from_no_data(list(map(tuple, edges.tolist())))
        return lambda a, b: {tuple(p) for p in rx.graph_all_shortest_paths(r, index(a), index(b))}
    import networkit as nk

    k = nk.GraphFromCoo((edges[:, 0].astype(np.uint64), edges[:, 1].astype(np.uint64)), n=n, directed=False)

    def search(a: str, b: str) -> set[tuple[int, ...]]:
        run = nk.distance.BFS(k, index(a), storePaths=True, storeNodesSortedByDistance=False, target=index(b))
        run.run()
        return {tuple(p) for p in run.getPaths(index(b))}
    return search


def measure_all_shortest(graph: KnowledgeGraph, finder: PathFinder, plain: PathFinder, pairs: list[tuple[str, str]],
                         n_peer: int, peers: list[str]) -> dict[str, Any]:
    """See the module."""
    def ours(f: PathFinder) -> Callable[[str, str], Any]:
        return lambda a, b: f.all_shortest(a, b, max_hops=MAX_HOPS)

    timed(ours(finder), pairs[:50])
    seconds, answers = timed(ours(finder), pairs)
    sizes = np.array([len(nodes) for nodes, _ in answers])
    slow_seconds, slow = timed(ours(plain), pairs[:max(50, n_peer)])
    same = all((x[0].shape == y[0].shape) and (x[0] == y[0]).all() for x, y in zip(slow, answers, strict=False))
    report: dict[str, Any] = {
        "paths_per_pair": {"median": float(np.median(sizes)), "p95": float(np.percentile(sizes, 95)), "max": int(sizes.max())},
        "pathkg": summary(seconds), "pathkg_numpy": summary(slow_seconds) | {"same_as_compiled": bool(same)}}
    edges = simple_edges(graph) if peers else None
    lists = [{tuple(p) for p in nodes.tolist()} for nodes, _ in answers[:n_peer]]
    for name in peers:
        # in a process of its own: a peer that fills its memory leaves the next one all of it
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"),
                                 initializer=_set_peer, initargs=(graph, edges, lists)) as pool:
            report[name] = pool.submit(_measure_peer, name, pairs[:n_peer]).result()
        if "solved" in report[name]:
            solved = report[name].pop("solved")
            mine = float(np.median([seconds[i] for i in solved]) * 1000)
            report[name] |= {"ours_same_pairs_median_ms": round(mine, 4),
                             "times_slower": round(report[name]["median_ms"] / mine, 1)}
    return report


_PEER: dict[str, Any] = {}


def _set_peer(graph: KnowledgeGraph, edges: Any, lists: list[set[tuple[int, ...]]]) -> None:
    _PEER.update(graph=graph, edges=edges, lists=lists)


def _measure_peer(name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """One peer's times; ``solved`` are the positions of the pairs that it answered."""
    resource.setrlimit(resource.RLIMIT_AS, (_PEER_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    start = time.perf_counter()
    try:
        search = peer_search(name, _PEER["graph"], _PEER["edges"])
    except ImportError as error:
        return {"not_measured": str(error)}
    build = time.perf_counter() - start
    seconds, found = timed(_tolerant(search), pairs, _PEER_SECONDS)
    # pairs that are not joined at all end in an error or an empty list, according to the peer
    solved = [i for i, paths in enumerate(found) if paths is not None]
    if not solved:
        return {"not_measured": f"out of memory or time on each of {len(found)} pairs"}
    return summary([seconds[i] for i in solved]) | {
        "build_seconds": round(build, 1), "given_up": len(found) - len(solved), "solved": solved,
        "same_paths": sum(found[i] == _PEER["lists"][i] for i in solved)}


def _tolerant(search: Callable[[str, str], set[tuple[int, ...]]]
              ) -> Callable[[str, str], set[tuple[int, ...]] | None]:
    """A search that answers with no path where the peer raises for none, and with ``None`` when it lacks memory or time."""
    def call(a: str, b: str) -> set[tuple[int, ...]] | None:
        before = signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(_PAIR_SECONDS)
        try:
            return search(a, b)
        except (MemoryError, TimeoutError, KeyboardInterrupt):  # igraph turns what a signal raises into an interrupt
            return None
        except Exception as error:
            if type(error).__name__ not in ("NetworkXNoPath", "NoPathFound"):
                raise
            return set()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
    return call


def _too_long(*_: object) -> None:
    raise TimeoutError


def measure_batch(finder: PathFinder, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """See the module; the best of three runs each, because other programs may be running."""
    def rate(call: Callable[[], Any]) -> float:
        best = 0.0
        for _ in range(3):
            start = time.perf_counter()
            call()
            best = max(best, len(pairs) / (time.perf_counter() - start))
        return round(best, 1)

    few = pairs[:max(100, len(pairs) // 10)]
    finder.distances(few, max_hops=MAX_HOPS)
    start = time.perf_counter()
    list(finder.find_many(few, k=5, max_hops=4))
    levels = len(few) / (time.perf_counter() - start)
    return {"cores": len(os.sched_getaffinity(0)), "pairs": len(pairs),
            "distances_and_counts_per_s": rate(lambda: finder.distances(pairs, max_hops=MAX_HOPS)),
            "distances_and_counts_per_s_one_core": rate(lambda: finder.distances(pairs, max_hops=MAX_HOPS, workers=1)),
            "best_5_shortest_per_s": rate(lambda: finder.find_many(pairs, mode="all_shortest", max_hops=MAX_HOPS)),
            "best_5_shortest_with_records_per_s": rate(
                lambda: list(finder.find_many(pairs, mode="all_shortest", max_hops=MAX_HOPS))),
            "k_shortest_5_within_4_hops_with_records_per_s": round(levels, 1)}


def measure_constrained(graph: KnowledgeGraph, finder: PathFinder, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """See the module: the same pairs free and constrained."""
    wanted = [t for t in ("anatomy", "drug") if t in graph.node_types]
    options: dict[str, dict[str, Any]] = {
        "free": {}, "without_anatomy_and_drug": {"not_node_types": wanted}, "degree_cap_500": {"max_degree": 500},
        "both": {"not_node_types": wanted, "max_degree": 500},
        "without_the_largest_relation": {"not_relations": [graph.relations[int(np.argmax(np.bincount(
            graph.arrays.edge_relation)))]]}}
    report: dict[str, Any] = {}
    for name, constraints in options.items():
        def call(a: str, b: str, constraints: dict[str, Any] = constraints) -> Any:
            return finder.all_shortest(a, b, max_hops=6, **constraints)
        timed(call, pairs[:20])
        report[name] = summary(timed(call, pairs)[0])
    for name in options:
        report[name]["times_free_median"] = round(report[name]["median_ms"] / report["free"]["median_ms"], 2)
        report[name]["times_free_mean"] = round(report[name]["mean_ms"] / report["free"]["mean_ms"], 2)
    return report


def measure_simple(graph: KnowledgeGraph, finder: PathFinder, pairs: list[tuple[str, str]], with_networkx: bool
                   ) -> dict[str, Any]:
    """Ten shortest simple paths; on pairs that have them within six hops."""
    joined = [p for p in pairs if len(finder.find(*p, k=10, max_hops=6)) == 10][:20]
    seconds, answers = timed(lambda a, b: finder.find(a, b, k=10, max_hops=6), joined)
    report: dict[str, Any] = {"pathkg": summary(seconds)}
    if with_networkx:
        import networkx as nx

        g = nx.Graph()
        g.add_edges_from(map(tuple, simple_edges(graph).tolist()))
        peer, found = timed(lambda a, b: list(itertools.islice(
            nx.shortest_simple_paths(g, graph.index(a), graph.index(b)), 10)), joined[:6], _PEER_SECONDS)
        mine = float(np.median(seconds[:len(peer)]) * 1000)
        shortest = [min(p.length for p in ours) == len(theirs[0]) - 1 for ours, theirs in zip(answers, found, strict=False)]
        report["networkx"] = summary(peer) | {"ours_same_pairs_median_ms": round(mine, 4), "same_shortest": sum(shortest),
                                              "times_slower": round(float(np.median(peer)) * 1000 / mine, 1)}
    return report


_COLD = """
import time; t0 = time.perf_counter()
import sys
import pathkg
t1 = time.perf_counter()
graph = pathkg.load(sys.argv[1])
result = pathkg.find_paths(sys.argv[2], sys.argv[3], k=5, max_hops=6, graph=graph)
t2 = time.perf_counter()
from pathkg.paths import PathFinder
finder = PathFinder(graph, engine="numba")
finder.find(sys.argv[2], sys.argv[3], k=5, max_hops=6)
t3 = time.perf_counter()
print(len(result), t1 - t0, t2 - t1, t3 - t2)
"""

_MEMORY = """
import sys, json
def anonymous():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(lines["RssAnon"].split()[0]) / 1024
import numba, numpy, pyarrow, pathkg
from pathkg.paths import PathFinder
graph = pathkg.load(sys.argv[1])
pairs = json.load(sys.stdin)
for a, b in pairs: graph.index(a), graph.name(graph.index(b))
for name in ("indptr", "neighbor", "edge", "flow"): getattr(graph.arrays, name)[:].max()
before = anonymous()
finder = PathFinder(graph, engine="numba")
list(finder.find_many(pairs, mode="all_shortest", max_hops=8))
print(anonymous() - before)
"""


def measure_process(store: str, pair: tuple[str, str], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Cold start and memory, each in a fresh process."""
    runs = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", _COLD, store, *pair], check=True, capture_output=True, text=True).stdout
        runs.append([float(x) for x in out.split()])
    found, imported, first, compiled = min(runs, key=lambda r: r[1] + r[2])
    report: dict[str, Any] = {"cold_start": {
        "import_s": round(imported, 3), "open_and_first_query_s": round(first, 3), "total_s": round(imported + first, 3),
        "paths_found": int(found), "load_compiled_engine_and_query_s": round(compiled, 3)}}
    if Path("/proc/self/status").exists():
        out = subprocess.run([sys.executable, "-c", _MEMORY, store], input=json.dumps(pairs), check=True,
                             capture_output=True, text=True).stdout
        report["memory"] = {"added_mb": round(float(out), 1), "queries": len(pairs)}
    return report


def main() -> int:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description="Path search against its peers.")
    parser.add_argument("store")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--peer-pairs", type=int, default=12)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--only", nargs="+", choices=("all_shortest", "batch", "constrained", "simple_paths", "process"))
    parser.add_argument("--out")
    args = parser.parse_args()
    graph = KnowledgeGraph.open(args.store)
    pairs = draw_pairs(graph, args.pairs)
    finder, plain = PathFinder(graph, engine="numba"), PathFinder(graph, engine="numpy")
    for array in (graph.arrays.neighbor, graph.arrays.edge, graph.arrays.flow, graph.arrays.indptr):
        array[:].max()  # every page is mapped before a clock runs
    parts: dict[str, Callable[[], Any]] = {
        "all_shortest": lambda: measure_all_shortest(graph, finder, plain, pairs[:500], args.peer_pairs, args.peers),
        "batch": lambda: measure_batch(finder, pairs),
        "constrained": lambda: measure_constrained(graph, finder, pairs[:500]),
        "simple_paths": lambda: measure_simple(graph, finder, pairs[:200], "networkx" in args.peers),
        "process": lambda: measure_process(args.store, pairs[0], pairs)}
    report: dict[str, Any] = {"graph": {"nodes": len(graph), "edges": graph.n_edges, "hash": graph.hash},
                              "machine": {"cpu": platform.processor() or platform.machine(), "python": platform.python_version(),
                                          "load_average": round(os.getloadavg()[0], 2)}}
    for name in args.only or parts:
        result = parts[name]()
        report.update(result if name == "process" else {name: result})
        print(f"{name} done", file=sys.stderr)
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        Path(args.out).write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
