"""Differential support: evidence for and against each candidate diagnosis of a case.

For a finding ``f`` and a diagnosis ``d`` the graph is read along short chains of three parts
(:mod:`pathkg.paths.chains`):

1. **the finding itself**: ``f``; what it is a kind of (``is_a``, up to three steps, times ``broader_finding`` each); its
   direct kinds (times ``narrower_finding``; for these only what speaks in favour counts); a marker result and its marker
   stand for each other, with their sign (``CD10 positive`` for ``stains_positive_for CD10``, ``CD10 negative`` for
   ``stains_negative_for CD10``);
2. **one edge** between finding and a disease, with the strength of its relation (``support.json``; negative speaks
   against; a negated edge turns the sign);
3. **the diagnosis**: that disease is ``d``; or ``d`` is a kind of it (times ``inherited_from_parent`` each step); or it is
   among the kinds of ``d``, the other kinds of a parent, or the differential diagnoses (times ``known_of_subtype``,
   ``known_of_sibling``, ``known_of_differential``, and times the share of these for which the finding speaks). What speaks against a disease
   is passed down to its kinds (times ``passed_down``), but not up, nor to its siblings.

The strongest chain counts (what is recorded for ``d`` itself before any other), with the strength ``s``. Its weight is a
weight of evidence in powers of ten: 2 says that the finding is a hundred times as likely with ``d`` as by chance::

    present, s > 0:  log10(1 + s / n / chance)    n       = recorded findings of d + unrecorded; typical on a detour
                                                  chance  = chance * ((diseases joined to f + 1) / 10) ** common
    present, s < 0:  against * s
    absent,  s > 0:  log10(1 - seen * s)          seen_marker for a marker result
    absent,  s < 0: -log10(1 - seen * |s|)

So a finding of few diseases says more than one of many, and a diagnosis with a long list of recorded findings is credited
less for each. An absent finding is not what it is a kind of (that may be present), all its kinds are absent too (times
``absent_kind``), and it is passed down to kinds of a disease only. The score of a candidate is the sum of the weights, plus
once ``standing = well_described * log10((recorded findings of d + unrecorded) / typical)``: what is described at length is
met more often.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from pathkg.errors import InputError, UnknownEntityError
from pathkg.graph import KnowledgeGraph
from pathkg.paths.chains import SupportReader, Weighed, default_rules, reader_for, result_sign
from pathkg.paths.constraints import read_polarity
from pathkg.records import Mention, Path, PathEdge, PathNode

__all__ = ["Candidate", "CaseExplanation", "Evidence", "Finding", "SupportReader", "default_rules", "explain_case",
           "reader_for", "result_sign"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one finding says about one candidate.

    ``weight`` is positive for evidence in favour, in powers of ten (2: the finding is a hundred times as likely with this
    diagnosis as by chance). ``path`` leads from the finding to the candidate.
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

    ``score`` is the sum of the weights of all evidence and of ``standing`` (above zero for a diagnosis that is described
    at length: it is met more often). ``unexplained`` are the findings it says nothing about.
    """

    node: PathNode
    score: float
    standing: float = 0.0
    support: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    unexplained: tuple[PathNode, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"node": self.node.to_dict(), "score": round(self.score, 6),
                "standing": round(self.standing, 6), "support": [e.to_dict() for e in self.support], "against": [e.to_dict() for e in self.against],
                "unexplained": [n.to_dict() for n in self.unexplained]}

    def explain(self) -> str:
        lines = [f"{self.node.name} ({self.node.id})  {self.score:+.2f}"]
        lines += [f"  for      {e.explain()}" for e in self.support]
        lines += [f"  against  {e.explain()}" for e in self.against]
        if self.standing:  # or the lines would not add up to the score
            lines.append(f"  standing {self.standing:+.2f}  described {'at length' if self.standing > 0 else 'in few words'}")
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
    return _explain(graph, known, wanted, top, _checked_edges(graph, avoid_edges), tuple(unknown))


