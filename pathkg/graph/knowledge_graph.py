"""``KnowledgeGraph``: a read-only view of a store folder."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pathkg.errors import StoreError, UnknownEntityError, did_you_mean
from pathkg.graph.adjacency import BACKWARD, FORWARD, GraphArrays
from pathkg.graph.store import read_manifest
from pathkg.records import Direction, Edge, Node

Neighbor = tuple[int, str, Direction]
"""Edge id, CURIE of the node at the other end, and how the edge is walked from here."""


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
        'clear cell renal carcinoma'
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
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.path}/adjacency is broken: {error}", hint="build the store again") from error

    def _map(self, name: str) -> pa.Table:
        try:
            return pa.ipc.open_file(pa.memory_map(str(self.path / "index" / name))).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise StoreError(f"{self.path}/index/{name} is broken: {error}", hint="build the store again") from error

    @cached_property
    def _node_columns(self) -> tuple[pa.Array, ...]:
        return _flat(self._map("nodes.arrow"))

    @cached_property
    def _name_columns(self) -> tuple[pa.Array, ...]:
        return _flat(self._map("names.arrow"))

    @cached_property
    def _xref_columns(self) -> tuple[pa.Array, ...]:
        return _flat(self._map("xrefs.arrow"))

    def _table(self, name: str) -> pa.Table:
        try:
            return pq.read_table(self.path / f"{name}.parquet")
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
        known = self._found.get(curie)
        if known is not None:
            return known
        at = _bisect(self._node_columns[0], curie)
        if at < self.n_nodes and self._node_columns[0][at].as_py() == curie:
            # a search costs some 17 Arrow look-ups; the nodes that are asked for are asked for again and again
            self._found[curie] = at
            return at
        return None

    def index(self, curie: str) -> int:
        """The node index of a CURIE.

        Raises:
            UnknownEntityError: the graph has no such node; the message names the nearest ones.
        """
        found = self.find_index(curie)
        if found is None:
            raise self._unknown(curie)
        return found

    def _unknown(self, given: str) -> UnknownEntityError:
        near = sorted(set(self.search(given[:6], limit=200)) | set(self._curies_near(given)))
        names = {f"{self.name(i)} ({self.curie(i)})": i for i in near}
        hint = did_you_mean(given, [self.curie(i) for i in near])
        if not hint:
            best = did_you_mean(given.lower(), [self.name(i).lower() for i in near])
            hint = best or (f"some near ones: {', '.join(list(names)[:3])}" if names else
                            "look names up with: pathkg node --search WORD")
        return UnknownEntityError(f"the graph holds no node {given!r}", hint=hint)

    def _curies_near(self, given: str) -> range:
        at = _bisect(self._node_columns[0], given)
        return range(max(0, at - 20), min(self.n_nodes, at + 20))

    def curie(self, index: int) -> str:
        """The CURIE of a node index."""
        return str(self._node_columns[0][int(index)].as_py())

    def name(self, node: int | str) -> str:
        """The preferred name of a node, given by index or CURIE."""
        index = self.index(node) if isinstance(node, str) else int(node)
        return str(self._node_columns[1][index].as_py())

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
        forms = self._synonyms.filter(_equals(self._synonyms["node"], index))
        xrefs = self._xrefs.filter(_equals(self._xrefs["node"], index))
        name = self.name(index)
        return Node(
            id=curie, name=name, type=self.type(index),
            synonyms=tuple(dict.fromkeys(f for f in forms["form"].to_pylist() if f != name)),
            xrefs=tuple(dict.fromkeys(xrefs["xref"].to_pylist())),
            definition=str(self._node_columns[2][index].as_py() or ""),
            sources=tuple(str(self._nodes["sources"][index].as_py() or "").split("|")))

    def resolve(self, text: str) -> str:
        """The CURIE that ``text`` names: a CURIE, a cross-reference, or (ignoring case) a name or synonym.

        Raises:
            UnknownEntityError: nothing of that name; the message names the nearest ones.
        """
        given = text.strip()
        if self.find_index(given) is not None:
            return given
        xrefs, xref_nodes = self._xref_columns
        at = _bisect(xrefs, given)
        if at < len(xrefs) and xrefs[at].as_py() == given:
            return self.curie(xref_nodes[at].as_py())
        keys, nodes, _ = self._name_columns
        key = given.lower()
        at = _bisect(keys, key)
        if at < len(keys) and keys[at].as_py() == key:
            return self.curie(nodes[at].as_py())
        raise self._unknown(given)

    def search(self, prefix: str, *, limit: int = 20) -> list[int]:
        """Indices of nodes with a name or synonym that begins with ``prefix``, in order of the form."""
        keys, nodes, _ = self._name_columns
        key = prefix.lower()
        found: dict[int, None] = {}
        for at in range(_bisect(keys, key), len(keys)):
            if len(found) >= limit or not keys[at].as_py().startswith(key):
                break
            found.setdefault(nodes[at].as_py())
        return list(found)

    # -- edges ---------------------------------------------------------------------------------------------

    def edge(self, edge_id: int) -> Edge:
        """One edge by its id (row number).

        Raises:
            UnknownEntityError: no such edge.
        """
        if not 0 <= edge_id < self.n_edges:
            raise UnknownEntityError(f"the graph holds no edge {edge_id}", hint=f"ids are 0 to {self.n_edges - 1}")
        row = self._edges.slice(edge_id, 1).to_pylist()[0]
        return Edge(id=int(edge_id), subject=self.curie(row["subject"]), relation=row["relation"],
                    object=self.curie(row["object"]), source=row["source"] or "",
                    display_relation=row["display_relation"] or "", evidence=row["evidence"] or "",
                    negated=row["negated"], undirected=row["undirected"])

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
        return [(edge, self.curie(other), way)
                for edge, other, way in self._walk(self.index(curie), relation, type, direction)]

    def _walk(self, node: int, relation: str | Collection[str] | None, type_: str | Collection[str] | None,
              direction: str) -> Iterator[tuple[int, int, Direction]]:
        arrays = self.arrays
        start, stop = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
        relations = _codes(self.relations, relation)
        types = _codes(self.node_types, type_)
        wanted = {"any": FORWARD | BACKWARD, "forward": FORWARD, "backward": BACKWARD}[direction]
        for other, edge, flow in zip(arrays.neighbor[start:stop].tolist(), arrays.edge[start:stop].tolist(),
                                     arrays.flow[start:stop].tolist(), strict=True):
            if not flow & wanted or (relations is not None and int(arrays.edge_relation[edge]) not in relations):
                continue
            if types is not None and int(arrays.node_type[other]) not in types:
                continue
            yield edge, other, "forward" if flow & wanted & FORWARD else "backward"

    def degree(self, curie: str) -> int:
        """Number of edges at a node, whatever their direction."""
        index = self.index(curie)
        return int(self.arrays.indptr[index + 1] - self.arrays.indptr[index])

    def ancestors(self, curie: str, relations: Collection[str] = ("is_a",)) -> dict[str, int]:
        """All nodes reached forward over ``relations``, with their distance in steps (not the node itself)."""
        return self._closure(curie, relations, "forward")

    def descendants(self, curie: str, relations: Collection[str] = ("is_a",)) -> dict[str, int]:
        """All nodes that reach this one over ``relations``, with their distance in steps."""
        return self._closure(curie, relations, "backward")

    def _closure(self, curie: str, relations: Collection[str], direction: str) -> dict[str, int]:
        start = self.index(curie)
        distance = {start: 0}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for _, other, _ in self._walk(node, relations, None, direction):
                if other not in distance:
                    distance[other] = distance[node] + 1
                    queue.append(other)
        return {self.curie(i): d for i, d in distance.items() if i != start}


def _reopen(path: str, content_hash: str) -> KnowledgeGraph:
    graph = KnowledgeGraph(path)
    if graph.hash != content_hash:
        raise StoreError(f"the store {path} has changed since this object was pickled",
                         hint="make the object again from the store as it is now")
    return graph


def _flat(table: pa.Table) -> tuple[pa.Array, ...]:
    """Each column as one array (a store's index file holds one chunk, or none when it is empty)."""
    return tuple(c.chunk(0) if c.num_chunks else pa.array([], c.type) for c in table.columns)


def _bisect(column: pa.Array, value: str) -> int:
    return bisect_left(range(len(column)), value, key=lambda i: column[i].as_py())


def _codes(vocabulary: tuple[str, ...], wanted: str | Collection[str] | None) -> set[int] | None:
    if wanted is None:
        return None
    words = {wanted} if isinstance(wanted, str) else set(wanted)
    return {code for code, word in enumerate(vocabulary) if word in words}


def _equals(column: pa.ChunkedArray, value: int) -> np.ndarray[Any, Any]:
    return np.asarray(column.to_numpy() == value)
