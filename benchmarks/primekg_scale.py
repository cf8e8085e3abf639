"""A ``kg.csv`` of PrimeKG's exact size and relation mix, and a store built from it.

PrimeKG itself is not shipped and not needed: this writes 8,100,498 rows (4,050,249 undirected edges stored twice,
370 of them exact duplicates of others) over 129,375 nodes with PrimeKG's published counts per node type and
relation. With ``--openkg FOLDER`` (nodes.csv and edges.parquet in PrimeKG's vocabulary) names, ids and edges come
from there, and what is missing is replicated with shuffled partners; without it everything is drawn at random with
a heavy-tailed degree. Either way the seed is fixed, the content is NOT PrimeKG, and only its size and shape are.

    python -m benchmarks.primekg_scale OUT_FOLDER [--openkg FOLDER] [--csv-only] [--rows 8100498]

prints JSON; the CSV is ``OUT_FOLDER/kg.csv`` (about 900 MB), the store ``OUT_FOLDER/store``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

SEED = 20230202
ROWS = 8_100_498
EXACT_DUPLICATES = 370

# node type -> (PrimeKG's node count, id source)
NODE_TYPES = {
    "biological_process": (28642, "GO"), "gene/protein": (27671, "NCBI"), "disease": (17080, "MONDO"),
    "effect/phenotype": (15311, "HPO"), "anatomy": (14035, "UBERON"), "molecular_function": (11169, "GO"),
    "drug": (7957, "DrugBank"), "cellular_component": (4176, "GO"), "pathway": (2516, "REACTOME"),
    "exposure": (818, "CTD")}
_G, _D, _P, _R = "gene/protein", "disease", "effect/phenotype", "drug"
_B, _M, _C, _A, _W, _E = ("biological_process", "molecular_function", "cellular_component", "anatomy", "pathway",
                          "exposure")
# relation -> (directed rows in PrimeKG, x type, y type, display relations)
RELATIONS = {
    "anatomy_protein_present": (3033804, _G, _A, ["expression present"]),
    "drug_drug": (2672628, _R, _R, ["synergistic interaction"]),
    "protein_protein": (642150, _G, _G, ["ppi"]),
    "disease_phenotype_positive": (300629, _D, _P, ["phenotype present"]),
    "bioprocess_protein": (289599, _G, _B, ["interacts with"]),
    "cellcomp_protein": (166782, _G, _C, ["interacts with"]),
    "disease_protein": (160813, _G, _D, ["associated with"]),
    "molfunc_protein": (139053, _G, _M, ["interacts with"]),
    "drug_effect": (129568, _R, _P, ["side effect"]),
    "bioprocess_bioprocess": (105772, _B, _B, ["parent-child"]),
    "pathway_protein": (85292, _G, _W, ["interacts with"]),
    "disease_disease": (64388, _D, _D, ["parent-child"]),
    "contraindication": (61350, _R, _D, ["contraindication"]),
    "drug_protein": (50936, _R, _G, ["target", "enzyme", "carrier", "transporter"]),
    "anatomy_protein_absent": (39774, _G, _A, ["expression absent"]),
    "phenotype_phenotype": (37472, _P, _P, ["parent-child"]),
    "anatomy_anatomy": (28064, _A, _A, ["parent-child"]),
    "molfunc_molfunc": (27148, _M, _M, ["parent-child"]),
    "indication": (18776, _R, _D, ["indication"]),
    "cellcomp_cellcomp": (9690, _C, _C, ["parent-child"]),
    "phenotype_protein": (6660, _G, _P, ["associated with"]),
    "off-label use": (5136, _R, _D, ["off-label use"]),
    "pathway_pathway": (5070, _W, _W, ["parent-child"]),
    "exposure_disease": (4608, _E, _D, ["linked to"]),
    "exposure_exposure": (4140, _E, _E, ["parent-child"]),
    "exposure_bioprocess": (3250, _E, _B, ["interacts with"]),
    "exposure_protein": (2424, _E, _G, ["interacts with"]),
    "disease_phenotype_negative": (2386, _D, _P, ["phenotype absent"]),
    "exposure_molfunc": (90, _E, _M, ["interacts with"]),
    "exposure_cellcomp": (20, _E, _C, ["interacts with"]),
}
_CHUNK = 500_000


def _nodes(openkg: Path | None, scale: float) -> tuple[dict[str, list[str]], dict[str, int], Any, dict[str, Any]]:
    """Columns of all nodes, the first row of each type, the row of each openkg index, and openkg's edges."""
    columns: dict[str, list[str]] = {"id": [], "type": [], "name": [], "source": []}
    first: dict[str, int] = {}
    known: dict[str, list[tuple[int, str, str]]] = {t: [] for t in NODE_TYPES}
    edges: dict[str, Any] = {}
    rows = 0
    if openkg is not None:
        table = pa_csv.read_csv(openkg / "nodes.csv", convert_options=pa_csv.ConvertOptions(
            column_types={"node_id": pa.string(), "node_name": pa.string()}))
        rows = table.num_rows
        for index, identifier, type_, name in zip(*(table[c].to_pylist() for c in (
                "node_index", "node_id", "node_type", "node_name")), strict=True):
            known[type_].append((index, identifier, name))
        frame = pq.read_table(openkg / "edges.parquet")
        relation = frame["relation"].to_numpy(zero_copy_only=False)
        for word in np.unique(relation):
            mask = relation == word
            edges[str(word)] = (frame["x_index"].to_numpy()[mask], frame["y_index"].to_numpy()[mask])
    row_of = np.full(rows, -1, np.int64)
    taken_of: dict[str, set[str]] = {source: set() for _, source in NODE_TYPES.values()}
    for type_, (_, source) in NODE_TYPES.items():
        taken_of[source] |= {identifier for _, identifier, _ in known[type_]}
    for type_, (count, source) in NODE_TYPES.items():
        first[type_] = len(columns["id"])
        have = known[type_][:max(2, int(count * scale))]
        for index, identifier, name in have:
            row_of[index] = len(columns["id"])
            _append(columns, identifier, type_, name, source)
        taken = taken_of[source]
        number = 1_000_000
        for i in range(max(2, int(count * scale)) - len(have)):
            while str(number) in taken:
                number += 1
            identifier = {"DrugBank": f"DB{number}", "REACTOME": f"R-HSA-{number}", "CTD": f"D{number}"}.get(
                source, str(number))
            _append(columns, identifier, type_, f"made-up {type_}, number {i}", source)
            taken.add(str(number))
    return columns, first, row_of, edges


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _append(columns: dict[str, list[str]], identifier: str, type_: str, name: str, source: str) -> None:
    for key, value in (("id", identifier), ("type", type_), ("name", name), ("source", source)):
        columns[key].append(value)


