"""Draw ``docs/assets/overview.svg``, and a narrow one for phones, from a bundled example case: all of it is computed here.

    python docs/draw_overview.py

Report text, linked findings, graph paths, the verified trajectory, and what the reward gives it and spoiled copies.
"""

from __future__ import annotations

import re
import textwrap
from html import escape
from pathlib import Path

import pathkg
from datagen import api
from datagen.cases import read_cases
from pathkg.linking import linker_for
from pathkg.rewards import CompositeReward
from pathkg.rewards.redteam.edits import flip_negation, stuff_entities

ROOT = Path(__file__).resolve().parents[1]
CASE, OTHER = "EX-LUNG-01", "lung adenocarcinoma"
OUT = ROOT / "docs" / "assets" / "overview.svg"
PHONE = OUT.with_name("overview-phone.svg")

INK, FAINT, LINE, CARD = "#1a1d21", "#555c66", "#c9ced6", "#ffffff"
TONES = {"disease": "#b3122f", "morphology": "#6a2c91", "marker_result": "#00666b", "marker": "#00666b",
         "anatomy": "#1b4f9c", "stage": "#7a4b00", "grade": "#7a4b00"}
_EDGE = re.compile(r"—[^→]+→|←[^—]+—")
STATUS = {"present": ("✓", "#0d6b3a"), "absent": ("✗", "#a31621"), "possible": ("?", "#7a5200")}
WIDTH, HEIGHT = 1240, 800


class Picture:
    """SVG by hand: boxes, lines and text."""

    def __init__(self, *, narrow: bool = False) -> None:
        self.parts: list[str] = []
        self.narrow = narrow

    def text(self, x: float, y: float, words: str, *, size: float = 14, tone: str = INK, bold: bool = False,
             anchor: str = "start", italic: bool = False, strike: bool = False) -> None:
        style = f"font-size:{size}px;fill:{tone}" + (";font-weight:600" if bold else "") \
            + (";font-style:italic" if italic else "") + (";text-decoration:line-through" if strike else "")
        self.parts.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" style="{style}">{escape(words)}</text>')

    def card(self, x: float, y: float, width: float, height: float, number: int, title: str) -> None:
        self.parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="{CARD}" stroke="{LINE}"/>')
        self.parts.append(f'<circle cx="{x + 22}" cy="{y + 23}" r="12" fill="#2a3eb1"/>')
        self.text(x + 22, y + 28, str(number), tone="#ffffff", bold=True, anchor="middle")
        self.text(x + 42, y + 28, title, size=15, bold=True)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, tone: str = FAINT) -> None:
        self.parts.append(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{tone}" stroke-width="1.8" '
                          'marker-end="url(#tip)"/>')

    def dot(self, x: float, y: float, tone: str, radius: float = 7) -> None:
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius}" fill="{tone}"/>')

    def svg(self, description: str, *, width: int = WIDTH, height: int = HEIGHT) -> str:
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
                f'aria-labelledby="title what" font-family="system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif">\n'
                f'<title id="title">From a report to a verified trajectory and its reward</title>\n<desc id="what">{escape(description)}</desc>\n'
                '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
                f'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{FAINT}"/></marker></defs>\n'
                f'<rect width="{width}" height="{height}" fill="#f3f4f8"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def main() -> None:
    graph = pathkg.load()
    case = next(c for c in read_cases(ROOT / "pathkg" / "data" / "examples" / "cases.jsonl") if c.case_id == CASE)
    made = api.generate_case(case, graph=graph)
    words = (f"Example case {CASE}. The report is linked to findings with a status each; paths in the graph lead from the findings to "
             f"{made.plan.diagnosis.name if made.plan else 'the diagnosis'}; each step of the written reasoning is checked against "
             "report and graph; the reward pays the faithful text most.")
    cards = [_report, _findings, _paths, _trajectory, _reward]
    wide = Picture()
    for card in cards:
        card(wide, made, graph)
    for x1, y1, x2, y2 in ((402, 205, 426, 205), (806, 205, 830, 205), (616, 392, 616, 416), (806, 600, 830, 600)):
        wide.arrow(x1, y1, x2, y2)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(wide.svg(words), encoding="utf-8")
    narrow, y = Picture(), 14  # cards below each other
    for card in cards:
        part = Picture(narrow=True)
        x, top, height = card(part, made, graph)
        narrow.parts += [f'<g transform="translate({12 - x} {y - top})">', *part.parts, "</g>"]
        y += height + 14
    PHONE.write_text(narrow.svg(words, width=412, height=y), encoding="utf-8")
    print(OUT.relative_to(ROOT), PHONE.relative_to(ROOT))


