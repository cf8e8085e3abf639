"""What a case says, as findings with their place in the text."""

from datagen.findings.rules import CaseFindings, Finding, Measure, collect_findings

__all__ = ["CaseFindings", "Finding", "Measure", "collect_findings"]
