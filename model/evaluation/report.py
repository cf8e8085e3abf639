"""The evaluation report: one JSON, and one HTML page that stands alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from model.evaluation.scoring import Scored
from model.evaluation.statistics import mcnemar, paired

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1d2733;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #d5dbe3;padding-bottom:.2rem}
table{border-collapse:collapse;margin:.6rem 0}th,td{padding:.25rem .7rem;text-align:left;border-bottom:1px solid #e6eaf0}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.bar{display:inline-block;height:.7rem;background:#4477aa}
.note{color:#55606e}.good{color:#1b7837}.bad{color:#b2182b}details{margin:.4rem 0}pre{white-space:pre-wrap;margin:.3rem 0}
@media(prefers-color-scheme:dark){body{background:#14181d;color:#dde3ea}th,td{border-color:#2c343d}h2{border-color:#2c343d}
.note{color:#98a4b3}.good{color:#7fc97f}.bad{color:#f4a582}}
"""

USED_MARGIN = 0.2
"""The slide is called used when accuracy with the right slide is at least this much above the shuffled one and the
paired test agrees."""

SIGNIFICANT = 0.05


def compare_controls(slide: Sequence[Scored], control: Sequence[Scored]) -> dict[str, Any]:
    """The right slide against a control, case by case."""
    by_id = {s.id: s for s in control}
    pairs = [(s, by_id[s.id]) for s in slide if s.id in by_id]
    judged = [(bool(a.correct), bool(b.correct)) for a, b in pairs if a.correct is not None and b.correct is not None]
    result: dict[str, Any] = {"n": len(judged)}
    if judged:
        first, second = [a for a, _ in judged], [b for _, b in judged]
        gap = paired([float(x) for x in first], [float(x) for x in second])
        result["accuracy"] = {"slide": sum(first) / len(first), "control": sum(second) / len(second),
                              **{k: round(v, 6) for k, v in gap.items()}, "mcnemar_p": mcnemar(first, second)}
    for name in ("entity_f1", "entity_reward", "semantic"):
        values = [(a.values.get(name), b.values.get(name)) for a, b in pairs]
        kept = [(x, y) for x, y in values if x is not None and y is not None]
        if kept:
            result[name] = {k: round(v, 6) for k, v in paired([x for x, _ in kept], [y for _, y in kept]).items()}
    return result


