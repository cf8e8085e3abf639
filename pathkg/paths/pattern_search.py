"""Search for the paths that follow a meta-path pattern.

The pattern becomes a small automaton whose states say how far along the pattern a node stands. Sets of (state, node) are
grown from both ends, those that cannot take part in a path of the wanted length are dropped, and a depth-first walk over
sets of states lists each simple path once, however many ways it fits the pattern.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pathkg.graph import BACKWARD, FORWARD, KnowledgeGraph
from pathkg.paths.constraints import Plan
from pathkg.paths.pattern import UNLIMITED, NodeSpec, Pattern
from pathkg.paths.walker import Budget

Array = npt.NDArray[Any]
_Layer = dict[int, Array]
"""State -> node indices, sorted."""


@dataclass(frozen=True, slots=True)
class _Move:
    """An edge that leads from a state to ``state``; ``guards`` are descriptions the node before it must fit as well."""

    state: int
    class_ok: Array
    flow: int
    guards: tuple[NodeSpec, ...] = ()


@dataclass(slots=True)
class _Automaton:
    specs: list[NodeSpec] = field(default_factory=list)
    moves: list[list[_Move]] = field(default_factory=list)
    skips: list[list[int]] = field(default_factory=list)
    final: int = 0

    def add(self, spec: NodeSpec) -> int:
        """A new state."""
        self.specs.append(spec)
        self.moves.append([])
        self.skips.append([])
        return len(self.specs) - 1


def _build(pattern: Pattern, plan: Plan, n_sources: int) -> _Automaton:
    machine = _Automaton()
    at = machine.add(pattern.nodes[0])
    for edge, spec in zip(pattern.edges, pattern.nodes[1:], strict=True):
        after = machine.add(spec)
        class_ok = plan.class_ok.reshape(-1, n_sources * 2).copy()
        class_ok[[r for r in range(len(class_ok)) if r not in edge.relations]] = 0
        flat = class_ok.reshape(-1)
        stages = max(edge.least, 2) if edge.most == UNLIMITED else edge.most
        here = at
        for stage in range(stages):  # at `here`, `stage` of the repeated edges have been walked
            if stage + 1 >= edge.least:
                machine.moves[here].append(_Move(after, flat, edge.flow))
            if stage + 1 < stages:
                between = machine.add(NodeSpec())
                machine.moves[here].append(_Move(between, flat, edge.flow))
                here = between
        if edge.most == UNLIMITED:
            machine.moves[here].append(_Move(here, flat, edge.flow))
        if edge.least == 0:
            machine.skips[at].append(after)
        at = after
    machine.final = at
    _inline_skips(machine)
    return machine


def _inline_skips(machine: _Automaton) -> None:
    """Give each state the moves of the states it may pass for, guarded by their descriptions."""
    for state in reversed(range(len(machine.specs))):
        for after in machine.skips[state]:
            machine.moves[state] += [_Move(m.state, m.class_ok, m.flow, (machine.specs[after], *m.guards))
                                     for m in machine.moves[after]]


class PatternSearch:
    """All paths from ``start`` to ``target`` that follow ``plan.pattern``, by length.

    Args:
        graph: the graph.
        edge_class: see :func:`pathkg.paths.constraints.edge_classes`.
        plan: constraints with a pattern; the other constraints hold as well.
        start, target: node indices, not equal.
    """

    def __init__(self, graph: KnowledgeGraph, edge_class: Array, plan: Plan, start: int, target: int) -> None:
        assert plan.pattern is not None
        self._arrays, self._edge_class, self._plan = graph.arrays, edge_class, plan
        self._start, self._target = start, target
        self._longest = plan.pattern.longest
        self._machine = _build(plan.pattern, plan, max(1, len(graph.sources)))
        self._ok = plan.node_ok.astype(bool)
        self._ok[[start, target]] = True
        first = np.array([start], np.int64)
        self._forward: list[_Layer] = [{0: first} if self._fits(first, self._machine.specs[0])[0] else {}]
        last = np.array([target], np.int64)
        self._backward: list[_Layer] = [{s: last for s in range(len(self._machine.specs)) if self._accepts(s, last)}]

    def may_be_longer(self, length: int) -> bool:
        """Whether the pattern allows paths of more than ``length`` edges."""
        return self._longest is None or length < self._longest

    def paths(self, length: int, budget: Budget) -> list[tuple[int, ...]]:
        """All simple paths of exactly ``length`` edges, as edge ids, in lexicographic order of (node, edge)."""
        middle = (length + 1) // 2
        while len(self._forward) <= middle:
            self._forward.append(self._step(self._forward[-1], forward=True))
        while len(self._backward) <= length - middle:
            self._backward.append(self._step(self._backward[-1], forward=False))
        allowed: list[_Layer] = [{} for _ in range(length + 1)]
        for position in range(length, middle, -1):
            allowed[position] = self._backward[length - position]
        allowed[middle] = _common(self._forward[middle], self._backward[length - middle])
        for position in range(middle - 1, -1, -1):
            allowed[position] = self._leading_into(self._forward[position], allowed[position + 1])
        return self._walk(length, allowed, budget)

    def _fits(self, nodes: Array, spec: NodeSpec) -> Array:
        ok: Array = np.ones(len(nodes), bool)
        if spec.types is not None:
            ok &= np.isin(self._arrays.node_type[nodes], sorted(spec.types))
        if spec.index >= 0:
            ok &= nodes == spec.index
        return ok

    def _accepts(self, state: int, target: Array) -> bool:
        machine = self._machine
        if not self._fits(target, machine.specs[state])[0]:
            return False
        return state == machine.final or any(self._accepts(s, target) for s in machine.skips[state])

    def _guarded(self, nodes: Array, move: _Move) -> Array:
        for spec in move.guards:
            nodes = nodes[self._fits(nodes, spec)]
        return nodes

    def _edges_of(self, nodes: Array, move: _Move, *, forward: bool) -> tuple[Array, Array, Array]:
        """(row in ``nodes``, entry, neighbour) of the entries that ``move`` may use."""
        arrays, plan = self._arrays, self._plan
        begin = arrays.indptr[nodes]
        counts = arrays.indptr[nodes + 1] - begin
        row = np.repeat(np.arange(len(nodes)), counts)
        entry = np.arange(len(row)) + np.repeat(begin - (np.cumsum(counts) - counts), counts)
        edges = arrays.edge[entry]
        ok = move.class_ok[self._edge_class[edges]] != 0
        reverse = (FORWARD if move.flow & BACKWARD else 0) | (BACKWARD if move.flow & FORWARD else 0)
        flow = arrays.flow[entry]
        ok &= (flow & (move.flow if forward else reverse)) != 0
        ok &= (flow & (plan.flow_mask if forward else plan.reverse_mask)) != 0
        if len(plan.avoid_edges):
            ok &= ~np.isin(edges, plan.avoid_edges)
        other = arrays.neighbor[entry].astype(np.int64)
        ok &= self._ok[other]
        if plan.no_direct:
            here = nodes[row]
            ends = (self._start, self._target)
            ok &= ~(np.isin(here, ends) & np.isin(other, ends))
        return row[ok], entry[ok], other[ok]

    def _step(self, layer: _Layer, *, forward: bool) -> _Layer:
        found: dict[int, list[Array]] = {}
        for before, moves in enumerate(self._machine.moves):
            for move in moves:
                origin, goal = (before, move.state) if forward else (move.state, before)
                if origin not in layer:
                    continue
                nodes = self._guarded(layer[origin], move) if forward else layer[origin]
                _, _, other = self._edges_of(nodes, move, forward=forward)
                other = np.unique(other)
                other = other[self._fits(other, self._machine.specs[goal])]
                if not forward:
                    other = self._guarded(other, move)
                if len(other):
                    found.setdefault(goal, []).append(other)
        return {state: np.unique(np.concatenate(parts)) for state, parts in found.items()}

    def _leading_into(self, layer: _Layer, following: _Layer) -> _Layer:
        kept: _Layer = {}
        for state, nodes in layer.items():
            parts = [guarded[np.unique(row)]
                     for move in self._machine.moves[state] if move.state in following
                     for guarded, row in [self._rows_into(self._guarded(nodes, move), move, following[move.state])]]
            if any(map(len, parts)):
                kept[state] = np.unique(np.concatenate(parts))
        return kept

    def _rows_into(self, nodes: Array, move: _Move, goals: Array) -> tuple[Array, Array]:
        row, _, other = self._edges_of(nodes, move, forward=True)
        return nodes, row[np.isin(other, goals)]

    def _walk(self, length: int, allowed: list[_Layer], budget: Budget) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        if 0 not in allowed[0]:
            return found
        known: dict[tuple[int, frozenset[int], int], list[tuple[int, int, frozenset[int]]]] = {}

        def steps(node: int, states: frozenset[int], position: int) -> list[tuple[int, int, frozenset[int]]]:
            key = (node, states, position)
            if key not in known:
                known[key] = self._choices(node, states, allowed[position + 1])
            return known[key]

        trail: list[int] = []
        nodes = [self._start]
        stack = [iter(steps(self._start, frozenset({0}), 0))]
        while stack:
            choice = next(stack[-1], None)
            if choice is None:
                stack.pop()
                nodes.pop()
                if trail:
                    trail.pop()
                continue
            other, edge, states = choice
            last = len(trail) + 1 == length
            if other in nodes or (other == self._target) != last:
                continue
            if budget.steps == 0 or budget.paths == 0 or budget.late():
                budget.spent = True
                break
            budget.steps -= budget.steps > 0
            if last:
                budget.paths -= 1
                found.append((*trail, edge))
            else:
                trail.append(edge)
                nodes.append(other)
                stack.append(iter(steps(other, states, len(trail))))
        return found

    def _choices(self, node: int, states: frozenset[int], following: _Layer) -> list[tuple[int, int, frozenset[int]]]:
        """(neighbour, edge, states there) of the steps from ``node`` that can lead to the target in time."""
        here = np.array([node], np.int64)
        reached: dict[int, set[int]] = {}
        for state in sorted(states):
            for move in self._machine.moves[state]:
                if move.state not in following or not len(self._guarded(here, move)):
                    continue
                _, entry, other = self._edges_of(here, move, forward=True)
                for e in entry[np.isin(other, following[move.state])].tolist():
                    reached.setdefault(e, set()).add(move.state)
        return [(int(self._arrays.neighbor[e]), int(self._arrays.edge[e]), frozenset(reached[e]))
                for e in sorted(reached)]


def _common(a: _Layer, b: _Layer) -> _Layer:
    both = {state: np.intersect1d(a[state], b[state], assume_unique=True) for state in a if state in b}
    return {state: nodes for state, nodes in both.items() if len(nodes)}
