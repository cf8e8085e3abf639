"""Look-ups in the mapped index files of a store: ids, names, cross-references, details of edges."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from pathkg.errors import StoreError, UnknownEntityError, did_you_mean

_NAMES_BEFORE_LIST = 1000
_LOOKUPS_BEFORE_TABLE = 8
"""The first look-ups search the map; a caller that goes on gets a dictionary (25 ms for 130,000 nodes)."""


class Lookup:
    """Names and ids of one store, read from ``index/*.arrow`` by memory map.

    Args:
        folder: the store's ``index`` folder.
        n_nodes: number of nodes.
    """

    def __init__(self, folder: Path, n_nodes: int) -> None:
        self._folder = folder
        self._n_nodes = n_nodes
        self._asked = 0
        self._named = 0

    def _map(self, name: str) -> tuple[pa.Array, ...]:
        path = self._folder / name
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise StoreError(f"{path} is broken: {error}", hint="build the store again") from error
        return flat(table)

    @cached_property
    def nodes(self) -> tuple[pa.Array, ...]:
        """Columns ``id, name, definition``."""
        return self._map("nodes.arrow")

    @cached_property
    def forms(self) -> tuple[pa.Array, ...]:
        """Columns ``key, node, rank``, sorted by key."""
        return self._map("names.arrow")

    @cached_property
    def xrefs(self) -> tuple[pa.Array, ...]:
        """Columns ``xref, node``, sorted by cross-reference."""
        return self._map("xrefs.arrow")

    @cached_property
    def edges(self) -> tuple[pa.Array, ...]:
        """Columns ``display_relation, evidence, undirected``, by edge id."""
        return self._map("edges.arrow")

    @cached_property
    def curies(self) -> list[str]:
        """All ids, by node index."""
        return list(self.nodes[0].to_pylist())

    @cached_property
    def _index(self) -> dict[str, int]:
        return {curie: i for i, curie in enumerate(self.curies)}

    def index(self, curie: str) -> int | None:
        """The node index of an id."""
        self._asked += 1
        if self._asked > _LOOKUPS_BEFORE_TABLE:
            return self._index.get(curie)
        ids = self.nodes[0]
        at = bisect(ids, curie)
        return at if at < self._n_nodes and ids[at].as_py() == curie else None

    def name(self, index: int) -> str:
        """The name of a node index."""
        self._named += 1
        if self._named > _NAMES_BEFORE_LIST:
            return self._names[index]
        return str(self.nodes[1][index].as_py())

    @cached_property
    def _names(self) -> list[str]:
        return list(map(str, self.nodes[1].to_pylist()))

    def by_xref(self, xref: str) -> int | None:
        """The first node that has a cross-reference."""
        keys, nodes = self.xrefs
        at = bisect(keys, xref)
        return int(nodes[at].as_py()) if at < len(keys) and keys[at].as_py() == xref else None

    def by_form(self, text: str) -> int | None:
        """The node whose name is ``text`` ignoring case, else one that has it as a synonym."""
        keys, nodes, _ = self.forms
        key = text.lower()
        at = bisect(keys, key)
        return int(nodes[at].as_py()) if at < len(keys) and keys[at].as_py() == key else None

    def with_prefix(self, prefix: str, limit: int) -> list[int]:
        """Nodes with a name or synonym that begins with ``prefix`` (ignoring case), in order of the form."""
        keys, nodes, _ = self.forms
        key = prefix.lower()
        found: dict[int, None] = {}
        for at in range(bisect(keys, key), len(keys)):
            if len(found) >= limit or not keys[at].as_py().startswith(key):
                break
            found.setdefault(nodes[at].as_py())
        return list(found)

    def unknown(self, given: str) -> UnknownEntityError:
        """The error for an id or name that is not there, naming what is near."""
        ids = self.nodes[0]
        at = bisect(ids, given)
        near = {ids[i].as_py(): i for i in range(max(0, at - 20), min(self._n_nodes, at + 20))}
        hint = did_you_mean(given, near)
        if not hint:
            named = self._named_like(given)
            best = did_you_mean(given.lower(), [n.lower() for n in named])
            some = ", ".join(f"{n} ({ids[i].as_py()})" for n, i in list(named.items())[:3])
            hint = best or (f"some near ones: {some}" if named else "look names up with: pathkg node --search WORD")
        return UnknownEntityError(f"the graph holds no node {given!r}", hint=hint)

    def _named_like(self, given: str) -> dict[str, int]:
        """Names that share a beginning with ``given``, the longest beginning first, and its neighbours in order."""
        found: dict[str, int] = {}
        for length in (len(given), max(4, len(given) - 3), 6, 4):
            for index in self.with_prefix(given[:length], 60):
                found.setdefault(self.name(index), index)
        return found


def flat(table: pa.Table) -> tuple[pa.Array, ...]:
    """Each column as one array (an index file holds one chunk, or none when it is empty)."""
    return tuple(c.chunk(0) if c.num_chunks else pa.array([], c.type) for c in table.columns)


def bisect(column: pa.Array, value: str) -> int:
    """The first position of a sorted column whose value is not below ``value``."""
    return bisect_left(range(len(column)), value, key=_getter(column))


def _getter(column: pa.Array) -> Any:
    return lambda i: column[i].as_py()
