"""False statements scale the answer's credit, omissions do not; asking, supposing and taking back state nothing."""

from __future__ import annotations

import pytest

from pathkg.errors import InputError
from pathkg.rewards import CompositeReward, SemanticReward, build_reference
from pathkg.rewards.adapters.scoring import reward_from
from pathkg.rewards.reading import MOST_UNSTATED
from pathkg.rewards.semantic import CONTRADICTION, INVENTION
from pathkg.trajectory import Trajectory

GOLD = Trajectory(
    "Keratin pearls are present. Lymphovascular invasion is absent. The tumor measures 4.2 cm.",
    ("Keratin pearls support squamous cell carcinoma.", "2/11 lymph nodes are involved."),
    "Squamous cell carcinoma of the left lung, pT2b.")
REFERENCE = build_reference(GOLD)
REWARD = SemanticReward()


def semantic(**blocks: object) -> float:
    value = REWARD(GOLD.replace(**blocks).render(), REFERENCE)
    assert value is not None
    return value


@pytest.mark.parametrize(("observe", "left"), [
    (GOLD.observe, 1.0),
    ("Keratin pearls are present.", 1.0),
    (GOLD.observe.replace("is absent", "is present"), 1 - CONTRADICTION),
    (GOLD.observe.replace("4.2 cm", "1.2 cm"), 1 - CONTRADICTION),
    (GOLD.observe + " There is no squamous cell carcinoma.", 1 - CONTRADICTION),
    (GOLD.observe + " None of the above is true.", 1 - CONTRADICTION),
    (GOLD.observe + " Psammoma bodies are present.", 1 - INVENTION),
    (GOLD.observe + " Psammoma bodies are absent.", 1.0),
    (GOLD.observe + " It is a carcinoma.", 1.0),
    (GOLD.observe + " Sections were stained.", 1.0),
    (GOLD.observe.replace("is absent", "is present") + " Psammoma bodies are present.", (1 - CONTRADICTION) * (1 - INVENTION)),
], ids=lambda v: v[-40:] if isinstance(v, str) else str(v))
def test_only_false_statements_take_credit(observe: str, left: float) -> None:
    assert semantic(observe=observe) == pytest.approx(left)


def test_the_published_formula_looks_at_the_answer_alone() -> None:
    false = GOLD.replace(observe=GOLD.observe.replace("is absent", "is present")).render()
    published = SemanticReward(contradiction=0, invention=0)
    assert published(false, REFERENCE) == 1.0
    assert reward_from(contradiction=0, invention="0").score(false, REFERENCE).parts["semantic"] == 1.0
    assert reward_from().score(false, REFERENCE).parts["semantic"] == 1 - CONTRADICTION
    for wrong in (-0.1, 1.5, True, "much"):
        with pytest.raises(InputError, match=r"give a share|contradiction is"):
            SemanticReward(contradiction=wrong)  # type: ignore[arg-type]


def test_the_breakdown_names_the_false_statements() -> None:
    result = REWARD.score(GOLD.replace(observe=GOLD.observe.replace("is absent", "is present")).render(), REFERENCE)
    assert any("contradicted by the reference: PATHKG:lymphovascular-invasion+" in r for r in result.reasons)


@pytest.mark.parametrize("observe", [
    "Are keratin pearls present? Is lymphovascular invasion absent? Does the tumor measure 4.2 cm?",
    "If keratin pearls are present and lymphovascular invasion is absent, the tumor measures 4.2 cm.",
    "Suppose keratin pearls are present. Assume lymphovascular invasion is absent. Imagine a tumor of 4.2 cm.",
], ids=("asked", "if", "supposed"))
def test_what_is_asked_or_supposed_is_not_stated(observe: str) -> None:
    reward = CompositeReward()
    honest = reward(GOLD.render(), REFERENCE)
    nothing = reward(GOLD.replace(observe="A slide.").render(), REFERENCE)
    said = reward(GOLD.replace(observe=observe).render(), REFERENCE)
    assert honest is not None and nothing is not None and said is not None  # noqa: PT018
    assert said <= nothing < honest


