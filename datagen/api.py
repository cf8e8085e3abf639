"""The generator as a library: one case at a time, or a whole file."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from datagen.evidence import EvidenceFinder
from datagen.filters.base import FilterOptions, check_text_filters
from datagen.filters.contamination import BenchmarkIndex
from datagen.findings import CaseFindings, collect_findings
from datagen.given import MIN_GIVEN_FINDINGS, given_questions
from datagen.grounds import missing_grounds
from datagen.plan import POSITIVE_MARGIN, Plan
from datagen.planning import build_plan
from datagen.questions import KINDS, Question, ask
from datagen.records import Case, Rejection, Sample, canonical_json, digest
from datagen.taxonomy import Taxonomy
from datagen.writers.phrasebook import PhraseBook
from datagen.writers.revise import Failed, Verified, write_verified
from datagen.writers.template import VERSION, TemplateWriter
from pathkg import __version__
from pathkg.errors import InputError
from pathkg.linking.margins import margin_status
from pathkg.records import LinkResult, Mention
from pathkg.trajectory import Trajectory
from pathkg.trajectory.certificate import Certificate, canonical, worst
from pathkg.trajectory.certificate import digest as hash_text
from pathkg.trajectory.checking import check_trajectory, read_report
from pathkg.trajectory.evidence import ReportEvidence

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.linking import Linker
    from pathkg.rewards import Reference

QUESTIONS_PER_CASE = 4
REPORTS_KEPT = 64
"""Linked reports kept at hand: more than an asynchronous run has cases under way at once."""

MIN_FINDINGS = 5
"""A trajectory with fewer linked findings has little to reason from."""


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What the generator is asked for.

    Args:
        seed: of all choices of wording and questions.
        questions: most questions per case.
        kinds: question kinds to ask, of :data:`datagen.questions.KINDS`.
        dialect: tags of the trajectories.
        min_findings: fewest distinct linked findings a sample must state.
        filters: thresholds of the filters.
        with_plan: keep the plan in each sample.
    """

    seed: int = 0
    questions: int = QUESTIONS_PER_CASE
    kinds: tuple[str, ...] = tuple(KINDS)
    dialect: str = "observe"
    min_findings: int = MIN_FINDINGS
    filters: FilterOptions = field(default_factory=FilterOptions)
    with_plan: bool = False

    def __post_init__(self) -> None:
        unknown = [k for k in self.kinds if k not in KINDS]
        if unknown:
            raise InputError(f"there is no question kind {unknown[0]!r}", hint=f"kinds are {', '.join(KINDS)}")
        if self.questions < 1:
            raise InputError(f"{self.questions} questions per case leave nothing to do", hint="give 1 or more")

    def to_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "questions": self.questions, "kinds": list(self.kinds), "dialect": self.dialect,
                "min_findings": self.min_findings, "filters": self.filters.to_dict(), "with_plan": self.with_plan}


@dataclass(frozen=True, slots=True)
class GeneratedCase:
    """What became of one case: its mentions and plan, the samples, and what was rejected and why.

    ``trajectory``, ``certificate`` and ``reference`` are those of the first sample (the diagnosis question where it
    could be answered).
    """

    case: Case
    mentions: tuple[Mention, ...]
    plan: Plan | None
    samples: tuple[Sample, ...]
    rejected: tuple[Rejection, ...]
    written: tuple[tuple[Trajectory, Certificate, Reference], ...] = ()

    @property
    def accepted(self) -> bool:
        return bool(self.samples)

    @property
    def trajectory(self) -> Trajectory:
        return self._first()[0]

    @property
    def certificate(self) -> Certificate:
        return self._first()[1]

    @property
    def reference(self) -> Reference:
        return self._first()[2]

    def _first(self) -> tuple[Trajectory, Certificate, Reference]:
        if not self.written:
            why = "; ".join(f"{r.reason} {r.detail}".strip() for r in self.rejected) or "no question could be asked"
            raise InputError(f"case {self.case.case_id} gave no verified trajectory: {why}",
                             hint="look at .rejected; a report needs a diagnosis and findings that the graph knows")
        return self.written[0]

    def to_dict(self) -> dict[str, Any]:
        return {"case": self.case.to_dict(), "mentions": [m.to_dict() for m in self.mentions],
                "plan": self.plan.to_dict() if self.plan else None, "samples": [s.to_dict() for s in self.samples],
                "rejected": [r.to_dict() for r in self.rejected]}


