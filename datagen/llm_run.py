"""The run with a model: many cases under way at once, bounded, resumable, within the budget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from datagen.api import Generator
from datagen.client import Budget, BudgetReached, CallCache, ChatClient
from datagen.findings import collect_findings
from datagen.findings.llm import extract
from datagen.output.journal import CaseResult
from datagen.plan import Plan
from datagen.progress import Progress
from datagen.questions import Question
from datagen.records import Case, Rejection, Sample, canonical_json
from datagen.runners import NumberedCase, WorkSpec
from datagen.writers.llm import LlmOptions, LlmWriter
from datagen.writers.revise import Failed, Verified, write_verified
from datagen.writers.template import VERSION
from pathkg.errors import EndpointError, InputError
from pathkg.trajectory import Certificate

CALLS = "calls.sqlite"
FAILURES = "failures.jsonl"
CASES_PER_CALL = 2
"""Cases under way per concurrent call: enough that the endpoint never waits for us."""


class LlmRun:
    """Works on cases with a model.

    Args:
        spec: graph and options.
        options: model, budget, filters.
        out: output folder; holds the call cache and the failures.
        writer: ``llm``, or ``template`` when the model only filters.
    """

    def __init__(self, spec: WorkSpec, options: LlmOptions, *, out: Path, writer: str = "llm") -> None:
        self.options, self.writer_name, self.out = options, writer, out
        self.worker = spec.build()
        self.generator: Generator = self.worker.generator
        self.cache = CallCache(options.cache or out / CALLS)
        self.budget = Budget(options.budget, spent=self.cache.spent)
        self.client = ChatClient(options.client, cache=self.cache, budget=self.budget, prices=options.prices,
                                 on_failure=self._note_failure, dry_run=options.dry_run)
        self.writer = LlmWriter(self.client, prompts=options.prompts)

    def _note_failure(self, record: dict[str, Any]) -> None:
        with (self.out / FAILURES).open("a", encoding="utf-8") as handle:
            handle.write(canonical_json(record) + "\n")

    def results(self, cases: Iterable[NumberedCase], progress: Progress | None = None
                ) -> Iterator[tuple[int, str, CaseResult]]:
        """The finished cases, as they finish.

        Raises:
            BudgetReached: after the cases under way have been given back.
            EndpointError: the endpoint refuses the key, the model or the address.
        """
        loop = asyncio.new_event_loop()
        source = iter(cases)
        tasks: dict[asyncio.Task[CaseResult], NumberedCase] = {}
        stop: Exception | None = None
        most = max(2, CASES_PER_CALL * self.options.client.concurrency)
        try:
            while True:
                if stop is None:
                    for number, case in islice(source, most - len(tasks)):
                        tasks[loop.create_task(self._case(case))] = (number, case)
                if not tasks:
                    break
                done, _ = loop.run_until_complete(asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))
                for task in sorted(done, key=lambda t: tasks[t][0]):
                    number, case = tasks.pop(task)
                    error = task.exception()
                    if error is None:
                        yield number, case.key, task.result()
                    elif isinstance(error, BudgetReached | EndpointError):
                        stop = stop or error
                    else:
                        raise error
            if stop is not None:
                raise stop
        finally:
            for task in tasks:
                task.cancel()
            with suppress(Exception):
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
                loop.run_until_complete(self.client.close())
            loop.close()
            self.cache.close()

    # -- one case -----------------------------------------------------------------------------------------------

    async def _case(self, case: Case) -> CaseResult:
        generator = self.generator
        samples: list[Sample] = []
        rejected: list[Rejection] = []
        extraction: dict[str, int] = {}
        try:
            linked, findings = generator.read(case)
            if self.options.extract:
                found = await extract(case.text, linked, self.client, link=lambda span: generator.linker.link(span).with_results(),
                                      prompts=self.options.prompts, tag=case.case_id)
                extraction = {"items": found.items, "located": found.located}
                findings = collect_findings(case.text, found.mentions)
            for asked in generator.tasks(case, findings):
                made = asked if isinstance(asked, Rejection) else await self._question(case, *asked)
                if isinstance(made, Sample):
                    samples.append(made)
                else:
                    rejected.append(made)
        except InputError as error:
            rejected.append(Rejection(case.case_id, case.patient_id, "read", "unusable", error.message))
        except EndpointError as error:
            if _refused_for_all(error):
                raise
            rejected.append(Rejection(case.case_id, case.patient_id, "client", "endpoint_failed", error.message))
        certificates = [Certificate.from_dict(json.loads(s.certificate_json)) for s in samples]
        return self.worker.result(case, samples, certificates, rejected, extraction)

    async def _question(self, case: Case, plan: Plan, question: Question) -> Sample | Rejection:
        generator = self.generator

        def reject(stage: str, reason: str, detail: str) -> Rejection:
            return Rejection(case.case_id, case.patient_id, stage, reason, detail, question.kind)

        if "image_dependence" in self.options.filters:
            guess = await self.writer.answer(question, "No image and no report are given.", tag=case.case_id)
            if self._agrees(guess, question):
                return reject("filter", "image_dependence", f"answered from the question alone: {guess[:120]}")
        verified: Verified
        repairs = 0
        if self.writer_name == "llm":
            written = await self.writer.write(plan, question, lambda t: generator.certify(t, case),
                                              dialect=generator.options.dialect, tag=case.case_id)
            if isinstance(written, Failed):
                return reject("write", written.reason, written.detail)
            verified, repairs = written.verified, written.repairs
        else:
            seed = f"{generator.options.seed}/{case.key}/{question.kind}{question.number or ''}"
            outcome = write_verified(generator.writer.outline(plan, question, seed=seed),
                                     lambda t: generator.certify(t, case), seed=seed,
                                     dialect=generator.options.dialect, min_steps=generator.options.filters.min_steps)
            if isinstance(outcome, Failed):
                return reject("write", outcome.reason, outcome.detail)
            verified = outcome
        by_model = self.writer_name == "llm"
        made = generator.sample(
            case, plan, question, verified, writer="llm-1" if by_model else VERSION, repairs=repairs,
            model=self.options.client.model if by_model else "", prompt_hash=self.writer.prompt_hash if by_model else "")
        if isinstance(made, Rejection):
            return made
        sample = made[0]
        if "sufficiency" in self.options.filters:
            given = f"{sample.observe}\n" + "\n".join(sample.steps)
            guess = await self.writer.answer(question, given, tag=case.case_id)
            if not self._agrees(guess, question, sample.answer):
                return reject("filter", "sufficiency", f"the reasoning led the model to: {guess[:120]}")
        return sample

    def _agrees(self, guess: str, question: Question, answer: str = "") -> bool:
        """Whether an answer says what the gold says: the same nodes with the same polarity."""
        if question.options:
            return guess.strip().lower().rstrip(".") == question.given_answer.strip().lower().rstrip(".")
        wanted = {(f.id, f.polarity) for f in question.answer_findings}
        said = {(m.id, m.polarity) for m in self.generator.linker.link(guess).with_results()}
        return bool(wanted & said) and not {(i, "-" if p == "+" else "+") for i, p in wanted} & said


def _refused_for_all(error: EndpointError) -> bool:
    return any(f"status {code}" in error.message for code in (401, 403, 404))


def run_llm(cases: Iterable[NumberedCase], spec: WorkSpec, options: LlmOptions, *, out: Path, progress: Progress,
            writer: str = "llm") -> Iterator[tuple[int, str, CaseResult]]:
    """Work on cases with a model; see :class:`LlmRun`."""
    run = LlmRun(spec, options, out=out, writer=writer)
    progress.cost = lambda: run.budget.spent
    progress.usage = run.client.usage
    yield from run.results(cases, progress)


def read_failures(out: Path) -> list[dict[str, Any]]:
    """The calls that failed for good in an output folder."""
    path = out / FAILURES
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
