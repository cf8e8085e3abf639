"""The score of a path: a closed form whose parts have names and add up to it.

For a path with edges ``e`` and inner nodes ``v`` (the ends are given, so they cost nothing)::

    score = length + hubs + relations + types + sources + coherence

    length    = - w.length   * number of edges
    hubs      = - w.hub      * sum over v of  log(1 + degree(v)) / log(1 + 10000)
    relations = - w.relation * sum over e of  (1 - informativeness(relation of e))
    types     = - w.type     * sum over v of  (1 - plausibility(type of v))
    sources   = - w.source   * sum over e of  (1 - reliability(source of e))
    coherence = + w.coherence * sum over v and the target of  (share of the case's other findings that are
                                                              joined to v by one edge)

The weights and the three tables are data (``weights.json``; fitted by ``pathkg paths --fit-gold``). A relation that
the table does not name gets its inverse frequency in the graph, ``log(E / E_r) / log(E)``; a type or source that is
not named gets 0.5. A source string that joins several sources with ``|`` counts as its best one.

Terms are kept as whole millionths, so that sums do not depend on their order and ties are real ties.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.errors import InputError, did_you_mean
from pathkg.graph import KnowledgeGraph

Array = npt.NDArray[Any]

UNIT = 1_000_000
"""Score terms are kept in millionths."""

HUB_REFERENCE = 10_000
"""A node with this many edges has the full hub penalty; PrimeKG's largest anatomy nodes lie just above."""

UNKNOWN = 0.5
_TABLES = ("relation_informativeness", "type_plausibility", "source_reliability")
PARTS = ("length", "hubs", "relations", "types", "sources", "coherence")


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of the score (see the module for the formula) and of :func:`~pathkg.paths.selection.select_diverse`.

    Example:
        >>> default_weights().length
        1.0
    """

    length: float = 1.0
    hub: float = 0.6
    relation: float = 0.8
    type: float = 0.4
    source: float = 0.2
    coherence: float = 0.6
    new_finding: float = 1.5
    same_relations: float = 0.3
    shared_node: float = 0.5
    relation_informativeness: Mapping[str, float] = field(default_factory=dict)
    type_plausibility: Mapping[str, float] = field(default_factory=dict)
    source_reliability: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Weights:
        """Weights from the JSON form.

        Raises:
            InputError: an unknown key, or a value that is not a number (or a table of numbers) in range.
        """
        names = [f.name for f in fields(cls)]
        given = {k: v for k, v in record.items() if k not in ("format", "made_by")}
        for key, value in given.items():
            if key not in names:
                raise InputError(f"weights hold the unknown key {key!r}",
                                 hint=did_you_mean(key, names) or f"keys are: {', '.join(names)}")
            numbers = list(value.values()) if isinstance(value, Mapping) else [value]
            if isinstance(value, Mapping) != (key in _TABLES) or not all(
                    isinstance(x, (int, float)) and not isinstance(x, bool) and 0 <= x <= 1000 for x in numbers):
                raise InputError(f"weights: {key} is {value!r:.80}", hint="give numbers from 0 to 1000")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"format": 1} | {f.name: dict(v) if isinstance(v := getattr(self, f.name), Mapping) else v
                                for f in fields(self)}


def read_weights(path: str | FilePath) -> Weights:
    """Weights from a JSON file.

    Raises:
        InputError: no such file, not JSON, or not weights.
    """
    try:
        record = json.loads(FilePath(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read weights from {path}: {error}", hint="write them with --fit-gold") from error
    if not isinstance(record, dict):
        raise InputError(f"{path} holds no weights", hint="the file is one JSON object")
    return Weights.from_dict(record)


@lru_cache(maxsize=1)
def default_weights() -> Weights:
    """The weights that ship with the package."""
    text = (resources.files("pathkg.paths") / "weights.json").read_text("utf-8")
    return Weights.from_dict(json.loads(text))


@dataclass(frozen=True, slots=True)
class Costs:
    """The score's terms over one graph, in millionths (negative is worse).

    Attributes:
        hop: per edge.
        hub, type: int64 (n_nodes), per inner node.
        relation, source: int64 (n_relations), (n_sources), per edge.
        node: ``hub + type``.
        edge_class: int64 (n_classes), ``hop + relation + source`` by edge class.
    """

    hop: int
    hub: Array
    type: Array
    relation: Array
    source: Array
    node: Array
    edge_class: Array


def compile_costs(graph: KnowledgeGraph, weights: Weights) -> Costs:
    """The terms of the score for every node, relation and source of the graph."""
    arrays = graph.arrays
    degree = np.diff(arrays.indptr)
    hub = _units(-weights.hub * np.log1p(degree) / np.log1p(HUB_REFERENCE))
    by_type = np.array([weights.type_plausibility.get(t, UNKNOWN) for t in graph.node_types] or [UNKNOWN])
    type_ = _units(-weights.type * (1 - by_type))[arrays.node_type]
    informativeness = relation_informativeness(graph, weights)
    reliability = [max(weights.source_reliability.get(s, UNKNOWN) for s in name.split("|"))
                   for name in graph.sources] or [UNKNOWN]
    relation = _units(-weights.relation * (1 - informativeness))
    source = _units(-weights.source * (1 - np.array(reliability)))
    hop = int(_units(np.array(-weights.length)))
    classes = np.repeat((hop + relation[:, None] + source[None, :]).reshape(-1), 2)
    return Costs(hop, hub, type_, relation, source, hub + type_, classes)


def relation_informativeness(graph: KnowledgeGraph, weights: Weights) -> Array:
    """float64 (n_relations): from the table, else the relation's inverse frequency scaled to 0..1."""
    unnamed = [r for r in graph.relations if r not in weights.relation_informativeness]
    counts = np.bincount(graph.arrays.edge_relation, minlength=len(graph.relations)) if unnamed else None
    values = []
    for code, relation in enumerate(graph.relations):
        if relation in weights.relation_informativeness:
            values.append(weights.relation_informativeness[relation])
        else:
            assert counts is not None
            values.append(float(np.log(graph.n_edges / max(1, counts[code])) / np.log(max(2, graph.n_edges))))
    return np.array(values or [UNKNOWN])


def _units(values: Array) -> Array:
    rounded: Array = np.rint(np.asarray(values) * UNIT).astype(np.int64)
    return rounded
