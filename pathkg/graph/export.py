"""A store written in other programs' formats. Rows are assembled column-wise, so millions of edges take seconds."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pathkg.errors import InputError, StoreError, did_you_mean
from pathkg.graph.schema import BIOLINK_CLASS
from pathkg.graph.tables import GraphTables

_ROWS = 200_000
_PADDED = MappingProxyType({"MONDO": "MONDO", "HP": "HPO", "GO": "GO", "UBERON": "UBERON"})
_PLAIN = MappingProxyType({"NCBIGene": "NCBI", "DrugBank": "DrugBank", "CTD": "CTD", "REACTOME": "REACTOME"})
_BASE = "https://w3id.org/pathkg/"
_URI = MappingProxyType({
    p: f"http://purl.obolibrary.org/obo/{p}_" for p in ("MONDO", "HP", "GO", "UBERON", "CL", "NCIT", "DOID", "PATO")})


def export(tables: GraphTables, folder: str | os.PathLike[str], form: str) -> list[Path]:
    """Write a graph in another format: into a temporary folder first, then renamed.

    Args:
        tables: ``graph.tables()`` or ``graph.subgraph(…)``.
        folder: folder to make; must not exist or be empty.
        form: ``kgx``, ``graphml``, ``neo4j``, ``ntriples`` or ``primekg``.

    Returns:
        The files written.

    Raises:
        InputError: no such format.
        StoreError: the folder is not empty, or cannot be written.
    """
    writer = FORMATS.get(form)
    if writer is None:
        raise InputError(f"there is no export format {form!r}",
                         hint=did_you_mean(form, FORMATS) or f"one of {', '.join(FORMATS)}")
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target} exists and is not empty", hint="choose another folder")
    working = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        working.mkdir(parents=True)
        writer(tables, working)
        if target.exists():
            target.rmdir()
        working.rename(target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}",
                         hint="check free disk space and permissions; nothing was left behind") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return sorted(p for p in target.iterdir())


def _write_rows(out: BinaryIO, *columns: pa.Array | str) -> None:
    """Concatenate the columns row by row; plain strings stand in every row. Strings lie back to back in Arrow, so
    the joined buffer is the file."""
    joined = pc.binary_join_element_wise(*(c if isinstance(c, pa.Array) else pa.scalar(c) for c in columns), "")
    if isinstance(joined, pa.ChunkedArray):
        joined = joined.combine_chunks()
    ends = np.frombuffer(joined.buffers()[1], np.int32)[joined.offset:joined.offset + len(joined) + 1]
    if len(joined) and joined.buffers()[2] is not None:
        out.write(memoryview(joined.buffers()[2])[int(ends[0]):int(ends[-1])])


def _edge_parts(tables: GraphTables) -> Iterator[tuple[int, pa.Table]]:
    for start in range(0, tables.edges.num_rows, _ROWS):
        yield start, tables.edges.slice(start, _ROWS)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(column.cast(pa.string()), "").combine_chunks()


def _flag(column: pa.ChunkedArray) -> pa.Array:
    return pc.if_else(column.combine_chunks(), "true", "false")


def _escaped(column: pa.Array, pairs: tuple[tuple[str, str], ...]) -> pa.Array:
    for old, new in pairs:
        column = pc.replace_substring(column, old, new)
    return column


def _ends(nodes: pa.Array, part: pa.Table) -> tuple[pa.Array, pa.Array]:
    return nodes.take(part["subject"].combine_chunks()), nodes.take(part["object"].combine_chunks())


# -- KGX --------------------------------------------------------------------------------------------------------

_TSV_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_PREDICATES = MappingProxyType({
    "is_a": "biolink:subclass_of", "part_of": "biolink:part_of", "has_part": "biolink:has_part",
    "located_in": "biolink:located_in", "occurs_in": "biolink:occurs_in", "regulates": "biolink:regulates",
    "disease_protein": "biolink:gene_associated_with_condition", "protein_protein": "biolink:interacts_with",
    "drug_drug": "biolink:interacts_with", "drug_protein": "biolink:interacts_with",
    "indication": "biolink:treats", "contraindication": "biolink:contraindicated_in",
    "disease_phenotype_positive": "biolink:has_phenotype", "disease_phenotype_negative": "biolink:has_phenotype",
    "associated_with": "biolink:associated_with", "anatomy_protein_present": "biolink:expressed_in",
    "anatomy_protein_absent": "biolink:expressed_in", "precursor_of": "biolink:precedes"})
"""Biolink predicates where one says the same; the column ``relation`` always holds the relation itself."""
KGX_NODES = ("id", "category", "name", "description", "synonym", "xref", "provided_by", "type", "forms", "xrefs")
KGX_EDGES = ("id", "subject", "predicate", "object", "relation", "primary_knowledge_source", "negated",
             "undirected", "display_relation", "evidence")


def _tsv(text: str) -> str:
    for old, new in _TSV_ESCAPES:
        text = text.replace(old, new)
    return text


def _grouped(tables: GraphTables, name: str, columns: tuple[str, ...]) -> list[list[tuple[str, ...]]]:
    """The rows of ``synonyms`` or ``xrefs``, by node."""
    table = getattr(tables, name)
    rows: list[list[tuple[str, ...]]] = [[] for _ in range(tables.nodes.num_rows)]
    for node, *values in zip(table["node"].to_pylist(), *(table[c].to_pylist() for c in columns), strict=True):
        rows[node].append(tuple(v or "" for v in values))
    return rows


def _kgx(tables: GraphTables, folder: Path) -> None:
    """``nodes.tsv`` and ``edges.tsv`` of the Knowledge Graph Exchange; ``forms`` and ``xrefs`` hold, as JSON, what
    the standard columns cannot (kind, context and source of each synonym; predicate of each cross-reference)."""
    forms = _grouped(tables, "synonyms", ("form", "kind", "context", "source"))
    xrefs = _grouped(tables, "xrefs", ("xref", "predicate", "source"))
    with (folder / "nodes.tsv").open("w", encoding="utf-8", newline="") as out:
        out.write("\t".join(KGX_NODES) + "\n")
        for row, own, links in zip(tables.nodes.to_pylist(), forms, xrefs, strict=True):
            out.write("\t".join(_tsv(v) for v in (
                row["id"], BIOLINK_CLASS.get(row["type"], "biolink:NamedThing"), row["name"],
                row["definition"] or "", "|".join(f[0].replace("|", "/") for f in own if f[1] != "name"),
                "|".join(x[0] for x in links), row["sources"] or "", row["type"],
                json.dumps(own, ensure_ascii=False), json.dumps(links, ensure_ascii=False))) + "\n")
    ids = tables.nodes["id"].combine_chunks()
    words = pc.unique(_plain(tables.edges["relation"]))
    predicates = pa.array([_PREDICATES.get(w, "biolink:related_to") for w in words.to_pylist()], pa.string())
    with (folder / "edges.tsv").open("wb") as out_edges:
        out_edges.write(("\t".join(KGX_EDGES) + "\n").encode())
        for start, part in _edge_parts(tables):
            subject, obj = _ends(ids, part)
            number = pa.array(np.arange(start, start + part.num_rows)).cast(pa.string())
            predicate = predicates.take(pc.index_in(_plain(part["relation"]), value_set=words))
            _write_rows(out_edges, number, "\t", subject, "\t", predicate, "\t", obj, "\t",
                        _escaped(_plain(part["relation"]), _TSV_ESCAPES), "\t",
                        _escaped(_plain(part["source"]), _TSV_ESCAPES), "\t", _flag(part["negated"]), "\t",
                        _flag(part["undirected"]), "\t", _escaped(_plain(part["display_relation"]), _TSV_ESCAPES),
                        "\t", _escaped(_plain(part["evidence"]), _TSV_ESCAPES), "\n")


# -- PrimeKG ----------------------------------------------------------------------------------------------------


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _primekg_id(curie: str) -> tuple[str, str]:
    prefix, _, local = curie.partition(":")
    if prefix in _PADDED and local.isdigit():
        return local.lstrip("0") or "0", _PADDED[prefix]
    return local, _PLAIN.get(prefix, prefix)


def _primekg(tables: GraphTables, folder: Path) -> None:
    """``kg.csv`` with PrimeKG's twelve columns, undirected edges twice; ``nodes.csv`` for nodes without an edge
    and for second names of one id (which PrimeKG, too, keeps as second rows). Edges from a disease to its group are
    left out: the group's id says the same, and PrimeKG has no such relation."""
    tables = replace(tables, edges=tables.edges.filter(pc.not_equal(tables.edges["relation"].cast(pa.string()),
                                                                     "member_of_group")))
    rendered = []
    n_nodes = tables.nodes.num_rows
    with (folder / "nodes.csv").open("w", encoding="utf-8", newline="") as out:
        out.write("node_index,node_id,node_type,node_name,node_source\n")
        node_rows = list(zip(*(tables.nodes[c].to_pylist() for c in ("id", "type", "name")), strict=True))
        for index, (curie, type_, name) in enumerate(node_rows):
            local, source = _primekg_id(curie)
            text = f"{_csv(local)},{_csv(type_)},{_csv(name)},{_csv(source)}"
            rendered.append(f"{index},{text}")
            out.write(f"{index},{text}\n")
        extra = n_nodes
        forms = tables.synonyms
        for node, form, kind, context in zip(*(forms[c].to_pylist() for c in ("node", "form", "kind", "context")),
                                             strict=True):
            if kind == "exact" and not context:
                local, source = _primekg_id(node_rows[node][0])
                out.write(f"{extra},{_csv(local)},{_csv(node_rows[node][1])},{_csv(form)},{_csv(source)}\n")
                extra += 1
    nodes = pa.array(rendered, pa.string())
    quotes = pa.array([_csv(w) for w in pc.unique(_plain(tables.edges["relation"])).to_pylist()], pa.string())
    words = pc.unique(_plain(tables.edges["relation"]))
    shown_words = pc.unique(_plain(tables.edges["display_relation"]))
    shown_quotes = pa.array([_csv(w) for w in shown_words.to_pylist()], pa.string())
    with (folder / "kg.csv").open("wb") as out_edges:
        out_edges.write(("relation,display_relation," + ",".join(
            f"{s}_{c}" for s in "xy" for c in ("index", "id", "type", "name", "source")) + "\n").encode())
        for mirrored in (False, True):
            for _, whole in _edge_parts(tables):
                part = whole.filter(whole["undirected"]) if mirrored else whole
                if not part.num_rows:
                    continue
                x, y = _ends(nodes, part)
                if mirrored:
                    x, y = y, x
                relation = quotes.take(pc.index_in(_plain(part["relation"]), value_set=words))
                shown = shown_quotes.take(pc.index_in(_plain(part["display_relation"]), value_set=shown_words))
                _write_rows(out_edges, relation, ",", shown, ",", x, ",", y, "\n")


