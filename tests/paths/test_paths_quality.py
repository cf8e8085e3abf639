"""The recovery benchmark: its protocol, and that the core does not fall behind it (a small sample)."""

from __future__ import annotations

import pytest

import pathkg
from benchmarks.paths_quality import LEAST_FINDINGS, Targets, draw_query, half_of, recover
from pathkg.paths.chains import SupportReader


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets(pathkg.load())


def test_targets_are_tumours_with_enough_findings(targets: Targets) -> None:
    graph = pathkg.load()
    names = {graph.name(d) for d in targets.tumours}
    assert {"clear cell renal cell carcinoma", "lung adenocarcinoma", "melanoma"} <= names
    assert "non-neoplastic disease" not in names
    assert min(len(targets.findings[d]) for d in targets.targets) >= LEAST_FINDINGS
    assert len(targets.targets) > 500


def test_all_parallel_edges_of_a_pair_are_held_back(targets: Targets) -> None:
    graph = pathkg.load()
    d = graph.index(graph.resolve("clear cell renal cell carcinoma"))
    for finding in sorted(targets.findings[d])[:5]:
        held = set(targets.edges[finding, d])
        joined = {e for e, other, _ in graph.neighbors(graph.curie(finding)) if other == graph.curie(d)}
        assert joined == held
        _, steps = SupportReader(graph).weigh(finding, frozenset(held)).get(d, (0.0, ()))
        assert not held & {e for e, _ in steps}


def test_queries_are_drawn_from_the_findings_and_halves_are_both_there(targets: Targets) -> None:
    graph = pathkg.load()
    d = targets.targets[0]
    known = sorted(targets.findings[d])
    for size, least in ((3, 3), (4, 4), ("every", len(known)), ("mixed", 3)):
        query = draw_query(graph.curie(d), known, size, 0)
        assert least <= len(query) <= len(known)
        assert set(query) <= set(known)
        assert query == draw_query(graph.curie(d), known, size, 0)
    halves = [half_of(graph.curie(d)) for d in targets.targets]
    assert 0.4 < halves.count("half_b") / len(halves) < 0.6


def test_recovery_on_a_sample(targets: Targets) -> None:
    graph = pathkg.load()
    reader = SupportReader(graph)
    rows = {(size, variant): recover(graph, targets, size, variant, per_tumour=1, limit=24, reader=reader)
            for size, variant in ((3, "one"), (5, "one"), (5, "all"), (3, "none"))}
    assert rows[5, "one"]["rank_1"] >= 0.6
    assert rows[5, "one"]["within_5"] >= 0.85
    assert rows[3, "one"]["within_5"] >= 0.6
    assert rows[3, "none"]["rank_1"] > rows[3, "one"]["rank_1"]
    assert rows[5, "all"]["rank_1"] <= rows[5, "one"]["rank_1"]
    assert sum(rows[5, "one"][half]["queries"] for half in ("half_a", "half_b")) == 24
