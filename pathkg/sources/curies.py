"""One spelling per identifier: PrimeKG's bare ids, URIs and the many prefix spellings, all to CURIEs."""

from __future__ import annotations

import re
from types import MappingProxyType

from pathkg.errors import InputError, did_you_mean

GROUP_PREFIX = "MONDO_grouped"
"""PrimeKG joins MONDO numbers with ``_`` for a disease group; the group keeps that id under this prefix."""
INDEX_PREFIX = "PRIMEKG.INDEX"
"""For files that name PrimeKG nodes by row number only (``SMAD3_(144)``)."""

_PADDED = MappingProxyType({"MONDO": "MONDO", "HPO": "HP", "GO": "GO", "UBERON": "UBERON"})
_PLAIN = MappingProxyType({"NCBI": "NCBIGene", "DrugBank": "DrugBank", "CTD": "CTD", "REACTOME": "REACTOME"})
PRIMEKG_SOURCES = (*_PADDED, *_PLAIN, GROUP_PREFIX)
"""The nine values of PrimeKG's ``x_source``."""
SOURCE_OF_TYPE = MappingProxyType({
    "gene/protein": "NCBI", "drug": "DrugBank", "effect/phenotype": "HPO", "disease": "MONDO",
    "biological_process": "GO", "molecular_function": "GO", "cellular_component": "GO", "exposure": "CTD",
    "pathway": "REACTOME", "anatomy": "UBERON"})
"""PrimeKG's node types, and the source of their ids where a file does not name it."""

_OBO_DIGITS = 7
_CURIE_PREFIX_OF_PADDED = {curie: source for source, curie in _PADDED.items()}
_BACK = {curie: source for source, curie in _PLAIN.items()}


def from_primekg(source: str, identifier: str) -> str:
    """The CURIE of a PrimeKG id, which has no prefix and has lost its leading zeros.

    Args:
        source: the ``x_source`` column.
        identifier: the ``x_id`` column; ``15999.0`` (a number that went through a float column) is read as 15999.

    Raises:
        InputError: an unknown source, or an id that is not of its source's form.

    Example:
        >>> from_primekg("HPO", "2344"), from_primekg("NCBI", "4536"), from_primekg("MONDO_grouped", "10079_16781")
        ('HP:0002344', 'NCBIGene:4536', 'MONDO_grouped:10079_16781')
    """
    value = identifier.strip()
    if value.endswith(".0"):
        value = value[:-2]
    if source in _PADDED:
        if "_" in value and source == "MONDO":
            return from_primekg(GROUP_PREFIX, value)
        if not value.isascii() or not value.isdigit() or len(value) > _OBO_DIGITS:
            raise InputError(f"{identifier!r} is not an id of source {source}", hint="a number of up to 7 digits")
        return f"{_PADDED[source]}:{value.zfill(_OBO_DIGITS)}"
    if source == GROUP_PREFIX:
        if not all(part.isdigit() and part.isascii() for part in value.split("_")):
            raise InputError(f"{identifier!r} is not a disease group", hint="MONDO numbers joined by '_'")
        return f"{GROUP_PREFIX}:{value}"
    if source in _PLAIN:
        if not value or any(c.isspace() for c in value):
            raise InputError(f"{identifier!r} is not an id of source {source}")
        return f"{_PLAIN[source]}:{value}"
    if source in KNOWN_PREFIXES and value:
        return f"{source}:{value}"  # an export of a merged graph in PrimeKG's columns
    raise InputError(f"{source!r} is not a PrimeKG source",
                     hint=did_you_mean(source, PRIMEKG_SOURCES) or f"one of {', '.join(PRIMEKG_SOURCES)}")


def to_primekg(curie: str) -> tuple[str, str]:
    """``(id, source)`` as PrimeKG writes them; a CURIE that PrimeKG has no place for keeps its prefix as source.

    Example:
        >>> to_primekg("HP:0002344"), to_primekg("PATHKG:keratin-pearl")
        (('2344', 'HPO'), ('keratin-pearl', 'PATHKG'))
    """
    prefix, _, local = curie.partition(":")
    if prefix in _CURIE_PREFIX_OF_PADDED and local.isdigit() and len(local) == _OBO_DIGITS:
        return local.lstrip("0") or "0", _CURIE_PREFIX_OF_PADDED[prefix]
    return local, _BACK.get(prefix, prefix)


def group_members(curie: str) -> list[str]:
    """The MONDO CURIEs of a PrimeKG disease group.

    Example:
        >>> group_members("MONDO_grouped:10079_16781")
        ['MONDO:0010079', 'MONDO:0016781']
    """
    return [f"MONDO:{part.zfill(_OBO_DIGITS)}" for part in curie.partition(":")[2].split("_")]


