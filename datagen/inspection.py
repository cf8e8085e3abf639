"""Looking at a dataset: counts, lengths, balance, wording; and figures of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from datagen.output.atomic import make_folder, read_json, whole_file
from datagen.output.finish import MANIFEST
from datagen.output.schema import read_samples

TOP = 15
_BAR, _GAP, _LABEL, _WIDTH = 18, 6, 230, 420


@dataclass(slots=True)
class _Lengths:
    """Values of one measure, by count: exact quantiles in memory that does not grow with the samples."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, value: int) -> None:
        self.counts[value] += 1

    def summary(self) -> dict[str, float]:
        total = sum(self.counts.values())
        if not total:
            return {}
        ordered = sorted(self.counts.items())
        result: dict[str, float] = {"mean": round(sum(v * n for v, n in ordered) / total, 2)}
        for name, share in (("min", 0.0), ("p10", 0.1), ("median", 0.5), ("p90", 0.9), ("max", 1.0)):
            reached = 0
            for value, n in ordered:
                reached += n
                if reached >= share * total and reached > 0:
                    result[name] = value
                    break
        return result


@dataclass(frozen=True, slots=True)
class Inspection:
    """Statistics of a dataset."""

    statistics: Mapping[str, Any]
    figures: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**self.statistics, "figures": list(self.figures)}

    def explain(self) -> str:
        s = self.statistics
        lines = [f"{s['samples']} samples of {s['cases']} cases and {s['patients']} patients; "
                 f"{s['cases_read']} cases read"]
        for name in ("splits", "question_kinds", "scales", "writers", "answers"):
            lines.append(f"{name.replace('_', ' ')}: " + ", ".join(f"{k} {n}" for k, n in s[name].items()))
        for name, values in s["lengths"].items():
            lines.append(f"{name}: " + ", ".join(f"{k} {v:g}" for k, v in values.items()))
        lines.append("diagnoses: " + ", ".join(f"{k} {n}" for k, n in list(s["diagnoses"].items())[:TOP]))
        lines.append("evidence of the steps: " + ", ".join(f"{k} {n}" for k, n in s["evidence"].items()))
        lines.append(f"wording: {s['wording']['distinct_skeletons']} sentence frames in {s['wording']['samples']} samples")
        lines += [f"  {c['class']}: the commonest frame {c['skeleton_share']:.1%}, purest phrase "
                  f"{c['ngram_purity']:.1%} ({c['ngram']!r}), commonest structure {c['structure_share']:.1%}"
                  for c in s["wording"]["classes"][:5]]
        lines.append("rejected: " + (", ".join(f"{k} {n}" for k, n in s["rejected"].items()) or "nothing"))
        if self.figures:
            lines.append("figures: " + ", ".join(self.figures))
        return "\n".join(lines)


def inspect(folder: str | Path, *, figures: str | Path | None = None) -> Inspection:
    """Statistics of a finished dataset.

    Args:
        folder: the ``--out`` folder of a run.
        figures: folder for SVG figures; none are drawn when ``None``.

    Raises:
        InputError: no finished dataset there.
    """
    place = Path(folder)
    manifest = read_json(place / MANIFEST)
    lengths = {name: _Lengths() for name in ("words", "observe_words", "steps", "answer_words", "findings", "options")}
    counters: dict[str, Counter[str]] = {name: Counter() for name in (
        "splits", "question_kinds", "scales", "writers", "answers", "diagnoses", "evidence", "case_kinds", "repairs")}
    cases: set[str] = set()
    patients: set[str] = set()
    for row in read_samples(place):
        cases.add(row["case_id"])
        patients.add(row["patient_id"])
        lengths["words"].add(len(row["text"].split()))
        lengths["observe_words"].add(len(row["observe"].split()))
        lengths["answer_words"].add(len(row["answer"].split()))
        lengths["steps"].add(len(row["steps"]))
        lengths["findings"].add(len(row["findings"]))
        lengths["options"].add(len(row["options"]))
        for name, value in (("splits", row["split"]), ("question_kinds", row["question_kind"]), ("scales", row["scale"]),
                            ("writers", row["writer"]), ("diagnoses", row["diagnosis"]), ("case_kinds", row["case_kind"]),
                            ("repairs", str(row["repairs"])), ("answers", _polarity(row))):
            counters[name][value] += 1
        counters["evidence"].update(_evidence(row))
    statistics: dict[str, Any] = {
        "samples": sum(counters["splits"].values()), "cases": len(cases), "patients": len(patients),
        "cases_read": manifest["counts"]["cases"],
        **{name: dict(sorted(c.items(), key=lambda kv: (-kv[1], kv[0]))) for name, c in counters.items()},
        "lengths": {name: measured.summary() for name, measured in lengths.items()},
        "wording": manifest["templating"], "rejected": manifest["counts"]["rejected"]}
    drawn = _draw(statistics, lengths, Path(figures)) if figures is not None else ()
    return Inspection(statistics, drawn)


