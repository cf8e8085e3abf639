"""The questions that are asked of a case: several kinds, each with its answer, the evidence for it, and what an
``<observe>`` block must keep to itself.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.findings import Finding
from datagen.plan import POSITIVE_MARGIN, SURGICAL_MARGIN, Plan

KINDS: Mapping[str, str] = {
    "diagnosis": "organ, histologic type, grade and stage",
    "subtype": "the histologic type alone",
    "grading": "the histologic grade",
    "staging": "the primary tumour category (pT)",
    "node_status": "the regional lymph nodes (pN or metastasis)",
    "margin": "the resection margins",
    "marker": "the result of one stain or molecular test",
    "prognosis": "a finding that bears on prognosis (vessel or nerve invasion and the like)",
}

RARE = ("marker",)
"""Kinds that few reports can answer: they are asked whenever they can be; the others take turns, which balances a dataset."""

MARGINS = {SURGICAL_MARGIN: ("The resection margins are negative.", "The resection margins are uninvolved.",
                             "The resection margins are clear.", "The resection margins are not involved."),
           POSITIVE_MARGIN: ("A positive margin is reported.", "There is a positive margin.", "A positive margin is present.")}
NODAL = frozenset({"PATHKG:lymph-node-metastasis", "PATHKG:macrometastasis", "PATHKG:micrometastasis",
                   "PATHKG:sentinel-lymph-node-metastasis", "PATHKG:isolated-tumor-cells",
                   "PATHKG:extranodal-extension", "PATHKG:extracapsular-extension", "PATHKG:metastasis"})
SPREAD = ("PATHKG:lymphovascular-invasion", "PATHKG:vascular-invasion", "PATHKG:perineural-invasion",
          "PATHKG:lymphatic-invasion", "PATHKG:venous-invasion", "PATHKG:extranodal-extension",
          "PATHKG:visceral-pleural-invasion", "PATHKG:extrathyroidal-extension", "PATHKG:extraprostatic-extension",
          "PATHKG:capsular-invasion")

_VESSELS = re.compile(r"vascular|lymphatic invasion|venous|vein invasion|embol|thromb", re.IGNORECASE)
"""Findings that tell one another: who sees a tumor thrombus knows of the vessel invasion."""

RESULTS = frozenset({"positive", "negative", "amplified", "mutated", "retained", "rearranged", "loss", "deleted", "codeleted",
                     "methylated", "unmethylated", "detected"})
"""Last words of the names of marker results whose rest names the marker."""

ASKED: Mapping[str, tuple[str, ...]] = {
    "diagnosis": ("What is the diagnosis?", "Which diagnosis do these sections support?",
                  "Give the pathologic diagnosis with grade and stage where they can be stated.",
                  "What does the specimen show?", "How would you sign out this case?",
                  "State the diagnosis and explain how you reach it.",
                  "Summarize the case: organ, tumor type, grade and stage.",
                  "What is the most fitting diagnosis for this slide?", "Please report this specimen."),
    "subtype": ("What is the histologic type?", "Which histologic type of tumor is this?",
                "Name the tumor type.", "How is the tumor classified histologically?",
                "What kind of tumor is seen in these sections?", "To which tumor type do the findings point?"),
    "grading": ("What is the histologic grade?", "How is the tumor graded?", "Which grade does the tumor have?",
                "State the grade or differentiation of the tumor.", "How well is the tumor differentiated, or which grade is given?"),
    "staging": ("What is the pathologic T category?", "How far has the primary tumor spread, as a pT category?",
                "Which pT category applies?", "Stage the primary tumor.", "Assign the primary tumor category."),
    "node_status": ("What is the status of the regional lymph nodes?", "Are lymph nodes involved, and how are they staged?",
                    "Describe the nodal status.", "Which pN category or nodal finding applies?",
                    "What do the lymph nodes show?"),
    "margin": ("What is the margin status?", "Are the resection margins clear?", "Is the tumor completely excised?",
               "How are the margins?", "Comment on the surgical margins."),
    "marker": ("What is the result of {name}?", "How does the tumor stain for {name}?", "Is {name} positive or negative?",
               "State the {name} status.", "What does the {name} test show?"),
    "prognosis": ("Is there {name}?", "Is {name} present or absent?", "Comment on {name}.",
                  "Does the specimen show {name}?", "What can be said about {name}, which bears on prognosis?"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a case.

    Args:
        kind: one of :data:`KINDS`, or ``given`` for a question that came with the case.
        text: the question in words.
        answer_findings: the findings that make up the answer; their spans are the answer's evidence.
        hidden: node ids that ``<observe>`` must not name.
        options: of a multiple-choice question.
        given_answer: the answer of a question that came with the case.
        number: place of a given question among those of its case.
    """

    kind: str
    text: str
    answer_findings: tuple[Finding, ...]
    hidden: frozenset[str]
    options: tuple[str, ...] = ()
    given_answer: str = ""
    number: int = 0

    @property
    def answer_words(self) -> str:
        """The names of what the answer holds, in lower case."""
        return " ".join(f.name for f in self.answer_findings).lower()

    @property
    def evidence(self) -> tuple[Mapping[str, Any], ...]:
        return tuple({"start": f.start, "end": f.end, "text": f.text} for f in self.answer_findings if f.start >= 0)


