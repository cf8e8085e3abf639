"""KGX TSV (``nodes.tsv`` and ``edges.tsv`` of the Knowledge Graph Exchange), ours and other people's."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from pathkg.errors import InputError
from pathkg.graph.schema import BIOLINK_CLASS
from pathkg.graph.tables import EDGES, SYNONYMS, XREFS, GraphTables, make_tables
from pathkg.sources.curies import normal_curie
from pathkg.sources.delimited import check_columns, existing, header_of, read_all_text
from pathkg.sources.tables import ReadReport, SourceBuilder, SourceRecord, SourceTables, file_record, table_of

_TYPE_OF_CLASS = MappingProxyType({
    **{biolink: type_ for type_, biolink in reversed(list(BIOLINK_CLASS.items()))},
    "biolink:Protein": "gene/protein", "biolink:SmallMolecule": "drug", "biolink:ChemicalEntity": "drug",
    "biolink:MolecularFunction": "molecular_function", "biolink:GrossAnatomicalStructure": "anatomy"})
_ESCAPES = (("\\\\", "\x00"), ("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r"), ("\x00", "\\"))


def is_kgx(folder: Path) -> bool:
    """Whether a folder's ``nodes.tsv`` or ``edges.tsv`` is KGX rather than this package's own plain form."""
    for name, column in (("nodes.tsv", "category"), ("edges.tsv", "predicate")):
        if (folder / name).is_file() and column in header_of(folder / name)[0]:
            return True
    return False


def _unescape(text: str) -> str:
    if "\\" in text:
        for old, new in _ESCAPES:
            text = text.replace(old, new)
    return text


def read_kgx_tables(folder: str | os.PathLike[str]) -> GraphTables:
    """The exact tables of a KGX export of this package: the same content hash as the store it came from.

    Raises:
        InputError: files or columns missing, or a file that another program wrote.
    """
    place = Path(folder)
    header, rows = _node_rows(place / "nodes.tsv")
    check_columns(place / "nodes.tsv", header, ("id", "name", "type", "forms", "xrefs", "provided_by"))
    nodes: list[dict[str, str]] = []
    forms: list[list[Any]] = []
    xrefs: list[list[Any]] = []
    for at, (_, row) in enumerate(rows):
        nodes.append({"id": row["id"], "name": row["name"], "type": row["type"], "definition": row["description"],
                      "sources": row["provided_by"]})
        forms += [[at, *form] for form in json.loads(row["forms"])]
        xrefs += [[at, *xref] for xref in json.loads(row["xrefs"])]
    if any(a["id"] >= b["id"] for a, b in pairwise(nodes)):
        raise InputError(f"{place / 'nodes.tsv'} is not sorted by id", hint="read it as a source: --tsv")
    node_table = make_tables(nodes=nodes, edges=()).nodes
    ids = node_table["id"].combine_chunks()
    return GraphTables(node_table, _exact_edges(place / "edges.tsv", ids), table_of(forms, SYNONYMS),
                       table_of(xrefs, XREFS))


def _exact_edges(path: Path, ids: pa.Array) -> pa.Table:
    header, _ = header_of(existing(path))
    check_columns(path, header, ("subject", "object", "relation", "primary_knowledge_source", "negated",
                                 "undirected", "display_relation", "evidence"))
    try:
        table = pa_csv.read_csv(
            path, parse_options=pa_csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=pa_csv.ConvertOptions(column_types={c: pa.string() for c in header}))
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name} cannot be read as a table: {error}") from error

    def words(column: str) -> pa.ChunkedArray:
        values = table[column]
        for old, new in _ESCAPES:
            values = pc.replace_substring(values, old, new)
        return values

    ends = {c: pc.index_in(table[c], value_set=ids) for c in ("subject", "object")}
    if any(e.null_count for e in ends.values()):
        raise InputError(f"{path.name} names nodes that nodes.tsv lacks", hint="are the two files a pair?")
    return pa.table({
        **ends, "relation": words("relation").dictionary_encode(),
        "display_relation": words("display_relation").dictionary_encode(),
        "source": words("primary_knowledge_source").dictionary_encode(), "evidence": words("evidence"),
        "negated": pc.equal(table["negated"], "true"), "undirected": pc.equal(table["undirected"], "true")}).cast(EDGES)


def read_kgx(folder: str | os.PathLike[str], *, name: str = "") -> SourceTables:
    """KGX files as a source for a merge; Biolink categories become node types.

    Raises:
        InputError: files or columns missing.
    """
    place = Path(folder)
    label = name or place.resolve().name
    report = ReadReport()
    builder = SourceBuilder(label, report)
    files = [f for f in (place / "nodes.tsv", place / "edges.tsv") if f.is_file()]
    for file in files:
        builder.file = file.name
        header, rows = _node_rows(file)
        if file.name == "nodes.tsv":
            check_columns(file, header, ("id", "category", "name"))
        else:
            check_columns(file, header, ("subject", "predicate", "object"))
        for line, row in rows:
            if len(row) != len(header):
                report.drop("row with another number of fields than the header", file=file.name, line=line)
            elif file.name == "nodes.tsv":
                _node(row, builder, report, line)
            else:
                _edge(row, builder)
    return builder.finish(SourceRecord(label, files=tuple(file_record(f) for f in files)))


def _node_rows(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    lines = read_all_text(existing(path)).split("\n")
    header = lines[0].rstrip("\r").split("\t")
    return header, [(n, dict(zip(header, map(_unescape, line.rstrip("\r").split("\t")), strict=False)))
                    for n, line in enumerate(lines[1:], 2) if line]


def _node(row: dict[str, str], builder: SourceBuilder, report: ReadReport, line: int) -> None:
    curie = normal_curie(row["id"])
    type_ = row.get("type") or next((t for t in (_TYPE_OF_CLASS.get(c) for c in row["category"].split("|")) if t), "")
    if not type_ or not row["name"]:
        report.drop("node without a name or of a category without a node type", file=builder.file, line=line,
                    text=f"{curie} {row['category']}")
        return
    builder.node(curie, row["name"], type_, row.get("description", ""), line=line)
    given: list[Any] = json.loads(row["forms"]) if row.get("forms") else [
        (f, "exact", "", "") for f in row.get("synonym", "").split("|")]
    for form, kind, context, _ in given:
        if kind != "name":
            builder.form(curie, form, kind, context)
    for xref in row.get("xref", "").split("|"):
        builder.xref(curie, normal_curie(xref))


def _edge(row: dict[str, str], builder: SourceBuilder) -> None:
    relation = row.get("relation") or row["predicate"].removeprefix("biolink:")
    builder.edge(normal_curie(row["subject"]), relation, normal_curie(row["object"]),
                 display=row.get("display_relation", ""), evidence=row.get("evidence", ""),
                 source=row.get("primary_knowledge_source", ""), negated=row.get("negated", "") == "true",
                 undirected=row.get("undirected", "") == "true")
