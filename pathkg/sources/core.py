"""The bundled pathology core graph: plain TSV files under ``pathkg/data/core``, compiled to a store on first use.

A wheel carries the same files compressed (``.tsv.gz``), which is of no consequence for the digest or the graph.
"""

from __future__ import annotations

import csv
import getpass
import gzip
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pathkg.errors import InputError
from pathkg.graph import GraphTables, make_tables
from pathkg.graph.schema import FORMAT_VERSION

CORE_FOLDER = Path(__file__).resolve().parent.parent / "data" / "core"
CORE_RECORD = {"name": "pathkg core", "version": "1", "licence": "Apache-2.0 (ontology facts: see NOTICE)",
               "url": "bundled", "note": "written for this project; not validated by a pathologist"}

SYMMETRIC = frozenset({"differential_of", "associated_with"})
"""Relations that hold both ways; the files write each pair once."""


def home() -> Path:
    """The cache folder: ``PATHKG_HOME``, else ``~/.cache/pathkg``."""
    named = os.environ.get("PATHKG_HOME")
    return Path(named) if named else Path.home() / ".cache" / "pathkg"


def _files(folder: Path, start: str) -> list[Path]:
    """The tables whose name begins so, by name; of a table that is there twice the plain file."""
    found = {path.name.removesuffix(".gz"): path for ending in ("tsv.gz", "tsv") for path in folder.glob(f"{start}*.{ending}")}
    return [found[name] for name in sorted(found)]


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a TSV file, compressed or not, with a header line and no quoting.

    Raises:
        InputError: a row has another number of fields than the header.
    """
    with io.TextIOWrapper(io.BytesIO(_content(path)), encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(reader, [])
        for number, fields in enumerate(reader, 2):
            if len(fields) != len(header):
                raise InputError(f"{path.name}:{number} has {len(fields)} fields, the header {len(header)}",
                                 hint="one tab between fields, none inside them")
            yield dict(zip(header, fields, strict=True))


def read_core(folder: Path = CORE_FOLDER) -> GraphTables:
    """The tables of the core graph.

    Args:
        folder: holds ``nodes*.tsv`` (id, name, type, definition, xrefs, source), ``edges*.tsv`` (subject,
            relation, object, source) and ``forms*.tsv`` (form, id, kind, context); each may be a ``.tsv.gz``.
    """
    nodes, xrefs = [], []
    for path in _files(folder, "nodes"):
        for row in rows(path):
            nodes.append({"id": row["id"], "name": row["name"], "type": row["type"],
                          "definition": row.get("definition", ""), "sources": row.get("source") or "core"})
            xrefs += [{"id": row["id"], "xref": x, "source": "core"} for x in row.get("xrefs", "").split("|") if x]
    edges = [{**row, "undirected": row["relation"] in SYMMETRIC}
             for path in _files(folder, "edges") for row in rows(path)]
    forms = [{**row, "source": "core"} for path in _files(folder, "forms") for row in rows(path)]
    return make_tables(nodes=nodes, edges=edges, synonyms=forms, xrefs=xrefs)


@lru_cache(maxsize=4)
def core_digest(folder: Path = CORE_FOLDER) -> str:
    """A short digest of the core's files and of the format they are compiled to."""
    digest = hashlib.sha256(f"format {FORMAT_VERSION}".encode())
    for path in _files(folder, ""):
        digest.update(path.name.removesuffix(".gz").encode())
        digest.update(_content(path))
    return digest.hexdigest()[:16]


def core_store_path() -> Path:
    """Where the compiled core lies: in the cache folder, or in the temporary folder if that is not writable."""
    name = f"core-{core_digest()}"
    for parent in (home() / "stores", Path(tempfile.gettempdir()) / f"pathkg-{getpass.getuser()}"):
        if (parent / name).exists():
            return parent / name
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent, os.W_OK):
            return parent / name
    raise InputError("neither the cache folder nor the temporary folder can be written",
                     hint="set PATHKG_HOME to a folder that can")
