"""What a sample rests on: at least one finding that is present, says something, and speaks for the answer.

Findings that are only absent, and headings of measures ("largest basal diameter"), let a reader conclude nothing: a model
that learns from such samples learns to guess from the organ.
"""

from __future__ import annotations

from collections.abc import Iterable

from datagen.plan import EVIDENCE_TYPES
from datagen.planning import says_nothing
from pathkg.trajectory import Certificate
from pathkg.trajectory.certificate import CheckedEntity

SEEN_TYPES = frozenset({*EVIDENCE_TYPES, "stage", "grade"})
"""Node types that a reader sees or is told of a tumor; its name and its place are none."""

CONCLUDING = frozenset({"diagnosis", "subtype"})
"""Kinds of questions whose answer is concluded from findings; the others read it off."""


def missing_grounds(certificate: Certificate, kind: str) -> str:
    """Why a verified sample rests on too little; empty when it does not.

    Args:
        certificate: of the sample; its first part is ``<observe>``.
        kind: of the question.
    """
    seen = _present(certificate.parts[0].entities)
    if not seen:
        return "<observe> states no finding that is present"
    if kind in CONCLUDING:
        present = _present(e for part in certificate.parts for e in part.entities)
        answer = {e.id for e in certificate.parts[-1].entities}
        if not any(c.verdict == "supported" and c.source in present and (c.stance == "opposes") != (c.target in answer)
                   for part in certificate.parts for c in part.claims):
            return "no finding that is present speaks for the answer or against a rival"
    return ""


def _present(entities: Iterable[CheckedEntity]) -> set[str]:
    return {e.id for e in entities if e.polarity == "+" and e.verdict == "supported" and e.type in SEEN_TYPES
            and not says_nothing(e.id, e.name) and any(v.kind == "report" for v in e.evidence)}
