"""Making references from gold trajectories, with the very reader that scores completions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pathkg.rewards.engines import bundled, engine_for
from pathkg.rewards.reading import MAX_CHARS, Engine
from pathkg.rewards.reference import Reference, Statement
from pathkg.rewards.soundness import MEASURED_KINDS
from pathkg.trajectory import Trajectory, parse
from pathkg.trajectory.statements import stated_counts
from pathkg.trajectory.values import measures, value_set

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.trajectory import Certificate

MAX_ANSWER_TEXT = 600


def build_reference(gold: Trajectory | str, *, graph: KnowledgeGraph | None = None,
                    certificate: Certificate | None = None, report: str | None = None, dialect: str = "auto") -> Reference:
    """The reference of a gold trajectory.

    The gold is read exactly as completions are, so scored against its own reference it earns the maximum.

    Args:
        gold: the trajectory, or its tagged text.
        graph: the store; the bundled core when ``None``.
        certificate: of the gold; its supported claims then stand for the report in the path reward.
        report: of the gold; what it measures and counts is then known to be true, and other numbers to be invented.
        dialect: how to read a text.

    Raises:
        DialectError: the text follows no dialect.

    Example:
        >>> from pathkg.rewards import CompositeReward
        >>> gold = Trajectory("Keratin pearls.", ("Keratin pearls support squamous cell carcinoma.",),
        ...                   "Squamous cell carcinoma of the left lung, pT2a.")
        >>> CompositeReward()(gold.render(), build_reference(gold))
        2.5
    """
    graph = graph or bundled()
    engine = engine_for(str(graph.path), graph.hash)
    trajectory = parse(gold, dialect) if isinstance(gold, str) else gold
    text = gold if isinstance(gold, str) else gold.render()
    reading = engine.read(text, trajectory.dialect, max(MAX_CHARS, len(text)))

    def statements(keys: frozenset[tuple[int, str]]) -> list[Statement]:
        return sorted(Statement(engine.graph.curie(node), "+" if sign == "+" else "-") for node, sign in keys)

    claims = sorted({(c.source, c.target, c.stance) for part in certificate.parts for c in part.claims
                     if c.verdict == "supported"}) if certificate else []
    return Reference(
        tuple(statements(reading.whole)), frozenset(statements(reading.reasoned)), tuple(sorted(reading.values)),
        tuple(statements(reading.answer)), tuple(sorted(reading.answer_values)),
        trajectory.answer[:MAX_ANSWER_TEXT], tuple(claims), graph.hash, trajectory.dialect, len(text),
        tuple(sorted((k, n) for k, n in reading.violations.items() if n)),
        None if report is None else tuple(sorted(_numbers(report) - reading.values)))


@lru_cache(maxsize=8)
def _numbers(report: str) -> frozenset[str]:
    """The sizes, percentages, counts and rates of a report, in the form of values; each of its samples asks for them."""
    counts = {f"ratio={a}/{b}" for a, b in stated_counts(report) if a is not None and b is not None}
    return frozenset(counts | {str(v) for v, _ in measures(report)} | {str(v) for v in value_set(report) if v.kind in MEASURED_KINDS})


def engine_of(graph: KnowledgeGraph | None = None) -> Engine:
    """The shared engine of a graph."""
    graph = graph or bundled()
    return engine_for(str(graph.path), graph.hash)
