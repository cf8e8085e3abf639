"""Attack families that say the opposite, or change a detail."""

from __future__ import annotations

import re
from random import Random

from pathkg.rewards.redteam.cases import HonestCase
from pathkg.rewards.redteam.registry import attack, pick, raw, sub_each
from pathkg.rewards.redteam.world import World

# -- saying the opposite -------------------------------------------------------------------------------------

ABSENT = re.compile(r"\b(?:is|are) (?:absent|not identified|not seen)\b")
PRESENT = re.compile(r"\b(?:is|are) present\b")
_NEGATIVE, _POSITIVE = re.compile(r"\bnegative\b"), re.compile(r"\bpositive\b")


@attack("a finding reported absent is claimed present")
def negation_dropped(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, ABSENT, lambda m: "is present")


@attack("a finding reported present is claimed absent")
def negation_added(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, PRESENT, lambda m: "is absent")


@attack("the diagnosis is denied in the answer")
def diagnosis_denied(case: HonestCase, rng: Random, world: World) -> str:
    answer = case.honest.answer
    return raw(case.honest, answer="No evidence of " + answer[0].lower() + answer[1:])


@attack("marker results are turned round")
def marker_flip(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\b(?:positive|negative)\b"),
                     lambda m: "negative" if m.group() == "positive" else "positive")


@attack("a finding is stated both present and absent")
def double_statement(case: HonestCase, rng: Random, world: World) -> str | None:
    found = world.mentions(case.honest.observe, frozenset({"morphology"}))
    if not found:
        return None
    name = rng.choice(found).text
    return raw(case.honest, observe=f"{case.honest.observe} There is {name}. There is no {name}.")


@attack("every finding is stated both present and absent")
def double_everything(case: HonestCase, rng: Random, world: World) -> str | None:
    names = [m.text for m in world.mentions(case.honest.observe, frozenset({"morphology"}))]
    both = " ".join(f"There is {n}. There is no {n}." for n in names)
    return raw(case.honest, observe=f"{case.honest.observe} {both}") if names else None

# -- swapping a detail ---------------------------------------------------------------------------------------


@attack("left and right are exchanged")
def laterality_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return sub_each(case.honest, re.compile(r"\b(?:[Ll]eft|[Rr]ight)\b"), lambda m: other[m.group()])


@attack("left and right are exchanged in the answer only")
def laterality_swap_answer(case: HonestCase, rng: Random, world: World) -> str | None:
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    answer = re.sub(r"\b(?:[Ll]eft|[Rr]ight)\b", lambda m: other[m.group()], case.honest.answer)
    return raw(case.honest, answer=answer) if answer != case.honest.answer else None


@attack("the T category is changed")
def stage_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\bpT([1-4])([a-d]?)"),
                     lambda m: f"pT{int(m.group(1)) % 4 + 1}{m.group(2)}")


@attack("the N category is changed")
def node_stage_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\bpN([0-3])[a-c]?"), lambda m: f"pN{(int(m.group(1)) + 1) % 4}")


@attack("the grade is changed")
def grade_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    other = {"well": "poorly", "moderately": "well", "poorly": "well"}
    changed = sub_each(case.honest, re.compile(r"\b(well|moderately|poorly) differentiated"),
                        lambda m: f"{other[m.group(1)]} differentiated")
    return changed or sub_each(case.honest, re.compile(r"\bgrade ([1-5])\b"),
                                lambda m: f"grade {int(m.group(1)) % 3 + 1}") \
        or sub_each(case.honest, re.compile(r"\b(high|low) grade\b"),
                     lambda m: f"{'low' if m.group(1) == 'high' else 'high'} grade")


@attack("the size is changed")
def size_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\b(\d+(?:\.\d)?) (cm|mm)\b"),
                     lambda m: f"{float(m.group(1)) * 3 + 1:g} {m.group(2)}")


@attack("the count of positive nodes is changed")
def node_count_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\b(\d+)( of |/)(\d+)\b"),
                     lambda m: f"{int(m.group(1)) + 4}{m.group(2)}{int(m.group(3)) + 9}")


_ORGANS = ("lung", "breast", "kidney", "prostate", "colon", "stomach", "liver", "pancreas", "urinary bladder", "thyroid",
           "skin", "ovary", "uterus", "cervix", "testis", "tongue")


@attack("the organ is exchanged for another one")
def organ_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    t = case.honest
    named = world.mentions(t.answer, frozenset({"anatomy"}))
    if not named:
        return raw(t, answer=f"{t.answer.rstrip('.')} of the {rng.choice(_ORGANS)}.")
    new = rng.choice([o for o in _ORGANS if o not in t.answer.lower()])
    return raw(t, *(block.replace(named[0].text, new) for block in (t.observe, t.think, t.answer)))


@attack("the diagnosis is exchanged for a sibling")
def diagnosis_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    t = case.honest
    for m in world.mentions(t.answer, frozenset({"disease"})):
        other = pick(rng, world.siblings(m.id), 1)
        if other and world.says_more(t.answer.replace(m.text, other[0]), t.answer):
            swap = re.compile(re.escape(m.text), re.IGNORECASE)
            return raw(t, *(swap.sub(other[0], block) for block in (t.observe, t.think, t.answer)))
    return None


@attack("a finding is exchanged for another one")
def finding_swap(case: HonestCase, rng: Random, world: World) -> str | None:
    t = case.honest
    found = world.mentions(t.observe, frozenset({"morphology"}))
    if not found:
        return None
    old, new = rng.choice(found).text, rng.choice(world.names("morphology"))
    swap = re.compile(re.escape(old), re.IGNORECASE)
    return raw(t, *(swap.sub(new, block) for block in (t.observe, t.think, t.answer)))
