"""The NegEx set: is the named concept negated in the sentence?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from linking_parts.data import json_lines

import pathkg
from pathkg.linking import linker_for

_TRIGGERS = re.compile(r"\b(no|not|without|denies|denied|negative|never|free of|absence of|rules? out|ruled out)\b", re.I)


def measure(folder: Path, errors: Path | None) -> dict[str, Any]:
    linker = linker_for(pathkg.load())
    counts, plain = [0, 0, 0, 0], [0, 0, 0, 0]
    lines = []
    for record in json_lines(folder / "linking" / "negex" / "dev.jsonl"):
        sentence = record["sentence"]
        match = (re.search(r"\b" + re.escape(record["concept"].strip()), sentence)
                 or re.search(re.escape(record["concept"].strip()), sentence, re.I))
        if match is None:
            counts[3] += 1
            plain[3] += 1
            continue
        status = linker.assertion_of(sentence, *match.span())
        gold = record["negation"] == "Negated"
        said = str(status) == "absent"
        _count(counts, gold, said)
        _count(plain, gold, _TRIGGERS.search(sentence[:match.start()]) is not None)
        if gold != said:
            lines.append(f"{'MISSED' if gold else 'WRONG'} {record['concept']!r} ({status}) {sentence}")
    if errors:
        (errors / "negex.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"negated_f1": _f1(counts), "concepts": sum(counts), "right_not_negated": counts[3],
            "baseline_trigger_before_concept_f1": _f1(plain)}


def _count(counts: list[int], gold: bool, said: bool) -> None:
    if gold and said:
        counts[0] += 1
    elif said:
        counts[1] += 1
    elif gold:
        counts[2] += 1
    else:
        counts[3] += 1


def _f1(counts: list[int]) -> float:
    return round(2 * counts[0] / (2 * counts[0] + counts[1] + counts[2]), 4)
