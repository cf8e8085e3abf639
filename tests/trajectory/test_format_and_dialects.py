"""The tagged text: which texts are exactly the three blocks, and that rendering and parsing are inverse."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathkg.errors import DialectError, InputError
from pathkg.trajectory import Trajectory, find_blocks, get_dialect, parse, split_steps
from pathkg.trajectory.blocks import is_blank, visible
from tests.shared_data import shared

GOOD = "<observe>a</observe><think>b</think><answer>c</answer>"


@pytest.mark.parametrize(("text", "fault"), [
    (GOOD, ""),
    (f"\n {GOOD}\t\n", ""),
    ("<observe>a</observe>\n\n<think>\n1. b\n2. c\n</think> <answer>c</answer>", ""),
    ("", "no <observe> block"),
    ("junk <observe></observe><think></think><answer></answer> junk", "text outside"),
    ("<observe> </observe><think>b</think><answer>c</answer>", "<observe> says nothing"),
    ("<observe>a</observe><think>\u200b\u2060</think><answer>c</answer>", "<think> says nothing"),
    ("<observe>a</observe><think>...</think><answer>c</answer>", "<think> says nothing"),
    ("<observe>a</observe><think><!-- b --></think><answer>c</answer>", "<think> says nothing"),
    ("<observe>a</observe><think><b></b></think><answer>c</answer>", "<think> says nothing"),
    ("<observe>a</observe><think>\u3164\u3164</think><answer>c</answer>", "<think> says nothing"),
    ("<think>b</think><observe>a</observe><answer>c</answer>", "out of order"),
    (GOOD + "<answer>d</answer>", "2 <answer> blocks"),
    (GOOD + " thanks", "text outside"),
    ("x" + GOOD, "text outside"),
    ("<observe>a</observe> so <think>b</think><answer>c</answer>", "text outside"),
    ("<observe>a<think>b</think></observe><answer>c</answer>", "not closed before"),
    ("<observe>a</observe><think>b<answer>c</answer>", "not closed before"),
    ("<observe>a</observe><think>b</think><answer>c", "never closed"),
    ("<observe>a</observe></think><answer>c</answer>", "closes nothing"),
    ("<Observe>a</Observe><think>b</think><answer>c</answer>", "not written exactly"),
    ("< observe>a</observe><think>b</think><answer>c</answer>", "not written exactly"),
    ("<info>a</info><think>b</think><answer>c</answer>", "no <observe> block"),
    (f"<info>z</info>{GOOD}", "another dialect"),
])
def test_only_exactly_three_blocks_pass(text: str, fault: str) -> None:
    blocks = find_blocks(text, get_dialect("observe"))
    assert blocks.strict is (fault == "")
    assert fault in blocks.fault


def test_a_hostile_megabyte_costs_what_an_honest_one_does() -> None:
    for text in ("<observe>" * 120_000, "< " * 500_000, "<!--" * 250_000, "<a hidden" * 110_000, "\u200b" * 1_000_000):
        start = time.perf_counter()
        find_blocks(text, get_dialect("observe"))
        visible(text)
        is_blank(text)
        assert time.perf_counter() - start < 5.0


PART = st.text(st.characters(codec="utf-8", exclude_characters="<>\r"), min_size=1, max_size=60)


@given(PART, st.lists(PART, min_size=1, max_size=5), PART, st.sampled_from(["observe", "info"]))
@settings(max_examples=300, deadline=None)
def test_parse_inverts_render(observe: str, steps: list[str], answer: str, dialect: str) -> None:
    try:
        t = Trajectory(observe, tuple(steps), answer, dialect)
    except InputError:
        return  # a part that says nothing is refused, as it should be
    again = parse(t.render(), dialect)
    assert (again.observe, again.answer, again.dialect) == (t.observe, t.answer, t.dialect)
    assert again.think == t.think
    assert Trajectory.from_dict(json.loads(json.dumps(t.to_dict()))) == t


@pytest.mark.parametrize(("think", "preamble", "steps"), [
    ("1. a\n2. b", "", ("a", "b")),
    ("Step 1: a\nStep 2: b", "", ("a", "b")),
    ("1) a\n2) b", "", ("a", "b")),
    ("Let us see.\n1. a\n2. b", "Let us see.", ("a", "b")),
    ("1. a\n   1. x\n   2. y\n2. b", "", ("a\n1. x\n2. y", "b")),
    ("1. a\n3. not a step\n2. b", "", ("a\n3. not a step", "b")),
    ("1. Grade 2. Size 3 cm. 2. b.", "", ("Grade 2. Size 3 cm.", "b.")),
    ("a\n\nb", "", ("a", "b")),
])
def test_steps_are_split_by_their_own_numbers(think: str, preamble: str, steps: tuple[str, ...]) -> None:
    assert split_steps(think) == (preamble, steps)


@pytest.mark.parametrize(("text", "dialect", "message"), [
    (GOOD, "info", "read it with dialect 'observe'"),
    (GOOD, "observ", "did you mean 'observe'?"),
    ("<observe>a</observe>", "observe", "no <think> block"),
    ("", "auto", "no <observe> block"),
])
def test_a_text_that_follows_no_dialect_is_refused_with_what_to_do(text: str, dialect: str, message: str) -> None:
    with pytest.raises(DialectError, match="what to do") as caught:
        parse(text, dialect)
    assert message in str(caught.value)


def test_lenient_finds_the_blocks_anywhere() -> None:
    t = parse("Sure! <answer>c</answer> then <observe>a</observe> and <think>1. b</think> bye", lenient=True)
    assert (t.observe, t.steps, t.answer) == ("a", ("b",), "c")


@pytest.mark.parametrize("bad", [
    {"observe": "", "steps": ("a",), "answer": "b"}, {"observe": "x", "steps": (), "answer": "b"},
    {"observe": "x", "steps": "abc", "answer": "b"}, {"observe": "x <think>", "steps": ("a",), "answer": "b"},
    {"observe": "x", "steps": ("a", "\u200b"), "answer": "b"}, {"observe": None, "steps": ("a",), "answer": "b"},
])
def test_a_trajectory_cannot_be_built_wrong(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Trajectory(**bad)  # type: ignore[arg-type]


def test_the_released_samples_read_as_their_own_dialect() -> None:
    samples = json.loads(shared("trajectories/pathreasoner_released_4.json").read_text())
    for sample in samples:
        text = sample["conversations"][1]["value"]
        assert find_blocks(text, get_dialect("info")).strict
        assert not find_blocks(text, get_dialect("observe")).strict
        t = parse(text, "auto")
        assert t.dialect == "info"
        assert len(t.steps) >= 2
