"""Looking evidence up: in the linked report, and in the graph around two nodes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pathkg.linking.counts import sizes
from pathkg.records import Mention, Polarity
from pathkg.trajectory.certificate import Evidence
from pathkg.trajectory.statements import Count, lesser_sides, margin_status, stated_counts
from pathkg.trajectory.values import Value, find_values, measures

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

MAX_CLIMB = 3
"""How many is_a steps an end of a claim may be generalised before an edge is looked for. Beyond three, terms such
as "neoplasm" connect everything with everything."""

HIERARCHY = frozenset({"is_a"})
READS_AS = frozenset({"result_of"})
"""``CK7 positive -result_of-> CK7``: the result speaks through the edges of its marker."""

AGAINST = frozenset({"opposes", "hasOpposeEvidence", "hasContradictEvidence", "stains_negative_for",
                     "phenotype absent", "expression absent", "disease_phenotype_negative", "contraindication"})
"""Relations that speak against a connection when walked as they are."""

LOCATION = frozenset({"arises_in", "part_of", "located_in"})
"""Relations that say where something is. They connect, but never speak against."""

UNINFORMATIVE = frozenset({"differential_of", "obtained_by", "removes", "drains_to", "xref", "mapped_to"})
"""Relations that connect two nodes without one speaking for the other."""

_SENTENCE_END = re.compile(r"[.;\n]")
_STOP = re.compile(r"[.;](?=\s|$)|\n")
_NEGATIVE_RESULT = (" negative", " absent", " loss", " lost", " not expressed")


@dataclass(frozen=True, slots=True)
class Connection:
    """A path between two nodes and the sign of its evidence (+1 for, -1 against, 0 merely related)."""

    edges: tuple[int, ...]
    words: str
    sign: int
    relations: frozenset[str] = frozenset()


class ReportEvidence:
    """A linked report, indexed by node and polarity."""

    def __init__(self, text: str, mentions: Iterable[Mention]) -> None:
        self.text = text
        self._stated: dict[Polarity, dict[str, list[Mention]]] = {"+": {}, "-": {}}
        self._named: dict[str, Mention] = {}
        for mention in mentions:
            self._named.setdefault(mention.id, mention)
            polarity = mention.polarity
            if polarity is not None:
                self._stated[polarity].setdefault(mention.id, []).append(mention)
        self._values: dict[Value, tuple[int, int]] = {}
        self._sides: list[tuple[Value, int]] = []
        for value, start, end in find_values(text):
            self._values.setdefault(value, (start, end))
            if value.kind == "side":
                self._sides.append((value, start))
        self.values: frozenset[Value] = frozenset(self._values)
        self.measures: frozenset[Value] | None = frozenset(value for value, _ in measures(text))
        self._sentence_ends = [m.start() for m in _SENTENCE_END.finditer(text)]

    @cached_property
    def counts(self) -> frozenset[Count] | None:
        """Every count of lymph nodes stated."""
        return stated_counts(self.text)

    @cached_property
    def margins(self) -> frozenset[str]:
        """What is said of the margins."""
        return margin_status(self.text)

    @cached_property
    def lesser(self) -> frozenset[Value]:
        """Sizes given only as the smaller side of something."""
        return lesser_sides(self.text)

    @cached_property
    def tumor_sizes(self) -> tuple[float, ...]:
        """Sizes of the tumor in millimetres."""
        return tuple(v.value for v in sizes(self.text))

    def sides_with(self, nodes: Collection[str]) -> frozenset[Value]:
        """The sides that stand in the sentences stating one of ``nodes`` as present."""
        found: set[Value] = set()
        for node in self._stated["+"].keys() & set(nodes):
            for mention in self._stated["+"][node]:
                start = max((m.end() for m in _STOP.finditer(self.text, 0, mention.start)), default=0)
                stop = _STOP.search(self.text, mention.end)
                found |= {v for v, at in self._sides if start <= at < (stop.start() if stop else len(self.text))}
        return frozenset(found)

    def spans(self, nodes: Iterable[str], polarity: Polarity, *, limit: int = 3) -> tuple[Evidence, ...]:
        """Spans that state one of ``nodes`` with ``polarity``; the nodes given first win."""
        stated = self._stated[polarity]
        if isinstance(nodes, dict) and len(nodes) > len(stated):
            # a class of thousands and a report of dozens: walk the report, in the order of the class
            nodes = sorted(stated.keys() & nodes.keys(), key=nodes.__getitem__)
        found: list[Evidence] = []
        for node in nodes:
            for mention in stated.get(node, ()):
                found.append(Evidence("report", mention.text, mention.start, mention.end))
                if len(found) == limit:
                    return tuple(found)
        return tuple(found)

    def stated_among(self, nodes: Mapping[str, int]) -> tuple[str, ...]:
        """Those of ``nodes`` that the report states as present, in the order of ``nodes``."""
        return tuple(sorted(self._stated["+"].keys() & nodes.keys(), key=nodes.__getitem__))

    def named(self, nodes: Collection[str]) -> Evidence | None:
        """The first span that names one of ``nodes``, whatever it says of it (a specimen is not asserted)."""
        found = [self._named[node] for node in self._named.keys() & set(nodes)]
        if not found:
            return None
        first = min(found, key=lambda m: (m.start, m.id))
        return Evidence("report", first.text, first.start, first.end)

    def value(self, value: Value) -> Evidence | None:
        """The first span that states a structured value."""
        if value not in self._values:
            return None
        start, end = self._values[value]
        return Evidence("report", self.text[start:end], start, end)

    def together(self, first: Iterable[str], second: Iterable[str]) -> Evidence | None:
        """A sentence of the report that states both."""
        def sentences(nodes: Iterable[str]) -> dict[int, Mention]:
            at: dict[int, Mention] = {}
            for node in nodes:
                for mention in self._stated["+"].get(node, ()):
                    at.setdefault(bisect_left(self._sentence_ends, mention.start), mention)
            return at

        a, b = sentences(first), sentences(second)
        for sentence in sorted(a.keys() & b.keys()):
            start, end = min(a[sentence].start, b[sentence].start), max(a[sentence].end, b[sentence].end)
            if a[sentence].start != b[sentence].start:
                return Evidence("report", self.text[start:end], start, end)
        return None


_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = frozenset({"of", "the", "and", "in", "a", "gland", "type", "nos"})


class GraphEvidence:
    """Evidence look-ups in one graph, memoised (a trajectory asks about the same nodes again and again)."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self._relations = graph.relations
        self._hierarchy = {i for i, r in enumerate(graph.relations) if r in HIERARCHY}
        self._climbs: dict[int, dict[int, tuple[int, ...]]] = {}
        self._sites: dict[str, frozenset[str]] = {}
        self._opposites: dict[str, tuple[str, ...]] = {}
        self._results: dict[str, dict[str, str]] = {}
        self._below: dict[str, dict[str, int]] = {}
        self._above: dict[str, tuple[str, ...]] = {}
        self._connections: dict[tuple[str, str], tuple[Connection, ...]] = {}
        self.involvements: dict[tuple[int, str], Mention | None] = {}

    def below(self, curie: str) -> dict[str, int]:
        """The node and its is_a descendants, nearest first, each with its place in that order."""
        if curie not in self._below:
            found = self.graph.descendants(curie) if curie in self.graph else {}
            self._below[curie] = {c: i for i, c in enumerate((curie, *sorted(found, key=lambda c: (found[c], c))))}
        return self._below[curie]

    def above(self, curie: str) -> tuple[str, ...]:
        """The node and its is_a ancestors up to :data:`MAX_CLIMB`, nearest first."""
        if curie not in self._above:
            index = self.graph.find_index(curie)
            self._above[curie] = (curie,) if index is None else tuple(map(self.graph.curie, self._climb(index)))
        return self._above[curie]

    def words(self, curie: str) -> frozenset[str]:
        """The words of a node's name, without the small ones."""
        return frozenset(_WORD.findall(self.graph.name(curie).lower())) - _SMALL_WORDS

    @cached_property
    def anatomy_words(self) -> frozenset[str]:
        """Every word that names a place, in a name or synonym of an anatomy node."""
        types = self.graph.node_types
        code = types.index("anatomy") if "anatomy" in types else -1
        table = self.graph.synonyms_table()
        is_place = (self.graph.arrays.node_type == code).tolist()
        found: set[str] = set()
        for node, form in zip(table["node"].to_pylist(), table["form"].to_pylist(), strict=True):
            if is_place[node]:
                found.update(_WORD.findall(form.lower()))
        return frozenset(found)

    def sites(self, curie: str) -> frozenset[str]:
        """Where a disease arises: the organs of its ``arises_in`` edges (or of its nearest ancestor that has some),
        with all their parts."""
        if curie not in self._sites:
            organs: set[str] = set()
            for node in self.above(curie):
                organs = {other for _, other, _ in self.graph.neighbors(node, "arises_in", direction="forward")}
                if organs:
                    break
            parts = {part for organ in organs for part in self.graph.descendants(organ, ("is_a", "part_of"))}
            self._sites[curie] = frozenset(organs | parts)
        return self._sites[curie]

    def connections(self, source: str, target: str) -> tuple[Connection, ...]:
        """The shortest connection of each sign between two nodes, at most one edge apart after generalising
        either end over is_a, shortest first."""
        key = (source, target)
        if key not in self._connections:
            self._connections[key] = self._search(source, target)
        return self._connections[key]

    def _climb(self, start: int) -> dict[int, tuple[int, ...]]:
        """Node -> edge ids of the is_a (or result_of) walk up to it; breadth first, so shortest and in order."""
        if start in self._climbs:
            return self._climbs[start]
        arrays = self.graph.arrays
        reached: dict[int, tuple[int, ...]] = {start: ()}
        frontier = [start]
        for _ in range(MAX_CLIMB):
            following: list[int] = []
            for node in frontier:
                lo, hi = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
                for other, edge in zip(arrays.neighbor[lo:hi].tolist(), arrays.edge[lo:hi].tolist(), strict=True):
                    if other in reached or int(arrays.edge_subject[edge]) != node:
                        continue
                    relation = int(arrays.edge_relation[edge])
                    if relation in self._hierarchy or self._relations[relation] in READS_AS:
                        reached[other] = (*reached[node], edge)
                        following.append(other)
            frontier = following
        self._climbs[start] = reached
        return reached

    def _search(self, source: str, target: str) -> tuple[Connection, ...]:
        a, b = self.graph.find_index(source), self.graph.find_index(target)
        if a is None or b is None or a == b:
            return ()
        arrays = self.graph.arrays
        from_a, from_b = self._climb(a), self._climb(b)
        best: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}

        def offer(sign: int, edges: tuple[int, ...]) -> None:
            rank = (len(edges), *edges)
            if sign not in best or rank < best[sign][0]:
                best[sign] = (rank, edges)

        if b in from_a:
            offer(1, from_a[b])
        if a in from_b:
            offer(1, from_b[a][::-1])
        # walk the smaller neighbourhoods: hubs are met only from their small side
        degree = arrays.indptr
        near, far = (from_a, from_b)
        if sum(int(degree[n + 1] - degree[n]) for n in from_a) > sum(int(degree[n + 1] - degree[n]) for n in from_b):
            near, far = from_b, from_a
        for node, walked in near.items():
            lo, hi = int(arrays.indptr[node]), int(arrays.indptr[node + 1])
            for other, edge in zip(arrays.neighbor[lo:hi].tolist(), arrays.edge[lo:hi].tolist(), strict=True):
                if other not in far:
                    continue
                relation = self._relations[int(arrays.edge_relation[edge])]
                if relation in HIERARCHY or relation in READS_AS or relation in UNINFORMATIVE:
                    continue
                sign = -1 if relation in AGAINST or bool(arrays.edge_negated[edge]) else 1
                way = (*walked, edge, *far[other][::-1])
                # what is known of a marker, or of an alteration, is denied by its negative result
                if self._negative_result(a, b) and (relation in ("stains_negative_for", "stains_positive_for") or any(
                        self._relations[int(arrays.edge_relation[e])] in READS_AS for e in way)):
                    sign = -sign
                offer(sign, way if near is from_a else way[::-1])
        found = sorted((rank, sign, edges) for sign, (rank, edges) in best.items())
        return tuple(Connection(edges, self._words(a, edges), sign, self._named(edges)) for _, sign, edges in found)

    def opposite_results(self, curie: str) -> tuple[str, ...]:
        """Of a marker result, the results of the same marker with the other sign: "CK7 positive" of "CK7 negative"."""
        known = self._opposites.get(curie)
        if known is None:
            index = self.graph.find_index(curie)
            known = ()
            if index is not None and self.graph.type(index) == "marker_result":
                negative = self._negative_result(index, index)
                markers = [m for _, m, way in self.graph.neighbors(curie, relation="result_of") if way == "forward"]
                known = tuple(sorted({r for m in markers for _, r, way in self.graph.neighbors(m, relation="result_of")
                                      if way == "backward" and r != curie
                                      and self._negative_result(i := self.graph.index(r), i) != negative}))
            self._opposites[curie] = known
        return known

    def results(self, marker: str) -> dict[str, str]:
        """The results of a marker by sign: ``{"+": "…-positive", "-": "…-negative"}``, those of the plainest names."""
        known = self._results.get(marker)
        if known is None:
            found: dict[str, list[tuple[int, str]]] = {"+": [], "-": []}
            for _, result, way in self.graph.neighbors(marker, relation="result_of") if marker in self.graph else ():
                name = self.graph.name(result).lower()
                sign = "-" if name.endswith(_NEGATIVE_RESULT) else "+" if name.endswith((" positive", " mutant pattern", " expressed")) else ""
                if way == "backward" and sign:
                    found[sign].append((len(name), result))
            known = self._results[marker] = {sign: min(options)[1] for sign, options in found.items() if options}
        return known

    def _negative_result(self, a: int, b: int) -> bool:
        return any(self.graph.type(i) == "marker_result" and self.graph.name(i).lower().endswith(_NEGATIVE_RESULT)
                   for i in (a, b))

    def _named(self, edges: tuple[int, ...]) -> frozenset[str]:
        return frozenset(self._relations[int(self.graph.arrays.edge_relation[edge])] for edge in edges)

    def _words(self, start: int, edges: tuple[int, ...]) -> str:
        arrays = self.graph.arrays
        node, words = start, [self.graph.name(start)]
        for edge in edges:
            subject, object_ = int(arrays.edge_subject[edge]), int(arrays.edge_object[edge])
            relation = self._relations[int(arrays.edge_relation[edge])]
            node, arrow = (object_, f"—{relation}→") if subject == node else (subject, f"←{relation}—")
            words.append(f"{arrow} {self.graph.name(node)}")
        return " ".join(words)


@lru_cache(maxsize=8)
def lookup_for(graph: KnowledgeGraph) -> GraphEvidence:
    """The shared look-ups of a graph: what one verification learns, the next one knows."""
    return GraphEvidence(graph)
