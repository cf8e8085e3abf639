"""Kernel: the compact graph of all simple paths of one length above the shortest."""

from __future__ import annotations

from typing import Any

import numpy as np

from pathkg.paths.kernels.steps import ANY, compact, compiled, grown, usable


@compiled
def within(indptr: Any, neighbor: Any, edge: Any, flow: Any, ahead: int, astern: int, check: bool, class_ok: Any,
           edge_class: Any, avoid: Any, no_direct: bool, label: Any, other_label: Any, local: Any, queue_a: Any,
           queue_b: Any, start: int, target: int, length: int, shortest_length: int) -> Any:
    """The compact graph of all simple paths of exactly ``length`` steps (and some steps that lie on none).

    Labels here are ``1 + d``: ``label`` from the start, ``other_label`` from the target. Both are grown until their radii
    add up to ``length - 1``: then every step of a path has its first node near the start or its second near the target.
    Nodes near the start learn their distance to the target from their neighbours, and the steps are collected outwards
    from the start. Each layer is read from whichever side has fewer edges.

    Returns:
        As :func:`shortest`.
    """
    size_a = size_b = 1
    keep = (label[start], label[target], other_label[start], other_label[target])
    label[start], label[target], other_label[start], other_label[target] = 1, 0, 0, 1
    queue_a[0], queue_b[0] = start, target
    bounds_a, bounds_b = np.zeros(length + 2, np.int64), np.zeros(length + 2, np.int64)
    bounds_a[1] = bounds_b[1] = 1
    cost_a, cost_b = np.zeros(length + 2, np.int64), np.zeros(length + 2, np.int64)
    cost_a[0] = indptr[start + 1] - indptr[start]
    cost_b[0] = indptr[target + 1] - indptr[target]
    ra = rb = 0
    while ra + rb < length - 1:
        from_a = cost_a[ra] <= cost_b[rb]
        if from_a:
            queue, lo, hi, size, bits, mine, labels = queue_a, bounds_a[ra], bounds_a[ra + 1], size_a, ahead, ra + 2, label
            goal = target
        else:
            queue, lo, hi, size, bits, mine, labels = (queue_b, bounds_b[rb], bounds_b[rb + 1], size_b, astern, rb + 2,
                                                       other_label)
            goal = start
        plain = not check and bits == ANY
        cost = 0
        for q in range(lo, hi):
            u = np.int64(queue[q])
            if u == goal:
                continue
            for i in range(indptr[u], indptr[u + 1]):
                w: Any = np.uint32(neighbor[i])
                if labels[w] != 0 or (no_direct and w == goal and q == 0):
                    continue
                if plain or usable(i, edge, flow, bits, check, class_ok, edge_class, avoid):
                    labels[w] = mine
                    queue[size] = w
                    size += 1
                    cost += indptr[np.int64(w) + 1] - indptr[w]
        if from_a:
            size_a = size
            ra += 1
            bounds_a[ra + 1], cost_a[ra] = size, cost
        else:
            size_b = size
            rb += 1
            bounds_b[rb + 1], cost_b[rb] = size, cost

    # distance to the target of nodes near the start: pulled from their neighbours, or pushed by these
    pulled = np.empty(64, np.int64)
    n_pulled = 0
    pulled_end, pulled_cost = np.zeros(length + 2, np.int64), np.zeros(length + 2, np.int64)
    bits_a, bits_b = ahead, astern
    plain_a, plain_b = not check and bits_a == ANY, not check and bits_b == ANY
    for left in range(rb + 1, length + 1):
        before = n_pulled
        near = min(ra, length - left)
        pull_cost = 0
        for level in range(near + 1):
            pull_cost += cost_a[level]
        push_cost = cost_b[rb] if left == rb + 1 else pulled_cost[left - 1]
        gained = 0
        if pull_cost <= push_cost:
            for q in range(1, bounds_a[near + 1]):
                u = np.int64(queue_a[q])
                if other_label[u] != 0:
                    continue
                for i in range(indptr[u], indptr[u + 1]):
                    w = np.uint32(neighbor[i])
                    if other_label[w] == left and w != start and (plain_a or usable(i, edge, flow, bits_a, check, class_ok,
                                                                                   edge_class, avoid)):
                        other_label[u] = left + 1
                        if n_pulled == len(pulled):
                            pulled = grown(pulled)
                        pulled[n_pulled] = u
                        n_pulled += 1
                        gained += indptr[u + 1] - indptr[u]
                        break
        else:
            lo = bounds_b[rb] if left == rb + 1 else pulled_end[left - 2]
            hi = bounds_b[rb + 1] if left == rb + 1 else pulled_end[left - 1]
            for q in range(lo, hi):
                w = np.int64(queue_b[q]) if left == rb + 1 else pulled[q]
                if w == start:
                    continue
                for i in range(indptr[w], indptr[w + 1]):
                    u = np.int64(neighbor[i])
                    if (0 < label[u] <= near + 1 and other_label[u] == 0 and u != start
                            and (plain_b or usable(i, edge, flow, bits_b, check, class_ok, edge_class, avoid))):
                        other_label[u] = left + 1
                        if n_pulled == len(pulled):
                            pulled = grown(pulled)
                        pulled[n_pulled] = u
                        n_pulled += 1
                        gained += indptr[u + 1] - indptr[u]
        pulled_end[left], pulled_cost[left] = n_pulled, gained
        if n_pulled == before:
            for rest in range(left, length + 1):
                pulled_end[rest] = n_pulled
            break

    found, found_togo = np.empty(64, np.int64), np.empty(64, np.int64)
    tail, head, eid = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    steps = 0
    found[0] = start
    found_togo[0] = shortest_length
    local[start] = 0
    m = 1
    lo, hi = 0, 1
    for position in range(length):
        left = length - position - 1
        out_cost = 0
        for p in range(lo, hi):
            out_cost += 20 if left == 0 else indptr[found[p] + 1] - indptr[found[p]]
        in_cost = 0
        for level in range(min(left, rb) + 1):
            in_cost += cost_b[level]
        for level in range(rb + 1, left + 1):
            in_cost += pulled_cost[level]
        if out_cost <= in_cost:
            for p in range(lo, hi):
                u = found[p]
                if u == target:
                    continue
                i, end = indptr[u], indptr[u + 1]
                if left == 0:
                    i += np.searchsorted(neighbor[i:end], target)
                while i < end:
                    w = np.int64(neighbor[i])
                    if left == 0 and w != target:
                        break
                    seen = other_label[w]
                    if (0 < seen <= left + 1 and w != start and not (no_direct and u == start and w == target)
                            and (plain_a or usable(i, edge, flow, bits_a, check, class_ok, edge_class, avoid))):
                        if local[w] < 0:
                            if m == len(found):
                                found, found_togo = grown(found), grown(found_togo)
                            local[w] = m
                            found[m] = w
                            found_togo[m] = seen - 1
                            m += 1
                        if steps == len(tail):
                            tail, head, eid = grown(tail), grown(head), grown(eid)
                        tail[steps], head[steps], eid[steps] = p, local[w], edge[i]
                        steps += 1
                    i += 1
        else:
            from_queue = bounds_b[min(left, rb) + 1]
            n_heads = from_queue + (pulled_end[left] if left > rb else 0)
            for q in range(n_heads):
                w = np.int64(queue_b[q]) if q < from_queue else pulled[q - from_queue]
                if w == start:
                    continue
                for i in range(indptr[w], indptr[w + 1]):
                    u = np.int64(neighbor[i])
                    p = local[u]
                    if (lo <= p < hi and u != target and not (no_direct and u == start and w == target)
                            and (plain_b or usable(i, edge, flow, bits_b, check, class_ok, edge_class, avoid))):
                        if local[w] < 0:
                            if m == len(found):
                                found, found_togo = grown(found), grown(found_togo)
                            local[w] = m
                            found[m] = w
                            found_togo[m] = other_label[w] - 1
                            m += 1
                        if steps == len(tail):
                            tail, head, eid = grown(tail), grown(head), grown(eid)
                        tail[steps], head[steps], eid[steps] = p, local[w], edge[i]
                        steps += 1
        lo, hi = hi, m
    node, togo, ptr, to, ids = compact(m, found, found_togo, tail[:steps], head[:steps], eid, local)
    for q in range(size_a):
        label[queue_a[q]] = 0
    for q in range(size_b):
        other_label[queue_b[q]] = 0
    for p in range(n_pulled):
        other_label[pulled[p]] = 0
    label[start], label[target], other_label[start], other_label[target] = keep
    return length, node, togo, ptr, to, ids
