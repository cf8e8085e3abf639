"""OBO 1.2/1.4 ontologies: names, definitions, synonyms, cross-references and hierarchy."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pathkg.errors import InputError
from pathkg.sources.curies import from_uri, normal_curie
from pathkg.sources.delimited import existing, read_all_text
from pathkg.sources.ontology_types import GO_ROOTS, LICENCES, RELATION_NAMES, TYPE_OF_PREFIX, type_of
from pathkg.sources.tables import (
    ALTERNATIVE_ID,
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
)

_SYNONYM = re.compile(r'^"((?:[^"\\]|\\.)*)"\s*(EXACT|RELATED|BROAD|NARROW)?\s*([^\[]*)')
_QUOTED = re.compile(r'^"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_BLANK_ESCAPES = frozenset("ntW")
Stanza = list[tuple[int, str, str]]
"""Line number, tag and value of each line of a stanza."""


def read_obo(path: str | os.PathLike[str], *, name: str = "") -> SourceTables:
    """Read an OBO file (plain, gzip, zstd).

    Obsolete terms are counted, not kept; their ids become alternative ids of the term that replaces them. Terms of
    a vocabulary this package has no node type for (``BFO:``, ``PATO:`` in an import) are counted and left out.

    Args:
        path: the file.
        name: source name; the ontology's own header name when empty.

    Raises:
        InputError: missing, damaged, or without a single term.
    """
    file = existing(path)
    report = ReadReport()
    builder = SourceBuilder(file.name, report)
    header: dict[str, str] = {}
    terms: list[Stanza] = []
    relation_names = dict(RELATION_NAMES)
    for kind, stanza in _stanzas(read_all_text(file), file.name, report):
        if kind == "header":
            header.update({tag: value for _, tag, value in stanza})
        elif kind == "Typedef":
            _learn_relation(stanza, relation_names)
        elif kind == "Term":
            terms.append(stanza)
    if not terms:
        raise InputError(f"{file.name} holds no [Term]", hint="is it an OBO file?")
    report.count("terms", len(terms))
    types = _go_types(terms)
    for stanza in terms:
        _term(stanza, builder, relation_names, types, report)
    label = name or _label(header.get("ontology", ""), file)
    record = SourceRecord(label, header.get("data-version", ""), LICENCES.get(_main_prefix(terms), ""),
                          f"http://purl.obolibrary.org/obo/{label.lower()}.obo", files=(file_record(file),))
    return builder.finish(record)


def _label(ontology: str, file: Path) -> str:
    stem = ontology.rsplit("/", 1)[-1].removesuffix(".obo").removesuffix(".owl").removesuffix("_import")
    known = {"hp": "HPO", "mondo": "MONDO", "uberon": "UBERON", "go": "GO", "cl": "CL", "doid": "DOID"}
    return known.get(stem.lower(), stem or file.name.partition(".")[0])


def _main_prefix(terms: list[Stanza]) -> str:
    prefixes = Counter(value.partition(":")[0] for stanza in terms for _, tag, value in stanza[:1] if tag == "id")
    return prefixes.most_common(1)[0][0] if prefixes else ""


def _stanzas(text: str, file: str, report: ReadReport) -> Iterator[tuple[str, Stanza]]:
    kind = "header"
    stanza: Stanza = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("[") and line.rstrip().endswith("]"):
            yield kind, stanza
            kind, stanza = line.strip()[1:-1], []
        elif line and not line.startswith("!"):
            tag, colon, value = line.partition(":")
            if colon and "\x00" not in line:
                stanza.append((number, tag, value.strip()))
            else:
                report.drop("line that is not 'tag: value'", file=file, line=number, text=line)
    yield kind, stanza


def _learn_relation(stanza: Stanza, names: dict[str, str]) -> None:
    values = {tag: value for _, tag, value in stanza}
    if "id" in values:
        curie = normal_curie(values["id"])
        names.setdefault(curie, values.get("name", curie).replace(" ", "_"))


def _go_types(terms: list[Stanza]) -> dict[str, str]:
    """Types of GO terms in files that do not state a namespace: that of the root they are a kind of."""
    parents = {}
    for stanza in terms:
        values = {tag: value for _, tag, value in stanza if tag == "id"}
        if values.get("id", "").startswith("GO:"):
            parents[values["id"]] = [_target(v) for _, tag, v in stanza if tag == "is_a"]
    types: dict[str, str] = dict(GO_ROOTS)
    for curie in parents:
        path, here = [], curie
        while here not in types and here not in path and parents.get(here):
            path.append(here)
            here = next((p for p in parents[here] if p.startswith("GO:")), "")
        types.update({p: types.get(here, "") for p in path})
    return types


def _target(value: str) -> str:
    return normal_curie(value.partition("!")[0].partition("{")[0].strip())


def _text(value: str) -> str:
    match = _QUOTED.match(value)
    return _unescaped(match.group(1)) if match else value


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: " " if m.group(1) in _BLANK_ESCAPES else m.group(1), text)


def _term(stanza: Stanza, builder: SourceBuilder, relations: dict[str, str], go_types: dict[str, str],
          report: ReadReport) -> None:
    fields: dict[str, list[str]] = {}
    for _, tag, value in stanza:
        fields.setdefault(tag, []).append(value)
    line = stanza[0][0] if stanza else 0
    if "id" not in fields or "name" not in fields:
        report.drop("term without an id or a name", file=builder.file, line=line, text=fields.get("id", [""])[0])
        return
    curie = normal_curie(fields["id"][0])
    if fields.get("is_obsolete", ["false"])[0].startswith("true"):
        report.count("obsolete terms")
        for value in fields.get("replaced_by", []):
            builder.xref(_target(value), curie, ALTERNATIVE_ID)
        return
    type_ = type_of(curie, fields.get("namespace", [""])[0]) or go_types.get(curie, "")
    if not type_:
        report.count(f"terms of {curie.partition(':')[0]}: left out, not a vocabulary with a node type" if
                     curie.partition(":")[0] not in TYPE_OF_PREFIX else "terms without a type")
        return
    definition = _text(fields["def"][0]) if "def" in fields else ""
    builder.node(curie, fields["name"][0].partition(" {")[0], type_, definition, line=line)
    for value in fields.get("synonym", []):
        match = _SYNONYM.match(value)
        if match is None:
            report.drop("synonym that is not quoted", file=builder.file, line=line, text=value)
            continue
        kind = "abbreviation" if "abbreviation" in match.group(3).lower() else (match.group(2) or "RELATED").lower()
        builder.form(curie, _unescaped(match.group(1)), kind)
    for value in fields.get("xref", []):
        xref = _xref(value)
        if xref:
            builder.xref(curie, xref)
    for value in fields.get("alt_id", []):
        builder.xref(curie, _target(value), ALTERNATIVE_ID)
    for value in fields.get("property_value", []):
        relation, _, rest = value.partition(" ")
        if relation in ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch"):
            target = rest.split(" ")[0].strip('"')
            builder.xref(curie, from_uri(target) or normal_curie(target), relation)
    for value in fields.get("is_a", []):
        _edge(builder, curie, "is_a", _target(value), report)
    for value in fields.get("relationship", []):
        relation, _, rest = value.partition(" ")
        word = normal_curie(relation) if ":" in relation else relation
        _edge(builder, curie, relations.get(word, word), _target(rest), report)


def _xref(value: str) -> str:
    text = value.partition(' "')[0].partition(" {")[0].strip()
    return from_uri(text) or normal_curie(text) if ":" in text else ""


def _edge(builder: SourceBuilder, subject: str, relation: str, object_: str, report: ReadReport) -> None:
    if object_.partition(":")[0] not in TYPE_OF_PREFIX:
        report.count("edges to a term of a vocabulary without a node type, left out")
    else:
        builder.edge(subject, relation, object_)
