"""The patient behind a case: the unit by which datasets are split."""

from __future__ import annotations

import re

from pathkg.errors import InputError, did_you_mean

TCGA_PATIENT = re.compile(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}(?![A-Z0-9])", re.IGNORECASE)
RULES = ("auto", "tcga", "column", "case")


def patient_of(case_id: str, patient: str = "", *, rule: str = "auto") -> str:
    """The patient id of a case.

    Args:
        case_id: id of the case; often a longer barcode.
        patient: what the patient column holds; may be empty.
        rule: ``tcga`` takes the first 12 characters of a TCGA barcode found in the column or the case id;
            ``column`` the column as it is; ``case`` makes every case its own patient; ``auto`` is ``tcga`` where
            there is a barcode, then ``column``, then ``case``; ``regex:PATTERN`` takes the first group (or the
            whole match) of a pattern in the column or the case id.

    Raises:
        InputError: an unknown rule, a pattern that does not compile, or a rule that finds no patient.

    Example:
        >>> patient_of("TCGA-85-A512.A49AF0B2-6C19")
        'TCGA-85-A512'
        >>> patient_of("S-17/003", "P9"), patient_of("S-17/003"), patient_of("S-17/003", rule=r"regex:^S-\\d+")
        ('P9', 'S-17/003', 'S-17')
    """
    if rule.startswith("regex:"):
        return _by_pattern(rule[len("regex:"):], case_id, patient)
    if rule not in RULES:
        raise InputError(f"there is no patient rule {rule!r}",
                         hint=did_you_mean(rule, RULES) or f"use one of {', '.join(RULES)} or regex:PATTERN")
    barcode = TCGA_PATIENT.search(patient) or TCGA_PATIENT.search(case_id)
    if rule in ("auto", "tcga") and barcode:
        return barcode.group(0).upper()
    if rule == "tcga" or (rule == "column" and not patient):
        raise InputError(f"case {case_id!r} has no patient id by the rule {rule!r}",
                         hint="map the column with --column patient_id=NAME, or use --patient-rule auto")
    return case_id if rule == "case" or not patient else patient


def _by_pattern(pattern: str, case_id: str, patient: str) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(f"the patient pattern {pattern!r} does not compile: {error}",
                         hint="give a Python regular expression after regex:") from error
    found = (compiled.search(patient) if patient else None) or compiled.search(case_id)
    if found is None:
        raise InputError(f"the patient pattern {pattern!r} matches nothing in case {case_id!r}",
                         hint="widen the pattern, or use --patient-rule auto")
    return str(found.group(1) if compiled.groups else found.group(0))