def ask(plan: Plan, *, rng: random.Random, most: int, kinds: Sequence[str] = tuple(KINDS)) -> list[Question]:
    """The questions of a case: the diagnosis first, then rare kinds, then the others in turns, at most ``most``."""
    possible = {k: q for k in kinds if (q := _question(k, plan, rng)) is not None}
    common = [k for k in KINDS if k not in ("diagnosis", "subtype", *RARE)]
    rng.shuffle(common)
    # the type alone is a part of the diagnosis: it fills up
    order = [k for k in ("diagnosis", *RARE, *common, "subtype") if k in possible]
    return [possible[k] for k in order[:most]]


def _question(kind: str, plan: Plan, rng: random.Random) -> Question | None:
    findings: tuple[Finding, ...] = ()
    name = ""
    hidden: set[str] = set()
    grade, stage, nodes = plan.category("grade"), plan.category("pT"), plan.category("pN")
    group = plan.category("stage")
    diagnosis = plan.diagnosis
    if kind == "diagnosis":
        findings = tuple(f for f in (diagnosis, *(c.finding for c in plan.categories)) if f is not None)
    elif kind == "subtype":
        findings = (diagnosis,)
    elif kind == "grading" and grade:
        findings = (grade.finding,)
    elif kind == "staging" and stage:
        findings = (stage.finding, *((group.finding,) if group else ()))
    elif kind == "node_status":
        nodal = [f for f in (*plan.present, *plan.absent) if f.id == "PATHKG:lymph-node-metastasis"]
        findings = (*((nodes.finding,) if nodes else ()), *nodal[:1])
    elif kind == "margin":
        findings = (plan.margin,) if plan.margin is not None else ()
    elif kind == "marker":
        results = [f for f in plan.present if f.type == "marker_result" and " " in f.name
                   and f.name.rsplit(" ", 1)[1] in RESULTS]
        if results:
            findings = (rng.choice(results),)
            name = findings[0].name.rsplit(" ", 1)[0]
    elif kind == "prognosis":
        known = {f.id: f for f in (*plan.absent, *plan.present)}
        spread = [known[i] for i in SPREAD if i in known]
        if spread:
            findings = (rng.choice(spread),)
            name = findings[0].name
            others = _VESSELS if _VESSELS.search(name) else re.compile(re.escape(name))
            hidden = {f.id for f in (*plan.present, *plan.absent) if others.search(f.name)}
    if not findings:
        return None
    hidden |= {f.id for f in findings}
    if kind in ("diagnosis", "subtype"):
        hidden.add(diagnosis.id)
    if kind == "node_status":
        hidden |= NODAL
    if kind == "margin":
        hidden |= set(MARGINS)
    asked = ASKED[kind]
    if kind == "marker" and findings[0].name.rsplit(" ", 1)[1] not in ("positive", "negative"):
        asked = tuple(t for t in asked if "positive or" not in t and "stain" not in t)
    return Question(kind, rng.choice(asked).format(name=name), findings, frozenset(hidden))
