"""The values that flow through the generator: a case comes in, samples and rejections go out.

A :class:`Case` is what one patient, slide or exam question brings along. A :class:`Sample` is one verified
question-and-trajectory pair with everything needed to check it again; a :class:`Rejection` says why there is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CaseKind = Literal["report", "findings", "slide_qa", "exam"]
"""Where a case comes from: a report text, structured slide findings, question-answer pairs on a slide, or a
text-only exam question."""


def canonical_json(value: Any) -> str:
    """The one JSON spelling that is hashed and written: sorted keys, no spaces, UTF-8 as is.

    Example:
        >>> canonical_json({"b": 1, "a": [True]})
        '{"a":[true],"b":1}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(*parts: str) -> str:
    """The first 16 hex digits of the SHA-256 of ``parts``, which are kept apart by a zero byte.

    Example:
        >>> digest("a", "b") == digest("ab", "")
        False
    """
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Where the pixels of a case are. Every part is optional; paths are kept as given.

    Args:
        slide: path or name of the whole-slide image.
        features: path of a feature bag (h5, csv, pt).
        roi: region of interest as ``(x, y, width, height)`` in level-0 pixels, or empty for the whole slide.
        magnification: objective power the region or the features stand for, 0 when not stated.
    """

    slide: str = ""
    features: str = ""
    roi: tuple[int, ...] = ()
    magnification: float = 0.0

    @property
    def scale(self) -> str:
        """``slide``, ``region`` or ``none``: the image scale this reference stands for."""
        if self.roi:
            return "region"
        return "slide" if self.slide or self.features else "none"

    def to_dict(self) -> dict[str, Any]:
        return {"slide": self.slide, "features": self.features, "roi": list(self.roi),
                "magnification": self.magnification}


@dataclass(frozen=True, slots=True)
class GivenQuestion:
    """A question that came with the case, with its known answer."""

    question: str
    answer: str
    options: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"question": self.question, "answer": self.answer, "options": list(self.options)}


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it was read.

    Args:
        case_id: unique within the run.
        patient_id: the unit of splitting.
        text: the report, the rendered findings, the statements of a slide, or the stem of an exam question.
        kind: see :data:`CaseKind`.
        diagnosis: the diagnosis somebody recorded beside the text, free text; empty when unknown.
        images: the slides, regions and feature bags of the case.
        questions: questions that came with the case; empty means the generator asks its own.
        metadata: other columns, kept as strings.
    """

    case_id: str
    patient_id: str
    text: str
    kind: CaseKind = "report"
    diagnosis: str = ""
    images: tuple[ImageRef, ...] = ()
    questions: tuple[GivenQuestion, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "patient_id": self.patient_id, "text": self.text, "kind": self.kind,
                "diagnosis": self.diagnosis, "images": [i.to_dict() for i in self.images],
                "questions": [q.to_dict() for q in self.questions], "metadata": dict(self.metadata)}

    @property
    def key(self) -> str:
        """A hash of the whole content; the journal and the caches know the case by it.

        Example:
            >>> Case("a", "p", "text").key == Case("a", "p", "text").key != Case("a", "p", "other").key
            True
        """
        return digest(canonical_json(self.to_dict()))


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a case, or one question of it, gave no sample. ``reason`` is a short fixed code, ``detail`` is for people."""

    case_id: str
    patient_id: str
    stage: str
    reason: str
    detail: str = ""
    question_kind: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "patient_id": self.patient_id, "stage": self.stage,
                "reason": self.reason, "detail": self.detail, "question_kind": self.question_kind}


@dataclass(frozen=True, slots=True)
class Sample:
    """One verified sample. ``*_json`` fields hold canonical JSON, so that every row has one fixed schema."""

    sample_id: str
    case_id: str
    patient_id: str
    case_kind: str
    question_kind: str
    question: str
    options: tuple[str, ...]
    observe: str
    steps: tuple[str, ...]
    answer: str
    text: str
    dialect: str
    report: str
    diagnosis_id: str
    diagnosis: str
    findings: tuple[Mapping[str, Any], ...]
    evidence: tuple[Mapping[str, Any], ...]
    images: tuple[ImageRef, ...]
    scale: str
    certificate_json: str
    reference_json: str
    plan_json: str
    graph_hash: str
    writer: str
    model: str
    prompt_hash: str
    repairs: int
    seed: int
    version: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "sample_id": self.sample_id, "case_id": self.case_id, "patient_id": self.patient_id,
            "case_kind": self.case_kind, "question_kind": self.question_kind, "question": self.question,
            "options": list(self.options), "observe": self.observe, "steps": list(self.steps),
            "answer": self.answer, "text": self.text, "dialect": self.dialect, "report": self.report,
            "diagnosis_id": self.diagnosis_id, "diagnosis": self.diagnosis,
            "findings": [dict(f) for f in self.findings], "evidence": [dict(e) for e in self.evidence],
            "images": [i.to_dict() for i in self.images], "scale": self.scale,
            "certificate_json": self.certificate_json, "reference_json": self.reference_json,
            "plan_json": self.plan_json, "graph_hash": self.graph_hash, "writer": self.writer,
            "model": self.model, "prompt_hash": self.prompt_hash, "repairs": self.repairs, "seed": self.seed,
            "version": self.version}
