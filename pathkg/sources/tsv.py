"""Your own nodes and edges: two plain tables in one folder.

``nodes.tsv``: ``id``, ``name``, ``type``; optional ``definition``, ``synonyms``, ``xrefs`` (the last two separated
by ``|``). ``edges.tsv``: ``subject``, ``relation``, ``object``; optional ``source``, ``evidence``, ``negated``,
``undirected`` (``true``/``false``). UTF-8, one header line, tabs between fields, no quoting. Columns may stand in
any order; other columns are ignored and named in the report. A node may be one that another source defines: then
leave it out of ``nodes.tsv``. KGX files of the same names are recognised by their columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pathkg.errors import InputError, did_you_mean
from pathkg.graph.schema import NODE_TYPES
from pathkg.sources.curies import normal_curie
from pathkg.sources.delimited import check_columns, existing, read_all_text
from pathkg.sources.kgx import is_kgx, read_kgx
from pathkg.sources.tables import ReadReport, SourceBuilder, SourceRecord, SourceTables, file_record

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"", "false", "0", "no"})


def read_tsv(path: str | os.PathLike[str], *, name: str = "") -> SourceTables:
    """Read a folder with ``nodes.tsv`` and/or ``edges.tsv`` (or one such file).

    Args:
        path: the folder, or one of the files (the other is looked for beside it).
        name: source name; the folder's name when empty.

    Raises:
        InputError: neither file is there, a column is missing, or a file is not UTF-8.
    """
    folder = Path(path)
    if folder.is_file():
        folder = folder.parent
    files = [f for f in (folder / "nodes.tsv", folder / "edges.tsv") if f.is_file()]
    if not files:
        raise InputError(f"{folder} has neither nodes.tsv nor edges.tsv", hint="docs/file-formats.md shows both")
    if is_kgx(folder):
        return read_kgx(folder, name=name)
    label = name or folder.resolve().name
    report = ReadReport()
    builder = SourceBuilder(label, report)
    for file in files:
        builder.file = file.name
        (_nodes if file.name == "nodes.tsv" else _edges)(file, builder, report)
    return builder.finish(SourceRecord(label, files=tuple(file_record(f) for f in files)))


def _rows(file: Path, required: tuple[str, ...], known: tuple[str, ...], report: ReadReport
          ) -> Iterator[tuple[int, dict[str, str]]]:
    lines = read_all_text(existing(file)).splitlines()
    header = lines[0].split("\t")
    check_columns(file, header, required)
    for column in header:
        if column not in known:
            report.count(f"column {column!r} of {file.name} ignored")
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != len(header):
            report.drop("row with another number of fields than the header", file=file.name, line=number, text=line)
        elif "\x00" in line:
            report.drop("a NUL byte", file=file.name, line=number)
        else:
            report.count("rows")
            yield number, {k: v.strip() for k, v in zip(header, fields, strict=True)}


def _nodes(file: Path, builder: SourceBuilder, report: ReadReport) -> None:
    known = ("id", "name", "type", "definition", "synonyms", "xrefs")
    for line, row in _rows(file, ("id", "name", "type"), known, report):
        curie = normal_curie(row["id"])
        if ":" not in curie or not row["name"]:
            report.drop("node without a CURIE (PREFIX:local) or without a name", file=file.name, line=line,
                        text=row["id"])
            continue
        if row["type"] not in NODE_TYPES:
            hint = did_you_mean(row["type"], NODE_TYPES)
            report.drop("a node type that does not exist", file=file.name, line=line, text=f"{row['type']!r} {hint}")
            continue
        builder.node(curie, row["name"], row["type"], row.get("definition", ""), line=line)
        for form in row.get("synonyms", "").split("|"):
            builder.form(curie, form.strip())
        for xref in row.get("xrefs", "").split("|"):
            builder.xref(curie, normal_curie(xref))


def _edges(file: Path, builder: SourceBuilder, report: ReadReport) -> None:
    known = ("subject", "relation", "object", "source", "evidence", "negated", "undirected", "display_relation")
    for line, row in _rows(file, ("subject", "relation", "object"), known, report):
        subject, object_ = normal_curie(row["subject"]), normal_curie(row["object"])
        flags = [row.get(f, "").lower() for f in ("negated", "undirected")]
        if not row["relation"] or ":" not in subject or ":" not in object_:
            report.drop("edge without a relation or with an end that is no CURIE", file=file.name, line=line,
                        text=f"{row['subject']} {row['relation']} {row['object']}")
        elif any(f not in _TRUE | _FALSE for f in flags):
            report.drop("negated or undirected is neither true nor false", file=file.name, line=line,
                        text=" ".join(flags))
        else:
            builder.edge(subject, row["relation"], object_, display=row.get("display_relation", ""),
                         evidence=row.get("evidence", ""), source=row.get("source", ""),
                         negated=flags[0] in _TRUE, undirected=flags[1] in _TRUE)
