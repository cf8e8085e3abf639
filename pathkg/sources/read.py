"""One door to the readers: by folder, by file name, by a look into the file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from pathkg.errors import InputError
from pathkg.sources.core import CORE_FOLDER, CORE_RECORD, core_digest, read_core
from pathkg.sources.delimited import existing, open_binary
from pathkg.sources.download import DOWNLOAD_RECORD, PART
from pathkg.sources.tables import (
    SOURCE_EDGES,
    SOURCE_FORMS,
    SOURCE_MAPPINGS,
    SOURCE_NODES,
    SOURCE_XREFS,
    ReadReport,
    SourceRecord,
    SourceTables,
)


def read_core_source() -> SourceTables:
    """The bundled core as a source."""
    graph = read_core()
    record = SourceRecord("core", CORE_RECORD["version"], CORE_RECORD["licence"], CORE_RECORD["url"],
                          CORE_RECORD["note"], ({"file": CORE_FOLDER.name, "sha256": core_digest()},))
    forms = graph.synonyms.filter(pa.compute.not_equal(graph.synonyms["kind"].cast(pa.string()), "name"))
    report = ReadReport()
    report.counts.update({"nodes": graph.nodes.num_rows, "edges": graph.edges.num_rows, "synonyms": forms.num_rows,
                          "cross-references": graph.xrefs.num_rows})
    return SourceTables(
        record, graph.nodes.select(SOURCE_NODES.names).cast(SOURCE_NODES),
        graph.edges.select(SOURCE_EDGES.names).cast(SOURCE_EDGES),
        forms.select(SOURCE_FORMS.names).cast(SOURCE_FORMS),
        graph.xrefs.select(SOURCE_XREFS.names).cast(SOURCE_XREFS), SOURCE_MAPPINGS.empty_table(), report)


def read_tsv_source(path: str | os.PathLike[str]) -> SourceTables:
    """Your own nodes and edges; see :mod:`pathkg.sources.tsv`."""
    from pathkg.sources.tsv import read_tsv

    return read_tsv(path)


def read_ontology(path: str | os.PathLike[str]) -> SourceTables:
    """Read an ontology or mapping file, by its content.

    Args:
        path: OBO, OBO-graph JSON, a JSON list of terms, HGNC's table, OncoTree's JSON, SSSOM, or a table of
            cross-references (``ontology_id, ontology, mondo_id``); plain or compressed.

    Raises:
        InputError: none of these.
    """
    file = existing(path)
    kind = ontology_kind(file)
    if kind == "obo":
        from pathkg.sources.obo import read_obo

        return read_obo(file)
    if kind == "json":
        from pathkg.sources.ontology_json import read_ontology_json

        return read_ontology_json(file)
    if kind == "hgnc":
        from pathkg.sources.hgnc import read_hgnc

        return read_hgnc(file)
    if kind == "mappings":
        from pathkg.sources.sssom import read_mappings

        return read_mappings(file)
    raise InputError(f"{file.name} is no ontology or mapping file this program knows",
                     hint="OBO, OBO-graph JSON, HGNC, OncoTree JSON or SSSOM; PrimeKG goes to --primekg, PathoML to "
                          "--pathograph, your own tables to --tsv")


def ontology_kind(path: str | os.PathLike[str]) -> str:
    """What an ontology file is, by a look at its beginning.

    Returns:
        ``obo``, ``json``, ``hgnc``, ``mappings``, or ``""`` for what no reader knows.

    Raises:
        InputError: no such file, or an empty or damaged one.
    """
    file = existing(path)
    with open_binary(file) as data:
        start = data.read(1 << 16).decode("utf-8", "replace").lstrip("\ufeff")
    if start.startswith(("format-version:", "[Term]")) or "\n[Term]" in start or ".obo" in file.name.lower():
        return "obo"
    if start.lstrip()[:1] in ("{", "["):
        return "json"
    first = next((line for line in start.splitlines() if line and not line.startswith("#")), "")
    if "HGNC ID" in first or "hgnc_id" in first:
        return "hgnc"
    if "predicate_id" in first or ("ontology" in first and "mondo_id" in first) or "xrefs" in first:
        return "mappings"
    return ""


def ontology_files(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[Path], list[Path]]:
    """Files to read, folders searched through, before anything is read.

    A file that is named must be an ontology or mapping file; in a folder, others (a README, a licence) are left out
    and named.

    Args:
        paths: files, or folders that are searched through.

    Returns:
        The files to read, in the order given (within a folder by name), and those of a folder that no reader knows.

    Raises:
        InputError: no such file or folder, a named file of no known kind, a folder without any ontology.
    """
    files: list[Path] = []
    left_out: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(existing(path))
            continue
        inside = [f for f in sorted(path.rglob("*")) if f.is_file() and not f.name.startswith(".")
                  and f.name != DOWNLOAD_RECORD]
        known = [f for f in inside if _ontology_of_folder(f)]
        if not known:
            raise InputError(f"the folder {path} holds no ontology or mapping file",
                             hint="OBO, OBO-graph JSON, HGNC, OncoTree JSON or SSSOM")
        files += known
        left_out += [f for f in inside if f not in set(known)]
    return files, left_out


def _ontology_of_folder(file: Path) -> bool:
    """Whether a file that nobody named is to be read: a download under way and JSON of another kind are not."""
    if PART in file.suffixes or not file.stat().st_size:
        return False
    kind = ontology_kind(file)
    if kind != "json":
        return bool(kind)
    with open_binary(file) as data:
        start = data.read(1 << 16).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return start.startswith("[") or '"graphs"' in start or '"TISSUE"' in start
