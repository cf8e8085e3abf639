"""Kernel: the compact graph of all shortest paths of a pair."""

from __future__ import annotations

from typing import Any

import numpy as np

from pathkg.paths.kernels.steps import ANY, MASK, ONE, SHIFT, clear, compact, compiled, grown, mark, usable


@compiled
def shortest(indptr: Any, neighbor: Any, edge: Any, flow: Any, ahead: int, astern: int, check: bool, class_ok: Any,
             edge_class: Any, avoid: Any, no_direct: bool, label: Any, local: Any, queue_a: Any, queue_b: Any,
             front_a: Any, front_b: Any, start: int, target: int, max_hops: int) -> Any:
    """The compact graph of all shortest paths.

    Labels: ``1 + d`` for distance d from the start, ``-(1 + d)`` from the target, 0 for untouched. Each round first looks
    for edges between the two frontiers (once they touch, only such edges can begin to join shortest paths, and no node
    holds both labels); if there is none, the cheaper side takes a step. From the crossing edges the compact graph is
    traced back to both ends, reading whichever side of a layer has fewer edges.

    Args:
        label: int16 (n_nodes), zero or ``FORBIDDEN``; left as found.
        local: int32 (n_nodes), all -1; left as found.
        queue_a, queue_b: int32 (n_nodes).
        front_a, front_b: uint64 (n_nodes / 64 + 1), zero; left as found.

    Returns:
        ``(length, node, togo, ptr, to, edge id)``; length -1 when not joined within max_hops.
    """
    label_start, label_target = label[start], label[target]
    label[start], label[target] = 1, -1
    queue_a[0], queue_b[0] = start, target
    size_a = size_b = 1
    bounds_a, bounds_b = np.zeros(16, np.int64), np.zeros(16, np.int64)
    cost_a, cost_b = np.zeros(16, np.int64), np.zeros(16, np.int64)
    bounds_a[1] = bounds_b[1] = 1
    cost_a[0] = indptr[start + 1] - indptr[start]
    cost_b[0] = indptr[target + 1] - indptr[target]
    mark(front_a, queue_a, 0, 1)
    mark(front_b, queue_b, 0, 1)
    near_a = near_b = 0
    tail, head, eid = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    steps = 0
    length = -1
    while near_a + near_b < max_hops:
        if bounds_a[near_a + 1] == bounds_a[near_a] or bounds_b[near_b + 1] == bounds_b[near_b]:
            break
        from_a = cost_a[near_a] <= cost_b[near_b]
        if from_a:
            queue, lo, hi, bits, front = queue_a, bounds_a[near_a], bounds_a[near_a + 1], ahead, front_b
        else:
            queue, lo, hi, bits, front = queue_b, bounds_b[near_b], bounds_b[near_b + 1], astern, front_a
        plain = not check and bits == ANY
        # does any edge of this frontier lead to the other one? (the bits of a frontier stay in the fastest cache)
        for q in range(lo, hi):
            u = np.int64(queue[q])
            for i in range(indptr[u], indptr[u + 1]):
                w = np.uint32(neighbor[i])
                if (front[w >> SHIFT] >> (w & MASK)) & ONE == 0:
                    continue
                x = np.int64(w)
                if no_direct and ((u == start and x == target) or (u == target and x == start)):
                    continue
                if plain or usable(i, edge, flow, bits, check, class_ok, edge_class, avoid):
                    if steps == len(tail):
                        tail, head, eid = grown(tail), grown(head), grown(eid)
                    if from_a:
                        tail[steps], head[steps] = u, x
                    else:
                        tail[steps], head[steps] = x, u
                    eid[steps] = edge[i]
                    steps += 1
        if steps > 0:
            length = near_a + near_b + 1
            break
        if near_a + near_b + 1 >= max_hops:
            break
        # no: step this side forward
        size = size_a if from_a else size_b
        mine = near_a + 2 if from_a else -(near_b + 2)
        cost = 0
        for q in range(lo, hi):
            u = np.int64(queue[q])
            for i in range(indptr[u], indptr[u + 1]):
                w = np.uint32(neighbor[i])
                if label[w] == 0 and (plain or usable(i, edge, flow, bits, check, class_ok, edge_class, avoid)):
                    label[w] = mine
                    queue[size] = w
                    size += 1
                    cost += indptr[np.int64(w) + 1] - indptr[w]
        if from_a:
            clear(front_a, queue_a, lo, hi)
            mark(front_a, queue_a, hi, size)
            near_a += 1
            size_a = size
            if near_a + 2 > len(bounds_a):
                bounds_a, cost_a = grown(bounds_a), grown(cost_a)
            bounds_a[near_a + 1], cost_a[near_a] = size, cost
        else:
            clear(front_b, queue_b, lo, hi)
            mark(front_b, queue_b, hi, size)
            near_b += 1
            size_b = size
            if near_b + 2 > len(bounds_b):
                bounds_b, cost_b = grown(bounds_b), grown(cost_b)
            bounds_b[near_b + 1], cost_b[near_b] = size, cost
    clear(front_a, queue_a, bounds_a[near_a], size_a)
    clear(front_b, queue_b, bounds_b[near_b], size_b)

    node, togo, ptr = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    to, ids = np.empty(0, np.int64), np.empty(0, np.int64)
    if length > 0:
        # the crossing steps join distance near_a from the start with distance near_b from the target
        found, found_togo = np.empty(64, np.int64), np.empty(64, np.int64)
        m = 0
        for j in range(steps):
            for side in range(2):
                v = tail[j] if side == 0 else head[j]
                if local[v] < 0:
                    if m == len(found):
                        found, found_togo = grown(found), grown(found_togo)
                    local[v] = m
                    found[m] = v
                    found_togo[m] = near_b + 1 if side == 0 else near_b
                    m += 1
        at_crossing = m
        for side in range(2):
            near = near_a if side == 0 else near_b
            lo, hi = 0, at_crossing
            crossing = True
            while near > 0:
                # layer: nodes found at distance `near` from this end; next: their neighbours one step nearer
                layer_cost = 0
                for p in range(lo, hi):
                    if not crossing or (found_togo[p] == near_b + 1) == (side == 0):
                        layer_cost += indptr[found[p] + 1] - indptr[found[p]]
                begin = m
                wanted = near if side == 0 else -near
                mine = near + 1 if side == 0 else -(near + 1)
                if side == 0:
                    from_layer = layer_cost <= cost_a[near - 1]
                else:
                    from_layer = layer_cost <= cost_b[near - 1]
                togo_next = length - (near - 1) if side == 0 else near - 1
                if from_layer:
                    bits = astern if side == 0 else ahead
                    plain = not check and bits == ANY
                    for p in range(lo, hi):
                        if crossing and (found_togo[p] == near_b + 1) != (side == 0):
                            continue
                        u = found[p]
                        for i in range(indptr[u], indptr[u + 1]):
                            w = neighbor[i]
                            if label[w] == wanted and (plain or usable(i, edge, flow, bits, check, class_ok,
                                                                        edge_class, avoid)):
                                if local[w] < 0:
                                    if m == len(found):
                                        found, found_togo = grown(found), grown(found_togo)
                                    local[w] = m
                                    found[m] = w
                                    found_togo[m] = togo_next
                                    m += 1
                                if steps == len(tail):
                                    tail, head, eid = grown(tail), grown(head), grown(eid)
                                tail[steps], head[steps] = (w, u) if side == 0 else (u, w)
                                eid[steps] = edge[i]
                                steps += 1
                else:
                    bits = ahead if side == 0 else astern
                    plain = not check and bits == ANY
                    queue = queue_a if side == 0 else queue_b
                    qlo = bounds_a[near - 1] if side == 0 else bounds_b[near - 1]
                    qhi = bounds_a[near] if side == 0 else bounds_b[near]
                    for q in range(qlo, qhi):
                        w = queue[q]
                        for i in range(indptr[w], indptr[w + 1]):
                            u = neighbor[i]
                            if label[u] == mine and local[u] >= 0 and (plain or usable(
                                    i, edge, flow, bits, check, class_ok, edge_class, avoid)):
                                if local[w] < 0:
                                    if m == len(found):
                                        found, found_togo = grown(found), grown(found_togo)
                                    local[w] = m
                                    found[m] = w
                                    found_togo[m] = togo_next
                                    m += 1
                                if steps == len(tail):
                                    tail, head, eid = grown(tail), grown(head), grown(eid)
                                tail[steps], head[steps] = (w, u) if side == 0 else (u, w)
                                eid[steps] = edge[i]
                                steps += 1
                lo, hi = begin, m
                crossing = False
                near -= 1
        for j in range(steps):
            tail[j] = local[tail[j]]
            head[j] = local[head[j]]
        node, togo, ptr, to, ids = compact(m, found, found_togo, tail[:steps], head[:steps], eid, local)
    for q in range(size_a):
        label[queue_a[q]] = 0
    for q in range(size_b):
        label[queue_b[q]] = 0
    label[start], label[target] = label_start, label_target
    return length, node, togo, ptr, to, ids
