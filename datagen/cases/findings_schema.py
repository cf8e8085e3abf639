"""Structured slide findings: the published JSON schema, and how they become the text of a case.

The schema is written by ``pathkg-datagen schema findings``. A record may come from a synoptic report, a slide
annotation tool or another model; its statements are rendered to plain sentences, which then take the same way as a
report: linked, planned, written and verified against those very sentences.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pathkg.errors import InputError

Status = Literal["present", "absent", "possible"]


class FindingRecord(BaseModel):
    """One statement about the slide."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=400, description="the finding in words, e.g. 'lymphovascular invasion'")
    status: Status = "present"
    value: str = Field("", max_length=400, description="a result or measure, e.g. '3+' or '2.4 cm'")
    site: str = Field("", max_length=200, description="where it is, when not the main specimen")


class ImageRecord(BaseModel):
    """Pixels that belong to the record."""

    model_config = ConfigDict(extra="forbid")

    slide: str = ""
    features: str = ""
    roi: list[int] = Field(default_factory=list, description="x, y, width, height in level-0 pixels; empty = whole slide")
    magnification: float = Field(0.0, ge=0)


class FindingsRecord(BaseModel):
    """Structured findings of one case."""

    model_config = ConfigDict(extra="forbid", title="pathkg slide findings, version 1")

    case_id: str = Field(min_length=1)
    patient_id: str = ""
    specimen: str = ""
    organ: str = ""
    diagnosis: str = ""
    grade: str = ""
    stage: str = ""
    findings: list[FindingRecord] = Field(min_length=1)
    images: list[ImageRecord] = Field(default_factory=list)


def findings_json_schema() -> dict[str, Any]:
    """The JSON schema of one record.

    Example:
        >>> sorted(findings_json_schema()["required"])
        ['case_id', 'findings']
    """
    return FindingsRecord.model_json_schema()


def parse_findings(row: dict[str, Any], *, where: str) -> FindingsRecord:
    """Check one record against the schema.

    Raises:
        InputError: the first three problems, with their place in the record.
    """
    try:
        return FindingsRecord.model_validate(row)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'record'}: {e['msg']}" for e in error.errors()[:3])
        raise InputError(f"{where} does not follow the findings schema: {problems}",
                         hint="pathkg-datagen schema findings prints the schema") from error


def render_findings(record: FindingsRecord) -> str:
    """Plain sentences that say what the record says.

    Example:
        >>> render_findings(FindingsRecord(case_id="1", diagnosis="invasive ductal carcinoma", findings=[
        ...     FindingRecord(name="perineural invasion", status="absent"), FindingRecord(name="HER2", value="3+")]))
        'Diagnosis: invasive ductal carcinoma. No perineural invasion. HER2: 3+.'
    """
    lines = [f"{label}: {value}." for label, value in (
        ("Specimen", record.specimen), ("Organ", record.organ), ("Diagnosis", record.diagnosis),
        ("Histologic grade", record.grade), ("Stage", record.stage)) if value]
    for finding in record.findings:
        words = f"{finding.name}: {finding.value}" if finding.value else finding.name
        if finding.site:
            words = f"{words} in {finding.site}"
        if finding.status == "absent":
            lines.append(f"No {words}.")
        elif finding.status == "possible":
            lines.append(f"Possible {words}.")
        else:
            lines.append(f"{words[0].upper()}{words[1:]}." if finding.value else f"{words[0].upper()}{words[1:]} is present.")
    return " ".join(lines)
