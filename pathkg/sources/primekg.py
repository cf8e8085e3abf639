"""PrimeKG: ``kg.csv`` (plain, gzip, zstd, Parquet), the split nodes and edges form, groups, node lists.

PrimeKG stores every undirected edge twice, once per direction: 8,100,498 rows are 4,050,249 edges. Here each is
one edge with ``undirected`` set; its subject and object are those of the row that came first. The report says
how many rows were such mirrors, how many were exact duplicates, and how many edges came in one direction only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pathkg.errors import InputError
from pathkg.sources.curies import GROUP_PREFIX, INDEX_PREFIX
from pathkg.sources.delimited import Columns, existing, header_of, read_columns, words_and_codes
from pathkg.sources.download import PART
from pathkg.sources.mirrors import edge_table, fold_mirrors, ranks
from pathkg.sources.primekg_nodes import NodeDraft, NodeSet, why_unusable
from pathkg.sources.tables import (
    SOURCE_EDGES,
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
    table_of,
)

_LICENCE = "deposit CC0 1.0; parts under their sources' terms (DrugBank, DisGeNET: non-commercial)"
_URL = "https://doi.org/10.7910/DVN/IXA7BM"
_SIDES = ("x", "y")
_ROW_COLUMNS = ("relation", "display_relation", "x_id", "x_type", "x_name", "x_source", "y_id", "y_type", "y_name",
                "y_source")
_IntArray = npt.NDArray[Any]


def read_primekg(path: str | os.PathLike[str], *, name: str = "PrimeKG", version: str = "",
                 nodes: str | os.PathLike[str] | None = None) -> SourceTables:
    """Read PrimeKG in any of its forms.

    Args:
        path: ``kg.csv`` (or ``kg_grouped.csv``, ``.csv.gz``, ``.csv.zst``, ``.parquet``) with one row per directed
            edge; an edges file of the split form together with ``nodes``; a node list alone; or a folder that
            holds one of these.
        name: source name on the edges.
        version: goes into the manifest.
        nodes: the nodes file of the split form.

    Raises:
        InputError: no such file, missing columns, an empty or damaged file.
    """
    file, nodes = find_primekg(path, nodes)
    report = ReadReport()
    columns = _column_names(file)
    files = [file_record(file)] + ([file_record(existing(nodes))] if nodes else [])
    record = SourceRecord(name, version, _LICENCE, _URL, files=tuple(files))
    if nodes is not None and "x_id" not in columns:
        return _read_split(Path(nodes), file, record, report)
    if "node_id" in columns and "relation" not in columns:
        return _read_node_list(file, record, report)
    if "head_id" in columns:
        return _read_named_edges(file, record, report)
    return _read_rows(file, record, report, nodes)


def find_primekg(path: str | os.PathLike[str], nodes: str | os.PathLike[str] | None = None
                 ) -> tuple[Path, str | os.PathLike[str] | None]:
    """The files that :func:`read_primekg` would read, without reading them.

    Returns:
        The file, or that of the edges, and the nodes file beside it, if there is one.

    Raises:
        InputError: no such file, an empty one, or a folder without PrimeKG's files.
    """
    place = Path(path)
    if place.is_dir():
        place, nodes = _in_folder(place, nodes)
    return existing(place), nodes


def _column_names(file: Path) -> list[str]:
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            return list(pq.read_schema(file).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{file.name} cannot be read as Parquet: {error}", hint="download it again") from error
    return header_of(file)[0]


def _in_folder(folder: Path, nodes: str | os.PathLike[str] | None) -> tuple[Path, str | os.PathLike[str] | None]:
    def first(*patterns: str) -> Path | None:
        return next((p for pattern in patterns for p in sorted(folder.glob(pattern))
                     if p.is_file() and PART not in p.suffixes), None)  # a download under way is no table yet

    whole = first("kg.csv", "kg.csv.*", "kg.parquet", "kg_grouped.csv*")
    if whole is not None:
        # the node list beside it may hold nodes without an edge
        return whole, nodes or first("nodes.csv*", "nodes.parquet")
    edges, node_file = first("edges.csv*", "edges.parquet"), nodes or first("nodes.csv*", "nodes.parquet")
    if edges is None or node_file is None:
        tables = [f.name for f in sorted(folder.iterdir()) if f.name.endswith((".csv", ".csv.gz", ".parquet"))][:8]
        raise InputError(f"{folder} holds neither kg.csv nor nodes.csv together with edges.csv",
                         hint=f"name the files to read; there are {', '.join(tables)}" if tables
                         else "is it the right folder?")
    return edges, node_file


# -- one row per directed edge ---------------------------------------------------------------------------------


def _read_rows(file: Path, record: SourceRecord, report: ReadReport,
               node_file: str | os.PathLike[str] | None = None) -> SourceTables:
    columns = read_columns(file, _ROW_COLUMNS, report)
    if columns.rows == 0:
        if node_file is None:
            raise InputError(f"{file.name} has a header but no rows", hint="download it again")
        return _listed_nodes(existing(node_file), report).finish(record, table_of([], SOURCE_EDGES))
    table = columns.table
    vocabularies: dict[str, list[str | None]] = {}
    codes: dict[str, _IntArray] = {}
    for part in ("id", "type", "source", "name"):
        vocabularies[part], both = words_and_codes(table[f"x_{part}"], table[f"y_{part}"])
        table = table.drop_columns([f"x_{part}", f"y_{part}"])  # frees the Arrow side early
        codes.update({f"{side}_{part}": c for side, c in zip(_SIDES, both, strict=True)})
    for part in ("relation", "display_relation"):
        vocabularies[part], (codes[part],) = words_and_codes(table[part])
    columns.table = table.select([])
    sizes = {part: max(1, len(vocabulary)) for part, vocabulary in vocabularies.items()}

    keys = pa.chunked_array([_node_keys(codes, side, sizes) for side in _SIDES]).dictionary_encode()
    keys = keys.unify_dictionaries()
    unique = keys.chunk(0).dictionary.to_numpy()
    x, y = (keys.chunk(i).indices.to_numpy() for i in range(2))
    parts: dict[str, _IntArray] = {}
    rest = unique.copy()
    for part in ("name", "source", "type"):
        parts[part] = rest % sizes[part]
        rest //= sizes[part]
    parts["id"] = rest
    drafts = [NodeDraft(*(vocabularies[p][parts[p][i]] for p in ("id", "type", "source", "name")))
              for i in range(len(unique))]
    nodes = NodeSet(file.name, report) if node_file is None else _listed_nodes(existing(node_file), report)
    row_of = np.fromiter((nodes.add(draft) for draft in drafts), np.int32, len(drafts))
    usable = row_of >= 0
    for part in ("relation", "display_relation"):
        for code, word in enumerate(vocabularies[part]):
            if word is None or (part == "relation" and not word):
                codes[part][codes[part] == code] = -1
    good = usable[x] & usable[y] & (codes["relation"] >= 0) & (codes["display_relation"] >= 0)
    if not good.all():
        _report_bad_rows(columns, np.flatnonzero(~good), x, y, drafts, row_of, report)
        x, y = x[good], y[good]
        codes = {k: c[good] for k, c in codes.items()}
    report.count("directed rows used", len(x))
    return nodes.finish(record, _edges_of(row_of[x], row_of[y], codes["relation"], codes["display_relation"],
                                          vocabularies, nodes, record.name))


def _node_keys(codes: dict[str, _IntArray], side: str, sizes: dict[str, int]) -> _IntArray:
    """One integer per row for the node on one side; takes its columns out of ``codes``."""
    key = codes.pop(f"{side}_id").astype(np.int64)
    for part in ("type", "source", "name"):
        key *= sizes[part]
        key += codes.pop(f"{side}_{part}")
    return key


def _report_bad_rows(columns: Columns, rows: _IntArray, x: _IntArray, y: _IntArray, drafts: Sequence[NodeDraft],
                     row_of: _IntArray, report: ReadReport) -> None:
    shown = rows[:100].tolist()
    lines = columns.lines_of(shown)
    reasons: dict[str, int] = {}
    for row in rows.tolist():
        bad = next((i for i in (int(x[row]), int(y[row])) if row_of[i] < 0), None)
        reason = why_unusable(drafts[bad]) if bad is not None else "no relation, or one that is not text"
        reasons[reason] = reasons.get(reason, 0) + 1
        if row in lines:
            draft = drafts[bad] if bad is not None else None
            report.drop(reason, file=columns.file, line=lines[row], text=str(draft or ""))
            reasons[reason] -= 1
    for reason, count in reasons.items():
        if count:
            report.drop(reason, by=count)


def _edges_of(x: _IntArray, y: _IntArray, relation: _IntArray, display: _IntArray,
              vocabularies: dict[str, list[str | None]], nodes: NodeSet, source: str) -> pa.Table:
    relations, relation_rank = ranks(vocabularies["relation"])
    displays, display_rank = ranks(vocabularies["display_relation"])
    _, node_rank = ranks(list(nodes.ids))
    edges = fold_mirrors(x, y, relation_rank[relation], display_rank[display], node_rank, nodes.report)
    return edge_table(edges, relations, displays, source)


# -- the split form, node lists, and files that name nodes by index --------------------------------------------


def _read_node_rows(file: Path, report: ReadReport) -> tuple[NodeSet, _IntArray, _IntArray | None]:
    """The nodes, the node row per table row (-1: unusable), and the ``node_index`` column if there is one."""
    columns = read_columns(file, ("node_id", "node_type", "node_name"), report,
                           optional=("node_source", "node_index", "group_id_bert", "group_name_bert"),
                           integers=("node_index",))
    table = columns.table
    values: dict[str, list[str | None]] = {}
    for part in ("node_id", "node_type", "node_name", "node_source", "group_id_bert", "group_name_bert"):
        if part in table.column_names:
            vocabulary, (codes,) = words_and_codes(table[part])
            values[part] = [vocabulary[c] for c in codes.tolist()]
    sources = values.get("node_source", [""] * columns.rows)
    drafts = [NodeDraft(*row) for row in
              zip(values["node_id"], values["node_type"], sources, values["node_name"], strict=True)]
    nodes = NodeSet(file.name, report)
    rows = np.fromiter((nodes.add(draft) for draft in drafts), np.int32, len(drafts))
    bad = np.flatnonzero(rows < 0)
    if len(bad):
        own = np.arange(len(drafts))
        _report_bad_rows(columns, bad, own, own, drafts, rows, report)
    if "group_id_bert" in values and "group_name_bert" in values:
        # TxGNN lists the members of PrimeKG's disease groups
        groups = dict(zip(values["group_id_bert"], values["group_name_bert"], strict=True))
        for identifier, name in groups.items():
            nodes.add(NodeDraft(identifier, "disease", GROUP_PREFIX, name))
    index = table["node_index"].to_numpy() if "node_index" in table.column_names else None
    return nodes, rows, index


def _listed_nodes(file: Path, report: ReadReport) -> NodeSet:
    """The nodes of a node list that goes with an edge file."""
    before = report.counts["rows"]
    nodes, rows, _ = _read_node_rows(file, report)
    report.counts["rows"] = before
    report.count("node rows", len(rows))
    return nodes


def _read_node_list(file: Path, record: SourceRecord, report: ReadReport) -> SourceTables:
    nodes, _, _ = _read_node_rows(file, report)
    return nodes.finish(record, table_of([], SOURCE_EDGES))


def _read_split(node_file: Path, edge_file: Path, record: SourceRecord, report: ReadReport) -> SourceTables:
    nodes, rows, index = _read_node_rows(existing(node_file), report)
    report.counts["node rows"] = report.counts.pop("rows", len(rows))
    if index is None:
        raise InputError(f"{node_file.name} has no column 'node_index', which the edges file refers to")
    columns = read_columns(edge_file, ("relation", "display_relation", "x_index", "y_index"), report,
                           integers=("x_index", "y_index"))
    if edge_file.suffix == ".parquet":
        report.count("rows", columns.rows)
    table = columns.table
    x_index, y_index = table["x_index"].to_numpy(), table["y_index"].to_numpy()
    size = max(int(index.max(initial=0)), int(x_index.max(initial=0)), int(y_index.max(initial=0))) + 1
    if size > 50 * max(len(index), 1000) or min(index.min(initial=0), x_index.min(initial=0),
                                                y_index.min(initial=0)) < 0:
        raise InputError(f"{edge_file.name} or {node_file.name} has node indices that are no row numbers "
                         f"(largest {size - 1:,}, {len(index):,} nodes)", hint="are the two files a pair?")
    row_of_index = np.full(size, -1, np.int32)
    row_of_index[index] = rows
    x, y = row_of_index[x_index], row_of_index[y_index]
    relations, (relation,) = words_and_codes(table["relation"])
    displays, (display,) = words_and_codes(table["display_relation"])
    good = (x >= 0) & (y >= 0)
    if not good.all():
        bad = np.flatnonzero(~good)
        lines = columns.lines_of(bad[:100].tolist())
        reason = "edge to a node that the nodes file lacks"
        for row in bad[:100].tolist():
            report.drop(reason, file=columns.file, line=lines[row], text=f"x_index {x_index[row]}, "
                                                                         f"y_index {y_index[row]}")
        report.drop(reason, by=max(0, len(bad) - 100))
        x, y, relation, display = x[good], y[good], relation[good], display[good]
    report.count("directed rows used", len(x))
    return nodes.finish(record, _edges_of(x, y, relation, display, {
        "relation": relations, "display_relation": displays}, nodes, record.name))


def _read_named_edges(file: Path, record: SourceRecord, report: ReadReport) -> SourceTables:
    """Edges whose ends are written ``name_(node index)``, as AIAgents4Pharma derives them from PrimeKG."""
    columns = read_columns(file, ("head_id", "edge_type", "tail_id"), report)
    report.counts["rows"] = columns.rows
    builder = SourceBuilder(file.name, report)
    seen: set[tuple[str, str, str]] = set()
    texts = (columns.table[c].to_pylist() for c in ("head_id", "edge_type", "tail_id"))
    for row, (head, kind, tail) in enumerate(zip(*texts, strict=True), 1):
        start, stop = _named_node(head), _named_node(tail)
        words = _words_of(kind)
        if start is None or stop is None or len(words) != 3:
            report.drop("edge whose ends are not name_(index)", file=file.name, line=row, text=f"{head} {tail}")
            continue
        builder.node(*start, words[0], line=row)
        builder.node(*stop, words[2], line=row)
        if (stop[0], words[1], start[0]) in seen:
            report.count("mirror rows folded")
            continue
        seen.add((start[0], words[1], stop[0]))
        builder.edge(start[0], words[1], stop[0], undirected=True)
    return builder.finish(record)


def _words_of(kind: str) -> Sequence[str]:
    import ast

    try:
        value = ast.literal_eval(kind)
    except (SyntaxError, ValueError):
        return ()
    return value if isinstance(value, (tuple, list)) else ()


def _named_node(text: str) -> tuple[str, str] | None:
    name, mark, number = text.rpartition("_(")
    if not mark or not number.endswith(")") or not number[:-1].isdigit():
        return None
    return f"{INDEX_PREFIX}:{number[:-1]}", name
