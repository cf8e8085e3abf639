"""PathoGraph: PathoML's schema, the tumour pathology ontology, and instance graphs of slides and diagnoses.

The ontology's ``someValuesFrom`` restrictions become edges between concepts (``has_not_…`` ones are negated).
Instance graphs describe thousands of single cells by file-local ids (``#Slide1``). They are read in full, and each
statement between two instances that stand for concepts (by their cross-reference) becomes one edge between those
concepts, with the number of instances as evidence. With ``instances=True`` every instance is a node of its own,
its id made unique by the file's name.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pathkg.errors import InputError
from pathkg.sources.curies import from_uri
from pathkg.sources.rdfxml import Element, is_legal_name, read_rdfxml
from pathkg.sources.tables import (
    ReadReport,
    SourceBuilder,
    SourceRecord,
    SourceTables,
    file_record,
)

_ENDINGS = (".owl", ".xml", ".owl.gz", ".xml.gz", ".rdf", ".rdf.gz")
_NOT_RDF = "catalog-v001.xml"  # Protégé's catalogue of imports
SCHEMA_FILE = "PathoML.owl"

# the classes whose descendants decide a node's type in the tumour pathology ontology
_ROOT_TYPES = MappingProxyType({
    "TPO:0000003": "disease", "NCIT:C18000": "grade", "NCIT:C83490": "morphology", "GO:0005575": "cellular_component",
    "HISTO:0000055": "cell", "HISTO:0000037": "cellular_component", "NCIT:C18009": "anatomy",
    "FMA:62955": "anatomy", "TPO:0000056": "grade"})
_INSTANCE_TYPES = MappingProxyType({
    "Diagnosis": "disease", "Final_Diagnosis": "disease", "Differential_Diagnosis": "disease",
    "Phenotype": "morphology", "Cellular_Appearances": "morphology", "Architectural_Pattern": "morphology",
    "Immunophenotype": "marker_result", "Histopathological_Phenotype": "morphology",
    "Cytopathological_Phenotype": "morphology", "Quantitative_Metric": "morphology",
    "Quantitative_Indicator": "morphology", "NeoplasticCell": "cell", "StromaCell": "cell", "NormalCell": "cell",
    "CellReference": "cell", "NeoplasticCellularComponent": "cellular_component",
    "StromaCellularComponent": "cellular_component", "NormalCellularComponent": "cellular_component",
    "CellularComponentReference": "cellular_component", "Tumor": "anatomy", "Parenchyma": "anatomy",
    "Stroma": "anatomy", "Other_ParenchymaEntity": "anatomy", "Other_StromaEntity": "anatomy",
    "Other_NormalEntity": "anatomy", "Other_AnatomicalEntityReference": "anatomy", "Antigen": "marker",
    "Protein": "marker", "ProteinReference": "marker", "HE_Slide": "specimen", "IHC_Slide": "specimen",
    "HE_Patch": "specimen", "DiagnosisProcess": "procedure", "DiagnosisStep": "procedure",
    "DiagnosisStage": "procedure", "Substance": "morphology", "SubstanceReference": "morphology",
    "EntityAttribute": "morphology"})
_OPPOSING = frozenset({"hasOpposeEvidence", "hasContradictEvidence", "hasNotAttribute", "unexpress",
                       "unexpressed_in"})
_STRUCTURAL = frozenset({"hasXref", "entityReference"})
"""Properties that say what an instance stands for; they are followed, not turned into edges."""


@dataclass(slots=True)
class _Schema:
    classes: dict[str, str] = field(default_factory=dict)
    properties: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Instance:
    """One instance of a file: class, name, links to other ids (property, id, line), the URIs of an Xref."""

    cls: str
    line: int
    name: str = ""
    uris: list[str] = field(default_factory=list)
    links: list[tuple[str, str, int]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)


def read_pathograph(path: str | os.PathLike[str], *, instances: bool = False, schema: str | os.PathLike[str] | None = None,
                    version: str = "") -> SourceTables:
    """Read PathoML files.

    Args:
        path: one file, or a folder searched through (``.owl``, ``.xml``, ``.rdf``, each also ``.gz``).
        instances: keep every instance as a node.
        schema: the PathoML schema to check terms against; found in the folder when ``None``.
        version: goes into the manifest.

    Raises:
        InputError: nothing to read there.
    """
    place = Path(path)
    files = sorted(_files(place))
    if not files:
        raise InputError(f"{place} holds no PathoML file", hint="files end in .owl, .xml or .rdf, also with .gz")
    report = ReadReport()
    builder = SourceBuilder(place.name, report)
    known = _Schema()
    schemas = [Path(schema)] if schema else [f for f in files if f.name == SCHEMA_FILE]
    for file in schemas:
        _learn_schema(file, known)
    hierarchy: dict[str, list[str]] = {}
    support: dict[tuple[str, str, str, bool], Counter[str]] = defaultdict(Counter)
    parsed = []
    for file in files:
        try:
            parsed.append((file, read_rdfxml(file, report)))
        except InputError as error:
            report.drop("file without RDF", file=file.name, text=error.message)
    report.count("files", len(parsed))
    # ontologies first: their labels name the concepts better than one slide's display names
    parsed.sort(key=lambda item: _holds_instances(item[1]))
    for file, elements in parsed:
        builder.file = file.name
        if file.name == SCHEMA_FILE or not _holds_instances(elements):
            _read_ontology(elements, builder, hierarchy, is_schema=file.name == SCHEMA_FILE)
        else:
            _read_instances(elements, file, builder, known, support, keep=instances)
    used = sorted(file for file, _ in parsed)
    for (subject, relation, object_, negated), slides in sorted(support.items()):
        files_word = "file" if len(slides) == 1 else "files"
        evidence = f"{sum(slides.values())} instances in {len(slides)} {files_word}: {', '.join(sorted(slides)[:3])}"
        builder.edge(subject, relation, object_, negated=negated,
                     evidence=evidence + (", …" if len(slides) > 3 else ""))
    report.count("statements between concepts", len(support))
    return builder.finish(SourceRecord(
        "PathoGraph", version, "Apache-2.0 (schema and examples); slide graphs: none stated",
        "https://github.com/Peiliang/PathoML", files=tuple(file_record(f) for f in used)))


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for file in place.rglob("*"):
        if file.is_file() and file.name.endswith(_ENDINGS) and file.name != _NOT_RDF:
            yield file


def _learn_schema(file: Path, schema: _Schema) -> None:
    for element in read_rdfxml(file, ReadReport()):
        name = element.get("about").rpartition("#")[2]
        if element.local == "Class":
            parents = element.find_all("subClassOf")
            schema.classes[name] = parents[0].get("resource").rpartition("#")[2] if parents else ""
        elif element.local in ("ObjectProperty", "DatatypeProperty"):
            schema.properties.add(name)


def _holds_instances(elements: list[Element]) -> bool:
    return any("PathoML.owl#" in e.tag for e in elements)


# -- ontologies ------------------------------------------------------------------------------------------------


def _read_ontology(elements: list[Element], builder: SourceBuilder, hierarchy: dict[str, list[str]], *,
                   is_schema: bool) -> None:
    report = builder.report
    labels = {e.get("about"): _label_of(e) for e in elements if e.local in ("Class", "ObjectProperty")}
    classes = [e for e in elements if e.local == "Class" and e.get("about")]
    for element in classes:
        curie = from_uri(element.get("about"))
        if curie:
            hierarchy.setdefault(curie, [])
            hierarchy[curie] += [p for p in (from_uri(s.get("resource")) for s in element.find_all("subClassOf")) if p]
    for element in classes:
        curie = from_uri(element.get("about"))
        if curie is None:
            report.drop("class whose URI is not known", file=builder.file, line=element.line,
                        text=element.get("about"))
            continue
        report.count("schema classes" if is_schema else "ontology classes")
        if is_schema:
            continue  # PathoML's 53 classes say how to write a graph; they are no pathology concepts
        _ontology_class(element, curie, labels, builder, hierarchy)
    report.count("schema properties" if is_schema else "ontology properties",
                 sum(1 for e in elements if e.local in ("ObjectProperty", "DatatypeProperty")))


def _label_of(element: Element) -> str:
    found = element.find_all("label") or element.find_all("prefLabel")
    return found[0].text.strip() if found else ""


def _type_from(curie: str, hierarchy: dict[str, list[str]]) -> str:
    queue, seen = [curie], set()
    while queue:
        here = queue.pop(0)
        if here in _ROOT_TYPES:
            return _ROOT_TYPES[here]
        if here not in seen:
            seen.add(here)
            queue += hierarchy.get(here, [])
    return "morphology"


def _ontology_class(element: Element, curie: str, labels: dict[str, str], builder: SourceBuilder,
                    hierarchy: dict[str, list[str]]) -> None:
    name = _label_of(element) or curie.partition(":")[2].replace("_", " ")
    definition = next((c.text.strip() for c in element.find_all("IAO_0000115")), "")
    builder.node(curie, name, _type_from(curie, hierarchy), definition, line=element.line)
    for synonym in element.find_all("hasExactSynonym"):
        builder.form(curie, synonym.text.strip())
    for parent in hierarchy.get(curie, ()):
        builder.edge(curie, "is_a", parent)
    for tag in ("equivalentClass", "subClassOf"):
        for axiom in element.find_all(tag):
            for relation, target, note in _restrictions(axiom, labels, builder):
                negated = "_not_" in relation
                builder.edge(curie, relation.replace("_not_", "_"), target, negated=negated, evidence=note)
                builder.report.count("someValuesFrom restrictions turned into edges")


def _restrictions(element: Element, labels: dict[str, str], builder: SourceBuilder) -> Iterator[tuple[str, str, str]]:
    """``(relation, target CURIE, note)`` of each ``someValuesFrom`` below an axiom."""
    for child in element.children:
        if child.local != "Restriction":
            yield from _restrictions(child, labels, builder)
            continue
        on = next((c.get("resource") for c in child.find_all("onProperty")), "")
        relation = (labels.get(on) or on.rpartition("/")[2]).replace(" ", "_")
        for some in child.find_all("someValuesFrom"):
            target = from_uri(some.get("resource")) if some.get("resource") else None
            note = ""
            if target is None:
                # an anonymous class: its named part is the target, its numeric bounds are the note
                named = [from_uri(e.get("about")) for e in _walk(some) if e.local == "Description" and e.get("about")]
                target = next((n for n in named if n), None)
                note = _bounds(some)
            if target is None:
                builder.report.drop("restriction without a named target", file=builder.file, line=some.line)
            else:
                yield relation, target, note


def _walk(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _walk(child)


def _bounds(element: Element) -> str:
    signs = {"minInclusive": ">=", "minExclusive": ">", "maxInclusive": "<=", "maxExclusive": "<"}
    return ", ".join(f"value {signs[e.local]} {e.text.strip()}" for e in _walk(element) if e.local in signs)


# -- instance graphs -------------------------------------------------------------------------------------------


def _read_instances(elements: list[Element], file: Path, builder: SourceBuilder, schema: _Schema,
                    support: dict[tuple[str, str, str, bool], Counter[str]], *, keep: bool) -> None:
    report = builder.report
    stem = file.name.partition(".xml")[0].partition(".owl")[0].replace(" ", "_")
    found: dict[str, _Instance] = {}
    for element in elements:
        if element.local in ("Ontology", "Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty"):
            continue
        _one_instance(element, file, found, schema, report)
    report.count("instances", len(found))
    concepts = {key: list(_concepts(key, found)) for key in found}
    for key, instance in found.items():
        if keep:
            _keep_instance(key, instance, stem, builder, found, concepts)
        for relation, target, line in instance.links:
            if target not in found:
                report.drop("reference to an id that the file lacks", file=file.name, line=line, text=f"#{target}")
                continue
            report.count("statements")
            if relation in _STRUCTURAL:
                continue
            for a in concepts[key]:
                for b in concepts[target]:
                    if a != b:
                        support[a, relation, b, relation in _OPPOSING][stem] += 1
    for key, ids in concepts.items():
        instance = found[key]
        for curie in ids:
            if not builder.name_of(curie) and instance.cls in _INSTANCE_TYPES and instance.name:
                builder.node(curie, instance.name, _INSTANCE_TYPES[instance.cls], line=instance.line)


def _one_instance(element: Element, file: Path, found: dict[str, _Instance], schema: _Schema,
                  report: ReadReport) -> None:
    cls = element.local
    identifier = element.get("ID") or element.get("about").lstrip("#") or element.get("nodeID")
    if not identifier:
        report.drop("instance without an id", file=file.name, line=element.line, text=cls)
        return
    if not is_legal_name(identifier):
        report.repair("id that is no legal XML name, kept as written", file=file.name, line=element.line,
                      text=identifier)
    if schema.classes and cls not in schema.classes:
        report.repair("class that the schema lacks, kept", file=file.name, line=element.line, text=cls)
    instance = found.get(identifier)
    if instance is None:
        instance = found[identifier] = _Instance(cls, element.line)
    elif instance.cls != cls:
        report.repair("id used by two classes, first kept", file=file.name, line=element.line, text=identifier)
    else:
        report.count("ids given twice in one file, united")
    for child in element.children:
        name = child.local
        if schema.properties and name not in schema.properties:
            report.repair("property that the schema lacks, kept", file=file.name, line=child.line, text=name)
        target = child.get("resource").lstrip("#")
        if target:
            instance.links.append((name, target, child.line))
        elif name == "displayName":
            instance.name = child.text.strip()
        elif name == "uri":
            instance.uris.append(child.text.strip())
        else:
            instance.values[name] = child.text.strip()


def _concepts(key: str, found: dict[str, _Instance]) -> Iterator[str]:
    """The concepts an instance stands for: its own cross-references, else those of the entity it refers to."""
    own = dict.fromkeys(_xrefs(key, found))
    if not own:
        for relation, target, _ in found[key].links:
            if relation == "entityReference" and target in found:
                own.update(dict.fromkeys(_xrefs(target, found)))
    yield from own


def _xrefs(key: str, found: dict[str, _Instance]) -> Iterator[str]:
    for relation, target, _ in found[key].links:
        if relation == "hasXref" and target in found:
            for uri in found[target].uris:
                curie = from_uri(uri)
                if curie:
                    yield curie


def _keep_instance(key: str, instance: _Instance, stem: str, builder: SourceBuilder, found: dict[str, _Instance],
                   concepts: dict[str, list[str]]) -> None:
    type_ = _INSTANCE_TYPES.get(instance.cls)
    if type_ is None:
        return
    curie = f"PATHOML:{stem}#{key}"
    note = "; ".join(f"{k}: {v}" for k, v in sorted(instance.values.items()))
    builder.node(curie, instance.name or key, type_, note, line=instance.line)
    for concept in concepts[key]:
        builder.edge(curie, "instance_of", concept)
    for relation, target, _ in instance.links:
        if relation not in _STRUCTURAL and target in found and found[target].cls in _INSTANCE_TYPES:
            builder.edge(curie, relation, f"PATHOML:{stem}#{target}", negated=relation in _OPPOSING)


