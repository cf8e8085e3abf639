"""The LLM writer: a plan in words by any OpenAI-compatible model, checked like everything else.

The model is told findings and graph paths; it is never told that an answer is given. What it writes is verified; what
does not verify gets one repair turn with the verifier's findings; then it is accepted, or rejected with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from datagen.client import ChatClient, ClientOptions, PriceTable
from datagen.client.structured import UnreadableAnswer, read_record, wire_schema
from datagen.filters.base import WITH_MODEL
from datagen.findings import Finding
from datagen.plan import Plan
from datagen.prompts import read_prompt
from datagen.questions import Question
from datagen.writers.revise import Failed, Verified
from pathkg.errors import InputError
from pathkg.trajectory import Trajectory
from pathkg.trajectory.certificate import Certificate

MAX_FINDINGS_TOLD = 40


class Draft(BaseModel):
    """What the model is asked to write."""

    model_config = ConfigDict(title="trajectory", extra="ignore")

    observe: str = Field(min_length=1, max_length=6000)
    steps: list[str] = Field(min_length=1, max_length=30)
    answer: str = Field(min_length=1, max_length=2000)


class ShortAnswer(BaseModel):
    """An answer to a question."""

    model_config = ConfigDict(title="answer", extra="ignore")

    answer: str = Field(min_length=1, max_length=2000)


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """Everything about the model.

    Args:
        client: model, endpoint, concurrency.
        prices: price per model.
        budget: the most to spend in the output folder, over all runs.
        prompts: folder with prompts that replace the package's own of the same name.
        extract: findings by the model (``True``) or by rule.
        filters: filters that ask the model: ``sufficiency``, ``image_dependence``.
        dry_run: call nobody; count calls, tokens and price.
        retry_failures: ask again for the calls that failed for good.
        cache: the call cache; ``calls.sqlite`` in the output folder by default.
    """

    client: ClientOptions
    prices: PriceTable = field(default_factory=PriceTable)
    budget: float | None = None
    prompts: str | None = None
    extract: bool = False
    filters: tuple[str, ...] = ()
    dry_run: bool = False
    retry_failures: bool = False
    cache: str | None = None

    def __post_init__(self) -> None:
        wrong = [f for f in self.filters if f not in WITH_MODEL]
        if wrong:
            raise InputError(f"{wrong[0]!r} is no filter that asks a model", hint=f"use {', '.join(WITH_MODEL)}")

    def to_dict(self) -> dict[str, Any]:
        """What the results depend on: not the endpoint's address, concurrency, price or budget."""
        return {"model": self.client.model, "parameters": dict(self.client.parameters), "extract": self.extract,
                "filters": list(self.filters), "prompts": self.prompt_hashes()}

    def prompt_hashes(self) -> dict[str, str]:
        return {name: read_prompt(name, self.prompts).hash for name in ("write", "repair", "extract", "answer")}


@dataclass(frozen=True, slots=True)
class Written:
    """A verified trajectory of the model, and how many repair turns it took."""

    verified: Verified
    repairs: int


