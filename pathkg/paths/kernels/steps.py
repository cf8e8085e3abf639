"""What every kernel does at one edge, the bits of a frontier, and the CSR of a compact graph."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from pathkg.paths import walk

compiled = numba.njit(cache=True, nogil=True)

fill_best = compiled(walk.fill_best)
count_shortest = compiled(walk.count_shortest)
walk_best = compiled(walk.walk_best)
walk_all = compiled(walk.walk_all)

SHIFT, MASK, ONE = np.uint32(6), np.uint32(63), np.uint64(1)
ANY = 3
FORBIDDEN = 32767
"""Label of a node no path may enter."""


@compiled
def usable(i: int, edge: Any, flow: Any, bits: int, check: bool, class_ok: Any, edge_class: Any, avoid: Any) -> bool:
    """Whether adjacency entry ``i`` may be walked."""
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


@compiled
def grown(array: Any) -> Any:
    """The array with room for as much again."""
    larger = np.empty(2 * len(array), array.dtype)
    larger[:len(array)] = array
    return larger


@compiled
def mark(front: Any, queue: Any, lo: int, hi: int) -> None:
    """Set the bits of a frontier."""
    for q in range(lo, hi):
        v = np.uint32(queue[q])
        front[v >> SHIFT] |= ONE << (v & MASK)


@compiled
def clear(front: Any, queue: Any, lo: int, hi: int) -> None:
    """Clear the bits of a frontier."""
    for q in range(lo, hi):
        front[np.uint32(queue[q]) >> SHIFT] = 0


@compiled
def compact(m: int, found: Any, found_togo: Any, tail: Any, head: Any, eid: Any, local: Any) -> Any:
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
