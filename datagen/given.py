"""Questions that came with the case: on slides (open or multiple choice), and exam questions on text alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from datagen.evidence import EvidenceFinder
from datagen.findings import CaseFindings, Finding
from datagen.plan import EVIDENCE_TYPES, Differential, Plan
from datagen.questions import Question
from datagen.records import Case, GivenQuestion, Rejection
from pathkg.records import Mention

if TYPE_CHECKING:
    from datagen.api import Generator

MIN_GIVEN_FINDINGS = 2
"""A slide with a handful of question-answer pairs has no more findings than these."""

ANSWER_TYPES = ("disease", "morphology", "marker_result", "effect/phenotype", "grade", "stage")


def given_questions(case: Case, findings: CaseFindings, generator: Generator
                    ) -> Iterator[tuple[Plan, Question] | Rejection]:
    """Per question of the case a plan with the question, or why there is none."""
    if case.kind == "exam":
        for given in case.questions:
            yield _exam(case, given, findings, generator)
        return
    plan = generator.plan(case, findings)
    if isinstance(plan, Rejection):
        yield plan
        return
    for number, given in enumerate(case.questions):
        yield _on_slide(case, given, number, plan, findings, generator)


def _reject(case: Case, reason: str, detail: str) -> Rejection:
    return Rejection(case.case_id, case.patient_id, "plan", reason, detail, "given")


def _on_slide(case: Case, given: GivenQuestion, number: int, plan: Plan, findings: CaseFindings, generator: Generator
              ) -> tuple[Plan, Question] | Rejection:
    """The answer must be among what the slide's statements say, at the place of this very pair."""
    said = [m for m in generator.linker.link(given.answer).with_results() if m.type in ANSWER_TYPES]
    at = _place(case, given)
    stated = [f for m in said if (f := _stated(m, findings, at, case.text)) is not None]
    if not stated:
        return _reject(case, "answer_not_linked", f"nothing the graph knows is in the answer {given.answer!r}")
    return plan, Question("given", _asked(given), tuple(stated), frozenset(f.id for f in stated), given.options,
                          given.answer, number)


def _place(case: Case, given: GivenQuestion) -> tuple[int, int]:
    start = case.text.find(f"{given.question.rstrip('? ')}: {given.answer.rstrip('. ')}")
    return (0, len(case.text)) if start < 0 else (start, start + len(given.question) + len(given.answer) + 2)


def _stated(mention: Mention, findings: CaseFindings, at: tuple[int, int], text: str) -> Finding | None:
    finding = findings.by_id.get(mention.id)
    if finding is None or mention.polarity != finding.polarity:
        return None
    words = text.find(mention.text, *at)
    return finding if words < 0 else replace(finding, start=words, end=words + len(mention.text), text=mention.text)


def _exam(case: Case, given: GivenQuestion, findings: CaseFindings, generator: Generator
          ) -> tuple[Plan, Question] | Rejection:
    """The answer must follow from findings of the stem over the graph; the other options are its differentials."""
    evidence: EvidenceFinder = generator.evidence
    present, absent = findings.of_type(*EVIDENCE_TYPES), findings.of_type(*EVIDENCE_TYPES, polarity="-")
    facts = (*present, *absent)
    answer = _concluded(given.answer, generator)
    if answer is None:
        return _reject(case, "answer_not_linked", f"the graph knows no diagnosis in the answer {given.answer!r}")
    support = tuple(evidence.links(present, answer.id, stance="supports")[:4])
    if not support:
        return _reject(case, "no_evidence_path", f"the graph connects no finding of the question with {answer.name}")
    kin = generator.taxonomy.kin(answer.id)
    rivals = []
    for option in given.options:
        rival = _concluded(option, generator) if option != given.answer else None
        if rival is None or rival.id in kin:
            continue
        against = evidence.links(facts, rival.id, stance="opposes")[:2]
        if against:
            rivals.append(Differential(rival.id, rival.name, tuple(against)))
    plan = Plan(case.case_id, generator.graph.hash, answer, None, None, support, tuple(rivals), (), (), present, absent)
    return plan, Question("given", _asked(given), (answer,), frozenset({answer.id}), given.options, given.answer)


def _concluded(text: str, generator: Generator) -> Finding | None:
    """The diagnosis that an option names; its span is nowhere in the case's text."""
    found = [m for m in generator.linker.link(text) if m.type == "disease" and m.polarity == "+"]
    if not found:
        return None
    best = max(found, key=lambda m: (m.end - m.start, -m.start))
    return Finding(best.id, best.name, best.type, "present", "+", -1, -1, best.text)


def _asked(given: GivenQuestion) -> str:
    text = given.question.strip()
    return text if text.endswith(("?", ".")) else f"{text}?"