# -- Neo4j ------------------------------------------------------------------------------------------------------


def _quoted(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', _escaped(column, (('"', '""'),)), '"', "")


def _neo4j(tables: GraphTables, folder: Path) -> None:
    """Files for ``neo4j-admin database import full --nodes=nodes.csv --relationships=relationships.csv
    --multiline-fields=true``."""
    with (folder / "nodes.csv").open("w", encoding="utf-8", newline="") as out:
        out.write("id:ID,name,type,definition,synonyms:string[],sources:string[],:LABEL\n")
        forms = _grouped(tables, "synonyms", ("form", "kind"))
        for row, own in zip(tables.nodes.to_pylist(), forms, strict=True):
            others = ";".join(f[0].replace(";", ",") for f in own if f[1] != "name")
            values = (row["id"], row["name"], row["type"], row["definition"] or "", others,
                      (row["sources"] or "").replace("|", ";"),
                      "Entity;" + BIOLINK_CLASS.get(row["type"], "biolink:NamedThing").partition(":")[2])
            out.write(",".join('"' + v.replace('"', '""') + '"' for v in values) + "\n")
    ids = _quoted(tables.nodes["id"].combine_chunks())
    with (folder / "relationships.csv").open("wb") as out_edges:
        out_edges.write(b":START_ID,:END_ID,:TYPE,edge_id:long,display_relation,source,evidence,negated:boolean,"
                        b"undirected:boolean\n")
        for start, part in _edge_parts(tables):
            subject, obj = _ends(ids, part)
            number = pa.array(np.arange(start, start + part.num_rows)).cast(pa.string())
            _write_rows(out_edges, subject, ",", obj, ",", _quoted(_plain(part["relation"])), ",", number, ",",
                        _quoted(_plain(part["display_relation"])), ",", _quoted(_plain(part["source"])), ",",
                        _quoted(_plain(part["evidence"])), ",", _flag(part["negated"]), ",",
                        _flag(part["undirected"]), "\n")


# -- N-Triples --------------------------------------------------------------------------------------------------

_NT_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"))
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"


def _iri(curie: str) -> str:
    prefix, _, local = curie.partition(":")
    base = _URI.get(prefix)
    return f"<{_safe(base + local if base else f'{_BASE}id/{prefix}/{local}')}>"


def _safe(text: str) -> str:
    return "".join(c if c > " " and c not in '<>"{}|^`\\' else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


def _literal(text: str) -> str:
    for old, new in _NT_ESCAPES:
        text = text.replace(old, new)
    return f'"{text}"'


def _ntriples(tables: GraphTables, folder: Path) -> None:
    """One triple per edge, and its source, evidence and negation on a reified statement named by the edge id."""
    iris = [_iri(c) for c in tables.nodes["id"].to_pylist()]
    forms = _grouped(tables, "synonyms", ("form", "kind"))
    with (folder / "graph.nt").open("wb") as out:
        for row, iri, own in zip(tables.nodes.to_pylist(), iris, forms, strict=True):
            lines = [f"{iri} <{_RDFS}label> {_literal(row['name'])} .",
                     f"{iri} <{_RDF}type> <{_BASE}type/{_safe(row['type'].replace('/', '-'))}> ."]
            if row["definition"]:
                lines.append(f"{iri} <{_SKOS}definition> {_literal(row['definition'])} .")
            lines += [f"{iri} <{_SKOS}altLabel> {_literal(f[0])} ." for f in own if f[1] != "name"]
            out.write(("\n".join(lines) + "\n").encode())
        xrefs = tables.xrefs
        for node, xref in zip(xrefs["node"].to_pylist(), xrefs["xref"].to_pylist(), strict=True):
            out.write(f"{iris[node]} <{_SKOS}relatedMatch> {_iri(xref)} .\n".encode())
        nodes = pa.array(iris, pa.string())
        words = pc.unique(_plain(tables.edges["relation"]))
        relations = pa.array([f"<{_BASE}relation/{_safe(w.replace(' ', '_'))}>" for w in words.to_pylist()], pa.string())
        for start, part in _edge_parts(tables):
            subject, obj = _ends(nodes, part)
            relation = relations.take(pc.index_in(_plain(part["relation"]), value_set=words))
            # an edge that says "not" must not be asserted as a plain triple
            plain = pc.invert(part["negated"].combine_chunks())
            _write_rows(out, subject.filter(plain), " ", relation.filter(plain), " ", obj.filter(plain), " .\n")
            number = pa.array(np.arange(start, start + part.num_rows)).cast(pa.string())
            edge = pc.binary_join_element_wise(f"<{_BASE}edge/", number, ">", "")
            _write_rows(
                out, edge, f" <{_RDF}subject> ", subject, " .\n", edge, f" <{_RDF}predicate> ", relation, " .\n", edge,
                f" <{_RDF}object> ", obj, " .\n", edge, f" <{_BASE}source> \"",
                _escaped(_plain(part["source"]), _NT_ESCAPES), "\" .\n", edge, f" <{_BASE}negated> \"",
                _flag(part["negated"]), "\" .\n", edge, f" <{_BASE}undirected> \"", _flag(part["undirected"]),
                "\" .\n", edge, f" <{_BASE}evidence> \"", _escaped(_plain(part["evidence"]), _NT_ESCAPES), "\" .\n")


# -- GraphML ----------------------------------------------------------------------------------------------------

_XML_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
_NOT_XML = {c: None for c in range(32) if c not in (9, 10, 13)}


def _graphml(tables: GraphTables, folder: Path) -> None:
    """One directed multigraph for Gephi, yEd, Cytoscape or networkx."""
    with (folder / "graph.graphml").open("wb") as out:
        keys = [("node", k) for k in ("name", "type", "definition", "sources", "synonyms")] + [
            ("edge", k) for k in ("relation", "display_relation", "source", "evidence", "negated", "undirected")]
        out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n'
                  b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for what, key in keys:
            kind = "boolean" if key in ("negated", "undirected") else "string"
            out.write(f'<key id="{what[0]}_{key}" for="{what}" attr.name="{key}" attr.type="{kind}"/>\n'.encode())
        out.write(b'<graph edgedefault="directed">\n')
        forms = _grouped(tables, "synonyms", ("form", "kind"))
        for row, own in zip(tables.nodes.to_pylist(), forms, strict=True):
            values = {"name": row["name"], "type": row["type"], "definition": row["definition"] or "",
                      "sources": row["sources"] or "", "synonyms": "|".join(f[0] for f in own if f[1] != "name")}
            data = "".join(f'<data key="n_{k}">{escape(v.translate(_NOT_XML))}</data>' for k, v in values.items() if v)
            out.write(f'<node id="{escape(row["id"], {chr(34): "&quot;"})}">{data}</node>\n'.encode())
        ids = _escaped(tables.nodes["id"].combine_chunks(), _XML_ESCAPES)
        for start, part in _edge_parts(tables):
            subject, obj = _ends(ids, part)
            number = pa.array(np.arange(start, start + part.num_rows)).cast(pa.string())
            columns: list[pa.Array | str] = ['<edge id="', number, '" source="', subject, '" target="', obj, '">']
            for key in ("relation", "display_relation", "source", "evidence"):
                columns += [f'<data key="e_{key}">', _escaped(_plain(part[key]), _XML_ESCAPES), "</data>"]
            for key in ("negated", "undirected"):
                columns += [f'<data key="e_{key}">', _flag(part[key]), "</data>"]
            _write_rows(out, *columns, "</edge>\n")
        out.write(b"</graph>\n</graphml>\n")


FORMATS: MappingProxyType[str, Callable[[GraphTables, Path], None]] = MappingProxyType(
    {"kgx": _kgx, "graphml": _graphml, "neo4j": _neo4j, "ntriples": _ntriples, "primekg": _primekg})
"""Export format -> its writer."""
