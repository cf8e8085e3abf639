"""The compiled kernels (numba): labelling from both ends, and the compact graph of one path length.

Importing this module imports numba and loads, or on the very first time makes, machine code; the code is cached on
disk. Nothing else of the package needs numba: :mod:`pathkg.paths.engine` does the same with NumPy. All kernels release
the interpreter lock.

Arguments shared by the kernels: the adjacency (``indptr, neighbor, edge, flow``); ``ahead`` and ``astern``, the flow bits
for steps seen from the start's and the target's side; ``check`` tells whether ``class_ok[edge_class[e]]`` and ``avoid``
(sorted edge ids) need a look; ``no_direct`` forbids the step from start straight to target.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from pathkg.paths import walk

_jit = numba.njit(cache=True, nogil=True)

fill_best = _jit(walk.fill_best)
count_shortest = _jit(walk.count_shortest)
walk_best = _jit(walk.walk_best)
walk_all = _jit(walk.walk_all)

SHIFT, MASK, ONE = np.uint32(6), np.uint32(63), np.uint64(1)
ANY = 3
FORBIDDEN = 32767
"""Label of a node no path may enter."""
IMPOSSIBLE = walk.IMPOSSIBLE
STATE_SLOTS = walk.STATE_SLOTS
FOUND = walk.FOUND
EXPANSIONS = walk.EXPANSIONS


@_jit
def _usable(i: int, edge: Any, flow: Any, bits: int, check: bool, class_ok: Any, edge_class: Any,
            avoid: Any) -> bool:
    if bits != ANY and (flow[i] & bits) == 0:
        return False
    if check:
        e = edge[i]
        if class_ok[edge_class[e]] == 0:
            return False
        if len(avoid) > 0:
            at = np.searchsorted(avoid, e)
            if at < len(avoid) and avoid[at] == e:
                return False
    return True


@_jit
def _grown(array: Any) -> Any:
    larger = np.empty(2 * len(array), array.dtype)
    larger[:len(array)] = array
    return larger


@_jit
def _mark(front: Any, queue: Any, lo: int, hi: int) -> None:
    for q in range(lo, hi):
        v = np.uint32(queue[q])
        front[v >> SHIFT] |= ONE << (v & MASK)


@_jit
def _clear(front: Any, queue: Any, lo: int, hi: int) -> None:
    for q in range(lo, hi):
        front[np.uint32(queue[q]) >> SHIFT] = 0


@_jit
def _compact(m: int, found: Any, found_togo: Any, tail: Any, head: Any, eid: Any, local: Any) -> Any:
    """CSR of the steps ``found[tail] -> found[head]``, nodes ascending by togo, steps by (node, edge)."""
    deepest = 0
    for i in range(m):
        deepest = max(deepest, found_togo[i])
    first = np.zeros(deepest + 2, np.int64)
    for i in range(m):
        first[found_togo[i] + 1] += 1
    for d in range(deepest + 1):
        first[d + 1] += first[d]
    place = np.empty(m, np.int64)
    at = first.copy()
    for i in range(m):
        place[i] = at[found_togo[i]]
        at[found_togo[i]] += 1
    node = np.empty(m, np.int64)
    togo = np.empty(m, np.int64)
    for i in range(m):
        node[place[i]] = found[i]
        togo[place[i]] = found_togo[i]
    n_steps = len(tail)
    ptr = np.zeros(m + 1, np.int64)
    for j in range(n_steps):
        ptr[place[tail[j]] + 1] += 1
    for v in range(m):
        ptr[v + 1] += ptr[v]
    at = ptr[:m].copy()
    to = np.empty(n_steps, np.int64)
    ids = np.empty(n_steps, np.int64)
    for j in range(n_steps):
        v = place[tail[j]]
        to[at[v]] = place[head[j]]
        ids[at[v]] = eid[j]
        at[v] += 1
    for v in range(m):
        lo, hi = ptr[v], ptr[v + 1]
        ordered = True
        for j in range(lo + 1, hi):
            if (node[to[j - 1]], ids[j - 1]) > (node[to[j]], ids[j]):
                ordered = False
                break
        if not ordered:
            key = np.empty(hi - lo, np.int64)
            for j in range(lo, hi):
                key[j - lo] = (node[to[j]] << 32) | ids[j]
            order = np.argsort(key)
            to[lo:hi] = to[lo:hi][order]
            ids[lo:hi] = ids[lo:hi][order]
    for i in range(m):
        local[found[i]] = -1
    return node, togo, ptr, to, ids


@_jit
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
    _mark(front_a, queue_a, 0, 1)
    _mark(front_b, queue_b, 0, 1)
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
                if plain or _usable(i, edge, flow, bits, check, class_ok, edge_class, avoid):
                    if steps == len(tail):
                        tail, head, eid = _grown(tail), _grown(head), _grown(eid)
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
                if label[w] == 0 and (plain or _usable(i, edge, flow, bits, check, class_ok, edge_class, avoid)):
                    label[w] = mine
                    queue[size] = w
                    size += 1
                    cost += indptr[np.int64(w) + 1] - indptr[w]
        if from_a:
            _clear(front_a, queue_a, lo, hi)
            _mark(front_a, queue_a, hi, size)
            near_a += 1
            size_a = size
            if near_a + 2 > len(bounds_a):
                bounds_a, cost_a = _grown(bounds_a), _grown(cost_a)
            bounds_a[near_a + 1], cost_a[near_a] = size, cost
        else:
            _clear(front_b, queue_b, lo, hi)
            _mark(front_b, queue_b, hi, size)
            near_b += 1
            size_b = size
            if near_b + 2 > len(bounds_b):
                bounds_b, cost_b = _grown(bounds_b), _grown(cost_b)
            bounds_b[near_b + 1], cost_b[near_b] = size, cost
    _clear(front_a, queue_a, bounds_a[near_a], size_a)
    _clear(front_b, queue_b, bounds_b[near_b], size_b)

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
                        found, found_togo = _grown(found), _grown(found_togo)
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
                            if label[w] == wanted and (plain or _usable(i, edge, flow, bits, check, class_ok,
                                                                        edge_class, avoid)):
                                if local[w] < 0:
                                    if m == len(found):
                                        found, found_togo = _grown(found), _grown(found_togo)
                                    local[w] = m
                                    found[m] = w
                                    found_togo[m] = togo_next
                                    m += 1
                                if steps == len(tail):
                                    tail, head, eid = _grown(tail), _grown(head), _grown(eid)
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
                            if label[u] == mine and local[u] >= 0 and (plain or _usable(
                                    i, edge, flow, bits, check, class_ok, edge_class, avoid)):
                                if local[w] < 0:
                                    if m == len(found):
                                        found, found_togo = _grown(found), _grown(found_togo)
                                    local[w] = m
                                    found[m] = w
                                    found_togo[m] = togo_next
                                    m += 1
                                if steps == len(tail):
                                    tail, head, eid = _grown(tail), _grown(head), _grown(eid)
                                tail[steps], head[steps] = (w, u) if side == 0 else (u, w)
                                eid[steps] = edge[i]
                                steps += 1
                lo, hi = begin, m
                crossing = False
                near -= 1
        for j in range(steps):
            tail[j] = local[tail[j]]
            head[j] = local[head[j]]
        node, togo, ptr, to, ids = _compact(m, found, found_togo, tail[:steps], head[:steps], eid, local)
    for q in range(size_a):
        label[queue_a[q]] = 0
    for q in range(size_b):
        label[queue_b[q]] = 0
    label[start], label[target] = label_start, label_target
    return length, node, togo, ptr, to, ids


@_jit
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
                if plain or _usable(i, edge, flow, bits, check, class_ok, edge_class, avoid):
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
                    if other_label[w] == left and w != start and (plain_a or _usable(i, edge, flow, bits_a, check, class_ok,
                                                                                   edge_class, avoid)):
                        other_label[u] = left + 1
                        if n_pulled == len(pulled):
                            pulled = _grown(pulled)
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
                            and (plain_b or _usable(i, edge, flow, bits_b, check, class_ok, edge_class, avoid))):
                        other_label[u] = left + 1
                        if n_pulled == len(pulled):
                            pulled = _grown(pulled)
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
                            and (plain_a or _usable(i, edge, flow, bits_a, check, class_ok, edge_class, avoid))):
                        if local[w] < 0:
                            if m == len(found):
                                found, found_togo = _grown(found), _grown(found_togo)
                            local[w] = m
                            found[m] = w
                            found_togo[m] = seen - 1
                            m += 1
                        if steps == len(tail):
                            tail, head, eid = _grown(tail), _grown(head), _grown(eid)
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
                            and (plain_b or _usable(i, edge, flow, bits_b, check, class_ok, edge_class, avoid))):
                        if local[w] < 0:
                            if m == len(found):
                                found, found_togo = _grown(found), _grown(found_togo)
                            local[w] = m
                            found[m] = w
                            found_togo[m] = other_label[w] - 1
                            m += 1
                        if steps == len(tail):
                            tail, head, eid = _grown(tail), _grown(head), _grown(eid)
                        tail[steps], head[steps], eid[steps] = p, local[w], edge[i]
                        steps += 1
        lo, hi = hi, m
    node, togo, ptr, to, ids = _compact(m, found, found_togo, tail[:steps], head[:steps], eid, local)
    for q in range(size_a):
        label[queue_a[q]] = 0
    for q in range(size_b):
        other_label[queue_b[q]] = 0
    for p in range(n_pulled):
        other_label[pulled[p]] = 0
    label[start], label[target], other_label[start], other_label[target] = keep
    return length, node, togo, ptr, to, ids


@_jit
def gains(node: Any, to: Any, ids: Any, node_score: Any, class_score: Any, edge_class: Any) -> Any:
    """Score of each step: its edge, and the node it enters unless that is the target."""
    gain = np.empty(len(to), np.int64)
    for j in range(len(to)):
        gain[j] = class_score[edge_class[ids[j]]]
        if to[j] != 0:
            gain[j] += node_score[node[to[j]]]
    return gain


@_jit
def solve(indptr: Any, neighbor: Any, edge: Any, flow: Any, ahead: int, astern: int, check: bool, class_ok: Any,
          edge_class: Any, avoid: Any, no_direct: bool, node_score: Any, class_score: Any, label: Any,
          other_label: Any, local: Any, queue_a: Any, queue_b: Any, front_a: Any, front_b: Any, starts: Any,
          targets: Any, max_hops: int, k: int, levels: bool, most: int, out_length: Any, out_total: Any, out_found: Any, out_score: Any, out_edges: Any,
          out_complete: Any) -> None:
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
            if not walk_best(ptr, to, gain, togo, best, width, begin, length, k, most, state, cursor, nodes, score,
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