def slide_was_used(controls: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The verdict on whether the slide was used, from the shuffled control; ``None`` without one."""
    shuffled = controls.get("shuffled", {}).get("accuracy")
    if shuffled is None:
        return None
    used = shuffled["difference"] >= USED_MARGIN and shuffled["mcnemar_p"] < SIGNIFICANT
    return {"used": used, "difference": shuffled["difference"], "mcnemar_p": shuffled["mcnemar_p"],
            "rule": f"accuracy with the right slide at least {USED_MARGIN:.0%} above another case's slide, and McNemar "
                    f"p below {SIGNIFICANT}"}


def write_report(folder: str | Path, figures: Mapping[str, Any], cases: Mapping[str, Sequence[Scored]]) -> tuple[Path, Path]:
    """Write ``report.json`` (figures and every case) and ``report.html``; returns both paths."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    whole = {**figures, "cases": {name: [s.to_dict() for s in rows] for name, rows in cases.items()}}
    json_file, html_file = root / "report.json", root / "report.html"
    json_file.write_text(json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
    html_file.write_text(_page(figures, cases), encoding="utf-8")
    return json_file, html_file


def _page(figures: Mapping[str, Any], cases: Mapping[str, Sequence[Scored]]) -> str:
    main = figures["conditions"]["slide"]
    parts = [f"<h1>Evaluation: {escape(str(figures.get('title', 'slide VLM')))}</h1>",
             f"<p class=note>{main['n']} cases. Research use only, not for diagnosis. Intervals are 95%: Wilson for "
             "shares, bootstrap for means.</p>", _used(figures.get("slide_used")), "<h2>Accuracy</h2>",
             _accuracy(figures["conditions"])]
    parts += ["<h2>Rewards, entities and text</h2>", _means(main), "<h2>Certificates</h2>", _certificates(main),
              "<h2>Calibration</h2>", _calibration(main)]
    for key, title in (("by_organ", "By organ"), ("by_question_kind", "By kind of question")):
        if main.get(key):
            parts += [f"<h2>{title}</h2>", _strata(main[key])]
    parts += ["<h2>Cases</h2>", _cases(cases["slide"])]
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Evaluation</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n")


def _used(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "<p class=note>No shuffled control was run, so nothing is said about whether the slide was used.</p>"
    word, mark = ("was used", "good") if verdict["used"] else ("was not shown to be used", "bad")
    return (f"<p><b class={mark}>The slide {word}.</b> Right slide minus another case's slide: "
            f"{100 * verdict['difference']:+.1f} points (McNemar p = {verdict['mcnemar_p']:.2g}). "
            f"<span class=note>Rule: {escape(verdict['rule'])}.</span></p>")


def _accuracy(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, figures in conditions.items():
        for label, part in (("all", figures), ("closed", figures["closed"]), ("open", figures["open"])):
            if part.get("accuracy"):
                rows.append([escape(name.replace("_", " ")), label, *_estimate(part["accuracy"])])
    return _table(["condition", "questions", "accuracy", "95% interval", "n", ""], rows)


def _means(figures: Mapping[str, Any]) -> str:
    rows = [[escape(name.replace("_", " ")), *_estimate(value, percent=False), str(figures["unscored"].get(name, 0))]
            for name, value in figures["means"].items() if value]
    bleu = figures["open"].get("bleu")
    note = f"<p class=note>Corpus BLEU {bleu['score']:.1f} ({escape(bleu['signature'])})</p>" if bleu else ""
    return _table(["measure", "mean", "95% interval", "n", "", "not scored"], rows) + note


def _certificates(figures: Mapping[str, Any]) -> str:
    if "certificates" not in figures:
        return "<p class=note>Not measured.</p>"
    rows = [[verdict, *_estimate(value), str(figures["steps"].get(verdict, ""))]
            for verdict, value in figures["certificates"].items() if value]
    return _table(["verdict", "answers", "95% interval", "n", "", "steps"], rows)


def _calibration(figures: Mapping[str, Any]) -> str:
    calibration = figures.get("calibration")
    if not calibration:
        return "<p class=note>No confidences.</p>"
    rows = [[f"{b['bin']:.1f}–{b['bin'] + 0.1:.1f}", str(b["n"]), f"{b['confidence']:.3f}", f"{b['accuracy']:.3f}"]
            for b in calibration["bins"]]
    return (f"<p>Expected calibration error {calibration['ece']:.3f} over {calibration['n']} answers "
            "(confidence: geometric mean of the answer tokens' probabilities).</p>"
            + _table(["confidence bin", "n", "mean confidence", "accuracy"], rows))


def _strata(groups: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, figures in groups.items():
        if figures["accuracy"]:
            entity = figures["means"].get("entity_f1")
            rows.append([escape(name), *_estimate(figures["accuracy"]), f"{entity['value']:.3f}" if entity else ""])
    return _table(["", "accuracy", "95% interval", "n", "", "entity F1"], rows)


def _cases(rows: Sequence[Scored], *, limit: int = 200) -> str:
    parts = []
    for s in rows[:limit]:
        mark = "" if s.correct is None else ("✓ " if s.correct else "✗ ")
        parts.append(f"<details><summary>{mark}{escape(s.id)}: {escape(s.answer[:100])} "
                     f"<span class=note>(reference: {escape(s.gold[:100])}; {escape(s.verdict)})</span></summary>"
                     f"<pre>{escape(s.text)}</pre></details>")
    if len(rows) > limit:
        parts.append(f"<p class=note>{len(rows) - limit} more cases are in report.json.</p>")
    return "".join(parts)


def _estimate(value: Mapping[str, Any], *, percent: bool = True) -> list[str]:
    def show(number: float) -> str:
        return f"{100 * number:.1f}%" if percent else f"{number:.3f}"

    return [show(value["value"]), f"{show(value['low'])} – {show(value['high'])}", str(value["n"]),
            f"<span class=bar style='width:{max(0.0, min(1.0, value['value'])) * 8:.2f}rem'></span>"]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(heads))]
    head = "".join(f"<th{' class=n' if n else ''}>{escape(h)}</th>" for h, n in zip(heads, numeric, strict=True))
    body = "".join("<tr>" + "".join(f"<td{' class=n' if n else ''}>{cell}</td>"
                                    for cell, n in zip(row, numeric, strict=True)) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _is_number(cell: str) -> bool:
    return bool(cell) and cell[0].isdigit()
