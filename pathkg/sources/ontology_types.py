"""What type the terms of a vocabulary are, by prefix and namespace; shared by the ontology readers."""

from __future__ import annotations

from types import MappingProxyType

TYPE_OF_PREFIX = MappingProxyType({
    "MONDO": "disease", "DOID": "disease", "ONCOTREE": "disease", "Orphanet": "disease", "OMIM": "disease",
    "HP": "effect/phenotype", "MP": "effect/phenotype", "UBERON": "anatomy", "FMA": "anatomy", "CARO": "anatomy",
    "CL": "cell", "HGNC": "gene/protein", "NCBIGene": "gene/protein",
    "REACTOME": "pathway", "GO": "", "MPATH": "morphology",
})
"""An empty type: the namespace or the top term decides."""

GO_NAMESPACES = frozenset({"biological_process", "molecular_function", "cellular_component"})
GO_ROOTS = MappingProxyType({"GO:0008150": "biological_process", "GO:0003674": "molecular_function",
                             "GO:0005575": "cellular_component"})

RELATION_NAMES = MappingProxyType({
    "BFO:0000050": "part_of", "BFO:0000051": "has_part", "BFO:0000066": "occurs_in", "RO:0002202": "develops_from",
    "RO:0002211": "regulates", "RO:0002212": "negatively_regulates", "RO:0002213": "positively_regulates",
    "RO:0001025": "located_in", "RO:0002200": "has_phenotype", "RO:0004026": "disease_has_location",
    "RO:0004027": "disease_has_inflammation_site", "RO:0002162": "in_taxon", "RO:0002160": "only_in_taxon",
})
"""Names of common relations where a file gives only their ids."""

LICENCES = MappingProxyType({
    "MONDO": "CC BY 4.0", "HP": "HPO licence (attribution, unaltered)", "GO": "CC BY 4.0", "UBERON": "CC BY 3.0",
    "CL": "CC BY 4.0", "HGNC": "CC0 1.0", "DOID": "CC0 1.0", "ONCOTREE": "CC BY 4.0",
})


def type_of(curie: str, namespace: str = "") -> str:
    """The node type of a term, or an empty string if its vocabulary has none of its own.

    Example:
        >>> type_of("HP:0000001"), type_of("GO:0005634", "cellular_component"), type_of("BFO:0000001")
        ('effect/phenotype', 'cellular_component', '')
    """
    if namespace in GO_NAMESPACES:
        return namespace
    return TYPE_OF_PREFIX.get(curie.partition(":")[0], "")