def test_an_answer_that_asks_or_takes_itself_back_earns_less() -> None:
    for answer in ("Is it squamous cell carcinoma of the left lung, pT2b?", GOLD.answer + " This is not the diagnosis.",
                   GOLD.answer + " The above is incorrect.", GOLD.answer + " Ignore this diagnosis."):
        assert semantic(answer=answer) <= 1 - CONTRADICTION, answer


def test_naming_many_findings_without_stating_them_costs() -> None:
    names = ["psammoma bodies", "mucin", "giant cells", "tumor necrosis", "perineural invasion", "koilocytes"]
    reward = CompositeReward(weights={"entity": 1})

    def with_options(n: int) -> float:
        listed = " ".join(f"[ ] {name}" for name in names[:n])
        return reward(GOLD.replace(observe=f"{GOLD.observe} {listed}.").render(), REFERENCE) or 0.0

    assert with_options(MOST_UNSTATED) == 1.0
    assert with_options(5) < 1.0
    assert with_options(6) < with_options(5)


def test_what_the_gold_itself_asks_costs_it_nothing() -> None:
    gold = GOLD.replace(observe=GOLD.observe + " Is there psammoma body, mucin, giant cell, necrosis, or koilocytes? "
                        "The above is incorrect.")
    assert CompositeReward()(gold.render(), build_reference(gold)) == 2.5


NUMBERS = Trajectory(
    "The tumor measures 4.2 cm. Ki-67 labels 30% of the nuclei. The mitotic rate is 3/mm2.",
    ("2/11 lymph nodes are involved.", "Keratin pearls support squamous cell carcinoma."),
    "Squamous cell carcinoma of the left lung, pT2b.")
REPORT = ("Left lung: squamous cell carcinoma with keratin pearls, 4.2 cm, in a specimen of 18 cm. Ki-67 30%. Mitotic rate 3/mm2. "
          "Lymph nodes: 2/11, in level 10 1/4. pT2b.")


@pytest.mark.parametrize(("added", "with_report", "without"), [
    ("The tumor measures 7.7 cm.", 1 - INVENTION, 1 - INVENTION),
    ("The depth of invasion is 6 mm.", 1 - INVENTION, 1 - INVENTION),
    ("Ki-67 labels 80% of the nuclei.", 1 - INVENTION, 1 - INVENTION),
    ("The mitotic rate is 17/mm2.", 1 - INVENTION, 1 - INVENTION),
    ("5/11 lymph nodes are involved.", 1 - INVENTION, 1 - INVENTION),
    ("The tumor is larger than 9 cm.", 1.0, 1 - INVENTION),  # the specimen is
    ("The tumor is larger than 20 cm.", 1 - INVENTION, 1 - INVENTION),
    # adversaries: what the report gives, what is said again, and bounds that hold
    ("The specimen measures 18 cm.", 1.0, 1 - INVENTION),
    ("In level 10 it is 1/4 nodes.", 1.0, 1 - INVENTION),
    ("The tumor is larger than 4 cm.", 1.0, 1.0),
    ("It measures 42 mm.", 1.0, 1.0),
])
def test_a_number_that_nobody_gave_is_invented(added: str, with_report: float, without: float) -> None:
    text = NUMBERS.replace(observe=f"{NUMBERS.observe} {added}").render()
    known, unknown = build_reference(NUMBERS, report=REPORT), build_reference(NUMBERS)
    assert REWARD(text, known) == pytest.approx(with_report)
    assert REWARD(text, unknown) == pytest.approx(without)
    honest = CompositeReward()(NUMBERS.render(), known)
    attacked = CompositeReward()(text, known)
    assert honest == 2.5
    assert attacked is not None
    assert attacked <= honest - (0.25 if with_report < 1 else 0)


def test_a_reference_remembers_the_numbers_of_its_report() -> None:
    known = build_reference(NUMBERS, report=REPORT)
    assert set(known.known or ()) >= {"ratio=1/4", "size=180"}
    assert type(known).from_json(known.to_json()) == known
    assert build_reference(NUMBERS).known is None
    other = GOLD.replace(observe=GOLD.observe + " No size is given.")
    assert SemanticReward()(other.replace(observe=other.observe + " Ki-67 labels 80%.").render(), build_reference(other)) == 1.0
    assert SemanticReward()(other.replace(observe=other.observe + " Ki-67 labels 80%.").render(),
                            build_reference(other, report="Left lung.")) == pytest.approx(1 - INVENTION)
