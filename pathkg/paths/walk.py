"""Counting, ranking and enumerating paths in a compact graph.

A *compact graph* holds just the part of the graph that paths of one length can use (usually tens to thousands of
steps), so these walks are cheap. The functions are plain loops over one-dimensional sequences: they run as they are on
lists, and :mod:`pathkg.paths.kernels` compiles the same source for arrays. Both therefore give the same answers.

Compact graph: nodes ``0..m-1`` ascend by ``togo``, the least number of steps to the target (node 0); the steps of node
``v`` are ``ptr[v]:ptr[v + 1]``, each leading to ``to[j]`` with the score ``gain[j]``, ascending by (node, edge) of the
whole graph. ``width`` is one more than the longest detour, ``length - togo[start] + 1``.
"""

from __future__ import annotations

from typing import Any

IMPOSSIBLE = -(2**62)
"""Score of what cannot be reached in the given number of steps."""

SATURATED = 2**62
"""Counts at or above this are not exact in int64."""

# slots of the state of a walk that can be resumed
DEPTH, FOUND, EXPANSIONS, STATE_SLOTS = 0, 1, 2, 3


def fill_best(ptr: Any, to: Any, gain: Any, togo: Any, width: int, length: int, best: Any) -> None:
    """Set ``best[v * width + s]`` to the best score of a walk of ``togo[v] + s`` steps from ``v`` to the target.

    ``best`` comes filled with ``IMPOSSIBLE``. Walks may repeat nodes, so this bounds simple paths from above; with
    ``width`` 1 (shortest paths) it is exact.
    """
    m = len(ptr) - 1
    best[0] = 0
    low = 1
    high = 1
    for steps in range(1, length + 1):
        while high < m and togo[high] <= steps:
            high += 1
        while low < m and togo[low] < steps - width + 1:
            low += 1
        for v in range(low, high):
            top = IMPOSSIBLE
            for j in range(ptr[v], ptr[v + 1]):
                w = to[j]
                slack = steps - 1 - togo[w]
                if 0 <= slack < width:
                    rest = best[w * width + slack]
                    if rest != IMPOSSIBLE and gain[j] + rest > top:
                        top = gain[j] + rest
            best[v * width + steps - togo[v]] = top


def count_shortest(ptr: Any, to: Any, ways: Any) -> int:
    """The number of paths from the last node to node 0 of a compact graph of shortest paths.

    Returns:
        The exact number, or ``SATURATED`` when it does not fit.
    """
    m = len(ptr) - 1
    ways[0] = 1
    for v in range(1, m):
        total = 0
        for j in range(ptr[v], ptr[v + 1]):
            total += ways[to[j]]
            if total >= SATURATED:
                return SATURATED
        ways[v] = total
    return int(ways[m - 1])


def walk_best(ptr: Any, to: Any, gain: Any, togo: Any, best: Any, width: int, start: int, length: int, k: int,
              most: int, looks: int, state: Any, cursor: Any, node: Any, score: Any, on_path: Any, top_score: Any,
              top_steps: Any) -> bool:
    """The ``k`` best simple paths of exactly ``length`` steps, by depth-first search with bounds; can be resumed.

    Args:
        best: of :func:`fill_best`.
        most: steps to try before returning; ``-1`` for no limit.
        looks: entries to look at before returning, the useless ones at hubs included; ``-1`` for no limit.
        state: ``STATE_SLOTS`` numbers, zero at first.
        cursor, node, score: ``length + 1`` numbers each; ``cursor[0] = ptr[start]`` and ``node[0] = start`` at first.
        on_path: one number per node, zero at first.
        top_score: ``k`` scores, best first; of equal scores the lexicographically first path comes first.
        top_steps: ``k * length`` steps ``j``.

    Returns:
        Whether the search is complete.
    """
    depth = state[DEPTH]
    found = state[FOUND]
    spent = looked = 0
    if state[EXPANSIONS] == 0:
        on_path[start] = 1
        score[0] = 0
    while depth >= 0 and looked != looks:
        looked += 1
        v = node[depth]
        j = cursor[depth]
        if j >= ptr[v + 1]:
            on_path[v] = 0
            depth -= 1
            continue
        w = to[j]
        slack = length - depth - 1 - togo[w]
        if slack < 0 or slack >= width or best[w * width + slack] == IMPOSSIBLE or on_path[w] != 0:
            cursor[depth] = j + 1
            continue
        bound = score[depth] + gain[j] + best[w * width + slack]
        if found == k and bound <= top_score[k - 1]:
            cursor[depth] = j + 1
            continue
        if spent == most:
            break
        spent += 1
        cursor[depth] = j + 1
        if depth + 1 < length:
            depth += 1
            node[depth] = w
            cursor[depth] = ptr[w]
            score[depth] = score[depth - 1] + gain[j]
            on_path[w] = 1
            continue
        at = found if found < k else k - 1
        while at > 0 and top_score[at - 1] < bound:
            top_score[at] = top_score[at - 1]
            for i in range(length):
                top_steps[at * length + i] = top_steps[(at - 1) * length + i]
            at -= 1
        top_score[at] = bound
        for i in range(length):
            top_steps[at * length + i] = cursor[i] - 1
        if found < k:
            found += 1
    state[DEPTH] = depth
    state[FOUND] = found
    state[EXPANSIONS] += spent
    return bool(depth < 0)


def walk_all(ptr: Any, to: Any, togo: Any, best: Any, width: int, start: int, length: int, room: int, most: int,
             looks: int, state: Any, cursor: Any, node: Any, on_path: Any, steps: Any) -> bool:
    """All simple paths of exactly ``length`` steps in lexicographic order; can be resumed.

    Stops when ``steps`` (``room * length`` numbers) is full, or after ``most`` steps or ``looks`` entries; the caller empties
    ``steps``, sets ``state[FOUND]`` to zero and calls again. Other arguments as for :func:`walk_best`.

    Returns:
        Whether the enumeration is complete.
    """
    depth = state[DEPTH]
    found = state[FOUND]
    spent = looked = 0
    if state[EXPANSIONS] == 0:
        on_path[start] = 1
    while depth >= 0 and looked != looks:
        looked += 1
        v = node[depth]
        j = cursor[depth]
        if j >= ptr[v + 1]:
            on_path[v] = 0
            depth -= 1
            continue
        w = to[j]
        slack = length - depth - 1 - togo[w]
        if slack < 0 or slack >= width or best[w * width + slack] == IMPOSSIBLE or on_path[w] != 0:
            cursor[depth] = j + 1
            continue
        if spent == most or (depth + 1 == length and found == room):
            break
        spent += 1
        cursor[depth] = j + 1
        if depth + 1 < length:
            depth += 1
            node[depth] = w
            cursor[depth] = ptr[w]
            on_path[w] = 1
            continue
        for i in range(length):
            steps[found * length + i] = cursor[i] - 1
        found += 1
    state[DEPTH] = depth
    state[FOUND] = found
    state[EXPANSIONS] += spent
    return bool(depth < 0)
