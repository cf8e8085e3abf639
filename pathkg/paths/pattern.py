"""Meta-path patterns: a small notation for the shape of a path.

::

    morphology -supports-> disease -is_a*-> disease
    marker_result -supports|opposes-> disease
    * <-has_morphology- disease -differential_of- disease
    gene/protein -*-> * -!part_of{1,2}- anatomy

* A **node** is a type, types joined with ``|``, a CURIE, or ``*`` for any. The first and last stand for the two ends.
* An **edge** is ``-relation->`` (subject on the left), ``<-relation-`` (subject on the right) or ``-relation-`` (either way).
  Relations may be joined with ``|``; ``*`` is any relation; ``!`` before them means "none of these".
* A **count** may follow the relation: ``?`` (0 or 1), ``+`` (1 or more), ``*`` (0 or more), ``{n}``, ``{m,n}``. Nodes between
  repeated edges may be of any type. Zero edges mean that both neighbouring node descriptions fit one node. (``-*->`` is
  one edge of any relation, ``-**->`` any number of them.)
* A name that holds spaces or hyphens goes in double quotes: ``-"off-label use"->``. Put spaces around edges next to a CURIE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pathkg.errors import InputError, UnknownEntityError, did_you_mean
from pathkg.graph import BACKWARD, FORWARD, KnowledgeGraph

EXAMPLE = "morphology -supports-> disease -is_a*-> disease"
UNLIMITED = -1
MOST_REPEATS = 16

_NAME = r'"[^"]+"|[\w./]+'
_CURIE = re.compile(r"[A-Za-z][\w.]*:[\w.]+(?:-[\w.]+)*")
_NODE = re.compile(rf"\*|(?:{_NAME})(?:\s*\|\s*(?:{_NAME}))*")
_EDGE = re.compile(rf"(?P<left><)?-\s*(?P<not>!)?\s*(?P<names>\*|(?:{_NAME})(?:\s*\|\s*(?:{_NAME}))*)"
                   r"\s*(?P<count>\?|\+|\*|\{\s*\d+\s*(?:,\s*\d+\s*)?\})?\s*-(?P<right>>)?")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What a node must be: one of ``types`` (codes; ``None`` for any), or the node ``index`` (-1 for any)."""

    types: frozenset[int] | None = None
    index: int = -1


@dataclass(frozen=True, slots=True)
class EdgeSpec:
    """Relations (codes), the flow bits seen from the left, and how many such edges (``UNLIMITED`` most)."""

    relations: frozenset[int]
    flow: int
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed meta-path over one graph's vocabulary: ``len(nodes) == len(edges) + 1``."""

    text: str
    nodes: tuple[NodeSpec, ...]
    edges: tuple[EdgeSpec, ...]

    def __str__(self) -> str:
        return self.text

    @property
    def longest(self) -> int | None:
        """Most edges a path of this shape can have; ``None`` when there is no limit."""
        return None if any(e.most == UNLIMITED for e in self.edges) else sum(e.most for e in self.edges)


def parse_pattern(text: str, graph: KnowledgeGraph) -> Pattern:
    """Read a pattern against the node types and relations of a graph.

    Raises:
        InputError: the text is not a pattern (the message points at the place), or names a type, relation or node
            that the graph does not have.

    Example:
        >>> import pathkg
        >>> len(parse_pattern("morphology -supports-> disease -is_a*-> disease", pathkg.load()).edges)
        2
    """
    nodes, edges = [], []
    at = _skip(text, 0)
    while True:
        match = _CURIE.match(text, at) or _NODE.match(text, at)
        if match is None:
            raise _error(text, at, "a node: a type, a CURIE or *")
        nodes.append(_node(match.group(), text, graph))
        at = _skip(text, match.end())
        if at == len(text):
            break
        match = _EDGE.match(text, at)
        if match is None:
            raise _error(text, at, "an edge such as -supports->, <-is_a- or -differential_of-")
        if match["left"] and match["right"]:
            raise _error(text, at, "an edge with one arrow head at most")
        edges.append(_edge(match, text, at, graph))
        at = _skip(text, match.end())
    if not edges:
        raise _error(text, len(text), "an edge after the node")
    return Pattern(text.strip(), tuple(nodes), tuple(edges))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _error(text: str, at: int, expected: str) -> InputError:
    place = f"at the end of {text!r}" if at >= len(text) else f"at position {at + 1}, {text[at:at + 20]!r}"
    return InputError(f"cannot read the pattern {place}: expected {expected}", hint=f"a pattern looks like: {EXAMPLE}")


def _names(given: str) -> list[str]:
    return [name.strip('"') for name in re.findall(_NAME, given)]


def _codes(what: str, names: Sequence[str], vocabulary: tuple[str, ...], text: str) -> frozenset[int]:
    for name in names:
        if name not in vocabulary:
            raise InputError(f"the pattern {text!r} names the {what} {name!r}, which the graph does not have",
                             hint=did_you_mean(name, vocabulary) or f"it has: {', '.join(vocabulary)}")
    return frozenset(vocabulary.index(name) for name in names)


def _node(given: str, text: str, graph: KnowledgeGraph) -> NodeSpec:
    if given == "*":
        return NodeSpec()
    if _CURIE.fullmatch(given):
        try:
            return NodeSpec(index=graph.index(given))
        except UnknownEntityError as error:
            raise InputError(f"the pattern {text!r} names {given}, which the graph does not hold",
                             hint=error.hint) from error
    return NodeSpec(_codes("node type", _names(given), graph.node_types, text))


def _edge(match: re.Match[str], text: str, at: int, graph: KnowledgeGraph) -> EdgeSpec:
    everything = frozenset(range(len(graph.relations)))
    relations = everything if match["names"] == "*" else _codes("relation", _names(match["names"]), graph.relations, text)
    if match["not"]:
        relations = everything - relations
    flow = FORWARD if match["right"] else BACKWARD if match["left"] else FORWARD | BACKWARD
    least, most = _count(match["count"])
    if most != UNLIMITED and not (least <= most <= MOST_REPEATS and most > 0):
        raise _error(text, at, f"a count from 0 to {MOST_REPEATS}, the smaller number first")
    return EdgeSpec(relations, flow, least, most)


def _count(given: str | None) -> tuple[int, int]:
    simple = {None: (1, 1), "?": (0, 1), "+": (1, UNLIMITED), "*": (0, UNLIMITED)}
    if given in simple:
        return simple[given]
    numbers = [int(n) for n in re.findall(r"\d+", given or "")]
    return numbers[0], numbers[-1]
