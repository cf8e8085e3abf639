"""What a reader gives: tables, where they came from, and a report of what was read and what was not."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

WORD = pa.dictionary(pa.int32(), pa.string())

SOURCE_NODES = pa.schema([("id", pa.string()), ("name", pa.string()), ("type", WORD), ("definition", pa.string())])
SOURCE_EDGES = pa.schema([("subject", pa.int32()), ("object", pa.int32()), ("relation", WORD),
                          ("display_relation", WORD), ("source", WORD), ("evidence", pa.string()),
                          ("negated", pa.bool_()), ("undirected", pa.bool_())])
SOURCE_FORMS = pa.schema([("node", pa.int32()), ("form", pa.string()), ("kind", WORD), ("context", pa.string())])
SOURCE_XREFS = pa.schema([("node", pa.int32()), ("xref", pa.string()), ("predicate", WORD)])
SOURCE_MAPPINGS = pa.schema([("subject_id", pa.string()), ("subject_label", pa.string()),
                             ("predicate_id", pa.string()), ("object_id", pa.string()),
                             ("object_label", pa.string()), ("mapping_justification", pa.string())])

EXACT = "skos:exactMatch"
CLOSE = "skos:closeMatch"
NARROW = "skos:narrowMatch"
BROAD = "skos:broadMatch"
RELATED = "skos:relatedMatch"
DBXREF = "oboInOwl:hasDbXref"
ALTERNATIVE_ID = "oboInOwl:hasAlternativeId"

MAX_PROBLEMS_KEPT = 200
"""Problems kept with file, line and text; the rest is counted by reason."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One row, element or line that could not be used as it stands."""

    file: str
    line: int | None
    reason: str
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "reason": self.reason, "text": self.text}

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.reason}" + (f": {self.text}" if self.text else "")


@dataclass(slots=True)
class ReadReport:
    """Counts and problems of one reading. Grows while the reader works.

    Attributes:
        counts: what was read, by plain words (``rows``, ``nodes``, ``edges``, ``exact duplicate rows``, …).
        dropped: rows that are not in the tables, by reason.
        repaired: rows that are, after a repair, by reason.
        problems: the first of both, with file and line.
    """

    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    problems: list[RowProblem] = field(default_factory=list)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a count of what was read."""
        self.counts[what] += by

    def drop(self, reason: str, *, file: str = "", line: int | None = None, text: str = "", by: int = 1) -> None:
        """Record that something was left out."""
        self.dropped[reason] += by
        self._keep(file, line, reason, text)

    def repair(self, reason: str, *, file: str = "", line: int | None = None, text: str = "", by: int = 1) -> None:
        """Record that something was read after a repair."""
        self.repaired[reason] += by
        self._keep(file, line, f"{reason} (repaired)", text)

    def _keep(self, file: str, line: int | None, reason: str, text: str) -> None:
        if (file or text) and len(self.problems) < MAX_PROBLEMS_KEPT:
            self.problems.append(RowProblem(file, line, reason, text[:200]))

    def to_dict(self) -> dict[str, Any]:
        return {"counts": dict(sorted(self.counts.items())), "dropped": dict(sorted(self.dropped.items())),
                "repaired": dict(sorted(self.repaired.items())), "problems": [p.to_dict() for p in self.problems]}


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Where tables came from. Goes into a store's manifest and its model and dataset cards."""

    name: str
    version: str = ""
    licence: str = ""
    url: str = ""
    note: str = ""
    files: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "licence": self.licence, "url": self.url,
                "note": self.note, "files": [dict(f) for f in self.files]}


@dataclass(frozen=True, slots=True)
class SourceTables:
    """The content of one source, before merging. Edges, forms and cross-references name nodes by row number.

    Attributes:
        record: name, version, licence and checksums.
        nodes: ``id`` (CURIE, unique), ``name``, ``type``, ``definition``. A node with an empty name is only
            referred to: another source must define it, else its edges are counted as edges to an unknown node.
        edges: ``subject, object`` (rows of ``nodes``), ``relation, display_relation, source, evidence, negated,
            undirected``.
        forms: synonyms: ``node, form, kind, context``; without the nodes' own names.
        xrefs: ``node, xref, predicate``.
        mappings: SSSOM rows that the source brings, for nodes of any source.
        report: what was read and what was not.
    """

    record: SourceRecord
    nodes: pa.Table
    edges: pa.Table
    forms: pa.Table
    xrefs: pa.Table
    mappings: pa.Table
    report: ReadReport

    def named(self, name: str) -> SourceTables:
        """The same tables under another source name."""
        return replace(self, record=replace(self.record, name=name))


def file_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Name, size and SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        while block := data.read(1 << 22):
            digest.update(block)
    return {"file": Path(path).name, "bytes": os.stat(path).st_size, "sha256": digest.hexdigest()}