class Generator:
    """Everything that is shared by the cases of one process: graph, linker, evidence, words.

    Args:
        graph: the graph.
        linker: its linker; the shared one when ``None``.
        options: see :class:`GenerateOptions`.
        benchmarks: texts that samples must not share word sequences with.
    """

    def __init__(self, graph: KnowledgeGraph, linker: Linker | None = None, *, options: GenerateOptions | None = None,
                 benchmarks: BenchmarkIndex | None = None) -> None:
        if linker is None:
            from pathkg.linking import linker_for

            linker = linker_for(graph)
        self.graph = graph
        self.linker = _RememberLast(linker)
        self.options = options or GenerateOptions()
        self.benchmarks = benchmarks
        self.evidence = EvidenceFinder(graph)
        self.taxonomy = Taxonomy(graph)
        self.book = PhraseBook(lambda text: linker.link(text).with_results())
        self.writer = TemplateWriter(self.book)

    # -- stages, used by the writers one after the other -----------------------------------------------------

    def read(self, case: Case) -> tuple[LinkResult, CaseFindings]:
        """Link a case and collect its findings."""
        if not case.text.strip():
            raise InputError(f"case {case.case_id} has no text", hint="give a report text")
        linked = self.linker.remember(case.text)
        return linked, collect_findings(case.text, linked)

    def plan(self, case: Case, findings: CaseFindings) -> Plan | Rejection:
        """Plan a case, or say why it cannot be planned."""
        recorded = [m.id for m in self.linker.link(case.diagnosis) if m.type == "disease"] if case.diagnosis else []
        plan = build_plan(case.case_id, findings, graph=self.graph, evidence=self.evidence,
                          taxonomy=self.taxonomy, recorded=recorded, text=case.text)
        if plan is None:
            return self._reject(case, "plan", "no_diagnosis", "the text states no diagnosis that the graph knows")
        needed = self._needed(case)
        if plan.n_findings < needed:
            return self._reject(case, "plan", "too_few_findings", f"{plan.n_findings} linked findings, {needed} are needed")
        if not plan.support and plan.site_link is None:
            return self._reject(case, "plan", "no_evidence_path",
                                f"the graph connects no finding of the text with {plan.diagnosis.name}")
        return plan

    def _needed(self, case: Case) -> int:
        return min(MIN_GIVEN_FINDINGS, self.options.min_findings) if case.questions else self.options.min_findings

    def questions(self, case: Case, plan: Plan) -> list[Question]:
        """The questions to ask of a planned case."""
        rng = random.Random(f"{self.options.seed}/{case.key}/questions")
        return ask(plan, rng=rng, most=self.options.questions, kinds=self.options.kinds)

    def tasks(self, case: Case, findings: CaseFindings) -> Iterator[tuple[Plan, Question] | Rejection]:
        """What to write for a case: plans with their questions, and what cannot be planned."""
        if case.questions:
            yield from given_questions(case, findings, self)
            return
        plan = self.plan(case, findings)
        if isinstance(plan, Rejection):
            yield plan
            return
        for question in self.questions(case, plan):
            yield plan, question

    def certify(self, trajectory: Trajectory, case: Case) -> Certificate:
        """Verify a trajectory against the case's text and the graph.

        The same as :func:`pathkg.trajectory.verify` (a test compares them), but the report is read once per case.
        """
        stated = self.linker.stated(case.text)
        parts = check_trajectory(trajectory, stated, self.graph, self.linker)
        verdict = worst([p.verdict for p in parts if p.checked])
        if not any(p.checked and p.is_reasoning for p in parts):
            verdict = worst([verdict, "unsupported"])
        return Certificate(verdict, parts, self.graph.hash, hash_text(canonical(trajectory.to_dict())),
                           hash_text(case.text)).sealed()

    # -- the template writer, the whole way -------------------------------------------------------------------

    def generate(self, case: Case) -> GeneratedCase:
        """Plan, write and verify one case with the template writer.

        Raises:
            InputError: the case has no text.
        """
        linked, findings = self.read(case)
        samples: list[Sample] = []
        rejected: list[Rejection] = []
        written: list[tuple[Trajectory, Certificate, Reference]] = []
        first: Plan | None = None
        for asked in self.tasks(case, findings):
            if isinstance(asked, Rejection):
                rejected.append(asked)
                continue
            plan, question = asked
            first = first or plan
            seed = f"{self.options.seed}/{case.key}/{question.kind}{question.number or ''}"
            outline = self.writer.outline(plan, question, seed=seed)
            result = write_verified(outline, lambda t: self.certify(t, case), seed=seed,
                                    dialect=self.options.dialect, min_steps=self.options.filters.min_steps)
            if isinstance(result, Failed):
                rejected.append(self._reject(case, "write", result.reason, result.detail, question.kind))
                continue
            made = self.sample(case, plan, question, result, writer=VERSION)
            if isinstance(made, Rejection):
                rejected.append(made)
                continue
            samples.append(made[0])
            written.append((result.trajectory, result.certificate, made[1]))
        return GeneratedCase(case, linked.mentions, first, tuple(samples), tuple(rejected), tuple(written))

    def sample(self, case: Case, plan: Plan, question: Question, verified: Verified, *, writer: str, model: str = "",
               prompt_hash: str = "", repairs: int = 0) -> tuple[Sample, Reference] | Rejection:
        """Make the sample of a verified trajectory, or reject it by the filters that look at one sample alone."""
        from pathkg.rewards import build_reference

        certificate, trajectory = verified.certificate, verified.trajectory
        leak = self._leak(question, certificate, trajectory)
        if leak and self.options.filters.runs("leakage"):
            return self._reject(case, "filter", "leakage", leak, question.kind)
        clash = _contradiction(certificate) or _other_margin(question, trajectory)
        if clash and self.options.filters.runs("contradiction"):
            return self._reject(case, "filter", "contradiction", clash, question.kind)
        stated = {(e.id, e.polarity): e for p in certificate.parts for e in p.entities if e.verdict == "supported"}
        stated = {k: e for k, e in stated.items() if any(v.kind == "report" for v in e.evidence)}
        if len(stated) < self._needed(case):
            return self._reject(case, "filter", "too_few_findings",
                                f"{len(stated)} linked findings in the trajectory", question.kind)
        thin = "" if case.questions else missing_grounds(certificate, question.kind)
        if thin:
            return self._reject(case, "filter", "thin_evidence", thin, question.kind)
        reference = build_reference(trajectory, graph=self.graph, certificate=certificate, report=case.text)
        findings = [{"id": e.id, "name": e.name, "type": e.type, "assertion": "absent" if e.polarity == "-" else "present",
                     "start": e.evidence[0].start, "end": e.evidence[0].end, "text": e.evidence[0].text}
                    for e in stated.values() if e.evidence[0].kind == "report"]
        scales = {i.scale for i in case.images} - {"none"}
        sample = Sample(
            sample_id=f"{case.case_id}/{question.kind}-{digest(case.key, question.text, trajectory.render())[:8]}",
            case_id=case.case_id, patient_id=case.patient_id, case_kind=case.kind, question_kind=question.kind,
            question=question.text, options=question.options, observe=trajectory.observe, steps=trajectory.steps,
            answer=trajectory.answer, text=trajectory.render(), dialect=trajectory.dialect, report=case.text,
            diagnosis_id=plan.diagnosis.id, diagnosis=plan.diagnosis.name, findings=tuple(findings),
            evidence=question.evidence, images=case.images, scale="+".join(sorted(scales)) or "text",
            certificate_json=canonical_json(certificate.to_dict()), reference_json=reference.to_json(),
            plan_json=canonical_json(plan.to_dict()) if self.options.with_plan else "", graph_hash=self.graph.hash,
            writer=writer, model=model, prompt_hash=prompt_hash, repairs=repairs, seed=self.options.seed,
            version=__version__)
        problem = check_text_filters(sample, self.options.filters, self.benchmarks)
        if problem is not None:
            return self._reject(case, "filter", problem.filter, problem.detail, question.kind)
        return sample, reference

    def _leak(self, question: Question, certificate: Certificate, trajectory: Trajectory) -> str:
        """What of the answer ``<observe>`` already says; empty when nothing."""
        seen = {e.id: e for e in certificate.parts[0].entities}
        for finding in question.answer_findings:
            kin = {finding.id, *self.taxonomy.below(finding.id)} & seen.keys()
            if kin:
                return f"<observe> names {seen[min(kin)].name}"
            if finding.name.lower() in trajectory.observe.lower() and len(finding.name) > 2:
                return f"<observe> holds the words {finding.name!r}"
        return ""

    @staticmethod
    def _reject(case: Case, stage: str, reason: str, detail: str = "", kind: str = "") -> Rejection:
        return Rejection(case.case_id, case.patient_id, stage, reason, detail, kind)