Place = tuple[int, int, int]
"""Left, top and height of a card; on a phone they stand below each other."""


def _report(picture: Picture, made: api.GeneratedCase, graph: pathkg.KnowledgeGraph) -> Place:
    text, mentions = made.case.text, made.mentions
    picture.card(20, 20, 388 if picture.narrow else 380, 370, 1, "A report")
    start = text.index("Microscopic")
    lines = textwrap.wrap(text[start:], 46)[:13]
    y, position = 76.0, start
    for line in lines:
        spans = []
        for word in line.split(" "):
            at = text.index(word, position)
            position = at + len(word)
            mention = next((m for m in mentions if m.start <= at < m.end), None)
            style = f"fill:{TONES.get(mention.type, INK)};font-weight:600" if mention else ""
            if mention is not None and str(mention.assertion) == "absent":
                style += ";text-decoration:line-through"
            spans.append(f'<tspan style="{style}">{escape(word)}</tspan>')
        picture.parts.append(f'<text x="38" y="{y:g}" style="font-size:13px;fill:{INK}">{" ".join(spans)}</text>')
        y += 24
    return 20, 20, 370


def _findings(picture: Picture, made: api.GeneratedCase, graph: pathkg.KnowledgeGraph) -> Place:
    picture.card(428, 20, 388 if picture.narrow else 376, 370, 2, "Findings: one node, one status each")
    wanted = [m for m in made.mentions if m.type in TONES and m.name not in ("neoplasm", "lymph node")]
    shown = [m for m in wanted if m.type in ("morphology", "marker_result", "marker", "disease", "stage", "grade")]
    shown = sorted({m.id: m for m in shown}.values(), key=lambda m: m.start)
    y = 76.0
    for mention in shown[:13]:
        sign, tone = STATUS.get(str(mention.assertion), ("·", FAINT))
        picture.text(446, y, sign, tone=tone, bold=True)
        picture.text(466, y, mention.name, size=13, tone=TONES[mention.type], bold=True)
        if len(mention.name) < 20:
            picture.text(790, y, mention.id, size=11, tone=FAINT, anchor="end")
        y += 24
    return 428, 20, 370


def _paths(picture: Picture, made: api.GeneratedCase, graph: pathkg.KnowledgeGraph) -> Place:
    picture.card(832, 20, 388, 370, 3, "Paths in the graph")
    words: list[str] = []
    for step in made.certificate.steps:
        for claim in step.claims:
            words += [e.text for e in claim.evidence if e.kind == "graph" and claim.stance == "supports"]
    names = {m.name: m.type for m in made.mentions}
    words = [w for w in dict.fromkeys(words) if names.get(_EDGE.split(w)[0].strip()) not in (None, "disease")]
    # what argues for the diagnosis before what merely goes with it; a stable sort keeps the order of the text
    chosen = sorted(words, key=lambda w: ("supports" not in w, len(_EDGE.findall(w))))[:5]
    left, top, height = 1112, 160, 112
    picture.parts.append(f'<rect x="{left}" y="{top}" width="94" height="{height}" rx="10" fill="{TONES["disease"]}"/>')
    lines = textwrap.wrap(made.plan.diagnosis.name if made.plan else "", 10)
    for i, line in enumerate(lines):
        picture.text(left + 47, top + height / 2 + 5 + 18 * (i - (len(lines) - 1) / 2), line, size=13.5, bold=True,
                     tone="#ffffff", anchor="middle")
    for number, path in enumerate(chosen):
        y = 86.0 + 58 * number
        stops = [name.strip() for name in _EDGE.split(path)]
        relation = _EDGE.findall(path)[-1].strip(" —←→").replace("_", " ")
        picture.dot(858, y - 4, TONES.get(names.get(stops[0], "morphology"), INK))
        picture.text(874, y, stops[0], size=13, bold=True)
        picture.text(874, y + 16, relation, size=11.5, tone=FAINT)
        if len(stops) > 2:
            picture.text(874, y + 31, f"via {', '.join(stops[1:-1])}", size=11.5, tone=FAINT)
        picture.arrow(1062, y + 2, left - 3, top + height / 2 + (number - 2) * 20)
    picture.text(850, 374, "every edge has a source and an id; the store has a content hash", size=11, tone=FAINT)
    return 832, 20, 370


