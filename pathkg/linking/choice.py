"""From a matched form to one node or none: context rules, organ, generic terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pathkg.linking.automaton import BARE_STAGE
from pathkg.linking.generic import (
    ASSERTED_NODES,
    EMPTY_NODES,
    HEADING_NODES,
    LOOK_NOUNS,
    LOOK_WORDS,
    SILENT_FORMS,
    SILENT_NODES,
)
from pathkg.linking.organs import PART_WORDS, OrganSense
from pathkg.linking.rules import Rule, parse_rule

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.automaton import State
    from pathkg.linking.lexicon import Lexicon

AMBIGUOUS, SILENT, NOT_A_MATCH = -1, -2, -3
"""Decisions that are no node: needs the text; takes its place but is not reported; is no mention at all."""

_KIND_WEIGHT = (1.0, 0.95, 0.9, 0.7, 0.6, 0.6)
_LOOSE_TYPES = frozenset({"anatomy", "cell", "procedure", "specimen"})
_NAMED_ELSEWHERE = 1.5
_SHORT = 5
_ORGAN_SHARE = 0.3
_STAGE_NEIGHBOURS = 8
_STAGE_WORDS = frozenset({"stage", "staging", "tnm", "ptnm", "ajcc", "classification", "uicc", "category", "pt", "pn",
                          "pm"})

Found = tuple[int, int, int, int, str]


_PRECURSOR = re.compile(r"[A-Z][A-Za-z]*IN (?:\d|low|high)")
"""Grades that name a lesion (CIN 2, PanIN high grade), which may be absent as a lesion may."""


class Chooser:
    """Decides which node a form means. Decisions that need no context are taken once per form."""

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon, *, generic: str, specialise: bool) -> None:
        self.graph = graph
        self.lexicon = lexicon
        self.rules: tuple[Rule, ...] = tuple(map(parse_rule, lexicon.contexts))
        self.organs = OrganSense(graph, lexicon, {o for rule in self.rules for o in rule.organs})
        self.specialise = specialise
        self._rule_organs: dict[int, frozenset[int]] = {}
        self._types = graph.arrays.node_type.tolist()
        self._disease_code = graph.node_types.index("disease") if "disease" in graph.node_types else -1
        looseness = [3 if t in ("anatomy", "cell") else 1 if t in _LOOSE_TYPES else 2 if t in ("stage", "grade") else 0 for t in graph.node_types]
        self.looseness: list[int] = [looseness[code] for code in self._types]
        self._type_name = graph.node_types
        grade = graph.node_types.index("grade") if "grade" in graph.node_types else -1
        for i, code in enumerate(self._types):
            if code == grade and _PRECURSOR.match(graph.name(i)):
                self.looseness[i] = 0
        signed_types = {i for i, t in enumerate(graph.node_types) if t in ("marker", "gene/protein")}
        self.signed = frozenset(i for i, t in enumerate(self._types) if t in signed_types)
        names = graph.nodes_table()["name"].to_pylist()
        report_like = generic == "asserted"
        self.asserted_only = frozenset(
            i for i, name in enumerate(names) if name in ASSERTED_NODES) if report_like else frozenset()
        self._silent = frozenset(
            i for i, name in enumerate(names)
            if name.lower() in EMPTY_NODES or (report_like and name.lower() in SILENT_NODES))
        self._headings = frozenset(
            i for i, name in enumerate(names)
            if name in HEADING_NODES or name.endswith("cut surface")) if report_like else frozenset()
        self._report_like = report_like
        self._part_nodes = frozenset(i for i, name in enumerate(names)
                                     if name in PART_WORDS and self._type_name[self._types[i]] == "anatomy")

    # -- once per form -------------------------------------------------------------------------------------

    def settle(self, state: State) -> int:
        """The decision for a form: a node index, or one of the codes above. Kept in the state."""
        state.node = self._settle(state.key, state.key_id)
        return state.node

    def _settle(self, key: str, key_id: int) -> int:
        words = key.split(" ")
        if self._report_like:
            if key in SILENT_FORMS:
                return SILENT
            if all(w in LOOK_WORDS for w in words) and (len(words) > 1 or key not in LOOK_NOUNS):
                return NOT_A_MATCH
        if len(words) == 1 and (len(key) == 1 or key.isdigit()):
            return NOT_A_MATCH
        entries = self.lexicon.entries(key_id)
        if self._report_like:
            kept = [e for e in entries if self._type_name[self._types[e[0]]] != "specimen"]
            if not kept:
                return SILENT if len(words) == 1 else NOT_A_MATCH
            entries = kept
            if ":" in words and self._type_name[self._types[entries[0][0]]] == "marker_result":
                return NOT_A_MATCH  # "ER: negative" is a field: the marker, and what is said of it
            if any(e[0] in self._headings for e in entries):
                return NOT_A_MATCH
        if len({e[0] for e in entries}) == 1 and any(e[2] == 0 for e in entries):
            node = entries[0][0]
            return SILENT if node in self._silent else node
        if all(e[2] == 0 for e in entries) and len(key) > _SHORT:
            # owners without rules: the most trusted kind, then the first in the graph's order
            node = entries[0][0]
            return SILENT if node in self._silent else node
        return AMBIGUOUS

    # -- per text ------------------------------------------------------------------------------------------

    def resolve(self, scan: Any, found: list[Found], ambiguous: bool) -> list[Found]:
        """Take the decisions that need the text; drop what is silent or fits no rule."""
        if not found:
            return found
        special = self.specialise
        weights: dict[int, float] | None = None
        if ambiguous or special:
            weights = self.organs.weights([f[3] for f in found if f[3] >= 0])
        sure = {f[3] for f in found} if ambiguous else set()
        top = self._top(weights or {})
        result = []
        types, asserted, parts = self._types, self.asserted_only, self._part_nodes
        disease = self._disease_code
        rows = scan.rows
        for item in found:
            first, last, key_id, node, how = item
            if node == SILENT:
                continue
            if node == AMBIGUOUS:
                node, how = self._pick(scan, first, last, key_id, weights or {}, sure)
                if node < 0:
                    continue
                item = (first, last, key_id, node, how)
            if last - first == 1 and rows[first][2] & BARE_STAGE and not self._stage_context(scan, first):
                continue
            if top and special and (types[node] == disease or node in parts) and node not in asserted:
                kind = self._type_name[types[node]]
                key = " ".join(scan.words[first:last])
                for organ in top:
                    other = self.organs.special(key, node, organ, kind)
                    if other >= 0:
                        item = (first, last, key_id, other, f"the text is about {self.graph.name(organ)}")
                        break
            result.append(item)
        return result

    def _top(self, weights: dict[int, float]) -> list[int]:
        if not weights:
            return []
        ordered = sorted(weights, key=lambda o: (-weights[o], o))[:4]
        return [o for o in ordered if weights[o] >= 0.5 * weights[ordered[0]]]

    def _stage_context(self, scan: Any, first: int) -> bool:
        """Whether "T2" stands among its like: another category, or a word of staging, nearby."""
        low, high = max(0, first - _STAGE_NEIGHBOURS), first + _STAGE_NEIGHBOURS
        words = scan.words[low:high]
        here = scan.words[first][:2]
        return any((w in _STAGE_WORDS) or (2 < len(w) < 7 and w[:2] != here and w[:2] in ("pt", "pn", "pm"))
                   for w in words)

    def _pick(self, scan: Any, first: int, last: int, key_id: int, weights: dict[int, float],
              sure: set[int]) -> tuple[int, str]:
        best: tuple[float, int, int, str] | None = None
        for node, kind, context in self.lexicon.entries(key_id):
            if self._report_like and self._type_name[self._types[node]] == "specimen":
                continue
            rule = self.rules[context]
            score = _KIND_WEIGHT[kind] * rule.prior
            reason = ""
            if context:
                fit = self._fits(scan, first, last, rule, context, weights)
                if fit is None:
                    continue
                score *= fit[0]
                reason = fit[1]
            if node in sure:
                score *= _NAMED_ELSEWHERE
                reason = reason or "named in full elsewhere in the text"
            item = (score, -kind, -node, reason)
            if best is None or item > best:
                best = item
        if best is None:
            return NOT_A_MATCH, ""
        node = -best[2]
        return (SILENT if node in self._silent else node), best[3]

    def _fits(self, scan: Any, first: int, last: int, rule: Rule, context: int, weights: dict[int, float]
              ) -> tuple[float, str] | None:
        """Factor and reason of a rule that holds; ``None`` where it does not."""
        if rule.upper:
            written = "".join(scan.tokens[first:last])
            if not written.isupper():
                return None
        if rule.exact and rule.exact.replace("-", "").replace(" ", "").replace("/", "") != "".join(scan.tokens[first:last]):
            return None
        if not (rule.near or rule.without):
            # the organs of a text are the same at every mention
            known: dict[int, tuple[float, str] | None] = scan.fits
            if context not in known:
                known[context] = self._of_organ(rule, context, weights)
            return known[context]
        if rule.without and scan.near(rule.without, first, last) is not None:
            return None
        fit = self._of_organ(rule, context, weights)
        if fit is None or not rule.near:
            return fit
        near = scan.near(rule.near, first, last)
        if near is None:
            return None
        return fit[0] * 1.2, f"{fit[1]}, near {near!r}" if fit[1] else f"near {near!r}"

    def _of_organ(self, rule: Rule, context: int, weights: dict[int, float]) -> tuple[float, str] | None:
        if not rule.organs:
            return 1.0, ""
        indices = self._rule_organs.get(context)
        if indices is None:
            indices = self._rule_organs[context] = frozenset(
                i for i in map(self.graph.find_index, rule.organs) if i is not None)
        if indices.isdisjoint(weights):
            return None
        best = max(indices & weights.keys(), key=lambda i: (weights[i], -i))
        most = max(weights.values())
        if weights[best] < _ORGAN_SHARE * most:
            return None
        return 1.2 + 0.5 * weights[best] / most, f"the text is about {self.graph.name(best)}"
