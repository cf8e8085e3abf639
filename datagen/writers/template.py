"""The template writer: a plan in words, offline and deterministic, with the wording drawn by seed.

It writes an *outline* (clauses and steps, each of which can be said in many ways); the caller verifies the rendered
trajectory and asks for other wordings of what failed, or drops it (:mod:`datagen.writers.revise`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from datagen.evidence import Link
from datagen.findings import Finding, Measure
from datagen.plan import Category, Plan
from datagen.questions import MARGINS, Question
from datagen.writers import phrases as say
from datagen.writers.phrasebook import PhraseBook, quote
from pathkg.trajectory import Trajectory

Wording = Callable[[random.Random], str]

VERSION = "template-1"
MAX_OBSERVED = 12
MAX_ABSENT = 6
MAX_SUPPORT_STEPS = 5
REDRAWS = 4
"""Wordings tried for a sentence that would begin like an earlier one."""
MAX_WORDS_PER_PATH = 3
"""Edges of a path that is told in words; longer ones convince nobody."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the trajectory that can be worded in several ways. ``ids`` are the nodes it is about;
    ``fallback`` is a plainer wording for when the first one does not verify."""

    kind: str
    wording: Wording
    ids: frozenset[str] = frozenset()
    required: bool = False
    fallback: Wording | None = None

    def say(self, rng: random.Random, attempt: int) -> str:
        """The words of one attempt."""
        return self.fallback(rng) if attempt and self.fallback is not None else self.wording(rng)


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything a trajectory will say, before the words are chosen. ``conclude`` words the answer from the nodes that
    the steps told; ``optional`` are (name, node) of what the answer can do without; ``concludes`` that a diagnosis is asked
    for, which needs a reason."""

    observe: tuple[Clause, ...]
    steps: tuple[Clause, ...]
    conclude: Callable[[frozenset[str]], Clause]
    optional: tuple[tuple[str, str], ...] = ()
    unsaid: frozenset[str] = frozenset()
    concludes: bool = False

    @property
    def told(self) -> frozenset[str]:
        """The nodes that the steps are about."""
        return frozenset(i for s in self.steps for i in s.ids)

    @property
    def answer(self) -> Clause:
        """The answer, which says nothing that no step has told."""
        return self.conclude(self.told - self.unsaid)

    def shorten_answer(self, names: Collection[str]) -> Outline | None:
        """The outline whose answer leaves out the optional parts of these names; ``None`` when none of them is in it."""
        dropped = {node for name, node in self.optional if name in names} - self.unsaid
        return replace(self, unsaid=self.unsaid | dropped) if dropped else None

    def render(self, *, seed: str, dialect: str = "observe", attempt: Sequence[int] = ()) -> tuple[Trajectory, list[Clause]]:
        """The trajectory in words.

        Args:
            seed: the wording depends on it and on nothing else.
            dialect: tags of the blocks.
            attempt: per clause (observe clauses, steps, answer) which wording to take; missing ones are 0.

        Returns:
            The trajectory and its clauses in the order of their words.
        """
        clauses = [*self.observe, *self.steps, self.answer]
        tries = [*attempt, *([0] * (len(clauses) - len(attempt)))]
        words: list[str] = []
        openings: set[str] = set()
        for i, (clause, n) in enumerate(zip(clauses, tries, strict=True)):
            for again in range(REDRAWS):
                said = say.sentence(clause.say(random.Random(f"{seed}/{i}/{n}" + (f"/{again}" if again else "")), n))
                opening = " ".join(said.split(" ", 2)[:2])
                if opening not in openings:
                    break
            openings.add(opening)
            words.append(said)
        n = len(self.observe)
        return Trajectory(" ".join(words[:n]), tuple(words[n:-1]), words[-1], dialect), clauses


