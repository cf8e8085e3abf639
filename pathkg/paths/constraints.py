"""What a path may use: constraints as a value, and the arrays a search reads them from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pathkg.errors import InputError, did_you_mean
from pathkg.graph import BACKWARD, FORWARD, KnowledgeGraph
from pathkg.graph.schema import OPPOSING_RELATIONS
from pathkg.paths.pattern import Pattern, parse_pattern
from pathkg.records import Assertion, polarity_of

Array = npt.NDArray[Any]
Walk = Literal["any", "forward", "backward"]

FLOW_MASKS: dict[str, tuple[int, int]] = {
    "any": (FORWARD | BACKWARD, FORWARD | BACKWARD), "forward": (FORWARD, BACKWARD), "backward": (BACKWARD, FORWARD)}
"""Direction -> flow bits a step needs, seen from the start's and from the target's side."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a path may use. ``None`` means "no limit"; every name is checked against the graph.

    Attributes:
        node_types, not_node_types: types allowed, forbidden, for inner nodes (the two ends are given).
        relations, not_relations: relations allowed, forbidden.
        sources, not_sources: edge sources allowed, forbidden.
        direction: ``any``; ``forward`` walks every edge from subject to object, ``backward`` the other way. An
            undirected edge may be walked both ways.
        max_degree: inner nodes with more edges than this are not entered.
        avoid_nodes: nodes (CURIE or name) no path may enter.
        avoid_edges: edge ids no path may use.
        avoid_direct: never step straight from start to target (leave-edge-out, every parallel edge included).
        polarity: ``-`` (or ``absent``) allows only opposing relations (``OPPOSING_RELATIONS`` of
            :mod:`pathkg.graph.schema`) and negated edges; ``+`` (or ``present``, ``possible``) forbids them.
        pattern: a meta-path, see :mod:`pathkg.paths.pattern`.

    Example:
        >>> Constraints(relations=("supports",), max_degree=100).direction
        'any'
    """

    node_types: Collection[str] | None = None
    not_node_types: Collection[str] = ()
    relations: Collection[str] | None = None
    not_relations: Collection[str] = ()
    sources: Collection[str] | None = None
    not_sources: Collection[str] = ()
    direction: Walk = "any"
    max_degree: int | None = None
    avoid_nodes: Collection[str] = ()
    avoid_edges: Collection[int] = ()
    avoid_direct: bool = False
    polarity: str | None = None
    pattern: str | Pattern | None = None

    def key(self) -> tuple[Any, ...]:
        """A hashable form: equal keys compile to equal arrays."""
        return (_frozen(self.node_types), _frozen(self.not_node_types), _frozen(self.relations),
                _frozen(self.not_relations), _frozen(self.sources), _frozen(self.not_sources), self.direction,
                self.max_degree, _frozen(self.avoid_nodes), _frozen(self.avoid_edges), self.avoid_direct,
                self.polarity, str(self.pattern) if self.pattern is not None else None)


@dataclass(frozen=True, slots=True)
class Plan:
    """Constraints as arrays over one graph.

    Attributes:
        node_ok: uint8 (n_nodes); 1 where a path may pass.
        class_ok: uint8 (n_classes); 1 where an edge of that class (see :func:`edge_classes`) may be used.
        flow_mask, reverse_mask: flow bits a step needs, seen from the start's and from the target's side.
        avoid_edges: int32, sorted.
        no_direct: the step from start straight to target is forbidden.
        pattern: the meta-path, or ``None``.
        restricted: whether anything at all is limited.
    """

    node_ok: Array
    class_ok: Array
    flow_mask: int
    reverse_mask: int
    avoid_edges: Array
    no_direct: bool
    pattern: Pattern | None = None
    restricted: bool = False
    avoided: frozenset[int] = field(default_factory=frozenset)


def edge_classes(graph: KnowledgeGraph) -> Array:
    """int16 or int32 (n_edges): relation, source and negation of an edge as one number.

    ``class = (relation * n_sources + source) * 2 + negated``: one look-up answers every question about an edge.
    """
    arrays = graph.arrays
    n_sources = max(1, len(graph.sources))
    width = np.int16 if len(graph.relations) * n_sources * 2 < 2**15 else np.int32
    classes: Array = np.array(arrays.edge_relation, dtype=width)
    for step, rest in ((n_sources, arrays.edge_source), (2, arrays.edge_negated)):  # in place: one array of edges
        np.multiply(classes, width(step), out=classes)
        np.add(classes, rest, out=classes, casting="unsafe")
    return classes


def compile_plan(graph: KnowledgeGraph, constraints: Constraints) -> Plan:
    """Check the constraints against the graph's vocabulary and turn them into arrays.

    Raises:
        InputError: a type, relation or source the graph does not have, constraints that contradict each other,
            or a pattern that cannot be read.
        UnknownEntityError: a node to avoid that the graph does not hold.
    """
    types = _allowed("node type", graph.node_types, constraints.node_types, constraints.not_node_types)
    relations = _allowed("relation", graph.relations, constraints.relations, constraints.not_relations)
    sources = _allowed("source", graph.sources, constraints.sources, constraints.not_sources)
    if constraints.direction not in FLOW_MASKS:
        raise InputError(f"direction is {constraints.direction!r}", hint="use any, forward or backward")
    if constraints.max_degree is not None and constraints.max_degree < 1:
        raise InputError(f"max_degree is {constraints.max_degree}", hint="give a number of edges of at least 1")

    node_ok = types[graph.arrays.node_type].astype(np.uint8) if len(graph) else np.zeros(0, np.uint8)
    if constraints.max_degree is not None:
        node_ok &= np.diff(graph.arrays.indptr) <= constraints.max_degree
    avoided = frozenset(graph.index(graph.resolve(name)) for name in constraints.avoid_nodes)
    node_ok[list(avoided)] = 0

    polarity = read_polarity(constraints.polarity)
    class_ok = np.repeat(relations[:, None] & sources[None, :], 2, axis=1).reshape(len(relations), -1)
    if polarity:
        opposing = np.array([r in OPPOSING_RELATIONS for r in graph.relations], bool)
        negated = np.tile(np.array([False, True]), max(1, len(graph.sources)))
        against = opposing[:, None] | negated[None, :]
        class_ok = class_ok & (against if polarity == "-" else ~against)
    class_ok = np.ascontiguousarray(class_ok.reshape(-1).astype(np.uint8))

    avoid_edges = np.unique(np.array(sorted(map(int, constraints.avoid_edges)), np.int32))
    if len(avoid_edges) and not 0 <= avoid_edges[0] <= avoid_edges[-1] < graph.n_edges:
        raise InputError(f"avoid_edges holds ids outside 0 to {graph.n_edges - 1}",
                         hint="edge ids are row numbers of this store's edges table")
    pattern = constraints.pattern
    if isinstance(pattern, str):
        pattern = parse_pattern(pattern, graph)
    restricted = bool(not node_ok.all() or not class_ok.all() or len(avoid_edges) or constraints.avoid_direct
                      or pattern is not None or constraints.direction != "any")
    return Plan(node_ok, class_ok, *FLOW_MASKS[constraints.direction], avoid_edges, constraints.avoid_direct,
                pattern, restricted, avoided)


def read_polarity(value: str | None) -> str | None:
    """``+``, ``-`` or ``None`` from a sign or an assertion's name.

    Raises:
        InputError: neither.

    Example:
        >>> read_polarity("absent"), read_polarity("+"), read_polarity(None)
        ('-', '+', None)
    """
    if value is None or value in ("+", "-"):
        return value
    try:
        return polarity_of(value)
    except ValueError as error:
        raise InputError(f"polarity is {value!r}",
                         hint=f"use +, - or one of {', '.join(a.value for a in Assertion)}") from error


def _allowed(what: str, vocabulary: tuple[str, ...], allowed: Collection[str] | None,
             forbidden: Collection[str]) -> Array:
    for given in (allowed, forbidden):
        if isinstance(given, str):
            raise InputError(f"{what}s were given as the one string {given!r}", hint="give a list or a tuple")
    for name in (*(allowed or ()), *forbidden):
        if name not in vocabulary:
            raise InputError(f"the graph has no {what} {name!r}",
                             hint=did_you_mean(name, vocabulary) or f"it has: {', '.join(vocabulary)}")
    if allowed is not None and not allowed:
        raise InputError(f"the list of allowed {what}s is empty", hint="leave it out to allow all of them")
    both = sorted(set(allowed or ()) & set(forbidden))
    if both:
        raise InputError(f"{what} {both[0]!r} is both allowed and forbidden", hint="take it out of one list")
    return np.array([(allowed is None or name in allowed) and name not in forbidden for name in vocabulary]
                    or [False], bool)


def _frozen(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(sorted(values))