class _RememberLast:
    """A linker that keeps the results of the last reports: each is asked for with every verification."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._reports: OrderedDict[str, tuple[LinkResult, ReportEvidence]] = OrderedDict()

    def remember(self, text: str) -> LinkResult:
        """Link a report and keep the result."""
        return self._report(text)[0]

    def stated(self, text: str) -> ReportEvidence:
        """The report as the verifier sees it."""
        return self._report(text)[1]

    def link(self, text: str) -> LinkResult:
        known = self._reports.get(text)
        return known[0] if known is not None else self._linker.link(text).with_results()

    def _report(self, text: str) -> tuple[LinkResult, ReportEvidence]:
        known = self._reports.get(text)
        if known is None:
            linked = self._linker.link(text).with_results()
            known = self._reports[text] = (linked, read_report(text, self._linker.graph, self._linker, linked))
            while len(self._reports) > REPORTS_KEPT:
                self._reports.popitem(last=False)
        return known


def _contradiction(certificate: Certificate) -> str:
    """An entity that the trajectory states both as present and as absent (rivals in the differential apart)."""
    stated: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for part in certificate.parts:
        for entity in part.entities:
            if entity.type != "anatomy":
                stated.setdefault(entity.id, set()).add(entity.polarity)
                names[entity.id] = entity.name
    both = sorted(node for node, signs in stated.items() if len(signs) > 1)
    return f"{names[both[0]]} is stated as present and as absent" if both else ""


def _other_margin(question: Question, trajectory: Trajectory) -> str:
    """An answer on margins that says other than the report's own words, read by the rules that read reports."""
    if question.kind != "margin":
        return ""
    said = {v.value for v in margin_status(trajectory.answer)} | ({"involved"} if "positive margin" in trajectory.answer else set())
    wanted = "involved" if question.answer_findings[0].id == POSITIVE_MARGIN else "uninvolved"
    return "" if said == {wanted} else f"the answer calls the margin {' and '.join(map(str, said)) or 'nothing'}, the report {wanted}"


