"""Node counts checked against the reports themselves: no annotation is needed to see that a count cannot be right.

A report that states pN0 has no positive node, one that states pN1 to pN3 has some (N1c and isolated cells aside); counts come
in pairs; no report has more than 150 nodes; and a report that gives numbers of nodes should yield one. The clinical file's N
category is compared as well; it may stem from another specimen. Odd-numbered reports were not read while the rules were made.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from linking_parts.data import json_lines

from pathkg.linking.lymph_nodes import node_counts
from pathkg.linking.node_statements import MOST
from pathkg.linking.staging import tnm

_GIVES_NUMBERS = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty)\b[^.;]{0,40}\blymph\s+nodes?\b"
    r"|\bnodes?\b[^.;]{0,40}\b\d+\s?/\s?\d+|\b\d+\s?/\s?\d+[^.;]{0,40}\bnodes?\b", re.I)


def measure(folder: Path, errors: Path | None) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    lines: list[str] = []
    for name, file in (("clean", "tcga_reports_clean.jsonl"), ("noisy_ocr", "tcga_reports_noisyocr_400.jsonl")):
        counts = {half: Counter[str]() for half in ("even", "odd")}
        for number, record in enumerate(json_lines(folder / "reports" / file)):
            text = re.sub(r"\.(?=\s+[a-z(])", " ", record["text"])
            found = _check(text, str(record.get("ajcc_n") or ""), counts["odd" if number % 2 else "even"])
            if found and number % 2 == 0:
                lines.append(f"{name} {record.get('ref', number)}: {found}")
        figures[name] = {half: {key: row[key] for key in sorted(row)} for half, row in counts.items()}
    if errors:
        (errors / "node_counts_even.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return figures


def _check(text: str, clinical: str, row: Counter[str]) -> str:
    examined, positive = ([v.value for v in values] for values in node_counts(text))
    stated = next((v.value for v in tnm(text, "N") if v.value[:1] in "0123" and v.value != "1c"), "")
    row["reports"] += 1
    row["read"] += bool(examined)
    row["numbers_given"] += bool(_GIVES_NUMBERS.search(text))
    problems = []
    if _GIVES_NUMBERS.search(text) and not examined:
        problems.append("numbers_given_none_read")
    if examined and not positive:
        problems.append("examined_only")
    if examined and positive and (positive[0] > examined[0] or examined[0] > MOST):
        problems.append("impossible")
    if positive and stated:
        row["with_stated_n"] += 1
        if (stated[0] == "0") != (positive[0] == 0):
            problems.append("differs_from_stated_n")
    if positive and clinical[1:2] in tuple("0123"):
        row["with_clinical_n"] += 1
        if (clinical[1] == "0") != (positive[0] == 0):
            problems.append("differs_from_clinical_n")
    row.update(problems)
    return f"{', '.join(problems)} (examined {examined}, positive {positive}, stated N{stated}, clinical {clinical})" if problems else ""
