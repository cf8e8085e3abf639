"""``pathkg info``: what a store holds."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np

from pathkg.commands import add_store_options, open_store, print_json
from pathkg.errors import StoreError
from pathkg.graph import KnowledgeGraph

TABLES = {"nodes": "nodes", "edges": "edges", "synonyms": "forms", "xrefs": "xrefs"}
"""Parquet file -> its count in the manifest."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_store_options(parser)


def check_tables(graph: KnowledgeGraph) -> None:
    """Read every table once, in batches: nobody should learn from a later command that the store is damaged.

    Raises:
        StoreError: a table cannot be read, or does not hold what the manifest says.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, counted in TABLES.items():
        path = graph.path / f"{name}.parquet"
        try:
            found = sum(batch.num_rows for batch in pq.ParquetFile(path).iter_batches())
        except (OSError, pa.ArrowException) as error:
            raise StoreError(f"{path} is broken: {error}", hint="build the store again") from error
        expected = graph.manifest["counts"][counted]
        if found != expected:
            raise StoreError(f"{path} has {found:,} rows, the manifest says {expected:,}", hint="build the store again")
    if graph.n_nodes:
        graph.curie(0)  # opens the index


def describe(graph: KnowledgeGraph) -> dict[str, Any]:
    """Counts by type, relation and source, the content hash, and the sources with their licence.

    Raises:
        StoreError: the store is damaged.
    """
    check_tables(graph)
    arrays = graph.arrays

    def counts(codes: Any, words: tuple[str, ...]) -> dict[str, int]:
        tally = np.bincount(codes, minlength=len(words))
        return dict(sorted(((w, int(n)) for w, n in zip(words, tally, strict=True)), key=lambda x: (-x[1], x[0])))

    kinds = Counter(graph.synonyms_table()["kind"].to_pylist())
    return {
        "path": str(graph.path), "hash": graph.hash, "format_version": graph.manifest["format_version"],
        "counts": graph.manifest["counts"],
        "nodes_by_type": counts(arrays.node_type, graph.node_types),
        "edges_by_relation": counts(arrays.edge_relation, graph.relations),
        "edges_by_source": counts(arrays.edge_source, graph.sources),
        "forms_by_kind": dict(sorted(kinds.items())),
        "sources": graph.manifest["source_records"],
    }


def run(args: argparse.Namespace) -> int:
    """Print the description."""
    record = describe(open_store(args))
    if args.json:
        print_json(record)
        return 0
    counts = record["counts"]
    print(f"{counts['nodes']:,} nodes, {counts['edges']:,} edges, {counts['forms']:,} surface forms")
    print(f"{record['hash']}\n{record['path']}")
    for title, key, limit in (("nodes by type", "nodes_by_type", 30), ("edges by relation", "edges_by_relation", 40),
                              ("edges by source", "edges_by_source", 12)):
        rows = list(record[key].items())
        print(f"\n{title}")
        for word, number in rows[:limit]:
            print(f"  {number:>10,}  {word}")
        if len(rows) > limit:
            print(f"  {sum(n for _, n in rows[limit:]):>10,}  in {len(rows) - limit} more (see --json)")
    print("\nsources")
    for source in record["sources"]:
        print(f"  {source['name']} {source.get('version', '')}  licence: {source.get('licence', 'unknown')}")
    return 0