def _polarity(row: Mapping[str, Any]) -> str:
    """Whether the answer states presence or absence: a dataset of nothing but "present" teaches to say "present"."""
    answer = json.loads(row["reference_json"]).get("a", [])
    signs = {str(a)[-1:] for a in answer}
    return "absent" if signs == {"-"} else "present" if signs == {"+"} else "mixed or other"


def _evidence(row: Mapping[str, Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in json.loads(row["certificate_json"])["parts"]:
        if part["name"].startswith("step"):
            kinds = {e["kind"] for item in (*part["claims"], *part["entities"]) for e in item["evidence"]}
            found["report and graph" if len(kinds) == 2 else next(iter(kinds), "nothing to check")] += 1
    return found


def _draw(statistics: Mapping[str, Any], lengths: Mapping[str, _Lengths], folder: Path) -> tuple[str, ...]:
    make_folder(folder)
    charts = {name: list(statistics[name].items())[:TOP] for name in (
        "question_kinds", "diagnoses", "splits", "rejected", "evidence", "answers")}
    for name in ("words", "steps", "findings"):
        charts[name] = _histogram(lengths[name].counts)
    names = []
    for name, bars in charts.items():
        if bars:
            with whole_file(folder / f"{name}.svg") as handle:
                handle.write(bar_chart(name.replace("_", " "), bars))
            names.append(f"{name}.svg")
    return tuple(names)


def _histogram(counts: Counter[int], bins: int = 12) -> list[tuple[str, int]]:
    if not counts:
        return []
    low, high = min(counts), max(counts)
    width = max(1, -(-(high - low + 1) // bins))
    grouped: Counter[int] = Counter()
    for value, n in counts.items():
        grouped[(value - low) // width] += n
    return [(f"{low + i * width}–{low + (i + 1) * width - 1}" if width > 1 else str(low + i), grouped[i])
            for i in range(max(grouped) + 1)]


def bar_chart(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """A horizontal bar chart as SVG.

    Example:
        >>> bar_chart("kinds", [("diagnosis", 3)]).startswith("<svg")
        True
    """
    most = max(n for _, n in bars) or 1
    height = 34 + len(bars) * (_BAR + _GAP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABEL + _WIDTH + 70}" height="{height}" '
             f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
             f'<text x="8" y="18" font-size="14" font-weight="bold">{escape(title)}</text>']
    for i, (label, n) in enumerate(bars):
        y = 28 + i * (_BAR + _GAP)
        shown = label if len(label) <= 34 else label[:33] + "…"
        lines.append(f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(shown)}</text>'
                     f'<rect x="{_LABEL}" y="{y}" width="{_WIDTH * n / most:.1f}" height="{_BAR}" fill="#4c78a8"/>'
                     f'<text x="{_LABEL + _WIDTH * n / most + 5:.1f}" y="{y + 13}">{n}</text>')
    return "\n".join([*lines, "</svg>", ""])