class TemplateWriter:
    """Writes outlines from plans.

    Args:
        book: the words of each node.
    """

    def __init__(self, book: PhraseBook) -> None:
        self.book = book

    def outline(self, plan: Plan, question: Question, *, seed: str) -> Outline:
        """The outline of the answer to ``question``. The same plan, question and seed give the same outline."""
        rng = random.Random(seed)
        observe = self._observe(plan, question, rng)
        steps = self._steps(plan, question, rng)
        optional = tuple((c.finding.name, c.finding.id) for c in plan.categories) if question.kind == "diagnosis" else ()
        return Outline(tuple(observe), tuple(steps), lambda told: self._answer(plan, question, told), optional,
                       concludes=plan.diagnosis.id in question.hidden)

    # -- observe -------------------------------------------------------------------------------------------

    def _observe(self, plan: Plan, question: Question, rng: random.Random) -> list[Clause]:
        clauses: list[Clause] = []
        specimen = self._specimen(plan, question)
        if specimen:
            clauses.append(specimen)
        for site in plan.sites:
            if site.name.lower() not in question.answer_words:
                clauses.append(Clause("site", _one_of(say.SITE_DETAIL, site=site.name), frozenset({site.id})))
        used = {k.finding.id for k in plan.support} | {k.finding.id for d in plan.differentials for k in d.against}
        others = [f for f in plan.background if f.polarity == "+"]
        shown = self._choose([f for f in (*plan.present, *others) if self._shows(f, plan, question)], used, MAX_OBSERVED, rng)
        hidden_absent = [f for f in (*plan.absent, *plan.background)
                         if f.polarity == "-" and self._shows(f, plan, question)]
        absent = self._choose(hidden_absent, used, MAX_ABSENT, rng)
        stains = [f for f in shown if f.polarity == "+" and self.book.result(f)]
        groups = _split([f for f in shown if f.id not in MARGINS and f not in stains], rng)
        bodies = [Clause("present", self._stains(g), frozenset(f.id for f in g), fallback=self._present(g))
                  for g in _split(stains, rng)]
        bodies += [Clause("present", self._present(g), frozenset(f.id for f in g)) for g in groups]
        bodies += [Clause("absent", self._absent(g), frozenset(f.id for f in g)) for g in _split(absent, rng)]
        rng.shuffle(bodies)
        clauses += bodies
        for finding in shown:
            if finding.id in MARGINS:
                clauses.append(Clause("margin", _one_of(MARGINS[finding.id]), frozenset({finding.id})))
        clauses += self._measures(plan, question)
        for category in plan.categories:
            if category.kind == "grade" and question.kind not in ("diagnosis", "grading", "staging"):
                words = self.book.words(category.finding)
                if words and category.finding.id not in question.hidden:
                    clauses.append(Clause("grade", _one_of(say.without_word(say.GRADE_SEEN, words.present), D=words.present),
                                          frozenset({category.finding.id})))
        return clauses

    def _shows(self, finding: Finding, plan: Plan, question: Question) -> bool:
        if finding.id in question.hidden or self.book.words(finding) is None:
            return False
        if question.kind == "node_status":
            return "node" not in finding.name and "metasta" not in finding.name
        if question.kind == "margin":
            return "margin" not in finding.name
        # a finding whose name holds the diagnosis gives it away
        return not (plan.diagnosis.id in question.hidden and plan.diagnosis.name.lower() in finding.name.lower())

    @staticmethod
    def _choose(findings: list[Finding], used: set[str], most: int, rng: random.Random) -> list[Finding]:
        first = [f for f in findings if f.id in used]
        others = [f for f in findings if f.id not in used]
        rng.shuffle(others)
        chosen = [*first, *others][:most]
        rng.shuffle(chosen)
        return chosen

    def _specimen(self, plan: Plan, question: Question) -> Clause | None:
        organ = plan.organ.name if plan.organ else ""
        procedure = plan.procedure.name if plan.procedure else ""
        ids = frozenset(f.id for f in (plan.organ, plan.procedure) if f is not None)
        if organ and organ.lower() in procedure.lower() and plan.procedure is not None:
            # "segmentectomy of liver of the liver"
            organ, ids = "", frozenset({plan.procedure.id})
        if organ and procedure:
            return Clause("specimen", _one_of(say.SPECIMEN, organ=organ, procedure=procedure,
                                              a_procedure=say.article(procedure)), ids)
        if organ:
            return Clause("specimen", _one_of(say.SITE_ONLY, organ=organ), ids)
        if procedure:
            return Clause("specimen", _one_of(say.PROCEDURE_ONLY, procedure=procedure,
                                              a_procedure=say.article(procedure)), ids)
        return None

    def _present(self, group: Sequence[Finding]) -> Wording:
        return _findings_wording(say.PRESENT, self._forms(group))

    def _stains(self, group: Sequence[Finding]) -> Wording:
        results = [self.book.result(f) for f in group]
        return lambda rng: rng.choice(say.STAINS) + rng.choice(say.STAIN_JOINS).join(results) + "."

    def _absent(self, group: Sequence[Finding]) -> Wording:
        return _findings_wording(say.ABSENT, self._forms(group))

    def _forms(self, group: Sequence[Finding]) -> list[tuple[str, str, bool]]:
        found = []
        for finding in group:
            words = self.book.words(finding)
            if words is not None:
                found.append((words.present, words.absent, words.plural))
        return found

    def _measures(self, plan: Plan, question: Question) -> list[Clause]:
        clauses = []
        size: Measure | None = next((m for m in plan.measures if m.kind == "size"), None)
        nodes: Measure | None = next((m for m in plan.measures if m.kind == "nodes"), None)
        if size and question.kind != "staging":
            words = _extent(size.text)
            templates = say.SIZE if " x " not in words else [t for t in say.SIZE if "across" not in t and "extent is" not in t]
            if words:
                clauses.append(Clause("size", _one_of(templates, size=words)))
        if nodes and question.kind not in ("node_status", "diagnosis"):
            clauses.append(Clause("nodes", _one_of(say.NODE_COUNT, ratio=nodes.text.replace(" ", ""))))
        return clauses

    # -- steps ---------------------------------------------------------------------------------------------

    def _steps(self, plan: Plan, question: Question, rng: random.Random) -> list[Clause]:
        answering = set() if plan.diagnosis.id in question.hidden else {f.id for f in question.answer_findings}
        support = [c for k in plan.support if k.finding.id not in answering
                   and (c := self._link_step("support", k)) is not None][:MAX_SUPPORT_STEPS]
        against = [c for d in plan.differentials if (c := self._against_step(d.against)) is not None]
        steps: list[Clause] = []
        if question.kind in ("diagnosis", "subtype") or plan.diagnosis.id in question.hidden:
            opening = self._opening(plan)
            steps += [opening] if opening else []
            site = self._site_step(plan)
            middle = [*support, *against]
            if rng.random() < 0.4:
                # some readers settle the rivals as they go, others at the end
                rng.shuffle(middle)
            if site and (len(support) < 2 or rng.random() < 0.5):
                middle.insert(rng.randrange(len(middle) + 1), site)
            steps += middle
            if question.kind == "diagnosis":
                steps += self._category_steps(plan)
                steps += [c for k in plan.prognostic[:1] if (c := self._prognostic_step(k)) is not None]
            steps += self._conclusion(plan, rng)
        else:
            steps += self._stated_diagnosis(plan, say.GIVEN_DIAGNOSIS)
            rng.shuffle(support)
            site = self._site_step(plan)
            steps += support[:rng.choice((1, 2, 2))] or ([site] if site else [])
            steps += self._answer_steps(plan, question, rng)
        return steps

    def _opening(self, plan: Plan) -> Clause | None:
        if plan.organ is None or plan.procedure is None:
            return None
        organ, procedure = plan.organ.name, plan.procedure.name

        def wording(rng: random.Random) -> str:
            return rng.choice(say.OPENING).format(organ=organ, procedure=procedure, a_procedure=say.article(procedure),
                                                   ask=rng.choice(say.OPENING_ASK))

        return Clause("opening", wording, frozenset({plan.organ.id, plan.procedure.id}))

    def _site_step(self, plan: Plan) -> Clause | None:
        if plan.organ is None or plan.site_link is None or plan.site_link.relation != "arises_in":
            return None
        target = self.book.of(plan.diagnosis.id, plan.diagnosis.name, "")
        if target is None:
            return None
        link, organ = plan.site_link, plan.organ.name
        return Clause("site", lambda rng: rng.choice(say.SITE_CLAIM).format(
            D=target.absent, organ=organ, note=_note(link, rng)), frozenset({plan.diagnosis.id, plan.organ.id}))

    def _link_step(self, kind: str, link: Link, target_words: str = "") -> Clause | None:
        words = self.book.words(link.finding)
        target = target_words or self._target(link)
        if words is None or not target or link.path.length > MAX_WORDS_PER_PATH:
            return None
        if link.finding.polarity == "-":
            return None
        said = quote(link.finding)
        plain = said.strip("“”").lower() in (words.present.lower(), words.absent.lower(), link.finding.name.lower())

        def wording(rng: random.Random) -> str:
            template = rng.choice(say.SUPPORT_COMMON if link.common else say.SUPPORT)
            finding = words.present
            if said and not plain and rng.random() < 0.5:
                finding = f"{finding} ({said})"
            return template.format(
                F=finding, F_short="they" if words.plural else "this", D=target, s="" if words.plural else "s",
                are="are" if words.plural else "is", note=_note(link, rng), rel=_relation(link, rng))

        return Clause(kind, wording, frozenset({link.finding.id, link.target_id}))

    def _against_step(self, links: Sequence[Link]) -> Clause | None:
        for link in links:
            words, target = self.book.words(link.finding), self._target(link)
            if words is None or not target or link.path.length > MAX_WORDS_PER_PATH:
                continue
            absent = link.finding.polarity == "-"

            def wording(rng: random.Random, link: Link = link, absent: bool = absent) -> str:
                templates = say.AGAINST_ABSENT if absent else say.AGAINST
                chosen = self.book.words(link.finding)
                assert chosen is not None
                return rng.choice(templates).format(
                    F=chosen.absent if absent else chosen.present, D=self._target(link),
                    s="" if chosen.plural else "s", are="are" if chosen.plural else "is",
                    is_or="are" if chosen.plural else "is", note=_against_note(link, rng))

            return Clause("against", wording, frozenset({link.finding.id, link.target_id}))
        return None

    def _target(self, link: Link) -> str:
        words = self.book.of(link.target_id, link.target_name, "")
        return words.absent if words else ""

    def _category_steps(self, plan: Plan) -> list[Clause]:
        organ = plan.organ.name if plan.organ else ""
        return [s for c in plan.categories if (s := self._category_step(c, organ)) is not None]

    def _category_step(self, category: Category, organ: str) -> Clause | None:
        target = self.book.words(category.finding)
        if target is None:
            return None
        templates = {"grade": say.AS_REPORTED_GRADE, "pN": say.AS_REPORTED_N,
                     "stage": say.AS_REPORTED_GROUP}.get(category.kind, say.AS_REPORTED_T)
        plain = _one_of(say.without_word(templates, target.absent), D=target.absent)
        for link in category.defined_by:
            words = self.book.words(link.finding)
            if words is not None and link.path.length <= MAX_WORDS_PER_PATH:
                plural, present = words.plural, words.present

                def derived(rng: random.Random, link: Link = link, plural: bool = plural, present: str = present) -> str:
                    said = rng.choice(say.DEFINED_SHARED if category.shared else say.DEFINED).format(
                        F=present, D=target.absent, s="" if plural else "s", ies="y" if plural else "ies",
                        are="are" if plural else "is", note=_note(link, rng))
                    # categories are those of an organ; naming it lets a reader (and the linker) know of which
                    return rng.choice(say.IN_ORGAN).format(organ=organ, said=said) if organ else said

                return Clause(f"{category.kind}_derived", derived,
                              frozenset({link.finding.id, category.finding.id}), fallback=plain)
        return Clause(category.kind, plain, frozenset({category.finding.id}))

    def _prognostic_step(self, link: Link) -> Clause | None:
        words = self.book.words(link.finding)
        if words is None:
            return None
        absent = link.finding.polarity == "-"

        def wording(rng: random.Random) -> str:
            templates = say.PROGNOSTIC_ABSENT if absent else say.PROGNOSTIC_PRESENT
            return rng.choice(templates).format(
                F=words.absent if absent else words.present, F_and=words.present, note=_note(link, rng),
                s="" if words.plural else "s", are="are" if words.plural else "is",
                is_or="are" if words.plural else "is", bear="bear" if words.plural else "bears")

        return Clause("prognosis", wording, frozenset({link.finding.id}))

    def _stated_diagnosis(self, plan: Plan, templates: Sequence[str] = say.STATED_DIAGNOSIS) -> list[Clause]:
        words = self.book.of(plan.diagnosis.id, plan.diagnosis.name, "")
        if words is None or plan.diagnosis.start < 0:
            return []  # concluded, not stated
        return [Clause("stated", _one_of(templates, D=words.absent), frozenset({plan.diagnosis.id}))]

    def _conclusion(self, plan: Plan, rng: random.Random) -> list[Clause]:
        words = self.book.of(plan.diagnosis.id, plan.diagnosis.name, "")
        if words is None:
            return []
        usable = [f for k in plan.support if k.finding.polarity == "+" and k.path.length <= MAX_WORDS_PER_PATH
                  and (f := self.book.words(k.finding)) is not None]
        steps = []
        if len(usable) >= 2:
            chosen = usable[:3] if len(usable) > 2 and rng.random() < 0.4 else usable[:2]
            items = say.listed([w.present for w in chosen])
            steps.append(Clause("conclusion", _one_of(say.CONCLUSION, F=items, D=words.absent, s="", are="are"),
                                frozenset({plan.diagnosis.id})))
        if not steps or rng.random() < 0.4:
            steps += self._stated_diagnosis(plan)
        return steps

    def _answer_steps(self, plan: Plan, question: Question, rng: random.Random) -> list[Clause]:
        steps: list[Clause] = []
        kinds = {"grading": ("grade",), "staging": ("pT", "stage"), "node_status": ("pN",)}.get(question.kind, ())
        for kind in kinds:
            category = plan.category(kind)
            step = self._category_step(category, plan.organ.name if plan.organ else "") if category else None
            steps += [step] if step else []
        ids = {f.id for f in question.answer_findings}
        steps += [c for k in plan.prognostic if k.finding.id in ids and (c := self._prognostic_step(k)) is not None]
        for finding in question.answer_findings:
            if finding.type in ("stage", "grade", "disease") and question.kind != "given":
                continue
            links = [k for k in (*plan.support, *plan.prognostic) if k.finding.id == finding.id]
            told = {i for s in steps for i in s.ids}
            if finding.id in told:
                continue
            step = self._link_step("support", links[0]) if links else None
            steps.append(step or Clause("stated_finding", self._finding_sentence(finding), frozenset({finding.id})))
        return steps

    def _finding_sentence(self, finding: Finding) -> Wording:
        if finding.id in MARGINS:
            return _one_of(MARGINS[finding.id])
        words = self.book.words(finding)
        result = self.book.result(finding)
        if result:
            return _one_of(say.RESULT, F=result)
        if words is None:
            return _one_of(say.ANSWER_MARKER, F=finding.name)
        forms = [(words.present, words.absent, words.plural)]
        return _findings_wording(say.PRESENT if finding.polarity == "+" else say.ABSENT, forms)

    # -- answer --------------------------------------------------------------------------------------------

    def _answer(self, plan: Plan, question: Question, told: frozenset[str]) -> Clause:
        """The answer. ``ids`` are the nodes that it needs a step for: those of the question, less what may be left out."""
        first = question.answer_findings[0]
        if question.kind == "diagnosis":
            return Clause("answer", self._full_answer(plan, told), frozenset({plan.diagnosis.id}), True)
        if question.kind == "given":
            # the answer stands as it was given; every one of its findings needs a step
            return Clause("answer", _one_of(say.ANSWER_GIVEN if not question.options else ("{A}.",),
                                            A=question.given_answer.rstrip(". ")),
                          frozenset(f.id for f in question.answer_findings), True)
        needed = [f for f in question.answer_findings if f.id in told] or [first]
        question = replace(question, answer_findings=tuple(needed))
        first = needed[0]
        ids = frozenset(f.id for f in needed)
        if question.kind == "subtype":
            words = self.book.of(first.id, first.name, first.text)
            return Clause("answer", _one_of(say.ANSWER_SUBTYPE, D=words.absent if words else first.name), ids, True)
        if question.kind in ("grading", "staging"):
            names = say.listed([w.absent for f in question.answer_findings if (w := self.book.words(f))] or [first.name])
            templates = say.ANSWER_GRADE if question.kind == "grading" else say.ANSWER_STAGING
            return Clause("answer", _one_of(say.without_word(templates, names), D=names), ids, True)
        parts = []
        for finding in question.answer_findings:
            words = self.book.words(finding)
            if finding.id in MARGINS:
                parts.append(_one_of(MARGINS[finding.id]))
            elif words is None:
                continue
            elif finding.type == "stage":
                parts.append(_one_of(say.ANSWER_STAGING, D=words.absent))
            elif finding.type == "marker_result":
                parts.append(_one_of(say.ANSWER_MARKER, F=finding.name))
            else:
                templates = say.ANSWER_PRESENT if finding.polarity == "+" else say.ANSWER_ABSENT
                parts.append(_findings_wording(templates, [(words.present, words.absent, words.plural)]))
        if not parts:
            parts = [_fixed(first.name + ".")]

        def wording(rng: random.Random) -> str:
            return " ".join(say.sentence(part(rng)) for part in parts)

        return Clause("answer", wording, ids, True)

    def _full_answer(self, plan: Plan, told: frozenset[str]) -> Wording:
        words = self.book.of(plan.diagnosis.id, plan.diagnosis.name, plan.diagnosis.text)
        name = words.absent if words else plan.diagnosis.name
        organ = plan.organ.name if plan.organ else ""
        if organ and organ.lower() in name.lower():
            organ = ""
        grade = plan.category("grade")
        graded = self.book.words(grade.finding) if grade and grade.finding.id in told else None
        stages = [w.absent for c in plan.categories if c.kind != "grade" and c.finding.id in told
                  and (w := self.book.words(c.finding))]

        # "adenocarcinoma of colorectum of the cecum"
        full = [t for t in say.ANSWER_FULL if " of the" not in t] if " of " in name else say.ANSWER_FULL

        def wording(rng: random.Random) -> str:
            named = say.ANSWER_GROUP if any(w.startswith("stage") for w in stages) else say.ANSWER_STAGE
            stage = rng.choice(named).format(stage=", ".join(stages)) if stages else ""
            template = rng.choice(full if organ else say.ANSWER_NO_ORGAN)
            joins = say.without_word(say.ANSWER_JOIN, graded.absent) if graded else ()
            return template.format(D=name, organ=organ, Organ=organ[:1].upper() + organ[1:], stage=stage,
                                   grade=rng.choice(joins).format(grade=graded.absent) if graded else "")

        return Clause("answer", wording, frozenset(), True).wording


