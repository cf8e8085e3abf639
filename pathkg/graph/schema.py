"""Node types, relations and what each of them means.

The first ten node types are PrimeKG's; the rest is the pathology layer. Biolink classes follow the Biolink model
(https://biolink.github.io/biolink-model/); a type without a close class maps to the nearest broader one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

FORMAT_VERSION = 2
"""Version of the store folder's layout. A reader refuses a store with another version."""

BIOLINK_CLASS = MappingProxyType({
    "gene/protein": "biolink:Gene",
    "drug": "biolink:Drug",
    "effect/phenotype": "biolink:PhenotypicFeature",
    "disease": "biolink:Disease",
    "biological_process": "biolink:BiologicalProcess",
    "molecular_function": "biolink:MolecularActivity",
    "cellular_component": "biolink:CellularComponent",
    "exposure": "biolink:ExposureEvent",
    "pathway": "biolink:Pathway",
    "anatomy": "biolink:AnatomicalEntity",
    "morphology": "biolink:PhenotypicFeature",
    "cell": "biolink:Cell",
    "stage": "biolink:DiseaseOrPhenotypicFeature",
    "grade": "biolink:DiseaseOrPhenotypicFeature",
    "marker": "biolink:NamedThing",
    "marker_result": "biolink:PhenotypicFeature",
    "procedure": "biolink:Procedure",
    "specimen": "biolink:MaterialSample",
})
"""Node type -> Biolink class."""

NODE_TYPES: tuple[str, ...] = tuple(BIOLINK_CLASS)

FINDING_TYPES = frozenset({"morphology", "effect/phenotype", "marker_result", "cell", "stage", "grade"})
"""Types of what is seen on a slide or measured, as against what is concluded."""

_FINDING = frozenset({"morphology", "effect/phenotype"})
_D = frozenset({"disease"})
_ANATOMY = frozenset({"anatomy"})


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of the bundled core: what may stand left and right of it, and how it reads."""

    subject_types: frozenset[str]
    object_types: frozenset[str]
    phrase: str
    symmetric: bool = False


def _relation(subject: frozenset[str] | set[str], obj: frozenset[str] | set[str], phrase: str, *,
              symmetric: bool = False) -> Relation:
    return Relation(frozenset(subject), frozenset(obj), phrase, symmetric)


CORE_RELATIONS = MappingProxyType({
    "is_a": _relation(set(), set(), "is a kind of"),
    "part_of": _relation({"anatomy", "cell"}, _ANATOMY, "is part of"),
    "arises_in": _relation(_D, {"anatomy", "cell"}, "arises in"),
    "has_morphology": _relation(_D, _FINDING, "typically shows"),
    "has_growth_pattern": _relation(_D, _FINDING, "grows in the pattern"),
    "has_cytologic_feature": _relation(_D, _FINDING | {"cell"}, "has the cytologic feature"),
    "has_stromal_feature": _relation(_D, _FINDING | {"cell"}, "has the stromal feature"),
    "supports": _relation(_FINDING | {"marker_result", "stage", "grade"}, _D, "supports"),
    "opposes": _relation(_FINDING | {"marker_result"}, _D, "argues against"),
    "stains_positive_for": _relation({"disease", "cell"}, {"marker"}, "stains positive for"),
    "stains_negative_for": _relation({"disease", "cell"}, {"marker"}, "stains negative for"),
    "has_genetic_alteration": _relation(_D, {"gene/protein", "marker"}, "carries alterations of"),
    "result_of": _relation({"marker_result"}, {"marker"}, "is a result of"),
    "encodes_target_of": _relation({"gene/protein"}, {"marker"}, "encodes the target of"),
    "differential_of": _relation(_D, _D, "is a differential diagnosis of", symmetric=True),
    "precursor_of": _relation({"disease", "morphology"}, _D, "is a precursor of"),
    "graded_by": _relation(_D, {"grade"}, "is graded by"),
    "defined_by": _relation({"stage", "grade"}, _FINDING | {"anatomy", "marker_result", "disease"},
                            "is defined by"),
    "stage_of": _relation({"stage"}, _D, "is a stage of"),
    "invades": _relation(_D, _ANATOMY, "invades"),
    "spreads_to": _relation(_D, _ANATOMY, "spreads to"),
    "drains_to": _relation(_ANATOMY, _ANATOMY, "drains to"),
    "associated_with": _relation(_FINDING | {"disease"}, _FINDING | {"disease"}, "is associated with",
                                 symmetric=True),
    "has_prognostic_factor": _relation(_D, _FINDING | {"stage", "grade", "marker_result"},
                                       "has the prognostic factor"),
    "obtained_by": _relation({"specimen"}, {"procedure"}, "is obtained by"),
    "removes": _relation({"procedure"}, _ANATOMY, "removes"),
})
"""The bundled core's relations. ``is_a`` joins two nodes of one type."""

OPPOSING_RELATIONS = frozenset({"opposes", "stains_negative_for", "hasOpposeEvidence", "hasContradictEvidence",
                                "phenotype absent", "disease_phenotype_negative", "expression absent",
                                "anatomy_protein_absent", "contraindication"})
"""Relations that speak against. An absent finding may travel only these, or negated edges."""


def relation_phrase(relation: str) -> str:
    """The relation as a person would say it.

    Example:
        >>> relation_phrase("opposes"), relation_phrase("drug_protein")
        ('argues against', 'drug protein')
    """
    known = CORE_RELATIONS.get(relation)
    return known.phrase if known else relation.replace("_", " ")
