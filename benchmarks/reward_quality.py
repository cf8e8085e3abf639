"""Does the reward fall with every error? Graded corruption of verified trajectories.

    python benchmarks/reward_quality.py [--seeds 20] [--out FILE]

Each bundled gold trajectory gets 0 to 5 edits, the k-edit text being the (k-1)-edit text with one more. An edit changes
one thing a pathologist would call an error: a finding denied or affirmed, exchanged, invented or left out (in findings
and reasoning alike), a category, grade, side, size or count changed, the diagnosis exchanged. No edit touches what an earlier
one touched: to affirm what was just denied would mend the text. Prints JSON: mean
reward per number of edits (total and parts); Spearman's correlation of the number of edits with the loss of reward within
each series, over each trajectory's means, and over all single texts together (there the kinds of edits weigh too: an
exchanged diagnosis costs more than four findings); and the share of edits that lower the reward, by kind.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import pathkg
from pathkg.linking import linker_for
from pathkg.rewards import CompositeReward, build_reference
from pathkg.rewards.redteam import gold_cases
from pathkg.rewards.redteam.cases import sentences_of
from pathkg.rewards.redteam.world import World
from pathkg.trajectory import Trajectory, verify


class Blocks(dict[str, str]):
    """The three blocks while they are edited; knows the gold and what was touched, so that no edit mends an earlier one."""

    def __init__(self, gold: Trajectory) -> None:
        super().__init__(observe=gold.observe, think=gold.think, answer=gold.answer)
        self.gold = gold.render().lower()
        self.touched: list[str] = []

    def free(self, phrase: str) -> bool:
        """Whether a phrase is the gold's own and no earlier edit had to do with it."""
        phrase = phrase.lower()
        return phrase in self.gold and not any(phrase in other or other in phrase for other in self.touched)


Edit = Callable[[Blocks, Random, World], bool]
"""Changes the blocks in place; ``False`` where there is nothing of its kind to change."""

LEVELS = range(6)


def everywhere(blocks: Blocks, old: str, new: str) -> bool:
    """Replace a phrase of the gold in all blocks, whatever its first letter's case."""
    if not blocks.free(old):
        return False
    pattern = re.compile(re.escape(old), re.IGNORECASE)
    changed = False
    for name, text in blocks.items():
        blocks[name] = pattern.sub(new, text)
        changed |= blocks[name] != text
    if changed:
        blocks.touched += [old.lower(), new.lower()]
    return changed


def findings(blocks: Blocks, world: World) -> list[str]:
    return sorted({m.text for m in world.mentions(blocks["observe"], frozenset({"morphology"})) if blocks.free(m.text)})


def deny(blocks: Blocks, rng: Random, world: World) -> bool:
    for sentence in rng.sample(all_sentences := sentences(blocks), len(all_sentences)):
        for old, new in ((" is present", " is absent"), (" are present", " are absent")):
            if old in sentence and everywhere(blocks, sentence, sentence.replace(old, new)):
                return True
    return False


def affirm(blocks: Blocks, rng: Random, world: World) -> bool:
    found = [m for block in blocks.values() for m in re.findall(r"([A-Za-z][a-z]+(?: [a-z]+){0,3}) is (?:absent|not identified)", block)]
    found = sorted({name for name in found if blocks.free(name)})
    if not found:
        return False
    name = rng.choice(found)
    changed = False
    for block, text in blocks.items():
        blocks[block] = re.sub(rf"{re.escape(name)} is (?:absent|not identified)", f"{name} is present", text, flags=re.IGNORECASE)
        changed |= blocks[block] != text
    blocks.touched.append(name.lower())
    return changed


def exchange(blocks: Blocks, rng: Random, world: World) -> bool:
    found = findings(blocks, world)
    return bool(found) and everywhere(blocks, rng.choice(found), rng.choice(world.names("morphology")))


def marker(blocks: Blocks, rng: Random, world: World) -> bool:
    found = sorted({m.text for m in world.mentions(blocks["observe"], frozenset({"marker_result"}))})
    for name in rng.sample(found, len(found)):
        for old, new in (("positive", "negative"), ("negative", "positive")):
            if old in name and everywhere(blocks, name, name.replace(old, new)):
                return True
    return False


def invent(blocks: Blocks, rng: Random, world: World) -> bool:
    name = rng.choice(world.names("morphology"))
    blocks["observe"] += f" There is {name}."
    blocks["think"] += f" There is {name}."
    blocks.touched.append(name.lower())
    return True


def leave_out(blocks: Blocks, rng: Random, world: World) -> bool:
    found = [n for n in findings(blocks, world) if blocks["observe"].lower().count(n.lower()) == 1]
    return bool(found) and everywhere(blocks, rng.choice(found), "something")


def category(blocks: Blocks, rng: Random, world: World) -> bool:
    return regex(blocks, rng, r"p([TN])([0-4])([a-d]?)", lambda m: f"p{m[1]}{(int(m[2]) + 1) % 4}{m[3]}")


def grade(blocks: Blocks, rng: Random, world: World) -> bool:
    other = {"well": "poorly", "moderately": "well", "poorly": "well"}
    return regex(blocks, rng, r"(well|moderately|poorly) differentiated", lambda m: f"{other[m[1]]} differentiated") \
        or regex(blocks, rng, r"grade ([1-4])", lambda m: f"grade {int(m[1]) % 3 + 1}")


