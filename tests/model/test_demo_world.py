"""The generated world says nothing that the core graph does not say."""

from __future__ import annotations

import pytest

import pathkg
from model.data.samples import read_samples
from model.demo.world import DIAGNOSES, World, WorldSettings, write_world
from pathkg.linking import linker_for
from pathkg.rewards import EntityReward, FormatReward, SemanticReward

pytest.importorskip("h5py", reason="bags are h5 files")


@pytest.fixture(scope="module")
def graph():
    return pathkg.load()


@pytest.mark.parametrize("diagnosis", DIAGNOSES, ids=lambda d: d.name)
def test_every_finding_supports_its_diagnosis_in_the_graph(graph, diagnosis):
    curie = graph.resolve(diagnosis.name)
    supporting = {graph.name(graph.index(n)) for _, n, _ in graph.neighbors(curie, relation="supports")}
    assert set(diagnosis.findings) <= supporting


def test_findings_belong_to_one_diagnosis_each_and_link_to_their_node(graph):
    findings = [f for d in DIAGNOSES for f in d.findings]
    assert len(set(findings)) == len(findings)
    linker = linker_for(graph)
    for name in findings:
        assert [m.name for m in linker.link(f"Findings: {name}.")] == [name]


def test_reference_trajectories_earn_the_maximum(tmp_path):
    samples = read_samples(write_world(tmp_path, train=12, validation=0 + 1, test=1)["train"])
    for sample in samples:
        for reward in (FormatReward(), EntityReward(), SemanticReward()):
            assert reward(sample.text, sample.reference) == pytest.approx(1.0), (type(reward), sample.text)


def test_careless_trajectories_are_for_training_only_and_their_reference_stays_whole(tmp_path):
    files = write_world(tmp_path, train=30, validation=6, test=6, settings=WorldSettings(careless=0.5))
    train = read_samples(files["train"])
    whole = read_samples(write_world(tmp_path / "whole", train=30, validation=1, test=1)["train"])
    hurried = [(a, b) for a, b in zip(train, whole, strict=True) if a.text != b.text]
    assert 8 <= len(hurried) <= 22
    for sample, careful in hurried:
        assert sample.reference == careful.reference
        assert len(sample.trajectory.steps) == 1
        assert FormatReward()(sample.text, sample.reference) == 0.0
        assert 0.0 < EntityReward()(sample.text, sample.reference) < 0.8
        assert SemanticReward()(sample.text, sample.reference) == pytest.approx(1.0)
    assert not any("<info>" in s.text for name in ("validation", "test") for s in read_samples(files[name]))


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_world(tmp_path / name, train=3, validation=1, test=1, settings=WorldSettings(seed=seed))
    files = ["train.jsonl", "bags/train-0001.h5"]
    a, b, c = ([(tmp_path / n / f).read_bytes() for f in files] for n in "abc")
    assert a == b
    assert a[1] != c[1]


def test_the_splits_share_no_bag():
    world = World()
    first, second = world.case(3, "train")[1], world.case(3, "test")[1]
    assert first.features.shape != second.features.shape or not (first.features == second.features).all()
