"""What each reward pays, as tables."""

from __future__ import annotations

import pytest

from pathkg.errors import InputError
from pathkg.rewards import (
    CompositeReward,
    EntityReward,
    FormatReward,
    PathReward,
    Reference,
    SemanticReward,
    build_reference,
)
from pathkg.rewards.redteam import gold_cases
from pathkg.trajectory import Trajectory, verify

GOLD = Trajectory(
    "Keratin pearls and tumor necrosis are present. Lymphovascular invasion is absent.",
    ("Keratin pearls support squamous cell carcinoma.", "Lymphovascular invasion is absent.",
     "Tumor necrosis is present and 4.2 cm gives pT2b."),
    "Squamous cell carcinoma of the left upper lobe, moderately differentiated, pT2b.")
REFERENCE = build_reference(GOLD)
TEXT = GOLD.render()


def test_the_gold_of_every_case_earns_exactly_the_maximum() -> None:
    reward = CompositeReward(weights={"format": 1, "semantic": 1, "entity": 0.5, "path": 1})
    for case in gold_cases():
        reference = build_reference(case.gold, certificate=verify(case.gold, report=case.report))
        result = reward.score(case.gold.render(), Reference.from_json(reference.to_json()))
        assert result.total == 3.5, f"{case.id}: {result.explain()}"
        info = case.gold.replace(dialect="info")
        assert reward(info.render(), build_reference(info, certificate=verify(info, report=case.report))) == 3.5