def table_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """A table from rows, words dictionary-encoded as the schema asks."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays([column_of(values, item.type) for values, item in zip(columns, schema, strict=True)],
                                schema=schema)


def column_of(values: Iterable[Any], type_: pa.DataType) -> pa.Array:
    """One Arrow column; plain values for a dictionary type are encoded."""
    if pa.types.is_dictionary(type_):
        return pa.array(list(values), type_.value_type).dictionary_encode().cast(type_)
    return pa.array(list(values), type_)


class SourceBuilder:
    """Collects a small source row by row (ontologies, PathoML, TSV); large ones build columns directly.

    Args:
        file: name used in the report of problems.

    Example:
        >>> builder = SourceBuilder("mine.tsv")
        >>> builder.node("A:1", "a", "disease")
        0
        >>> builder.edge("A:1", "is_a", "A:2")
        >>> tables = builder.finish(SourceRecord("mine"))
        >>> tables.nodes.num_rows, tables.report.counts["nodes only referred to"]
        (2, 1)
    """

    def __init__(self, file: str = "", report: ReadReport | None = None) -> None:
        self.file = file
        self.report = report or ReadReport()
        self._index: dict[str, int] = {}
        self._nodes: list[list[str]] = []
        self._edges: dict[tuple[int, str, int, str, str, str, bool, bool], None] = {}
        self._forms: dict[tuple[int, str], tuple[str, str]] = {}
        self._xrefs: dict[tuple[int, str], str] = {}
        self._mappings: list[tuple[str, ...]] = []

    def __contains__(self, curie: str) -> bool:
        return curie in self._index

    def refer(self, curie: str) -> int:
        """The row of a node, made without a name if it is new."""
        row = self._index.get(curie)
        if row is None:
            row = self._index[curie] = len(self._nodes)
            self._nodes.append([curie, "", "", ""])
        return row

    def node(self, curie: str, name: str, type: str, definition: str = "", *, line: int | None = None) -> int:
        """Add a node. A second, different name of the same id becomes a synonym and is reported."""
        row = self.refer(curie)
        known = self._nodes[row]
        if not known[1]:
            known[1], known[2] = name, type
            known[3] = known[3] or definition
            return row
        if known[1] != name:
            self.report.repair("id with a second name, kept as a synonym", file=self.file, line=line,
                               text=f"{curie} {known[1]!r} / {name!r}")
            self.form(curie, name)
        else:
            self.report.count("duplicate node rows")
        if known[2] != type:
            self.report.repair("id with a second type, first kept", file=self.file, line=line,
                               text=f"{curie} {known[2]} / {type}")
        return row

    def define(self, curie: str, definition: str) -> None:
        """Set a node's definition if it has none."""
        known = self._nodes[self.refer(curie)]
        known[3] = known[3] or definition

    def name_of(self, curie: str) -> str:
        """The name given so far, or an empty string."""
        return self._nodes[self._index[curie]][1] if curie in self._index else ""

    def edge(self, subject: str, relation: str, object: str, *, display: str = "", evidence: str = "",
             source: str = "", negated: bool = False, undirected: bool = False) -> None:
        """Add an edge between CURIEs; an exact repetition is counted, not stored."""
        row = (self.refer(subject), relation, self.refer(object), display or relation, source, evidence, negated,
               undirected)
        if row in self._edges:
            self.report.count("exact duplicate rows")
        self._edges[row] = None

    def form(self, curie: str, form: str, kind: str = "exact", context: str = "") -> None:
        """Add a synonym."""
        if form:
            self._forms.setdefault((self.refer(curie), form), (kind, context))

    def xref(self, curie: str, xref: str, predicate: str = DBXREF) -> None:
        """Add a cross-reference; the first predicate stays."""
        if xref and xref != curie:
            self._xrefs.setdefault((self.refer(curie), xref), predicate)

    def mapping(self, subject: str, predicate: str, object: str, *, subject_label: str = "", object_label: str = "",
                justification: str = "semapv:ManualMappingCuration") -> None:
        """Add an SSSOM row about nodes of any source."""
        self._mappings.append((subject, subject_label, predicate, object, object_label, justification))

    def finish(self, record: SourceRecord) -> SourceTables:
        """The tables."""
        nodes = self._nodes
        edges = [(s, o, r, d, source or record.name, evidence, negated, undirected)
                 for s, r, o, d, source, evidence, negated, undirected in self._edges]
        forms = [(node, form, kind, context) for (node, form), (kind, context) in self._forms.items()
                 if form != nodes[node][1]]
        tables = SourceTables(
            record, table_of(nodes, SOURCE_NODES), table_of(edges, SOURCE_EDGES), table_of(forms, SOURCE_FORMS),
            table_of([(n, x, p) for (n, x), p in self._xrefs.items()], SOURCE_XREFS),
            table_of(self._mappings, SOURCE_MAPPINGS), self.report)
        named = sum(1 for node in nodes if node[1])
        self.report.counts.update({"nodes": named, "nodes only referred to": len(nodes) - named,
                                   "edges": len(edges), "synonyms": len(forms), "cross-references": len(self._xrefs),
                                   "mappings": len(self._mappings)})
        return tables
