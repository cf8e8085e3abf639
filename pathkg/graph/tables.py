"""The tables a graph is made of: Arrow columns, checked, ordered, with a content hash."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pathkg.errors import InputError

_WORD = pa.dictionary(pa.int32(), pa.string())

NODES = pa.schema([("id", pa.string()), ("name", pa.string()), ("type", _WORD), ("definition", pa.string()),
                   ("sources", _WORD)])
EDGES = pa.schema([("subject", pa.int32()), ("object", pa.int32()), ("relation", _WORD),
                   ("display_relation", _WORD), ("source", _WORD), ("evidence", pa.string()),
                   ("negated", pa.bool_()), ("undirected", pa.bool_())])
SYNONYMS = pa.schema([("node", pa.int32()), ("form", pa.string()), ("kind", _WORD), ("context", pa.string()),
                      ("source", _WORD)])
XREFS = pa.schema([("node", pa.int32()), ("xref", pa.string()), ("predicate", _WORD), ("source", _WORD)])

FORM_KINDS = ("name", "exact", "related", "broad", "narrow", "abbreviation")


@dataclass(frozen=True, slots=True)
class GraphTables:
    """All content of a graph.

    Attributes:
        nodes: one row per node, sorted by id (code-point order); row number = node index.
        edges: one row per edge; ``subject`` and ``object`` are node indices; row number = edge id.
        synonyms: one row per (node, surface form); a node's own name is the row of kind ``name``.
        xrefs: one row per (node, other CURIE).
        mappings: SSSOM rows (dicts), one per merge decision.
    """

    nodes: pa.Table
    edges: pa.Table
    synonyms: pa.Table
    xrefs: pa.Table
    mappings: tuple[Mapping[str, str], ...] = field(default=())

    def content_hash(self) -> str:
        """``sha256:…`` over the logical content, independent of file encoding and chunking."""
        digest = hashlib.sha256()
        for table in (self.nodes, self.edges, self.synonyms, self.xrefs):
            digest.update(f"table {table.num_rows};".encode())
            for name in table.column_names:
                digest.update(f"column {name};".encode())
                _feed(digest, table[name])
        return f"sha256:{digest.hexdigest()}"

    def restricted_to(self, kept: np.ndarray[Any, Any]) -> GraphTables:
        """The nodes where the mask ``kept`` is true, and everything between or about them.

        Args:
            kept: bool (n_nodes).
        """
        number = np.cumsum(kept, dtype=np.int64) - 1
        return GraphTables(
            self.nodes.filter(pa.array(kept)), _renumbered(self.edges, kept, number, "subject", "object"),
            _renumbered(self.synonyms, kept, number, "node"), _renumbered(self.xrefs, kept, number, "node"))


def _renumbered(table: pa.Table, kept: np.ndarray[Any, Any], number: np.ndarray[Any, Any], *columns: str) -> pa.Table:
    """The rows whose node columns are all kept, with their new numbers."""
    rows = np.ones(table.num_rows, bool)
    for column in columns:
        rows &= kept[table[column].to_numpy()]
    part = table.filter(pa.array(rows))
    for column in columns:
        place = part.column_names.index(column)
        part = part.set_column(place, column, pa.array(number[part[column].to_numpy()], pa.int32()))
    return part


def encode_words(column: pa.ChunkedArray) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Codes of a column of words and the words in use, each once; a null counts as an empty word."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    encoded = encoded.unify_dictionaries()
    if not encoded.num_chunks:
        return np.zeros(0, np.int64), []
    vocabulary = [word or "" for word in encoded.chunk(0).dictionary.to_pylist()]
    if encoded.null_count:
        vocabulary.append("")
    codes = np.concatenate([pc.fill_null(c.indices, len(vocabulary) - 1).to_numpy(zero_copy_only=False)
                            for c in encoded.chunks])
    used = np.flatnonzero(np.bincount(codes, minlength=len(vocabulary)))
    # two dictionary entries may spell one word: the first stands for both
    first: dict[str, int] = {}
    place = np.zeros(len(vocabulary), np.int64)
    for code in used.tolist():
        place[code] = first.setdefault(vocabulary[code], len(first))
    return place[codes], list(first)


def _feed(digest: Any, column: pa.ChunkedArray) -> None:
    """Feed a column's values to ``digest`` so that equal values give equal bytes."""
    if pa.types.is_dictionary(column.type):
        # codes depend on chunking and on unused words, so hash ranks among the words in use
        codes, used = encode_words(column)
        words = sorted(used)
        rank = {word: i for i, word in enumerate(words)}
        digest.update("\x1f".join(words).encode())
        if used:
            digest.update(np.array([rank[w] for w in used], np.int32)[codes].tobytes())
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        filled = pc.fill_null(column, "")
        for chunk in filled.chunks:
            digest.update(pc.binary_length(chunk).to_numpy(zero_copy_only=False).astype(np.int32).tobytes())
        for chunk in filled.chunks:
            digest.update(_bytes_of(chunk))
    else:
        for chunk in column.chunks:
            digest.update(np.ascontiguousarray(chunk.to_numpy(zero_copy_only=False)).tobytes())


