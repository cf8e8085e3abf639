"""The store folder: written whole or not at all, opened by memory map.

Layout (format version 2)::

    manifest.json        format version, content hash, vocabularies, counts, sources with licence
    nodes.parquet        edges.parquet  synonyms.parquet  xrefs.parquet     the tables, for any reader
    mappings.sssom.tsv   merge_report.json                                  every merge decision
    adjacency/*.npy      arrays for path search
    index/*.arrow        nodes, names and cross-references (sorted, for look-ups by bisection), details of edges
    lexicon/             the compiled linking index
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pathkg.errors import StoreError
from pathkg.graph.adjacency import GraphArrays, build_adjacency
from pathkg.graph.schema import FORMAT_VERSION
from pathkg.graph.tables import GraphTables, encode_words

MANIFEST = "manifest.json"
_FORM_ORDER = {"name": 0, "exact": 1, "abbreviation": 1}
_TYPE_ORDER = ("disease", "morphology", "marker_result", "anatomy", "cell", "marker", "stage", "grade", "procedure",
               "specimen", "gene/protein", "effect/phenotype")
_PREDICATE_ORDER = (("skos:exactMatch", "oboInOwl:hasAlternativeId"), ("skos:closeMatch", "oboInOwl:hasDbXref"),
                    ("skos:narrowMatch", "skos:broadMatch", "skos:relatedMatch"))
SSSOM_COLUMNS = ("subject_id", "subject_label", "predicate_id", "object_id", "object_label",
                 "mapping_justification", "confidence", "mapping_tool", "comment")


def write_store(path: str | os.PathLike[str], tables: GraphTables, *,
                sources: Sequence[Mapping[str, Any]] = (), options: Mapping[str, Any] | None = None,
                report: Mapping[str, Any] | None = None, finish: Callable[[Path], None] | None = None) -> Path:
    """Write a store folder: into a temporary sibling first, then renamed, so that a kill leaves no half store.

    Args:
        path: the folder to make; an existing store there is replaced, anything else is refused.
        tables: the content.
        sources: one record per source: ``name, version, licence, url, checksum, retrieved``.
        options: the build options, kept in the manifest.
        report: the merge report.
        finish: called with the temporary folder before the rename (compiles the lexicon).

    Returns:
        The path of the store.

    Raises:
        StoreError: the place holds something that is not a store, or cannot be written.
    """
    target = Path(path)
    if target.exists() and not (target / MANIFEST).is_file() and not _is_empty_folder(target):
        raise StoreError(f"{target} exists and is not a graph store", hint="choose another --out folder")
    _remove_abandoned(target)
    working = target.parent / f".{target.name}.{_owner()}.{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True)
        _write_content(working, tables, sources, options or {}, report or {})
        if finish is not None:
            finish(working)
        _move_into_place(working, target)
    except OSError as error:
        raise StoreError(f"cannot write the store {target}: {error.strerror or error}",
                         hint="check free disk space and permissions; nothing was left behind") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return target


def _owner() -> str:
    """This process, as it signs its temporary folder: a killed build cannot remove its own."""
    host = "".join(c if c.isalnum() else "-" for c in platform.node()) or "host"
    return f"{host}.{os.getpid()}"


def _remove_abandoned(target: Path) -> None:
    """Remove temporary folders of builds to this place that were killed on this machine."""
    if os.name != "posix":
        return  # elsewhere there is no harmless way to ask whether a process lives
    host = _owner().partition(".")[0]
    for left in target.parent.glob(f".{target.name}.{host}.*.part"):
        number = left.name.split(".")[-3]
        if number.isdigit() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _move_into_place(working: Path, target: Path) -> None:
    retired = working.with_suffix(".old")
    for _ in range(10):
        if target.exists():
            try:
                target.rename(retired)
            except FileNotFoundError:
                continue  # another build moved it first
        try:
            working.rename(target)
        except OSError:
            if not target.exists():
                raise
            continue  # another build finished in between: replace it, last one wins
        shutil.rmtree(retired, ignore_errors=True)
        return
    raise StoreError(f"{target} is being written by other builds all the time",
                     hint="let one build finish, or give each its own --out")


def _write_content(folder: Path, tables: GraphTables, sources: Sequence[Mapping[str, Any]],
                   options: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    for name in ("nodes", "edges", "synonyms", "xrefs"):
        pq.write_table(getattr(tables, name), folder / f"{name}.parquet", compression="zstd")
    vocabularies, codes = {}, {}
    for key, column in (("node_types", tables.nodes["type"]), ("relations", tables.edges["relation"]),
                        ("sources", tables.edges["source"])):
        vocabularies[key], codes[key] = _encode(column)
    subject = tables.edges["subject"].to_numpy()
    obj = tables.edges["object"].to_numpy()
    undirected = tables.edges["undirected"].to_numpy()
    indptr, neighbor, edge, flow = build_adjacency(tables.nodes.num_rows, subject, obj, undirected)
    GraphArrays(
        indptr, neighbor, edge, flow, codes["node_types"], subject.astype(np.int32), obj.astype(np.int32),
        codes["relations"], codes["sources"], tables.edges["negated"].to_numpy().astype(bool),
    ).save(folder / "adjacency")
    _write_index(folder / "index", tables)
    _write_sssom(folder / "mappings.sssom.tsv", tables.mappings)
    _write_json(folder / "merge_report.json", report)
    _write_json(folder / MANIFEST, {
        "format_version": FORMAT_VERSION, "content_hash": tables.content_hash(), **vocabularies,
        "counts": {"nodes": tables.nodes.num_rows, "edges": tables.edges.num_rows,
                   "forms": tables.synonyms.num_rows, "xrefs": tables.xrefs.num_rows},
        "source_records": [dict(s) for s in sources], "options": dict(options)})


def _encode(column: pa.ChunkedArray) -> tuple[list[str], Any]:
    """Sorted vocabulary and int16 codes of a column."""
    codes, used = encode_words(column)
    words = sorted(set(used))
    if len(words) > np.iinfo(np.int16).max:
        raise StoreError(f"{len(words)} distinct types, relations or sources are more than the store can code",
                         hint="use broader source labels; put details into the evidence column")
    rank = {word: i for i, word in enumerate(words)}
    ranks = np.array([rank[word] for word in used], np.int16)
    return words, ranks[codes] if len(words) else np.zeros(len(column), np.int16)


def _write_index(folder: Path, tables: GraphTables) -> None:
    folder.mkdir()
    _write_arrow(folder / "nodes.arrow", tables.nodes.select(["id", "name", "definition"]))
    names = pa.table({"key": pc.utf8_lower(tables.synonyms["form"]), "node": tables.synonyms["node"],
                      "rank": _form_ranks(tables)})
    _write_arrow(folder / "names.arrow",
                 names.sort_by([("key", "ascending"), ("rank", "ascending"), ("node", "ascending")]))
    edges = tables.edges.select(["display_relation", "evidence", "undirected"]).unify_dictionaries()
    _write_arrow(folder / "edges.arrow", edges)
    # where several nodes claim one id, the one that declares it equal answers a look-up
    ranks = {p: i for i, group in enumerate(_PREDICATE_ORDER) for p in group}
    rank = pa.array([ranks.get(p, 1) for p in tables.xrefs["predicate"].cast(pa.string()).to_pylist()], pa.int8())
    xrefs = tables.xrefs.select(["xref", "node"]).append_column("rank", rank)
    xrefs = xrefs.sort_by([("xref", "ascending"), ("rank", "ascending"), ("node", "ascending")])
    _write_arrow(folder / "xrefs.arrow", xrefs.select(["xref", "node"]))


def _form_ranks(tables: GraphTables) -> pa.Array:
    """Which node answers to a form that several have: names before synonyms, then by type, the disease first, then what
    holds in every context
    ("squamous cell carcinoma" is a disease and a phenotype of HPO)."""
    kinds, kind_words = encode_words(tables.synonyms["kind"])
    types, type_words = encode_words(tables.nodes["type"])
    kind_rank = np.array([_FORM_ORDER.get(w, len(_FORM_ORDER)) for w in kind_words] or [0], np.int16)
    type_rank = np.array([_TYPE_ORDER.index(w) if w in _TYPE_ORDER else len(_TYPE_ORDER) for w in type_words] or [0],
                         np.int16)
    if not tables.synonyms.num_rows:
        return pa.array([], pa.int16())
    node = tables.synonyms["node"].to_numpy()
    # "pT3" alone is the category of no organ: a form that holds without a condition before one that needs a text
    contexts, context_words = encode_words(tables.synonyms["context"])
    conditional = np.array([bool(w) for w in context_words] or [False], np.int16)[contexts]
    rank = kind_rank[kinds] * np.int16(len(_TYPE_ORDER) + 1) + type_rank[types][node]
    return pa.array(rank * np.int16(2) + conditional, pa.int16())


def _write_arrow(path: Path, table: pa.Table) -> None:
    table = table.combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _write_sssom(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    lines = ["\t".join(SSSOM_COLUMNS)]
    lines += ["\t".join(str(row.get(column, "")) for column in SSSOM_COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a store, checked for its format version.

    Raises:
        StoreError: no store there, a broken manifest, or another format version.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise StoreError(f"there is no graph store at {folder}",
                         hint="make one with: pathkg build --out STORE, or leave --store out for the bundled core")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder} is not a graph store: {MANIFEST} is missing or broken",
                         hint="name a folder made by pathkg build") from error
    if version != FORMAT_VERSION:
        raise StoreError(f"{folder} has store format {version}; this pathkg reads format {FORMAT_VERSION}",
                         hint="build it again with this version of pathkg")
    return dict(manifest)