def _trajectory(picture: Picture, made: api.GeneratedCase, graph: pathkg.KnowledgeGraph) -> Place:
    against = [s for s in made.certificate.steps if any(c.stance == "opposes" for c in s.claims)][:1]
    reasons = [s for s in made.certificate.steps if s.claims and s not in against][:4]
    shown = [s for s in made.certificate.steps if s in reasons or s in against]
    rows = [("observe", made.certificate.parts[0]), *((s.name, s) for s in shown), ("answer", made.certificate.parts[-1])]
    letters, most, left = (52, 3, 44) if picture.narrow else (88, 2, 124)
    wrapped = [textwrap.wrap(part.text, letters, max_lines=most, placeholder=" …") for _, part in rows]
    height = 88 + sum(17 * len(lines) + 28 for lines in wrapped) if picture.narrow else 364
    picture.card(20, 418, 388 if picture.narrow else 784, height, 4, "A trajectory, every step checked")
    y = 472.0
    for (name, part), lines in zip(rows, wrapped, strict=True):
        picture.text(44, y, "✓" if part.verdict == "supported" else "✗", tone="#0d6b3a", bold=True)
        picture.text(62, y, name, size=13, tone=FAINT)
        y += 18 if picture.narrow else 0
        for i, line in enumerate(lines):
            picture.text(left, y + 17 * i, line, size=12.5 if picture.narrow else 13.5)
        y += 17 * len(lines) + (10 if picture.narrow else 7)
    again = "" if picture.narrow else " · anyone can run it again"
    picture.text(44, 418 + height - 11, f"certificate: {made.certificate.verdict} · seal {made.certificate.seal[7:19]}…{again}",
                 size=12, tone=FAINT)
    return 20, 418, height


def _reward(picture: Picture, made: api.GeneratedCase, graph: pathkg.KnowledgeGraph) -> Place:
    picture.card(832, 418, 388, 364, 5, "A reward that pays the faithful text")
    reward, gold = CompositeReward(store=str(graph.path)), made.trajectory
    written, diagnosis = gold.render(), made.plan.diagnosis.name if made.plan else ""
    rows = [("as written", written), ("one negation flipped", flip_negation(gold, linker=linker_for(graph))),
            ("another stage", written.replace("pT2b", "pT4")), ("another diagnosis", written.replace(diagnosis, OTHER)),
            ("stuffed with entities", stuff_entities(gold, graph=graph)),
            ("only the tags", "<observe></observe><think></think><answer></answer>")]
    assert len({text for _, text in rows}) == len(rows)
    y = 474.0
    for label, text in rows:
        total = reward.score(text, made.reference).total or 0.0
        picture.text(852, y, label, size=13)
        picture.parts.append(f'<rect x="852" y="{y + 8}" width="{260 * max(total, 0.004) / 2.5:.1f}" height="12" rx="3" '
                             f'fill="{"#0d6b3a" if total >= 2.5 else "#2a3eb1"}"/>')
        picture.text(1130, y + 19, f"{total:.2f}", size=14, bold=True)
        y += 45
    picture.text(852, 752, "format + semantic + ½ entity, at most 2.50", size=12, tone=FAINT)
    picture.text(852, 769, "unchanged in TRL, verl, EasyR1, OpenRLHF, ms-swift", size=12, tone=FAINT)
    return 832, 418, 364


if __name__ == "__main__":
    main()
