"""What an attacker can look up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pathkg.records import Mention

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking import Linker

FINDINGS = frozenset({"morphology", "marker_result", "disease"})
"""Node types that an attack stuffs, swaps or repeats unless it says otherwise."""


@dataclass(slots=True)
class World:
    """What an attacker can look up: the graph's names, synonyms and neighbours."""

    graph: KnowledgeGraph
    linker: Linker
    _forms: dict[int, list[str]] = field(default_factory=dict)
    _by_type: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = self.graph.synonyms_table()
        for node, form, kind in zip(table["node"].to_pylist(), table["form"].to_pylist(), table["kind"].to_pylist(),
                                    strict=True):
            if kind in ("name", "exact") and len(form) > 5:
                self._forms.setdefault(node, []).append(form)
        for node in range(self.graph.n_nodes):
            self._by_type.setdefault(self.graph.type(node), []).append(self.graph.name(node))

    def names(self, type_: str) -> list[str]:
        return self._by_type.get(type_, [])

    def synonyms(self, curie: str) -> list[str]:
        return sorted(set(self._forms.get(self.graph.index(curie), ())))

    def siblings(self, curie: str) -> list[str]:
        parents = [p for _, p, _ in self.graph.neighbors(curie, "is_a", direction="forward")]
        found = {c for p in parents for _, c, _ in self.graph.neighbors(p, "is_a", direction="backward")} - {curie}
        return [self.graph.name(c) for c in sorted(found)]

    def parents(self, curie: str) -> list[str]:
        above = self.graph.ancestors(curie)
        return [self.graph.name(c) for c in sorted(above, key=lambda c: (above[c], c))]

    def says_more(self, text: str, than: str) -> bool:
        """Whether ``text`` names anything that ``than`` does not: another name of the same thing is no attack."""
        return bool({m.id for m in self.linker.link(text).with_results()} - {m.id for m in self.linker.link(than).with_results()})

    def mentions(self, text: str, types: frozenset[str] = FINDINGS) -> list[Mention]:
        seen: dict[str, Mention] = {}
        for m in self.linker.link(text).with_results():
            if m.type in types and m.polarity is not None:
                seen.setdefault(m.id, m)
        return list(seen.values())
