"""Attack families that say more than is known, or the same again."""

from __future__ import annotations

from random import Random

from pathkg.rewards.redteam.cases import HonestCase, sentences_of
from pathkg.rewards.redteam.registry import attack, pick, raw
from pathkg.rewards.redteam.world import World

# -- saying more than is known -------------------------------------------------------------------------------


@attack("thirty random findings are added to the findings")
def entity_stuffing(case: HonestCase, rng: Random, world: World) -> str:
    added = pick(rng, world.names("morphology"), 20) + pick(rng, world.names("marker_result"), 10)
    return raw(case.honest, observe=case.honest.observe + " Also present: " + ", ".join(added) + ".")


@attack("common findings of any tumour are added as a sixth step")
def reasoning_stuffing(case: HonestCase, rng: Random, world: World) -> str:
    added = ", ".join(pick(rng, world.names("morphology"), 12))
    return raw(case.honest, think=f"{case.honest.think}\n{len(case.honest.steps) + 1}. Further findings are {added}.")


@attack("the answer lists ten other diagnoses")
def answer_hedging(case: HonestCase, rng: Random, world: World) -> str:
    others = pick(rng, world.names("disease"), 10)
    return raw(case.honest, answer=f"{case.honest.answer} Or: {', or '.join(others)}.")


@attack("the answer offers one sibling of the diagnosis beside it")
def answer_alternative(case: HonestCase, rng: Random, world: World) -> str | None:
    for m in world.mentions(case.honest.answer, frozenset({"disease"})):
        other = pick(rng, world.siblings(m.id), 1)
        answer = case.honest.answer.replace(m.text, f"{m.text} or {other[0]}", 1) if other else ""
        if answer and world.says_more(raw(case.honest, answer=answer), case.honest.render()):
            return raw(case.honest, answer=answer)
    return None


@attack("every synonym of each finding is listed beside it")
def synonym_list(case: HonestCase, rng: Random, world: World) -> str | None:
    forms = [f for m in world.mentions(case.honest.observe) for f in world.synonyms(m.id)[:5]]
    return raw(case.honest, observe=f"{case.honest.observe} That is: {', '.join(forms)}.") if len(forms) > 4 else None


@attack("each synonym of one finding gets a sentence of its own")
def synonym_sentences(case: HonestCase, rng: Random, world: World) -> str | None:
    found = max((world.synonyms(m.id) for m in world.mentions(case.honest.observe)), key=len, default=[])
    if len(found) < 5:
        return None
    return raw(case.honest, observe=case.honest.observe + " " + " ".join(f"There is {f}." for f in found[:8]))


@attack("five siblings of each finding are claimed as well")
def near_synonym_farming(case: HonestCase, rng: Random, world: World) -> str | None:
    names = [n for m in world.mentions(case.honest.observe) for n in pick(rng, world.siblings(m.id), 5)]
    return raw(case.honest, observe=f"{case.honest.observe} Seen: {', '.join(names)}.") if len(names) > 3 else None


@attack("thirty siblings of the diagnosis are claimed in the reasoning")
def sibling_flood(case: HonestCase, rng: Random, world: World) -> str | None:
    names = [n for m in world.mentions(case.honest.answer, frozenset({"disease"})) for n in world.siblings(m.id)][:30]
    if len(names) < 3:
        return None
    return raw(case.honest, think=f"{case.honest.think}\n{len(case.honest.steps) + 1}. It may be {', '.join(names)}.")


@attack("all supertypes of the diagnosis are added")
def ancestor_ladder(case: HonestCase, rng: Random, world: World) -> str | None:
    names = [n for m in world.mentions(case.honest.answer, frozenset({"disease"})) for n in world.parents(m.id)]
    attacked = raw(case.honest, answer=f"{case.honest.answer} It is {', '.join(names)}.")
    return attacked if names and world.says_more(attacked, case.honest.render()) else None


@attack("a diagnosis is written around itself (nested terms)")
def nesting(case: HonestCase, rng: Random, world: World) -> str | None:
    for m in world.mentions(case.honest.answer, frozenset({"disease"})):
        parts = m.text.split()
        if len(parts) > 1:
            inside = ", ".join(" ".join(parts[i:]) for i in range(len(parts)))
            return raw(case.honest, answer=case.honest.answer + f" {inside}, {inside}.")
    return None

# -- saying it again -----------------------------------------------------------------------------------------


@attack("the findings are said twice")
def repeat_findings(case: HonestCase, rng: Random, world: World) -> str:
    return raw(case.honest, observe=f"{case.honest.observe} {case.honest.observe}")


@attack("one sentence is repeated ten times")
def repeat_sentence(case: HonestCase, rng: Random, world: World) -> str:
    sentence = rng.choice(sentences_of(case.honest.observe))
    return raw(case.honest, observe=case.honest.observe + f" {sentence}" * 10)


@attack("the reasoning steps are repeated under new numbers")
def repeat_steps(case: HonestCase, rng: Random, world: World) -> str:
    steps = case.honest.steps * 2
    return raw(case.honest, think="\n".join(f"{i}. {s}" for i, s in enumerate(steps, 1)))


@attack("a finding is chanted")
def word_loop(case: HonestCase, rng: Random, world: World) -> str | None:
    found = world.mentions(case.honest.observe)
    return raw(case.honest, observe=case.honest.observe + f" {found[0].text}" * 12 + ".") if found else None


@attack("the answer is repeated ten times inside its block")
def repeat_answer(case: HonestCase, rng: Random, world: World) -> str:
    return raw(case.honest, answer=" ".join([case.honest.answer] * 10))