def _checked_edges(graph: KnowledgeGraph, edges: Collection[int]) -> frozenset[int]:
    for edge in edges:
        if not 0 <= int(edge) < graph.n_edges:
            raise InputError(f"avoid_edges names the edge {edge}", hint=f"edge ids are 0 to {graph.n_edges - 1}")
    return frozenset(map(int, edges))


def _explain(graph: KnowledgeGraph, findings: Sequence[tuple[int, str]], wanted: Sequence[int] | None, top: int | None,
             avoid: frozenset[int], unknown: tuple[str, ...]) -> CaseExplanation:
    reader = reader_for(graph)
    weighed = [reader.weigh(node, avoid, absent=polarity == "-") for node, polarity in findings]
    score: dict[int, float] = {}
    for reached in weighed:
        for disease, (weight, _) in reached.items():
            score[disease] = score.get(disease, 0.0) + weight
    standing = {disease: reader.standing(disease, avoid) for disease in {*score, *(wanted or ())}}
    pool = list(dict.fromkeys(wanted)) if wanted is not None else [
        d for d in score if any(d in reached and reached[d][0] > 0 for reached in weighed)]
    pool.sort(key=lambda d: (-round(score.get(d, 0.0) + standing[d], 9), -round(standing[d], 9), d))
    ranked = [_candidate(graph, d, standing[d], findings, weighed) for d in (pool if wanted is not None else pool[:top])]
    return CaseExplanation(tuple(ranked), tuple((_node(graph, f), p) for f, p in findings), unknown, graph.hash)


def _candidate(graph: KnowledgeGraph, disease: int, standing: float, findings: Sequence[tuple[int, str]],
               weighed: Sequence[Mapping[int, Weighed]]) -> Candidate:
    evidence, silent = [], []
    for (finding, polarity), reached in zip(findings, weighed, strict=True):
        weight, steps = reached.get(disease, (0.0, ()))
        if weight == 0:
            silent.append(_node(graph, finding))
        else:
            evidence.append(Evidence(_node(graph, finding), polarity, weight, _path(graph, finding, steps, weight)))
    evidence.sort(key=lambda e: -abs(e.weight))
    return Candidate(_node(graph, disease), sum(e.weight for e in evidence) + standing, standing,
                     tuple(e for e in evidence if e.weight > 0),
                     tuple(e for e in evidence if e.weight < 0), tuple(silent))


def _path(graph: KnowledgeGraph, start: int, steps: Sequence[tuple[int, int]], weight: float) -> Path:
    arrays = graph.arrays
    nodes = [start, *(node for _, node in steps)]
    edges = [PathEdge(edge, graph.relations[int(arrays.edge_relation[edge])],
                      graph.sources[int(arrays.edge_source[edge])],
                      "forward" if int(arrays.edge_subject[edge]) == at else "backward", bool(arrays.edge_negated[edge]))
             for (edge, _), at in zip(steps, nodes, strict=False)]
    return Path(tuple(_node(graph, node) for node in nodes), tuple(edges), weight, {"support": weight})


def _node(graph: KnowledgeGraph, index: int) -> PathNode:
    return PathNode(graph.curie(index), graph.name(index), graph.type(index))


def _read_findings(graph: KnowledgeGraph, findings: Iterable[Finding]) -> tuple[list[tuple[int, str]], list[str]]:
    known: dict[int, str] = {}
    unknown = []
    for given in [findings] if isinstance(findings, (str, Mention)) else findings:
        name, polarity = _name_and_polarity(graph, given)
        if polarity is None:
            continue
        if not name.strip():
            raise InputError(f"a finding is empty: {given!r}", hint='name it: "keratin pearl", "no mucin"')
        try:
            node = graph.index(graph.resolve(name))
            if known.setdefault(node, polarity) != polarity:
                unknown.append(f"{graph.name(node)} was given as present and as absent; the first counts")
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
