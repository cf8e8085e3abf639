"""PrimeKG's mirrored rows folded to one undirected edge each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pathkg.sources.tables import SOURCE_EDGES, ReadReport

NEGATED_RELATIONS = frozenset({"disease_phenotype_negative", "anatomy_protein_absent"})
"""``phenotype absent`` and ``expression absent``."""
_SORT_BITS = 63
_IntArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Edges:
    """Columns of the folded edges: node rows of the ends, ranks of the words."""

    subject: _IntArray
    object: _IntArray
    relation: _IntArray
    display: _IntArray


def fold_mirrors(x: _IntArray, y: _IntArray, relation: _IntArray, display: _IntArray, node_rank: _IntArray,
                  report: ReadReport) -> Edges:
    """One edge per (relation, display relation, unordered pair), oriented like its first row.

    The edges come sorted by relation, display relation and the ranks of their ends, whatever the order of the rows.

    Args:
        x, y: node rows.
        relation, display: ranks of the words.
        node_rank: rank of each node row by CURIE.
    """
    n_display = int(display.max(initial=0)) + 1
    n_rows, n_nodes = len(x), len(node_rank)
    low, high = node_rank[x], node_rank[y]
    low, high = np.minimum(low, high), np.maximum(low, high)
    node_bits, row_bits = n_nodes.bit_length(), n_rows.bit_length()
    kind = relation.astype(np.int64) * n_display + display
    if int(kind.max(initial=0)).bit_length() + 2 * node_bits + row_bits < _SORT_BITS:
        # one integer per row, the row number in the lowest bits: sorting it groups equal edges in row order
        key = kind
        for values, bits in ((low, node_bits), (high, node_bits), (np.arange(n_rows), row_bits)):
            key <<= bits
            key |= values
        key.sort()
        rows = (key & ((1 << row_bits) - 1)).astype(np.int64)
        key >>= row_bits
        starts = np.flatnonzero(np.diff(key, prepend=-1))
    else:
        rows = np.lexsort((high, low, kind))
        change = np.zeros(n_rows, bool)
        change[:1] = True
        for values in (kind, low, high):
            change[1:] |= values[rows[1:]] != values[rows[:-1]]
        starts = np.flatnonzero(change)
    first = rows[starts]
    total = np.diff(starts, append=n_rows)
    up = np.add.reduceat((x <= y)[rows].astype(np.int32), starts) if n_rows else total
    down = total - up
    loops = x[first] == y[first]
    duplicates = np.where(loops, np.maximum(up - 2, 0), np.maximum(up - 1, 0) + np.maximum(down - 1, 0))
    report.count("exact duplicate rows", int(duplicates.sum()))
    report.count("mirror rows folded", int(n_rows - len(first) - duplicates.sum()))
    report.count("edges given in one direction only", int(((up == 0) | (down == 0))[~loops].sum()))
    report.count("self-loops", int(loops.sum()))
    return Edges(x[first], y[first], relation[first], display[first])


def ranks(words: Sequence[str | None]) -> tuple[list[str], _IntArray]:
    """The words sorted, and the place of each in that order."""
    ordered = sorted({word or "" for word in words})
    place = {word: i for i, word in enumerate(ordered)}
    return ordered, np.array([place[word or ""] for word in words] or [0], np.int32)


def edge_table(edges: Edges, relations: list[str], displays: list[str], source: str) -> pa.Table:
    n = len(edges.subject)
    negated_code = np.array([r in NEGATED_RELATIONS for r in relations] or [False])

    def words(codes: _IntArray, vocabulary: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(vocabulary, pa.string()))

    return pa.Table.from_arrays([
        pa.array(edges.subject, pa.int32()), pa.array(edges.object, pa.int32()), words(edges.relation, relations),
        words(edges.display, displays), words(np.zeros(n, np.int32), [source]), empty_strings(n),
        pa.array(negated_code[edges.relation] if n else np.zeros(0, bool)), pa.array(np.ones(n, bool)),
    ], schema=SOURCE_EDGES)


def empty_strings(n: int) -> pa.Array:
    """``n`` empty strings without a Python list."""
    return pa.StringArray.from_buffers(n, pa.py_buffer(np.zeros(n + 1, np.int32)), pa.py_buffer(b""))
