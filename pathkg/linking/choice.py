"""From a matched form to one node or none: context rules, organ, generic terms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pathkg.linking.automaton import BARE_STAGE, State
from pathkg.linking.generic import (
    ASSERTED_NODES,
    EMPTY_NODES,
    HEADING_NODES,
    LOOK_NOUNS,
    LOOK_WORDS,
    MODIFIER_ROOTS,
    SILENT_FORMS,
    SILENT_NODES,
)
from pathkg.linking.organs import PART_WORDS, OrganSense
from pathkg.linking.rules import Rule, parse_rule
from pathkg.linking.sentences import Decision, Found, Sentence
from pathkg.linking.text_sense import TextSense
from pathkg.linking.tokens import form_key

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking.lexicon import Lexicon

AMBIGUOUS, SILENT, NOT_A_MATCH = -1, -2, -3
"""Decisions that are no node: needs the text; takes its place but is not reported; is no mention at all."""

_KIND_WEIGHT = (1.0, 0.95, 0.9, 0.7, 0.6, 0.6)
_LOOSE_TYPES = frozenset({"anatomy", "cell", "procedure", "specimen"})
_NAMED_ELSEWHERE = 1.5
_SHORT = 5
_STAGE_NEIGHBOURS = 8
_OWNER_CACHE = 50_000
_STAGE_WORDS = frozenset({"stage", "staging", "tnm", "ptnm", "ajcc", "classification", "uicc", "category", "pt", "pn",
                          "pm"})

_NO_RULE = (1.0, "")
_Owners = tuple[list[tuple[int, int, int, float, Rule]], dict[int, list[tuple[int, int, float]]]]

_PRECURSOR = re.compile(r"[A-Z][A-Za-z]*IN (?:\d|low|high)")
"""Grades that name a lesion (CIN 2, PanIN high grade), which may be absent as a lesion may."""

_MALIGNANT, _NEOPLASM = "MONDO:0004992", "MONDO:0005070"


class Chooser:
    """Decides which node a form means. Decisions that need no context are taken once per form."""

    def __init__(self, graph: KnowledgeGraph, lexicon: Lexicon, *, generic: str, specialise: bool) -> None:
        self.graph = graph
        self.lexicon = lexicon
        self.rules: tuple[Rule, ...] = tuple(map(parse_rule, lexicon.contexts))
        self.root = State(lexicon.forms, "", -1)
        """The start of the trie of forms, which everything that walks it shares."""
        self.organs = OrganSense(graph, lexicon, self.root, {o for rule in self.rules for o in rule.organs})
        self.specialise = specialise
        self._rule_organs = {
            context: frozenset(i for i in map(graph.find_index, rule.organs) if i is not None)
            for context, rule in enumerate(self.rules) if rule.organs}
        self._organ_rules = frozenset(
            context for context in self._rule_organs
            if not (self.rules[context].exact or self.rules[context].near or self.rules[context].without))
        self._rules_of: dict[int, list[int]] = {}
        for context in sorted(self._organ_rules):
            for organ in self._rule_organs[context]:
                self._rules_of.setdefault(organ, []).append(context)
        self._owners: dict[int, _Owners] = {}
        self._name_words: dict[int, tuple[str, ...]] = {}
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
            i for i, name in enumerate(names) if name.lower() in ASSERTED_NODES) if report_like else frozenset()
        self._silent = frozenset(
            i for i, name in enumerate(names)
            if name.lower() in EMPTY_NODES or (report_like and name.lower() in SILENT_NODES)) | self._modifiers()
        self._headings = frozenset(
            i for i, name in enumerate(names)
            if name in HEADING_NODES or name.endswith("cut surface")) if report_like else frozenset()
        self._report_like = report_like
        # what the organ of a text may give its own node: diseases, and parts that many organs have
        self._swayed = frozenset(
            i for i, name in enumerate(names) if i not in self.asserted_only and (
                self._types[i] == self._disease_code or (name in PART_WORDS and self._type_name[self._types[i]] == "anatomy")))

    @cached_property
    def malignant(self) -> frozenset[int]:
        """The malignant tumours of the graph."""
        return self._kinds_of(_MALIGNANT)

    @cached_property
    def _tumours(self) -> frozenset[int]:
        return self._kinds_of(_NEOPLASM)

    def _kinds_of(self, curie: str) -> frozenset[int]:
        if curie not in self.graph:
            return frozenset()
        return frozenset(map(self.graph.index, (curie, *self.graph.descendants(curie))))

    def _modifiers(self) -> frozenset[int]:
        """Terms of an ontology that only say how, when or how often something is: "mild", "position", "excluded"."""
        return frozenset(self.graph.index(curie) for root in MODIFIER_ROOTS if root in self.graph
                         for curie in (root, *self.graph.descendants(root)))

    def is_silent(self, node: int) -> bool:
        """Whether a node says nothing for itself and is not reported."""
        return node in self._silent

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

    def open_questions(self, flags: Sequence[int], found: Sequence[Found]) -> tuple[tuple[int, ...], tuple[int, ...], bool, tuple[int, ...]]:
        """What a text will be asked about the forms of a sentence whose tokens have these ``flags``: ``undecided``, ``bare``,
        ``special`` and ``nodes`` of a :class:`Sentence`."""
        bare = tuple([k for k, f in enumerate(found) if flags[f[0]] & BARE_STAGE and f[1] - f[0] == 1])
        undecided = tuple([k for k, f in enumerate(found) if f[3] == AMBIGUOUS or k in bare])
        nodes = tuple([f[3] for f in found if f[3] >= 0])
        return undecided, bare, bool(undecided) or not self._swayed.isdisjoint(nodes), nodes

    def sense(self, sentences: Sequence[Sentence]) -> TextSense:
        """What the text as a whole says to its sentences."""
        return TextSense(self, sentences)

    def decide(self, sense: TextSense, number: int) -> tuple[Decision, ...]:
        """Node and reason of each undecided form of a sentence; no node where it is no mention here, but shorter forms inside
        it may be."""
        sentence = sense.sentences[number]
        made = []
        for k in sentence.undecided:
            first, last, key_id, node, how = sentence.found[k]
            if node == AMBIGUOUS:
                tokens = sentence.tokens[first:last]
                node, how = self._picked(sense, tokens, sentence.words[first:last], key_id)
                if node == NOT_A_MATCH and last - first > 1:
                    made.append((node, how, self._inside(sense, sentence, first, last)))
                    continue
            if node >= 0 and k in sentence.bare and not self._stage_context(sense.words, sense.base_of(number) + first):
                node = NOT_A_MATCH
            made.append((node, how, ()))
        return tuple(made)

    def _picked(self, sense: TextSense, tokens: tuple[str, ...], words: Sequence[str], key_id: int) -> tuple[int, str]:
        """:meth:`_pick`, once for each form of a text."""
        known = sense.picks.get((key_id, tokens))
        if known is None:
            known = sense.picks[(key_id, tokens)] = self._pick(sense, tokens, words, key_id)
        return known

    def _inside(self, sense: TextSense, sentence: Sentence, first: int, last: int) -> tuple[Found, ...]:
        """The longest forms inside one that no owner's rule allows here: the "carcinoma" of a "CIS carcinoma" that is no CIS."""
        made: list[Found] = []
        words = sentence.words
        at = first
        while at < last:
            best: Found | None = None
            state = self.root[words[at]]
            end = at + 1
            while state is not None:
                if state.key_id >= 0 and end - at < last - first:
                    node, how = self.settle(state) if state.node is None else state.node, ""
                    if node == AMBIGUOUS:
                        node, how = self._picked(sense, sentence.tokens[at:end], words[at:end], state.key_id)
                    if node != NOT_A_MATCH:
                        best = (at, end, state.key_id, node, how)
                if end >= last:
                    break
                state = state[words[end]]
                end += 1
            if best is not None and best[3] >= 0:
                made.append(best)
            at = best[1] if best is not None else at + 1
        return tuple(made)

    def resolve(self, sentence: Sentence, decisions: Sequence[Decision], top: Sequence[int]) -> list[Found]:
        """The forms of a sentence with the text's decisions taken and the organ's own nodes in place of general ones."""
        if not decisions and not top:
            return [f for f in sentence.found if f[3] >= 0]
        result = []
        types, swayed = self._types, self._swayed
        forms: Sequence[Found] = sentence.found
        if decisions:
            made = dict(zip(sentence.undecided, decisions, strict=True))
            forms = []
            for k, item in enumerate(sentence.found):
                if k in made:
                    node, how, inside = made[k]
                    forms += inside
                    item = (item[0], item[1], item[2], node, how)
                forms.append(item)
        for item in forms:
            first, last, key_id, node, how = item
            if node < 0:
                continue
            if top and node in swayed:
                kind = self._type_name[types[node]]
                key = " ".join(sentence.words[first:last])
                for organ in top:
                    if organ < 0:  # see TextSense: no tumour of this organ
                        if node in self._tumours:
                            continue
                        organ = ~organ
                    other = self.organs.special(key, node, organ, kind)
                    if other >= 0:
                        item = (first, last, key_id, other, f"the text is about {self.graph.name(organ)}")
                        break
            result.append(item)
        return result

    def _stage_context(self, text: Sequence[str], first: int) -> bool:
        """Whether "T2" stands among its like: another category, or a word of staging, nearby."""
        low, high = max(0, first - _STAGE_NEIGHBOURS), first + _STAGE_NEIGHBOURS
        words = text[low:high]
        here = text[first][:2]
        return any((w in _STAGE_WORDS) or (2 < len(w) < 7 and w[:2] != here and w[:2] in ("pt", "pn", "pm"))
                   for w in words)

    def _pick(self, sense: TextSense, tokens: Sequence[str], words: Sequence[str], key_id: int) -> tuple[int, str]:
        best: tuple[float, int, int, str] | None = None
        sure = sense.sure
        ruled, of_organs = self._candidates(key_id)
        fitting = [(node, kind, base, self._fits(sense, tokens, words, rule, context)) for node, kind, context, base, rule in ruled
                   if not (rule.named and self._report_like) or self._is_named(sense, node, words)]
        shared = of_organs.keys() & sense.alive.keys() if of_organs else ()
        if shared:
            capitals = "".join(tokens).isupper()
            fitting += [(*owner, sense.alive[context]) for context in shared if capitals or not self.rules[context].upper
                        for owner in of_organs[context]]
        for node, kind, score, fit in fitting:
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

    def _is_named(self, sense: TextSense, node: int, words: Sequence[str]) -> bool:
        """Whether the text holds every word of a node's name, besides the mention itself."""
        known = self._name_words.get(node)
        if known is None:
            every = [w for w in form_key(self.graph.name(node)).split(" ") if w[:1].isalnum()]
            known = self._name_words[node] = tuple([w for w in every if len(w) > 3] or every)
        return bool(known) and all(sense.near((word,), words) for word in known)

    def _candidates(self, key_id: int) -> _Owners:
        """Owners of a form: those to be asked one by one, and by context those of certain organs."""
        known = self._owners.get(key_id)
        if known is None:
            if len(self._owners) > _OWNER_CACHE:
                self._owners.clear()
            known = self._owners[key_id] = ([], {})
            for node, kind, context in self.lexicon.entries(key_id):
                rule = self.rules[context]
                if self._report_like and (rule.never_in_reports or self._type_name[self._types[node]] == "specimen"):
                    continue
                base = _KIND_WEIGHT[kind] * rule.prior
                if context in self._organ_rules:
                    known[1].setdefault(context, []).append((node, kind, base))
                else:
                    known[0].append((node, kind, context, base, rule))
        return known

    def _fits(self, sense: TextSense, tokens: Sequence[str], words: Sequence[str], rule: Rule, context: int
              ) -> tuple[float, str] | None:
        """Factor and reason of a rule that holds; ``None`` where it does not."""
        if not context:
            return _NO_RULE
        if rule.upper and not "".join(tokens).isupper():
            return None
        if rule.exact and rule.exact.replace("-", "").replace(" ", "").replace("/", "") != "".join(tokens):
            return None
        if rule.without and sense.near(rule.without, words) is not None:
            return None
        fit = self._of_organ(rule, context, sense)
        if fit is None or not rule.near:
            return fit
        near = sense.near(rule.near, words)
        if near is None:
            return None
        return fit[0] * 1.2, f"{fit[1]}, near {near!r}" if fit[1] else f"near {near!r}"

    def _of_organ(self, rule: Rule, context: int, sense: TextSense) -> tuple[float, str] | None:
        """Factor and reason of a rule's organs. Those of a text are the same at every mention."""
        if not rule.organs:
            return _NO_RULE
        if context in sense.fits:
            return sense.fits[context]
        fit: tuple[float, str] | None = None
        shared = self._rule_organs[context] & sense.strong
        if shared:
            best = max(shared, key=lambda i: (sense.weights[i], -i)) if len(shared) > 1 else next(iter(shared))
            fit = 1.2 + 0.5 * sense.weights[best] / sense.most, f"the text is about {self.graph.name(best)}"
        sense.fits[context] = fit
        return fit

    def alive(self, sense: TextSense) -> dict[int, tuple[float, str]]:
        """The rules that ask for an organ (and capitals at most) whose organ this text is about."""
        found: dict[int, tuple[float, str]] = {}
        for context in {c for organ in sense.strong for c in self._rules_of.get(organ, ())}:
            fit = self._of_organ(self.rules[context], context, sense)
            if fit is not None:
                found[context] = fit
        return found
