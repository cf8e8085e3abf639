"""Mapping files: SSSOM, TxGNN's MONDO references, and NCI references of the Disease Ontology."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from pathkg.errors import InputError
from pathkg.sources.curies import from_uri, normal_curie
from pathkg.sources.delimited import check_columns, existing, read_all_text
from pathkg.sources.tables import (
    DBXREF,
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
)

_REQUIRED = ("subject_id", "predicate_id", "object_id")


def read_mappings(path: str | os.PathLike[str], *, name: str = "") -> SourceTables:
    """Read a mapping file. It defines no nodes: its rows tell the merge which ids of other sources belong together.

    Args:
        path: SSSOM (comment header with ``license`` and ``mapping_set_version``), a table ``ontology_id, ontology,
            mondo_id``, or a table ``id, label, xrefs``; plain or compressed.
        name: source name; the file's name when empty.

    Raises:
        InputError: missing file or columns.
    """
    file = existing(path)
    report = ReadReport()
    builder = SourceBuilder(file.name, report)
    lines = read_all_text(file).splitlines()
    comments = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    skipped = sum(1 for line in lines if line.startswith("#"))
    body = lines[skipped:]
    if not body:
        raise InputError(f"{file.name} has no header line", hint="is it a mapping file?")
    delimiter = "\t" if "\t" in body[0] else ","
    header = next(csv.reader([body[0]], delimiter=delimiter))
    rows = enumerate(csv.reader(body[1:], delimiter=delimiter), skipped + 2)
    for number, fields in rows:
        if len(fields) != len(header):
            report.drop("row with another number of fields than the header", file=file.name, line=number,
                        text=delimiter.join(fields))
            continue
        report.count("rows")
        _row(dict(zip(header, fields, strict=True)), file, builder, report, number)
    meta = dict(c.split(":", 1) for c in comments if ":" in c and not c.startswith(" "))
    label = name or file.name.removesuffix(".gz").removesuffix(".tsv").removesuffix(".sssom")
    return builder.finish(SourceRecord(label, meta.get("mapping_set_version", "").strip(),
                                       meta.get("license", "").strip(), meta.get("mapping_set_id", "").strip(),
                                       files=(file_record(file),)))


def _row(row: dict[str, str], file: Path, builder: SourceBuilder, report: ReadReport, number: int) -> None:
    if "mondo_id" in row:
        builder.mapping(f"MONDO:{row['mondo_id'].zfill(7)}", DBXREF,
                        normal_curie(f"{row['ontology']}:{row['ontology_id']}"))
        return
    if "xrefs" in row and "id" in row:
        for xref in row["xrefs"].split(","):
            builder.mapping(normal_curie(row["id"]), DBXREF, normal_curie(xref), subject_label=row.get("label", ""))
        return
    check_columns(file, list(row), _REQUIRED)
    subject, object_ = (from_uri(row[k]) or normal_curie(row[k]) for k in ("subject_id", "object_id"))
    if ":" not in subject or ":" not in object_:
        report.drop("mapping whose ends are not CURIEs", file=file.name, line=number, text=f"{subject} {object_}")
        return
    if row.get("predicate_modifier") == "Not":
        report.count("mappings stated not to hold, left out")
        return
    builder.mapping(subject, row["predicate_id"], object_, subject_label=row.get("subject_label", ""),
                    object_label=row.get("object_label", ""),
                    justification=row.get("mapping_justification") or "semapv:ManualMappingCuration")
