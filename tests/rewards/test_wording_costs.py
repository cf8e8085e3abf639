"""What a policy drifts to costs: doubt, telling the answer early, saying findings again, copying them as reasoning, accents."""

from __future__ import annotations

import pytest

from pathkg.rewards import CompositeReward, build_reference
from pathkg.rewards.reading import COPIED, FOREIGN, HEDGED, RESTATED, TOLD_EARLY
from pathkg.trajectory import Trajectory

GOLD = Trajectory(
    "Keratin pearls are present. Intercellular bridges are present. Necrosis is present. Lymphovascular invasion is absent.",
    ("Keratin pearls support squamous cell carcinoma.", "Intercellular bridges support squamous cell carcinoma."),
    "Squamous cell carcinoma of the left lung, pT2b.")
REFERENCE = build_reference(GOLD)
REWARD = CompositeReward()


def violations(text: Trajectory) -> dict[str, int]:
    reading = REWARD.engine.read(text.render())
    return {kind: n for kind, n in reading.violations.items() if n}


@pytest.mark.parametrize(("kind", "changed"), [
    (HEDGED, GOLD.replace(observe=GOLD.observe.replace("Necrosis is", "Necrosis is possibly"))),
    (HEDGED, GOLD.replace(answer="Probably squamous cell carcinoma of the left lung, pT2b.")),
    (HEDGED, GOLD.replace(answer="Squamous cell carcinoma of the left lung, pT2b, cannot be excluded.")),
    (TOLD_EARLY, GOLD.replace(observe=GOLD.observe + " It is a squamous cell carcinoma.")),
    (TOLD_EARLY, GOLD.replace(observe=GOLD.observe + " The category is pT2b.")),
    (RESTATED, GOLD.replace(observe=GOLD.observe + " One sees keratin pearls. There are intercellular bridges. Also: necrosis.")),
    (COPIED, GOLD.replace(steps=("Keratin pearls are present.", "Intercellular bridges are present.", "So it is squamous cell carcinoma."))),
    (FOREIGN, GOLD.replace(observe=GOLD.observe.replace("e", "\u00e9"))),
])
def test_it_costs_and_the_gold_does_not_pay(kind: str, changed: Trajectory) -> None:
    assert violations(GOLD) == {}
    assert violations(changed).get(kind), violations(changed)
    assert (REWARD(changed.render(), REFERENCE) or 0) < 2.5
    # a gold that does so itself loses nothing
    assert REWARD(changed.render(), build_reference(changed)) == 2.5


@pytest.mark.parametrize("changed", [
    GOLD.replace(observe="Necrosis and keratin pearls are present. There are intercellular bridges, but no lymphovascular invasion."),
    GOLD.replace(observe=GOLD.observe + " The necrosis is geographic."),
    GOLD.replace(steps=("The keratin pearls that are present support squamous cell carcinoma.", GOLD.steps[1])),
    GOLD.replace(observe=GOLD.observe + " It resembles the naevus of Ménière and Sjögren."),
    GOLD.replace(steps=(*GOLD.steps, "The mayor part may well stand for itself.")),
])
def test_honest_wording_costs_nothing(changed: Trajectory) -> None:
    assert violations(changed) == {}


def test_what_is_only_copied_is_not_reasoned_with() -> None:
    copied = GOLD.replace(steps=("Keratin pearls are present.", "Intercellular bridges are present."))
    reasoned = REWARD.engine.read(copied.render()).reasoned
    assert reasoned == REWARD.engine.read(copied.render()).answer