def side(blocks: Blocks, rng: Random, world: World) -> bool:
    return regex(blocks, rng, r"\b(left|right)\b", lambda m: "right" if m[1] == "left" else "left")


def size(blocks: Blocks, rng: Random, world: World) -> bool:
    return regex(blocks, rng, r"(\d+(?:\.\d)?) cm", lambda m: f"{float(m[1]) + 3.5:g} cm")


def count(blocks: Blocks, rng: Random, world: World) -> bool:
    return regex(blocks, rng, r"(\d+)/(\d+)", lambda m: f"{int(m[1]) + 3}/{int(m[2]) + 5}")


def diagnosis(blocks: Blocks, rng: Random, world: World) -> bool:
    for m in world.mentions(blocks["answer"], frozenset({"disease"})):
        if everywhere(blocks, m.text, rng.choice(world.names("disease"))):
            return True
    return False


EDITS: dict[str, Edit] = {f.__name__: f for f in (deny, affirm, exchange, marker, invent, leave_out, category, grade, side,
                                                 size, count, diagnosis)}


def regex(blocks: Blocks, rng: Random, pattern: str, make: Callable[[re.Match[str]], str]) -> bool:
    found = sorted({m.group() for text in blocks.values() for m in re.finditer(pattern, text) if blocks.free(m.group())})
    if not found:
        return False
    old = rng.choice(found)
    match = re.search(pattern, old)
    assert match is not None
    return everywhere(blocks, old, make(match))


def sentences(blocks: Blocks) -> list[str]:
    return [s.rstrip(".") for text in (blocks["observe"], blocks["think"]) for s in sentences_of(text)]


def corrupted(gold: Trajectory, rng: Random, world: World) -> list[tuple[str, str]]:
    """(edit, text) for 0, 1, …, 5 edits; each kind at most once per trajectory, in random order."""
    blocks = Blocks(gold)
    made = [("none", gold.render())]
    for name in rng.sample(sorted(EDITS), len(EDITS)):
        if len(made) == len(LEVELS):
            break
        before = dict(blocks)
        if EDITS[name](blocks, rng, world) and dict(blocks) != before:
            made.append((name, "\n\n".join(f"<{tag}>\n{body}\n</{tag}>" for tag, body in blocks.items())))
    return made


def spearman(x: list[float], y: list[float]) -> float:
    """Spearman's rank correlation with average ranks for ties."""
    def ranks(values: list[float]) -> Any:
        order = np.argsort(values, kind="stable")
        ranked = np.empty(len(values))
        ranked[order] = np.arange(len(values))
        array = np.asarray(values)
        for value in np.unique(array):
            ranked[array == value] = ranked[array == value].mean()
        return ranked
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="corrupted series per gold trajectory")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    args = parser.parse_args()
    graph = pathkg.load()
    world = World(graph, linker_for(graph))
    reward = CompositeReward(weights={"format": 1, "semantic": 1, "entity": 0.5})
    by_level: dict[int, list[float]] = defaultdict(list)
    by_case: dict[tuple[str, int], list[float]] = defaultdict(list)
    parts: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    edits: list[float] = []
    losses: list[float] = []
    within: list[float] = []
    single: Counter[str] = Counter()
    lowered: Counter[str] = Counter()
    for case in gold_cases():
        reference = build_reference(case.gold, certificate=verify(case.gold, report=case.report), report=case.report)
        for seed in range(args.seeds):
            series = corrupted(case.gold, Random(f"{case.id}:{seed}"), world)
            results = [reward.score(text, reference) for _, text in series]
            totals = [r.total or 0.0 for r in results]
            for k, (result, total) in enumerate(zip(results, totals, strict=True)):
                by_level[k].append(total)
                by_case[(case.id, k)].append(total)
                for name, value in result.parts.items():
                    parts[k][name].append(value or 0.0)
                edits.append(k)
                losses.append(totals[0] - total)
            for (kind, _), before, after in zip(series[1:], totals, totals[1:], strict=False):
                single[kind] += 1
                lowered[kind] += after < before - 1e-9
            if len(totals) > 2:
                within.append(spearman(list(map(float, range(len(totals)))), [totals[0] - t for t in totals]))
    means = [float(np.mean(by_level[k])) for k in LEVELS]
    report = {
        "cases": len(gold_cases()), "series": len(gold_cases()) * args.seeds, "texts": len(edits),
        "graph_hash": graph.hash,
        "mean_reward_by_edits": [round(m, 4) for m in means],
        "mean_parts_by_edits": {name: [round(float(np.mean(parts[k][name])), 4) for k in LEVELS] for name in reward.weights},
        "monotone": all(a > b for a, b in itertools.pairwise(means)),
        "spearman_pooled": round(spearman(edits, losses), 4),
        "spearman_of_trajectory_means": round(spearman([float(k) for _, k in by_case],
                                                       [-float(np.mean(v)) for v in by_case.values()]), 4),
        "spearman_within_trajectory_mean": round(float(np.mean(within)), 4),
        "spearman_of_means": round(spearman(list(map(float, LEVELS)), [-m for m in means]), 4),
        "each_further_edit_lowers": {kind: round(lowered[kind] / n, 4) for kind, n in sorted(single.items())},
    }
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