@lru_cache(maxsize=4)
def _shared_generator(graph: KnowledgeGraph, linker: Linker | None, options: GenerateOptions) -> Generator:
    return Generator(graph, linker, options=options)


def generate_case(case: Case, *, graph: KnowledgeGraph | None = None, linker: Linker | None = None, seed: int = 0,
                  options: GenerateOptions | None = None) -> GeneratedCase:
    """Turn one case into verified samples with the template writer.

    Args:
        case: the case.
        graph: the graph to reason with; the bundled core when ``None``.
        linker: the linker of that graph; the shared one when ``None``.
        seed: of the wording; ignored when ``options`` are given.
        options: see :class:`GenerateOptions`.

    Returns:
        The findings, the plan, and per question a verified trajectory with its certificate and reward reference, or
        the reason why there is none.

    Raises:
        InputError: the case has no text.

    Example:
        >>> text = ("Lung, right upper lobe, lobectomy. Squamous cell carcinoma, moderately differentiated, with keratin "
        ...         "pearls and intercellular bridges. Tumor cells are p40 positive and TTF-1 negative. No lymphovascular "
        ...         "invasion. pT2a pN0.")
        >>> made = generate_case(Case("demo", "demo", text))
        >>> made.accepted, made.certificate.verdict
        (True, 'supported')
    """
    if graph is None:
        from pathkg.api import load

        graph = load()
    return _shared_generator(graph, linker, options or GenerateOptions(seed=seed)).generate(case)


def run(*, cases: Any, out: Any, store: Any = None, limit: int | None = None, **options: Any) -> Any:
    """Make a dataset from a file of cases; see :func:`datagen.pipeline.run`."""
    from datagen.pipeline import run as run_pipeline

    return run_pipeline(cases=cases, out=out, store=store, limit=limit, **options)


__all__ = ["GenerateOptions", "GeneratedCase", "Generator", "generate_case", "run"]
