"""OptimusKG: ``nodes.parquet (id, label, properties)`` and ``edges.parquet (from, to, label, relation, undirected,
properties)``. Properties are structs (or JSON strings) whose fields differ from release to release."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pathkg.errors import InputError
from pathkg.sources.curies import normal_curie
from pathkg.sources.delimited import check_columns, existing
from pathkg.sources.mirrors import empty_strings
from pathkg.sources.tables import (
    DBXREF,
    SOURCE_EDGES,
    SOURCE_FORMS,
    SOURCE_MAPPINGS,
    SOURCE_NODES,
    SOURCE_XREFS,
    WORD,
    ReadReport,
    SourceRecord,
    SourceTables,
    column_of,
    file_record,
    table_of,
)

TYPES: Mapping[str, str] = {
    "GEN": "gene/protein", "GENE": "gene/protein", "PRO": "gene/protein", "DRG": "drug", "DRUG": "drug",
    "DIS": "disease", "DISEASE": "disease", "PHE": "effect/phenotype", "PHENOTYPE": "effect/phenotype",
    "BPO": "biological_process", "BIOLOGICAL_PROCESS": "biological_process", "MFN": "molecular_function",
    "MOLECULAR_FUNCTION": "molecular_function", "CCO": "cellular_component",
    "CELLULAR_COMPONENT": "cellular_component", "EXP": "exposure", "EXPOSURE": "exposure", "PWY": "pathway",
    "PATHWAY": "pathway", "ANA": "anatomy", "ANATOMY": "anatomy"}
"""OptimusKG's node labels (short and long) -> node types."""

_NAME_FIELDS = ("name", "preferred_name", "label", "symbol", "approved_symbol", "title")
_DEFINITION_FIELDS = ("definition", "description")
_SYNONYM_FIELDS = ("synonyms", "exact_synonyms", "aliases")
_XREF_FIELDS = ("xrefs", "cross_references", "dbxrefs", "db_xrefs")
_NEGATED = ("ABSENT", "NEGATIVE", "NOT_")


def read_optimuskg(path: str | os.PathLike[str], *, version: str = "") -> SourceTables:
    """Read an OptimusKG release.

    Args:
        path: the folder with ``nodes.parquet`` and ``edges.parquet``.
        version: goes into the manifest.

    Raises:
        InputError: files or columns missing.
    """
    folder = Path(path)
    if folder.is_file():
        folder = folder.parent
    node_file, edge_file = existing(folder / "nodes.parquet"), existing(folder / "edges.parquet")
    report = ReadReport()
    nodes = _table(node_file, ("id", "label"))
    edges = _table(edge_file, ("from", "to", "relation"))
    ids = [normal_curie(_curie_like(i)) for i in nodes["id"].to_pylist()]
    names, forms, xrefs, definitions, types = _properties(nodes, ids, node_file.name, report)
    row_of: dict[str, int] = {}
    keep: list[int] = []
    for row, curie in enumerate(ids):
        if curie in row_of:
            report.drop("second row of one id", file=node_file.name, text=curie)
        else:
            row_of[curie] = len(keep)
            keep.append(row)
    table = pa.Table.from_arrays(
        [pa.array(list(row_of)), pa.array([names[r] for r in keep]), column_of([types[r] for r in keep], WORD),
         pa.array([definitions[r] for r in keep])], schema=SOURCE_NODES)
    record = SourceRecord("OptimusKG", version, "see the deposit's terms", "https://doi.org/10.7910/DVN/IYNGEV",
                          files=(file_record(node_file), file_record(edge_file)))
    edge_table = _edges(edges, row_of, edge_file.name, record.name, report)
    local = {row: row_of[ids[row]] for row in range(len(ids))}
    report.counts.update({"rows": edges.num_rows, "nodes": len(keep), "edges": edge_table.num_rows})
    return SourceTables(
        record, table, edge_table,
        table_of([(local[r], f, "exact", "") for r, f in forms], SOURCE_FORMS),
        table_of([(local[r], x, DBXREF) for r, x in xrefs], SOURCE_XREFS), table_of([], SOURCE_MAPPINGS), report)


def _table(file: Path, required: tuple[str, ...]) -> pa.Table:
    try:
        opened = pq.ParquetFile(file)
        check_columns(file, opened.schema_arrow.names, required)
        optional = [c for c in ("label", "undirected", "properties") if c in opened.schema_arrow.names]
        return opened.read(columns=list(dict.fromkeys([*required, *optional])))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{file.name} cannot be read as Parquet: {error}", hint="download it again") from error


