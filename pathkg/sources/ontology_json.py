"""Ontologies as JSON: OBO-graph documents, plain lists of terms, and OncoTree."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pathkg.errors import InputError
from pathkg.sources.curies import from_uri, normal_curie
from pathkg.sources.delimited import existing, read_all_text
from pathkg.sources.ontology_types import GO_NAMESPACES, LICENCES, RELATION_NAMES, TYPE_OF_PREFIX, type_of
from pathkg.sources.tables import (
    ALTERNATIVE_ID,
    DBXREF,
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
)

_SCOPES = {"hasExactSynonym": "exact", "hasRelatedSynonym": "related", "hasBroadSynonym": "broad",
           "hasNarrowSynonym": "narrow"}
_NEGATED_RELATIONS = frozenset({"excluded_subClassOf", "never_in_taxon"})
_NOT_EDGES = frozenset({"seeAlso", "should_conform_to"})


def read_ontology_json(path: str | os.PathLike[str], *, name: str = "") -> SourceTables:
    """Read a JSON ontology: OBO-graph (``{"graphs": …}``), a list of terms (``[{"id", "name", …}]``) or OncoTree.

    Args:
        path: the file (plain, gzip, zstd).
        name: source name; found from the content when empty.

    Raises:
        InputError: not JSON, or JSON of another shape.
    """
    file = existing(path)
    try:
        content = json.loads(read_all_text(file))
    except ValueError as error:
        raise InputError(f"{file.name} is not JSON: {error}", hint="is it a complete download?") from error
    report = ReadReport()
    builder = SourceBuilder(file.name, report)
    if isinstance(content, Mapping) and "graphs" in content:
        return _obograph(content, file, builder, report, name)
    if isinstance(content, list) and content and isinstance(content[0], Mapping) and "id" in content[0]:
        return _term_list(content, file, builder, report, name)
    if isinstance(content, Mapping) and "TISSUE" in content:
        return _oncotree(content, file, builder, name)
    raise InputError(f"{file.name} is JSON, but no OBO graph, list of terms or OncoTree",
                     hint="it should hold 'graphs', or a list of objects with 'id' and 'name', or 'TISSUE'")


# -- OBO graphs -------------------------------------------------------------------------------------------------


def _obograph(content: Mapping[str, Any], file: Path, builder: SourceBuilder, report: ReadReport,
              name: str) -> SourceTables:
    version, ontology = "", ""
    for graph in content["graphs"]:
        ontology = ontology or str(graph.get("id", ""))
        version = version or str(graph.get("meta", {}).get("version", ""))
        relations = {str(n.get("id", "")): str(n["lbl"]).replace(" ", "_") for n in graph.get("nodes", ())
                     if n.get("type") == "PROPERTY" and n.get("lbl")}
        for node in graph.get("nodes", ()):
            if node.get("type", "CLASS") == "CLASS":
                _obograph_node(node, builder, report)
        for edge in graph.get("edges", ()):
            _obograph_edge(edge, relations, builder, report)
    label = name or {"hp": "HPO"}.get(_stem(ontology).lower(), _stem(ontology).upper() or file.name.partition(".")[0])
    prefix = "HP" if label == "HPO" else label
    return builder.finish(SourceRecord(label, version, LICENCES.get(prefix, ""), ontology, files=(file_record(file),)))


def _stem(url: str) -> str:
    return url.rsplit("/", 1)[-1].removesuffix(".owl").removesuffix(".json")


def _obograph_node(node: Mapping[str, Any], builder: SourceBuilder, report: ReadReport) -> None:
    curie = from_uri(str(node.get("id", ""))) or normal_curie(str(node.get("id", "")))
    meta: Mapping[str, Any] = node.get("meta") or {}
    properties = [(str(p.get("pred", "")), str(p.get("val", ""))) for p in meta.get("basicPropertyValues", ())]
    report.count("terms")
    if meta.get("deprecated"):
        report.count("obsolete terms")
        for predicate, value in properties:
            if predicate.endswith("IAO_0100001"):
                builder.xref(from_uri(value) or normal_curie(value), curie, ALTERNATIVE_ID)
        return
    namespace = next((v for p, v in properties if p.endswith("hasOBONamespace")), "")
    type_ = type_of(curie, namespace)
    if not node.get("lbl") or not type_:
        report.count("terms without a label" if type_ else
                     f"terms of {curie.partition(':')[0]}: left out, not a vocabulary with a node type")
        return
    builder.node(curie, str(node["lbl"]), type_, str((meta.get("definition") or {}).get("val", "")))
    for synonym in meta.get("synonyms", ()):
        kind = "abbreviation" if "abbreviation" in str(synonym.get("synonymType", "")).lower() else _SCOPES.get(
            str(synonym.get("pred", "")), "related")
        builder.form(curie, str(synonym.get("val", "")), kind)
    for xref in meta.get("xrefs", ()):
        builder.xref(curie, from_uri(str(xref.get("val", ""))) or normal_curie(str(xref.get("val", ""))))
    for predicate, value in properties:
        tail = predicate.rsplit("#", 1)[-1]
        if tail in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch"):
            builder.xref(curie, from_uri(value) or normal_curie(value), f"skos:{tail}")
        elif tail == "hasAlternativeId":
            builder.xref(curie, normal_curie(value), ALTERNATIVE_ID)


def _obograph_edge(edge: Mapping[str, Any], relations: Mapping[str, str], builder: SourceBuilder,
                   report: ReadReport) -> None:
    ends = [from_uri(str(edge.get(k, ""))) or normal_curie(str(edge.get(k, ""))) for k in ("sub", "obj")]
    if any(e.partition(":")[0] not in TYPE_OF_PREFIX for e in ends):
        report.count("edges to a term of a vocabulary without a node type, left out")
        return
    predicate = str(edge.get("pred", ""))
    word = relations.get(predicate) or RELATION_NAMES.get(from_uri(predicate) or "", predicate.rsplit("/", 1)[-1])
    builder.edge(ends[0], word, ends[1])


# -- lists of terms ---------------------------------------------------------------------------------------------


def _term_list(terms: list[Any], file: Path, builder: SourceBuilder, report: ReadReport, name: str) -> SourceTables:
    report.count("terms", len(terms))
    prefix = ""
    for number, term in enumerate(terms, 1):
        if not isinstance(term, Mapping) or not term.get("id") or not term.get("name"):
            report.drop("term without an id or a name", file=file.name, line=None, text=f"entry {number}")
            continue
        namespace = str(term.get("namespace", ""))
        prefix = prefix or ("GO" if namespace in GO_NAMESPACES else namespace.upper())
        _listed_term(term, namespace, builder, report)
    label = name or {"HP": "HPO"}.get(prefix, prefix or file.name.partition(".")[0])
    return builder.finish(SourceRecord(label, "", LICENCES.get(prefix, ""), files=(file_record(file),)))


def _listed_term(term: Mapping[str, Any], namespace: str, builder: SourceBuilder, report: ReadReport) -> None:
    def full(identifier: str) -> str:
        return normal_curie(identifier if ":" in identifier else f"{namespace}:{identifier}")

    curie = full(str(term["id"]))
    type_ = type_of(curie, namespace)
    if not type_:
        report.count(f"terms of {curie.partition(':')[0]}: left out, not a vocabulary with a node type")
        return
    builder.node(curie, str(term["name"]), type_, str(term.get("definition") or ""))
    for form in term.get("synonyms", ()):
        builder.form(curie, str(form))
    for other in term.get("alt_ids", ()):
        builder.xref(curie, full(str(other)), ALTERNATIVE_ID)
    for xref in term.get("xrefs", ()):
        builder.xref(curie, normal_curie(f"{xref['namespace']}:{xref['id']}"))
    for relation, targets in term.get("relations", {}).items():
        if relation in _NOT_EDGES:
            report.count(f"{relation} entries, left out")
            continue
        for target in targets:
            end = full(str(target))
            if end.partition(":")[0] not in TYPE_OF_PREFIX:
                report.count("edges to a term of a vocabulary without a node type, left out")
            elif relation == "excluded_subClassOf":
                # its own relation, so that nobody walks it as is_a
                builder.edge(curie, "excluded_is_a", end, display="is not a kind of", negated=True)
            else:
                builder.edge(curie, relation, end, negated=relation in _NEGATED_RELATIONS)


# -- OncoTree ---------------------------------------------------------------------------------------------------


def _oncotree(content: Mapping[str, Any], file: Path, builder: SourceBuilder, name: str) -> SourceTables:
    """Level 1 are tissues, below them tumour types; the root is left out."""
    stack = [(child, "") for child in content["TISSUE"].get("children", {}).values()]
    while stack:
        node, parent = stack.pop()
        curie = f"ONCOTREE:{node['code']}"
        tissue = int(node.get("level", 2)) == 1
        builder.node(curie, str(node["name"]), "anatomy" if tissue else "disease")
        for prefix, codes in (node.get("externalReferences") or {}).items():
            for code in codes:
                builder.xref(curie, normal_curie(f"{prefix}:{code}"), DBXREF)
        for old in (*node.get("history", ()), *node.get("revocations", ())):
            builder.xref(curie, f"ONCOTREE:{old}", ALTERNATIVE_ID)
        if parent:
            parent_is_tissue = parent.endswith("\ttissue")
            builder.edge(curie, "arises_in" if parent_is_tissue else "is_a", parent.partition("\t")[0])
        mark = f"{curie}\ttissue" if tissue else curie
        stack += [(child, mark) for child in reversed(list(node.get("children", {}).values()))]
    version = file.name.removeprefix("oncotree_").partition(".")[0].replace("_", "-")
    return builder.finish(SourceRecord(name or "OncoTree", version, LICENCES["ONCOTREE"], "https://oncotree.info",
                                       files=(file_record(file),)))