def _pairs(rng: np.random.Generator, wanted: int, base: Any, xs: tuple[int, int], ys: tuple[int, int]) -> Any:
    """``wanted`` distinct unordered pairs between two row ranges, from ``base`` first, then with shuffled partners."""
    span = np.int64(1) << 32

    def key(x: Any, y: Any) -> Any:
        if xs == ys:
            x, y = np.minimum(x, y), np.maximum(x, y)
        keep = x != y
        return x[keep].astype(np.int64) * span + y[keep]

    found = np.unique(key(*base)) if base is not None else np.zeros(0, np.int64)
    found = rng.permutation(found)[:wanted]
    limit = (xs[1] - xs[0]) * (ys[1] - ys[0]) // (2 if xs == ys else 1)
    wanted = min(wanted, limit * 9 // 10)
    while len(found) < wanted:
        n = int((wanted - len(found)) * 1.3) + 16
        if len(found) > 1000:
            pick = found[rng.integers(0, len(found), n)]
            x, y = pick // span, rng.permutation(pick % span)
            spread = rng.random(n) < 0.5  # half the partners are new, or dense relations would never fill up
            y[spread] = _draw(rng, int(spread.sum()), ys)
        else:
            x, y = _draw(rng, n, xs), _draw(rng, n, ys)
        found = np.unique(np.concatenate([found, key(x, y)]))
        if len(found) > wanted:
            found = rng.permutation(found)[:wanted]
    return found // span, found % span


def _draw(rng: np.random.Generator, n: int, span: tuple[int, int]) -> Any:
    """Rows of a range with a heavy-tailed frequency: few hubs, many leaves."""
    return (span[0] + (span[1] - span[0]) * rng.random(n) ** 2.5).astype(np.int64)


def _give_every_node_an_edge(rng: np.random.Generator, drawn: dict[str, Any], span: dict[str, tuple[int, int]],
                             n_nodes: int) -> None:
    """Put each node that no edge names into an edge of the largest relation of its type."""
    degree = np.zeros(n_nodes, np.int64)
    for x, y, _ in drawn.values():
        degree += np.bincount(x, minlength=n_nodes) + np.bincount(y, minlength=n_nodes)
    for type_, (start, stop) in span.items():
        lonely = start + np.flatnonzero(degree[start:stop] == 0)
        word = max((w for w, (_, a, b, _) in RELATIONS.items() if type_ in (a, b)), key=lambda w: RELATIONS[w][0])
        x, y, _ = drawn[word]
        end = x if RELATIONS[word][1] == type_ else y
        # only take the place of a node that keeps another edge
        places = rng.permutation(np.flatnonzero(degree[end] > 50))[:len(lonely)]
        end[places] = lonely[:len(places)]


def generate_csv(path: Path, *, openkg: Path | None = None, rows: int = ROWS, seed: int = SEED) -> dict[str, Any]:
    """Write the CSV and return what it holds."""
    rng = np.random.default_rng(seed)
    scale = min(1.0, rows / ROWS)
    columns, first, row_of, edges = _nodes(openkg, scale)
    n_nodes = len(columns["id"])
    starts = [*sorted(first.values()), n_nodes]
    span = {t: (s, starts[starts.index(s) + 1]) for t, s in first.items()}
    drawn: dict[str, Any] = {}
    displays = sorted({d for *_, ds in RELATIONS.values() for d in ds})
    distinct = rows // 2 - (EXACT_DUPLICATES if rows == ROWS else 0)
    largest = next(iter(RELATIONS))  # drawn last: it makes up for halves of odd counts and for small relations
    for word in [*list(RELATIONS)[1:], largest]:
        count, x_type, y_type, shown = RELATIONS[word]
        base = None
        if word in edges:
            bx, by = (row_of[e] for e in edges[word])
            ok = (bx >= 0) & (by >= 0)
            ok &= (bx >= span[x_type][0]) & (bx < span[x_type][1]) & (by >= span[y_type][0]) & (by < span[y_type][1])
            base = (bx[ok], by[ok])
        wanted = max(1, int(count * scale) // 2) if word != largest else distinct - sum(
            len(x) for x, _, _ in drawn.values())
        x, y = _pairs(rng, wanted, base, span[x_type], span[y_type])
        drawn[word] = (x, y, rng.choice([displays.index(d) for d in shown], len(x)).astype(np.int32))
    _give_every_node_an_edge(rng, drawn, span, n_nodes)
    parts = [drawn[word] for word in RELATIONS]
    x, y, display = (np.concatenate([part[i] for part in parts]) for i in range(3))
    relation = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[0]) for part in parts])
    twice = rng.integers(0, len(x), rows // 2 - len(x))
    order = np.concatenate([np.arange(len(x)), twice])
    x, y, relation, display = (a[order] for a in (x, y, relation, display))
    nodes = pa.array([f"{i},{a},{b},{_quoted(c)},{d}" for i, (a, b, c, d) in enumerate(
        zip(columns["id"], columns["type"], columns["name"], columns["source"], strict=True))])
    relation_words, display_words = pa.array(list(RELATIONS)), pa.array(displays)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        out.write((",".join(["relation", "display_relation"] + [
            f"{s}_{p}" for s in "xy" for p in ("index", "id", "type", "name", "source")]) + "\n").encode())
        ends = pa.array([f"{text}\n" for text in nodes.to_pylist()])
        for a, b in ((x, y), (y, x)):
            for start in range(0, len(a), _CHUNK):
                part = slice(start, start + _CHUNK)
                lines = pc.binary_join_element_wise(
                    relation_words.take(pa.array(relation[part])), display_words.take(pa.array(display[part])),
                    nodes.take(pa.array(a[part])), ends.take(pa.array(b[part])), ",")
                out.write(lines.buffers()[2])  # the strings lie back to back: that is the file
    return {"rows": 2 * len(x), "edges_stored_twice": len(x), "repeated_edges": len(twice), "nodes": n_nodes,
            "relations": len(RELATIONS), "bytes": path.stat().st_size, "seed": seed,
            "from": "openkg, replicated" if openkg else "random"}


def build_store(csv: Path, store: Path) -> dict[str, Any]:
    """Build a store from the CSV alone and return timings."""
    from pathkg.merge import build

    start = time.perf_counter()
    result = build(store, primekg=[csv], core=False)
    return {"build_seconds": round(time.perf_counter() - start, 2), "hash": result.graph_hash,
            "nodes": result.report["result"]["nodes"], "edges": result.report["result"]["edges"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--openkg", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--csv-only", action="store_true")
    args = parser.parse_args()
    start = time.perf_counter()
    record: dict[str, Any] = generate_csv(args.out / "kg.csv", openkg=args.openkg, rows=args.rows)
    record["generate_seconds"] = round(time.perf_counter() - start, 2)
    if not args.csv_only:
        record.update(build_store(args.out / "kg.csv", args.out / "store"))
    print(json.dumps(record, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
