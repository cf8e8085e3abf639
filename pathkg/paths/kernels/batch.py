"""Kernel: many pairs in one call, with the best paths of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from pathkg.paths.kernels.longer import within
from pathkg.paths.kernels.shortest import shortest
from pathkg.paths.kernels.steps import compiled, count_shortest, fill_best, walk_best
from pathkg.paths.walk import FOUND, IMPOSSIBLE, STATE_SLOTS


@compiled
def gains(node: Any, to: Any, ids: Any, node_score: Any, class_score: Any, edge_class: Any) -> Any:
    """Score of each step: its edge, and the node it enters unless that is the target."""
    gain = np.empty(len(to), np.int64)
    for j in range(len(to)):
        gain[j] = class_score[edge_class[ids[j]]]
        if to[j] != 0:
            gain[j] += node_score[node[to[j]]]
    return gain


@compiled
def solve(indptr: Any, neighbor: Any, edge: Any, flow: Any, ahead: int, astern: int, check: bool, class_ok: Any,
          edge_class: Any, avoid: Any, no_direct: bool, node_score: Any, class_score: Any,
          label: Any, other_label: Any, local: Any, queue_a: Any, queue_b: Any, front_a: Any, front_b: Any,
          starts: Any, targets: Any, max_hops: int, k: int, levels: bool, most: int, out_length: Any, out_total: Any,
          out_found: Any, out_score: Any, out_edges: Any, out_complete: Any) -> None:
    """Many pairs: the k best shortest paths and their number, or with ``levels`` the k best of the lowest levels.

    Args:
        k: 0 for distances and counts alone.
        most: steps the walk may try per pair; -1 for no limit.
        out_length, out_total, out_found: int64 (n_pairs); -1 length when there is no path; total ``SATURATED`` when
            it does not fit.
        out_score: int64 (n_pairs, k). out_edges: int32 (n_pairs, k, max_hops), -1 where a path has ended.
        out_complete: uint8 (n_pairs).
    """
    for p in range(len(starts)):
        start, target = starts[p], targets[p]
        out_complete[p] = 1
        out_length[p] = -1
        if start == target:
            continue
        length, node, togo, ptr, to, ids = shortest(
            indptr, neighbor, edge, flow, ahead, astern, check, class_ok, edge_class, avoid, no_direct, label, local,
            queue_a, queue_b, front_a, front_b, start, target, max_hops)
        out_length[p] = length
        if length < 0:
            continue
        out_total[p] = count_shortest(ptr, to, np.empty(len(node), np.int64))
        if k == 0:
            continue
        found = 0
        width = 1
        while True:
            gain = gains(node, to, ids, node_score, class_score, edge_class)
            best = np.full(len(node) * width, IMPOSSIBLE, np.int64)
            fill_best(ptr, to, gain, togo, width, length, best)
            begin = 0
            while node[begin] != start:
                begin += 1
            cursor, nodes = np.empty(length + 1, np.int64), np.empty(length + 1, np.int64)
            score = np.empty(length + 1, np.int64)
            cursor[0], nodes[0] = ptr[begin], begin
            state = np.zeros(STATE_SLOTS, np.int64)
            top_score, top_steps = np.empty(k, np.int64), np.empty(k * length, np.int64)
            if not walk_best(ptr, to, gain, togo, best, width, begin, length, k, most, -1, state, cursor, nodes, score,
                             np.zeros(len(node), np.int8), top_score, top_steps):
                out_complete[p] = 0
            here = state[FOUND]
            for r in range(here):
                at = min(found, k)
                while at > 0 and out_score[p, at - 1] < top_score[r]:
                    if at < k:
                        out_score[p, at] = out_score[p, at - 1]
                        out_edges[p, at] = out_edges[p, at - 1]
                    at -= 1
                if at < k:
                    out_score[p, at] = top_score[r]
                    for i in range(length):
                        out_edges[p, at, i] = ids[top_steps[r * length + i]]
                    for i in range(length, max_hops):
                        out_edges[p, at, i] = -1
                    found = min(found + 1, k)
            out_found[p] = found
            if not levels or found >= k or length >= max_hops or out_complete[p] == 0:
                break
            length += 1
            width += 1
            _, node, togo, ptr, to, ids = within(
                indptr, neighbor, edge, flow, ahead, astern, check, class_ok, edge_class, avoid, no_direct, label,
                other_label, local, queue_a, queue_b, start, target, length,
                out_length[p])