CHANGES = {
    "negation dropped": lambda t: t.replace("invasion is absent", "invasion is present"),
    "negation added": lambda t: t.replace("necrosis are present", "necrosis are absent"),
    "entity replaced": lambda t: t.replace("Keratin pearls", "Psammoma bodies"),
    "diagnosis replaced": lambda t: t.replace("quamous cell carcinoma", "arcoma"),
    "stuffed": lambda t: t.replace("are present.", "are present, with mucin, psammoma bodies, giant cells."),
    "sentence repeated": lambda t: t.replace("invasion is absent.\n</o", "invasion is absent. Lymphovascular invasion is absent.\n</o"),
    "side exchanged": lambda t: t.replace("left", "right"),
    "stage exchanged": lambda t: t.replace("pT2b", "pT3"),
    "grade exchanged": lambda t: t.replace("moderately", "poorly"),
    "size exchanged": lambda t: t.replace("4.2 cm", "1.2 cm"),
    "empty findings": lambda t: t.replace(GOLD.observe, ""),
    "empty reasoning": lambda t: t.replace(GOLD.think, " \u200b "),
    "wrong order": lambda t: "\n".join(reversed(t.split("\n\n"))),
    "junk after": lambda t: t + " thanks",
    "both present and absent": lambda t: t.replace("are present.", "are present. There is no tumor necrosis."),
    "look-alike letter": lambda t: t.replace("Keratin", "Кeratin"),
    "hidden text": lambda t: t.replace("pearls and", "pearls <!-- mucin --> and"),
    "padding": lambda t: t.replace("</think>", "So it goes on and on. " * 3 + "And on. " * 150 + "</think>"),
    "reasoning only listed": lambda t: t.replace(GOLD.think, "1. So the answer follows."),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_lowers_the_total(name: str) -> None:
    changed = CHANGES[name](TEXT)
    assert changed != TEXT
    before, after = CompositeReward().score(TEXT, REFERENCE), CompositeReward().score(changed, REFERENCE)
    assert before.total == 2.5
    assert after.total is not None
    assert after.total < 2.5 - 0.005, after.explain()


BLOCKS = "<observe>{}</observe><think>{}</think><answer>{}</answer>"
PEARL, SCC, LVI, NECROSIS = "PATHKG:keratin-pearl", "MONDO:0005096", "PATHKG:lymphovascular-invasion", "PATHKG:tumor-necrosis"


@pytest.mark.parametrize(("observe", "variant", "value"), [
    ("Keratin pearls.", "soft_dice", 2 * 1 / (1 + 2)),
    ("Keratin pearls. Tumor necrosis.", "soft_dice", 1.0),
    ("Keratin pearls. No tumor necrosis.", "soft_dice", 2 * 1 / (2 + 2)),
    ("Keratin pearls. Tumor necrosis. Psammoma bodies.", "soft_dice", 2 * 2 / (3 + 2)),
    ("Keratin pearls. Tumor necrosis. No tumor necrosis.", "soft_dice", 2 * 1 / (3 + 2)),
    ("Keratin pearls. Horn pearls. Squamous pearls. Tumor necrosis.", "soft_dice", 1.0),
    ("Nothing at all.", "soft_dice", 0.0),
    ("Keratin pearls.", "recall", 0.5),
    ("Keratin pearls. Tumor necrosis. Psammoma bodies.", "recall", 1.0),
    ("Keratin pearls. Tumor necrosis. No tumor necrosis.", "recall", 0.5),
])
def test_entity_formula(observe: str, variant: str, value: float) -> None:
    reference = Reference.of([f"{PEARL}+", f"{NECROSIS}+"])
    result = EntityReward(variant=variant).score(BLOCKS.format(observe, "So.", "Yes it is."), reference)  # type: ignore[arg-type]
    assert result.total == pytest.approx(value), result.explain()


def test_soft_matches_pay_once_per_reference_entity() -> None:
    reference = Reference.of([f"{SCC}+"])
    reward, hard = EntityReward(), EntityReward(beta=0)

    def paid(text: str) -> float:
        return reward(BLOCKS.format(text, "So.", "Yes."), reference) or 0.0

    one = paid("Carcinoma.")
    assert 0 < one < 0.5
    assert hard(BLOCKS.format("Carcinoma.", "So.", "Yes."), reference) == 0.0
    assert paid("Adenosquamous carcinoma. Basaloid squamous cell carcinoma. Carcinoma. Verrucous carcinoma. Adenocarcinoma.") < one


def test_what_stands_outside_the_blocks_does_not_count() -> None:
    reference = Reference.of([f"{PEARL}+"])
    assert EntityReward()("Keratin pearls. " + BLOCKS.format("x", "y", "z"), reference) == 0.0
    assert EntityReward()("<think>Keratin pearls.", reference) == 0.0
    assert EntityReward()("<info>Keratin pearls.</info>" + BLOCKS.format("x", "y", "z"), reference) == 0.0


def test_a_node_stated_both_ways_pays_only_where_the_gold_does_so_too() -> None:
    text = BLOCKS.format("Tumor necrosis. No tumor necrosis.", "So.", "Yes.")
    both = EntityReward().score(text, Reference.of([f"{NECROSIS}+", f"{NECROSIS}-"]))
    assert both.total == 1.0
    one = EntityReward().score(text, Reference.of([f"{NECROSIS}+"]))
    assert one.total == 0.0
    assert one.contradicted == (f"{NECROSIS}+", f"{NECROSIS}-")


def test_the_breakdown_says_what_was_matched_missed_and_extra() -> None:
    result = EntityReward().score(BLOCKS.format("Keratin pearls. Psammoma bodies.", "So.", "Yes."),
                                  Reference.of([f"{PEARL}+", f"{LVI}-"]))
    assert (result.matched, result.missed, result.extra) == ((f"{PEARL}+",), (f"{LVI}-",), ("PATHKG:psammoma-body+",))
    assert "missed" in result.explain()
    assert result.to_dict()["matched"] == [f"{PEARL}+"]


@pytest.mark.parametrize(("answer", "low", "high"), [
    ("Squamous cell carcinoma of the left upper lobe, moderately differentiated, pT2b.", 1.0, 1.0),
    ("SCC: epidermoid carcinoma of the left upper lobe, moderately differentiated, pT2b", 0.6, 1.0),
    ("Carcinoma of the left upper lobe, moderately differentiated, pT2b.", 0.3, 0.95),
    ("Squamous cell carcinoma of the right upper lobe, moderately differentiated, pT2b.", 0.1, 0.6),
    ("Squamous cell carcinoma of the left upper lobe, moderately differentiated, pT4.", 0.1, 0.6),
    ("Squamous cell carcinoma of the left upper lobe, poorly differentiated, pT2b.", 0.1, 0.6),
    ("Prostatic adenocarcinoma.", 0.0, 0.1),
    ("No squamous cell carcinoma.", 0.0, 0.1),
    ("See above.", 0.0, 0.0),
])
def test_answer_equivalence(answer: str, low: float, high: float) -> None:
    result = SemanticReward().score(BLOCKS.format("x1", "y1", answer), REFERENCE)
    assert result.total is not None
    assert low <= result.total <= high, result.explain()


@pytest.mark.parametrize(("given", "gold", "value"), [
    ("B", "B", 1.0), ("Answer: b.", "B", 1.0), ("C", "B", 0.0), ("B or C", "B", 0.0), ("No", "yes", 0.0),
])
def test_closed_questions_are_compared_word_by_word(given: str, gold: str, value: float) -> None:
    assert SemanticReward()(BLOCKS.format("x1", "y1", given), Reference.of([], answer_text=gold)) == value


def test_a_reference_without_an_answer_is_not_scored() -> None:
    result = SemanticReward().score(BLOCKS.format("x1", "y1", "B"), Reference.of([]))
    assert result.total is None
    assert "no_answer" in result.reasons[0]


@pytest.mark.parametrize(("steps", "value"), [
    (("Keratin pearls support squamous cell carcinoma.",), 1.0),
    (("Keratin pearls support squamous cell carcinoma.", "Lymphovascular invasion is present."), 0.0),
    (("Keratin pearls support squamous cell carcinoma.", "Tumor necrosis is present.", "Lymphovascular invasion is present."),
     1 / 3),
    (("Keratin pearls argue against squamous cell carcinoma.",), 0.0),
    (("So it is.",), 0.0),
])
def test_path_reward(steps: tuple[str, ...], value: float) -> None:
    result = PathReward().score(GOLD.replace(steps=steps).render(), REFERENCE)
    assert result.total == pytest.approx(value), result.explain()


def test_composite_weights_and_parts() -> None:
    parts = (EntityReward(variant="recall"), FormatReward(lenient=True))
    result = CompositeReward(weights={"format": 2, "entity": 3}, parts=parts).score("So: " + TEXT, REFERENCE)
    assert result.parts == {"format": 1.0, "entity": 1.0}
    assert result.total == 5.0
    assert "path" not in CompositeReward().score(TEXT, REFERENCE).parts


@pytest.mark.parametrize(("make", "hint"), [
    (lambda: EntityReward(variant="soft_dise"), "did you mean 'soft_dice'"),
    (lambda: EntityReward(beta=2), "0 to 1"),
    (lambda: EntityReward(values=("pt",)), "pT"),
    (lambda: CompositeReward(weights={"entiti": 1}), "did you mean 'entity'"),
    (lambda: CompositeReward(weights={"entity": 0}), "weight"),
    (lambda: FormatReward(dialect="inf"), "did you mean 'info'"),
    (lambda: FormatReward(max_chars=0), "positive"),
])
def test_wrong_options_are_refused_at_once(make: object, hint: str) -> None:
    with pytest.raises(InputError if "inf" not in hint else Exception, match="what to do") as caught:
        make()  # type: ignore[operator]
    assert hint in str(caught.value)
