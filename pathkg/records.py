"""The words every room shares: nodes, edges, mentions and paths.

All values are frozen. Each has ``to_dict()`` (plain JSON types) and, where a person reads it, ``explain()``.
Entities are named by CURIE (``MONDO:0005097``), never by a name or a row number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal, overload


class Assertion(str, Enum):
    """What the text says about a mention."""

    PRESENT = "present"
    ABSENT = "absent"
    POSSIBLE = "possible"
    HISTORICAL = "historical"
    UNSPECIFIED = "unspecified"
    OTHER = "other"

    def __str__(self) -> str:
        return self.value


Polarity = Literal["+", "-"]
"""Rewards and verification compare (node, polarity): ``-`` for absent, ``+`` for present and possible."""

Direction = Literal["forward", "backward"]
"""How a path walks an edge: ``forward`` from subject to object."""


def polarity_of(assertion: Assertion | str) -> Polarity | None:
    """``+`` for present and possible, ``-`` for absent, ``None`` for what asserts nothing about this case.

    Example:
        >>> polarity_of("absent"), polarity_of("possible"), polarity_of("historical")
        ('-', '+', None)
    """
    value = Assertion(assertion)
    if value is Assertion.ABSENT:
        return "-"
    return "+" if value in (Assertion.PRESENT, Assertion.POSSIBLE) else None


@dataclass(frozen=True, slots=True)
class Node:
    """One concept of the graph."""

    id: str
    name: str
    type: str
    synonyms: tuple[str, ...] = ()
    xrefs: tuple[str, ...] = ()
    definition: str = ""
    sources: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "type": self.type, "synonyms": list(self.synonyms),
                "xrefs": list(self.xrefs), "definition": self.definition, "sources": list(self.sources)}

    def __repr__(self) -> str:
        return f"<{self.id} {self.name!r} ({self.type})>"


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of the multigraph. ``id`` is its row in the store; it means something only together with the
    store's content hash."""

    id: int
    subject: str
    relation: str
    object: str
    source: str
    display_relation: str = ""
    evidence: str = ""
    negated: bool = False
    undirected: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "subject": self.subject, "relation": self.relation, "object": self.object,
                "source": self.source, "display_relation": self.display_relation, "evidence": self.evidence,
                "negated": self.negated, "undirected": self.undirected}


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of text linked to one node, with its assertion status.

    ``start`` and ``end`` are Python string offsets into the linked text. ``value`` holds the parsed numbers of
    pattern concepts (``{"pT": "2a"}``, ``{"gleason": [3, 4], "grade_group": 2}``).
    """

    start: int
    end: int
    text: str
    id: str
    name: str
    type: str
    assertion: Assertion
    score: float
    why: str
    value: Mapping[str, Any] = field(default_factory=dict)

    @property
    def polarity(self) -> Polarity | None:
        """See :func:`polarity_of`."""
        return polarity_of(self.assertion)

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "start": self.start, "end": self.end, "text": self.text, "id": self.id, "name": self.name,
            "type": self.type, "assertion": str(self.assertion), "score": round(self.score, 4), "why": self.why}
        if self.value:
            record["value"] = dict(self.value)
        return record

    def explain(self) -> str:
        return f"{self.text!r} [{self.start}:{self.end}] -> {self.name} ({self.id}), {self.assertion}: {self.why}"

    def __repr__(self) -> str:
        return f"<{self.text!r} -> {self.id} {self.name!r} {self.assertion}>"


def _as_result(mention: Mention) -> Mention:
    if "result_id" not in mention.value:
        return mention
    value = {k: v for k, v in mention.value.items() if not k.startswith("result")}
    return replace(mention, id=mention.value["result_id"], name=mention.value["result_name"], type="marker_result",
                   assertion=Assertion.PRESENT, value={**value, "marker_id": mention.id})


@dataclass(frozen=True, slots=True)
class LinkResult(Sequence[Mention]):
    """The mentions of one text, in order of position. Behaves as a sequence of :class:`Mention`."""

    text: str
    mentions: tuple[Mention, ...]
    graph_hash: str = ""

    @overload
    def __getitem__(self, index: int) -> Mention: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Mention, ...]: ...
    def __getitem__(self, index: int | slice) -> Mention | tuple[Mention, ...]:
        return self.mentions[index]

    def __len__(self) -> int:
        return len(self.mentions)

    def __iter__(self) -> Iterator[Mention]:
        return iter(self.mentions)

    def to_dict(self) -> dict[str, Any]:
        return {"text": self.text, "graph_hash": self.graph_hash,
                "mentions": [m.to_dict() for m in self.mentions]}

    def with_results(self) -> LinkResult:
        """The same mentions, with markers that have a result as the graph's result nodes.

        The marker *CK7*, absent, becomes *CK7 negative*, present: the node that the graph's evidence hangs on.
        """
        return LinkResult(self.text, tuple(map(_as_result, self.mentions)), self.graph_hash)

    def explain(self) -> str:
        return "\n".join(m.explain() for m in self.mentions) or "no mention found"

    def __repr__(self) -> str:
        inner = "\n  ".join(map(repr, self.mentions))
        return f"LinkResult({len(self.mentions)} mentions:\n  {inner})" if inner else "LinkResult(0 mentions)"


@dataclass(frozen=True, slots=True)
class PathNode:
    """A node on a path."""

    id: str
    name: str
    type: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "type": self.type}


@dataclass(frozen=True, slots=True)
class PathEdge:
    """An edge on a path and the direction in which the path walks it."""

    id: int
    relation: str
    source: str
    direction: Direction
    negated: bool = False

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {"id": self.id, "relation": self.relation, "source": self.source,
                                  "direction": self.direction}
        if self.negated:
            record["negated"] = True
        return record


@dataclass(frozen=True, slots=True)
class Path:
    """A walk through the graph: ``len(nodes) == len(edges) + 1``. Higher ``score`` is better; ``parts`` are the
    named terms it is the sum of."""

    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of edges."""
        return len(self.edges)

    def to_dict(self) -> dict[str, Any]:
        return {"nodes": [n.to_dict() for n in self.nodes], "edges": [e.to_dict() for e in self.edges],
                "length": self.length, "score": round(self.score, 6),
                "parts": {k: round(v, 6) for k, v in self.parts.items()}}

    def explain(self) -> str:
        """The path in words, arrows pointing from subject to object, each edge with its source."""
        words = [self.nodes[0].name]
        for edge, node in zip(self.edges, self.nodes[1:], strict=True):
            label = f"NOT {edge.relation}" if edge.negated else edge.relation
            arrow = f"—{label}→" if edge.direction == "forward" else f"←{label}—"
            words.append(f"{arrow} {node.name} [{edge.source}]")
        return " ".join(words)

    def __repr__(self) -> str:
        return f"<Path {self.explain()} score={self.score:.3f}>"


@dataclass(frozen=True, slots=True)
class PathResult(Sequence[Path]):
    """The answer to a path query, best path first.

    ``reason`` is empty when there are paths, else one of ``unknown_entity``, ``no_path_within_max_hops``,
    ``filtered``. ``truncated`` is true when a budget or an enumeration cap cut the answer short;
    ``total`` is the exact number of such paths where the query counted them.
    """

    paths: tuple[Path, ...]
    reason: str = ""
    detail: str = ""
    truncated: bool = False
    total: int | None = None
    graph_hash: str = ""

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def to_dict(self) -> dict[str, Any]:
        return {"paths": [p.to_dict() for p in self.paths], "reason": self.reason, "detail": self.detail,
                "truncated": self.truncated, "total": self.total, "graph_hash": self.graph_hash}

    def explain(self) -> str:
        if not self.paths:
            return f"no path: {self.reason} ({self.detail})" if self.detail else f"no path: {self.reason}"
        return "\n".join(f"{i}. {p.explain()}  score {p.score:.3f}" for i, p in enumerate(self.paths, 1))

    def __repr__(self) -> str:
        return f"PathResult({len(self.paths)} paths)\n{self.explain()}"
