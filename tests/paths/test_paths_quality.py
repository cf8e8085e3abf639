"""The recovery benchmark: its protocol, and that the core does not fall behind it (a small sample)."""

from __future__ import annotations

import pytest

import pathkg
from benchmarks.paths_quality import LEAST_FINDINGS, Targets, recover
from pathkg.paths.support import SupportReader


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
        _, chain = SupportReader(graph).reach(finding, frozenset(held))[0].get(d, (0.0, ()))
        assert not held & {e for e, _ in chain}


def test_recovery_on_a_sample(targets: Targets) -> None:
    graph = pathkg.load()
    one = recover(graph, targets, 8, "one", per_tumour=1, limit=30)
    everything = recover(graph, targets, 8, "all", per_tumour=1, limit=30)
    assert one["rank_1"] >= 0.5
    assert one["within_5"] >= 0.85
    assert everything["rank_1"] <= one["rank_1"]
