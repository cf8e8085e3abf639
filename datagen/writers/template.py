"""The template writer: a plan in words, offline and deterministic, with the wording drawn by seed.

It writes an *outline* (clauses and steps, each of which can be said in many ways); the caller verifies the rendered
trajectory and asks for other wordings of what failed, or drops it (:mod:`datagen.writers.revise`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from datagen.evidence import Link
from datagen.findings import Finding, Measure
from datagen.plan import Category, Plan
from datagen.questions import MARGINS, Question
from datagen.writers import phrases as say
from datagen.writers.outline import Clause, Outline, Wording
from datagen.writers.phrasebook import PhraseBook, quote
from datagen.writers.wordings import (
    against_note_of,
    extent,
    findings_wording,
    fixed,
    in_groups,
    note_of,
    one_of,
    relation_words,
)

VERSION = "template-1"
MAX_OBSERVED = 12
MAX_ABSENT = 6
MAX_SUPPORT_STEPS = 5
MAX_WORDS_PER_PATH = 3
"""Edges of a path that is told in words; longer ones convince nobody."""


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
                clauses.append(Clause("site", one_of(say.SITE_DETAIL, site=site.name), frozenset({site.id})))
        used = {k.finding.id for k in plan.support} | {k.finding.id for d in plan.differentials for k in d.against}
        others = [f for f in plan.background if f.polarity == "+"]
        shown = self._choose([f for f in (*plan.present, *others) if self._shows(f, plan, question)], used, MAX_OBSERVED, rng)
        hidden_absent = [f for f in (*plan.absent, *plan.background)
                         if f.polarity == "-" and self._shows(f, plan, question)]
        absent = self._choose(hidden_absent, used, MAX_ABSENT, rng)
        stains = [f for f in shown if f.polarity == "+" and self.book.result(f)]
        groups = in_groups([f for f in shown if f.id not in MARGINS and f not in stains], rng)
        bodies = [Clause("present", self._stains(g), frozenset(f.id for f in g), fallback=self._present(g))
                  for g in in_groups(stains, rng)]
        bodies += [Clause("present", self._present(g), frozenset(f.id for f in g)) for g in groups]
        bodies += [Clause("absent", self._absent(g), frozenset(f.id for f in g)) for g in in_groups(absent, rng)]
        rng.shuffle(bodies)
        clauses += bodies
        for finding in shown:
            if finding.id in MARGINS:
                clauses.append(Clause("margin", one_of(MARGINS[finding.id]), frozenset({finding.id})))
        clauses += self._measures(plan, question)
        for category in plan.categories:
            if category.kind == "grade" and question.kind not in ("diagnosis", "grading", "staging"):
                words = self.book.words(category.finding)
                if words and category.finding.id not in question.hidden:
                    clauses.append(Clause("grade", one_of(say.without_word(say.GRADE_SEEN, words.present), D=words.present),
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
            return Clause("specimen", one_of(say.SPECIMEN, organ=organ, procedure=procedure,
                                              a_procedure=say.article(procedure)), ids)
        if organ:
            return Clause("specimen", one_of(say.SITE_ONLY, organ=organ), ids)
        if procedure:
            return Clause("specimen", one_of(say.PROCEDURE_ONLY, procedure=procedure,
                                              a_procedure=say.article(procedure)), ids)
        return None

    def _present(self, group: Sequence[Finding]) -> Wording:
        return findings_wording(say.PRESENT, self._forms(group))

    def _stains(self, group: Sequence[Finding]) -> Wording:
        results = [self.book.result(f) for f in group]
        return lambda rng: rng.choice(say.STAINS) + rng.choice(say.STAIN_JOINS).join(results) + "."

    def _absent(self, group: Sequence[Finding]) -> Wording:
        return findings_wording(say.ABSENT, self._forms(group))

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
            words = extent(size.text)
            templates = say.SIZE if " x " not in words else [t for t in say.SIZE if "across" not in t and "extent is" not in t]
            if words:
                clauses.append(Clause("size", one_of(templates, size=words)))
        if nodes and question.kind not in ("node_status", "diagnosis"):
            clauses.append(Clause("nodes", one_of(say.NODE_COUNT, ratio=nodes.text.replace(" ", ""))))
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
            D=target.absent, organ=organ, note=note_of(link, rng)), frozenset({plan.diagnosis.id, plan.organ.id}))

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
            template = rng.choice(say.SUPPORT_ASSOCIATED if link.relation == "associated_with" else say.SUPPORT_COMMON if link.common else say.SUPPORT)
            finding = words.present
            if said and not plain and rng.random() < 0.5:
                finding = f"{finding} ({said})"
            return template.format(
                F=finding, F_short="they" if words.plural else "this", D=target, s="" if words.plural else "s",
                are="are" if words.plural else "is", note=note_of(link, rng), rel=relation_words(link, rng))

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
                    is_or="are" if chosen.plural else "is", note=against_note_of(link, rng))

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
        plain = one_of(say.without_word(templates, target.absent), D=target.absent)
        for link in category.defined_by:
            words = self.book.words(link.finding)
            if words is not None and link.path.length <= MAX_WORDS_PER_PATH:
                plural, present = words.plural, words.present

                def derived(rng: random.Random, link: Link = link, plural: bool = plural, present: str = present) -> str:
                    said = rng.choice(say.DEFINED_SHARED if category.shared else say.DEFINED).format(
                        F=present, D=target.absent, s="" if plural else "s", ies="y" if plural else "ies",
                        are="are" if plural else "is", note=note_of(link, rng))
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
                F=words.absent if absent else words.present, F_and=words.present, note=note_of(link, rng),
                s="" if words.plural else "s", are="are" if words.plural else "is",
                is_or="are" if words.plural else "is", bear="bear" if words.plural else "bears")

        return Clause("prognosis", wording, frozenset({link.finding.id}))

    def _stated_diagnosis(self, plan: Plan, templates: Sequence[str] = say.STATED_DIAGNOSIS) -> list[Clause]:
        words = self.book.of(plan.diagnosis.id, plan.diagnosis.name, "")
        if words is None or plan.diagnosis.start < 0:
            return []  # concluded, not stated
        return [Clause("stated", one_of(templates, D=words.absent), frozenset({plan.diagnosis.id}))]

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
            steps.append(Clause("conclusion", one_of(say.CONCLUSION, F=items, D=words.absent, s="", are="are"),
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
            return one_of(MARGINS[finding.id])
        words = self.book.words(finding)
        result = self.book.result(finding)
        if result:
            return one_of(say.RESULT, F=result)
        if words is None:
            return one_of(say.ANSWER_MARKER, F=finding.name)
        forms = [(words.present, words.absent, words.plural)]
        return findings_wording(say.PRESENT if finding.polarity == "+" else say.ABSENT, forms)

    # -- answer --------------------------------------------------------------------------------------------

    def _answer(self, plan: Plan, question: Question, told: frozenset[str]) -> Clause:
        """The answer. ``ids`` are the nodes that it needs a step for: those of the question, less what may be left out."""
        first = question.answer_findings[0]
        if question.kind == "diagnosis":
            return Clause("answer", self._full_answer(plan, told), frozenset({plan.diagnosis.id}), True)
        if question.kind == "given":
            # the answer stands as it was given; every one of its findings needs a step
            return Clause("answer", one_of(say.ANSWER_GIVEN if not question.options else ("{A}.",),
                                            A=question.given_answer.rstrip(". ")),
                          frozenset(f.id for f in question.answer_findings), True)
        needed = [f for f in question.answer_findings if f.id in told] or [first]
        question = replace(question, answer_findings=tuple(needed))
        first = needed[0]
        ids = frozenset(f.id for f in needed)
        if question.kind == "subtype":
            words = self.book.of(first.id, first.name, first.text)
            return Clause("answer", one_of(say.ANSWER_SUBTYPE, D=words.absent if words else first.name), ids, True)
        if question.kind in ("grading", "staging"):
            names = say.listed([w.absent for f in question.answer_findings if (w := self.book.words(f))] or [first.name])
            templates = say.ANSWER_GRADE if question.kind == "grading" else say.ANSWER_STAGING
            return Clause("answer", one_of(say.without_word(templates, names), D=names), ids, True)
        parts = []
        for finding in question.answer_findings:
            words = self.book.words(finding)
            if finding.id in MARGINS:
                parts.append(one_of(MARGINS[finding.id]))
            elif words is None:
                continue
            elif finding.type == "stage":
                parts.append(one_of(say.ANSWER_STAGING, D=words.absent))
            elif finding.type == "marker_result":
                parts.append(one_of(say.ANSWER_MARKER, F=finding.name))
            else:
                templates = say.ANSWER_PRESENT if finding.polarity == "+" else say.ANSWER_ABSENT
                parts.append(findings_wording(templates, [(words.present, words.absent, words.plural)]))
        if not parts:
            parts = [fixed(first.name + ".")]

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
