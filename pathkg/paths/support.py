"""Differential support: evidence for and against each candidate diagnosis of a case.

For a finding ``f`` and a diagnosis ``d`` the graph is read along short chains of three parts:

1. **the finding itself**: ``f``; what it is a kind of (``is_a``, up to three steps, times ``broader_finding`` each); its
   direct kinds (times ``narrower_finding``; for these only what speaks in favour counts); a marker result and its marker stand for each other, with their sign
   (``CD10 positive`` ↔ ``stains_positive_for CD10``, ``CD10 negative`` ↔ ``stains_negative_for CD10``);
2. **one edge** between finding and a disease, with the strength of its relation (``support.json``; negative speaks
   against; a negated edge turns the sign);
3. **the diagnosis**: that disease is ``d``; or ``d`` is a kind of it (times ``inherited_from_parent`` each step); or it
   is a kind of ``d`` (``known_of_subtype``); or both are kinds of one disease (``known_of_sibling``). What speaks against a
   disease speaks against its kinds, but not against what it is a kind of, nor against its siblings.

An absent finding is not what it is a kind of (that may be present), all its kinds are absent too (times
``broader_finding``), and it is passed down to kinds of a disease only.

The support of ``f`` for ``d`` is the strongest chain's product ``s(f, d)`` times the finding's specificity
``idf(f) = log((N + 1) / (n_f + 1)) / log(N + 1)`` (``N`` diseases, ``n_f`` of them joined to ``f`` by part 2). An absent
finding counts ``-absent * s`` (a marker result ``-absent_marker * s``: its absence is itself a result). A candidate's score
is the sum over findings, less ``breadth * log(1 + p_d)`` for each finding of the case, where ``p_d`` counts the edges of
``d`` that part 2 could use: a diagnosis with a long list of findings matches more of them by chance.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, overload

import numpy as np

from pathkg.errors import InputError, UnknownEntityError
from pathkg.graph import FORWARD, KnowledgeGraph
from pathkg.paths.constraints import read_polarity
from pathkg.records import Mention, Path, PathEdge, PathNode

_POSITIVE = re.compile(r"\b(positive|positivity|present|overexpression|amplified|retained|expression)\b")
_NEGATIVE = re.compile(r"\b(negative|negativity|absent|loss|lost|deficient)\b")
_BROADER_STEPS = 3
_INHERIT_STEPS = 2
_NODES_KEPT = 20_000
_EVIDENCE = 0.5
"""Relations of at least this strength count as recorded findings of a disease."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one finding says about one candidate.

    ``weight`` is positive for evidence in favour. ``path`` leads from the finding to the candidate.
    """

    finding: PathNode
    polarity: str
    weight: float
    path: Path

    def to_dict(self) -> dict[str, Any]:
        return {"finding": self.finding.to_dict(), "polarity": self.polarity, "weight": round(self.weight, 6),
                "path": self.path.to_dict(), "words": self.explain()}

    def explain(self) -> str:
        return f"{self.weight:+.2f}  {'no ' if self.polarity == '-' else ''}{self.path.explain()}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One diagnosis with the evidence for and against it, strongest first.

    ``score`` is the sum of the weights of all evidence and of ``breadth`` (zero or negative: what a diagnosis with
    so many recorded findings gets by chance). ``unexplained`` are the findings it says nothing about.
    """

    node: PathNode
    score: float
    breadth: float = 0.0
    support: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    unexplained: tuple[PathNode, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"node": self.node.to_dict(), "score": round(self.score, 6),
                "breadth": round(self.breadth, 6), "support": [e.to_dict() for e in self.support], "against": [e.to_dict() for e in self.against],
                "unexplained": [n.to_dict() for n in self.unexplained]}

    def explain(self) -> str:
        lines = [f"{self.node.name} ({self.node.id})  {self.score:+.2f}"]
        lines += [f"  for      {e.explain()}" for e in self.support]
        lines += [f"  against  {e.explain()}" for e in self.against]
        if self.unexplained:
            lines.append(f"  silent   {', '.join(n.name for n in self.unexplained)}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class CaseExplanation(Sequence[Candidate]):
    """The candidates of a case, best supported first.

    Attributes:
        candidates: ranked by score; ties by CURIE.
        findings: the findings with their polarity, in the order given.
        unknown: what was given but is not in the graph, each with a hint.
        graph_hash: content hash of the graph that was asked.
    """

    candidates: tuple[Candidate, ...]
    findings: tuple[tuple[PathNode, str], ...] = ()
    unknown: tuple[str, ...] = ()
    graph_hash: str = field(default="")

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, index: int | slice) -> Candidate | tuple[Candidate, ...]:
        return self.candidates[index]

    def __len__(self) -> int:
        return len(self.candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def rank(self, curie: str) -> int | None:
        """Place of a candidate, from 1; ``None`` when it is not among them."""
        return next((i for i, c in enumerate(self.candidates, 1) if c.node.id == curie), None)

    def to_dict(self) -> dict[str, Any]:
        return {"findings": [n.to_dict() | {"polarity": p} for n, p in self.findings],
                "candidates": [c.to_dict() for c in self.candidates], "unknown": list(self.unknown),
                "graph_hash": self.graph_hash}

    def explain(self) -> str:
        return "\n".join(f"{i}. {c.explain()}" for i, c in enumerate(self.candidates, 1)) or "no candidate"


Finding = str | tuple[str, str] | Mention
"""A CURIE or name (a leading ``-``, ``no `` or ``not `` says absent), ``(CURIE or name, polarity)``, or a linked mention."""

_Step = tuple[int, int]
_Chain = tuple[float, tuple[_Step, ...]]
"""Strength and the steps (edge id, node index) that lead there."""


def explain_case(graph: KnowledgeGraph, findings: Iterable[Finding], candidates: Collection[str] | None = None, *,
                 top: int | None = 10, avoid_edges: Collection[int] = ()) -> CaseExplanation:
    """Rank candidate diagnoses by the evidence that the findings of a case give for and against them.

    Args:
        graph: the graph.
        findings: each a CURIE or name; ``-name``, ``no name``, ``not name`` or ``(name, "absent")`` for an absent one; or a
            :class:`~pathkg.records.Mention` (mentions that assert nothing, such as historical ones, are left out).
        candidates: CURIEs or names of diagnoses; ``None`` for every disease that any finding speaks for.
        top: how many candidates to return; ``None`` for all. Given candidates are all returned.
        avoid_edges: edges not to use (leave-edge-out).

    Returns:
        Candidates, best first. Names that the graph does not hold are listed in ``unknown``.

    Raises:
        InputError: no finding is left.

    Example:
        >>> import pathkg
        >>> case = explain_case(pathkg.load(), ["keratin pearl", "intercellular bridge", "-TTF-1 positive"],
        ...                     ["squamous cell carcinoma", "lung adenocarcinoma"])
        >>> case[0].node.name
        'squamous cell carcinoma'
    """
    reader = reader_for(graph)
    known, unknown = _read_findings(graph, findings)
    if not known:
        raise InputError("no finding of the case is in the graph" + (f": {unknown[0]}" if unknown else ""),
                         hint="name findings by CURIE or by a name the graph knows: pathkg node --search WORD")
    wanted: list[int] | None = None
    if candidates is not None:
        wanted = []
        for name in [candidates] if isinstance(candidates, str) else candidates:
            try:
                wanted.append(graph.index(graph.resolve(name)))
            except UnknownEntityError as error:
                unknown.append(f"{error.message} ({error.hint})" if error.hint else error.message)
    return reader.explain(known, wanted, top, frozenset(avoid_edges), tuple(unknown))


_Entry = tuple[int, int, bool, int, float]
"""Edge id, neighbour, whether walked forward, relation code, strength (negated edges with the sign turned)."""


class SupportReader:
    """Reads support chains off one graph; see the module for the rules."""

    def __init__(self, graph: KnowledgeGraph, rules: Mapping[str, Any] | None = None) -> None:
        self.graph = graph
        self._rules = rules or default_rules()
        strength = self._rules["relations"]
        self._strength = np.array([float(strength.get(r, 0.0)) for r in graph.relations] or [0.0])
        self._is_a, self._result_of = (graph.relations.index(r) if r in graph.relations else -1
                                       for r in ("is_a", "result_of"))
        self._known: dict[int, list[_Entry]] = {}
        disease = graph.node_types.index("disease") if "disease" in graph.node_types else -1
        self._is_disease: list[bool] = (np.asarray(graph.arrays.node_type) == disease).tolist()
        self._n_diseases = max(2, sum(self._is_disease))
        counted = (np.abs(self._strength) >= _EVIDENCE)[graph.arrays.edge_relation]
        ends = np.concatenate([graph.arrays.edge_subject[counted], graph.arrays.edge_object[counted]])
        self._recorded = np.bincount(ends, minlength=len(graph))

    def explain(self, findings: Sequence[tuple[int, str]], wanted: Sequence[int] | None, top: int | None,
                avoid: frozenset[int], unknown: tuple[str, ...]) -> CaseExplanation:
        """See :func:`explain_case`; findings are (node index, polarity)."""
        chains, weights = self._weigh(findings, avoid)
        score = self._total(chains, weights)
        pool = list(dict.fromkeys(wanted)) if wanted is not None else [
            d for d in score if any(d in c and c[d][0] * w > 0 for c, w in zip(chains, weights, strict=True))]
        pool.sort(key=lambda d: (-round(score.get(d, self._breadth(d, len(findings))), 9), d))
        ranked = [self._candidate(d, findings, chains, weights) for d in (pool if wanted is not None else pool[:top])]
        return CaseExplanation(tuple(ranked), tuple((self._node(f), p) for f, p in findings), unknown,
                               self.graph.hash)

    def scores(self, findings: Sequence[tuple[int, str]], avoid: frozenset[int] = frozenset()) -> dict[int, float]:
        """Score of every disease (node index) that the findings reach; findings are (node index, polarity)."""
        return self._total(*self._weigh(findings, avoid))

    def _weigh(self, findings: Sequence[tuple[int, str]], avoid: frozenset[int]
               ) -> tuple[list[dict[int, _Chain]], list[float]]:
        chains, weights = [], []
        for node, polarity in findings:
            reached, n_direct = self.reach(node, avoid, absent=polarity == "-")
            idf = math.log((self._n_diseases + 1) / (n_direct + 1)) / math.log(self._n_diseases + 1)
            chains.append(reached)
            weights.append(idf if polarity == "+" else -idf * self._absence(node))
        return chains, weights

    def _absence(self, finding: int) -> float:
        return float(self._rules["absent_marker" if self.graph.type(finding) == "marker_result" else "absent"])

    def _breadth(self, disease: int, n_findings: int) -> float:
        return -float(self._rules["breadth"]) * n_findings * math.log1p(int(self._recorded[disease]))

    def _total(self, chains: Sequence[Mapping[int, _Chain]], weights: Sequence[float]) -> dict[int, float]:
        score: dict[int, float] = {}
        for reached, weight in zip(chains, weights, strict=True):
            for disease, (strength, _) in reached.items():
                score[disease] = score.get(disease, 0.0) + weight * strength
        return {disease: value + self._breadth(disease, len(chains)) for disease, value in score.items()}

    def reach(self, finding: int, avoid: frozenset[int] = frozenset(), *, absent: bool = False
              ) -> tuple[dict[int, _Chain], int]:
        """Diseases that a finding speaks for or against: the strongest chain each, and how many directly."""
        rules = self._rules
        direct: dict[int, _Chain] = {}
        for node, sign, strength, chain, narrower in self._finding_side(finding, avoid, absent):
            for edge, other, _, _, value in self._entries(node, avoid):
                if value == 0.0 or (narrower and value < 0) or not self._is_disease[other] or other == finding:
                    continue
                _keep(direct, other, (value * sign * strength, (*chain, (edge, other))))
        reached = dict(direct)
        above: dict[int, _Chain] = {}
        for disease, (strength, chain) in direct.items():
            self._inherit(reached, disease, strength, chain, avoid, _INHERIT_STEPS)
            if absent or strength < 0:
                continue
            for edge, parent, forward, relation, _ in self._entries(disease, avoid):
                if forward and relation == self._is_a:
                    _keep(above, parent, (strength, (*chain, (edge, parent))))
        for parent, (strength, chain) in above.items():
            _keep(reached, parent, (strength * rules["known_of_subtype"], chain))
            weaker = strength * rules["known_of_sibling"]
            for edge, sibling, forward, relation, _ in self._entries(parent, avoid):
                if not forward and relation == self._is_a:
                    _keep(reached, sibling, (weaker, (*chain, (edge, sibling))))
        return reached, len(direct)

    def _inherit(self, reached: dict[int, _Chain], disease: int, strength: float, chain: tuple[_Step, ...],
                 avoid: frozenset[int], steps: int) -> None:
        if steps == 0:
            return
        weaker = strength * float(self._rules["inherited_from_parent"])
        for edge, child, forward, relation, _ in self._entries(disease, avoid):
            if not forward and relation == self._is_a:
                longer = (*chain, (edge, child))
                _keep(reached, child, (weaker, longer))
                self._inherit(reached, child, weaker, longer, avoid, steps - 1)

    def _finding_side(self, finding: int, avoid: frozenset[int], absent: bool
                      ) -> Iterator[tuple[int, int, float, tuple[_Step, ...], bool]]:
        """(node, sign, strength, chain, whether narrower) of what stands for the finding."""
        known: dict[int, _Chain] = {finding: (1.0, ())}
        layer = [] if absent else [finding]
        for _ in range(_BROADER_STEPS):
            upper = []
            for node in layer:
                strength, chain = known[node]
                for edge, other, forward, relation, _ in self._entries(node, avoid):
                    if forward and relation == self._is_a and other not in known:
                        known[other] = (strength * self._rules["broader_finding"], (*chain, (edge, other)))
                        upper.append(other)
            layer = upper
        broader = len(known)
        kind = float(self._rules["broader_finding" if absent else "narrower_finding"])
        for edge, other, forward, relation, _ in self._entries(finding, avoid):
            if not forward and relation == self._is_a and other not in known:
                known[other] = (kind, ((edge, other),))
        for place, (node, (strength, chain)) in enumerate(list(known.items())):
            yield node, 1, strength, chain, place >= broader
            for edge, other, forward, relation, _ in self._entries(node, avoid):
                if relation == self._result_of:
                    sign = result_sign(self.graph.name(node if forward else other))
                    if sign and other not in known:
                        yield other, sign, strength, (*chain, (edge, other)), False

    def _entries(self, node: int, avoid: frozenset[int]) -> list[_Entry]:
        known = self._known.get(node)
        if known is None:
            arrays = self.graph.arrays
            here = slice(int(arrays.indptr[node]), int(arrays.indptr[node + 1]))
            edges = arrays.edge[here]
            relations = arrays.edge_relation[edges]
            values = self._strength[relations] * np.where(arrays.edge_negated[edges], -1.0, 1.0)
            known = list(zip(edges.tolist(), arrays.neighbor[here].tolist(), ((arrays.flow[here] & FORWARD) != 0).tolist(),
                             relations.tolist(), values.tolist(), strict=True))
            if len(self._known) >= _NODES_KEPT:
                self._known.clear()
            self._known[node] = known
        return [entry for entry in known if entry[0] not in avoid] if avoid else known

    def _candidate(self, disease: int, findings: Sequence[tuple[int, str]], chains: Sequence[dict[int, _Chain]],
                   weights: Sequence[float]) -> Candidate:
        evidence, silent = [], []
        for (finding, polarity), reached, weight in zip(findings, chains, weights, strict=True):
            found = reached.get(disease)
            if found is None or found[0] * weight == 0:
                silent.append(self._node(finding))
            else:
                evidence.append(Evidence(self._node(finding), polarity, found[0] * weight,
                                         self._path(finding, found[1], found[0] * weight)))
        evidence.sort(key=lambda e: -abs(e.weight))
        breadth = self._breadth(disease, len(findings))
        return Candidate(self._node(disease), sum(e.weight for e in evidence) + breadth, breadth,
                         tuple(e for e in evidence if e.weight > 0), tuple(e for e in evidence if e.weight < 0),
                         tuple(silent))

    def _path(self, start: int, chain: tuple[_Step, ...], score: float) -> Path:
        arrays, graph = self.graph.arrays, self.graph
        nodes = [start, *(node for _, node in chain)]
        edges = [PathEdge(edge, graph.relations[int(arrays.edge_relation[edge])],
                          graph.sources[int(arrays.edge_source[edge])],
                          "forward" if int(arrays.edge_subject[edge]) == at else "backward",
                          bool(arrays.edge_negated[edge]))
                 for (edge, _), at in zip(chain, nodes, strict=False)]
        return Path(tuple(map(self._node, nodes)), tuple(edges), score, {"support": score})

    def _node(self, index: int) -> PathNode:
        return PathNode(self.graph.curie(index), self.graph.name(index), self.graph.type(index))


def result_sign(name: str) -> int:
    """1 for a positive marker result, -1 for a negative one, 0 when the name does not tell.

    Example:
        >>> result_sign("CD10 positive"), result_sign("MLH1 loss of expression"), result_sign("Ki-67 high")
        (1, -1, 0)
    """
    if _NEGATIVE.search(name):
        return -1
    return 1 if _POSITIVE.search(name) else 0


def _keep(found: dict[int, _Chain], node: int, chain: _Chain) -> None:
    """Keep the stronger chain; of equals the shorter, then the first."""
    old = found.get(node)
    if old is None or abs(chain[0]) > abs(old[0]) + 1e-12:
        found[node] = chain


def _read_findings(graph: KnowledgeGraph, findings: Iterable[Finding]) -> tuple[list[tuple[int, str]], list[str]]:
    known: dict[int, str] = {}
    unknown = []
    for given in [findings] if isinstance(findings, (str, Mention)) else findings:
        name, polarity = _name_and_polarity(graph, given)
        if polarity is None:
            continue
        try:
            known.setdefault(graph.index(graph.resolve(name)), polarity)
        except UnknownEntityError as error:
            unknown.append(f"{error.message} ({error.hint})" if error.hint else error.message)
    return list(known.items()), unknown


def _name_and_polarity(graph: KnowledgeGraph, given: Finding) -> tuple[str, str | None]:
    if isinstance(given, Mention):
        return given.id, given.polarity
    if not isinstance(given, str):
        name, polarity = given
        return name, read_polarity(polarity)
    text = given.strip()
    for sign in ("-", "no ", "not "):
        if text.startswith(sign):
            return text[len(sign):].strip(), "-"
    return text.removeprefix("+").strip(), "+"


@lru_cache(maxsize=1)
def default_rules() -> Mapping[str, Any]:
    """The strengths that ship with the package (``support.json``)."""
    text = (resources.files("pathkg.paths") / "support.json").read_text("utf-8")
    rules: Mapping[str, Any] = json.loads(text)
    return rules


@lru_cache(maxsize=4)
def reader_for(graph: KnowledgeGraph) -> SupportReader:
    """The shared reader of a graph."""
    return SupportReader(graph)