def without(outline: Outline, dropped: set[int]) -> Outline:
    """The outline without the clauses of these numbers (observe clauses first, then steps)."""
    n = len(outline.observe)
    return replace(outline, observe=tuple(c for i, c in enumerate(outline.observe) if i not in dropped),
                   steps=tuple(c for i, c in enumerate(outline.steps, n) if i not in dropped))


def _fixed(text: str) -> Wording:
    return lambda rng: text


def _one_of(templates: Sequence[str], **words: str) -> Wording:
    return lambda rng: rng.choice(templates).format(**words)


def _findings_wording(templates: Sequence[str], forms: Sequence[tuple[str, str, bool]]) -> Wording:
    present, absent = [f[0] for f in forms], [f[1] for f in forms]
    plural = len(forms) > 1 or forms[0][2]

    def wording(rng: random.Random) -> str:
        template = rng.choice(templates)
        negated = templates is say.ABSENT or templates is say.ANSWER_ABSENT
        if negated and any(p != a for p, a in zip(present, absent, strict=True)):
            template = rng.choice([t for t in templates if t.startswith(("No {F}", "There"))])
        items = say.listed(absent, "or") if negated else say.listed(present)
        return template.format(F=items, F_and=say.listed(absent), are="are" if plural else "is",
                               is_or="are" if forms[-1][2] else "is", are_first="are" if forms[0][2] else "is")

    return wording


