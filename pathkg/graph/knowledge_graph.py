"""``KnowledgeGraph``: a read-only view of a store folder."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pathkg.errors import InputError, StoreError, UnknownEntityError
from pathkg.graph import convert
from pathkg.graph.adjacency import BACKWARD, FORWARD, GraphArrays
from pathkg.graph.lookup import Lookup
from pathkg.graph.store import read_manifest
from pathkg.graph.tables import GraphTables
from pathkg.graph.walk import Hierarchy
from pathkg.records import Direction, Edge, Node

Neighbor = tuple[int, str, Direction]
"""Edge id, CURIE of the node at the other end, and how the edge is walked from here."""

# flow bits of an entry -> how it is walked; an undirected edge reads as forward unless backward is asked for
_WAYS: dict[str, tuple[Direction, ...]] = {
    "any": ("forward", "forward", "backward", "forward"), "forward": ("forward",) * 4, "backward": ("backward",) * 4}
_WANTED = {"any": FORWARD | BACKWARD, "forward": FORWARD, "backward": BACKWARD}


class KnowledgeGraph:
    """A directed, typed multigraph keyed by CURIE, opened by memory map.

    Opening reads the manifest only; arrays and tables are mapped when first used. Instances are immutable and
    thread-safe; a pickle holds the folder's path and the content hash, not the graph.

    Attributes:
        path: the store folder.
        hash: content hash, ``sha256:…``; goes into everything made from the graph.
        manifest: counts, vocabularies, sources with their licences.
        node_types, relations, sources: vocabularies of the codes in :attr:`arrays`.

    Example:
        >>> import pathkg
        >>> graph = pathkg.load()
        >>> graph.name("MONDO:0005005")
        'clear cell renal cell carcinoma'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self.manifest = read_manifest(self.path)
        self.hash: str = self.manifest["content_hash"]
        self.node_types: tuple[str, ...] = tuple(self.manifest["node_types"])
        self.relations: tuple[str, ...] = tuple(self.manifest["relations"])
        self.sources: tuple[str, ...] = tuple(self.manifest["sources"])
        self.n_nodes: int = self.manifest["counts"]["nodes"]
        self.n_edges: int = self.manifest["counts"]["edges"]
        self._hierarchies: dict[tuple[int, tuple[str, ...]], Hierarchy] = {}
        self._found: dict[str, int] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> KnowledgeGraph:
        """Open a store folder.

        Raises:
            StoreError: no store there, or one of another format version.
        """
        return cls(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (str(self.path), self.hash))

    def __repr__(self) -> str:
        return f"<KnowledgeGraph {self.n_nodes:,} nodes, {self.n_edges:,} edges, {self.hash[:19]}>"

    # -- mapped content ------------------------------------------------------------------------------------

    @cached_property
    def arrays(self) -> GraphArrays:
        """The arrays path search runs on."""
        try:
            return GraphArrays.load(self.path / "adjacency")
        except (OSError, ValueError, EOFError) as error:
            raise StoreError(f"{self.path}/adjacency is broken: {error}", hint="build the store again") from error

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self.path / "index", self.n_nodes)

    def _table(self, name: str) -> pa.Table:
        try:
            return pq.ParquetFile(self.path / f"{name}.parquet").read()  # pq.read_table would import pandas
        except (OSError, pa.ArrowInvalid) as error:
            raise StoreError(f"{self.path}/{name}.parquet is broken: {error}", hint="build the store again") from error

    @cached_property
    def _nodes(self) -> pa.Table:
        return self._table("nodes")

    @cached_property
    def _edges(self) -> pa.Table:
        return self._table("edges")

    @cached_property
    def _synonyms(self) -> pa.Table:
        return self._table("synonyms")

    @cached_property
    def _xrefs(self) -> pa.Table:
        return self._table("xrefs")

    def nodes_table(self) -> pa.Table:
        """Columns ``id, name, type, definition, sources``; row number = node index."""
        return self._nodes

    def edges_table(self) -> pa.Table:
        """Columns ``subject, object`` (node indices), ``relation, display_relation, source, evidence, negated,
        undirected``; row number = edge id."""
        return self._edges

    def synonyms_table(self) -> pa.Table:
        """Columns ``node, form, kind, context, source``."""
        return self._synonyms

    def xrefs_table(self) -> pa.Table:
        """Columns ``node, xref, predicate, source``."""
        return self._xrefs

    # -- nodes ---------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.n_nodes

    def __contains__(self, curie: object) -> bool:
        return isinstance(curie, str) and self.find_index(curie) is not None

    def find_index(self, curie: str) -> int | None:
        """The node index of a CURIE, or ``None``."""
        return self._lookup.index(curie)

    def index(self, curie: str) -> int:
        """The node index of a CURIE.

        Raises:
            UnknownEntityError: the graph has no such node; the message names the nearest ones.
        """
        found = self._lookup.index(curie)
        if found is None:
            raise self._lookup.unknown(curie)
        return found

    def curie(self, index: int) -> str:
        """The CURIE of a node index."""
        return self._lookup.curies[index]

    def name(self, node: int | str) -> str:
        """The preferred name of a node, given by index or CURIE."""
        index = self.index(node) if isinstance(node, str) else int(node)
        return self._lookup.name(index)

    def type(self, node: int | str) -> str:
        """The type of a node, given by index or CURIE."""
        index = self.index(node) if isinstance(node, str) else int(node)
        return self.node_types[int(self.arrays.node_type[index])]

    def node(self, curie: str) -> Node:
        """Everything the graph says of one concept itself.

        Raises:
            UnknownEntityError: no such node.
        """
        index = self.index(curie)
        name = self.name(index)
        return Node(
            id=curie, name=name, type=self.type(index),
            synonyms=tuple(dict.fromkeys(f for f in _rows_of(self._synonyms, "form", index) if f != name)),
            xrefs=tuple(dict.fromkeys(_rows_of(self._xrefs, "xref", index))),
            definition=str(self._lookup.nodes[2][index].as_py() or ""),
            sources=tuple(str(self._nodes["sources"][index].as_py() or "").split("|")))

    def resolve(self, text: str) -> str:
        """The CURIE that ``text`` names: a CURIE, a cross-reference, or (ignoring case) a name or synonym.

        Raises:
            UnknownEntityError: nothing of that name; the message names the nearest ones.
        """
        given = text.strip()
        for find in (self._lookup.index, self._lookup.by_xref, self._lookup.by_form):
            found = find(given)
            if found is not None:
                return self.curie(found)
        raise self._lookup.unknown(given)

    def search(self, prefix: str, *, limit: int = 20) -> list[int]:
        """Indices of nodes with a name or synonym that begins with ``prefix``, in order of the form."""
        return self._lookup.with_prefix(prefix, limit)

    # -- edges ---------------------------------------------------------------------------------------------

    def edge(self, edge_id: int) -> Edge:
        """One edge by its id (row number).

        Raises:
            UnknownEntityError: no such edge.
        """
        if not 0 <= edge_id < self.n_edges:
            raise UnknownEntityError(f"the graph holds no edge {edge_id}", hint=f"ids are 0 to {self.n_edges - 1}")
        arrays = self.arrays
        display, evidence, undirected = (column[edge_id].as_py() for column in self._lookup.edges)
        return Edge(id=int(edge_id), subject=self.curie(int(arrays.edge_subject[edge_id])),
                    relation=self.relations[int(arrays.edge_relation[edge_id])],
                    object=self.curie(int(arrays.edge_object[edge_id])),
                    source=self.sources[int(arrays.edge_source[edge_id])], display_relation=display or "",
                    evidence=evidence or "", negated=bool(arrays.edge_negated[edge_id]), undirected=undirected)

    def neighbors(self, curie: str, relation: str | Collection[str] | None = None,
                  type: str | Collection[str] | None = None, direction: str = "any") -> list[Neighbor]:
        """The edges at a node.

        Args:
            curie: the node.
            relation: keep only these relations.
            type: keep only neighbours of these node types.
            direction: ``forward`` (the node is the subject), ``backward`` (the object) or ``any``.

        Returns:
            ``(edge id, CURIE at the other end, "forward" | "backward")``, sorted by neighbour and edge.
        """
        node, arrays, curies = self.index(curie), self.arrays, self._lookup.curies
        start, stop = arrays.indptr.item(node), arrays.indptr.item(node + 1)
        others, edges, flows = arrays.neighbor[start:stop], arrays.edge[start:stop], arrays.flow[start:stop]
        ways = _WAYS.get(direction)
        if ways is None:
            raise InputError(f"{direction!r} is not a direction", hint="any, forward or backward")
        if relation is not None or type is not None or direction != "any":
            keep = (flows & _WANTED[direction]) != 0
            if relation is not None:
                keep &= np.isin(arrays.edge_relation[edges], _codes(self.relations, relation))
            if type is not None:
                keep &= np.isin(arrays.node_type[others], _codes(self.node_types, type))
            others, edges, flows = others[keep], edges[keep], flows[keep]
        # zip over maps: no bytecode runs per neighbour
        return list(zip(edges.tolist(), map(curies.__getitem__, others.tolist()),
                        map(ways.__getitem__, flows.tolist()), strict=True))

    def degree(self, curie: str) -> int:
        """Number of edges at a node, whatever their direction."""
        index = self.index(curie)
        return int(self.arrays.indptr[index + 1] - self.arrays.indptr[index])

    def ancestors(self, curie: str, relations: Collection[str] = ("is_a",)) -> dict[str, int]:
        """All nodes reached forward over ``relations``, with their distance in steps (not the node itself)."""
        return self._closure(curie, relations, FORWARD)

    def descendants(self, curie: str, relations: Collection[str] = ("is_a",)) -> dict[str, int]:
        """All nodes that reach this one over ``relations``, with their distance in steps."""
        return self._closure(curie, relations, BACKWARD)

    def _closure(self, curie: str, relations: Collection[str], flow_bit: int) -> dict[str, int]:
        start, curies = self.index(curie), self._lookup.curies
        key = (flow_bit, (relations,) if isinstance(relations, str) else tuple(relations))
        hierarchy = self._hierarchies.get(key)
        if hierarchy is None:
            hierarchy = Hierarchy.of(self.arrays, _codes(self.relations, key[1]), flow_bit)
            self._hierarchies[key] = hierarchy
        return {curies[i]: d for i, d in hierarchy.reach(start).items()}

    # -- the whole, and parts of it ------------------------------------------------------------------------

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of nodes per type (``node_types``), of edges per ``relations`` and per ``sources``."""
        arrays = self.arrays
        return {key: dict(zip(words, np.bincount(codes, minlength=len(words)).tolist(), strict=True))
                for key, words, codes in (("node_types", self.node_types, arrays.node_type),
                                          ("relations", self.relations, arrays.edge_relation),
                                          ("sources", self.sources, arrays.edge_source))}

    def tables(self) -> GraphTables:
        """All tables, for an export or a new store."""
        return GraphTables(self._nodes, self._edges, self._synonyms, self._xrefs)

    def subgraph(self, curies: Collection[str], *, hops: int = 0) -> GraphTables:
        """The tables of the nodes given, of those up to ``hops`` edges away, and of all edges between them.

        Turn it into a store with ``write_store``, or into another library's graph with the functions of
        :mod:`pathkg.graph.convert`.

        Raises:
            UnknownEntityError: one of the nodes is not in the graph.
        """
        keep = np.zeros(self.n_nodes, bool)
        keep[[self.index(c) for c in curies]] = True
        arrays = self.arrays
        for _ in range(hops):
            either = keep[arrays.edge_subject] | keep[arrays.edge_object]
            keep[arrays.edge_subject[either]] = True
            keep[arrays.edge_object[either]] = True
        return self.tables().restricted_to(keep)

    def to_pandas(self) -> Any:
        """``(nodes, edges)`` data frames; see :func:`pathkg.graph.convert.to_pandas`."""
        return convert.to_pandas(self.tables())

    def to_networkx(self) -> Any:
        """A ``MultiDiGraph``; see :func:`pathkg.graph.convert.to_networkx`."""
        return convert.to_networkx(self.tables())

    def to_igraph(self) -> Any:
        """A directed ``igraph.Graph``; see :func:`pathkg.graph.convert.to_igraph`."""
        return convert.to_igraph(self.tables())

    def to_pyg(self) -> Any:
        """A ``HeteroData``; see :func:`pathkg.graph.convert.to_pyg`."""
        return convert.to_pyg(self.tables())


def _reopen(path: str, content_hash: str) -> KnowledgeGraph:
    graph = KnowledgeGraph(path)
    if graph.hash != content_hash:
        raise StoreError(f"the store {path} has changed since this object was pickled",
                         hint="make the object again from the store as it is now")
    return graph


def _codes(vocabulary: tuple[str, ...], wanted: str | Collection[str]) -> list[int]:
    words = {wanted} if isinstance(wanted, str) else set(wanted)
    return [code for code, word in enumerate(vocabulary) if word in words]


def _rows_of(table: pa.Table, column: str, node: int) -> list[Any]:
    """The values of a column for one node, in a table sorted by node."""
    # by bisection over single values: a column's to_numpy() would import pandas
    owners = table["node"]
    start, stop = (bisect_left(range(len(owners)), n, key=lambda i: owners[i].as_py()) for n in (node, node + 1))
    return list(table[column].slice(start, stop - start).to_pylist())
