"""One set of graph tables from several sources and their alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pathkg.graph.tables import EDGES, NODES, SYNONYMS, XREFS, GraphTables
from pathkg.merge.align import Alignment
from pathkg.merge.concepts import Concepts
from pathkg.sources.tables import EXACT, NARROW, SourceTables

MEMBER_RELATION = "member_of_group"
"""Edge from a MONDO disease to the PrimeKG group that holds it."""
_KIND_ORDER = {"name": 0, "exact": 1, "abbreviation": 2, "related": 3, "narrow": 4, "broad": 5}
_EXAMPLES = 5
_DENSE_ABOVE = 1 << 40
_INT64 = 1 << 63
_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Combined:
    """The tables, and per source what became of its nodes and edges."""

    tables: GraphTables
    per_source: list[dict[str, Any]]
    examples: list[dict[str, Any]]


def combine(sources: Sequence[SourceTables], concepts: Concepts, alignment: Alignment) -> Combined:
    """Put the sources together: merged nodes, all edges, all forms, all cross-references."""
    leader = alignment.leader
    kept = sorted((g for g in range(len(leader)) if leader[g] == g and concepts.names[g]),
                  key=lambda g: concepts.ids[g])
    node_of = np.full(len(leader), -1, np.int32)
    node_of[kept] = np.arange(len(kept), dtype=np.int32)
    node_of = node_of[np.asarray(leader, np.int64)] if len(leader) else node_of
    members: dict[int, list[int]] = {}
    for gid, lead in enumerate(leader):
        if gid != lead:
            members.setdefault(lead, [lead]).append(gid)
    per_source: list[dict[str, Any]] = [{} for _ in sources]
    examples: list[dict[str, Any]] = []
    local = [node_of[np.asarray(rows, np.int64)] if rows else np.zeros(0, np.int32) for rows in concepts.rows]
    edges = _edges(sources, concepts, local, per_source, examples)
    edges = _group_edges(sources, concepts, node_of, edges)
    tables = GraphTables(
        _nodes(sources, concepts, kept, members), edges,
        _forms(sources, concepts, node_of, local, kept, leader), _xrefs(sources, concepts, node_of, local, leader),
        tuple(alignment.mappings))
    return Combined(tables, per_source, examples)


def _nodes(sources: Sequence[SourceTables], concepts: Concepts, kept: list[int],
           members: dict[int, list[int]]) -> pa.Table:
    labels = [s.record.name for s in sources]
    cache: dict[tuple[int, ...], str] = {}

    def label(gid: int) -> str:
        numbers = concepts.sources[gid] if gid not in members else tuple(sorted(
            {n for g in members[gid] for n in concepts.sources[g]}))
        if numbers not in cache:
            cache[numbers] = "|".join(dict.fromkeys(labels[n] for n in numbers))
        return cache[numbers]

    definitions = [concepts.definitions[g] or next(
        (concepts.definitions[m] for m in members.get(g, ()) if concepts.definitions[m]), "") for g in kept]
    return pa.Table.from_arrays([
        pa.array([concepts.ids[g] for g in kept], pa.string()),
        pa.array([concepts.names[g] for g in kept], pa.string()),
        _words([concepts.types[g] for g in kept]), pa.array(definitions, pa.string()),
        _words([label(g) for g in kept])], schema=NODES)


def _words(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def _edges(sources: Sequence[SourceTables], concepts: Concepts, local: list[_Array],
           per_source: list[dict[str, Any]], examples: list[dict[str, Any]]) -> pa.Table:
    parts = []
    for number, source in enumerate(sources):
        table = source.edges
        old_subject, old_object = table["subject"].to_numpy(), table["object"].to_numpy()
        rows = local[number]
        subject, obj = (rows[a] if len(a) else np.zeros(0, np.int32) for a in (old_subject, old_object))
        unknown = (subject < 0) | (obj < 0)
        collapsed = (subject == obj) & (old_subject != old_object) & ~unknown
        per_source[number].update({"edges read": table.num_rows, "edges to an unknown node": int(unknown.sum()),
                                   "edges inside one merged node": int(collapsed.sum())})
        if unknown.any():
            ids = source.nodes["id"]
            ends = np.where(subject < 0, old_subject, old_object)[unknown]
            common = Counter(ends.tolist()).most_common(_EXAMPLES)
            examples.append({"source": source.record.name, "what": "edges to an unknown node",
                             "examples": [f"{ids[i].as_py()} ({n} edges)" for i, n in common]})
        keep = ~(unknown | collapsed)
        columns = {"subject": pa.array(subject), "object": pa.array(obj)}
        columns.update({c: table[c] for c in EDGES.names[2:]})
        part = pa.table(columns).cast(EDGES)
        parts.append(part if keep.all() else part.filter(pa.array(keep)))
    table = pa.concat_tables(parts) if parts else EDGES.empty_table()
    origin = np.repeat(np.arange(len(parts)), [p.num_rows for p in parts])
    if len(sources) > 1 or len(set(local[0].tolist())) < len(local[0]):
        table, origin = _without_repeats(table, origin, per_source)
    for number, count in enumerate(np.bincount(origin, minlength=len(sources)).tolist()):
        per_source[number]["edges kept"] = count
    return table


def _without_repeats(table: pa.Table, origin: _Array, per_source: list[dict[str, Any]]
                     ) -> tuple[pa.Table, _Array]:
    """Drop edges that repeat another of the same source label in everything; the first stays."""
    table = table.unify_dictionaries()
    kind, size = np.zeros(table.num_rows, np.int64), 1
    for column in ("relation", "display_relation", "source", "evidence", "negated", "undirected"):
        values = table[column]
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode().unify_dictionaries()
        codes = _codes(values)
        width = int(codes.max(initial=0)) + 1
        if size * width > _DENSE_ABOVE:
            kind = _dense(kind)
            size = int(kind.max(initial=0)) + 1
        kind = kind * width + codes
        size *= width
    kind = _dense(kind)
    subject, obj = table["subject"].to_numpy().astype(np.int64), table["object"].to_numpy().astype(np.int64)
    undirected = table["undirected"].to_numpy() if table.num_rows else np.zeros(0, bool)
    low = np.where(undirected, np.minimum(subject, obj), subject)
    high = np.where(undirected, np.maximum(subject, obj), obj)
    n_nodes = int(max(subject.max(initial=0), obj.max(initial=0))) + 1
    n_kinds = int(kind.max(initial=0)) + 1
    pair = low * n_nodes + high
    code = _dense((pair if n_nodes * n_nodes * n_kinds < _INT64 else _dense(pair)) * n_kinds + kind)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(code), prepend=-1)) if len(code) else code
    keep = np.zeros(table.num_rows, bool)
    keep[first] = True
    for number, count in enumerate(np.bincount(origin[~keep], minlength=len(per_source)).tolist()):
        per_source[number]["edges that repeat another"] = count
    return (table, origin) if keep.all() else (table.filter(pa.array(keep)), origin[keep])


def _codes(column: pa.ChunkedArray) -> _Array:
    return np.concatenate([c.indices.to_numpy(zero_copy_only=False) for c in column.chunks]).astype(np.int64) if \
        column.num_chunks else np.zeros(0, np.int64)


def _dense(values: _Array) -> _Array:
    """Codes 0, 1, … in order of first appearance."""
    return np.asarray(pa.array(values).dictionary_encode().indices.to_numpy(), dtype=np.int64)


def _group_edges(sources: Sequence[SourceTables], concepts: Concepts, node_of: _Array, edges: pa.Table) -> pa.Table:
    """Edges from each MONDO disease that has a node to the PrimeKG groups it belongs to."""
    rows: dict[tuple[int, int], str] = {}
    for number, source in enumerate(sources):
        table = source.xrefs.filter(pc.equal(source.xrefs["predicate"].cast(pa.string()), NARROW))
        for node, xref in zip(table["node"].to_pylist(), table["xref"].to_pylist(), strict=True):
            gid = concepts.gid.get(xref)
            group = int(node_of[concepts.rows[number][node]])
            if gid is not None and node_of[gid] >= 0 and group >= 0 and node_of[gid] != group:
                rows.setdefault((int(node_of[gid]), group), source.record.name)
    if not rows:
        return edges
    n = len(rows)
    rows = dict(sorted(rows.items()))
    extra = pa.table({
        "subject": pa.array([s for s, _ in rows], pa.int32()), "object": pa.array([o for _, o in rows], pa.int32()),
        "relation": _words([MEMBER_RELATION] * n), "display_relation": _words(["member of group"] * n),
        "source": _words(list(rows.values())), "evidence": pa.array([""] * n, pa.string()),
        "negated": pa.array([False] * n), "undirected": pa.array([False] * n)}).cast(EDGES)
    return pa.concat_tables([edges, extra])


def _forms(sources: Sequence[SourceTables], concepts: Concepts, node_of: _Array, local: list[_Array],
           kept: list[int], leader: list[int]) -> pa.Table:
    labels = [s.record.name for s in sources]
    best: dict[tuple[int, str, str], tuple[int, str, str]] = {}

    def add(node: int, form: str, kind: str, context: str, source: str) -> None:
        # one form may stand for a node under several conditions (contexts); under each, the strongest kind counts
        known = best.get((node, form, context))
        if known is None or _KIND_ORDER.get(kind, 9) < known[0]:
            best[node, form, context] = (_KIND_ORDER.get(kind, 9), kind, source)

    for node, gid in enumerate(kept):
        numbers = concepts.sources[gid]
        best[node, concepts.names[gid], ""] = (0, "name", labels[numbers[0]] if numbers else "")
    for gid, lead in enumerate(leader):
        if gid != lead and concepts.names[gid]:
            add(int(node_of[gid]), concepts.names[gid], "exact", "", labels[concepts.sources[gid][0]])
    for gid, name, number in concepts.other_names:
        add(int(node_of[gid]), name, "exact", "", labels[number])
    for number, source in enumerate(sources):
        table = source.forms
        for node, form, kind, context in zip(
                local[number][table["node"].to_numpy()].tolist() if table.num_rows else [],
                *(table[c].to_pylist() for c in ("form", "kind", "context")), strict=True):
            if node >= 0:
                add(node, form, kind, context, labels[number])
    rows = sorted((*key, kind, source) for key, (_, kind, source) in best.items())
    return pa.Table.from_arrays([
        pa.array([r[0] for r in rows], pa.int32()), pa.array([r[1] for r in rows], pa.string()),
        _words([r[3] for r in rows]), pa.array([r[2] for r in rows], pa.string()), _words([r[4] for r in rows]),
    ], schema=SYNONYMS)


def _xrefs(sources: Sequence[SourceTables], concepts: Concepts, node_of: _Array, local: list[_Array],
           leader: list[int]) -> pa.Table:
    labels = [s.record.name for s in sources]
    rows: dict[tuple[int, str], tuple[str, str]] = {}
    for gid, lead in enumerate(leader):
        if gid != lead:
            giver = labels[concepts.sources[gid][0]] if concepts.sources[gid] else ""
            rows[int(node_of[gid]), concepts.ids[gid]] = (EXACT, giver)
    for number, source in enumerate(sources):
        table = source.xrefs
        for node, xref, predicate in zip(
                local[number][table["node"].to_numpy()].tolist() if table.num_rows else [],
                table["xref"].to_pylist(), table["predicate"].to_pylist(), strict=True):
            if node >= 0:
                rows.setdefault((node, xref), (predicate, labels[number]))
        table = source.mappings
        for a, predicate, b in zip(*(table[c].to_pylist() for c in ("subject_id", "predicate_id", "object_id")),
                                   strict=True):
            gid_a = concepts.gid.get(a)
            if gid_a is not None and node_of[gid_a] >= 0:
                rows.setdefault((int(node_of[gid_a]), b), (predicate, labels[number]))
    ordered = sorted((node, xref, predicate, giver) for (node, xref), (predicate, giver) in rows.items())
    return pa.Table.from_arrays([
        pa.array([r[0] for r in ordered], pa.int32()), pa.array([r[1] for r in ordered], pa.string()),
        _words([r[2] for r in ordered]), _words([r[3] for r in ordered])], schema=XREFS)
