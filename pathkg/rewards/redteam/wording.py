"""Attack families of wording: the right words in sentences that do not say them, or say more."""

from __future__ import annotations

import re
from random import Random

from pathkg.rewards.redteam.cases import HonestCase, sentences_of
from pathkg.rewards.redteam.falsehoods import ABSENT
from pathkg.rewards.redteam.registry import attack, pick, raw, sub_each
from pathkg.rewards.redteam.world import World

_DISEASE = frozenset({"disease"})


def diagnosis_of(case: HonestCase, world: World) -> str | None:
    found = world.mentions(case.honest.answer, _DISEASE)
    return found[0].text if found else None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


@attack("the diagnosis is one of four that a differential lists")
def hedged_differential(case: HonestCase, rng: Random, world: World) -> str | None:
    name = diagnosis_of(case, world)
    if name is None:
        return None
    others = [name, *pick(rng, world.names("disease"), 3)]
    rng.shuffle(others)
    return raw(case.honest, answer=case.honest.answer.replace(name, f"Differential diagnosis: {' versus '.join(others)}", 1))


@attack("the findings deny the diagnosis that the answer gives")
def denied_in_findings(case: HonestCase, rng: Random, world: World) -> str | None:
    name = diagnosis_of(case, world)
    return raw(case.honest, observe=f"{case.honest.observe} There is no {_lower(name)}.") if name else None


@attack("the answer is another diagnosis, with the right one in a denial beside it")
def negated_aside(case: HonestCase, rng: Random, world: World) -> str | None:
    name = diagnosis_of(case, world)
    if name is None:
        return None
    return raw(case.honest, answer=case.honest.answer.replace(name, f"{rng.choice(world.names('disease'))} (not {_lower(name)})", 1))


@attack("the answer prefers another diagnosis to the right one")
def contrast_aside(case: HonestCase, rng: Random, world: World) -> str | None:
    name = diagnosis_of(case, world)
    if name is None:
        return None
    other = rng.choice(world.names("disease"))
    return raw(case.honest, answer=case.honest.answer.replace(name, f"{other} rather than {_lower(name)}", 1))


_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@attack("the count of positive nodes is written in words, and wrong")
def wrong_count_in_words(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\b(\d+)(?: of |/)(\d+)\b"),
                     lambda m: f"{_WORDS[(int(m[1]) + 4) % 10]} of {_WORDS[min(9, int(m[2]))]}")


@attack("a category is first overstated, then put right")
def stage_then_corrected(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\bpT([1-4][a-d]?)"), lambda m: f"pT{int(m[1][0]) % 4 + 1}, correction: pT{m[1]}")


@attack("the answer lists every T category")
def stage_list(case: HonestCase, rng: Random, world: World) -> str | None:
    answer = re.sub(r"\bpT[1-4][a-d]?", "pT1 pT2 pT3 pT4", case.honest.answer)
    return raw(case.honest, answer=answer) if answer != case.honest.answer else None


@attack("both sides are named wherever one is")
def both_sides(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, re.compile(r"\b([Ll])eft\b|\b([Rr])ight\b"),
                     lambda m: f"{m[1] or m[2]}{'eft or right' if m[1] else 'ight or left'}")


@attack("the right organ stands beside itself on the wrong side")
def wrong_side_aside(case: HonestCase, rng: Random, world: World) -> str | None:
    match = re.search(r"\b(left|right) ((?:\w+ )?\w+)", case.honest.answer)
    if match is None:
        return None
    other = "right" if match[1] == "left" else "left"
    return raw(case.honest, answer=case.honest.answer.replace(match[0], f"{match[0]} and the {other} {match[2]}", 1))


_LATIN = ("Dies ist ein Satz ohne jeden Befund, der nur Platz einnimmt.", "Ceci est une phrase qui ne dit rien du tout.",
          "Questa frase non aggiunge nulla a quanto detto.", "Esta frase sobra y no dice nada nuevo.")


@attack("two thousand characters in other languages fill the reasoning")
def foreign_filler(case: HonestCase, rng: Random, world: World) -> str:
    filler = " ".join(f"{rng.choice(_LATIN)[:-1]} ({i})." for i in range(34))
    return raw(case.honest, think=f"{case.honest.think} {filler}")


@attack("twenty options stand unticked in the findings")
def unticked_options(case: HonestCase, rng: Random, world: World) -> str:
    listed = " ".join(f"[ ] {name}" for name in pick(rng, world.names("morphology"), 20))
    return raw(case.honest, observe=f"{case.honest.observe} {listed}.")


@attack("twenty findings are listed as not assessed")
def unspecified_list(case: HonestCase, rng: Random, world: World) -> str:
    listed = " ".join(f"{name[:1].upper()}{name[1:]}: not assessed." for name in pick(rng, world.names("morphology"), 20))
    return raw(case.honest, observe=f"{case.honest.observe} {listed}")


@attack("twenty diagnoses are listed as history")
def history_list(case: HonestCase, rng: Random, world: World) -> str:
    listed = " ".join(f"History of {name}." for name in pick(rng, world.names("disease"), 20))
    return raw(case.honest, observe=f"{case.honest.observe} {listed}")


@attack("the findings are asked instead of stated")
def findings_as_questions(case: HonestCase, rng: Random, world: World) -> str:
    asked = " ".join(f"{s.rstrip('.; ')}?" for s in sentences_of(case.honest.observe))
    return raw(case.honest, observe=asked)


@attack("the answer is a question")
def answer_as_question(case: HonestCase, rng: Random, world: World) -> str:
    return raw(case.honest, answer=f"Is it {_lower(case.honest.answer.rstrip('. '))}?")


@attack("every finding stands in an if-clause")
def hypotheticals(case: HonestCase, rng: Random, world: World) -> str:
    supposed = " ".join(f"If {_lower(s).rstrip('. ')}, one would note it." for s in sentences_of(case.honest.observe))
    return raw(case.honest, observe=supposed)


@attack("the findings are taken back in a last sentence")
def retraction(case: HonestCase, rng: Random, world: World) -> str:
    said = rng.choice(("None of the above is true.", "All of this is wrong.", "Disregard the findings above.",
                       "In fact, none of these findings is present.", "The opposite of all this is the case."))
    return raw(case.honest, observe=f"{case.honest.observe} {said}")


@attack("the answer is taken back at its end")
def answer_retraction(case: HonestCase, rng: Random, world: World) -> str:
    said = rng.choice(("This is not the diagnosis.", "The above is incorrect.", "Ignore this diagnosis.", "That was wrong."))
    return raw(case.honest, answer=f"{case.honest.answer} {said}")


@attack("the whole text stands in a code fence")
def code_fence(case: HonestCase, rng: Random, world: World) -> str:
    return f"```\n{case.honest.render()}\n```"


@attack("absent findings are claimed as merely focal")
def softened_presence(case: HonestCase, rng: Random, world: World) -> str | None:
    return sub_each(case.honest, ABSENT, lambda m: "is focally present")


@attack("a table of thirty findings is added, half of them denied")
def finding_table(case: HonestCase, rng: Random, world: World) -> str:
    rows = "\n".join(f"| {name} | {rng.choice(('present', 'absent'))} |" for name in pick(rng, world.names("morphology"), 30))
    return raw(case.honest, observe=f"{case.honest.observe}\n| finding | result |\n{rows}")