def _curie_like(identifier: str) -> str:
    # OptimusKG writes MONDO_0005097 in some releases and MONDO:0005097 in others
    if ":" not in identifier and "_" in identifier:
        return identifier.replace("_", ":", 1)
    if identifier.startswith("ENSG"):
        return f"ENSEMBL:{identifier}"
    if identifier.startswith("CHEMBL"):
        return f"CHEMBL:{identifier}"
    if identifier.startswith("R-HSA-"):
        return f"REACTOME:{identifier}"
    if identifier.startswith("DB") and identifier[2:].isdigit():
        return f"DrugBank:{identifier}"
    return identifier if ":" in identifier else f"OPTIMUSKG:{identifier}"


def _properties(nodes: pa.Table, ids: list[str], file: str, report: ReadReport) -> tuple[
        list[str], list[tuple[int, str]], list[tuple[int, str]], list[str], list[str]]:
    labels = nodes["label"].cast(pa.string()).to_pylist()
    properties = nodes["properties"].to_pylist() if "properties" in nodes.column_names else [None] * len(ids)
    names, forms, xrefs, definitions, types = [], [], [], [], []
    for row, (curie, label, given) in enumerate(zip(ids, labels, properties, strict=True)):
        values = _as_mapping(given)
        if values is None:
            report.drop("properties that are not JSON", file=file, line=None, text=f"{curie}: {given}")
            values = {}
        type_ = TYPES.get((label or "").upper().replace(" ", "_").replace("/", "_"), (label or "").lower())
        if type_ == (label or "").lower():
            report.count(f"node label {label} kept as a type")
        name = next((str(values[f]) for f in _NAME_FIELDS if values.get(f)), curie)
        names.append(name)
        types.append(type_)
        definitions.append(next((str(values[f]) for f in _DEFINITION_FIELDS if values.get(f)), ""))
        forms += [(row, str(f)) for key in _SYNONYM_FIELDS for f in _as_list(values.get(key)) if str(f) != name]
        xrefs += [(row, normal_curie(str(x))) for key in _XREF_FIELDS for x in _as_list(values.get(key))]
    return names, list(dict.fromkeys(forms)), list(dict.fromkeys(xrefs)), definitions, types


def _as_mapping(value: Any) -> Mapping[str, Any] | None:
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping):
        return value
    try:
        parsed = json.loads(value)
    except (TypeError, ValueError):
        return None
    return parsed if isinstance(parsed, Mapping) else None


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [part for part in value.split("|") if part]
    return [v for v in value if v] if isinstance(value, (list, tuple)) else []


def _edges(edges: pa.Table, row_of: Mapping[str, int], file: str, source: str, report: ReadReport) -> pa.Table:
    def rows(column: str) -> np.ndarray[Any, Any]:
        encoded = edges[column].cast(pa.string()).dictionary_encode().unify_dictionaries()
        if not encoded.num_chunks:
            return np.zeros(0, np.int32)
        words = encoded.chunk(0).dictionary.to_pylist()
        place = np.array([row_of.get(normal_curie(_curie_like(w)), -1) for w in words] or [0], np.int32)
        return np.concatenate([place[c.indices.to_numpy()] for c in encoded.chunks])

    subject, obj = rows("from"), rows("to")
    good = (subject >= 0) & (obj >= 0)
    if not good.all():
        bad = np.flatnonzero(~good)
        for row in bad[:20].tolist():
            report.drop("edge to a node that the nodes file lacks", file=file, line=None,
                        text=f"{edges['from'][row]} -> {edges['to'][row]}")
        report.drop("edge to a node that the nodes file lacks", by=max(0, len(bad) - 20))
    n = int(good.sum())
    kept = edges.filter(pa.array(good))
    relation = kept["relation"].cast(pa.string())
    undirected = pc.fill_null(kept["undirected"].cast(pa.bool_()), False) if "undirected" in kept.column_names else \
        pa.array(np.zeros(n, bool))
    negated = pc.match_substring_regex(pc.utf8_upper(relation), "|".join(_NEGATED))
    return pa.table({
        "subject": pa.array(subject[good], pa.int32()), "object": pa.array(obj[good], pa.int32()),
        "relation": relation.dictionary_encode(), "display_relation": relation.dictionary_encode(),
        "source": pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([source])),
        "evidence": empty_strings(n), "negated": negated, "undirected": undirected}).cast(SOURCE_EDGES)