class LlmWriter:
    """Writes trajectories with a model.

    Args:
        client: the client.
        prompts: folder of replacement prompts.
    """

    def __init__(self, client: ChatClient, *, prompts: str | Path | None = None) -> None:
        self.client = client
        self.write_prompt = read_prompt("write", prompts)
        self.repair_prompt = read_prompt("repair", prompts)
        self.answer_prompt = read_prompt("answer", prompts)
        self.schema = wire_schema(Draft)

    @property
    def prompt_hash(self) -> str:
        """Hash of the prompts a trajectory was written with."""
        return f"write:{self.write_prompt.hash} repair:{self.repair_prompt.hash}"

    async def write(self, plan: Plan, question: Question, verify: Any, *, dialect: str, tag: str) -> Written | Failed:
        """Write, verify, repair once.

        Args:
            plan: what to tell.
            question: what to answer.
            verify: trajectory -> certificate.
            dialect: tags of the trajectory.
            tag: names the case in failure records.

        Raises:
            EndpointError: the endpoint gave no answer.
            BudgetReached: the next call could overspend.
        """
        fields = tell(plan, question)
        messages = self.write_prompt.messages(**fields)
        problem: Failed = Failed("unreadable", "no answer")
        for repairs in (0, 1):
            completion = await self.client.complete(messages, schema=self.schema, tag=tag)
            if self.client.dry_run:
                return Failed("dry_run", "no call was made")
            try:
                draft = read_record(completion.text, Draft)
                trajectory = Trajectory(draft.observe, tuple(s for s in draft.steps if s.strip()), draft.answer, dialect)
            except (UnreadableAnswer, InputError) as error:
                problem = Failed("unreadable", error.message)
                messages = self.repair_prompt.messages(draft=completion.text[:6000], problems=f"- {error.message}",
                                                       findings=fields["findings"])
                continue
            certificate = verify(trajectory)
            if certificate.verdict == "supported":
                return Written(Verified(trajectory, certificate, (), repairs), repairs)
            problems = list_problems(certificate)
            problem = Failed("verification", "; ".join(problems)[:500])
            messages = self.repair_prompt.messages(
                draft=draft.model_dump_json(indent=1), findings=fields["findings"],
                problems="\n".join(f"- {p}" for p in problems))
        return problem

    async def answer(self, question: Question, given: str, *, tag: str) -> str:
        """The model's own answer from ``given`` alone; empty when it cannot be read."""
        messages = self.answer_prompt.messages(given=given, question=question.text, options=_options(question))
        completion = await self.client.complete(messages, schema=wire_schema(ShortAnswer), tag=tag, temperature=0.0)
        try:
            return read_record(completion.text, ShortAnswer).answer
        except UnreadableAnswer:
            return ""


def tell(plan: Plan, question: Question) -> dict[str, str]:
    """The fields of the writing prompt: findings and paths, and nowhere that an answer is known."""
    hidden = question.hidden
    stated = [*plan.present, *plan.absent, *(c.finding for c in plan.categories)][:MAX_FINDINGS_TOLD]
    lines = [_finding_line(f, later=f.id in hidden) for f in stated]
    knowledge = [f"- {k.path.explain()}" for k in (*plan.support, *plan.prognostic)]
    knowledge += [f"- {k.path.explain()}" for c in plan.categories for k in c.defined_by]
    if plan.site_link is not None:
        knowledge.append(f"- {plan.site_link.path.explain()}")
    rivals = [f"- {d.name}: {'no ' if k.finding.polarity == '-' else ''}{k.finding.name} argues against it "
              f"({k.path.explain()})" for d in plan.differentials for k in d.against]
    specimen = ", ".join(f.name for f in (plan.organ, plan.procedure) if f is not None) or "not stated"
    return {"question": question.text, "options": _options(question), "specimen": specimen,
            "findings": "\n".join(lines) or "- none", "knowledge": "\n".join(dict.fromkeys(knowledge)) or "- none",
            "alternatives": "\n".join(rivals) or "- none"}


def _finding_line(finding: Finding, *, later: bool) -> str:
    words = " ".join(finding.text.split())
    said = f" (report: “{words}”)" if words and len(words) < 90 else ""
    return f"- {finding.assertion}: {finding.name}{said}{' [keep for later]' if later else ''}"


def _options(question: Question) -> str:
    return "Options:\n" + "\n".join(f"- {o}" for o in question.options) if question.options else ""


def list_problems(certificate: Certificate) -> list[str]:
    """The verifier's findings in words, for the repair turn and the reason of a rejection."""
    problems: list[str] = []
    for part in certificate.parts:
        if not part.checked or part.verdict == "supported":
            continue
        problems += [f"{part.name}: {'no ' if e.polarity == '-' else ''}{e.name}: {e.reason}"
                     for e in part.entities if e.verdict != "supported"]
        names: Mapping[str, str] = {e.id: e.name for e in part.entities}
        problems += [f"{part.name}: that {names.get(c.source, c.source)} {c.stance} {names.get(c.target, c.target)}: {c.reason}"
                     for c in part.claims if c.verdict != "supported" and c.stance != "mentions"]
        problems += [f"{part.name}: {conflict}" for conflict in part.conflicts]
    return problems or ["no reasoning step states anything that can be checked"]
