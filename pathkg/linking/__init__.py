"""From report text to graph nodes, each with an assertion status."""

from __future__ import annotations

from pathkg.linking.findings import Finding, ReportFindings, extract_findings
from pathkg.linking.lexicon import Lexicon, compile_lexicon, open_lexicon
from pathkg.linking.matcher import Linker, linker_for
from pathkg.linking.sentences import Entity

__all__ = ["Entity", "Finding", "Lexicon", "Linker", "ReportFindings", "compile_lexicon", "extract_findings",
           "linker_for", "open_lexicon"]
