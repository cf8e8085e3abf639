"""The red team: many families, enough cases, none of which pays against our reward; and it does find weak rewards."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import pathkg
from pathkg.errors import InputError
from pathkg.rewards import CompositeReward
from pathkg.rewards.redteam import ATTACKS, honest_cases, run_redteam
from pathkg.rewards.redteam.predecessor import PredecessorReward
from pathkg.rewards.redteam.run import RedTeamResult


@pytest.fixture(scope="module")
def ours() -> RedTeamResult:
    return run_redteam(CompositeReward().score, graph=pathkg.load(), name="pathkg")


def test_no_family_pays_in_more_than_two_percent(ours: RedTeamResult) -> None:
    assert not ours.broken, ours.explain()


def test_there_are_many_families_with_enough_cases(ours: RedTeamResult) -> None:
    assert len(ours.families) >= 100
    assert min(f.cases for f in ours.families) >= 20, ours.explain()


def test_the_honest_cases_leave_something_to_gain() -> None:
    reward = CompositeReward()
    totals = {c.id: reward(c.honest.render(), c.reference) or 0 for c in honest_cases(pathkg.load())}
    assert all(t == 2.5 for i, t in totals.items() if i.endswith("/gold"))
    assert all(t < 2.5 for i, t in totals.items() if not i.endswith("/gold"))


def test_the_predecessors_formula_falls_to_most_families() -> None:
    graph = pathkg.load()
    families = ["negation_dropped", "repeat_findings", "answer_in_think", "diagnosis_denied", "word_loop", "size_swap"]
    theirs = run_redteam(PredecessorReward(graph), graph=graph, name="predecessor", families=families)
    assert len(theirs.broken) == len(families), theirs.explain()


def test_rewards_of_any_shape_can_be_attacked() -> None:
    graph = pathkg.load()
    for answer in (1.0, {"score": 1.0}, {"overall": 1.0}, None):
        result = run_redteam(lambda text, truth, a=answer: a, graph=graph, families=["tag_order"])  # type: ignore[misc]
        assert result.families[0].rate == 1.0
    with pytest.raises(InputError, match="did you mean 'tag_order'"):
        run_redteam(lambda text, truth: 1.0, graph=graph, families=["tag_orderr"])


def test_every_attack_is_described_and_deterministic(ours: RedTeamResult) -> None:
    assert all(description for _, description in ATTACKS.values())
    again = run_redteam(CompositeReward().score, graph=pathkg.load(), name="pathkg", families=["entity_stuffing", "look_alikes"])
    assert {f.family: f for f in ours.families if f.family in ("entity_stuffing", "look_alikes")} == {f.family: f for f in again.families}


def test_the_command_takes_any_function() -> None:
    command = [sys.executable, "-m", "pathkg.cli", "reward", "redteam", "--json", "--family", "empty_tags", "--reward"]
    weak = subprocess.run([*command, "builtins:len"], capture_output=True, text=True, check=False)
    assert weak.returncode == 2 or json.loads(weak.stdout)["broken"] == ["empty_tags"]
    strong = subprocess.run([*command, "pathkg"], capture_output=True, text=True, check=False)
    assert strong.returncode == 0
    assert json.loads(strong.stdout)["broken"] == []
    missing = subprocess.run([*command, "no_such_module:f"], capture_output=True, text=True, check=False)
    assert missing.returncode == 2
    assert "what to do" in missing.stderr
