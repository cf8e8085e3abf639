"""Which ids of which sources mean the same concept, and a row for every decision.

Order of the rules: equal CURIEs; declared exact mappings and alternative ids; one-to-one cross-references; exact
normalised names and synonyms of one type, one-to-one; fuzzy names, which are only proposed. Two nodes of one
prefix never merge by name or cross-reference: their authority keeps them apart for a reason. Nodes of different
types never merge by name: they stay two nodes with a mapping between them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathkg.merge.concepts import SYMBOL_PREFIX, Concepts
from pathkg.merge.names import normal_name
from pathkg.sources.curies import GROUP_PREFIX, INDEX_PREFIX
from pathkg.sources.tables import (
    ALTERNATIVE_ID,
    BROAD,
    CLOSE,
    DBXREF,
    EXACT,
    NARROW,
    RELATED,
    SourceTables,
)

TOOL = "pathkg build"
MANUAL = "semapv:ManualMappingCuration"
LEXICAL = "semapv:LexicalMatching"
BY_XREF = "semapv:MappingChaining"

# who gives a merged concept its id: PrimeKG's own vocabularies first, then the pathology ones
PREFIX_RANK = {p: i for i, p in enumerate((
    "MONDO", "HP", "NCBIGene", "GO", "UBERON", "CL", "DrugBank", "REACTOME", "CTD", "PATHKG", "NCIT", "ONCOTREE",
    "HISTO", "TPO", "HGNC", "DOID", "FMA", "CHEBI", "MESH", "OMIM", "UMLS", "EFO", GROUP_PREFIX, INDEX_PREFIX))}
MIN_NAME_LENGTH = 3
"""Shorter names ("AR", "ER") mean too many things to merge by."""
FUZZY_PROPOSAL = 92.0
"""rapidfuzz ratio from which a pair of names is proposed; never merged."""


@dataclass(slots=True)
class Alignment:
    """The decisions. ``leader[gid]`` is the gid whose id a merged concept carries (its own if not merged)."""

    leader: list[int]
    mappings: list[dict[str, str]]
    counts: Counter[str]


class _Clusters:
    """Union-find that keeps ids of one prefix and concepts of two types apart."""

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts
        self._parent: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}

    def find(self, gid: int) -> int:
        root = gid
        while (up := self._parent.get(root, root)) != root:
            root = up
        while self._parent.get(gid, gid) != root:
            self._parent[gid], gid = root, self._parent[gid]
        return root

    def members(self, gid: int) -> list[int]:
        return self._members.get(self.find(gid), [gid])

    def conflict(self, a: int, b: int) -> str:
        """Why the two may not become one concept; empty if they may."""
        c = self._concepts
        if c.types[a] != c.types[b]:
            return f"types differ ({c.types[a]}, {c.types[b]})"
        prefixes = {c.prefix(g) for g in self.members(a)}
        both = prefixes & {c.prefix(g) for g in self.members(b)}
        return f"two ids of {min(both)}" if both else ""

    def join(self, a: int, b: int) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            merged = self._members.pop(a, [a]) + self._members.pop(b, [b])
            self._parent[b] = a
            self._members[a] = merged

    def merged(self) -> Iterator[list[int]]:
        yield from self._members.values()


def align(sources: Sequence[SourceTables], concepts: Concepts, *, fuzzy: bool = False,
          names: bool = True) -> Alignment:
    """Decide what merges, what is only mapped, and what is proposed.

    Args:
        sources: in order of authority.
        concepts: their nodes.
        fuzzy: also propose pairs of near-equal names (never merged).
        names: merge by exact normalised names and synonyms.
    """
    decide = _Decisions(concepts)
    _alternative_ids(sources, concepts, decide)
    _gene_symbols(concepts, decide)
    _declared(sources, concepts, decide)
    _cross_references(sources, concepts, decide)
    if names and len(sources) > 1:
        _by_name(sources, concepts, decide, fuzzy)
    leader = list(range(len(concepts.ids)))
    for members in decide.clusters.merged():
        chosen = min(members, key=lambda g: (not concepts.names[g], g in decide.superseded, PREFIX_RANK.get(concepts.prefix(g), 99),
                                             concepts.ids[g]))
        for gid in members:
            leader[gid] = chosen
    return Alignment(leader, decide.rows, decide.counts)


class _Decisions:
    def __init__(self, concepts: Concepts) -> None:
        self.concepts = concepts
        self.clusters = _Clusters(concepts)
        self.rows: list[dict[str, str]] = []
        self.counts: Counter[str] = Counter()
        self.superseded: set[int] = set()
        self._row_of: dict[tuple[int, int], int] = {}

    def merge(self, a: int, b: int, rule: str, predicate: str, justification: str, confidence: float, *,
              force: bool = False) -> bool:
        """Merge two concepts, or map them when they may not merge."""
        if self.clusters.find(a) == self.clusters.find(b):
            return True
        conflict = "" if force else self.clusters.conflict(a, b)
        if conflict:
            # the sources say "exact", our model keeps them apart: a close match records it
            self.record(a, b, CLOSE if predicate == EXACT else predicate, justification, confidence,
                        f"mapped only: {rule}; {conflict}")
            return False
        self.clusters.join(a, b)
        self.record(a, b, EXACT, justification, confidence, f"merged: {rule}")
        return True

    def record(self, a: int, b: int, predicate: str, justification: str, confidence: float, comment: str) -> None:
        pair = (min(a, b), max(a, b))
        known = self._row_of.setdefault(pair, len(self.rows))
        rule = comment.partition(";")[0]
        if known < len(self.rows):
            if not comment.startswith("merged"):
                return
            # a pair that was only mapped so far merges by a later rule: one row, the stronger decision
            self.counts[self.rows[known]["comment"].partition(";")[0]] -= 1
        c = self.concepts
        self.counts[rule] += 1
        row = {
            "subject_id": c.ids[a], "subject_label": c.names[a], "predicate_id": predicate, "object_id": c.ids[b],
            "object_label": c.names[b], "mapping_justification": justification,
            "confidence": f"{confidence:.2f}", "mapping_tool": TOOL, "comment": comment}
        self.rows[known:known + 1] = [row]


def _gene_symbols(concepts: Concepts, decide: _Decisions) -> None:
    """``HGNC:ERBB2``, a gene named by its symbol, is the gene that HGNC or PrimeKG gives that symbol."""
    symbols = {concepts.ids[g].partition(":")[2]: g for g in range(len(concepts.ids))
               if concepts.prefix(g) == SYMBOL_PREFIX and concepts.names[g]}
    if not symbols:
        return
    owners: dict[str, dict[str, int]] = defaultdict(dict)
    for gid, name in enumerate(concepts.names):
        prefix = concepts.prefix(gid)
        if name in symbols and prefix in ("HGNC", "NCBIGene") and concepts.types[gid] == "gene/protein":
            owners[name].setdefault(prefix, gid)
    for symbol, gid in symbols.items():
        for other in owners[symbol].values():
            decide.merge(gid, other, "gene symbol", EXACT, MANUAL, 1.0)


def _alternative_ids(sources: Sequence[SourceTables], concepts: Concepts, decide: _Decisions) -> None:
    for source, rows in zip(sources, concepts.rows, strict=True):
        for node, xref, predicate in _xref_rows(source, {ALTERNATIVE_ID}):
            other = concepts.gid.get(xref)
            if other is not None and concepts.names[other]:
                decide.superseded.add(other)
                decide.merge(rows[node], other, "alternative id", predicate, MANUAL, 1.0, force=True)


def _xref_rows(source: SourceTables, predicates: set[str] | None = None) -> Iterator[tuple[int, str, str]]:
    table = source.xrefs
    for row in zip(table["node"].to_pylist(), table["xref"].to_pylist(), table["predicate"].to_pylist(), strict=True):
        if predicates is None or row[2] in predicates:
            yield row


def _declared(sources: Sequence[SourceTables], concepts: Concepts, decide: _Decisions) -> None:
    """SSSOM rows and exact cross-references whose two ends are both nodes."""
    for source, rows in zip(sources, concepts.rows, strict=True):
        table = source.mappings
        label = source.record.name
        for a, predicate, b, why in zip(*(table[c].to_pylist() for c in (
                "subject_id", "predicate_id", "object_id", "mapping_justification")), strict=True):
            _declare(concepts, decide, concepts.gid.get(a), concepts.gid.get(b), predicate, why, label)
        for node, xref, predicate in _xref_rows(source, {EXACT, NARROW, BROAD}):
            _declare(concepts, decide, rows[node], concepts.gid.get(xref), predicate, MANUAL, label)


def _declare(concepts: Concepts, decide: _Decisions, a: int | None, b: int | None, predicate: str, why: str,
             label: str) -> None:
    """Merge what is declared exact, record what is declared close; a bare reference is left to the next rule."""
    if predicate == DBXREF or a is None or b is None or a == b or not concepts.names[a] or not concepts.names[b]:
        return
    if predicate == EXACT:
        decide.merge(a, b, f"exact mapping of {label}", EXACT, why, 1.0)
    else:
        decide.record(a, b, predicate, why, 0.9, f"mapped only: {predicate} of {label}")


def _cross_references(sources: Sequence[SourceTables], concepts: Concepts, decide: _Decisions) -> None:
    """Nodes that name each other, or the same third id, one-to-one."""
    claims: dict[str, dict[int, None]] = defaultdict(dict)
    declared: list[tuple[str, str]] = []
    for source, rows in zip(sources, concepts.rows, strict=True):
        for node, xref, predicate in _xref_rows(source):
            if predicate not in (NARROW, BROAD, RELATED):
                claims[xref].setdefault(rows[node])
        table = source.mappings
        for a, predicate, b in zip(*(table[c].to_pylist() for c in ("subject_id", "predicate_id", "object_id")),
                                   strict=True):
            if predicate in (EXACT, DBXREF):
                declared.append((a, b))
    for a, b in declared:
        for curie, xref in ((a, b), (b, a)):
            gid = concepts.gid.get(curie)
            if gid is not None and concepts.names[gid]:
                claims[xref].setdefault(gid)
    for xref in sorted(claims):
        gids = {decide.clusters.find(g): g for g in claims[xref] if concepts.names[g]}
        target = concepts.gid.get(xref)
        if target is not None and concepts.names[target]:
            gids.setdefault(decide.clusters.find(target), target)
        if len(gids) < 2:
            continue
        by_type: dict[str, list[int]] = defaultdict(list)
        for gid in gids.values():
            by_type[concepts.types[gid]].append(gid)
        for group in by_type.values():
            if len(group) == 2:
                decide.merge(group[0], group[1], "shared cross-reference", CLOSE, BY_XREF, 0.9)
            elif len(group) > 2:
                decide.counts["ambiguous cross-reference, left apart"] += 1
        if len(by_type) > 1:
            firsts = sorted(g[0] for g in by_type.values())
            for other in firsts[1:]:
                decide.record(firsts[0], other, CLOSE, BY_XREF, 0.7,
                              "mapped only: shared cross-reference; types differ")


def _by_name(sources: Sequence[SourceTables], concepts: Concepts, decide: _Decisions, fuzzy: bool) -> None:
    named, synonyms = _name_tables(sources, concepts)
    for rule, confidence, candidates in (
            ("equal name", 0.95, _pairs_of_names(named)),
            ("name equals synonym", 0.85, _pairs_of_synonyms(named, synonyms))):
        for key, gids in candidates:
            _merge_names(key, gids, rule, confidence, concepts, decide)
    for _, gids in _pairs_of_synonyms_only(named, synonyms):
        roots = {decide.clusters.find(g): g for g in gids}
        ids = sorted(roots.values())
        if len(ids) == 2 and concepts.types[ids[0]] == concepts.types[ids[1]] and not decide.clusters.conflict(*ids):
            decide.record(ids[0], ids[1], RELATED, LEXICAL, 0.5, "proposed: shared synonym")
    if fuzzy:
        _propose_fuzzy(concepts, decide, named)


def _name_tables(sources: Sequence[SourceTables], concepts: Concepts
                 ) -> tuple[dict[str, dict[int, None]], dict[str, dict[int, None]]]:
    named: dict[str, dict[int, None]] = defaultdict(dict)
    synonyms: dict[str, dict[int, None]] = defaultdict(dict)
    for gid, name in enumerate(concepts.names):
        if name:
            named[normal_name(name)].setdefault(gid)
    for gid, name, _ in concepts.other_names:
        synonyms[normal_name(name)].setdefault(gid)
    for source, rows in zip(sources, concepts.rows, strict=True):
        table = source.forms
        for node, form, kind, context in zip(*(table[c].to_pylist() for c in ("node", "form", "kind", "context")),
                                             strict=True):
            if kind == "exact" and not context and concepts.names[rows[node]]:
                synonyms[normal_name(form)].setdefault(rows[node])
    return named, synonyms


_Groups = Iterable[tuple[str, list[int]]]


def _pairs_of_names(named: Mapping[str, Mapping[int, None]]) -> _Groups:
    return ((key, list(gids)) for key, gids in named.items() if len(gids) > 1)


def _pairs_of_synonyms(named: Mapping[str, Mapping[int, None]], synonyms: Mapping[str, Mapping[int, None]]
                       ) -> _Groups:
    for key, gids in named.items():
        others = synonyms.get(key)
        if others:
            both = list(dict.fromkeys((*gids, *others)))
            if len(both) > 1:
                yield key, both


def _pairs_of_synonyms_only(named: Mapping[str, Any], synonyms: Mapping[str, Mapping[int, None]]) -> _Groups:
    return ((key, list(gids)) for key, gids in synonyms.items() if len(gids) == 2 and key not in named)


def _merge_names(key: str, gids: list[int], rule: str, confidence: float, concepts: Concepts,
                 decide: _Decisions) -> None:
    if len(key) < MIN_NAME_LENGTH:
        return
    by_type: dict[str, dict[int, int]] = defaultdict(dict)
    for gid in gids:
        by_type[concepts.types[gid]].setdefault(decide.clusters.find(gid), gid)
    for roots in by_type.values():
        group = [g for g in roots.values() if concepts.prefix(g) != GROUP_PREFIX]
        for gid in roots.values():
            # a group is wider than the member it is named after
            if concepts.prefix(gid) == GROUP_PREFIX and group:
                decide.record(gid, group[0], NARROW, LEXICAL, 0.8, f"mapped only: {rule}; a group and one disease")
        if len({concepts.sources[g] for g in group}) < 2 and len(group) > 1:
            decide.counts["equal names within one source, left apart"] += 1
        elif len(group) == 2 or (len(group) > 2 and len({concepts.prefix(g) for g in group}) == len(group)):
            for other in group[1:]:
                decide.merge(group[0], other, rule, CLOSE, LEXICAL, confidence)
        elif len(group) > 2:
            decide.counts["ambiguous name, left apart"] += 1
    if len(by_type) > 1:
        firsts = sorted(next(iter(g.values())) for g in by_type.values())
        for other in firsts[1:]:
            if concepts.sources[firsts[0]] != concepts.sources[other] or rule == "equal name":
                decide.record(firsts[0], other, RELATED, LEXICAL, 0.6, f"mapped only: {rule}; types differ")


def _propose_fuzzy(concepts: Concepts, decide: _Decisions, named: Mapping[str, Mapping[int, None]]) -> None:
    from rapidfuzz import fuzz, process

    merged = {g for members in decide.clusters.merged() for g in members}
    # only ids from small vocabularies look for a partner: 130,000 x 130,000 comparisons help nobody
    frequency = Counter(concepts.prefix(g) for g in range(len(concepts.ids)))
    seekers = [g for g, name in enumerate(concepts.names) if name and g not in merged
               and frequency[concepts.prefix(g)] < 3000 and len(name) > 5]
    pool: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for key, gids in named.items():
        for gid in gids:
            pool[concepts.types[gid]].append((key, gid))
    for gid in seekers:
        choices = [(k, g) for k, g in pool[concepts.types[gid]] if concepts.prefix(g) != concepts.prefix(gid)]
        best = process.extractOne(normal_name(concepts.names[gid]), [k for k, _ in choices],
                                  scorer=fuzz.token_sort_ratio, score_cutoff=FUZZY_PROPOSAL)
        if best is not None:
            decide.record(gid, choices[best[2]][1], RELATED, LEXICAL, best[1] / 100 * 0.7,
                          "proposed: near-equal name")