def _bytes_of(chunk: pa.Array) -> bytes:
    """The characters of a string array, back to back."""
    _, offsets, data = chunk.buffers()
    if data is None or not len(chunk):
        return b""
    width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    ends = np.frombuffer(offsets, width)[chunk.offset:chunk.offset + len(chunk) + 1]
    return bytes(memoryview(data)[int(ends[0]):int(ends[-1])])


def make_tables(*, nodes: Iterable[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]],
                synonyms: Iterable[Mapping[str, Any]] = (), xrefs: Iterable[Mapping[str, Any]] = ()
                ) -> GraphTables:
    """Tables from plain rows keyed by CURIE. For small graphs; large sources build Arrow columns directly.

    Args:
        nodes: rows with ``id``, ``name``, ``type``; optional ``definition``, ``sources``.
        edges: rows with ``subject``, ``relation``, ``object`` (CURIEs), ``source``; optional
            ``display_relation``, ``evidence``, ``negated``, ``undirected``.
        synonyms: rows with ``id``, ``form``; optional ``kind``, ``context``, ``source``. Names are added.
        xrefs: rows with ``id``, ``xref``; optional ``predicate``, ``source``.

    Raises:
        InputError: a duplicate node id, or an edge, synonym or xref of an unknown node.

    Example:
        >>> tables = make_tables(nodes=[{"id": "A:1", "name": "a", "type": "disease"},
        ...                             {"id": "A:2", "name": "b", "type": "morphology"}],
        ...     edges=[{"subject": "A:2", "relation": "supports", "object": "A:1", "source": "me"}])
        >>> tables.edges.num_rows, tables.synonyms.num_rows
        (1, 2)
    """
    node_rows = sorted(nodes, key=lambda row: str(row["id"]))
    index = {str(row["id"]): i for i, row in enumerate(node_rows)}
    if len(index) != len(node_rows):
        double = next(str(a["id"]) for a, b in itertools.pairwise(node_rows) if a["id"] == b["id"])
        raise InputError(f"two nodes have the id {double}", hint="give each concept one row")

    def at(row: Mapping[str, Any], key: str, kind: str) -> int:
        try:
            return index[str(row[key])]
        except KeyError as error:
            raise InputError(f"a row of {kind} names the unknown node {row[key]}: {dict(row)}",
                             hint="add the node, or drop the row") from error

    node_table = pa.table({
        "id": [str(r["id"]) for r in node_rows], "name": [str(r["name"]) for r in node_rows],
        "type": pa.array([str(r["type"]) for r in node_rows]).dictionary_encode(),
        "definition": [str(r.get("definition", "")) for r in node_rows],
        "sources": pa.array([str(r.get("sources", "")) for r in node_rows]).dictionary_encode(),
    }).cast(NODES)
    ordered = sorted(((at(r, "subject", "edges"), str(r["relation"]), at(r, "object", "edges"),
                       str(r.get("source", "")), r) for r in edges), key=lambda item: item[:4])
    edge_table = pa.table({
        "subject": pa.array([e[0] for e in ordered], pa.int32()),
        "object": pa.array([e[2] for e in ordered], pa.int32()),
        "relation": pa.array([e[1] for e in ordered], pa.string()).dictionary_encode(),
        "display_relation": pa.array([str(e[4].get("display_relation", "")) or e[1] for e in ordered],
                                     pa.string()).dictionary_encode(),
        "source": pa.array([e[3] for e in ordered], pa.string()).dictionary_encode(),
        "evidence": pa.array([str(e[4].get("evidence", "")) for e in ordered], pa.string()),
        "negated": pa.array([bool(e[4].get("negated", False)) for e in ordered], pa.bool_()),
        "undirected": pa.array([bool(e[4].get("undirected", False)) for e in ordered], pa.bool_()),
    }).cast(EDGES)
    synonyms = list(synonyms)
    # a synonym row that repeats a name carries the context of that name ("pT2a" is meant only for its organ)
    rules = {(at(r, "id", "synonyms"), str(r["form"])): str(r.get("context", "")) for r in synonyms}
    forms = {(i, str(r["name"]), "name", rules.get((i, str(r["name"])), ""), str(r.get("sources", "")))
             for i, r in enumerate(node_rows)}
    named = {(i, form) for i, form, *_ in forms}
    for r in synonyms:
        node = at(r, "id", "synonyms")
        if (node, str(r["form"])) not in named:
            forms.add((node, str(r["form"]), str(r.get("kind", "exact")), str(r.get("context", "")),
                       str(r.get("source", ""))))
    synonym_table = _columns(sorted(forms), SYNONYMS)
    xref_rows = sorted({(at(r, "id", "xrefs"), str(r["xref"]), str(r.get("predicate", "skos:closeMatch")),
                         str(r.get("source", ""))) for r in xrefs})
    return GraphTables(node_table, edge_table, synonym_table, _columns(xref_rows, XREFS))


def _columns(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = []
    for values, column in zip(columns, schema, strict=True):
        plain = pa.string() if pa.types.is_dictionary(column.type) else column.type
        array = pa.array(list(values), plain)
        arrays.append(array.dictionary_encode().cast(column.type) if plain != column.type else array)
    return pa.Table.from_arrays(arrays, schema=schema)
