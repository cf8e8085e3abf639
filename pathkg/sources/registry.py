"""What ``pathkg download`` can fetch: public upstream addresses, pinned where the publisher offers a fixed version.

Checksums given here can be overridden (``--sha256``, ``--md5``): where upstream replaces a file in place, ours is
only a hint about the version this release was tested with.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from pathkg.errors import InputError, did_you_mean

_DATAVERSE = "https://dataverse.harvard.edu/api/access/datafile"
_OBO = "http://purl.obolibrary.org/obo"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file to fetch.

    Attributes:
        file: name under the source's cache folder.
        url: where it comes from; empty where no lasting address is known (then it has to be given).
        bytes, md5, sha256: what it should be; 0 or empty where upstream does not fix it.
    """

    file: str
    url: str
    bytes: int = 0
    md5: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A source by name: its files, version, licence, home page."""

    name: str
    version: str
    licence: str
    home: str
    assets: tuple[Asset, ...]
    note: str = ""


_MONDO_RELEASE = "2026-08-04"
_HPO_RELEASE = "2025-01-16"

SOURCES = MappingProxyType({s.name: s for s in (
    Source("primekg", "2022-05-02", "deposit CC0 1.0; parts under their sources' terms (DrugBank, DisGeNET)",
           "https://doi.org/10.7910/DVN/IXA7BM",
           (Asset("kg.csv", f"{_DATAVERSE}/6180620", 981_751_236, "aac8191d4fbc5bf09cdf8c3c78b4e75f"),)),
    Source("optimuskg", "latest", "see the deposit", "https://doi.org/10.7910/DVN/IYNGEV",
           (Asset("nodes.parquet", ""), Asset("edges.parquet", "")),
           "Dataverse gives each file of a release its own address: copy the two from the home page and pass them "
           "with --url NODES --url EDGES"),
    Source("pathograph", "main", "Apache-2.0", "https://github.com/Peiliang/PathoML",
           (Asset("PathoML.owl", "https://raw.githubusercontent.com/Peiliang/PathoML/main/PathoML.owl"),)),
    Source("mondo", _MONDO_RELEASE, "CC BY 4.0", "https://mondo.monarchinitiative.org",
           (Asset("mondo.obo", f"{_OBO}/mondo/releases/{_MONDO_RELEASE}/mondo.obo"),)),
    Source("hpo", _HPO_RELEASE, "HPO licence (attribution, unaltered)", "https://hpo.jax.org",
           (Asset("hp.obo", f"{_OBO}/hp/releases/{_HPO_RELEASE}/hp.obo"),)),
    Source("uberon", "latest", "CC BY 3.0", "https://obophenotype.github.io/uberon",
           (Asset("uberon-basic.obo", f"{_OBO}/uberon/basic.obo"),)),
    Source("go", "latest", "CC BY 4.0", "https://geneontology.org", (Asset("go-basic.obo", f"{_OBO}/go/go-basic.obo"),)),
    Source("cl", "latest", "CC BY 4.0", "https://obophenotype.github.io/cell-ontology",
           (Asset("cl-basic.obo", f"{_OBO}/cl/cl-basic.obo"),)),
    Source("hgnc", "latest", "CC0 1.0", "https://www.genenames.org",
           (Asset("hgnc_complete_set.txt", "https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/"
                                           "hgnc_complete_set.txt"),)),
    Source("oncotree", "oncotree_2025_10_03", "CC BY 4.0", "https://oncotree.info",
           (Asset("oncotree_2025_10_03.json", "https://oncotree.info/api/tumorTypes/tree?version=oncotree_2025_10_03"),)),
    Source("mondo-mappings", _MONDO_RELEASE, "CC BY 4.0", "https://mondo.monarchinitiative.org",
           tuple(Asset(f"mondo_exactmatch_{x}.sssom.tsv", f"{_OBO}/mondo/mappings/mondo_exactmatch_{x}.sssom.tsv")
                 for x in ("ncit", "mesh", "umls", "doid", "omim"))),
)})
"""Name -> source."""


def find_source(name: str) -> Source:
    """The source of that name.

    Raises:
        InputError: there is none; the message lists what exists.
    """
    found = SOURCES.get(name.lower())
    if found is None:
        raise InputError(f"there is no source {name!r} to download",
                         hint=did_you_mean(name, SOURCES) or f"one of {', '.join(SOURCES)}")
    return found