_SPELLINGS = MappingProxyType({
    "msh": "MESH", "mesh": "MESH", "nci": "NCIT", "ncit": "NCIT", "snomedct_us": "SNOMEDCT", "sctid": "SNOMEDCT",
    "snomedct": "SNOMEDCT", "orpha": "Orphanet", "orphanet": "Orphanet", "orphanet.ordo": "Orphanet",
    "umls_cui": "UMLS", "umls": "UMLS", "mim": "OMIM", "omim": "OMIM", "omimps": "OMIMPS", "omim.ps": "OMIMPS",
    "entrez": "NCBIGene", "ncbigene": "NCBIGene", "ncbi gene": "NCBIGene", "ncbi": "NCBIGene", "hgnc": "HGNC",
    "doid": "DOID", "mondo": "MONDO", "hp": "HP", "hpo": "HP", "efo": "EFO", "go": "GO", "uberon": "UBERON",
    "cl": "CL", "fma": "FMA", "oncotree": "ONCOTREE", "drugbank": "DrugBank", "reactome": "REACTOME",
    "chebi": "CHEBI", "ctd": "CTD", "uniprot": "UniProtKB", "uniprotkb": "UniProtKB", "ensembl": "ENSEMBL",
    "icd10cm": "ICD10CM", "icd10": "ICD10", "icd9": "ICD9", "icd9cm": "ICD9", "icdo": "ICDO", "icd-o": "ICDO",
    "icd11.foundation": "ICD11", "icd11": "ICD11", "meddra": "MedDRA", "gard": "GARD", "pato": "PATO", "so": "SO",
    "pr": "PR", "ncbitaxon": "NCBITaxon", "ma": "MA", "emapa": "EMAPA", "cmpo": "CMPO", "chembl": "CHEMBL",
})


def normal_curie(text: str) -> str:
    """A CURIE with the prefix spelled as this project spells it; other text comes back stripped.

    Example:
        >>> normal_curie("SNOMEDCT_US:263681008"), normal_curie("mesh:D004194"), normal_curie("mondo:0005097")
        ('SNOMEDCT:263681008', 'MESH:D004194', 'MONDO:0005097')
    """
    prefix, colon, local = text.strip().partition(":")
    if not colon:
        return text.strip()
    local = local.strip()
    known = _SPELLINGS.get(prefix.lower(), prefix)
    if local.lower().startswith(f"{prefix.lower()}:"):  # GO:GO:0005634 in some exports
        local = local[len(prefix) + 1:]
    return f"{known}:{local}"


KNOWN_PREFIXES = frozenset(_SPELLINGS.values()) | {"PATHKG", "HISTO", "TPO", "PATHOML", INDEX_PREFIX, "CARO", "OPTIMUSKG"}
"""Prefixes that a PrimeKG-shaped file may name as a source besides PrimeKG's own."""

_URI_FORMS = (
    (re.compile(r"^https?://purl\.obolibrary\.org/obo/([A-Za-z]+)_(\w+)$"), r"\1:\2"),
    (re.compile(r"^https?://www\.ebi\.ac\.uk/cmpo/([A-Za-z]+)_(\w+)$"), r"\1:\2"),
    (re.compile(r"^https?://www\.aipath\.com/histo/histo\.owl#(.+)$"), r"HISTO:\1"),
    (re.compile(r"^https?://www\.aipath\.com/histo/([A-Za-z]+)_(\w+)$"), r"\1:\2"),
    (re.compile(r"^https?://www\.orpha\.net/ORDO/Orphanet_(\w+)$"), r"Orphanet:\1"),
    (re.compile(r"^https?://www\.ebi\.ac\.uk/efo/EFO_(\w+)$"), r"EFO:\1"),
    (re.compile(r"^https?://identifiers\.org/([^/:]+)[/:](.+)$"), r"\1:\2"),
    (re.compile(r"^https?://[^#]*PathoML\.owl#(.+)$"), r"PATHOML:\1"),
)


def from_uri(uri: str) -> str | None:
    """The CURIE of a URI this project knows, else ``None``.

    Example:
        >>> from_uri("http://purl.obolibrary.org/obo/NCIT_C4033"), from_uri("http://www.aipath.com/histo/TPO_0000008")
        ('NCIT:C4033', 'TPO:0000008')
    """
    for form, replacement in _URI_FORMS:
        match = form.match(uri.strip())
        if match:
            return normal_curie(match.expand(replacement))
    return None
