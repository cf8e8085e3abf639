"""Compressed sparse row adjacency: one array set that serves directed and undirected walks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORWARD = 1
"""Flow bit: the edge may be walked from here along its own direction."""
BACKWARD = 2
"""Flow bit: the edge may be walked from here against its own direction."""

IntArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class GraphArrays:
    """The memory-mapped arrays a query runs on.

    Attributes:
        indptr: int64 (n_nodes + 1); the entries of node u are ``indptr[u]:indptr[u + 1]``.
        neighbor: int32 (n_entries); the node at the other end.
        edge: int32 (n_entries); the edge id.
        flow: uint8 (n_entries); bits ``FORWARD`` and ``BACKWARD``; an undirected edge has both. Entries of a
            node are sorted by (neighbor, edge); a self-loop has one entry with both bits.
        node_type: int16 (n_nodes); code into the graph's node types.
        edge_subject, edge_object: int32 (n_edges); node indices.
        edge_relation, edge_source: int16 (n_edges); codes into the graph's relations and sources.
        edge_negated: bool (n_edges).
    """

    indptr: IntArray
    neighbor: IntArray
    edge: IntArray
    flow: IntArray
    node_type: IntArray
    edge_subject: IntArray
    edge_object: IntArray
    edge_relation: IntArray
    edge_source: IntArray
    edge_negated: IntArray

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` per array."""
        folder.mkdir(parents=True, exist_ok=True)
        for item in fields(self):
            np.save(folder / f"{item.name}.npy", getattr(self, item.name))

    @classmethod
    def load(cls, folder: Path) -> GraphArrays:
        """Memory-map the arrays of ``folder``; nothing is read until it is used."""
        loaded: dict[str, IntArray] = {}
        for item in fields(cls):
            path = folder / f"{item.name}.npy"
            array: IntArray = np.load(path, mmap_mode="r", allow_pickle=False)
            loaded[item.name] = array
        return cls(**loaded)


def build_adjacency(n_nodes: int, subject: IntArray, obj: IntArray, undirected: IntArray
                    ) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """``(indptr, neighbor, edge, flow)`` of the edges ``subject[e] -> obj[e]``; see :class:`GraphArrays`."""
    n_edges = len(subject)
    edge_ids = np.arange(n_edges, dtype=np.int32)
    loops = subject == obj
    both = (FORWARD | BACKWARD) * np.ones(n_edges, np.uint8)
    forward = np.where(undirected | loops, both, np.uint8(FORWARD))
    backward = np.where(undirected, both, np.uint8(BACKWARD))[~loops]
    head = np.concatenate([subject, obj[~loops]]).astype(np.int64)
    tail = np.concatenate([obj, subject[~loops]]).astype(np.int64)
    edge = np.concatenate([edge_ids, edge_ids[~loops]])
    flow = np.concatenate([forward, backward]).astype(np.uint8)
    # edge ids ascend within each half and the sort is stable, so (head, neighbor) is key enough once the
    # halves are interleaved by edge id
    interleave = np.argsort(edge, kind="stable")
    order = interleave[np.argsort((head * n_nodes + tail)[interleave], kind="stable")]
    indptr = np.zeros(n_nodes + 1, np.int64)
    np.cumsum(np.bincount(head, minlength=n_nodes), out=indptr[1:])
    return indptr, tail[order].astype(np.int32), edge[order].astype(np.int32), flow[order]