def _split(findings: Sequence[Finding], rng: random.Random) -> list[list[Finding]]:
    """Findings in groups of one to four, as sentences hold them."""
    groups: list[list[Finding]] = []
    rest = list(findings)
    while rest:
        size = min(len(rest), rng.choice((1, 2, 2, 3, 3, 4)))
        groups.append(rest[:size])
        rest = rest[size:]
    return groups


_DIMENSION = re.compile(r"\d+(?:[.,]\d+)?")


def _extent(text: str) -> str:
    """A size as one writes it (``4.5 x 3 cm``); empty when a dimension is 0, which is a misread one.

    Example:
        >>> _extent("4.5X 3.0 x2 cm"), _extent("1 X 0 x1.5cm")
        ('4.5 x 3.0 x 2 cm', '')
    """
    dimensions = _DIMENSION.findall(text)
    if not all(float(d.replace(",", ".")) for d in dimensions):
        return ""
    return f"{' x '.join(dimensions)} {text.strip()[-2:]}"


def _relation(link: Link, rng: random.Random) -> str:
    return rng.choice(say.RELATION_WORDS.get(link.relation, (link.relation.replace("_", " "),)))


def _source(link: Link) -> str:
    return link.main_edge.source.split("|")[0]


def _note(link: Link, rng: random.Random) -> str:
    """Where the graph says so, in words: the relation, the classes it goes through, the source."""
    note = rng.choice(say.NOTES).format(rel=_relation(link, rng), source=_source(link))
    near, far = link.main_nodes
    if near.id != link.finding.id and near.type != "marker":
        note = f"{rng.choice(say.VIA_FINDING).format(via=near.name)}, {note}"
    if far.id != link.target_id and link.relation != "is_a":
        note = f"{note}, {rng.choice(say.VIA_TARGET).format(via=far.name)}"
    return note


def _against_note(link: Link, rng: random.Random) -> str:
    """The note of a step against a rival: it names no further entity, which would read as a claim about the case."""
    source = _source(link)
    if link.relation in ("stains_positive_for", "stains_negative_for"):
        return rng.choice((f"its usual immunoprofile, {source}", f"immunoprofile; {source}", f"by its known immunoprofile, {source}"))
    if link.finding.polarity == "-":
        words = rng.choice(say.RELATION_WORDS.get(link.relation, (link.relation.replace("_", " "),)))
        return rng.choice((f"{words}, {source}", f"{source}: {words}", f"graph: {words}, {source}"))
    return rng.choice((f"{_relation(link, rng)}, {source}", f"graph: {_relation(link, rng)}; {source}",
                       f"{source}: {_relation(link, rng)}", f"by {source}, {_relation(link, rng)}"))
