"""What a word is only like, and which of two namesakes a sentence means.

"A lymphoma-like infiltrate" names no lymphoma; "synaptophysin highlights the neuropil" names the stain, not the gene.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pathkg.linking.sentences import Found

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.lexicon import Lexicon

_GENE_WORDS = frozenset({"gene", "mutation", "mutated", "mutant", "rearrangement", "rearranged", "fusion", "amplification", "amplified", "deletion", "deleted", "wild",
                         "sequencing", "fish", "variant", "exon", "codon", "translocation", "allele", "locus", "chromosome", "promoter", "methylation", "methylated",
                         "pcr", "mrna", "copy", "transcript", "germline", "somatic", "pathogenic", "vus", "loh", "cgh", "ngs"})
"""Words beside which the name of a protein means its gene."""


class Likeness:
    """Corrects the forms of a sentence by the words around them.

    Args:
        graph: the graph.
        lexicon: its lexicon.
    """

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._likened = _of_type(graph, "disease", "cell")
        self._genes = _of_type(graph, "gene/protein")
        self._markers = _of_type(graph, "marker")

    def corrected(self, words: Sequence[str], found: list[Found]) -> list[Found]:
        """``found`` without what something is only like, and with the stain for a gene where nothing speaks of genes."""
        if "like" in words:
            found = [f for f in found if not (f[1] < len(words) and words[f[1]] == "like" and f[3] in self._likened)]
        if not self._genes.isdisjoint([f[3] for f in found]) and _GENE_WORDS.isdisjoint(words):
            found = [(*f[:3], self._stain_of(f), f[4]) if f[3] in self._genes else f for f in found]
        return found

    def _stain_of(self, gene: Found) -> int:
        """The marker that shares its form with a gene; the gene where none does."""
        return next((e[0] for e in self._lexicon.entries(gene[2]) if e[0] in self._markers), gene[3])


def _of_type(graph: KnowledgeGraph, *types: str) -> frozenset[int]:
    codes = {graph.node_types.index(name) for name in types if name in graph.node_types}
    return frozenset(i for i, code in enumerate(graph.arrays.node_type.tolist()) if code in codes) if codes else frozenset()
