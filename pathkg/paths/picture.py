"""A case as a picture: findings on the left, candidate diagnoses on the right, evidence as ribbons between them.

Green speaks for, red against; the width of a ribbon is the weight of the evidence. One text of SVG, no scripts, readable in
light and dark surroundings; ``pathkg explain --html`` puts it on a page with the evidence in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pathkg.paths.support import Candidate, CaseExplanation, Evidence
from pathkg.paths.words import absent_words, path_in_words

WIDTH = 1120
_LEFT, _CARD, _RIGHT = 30, 300, 690
_FINDING_HEIGHT, _GAP = 46, 14
_CANDIDATE_HEIGHT = 92
_TOP = 84
_WIDEST = 15.0
_CHARACTERS = 34
_NAME = 34

STYLE = """
.pk{--ink:#1c2430;--soft:#5d6b7e;--line:#d9dfe7;--card:#ffffff;--back:#f6f8fb;--for:#1f8a5b;--against:#c8453b;--track:#e9edf2}
@media (prefers-color-scheme:dark){.pk{--ink:#e8edf4;--soft:#9aa8ba;--line:#334052;--card:#1b2430;--back:#121821;--for:#4cc38a;
--against:#f0766c;--track:#2a3544}}
.pk text{font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--ink)}
.pk .back{fill:var(--back)}.pk .card{fill:var(--card);stroke:var(--line)}.pk .soft{fill:var(--soft)}
.pk .for{fill:var(--for)}.pk .against{fill:var(--against)}.pk .track{fill:var(--track)}
.pk .ribbon{fill:none;stroke-linecap:butt;opacity:.42;transition:opacity .15s}.pk .ribbon:hover{opacity:.95}
.pk .r-for{stroke:var(--for)}.pk .r-against{stroke:var(--against)}.pk .far{stroke-dasharray:9 5;opacity:.3}
"""

_TYPE_COLOR = {"morphology": "#7a5cc2", "marker_result": "#c27b1f", "effect/phenotype": "#2f7fc1", "cell": "#2a9d8f",
               "stage": "#8a8f98", "grade": "#8a8f98", "marker": "#c27b1f", "gene/protein": "#b0457b",
               "anatomy": "#4f8a3d"}


def case_svg(case: CaseExplanation, *, candidates: int = 6) -> str:
    """The picture of a case as one SVG document.

    Args:
        case: of :func:`~pathkg.paths.support.explain_case`.
        candidates: how many of the best candidates to draw.
    """
    shown = case[:candidates]
    rows = len(case.findings)
    left_height = rows * (_FINDING_HEIGHT + _GAP) - _GAP
    right_height = max(1, len(shown)) * (_CANDIDATE_HEIGHT + _GAP) - _GAP
    body = max(left_height, right_height, 60)
    height = _TOP + body + 58
    left_top, right_top = _TOP + (body - left_height) / 2, _TOP + (body - right_height) / 2
    finding_at = {node.id: left_top + i * (_FINDING_HEIGHT + _GAP) for i, (node, _) in enumerate(case.findings)}
    strongest = max((abs(e.weight) for c in shown for e in (*c.support, *c.against)), default=1.0)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="pk" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
             f'height="{height:.0f}" role="img" aria-label="Evidence for and against candidate diagnoses">',
             f"<style>{STYLE}</style>", f'<rect class="back" width="{WIDTH}" height="{height:.0f}" rx="14"/>',
             _text(_LEFT, 38, "Evidence for and against", 21, weight=650),
             _text(_LEFT, 61, _subtitle(case, len(shown)), 13, soft=True)]
    parts += _ribbons(shown, finding_at, right_top, strongest)
    for node, polarity in case.findings:
        parts.append(_finding(node.name, node.type, polarity, finding_at[node.id]))
    largest = max([sum(e.weight for e in c.support) for c in shown]
                  + [-sum(e.weight for e in c.against) for c in shown] + [1e-9])
    for i, candidate in enumerate(shown):
        parts.append(_candidate(i + 1, candidate, right_top + i * (_CANDIDATE_HEIGHT + _GAP), largest))
    if not shown:
        parts.append(_text(_RIGHT, right_top + 30, "no candidate: nothing joins these findings to a diagnosis", 14, soft=True))
    parts += _legend(height - 22)
    parts.append("</svg>")
    return "\n".join(parts)


def _subtitle(case: CaseExplanation, shown: int) -> str:
    more = f", best {shown} of {len(case)} candidates" if shown < len(case) else ""
    plural = "s" if len(case.findings) != 1 else ""
    return f"{len(case.findings)} finding{plural}{more} · ribbons as wide as the evidence is strong · research use, not for diagnosis"


def _ribbons(shown: Sequence[Candidate], finding_at: dict[str, float], right_top: float, strongest: float) -> list[str]:
    """Curves from findings to candidates; ends are spread so that no two lie on one another."""
    ends = [(i, e) for i, c in enumerate(shown) for e in (*c.support, *c.against) if e.finding.id in finding_at]
    wide = {id(e): max(1.4, _WIDEST * abs(e.weight) / strongest) for _, e in ends}
    left_used: dict[str, float] = {}
    left_sum: dict[str, float] = {}
    right_sum: dict[int, float] = {}
    for i, e in ends:
        left_sum[e.finding.id] = left_sum.get(e.finding.id, 0.0) + wide[id(e)]
        right_sum[i] = right_sum.get(i, 0.0) + wide[id(e)]
    order = {f: i for i, f in enumerate(finding_at)}
    drawn = []
    for i in range(len(shown)):
        used = 0.0
        for _, e in sorted((x for x in ends if x[0] == i), key=lambda x: order[x[1].finding.id]):
            w = wide[id(e)]
            shrink = min(1.0, (_FINDING_HEIGHT - 8) / left_sum[e.finding.id])
            squeeze = min(1.0, (_CANDIDATE_HEIGHT - 10) / right_sum[i])
            y1 = (finding_at[e.finding.id] + _FINDING_HEIGHT / 2 - left_sum[e.finding.id] * shrink / 2
                  + (left_used.get(e.finding.id, 0.0) + w / 2) * shrink)
            left_used[e.finding.id] = left_used.get(e.finding.id, 0.0) + w
            top = right_top + i * (_CANDIDATE_HEIGHT + _GAP)
            y2 = top + _CANDIDATE_HEIGHT / 2 - right_sum[i] * squeeze / 2 + (used + w / 2) * squeeze
            used += w
            drawn.append((w, _ribbon(e, y1, y2, w * min(shrink, squeeze))))
    return [text for _, text in sorted(drawn, key=lambda d: -d[0])]


def _ribbon(evidence: Evidence, y1: float, y2: float, width: float) -> str:
    side = "for" if evidence.weight > 0 else "against"
    marker = evidence.path.length == 2 and evidence.path.edges[0].relation == "result_of"
    far = " far" if evidence.path.length > 1 and not marker else ""
    x1, x2 = _LEFT + _CARD, _RIGHT
    bend = (x2 - x1) * 0.48
    title = escape(f"{evidence.weight:+.2f}  {path_in_words(evidence.path)}")
    return (f'<path class="ribbon r-{side}{far}" data-f="{escape(evidence.finding.id, quote=True)}" '
            f'data-c="{escape(evidence.path.nodes[-1].id, quote=True)}" stroke-width="{max(1.2, width):.1f}" '
            f'd="M{x1} {y1:.1f}C{x1 + bend:.0f} {y1:.1f} {x2 - bend:.0f} {y2:.1f} {x2} {y2:.1f}"><title>{title}</title></path>')


def _finding(name: str, type_: str, polarity: str, y: float) -> str:
    color = _TYPE_COLOR.get(type_, "#6b7785")
    absent = polarity == "-"
    kind = f"{type_.replace('_', ' ')}{', absent' if absent else ''}"
    dash = ' stroke-dasharray="5 4"' if absent else ""
    words = absent_words(name, type_) if absent else name
    return (f'<g><rect class="card" x="{_LEFT}" y="{y:.1f}" width="{_CARD}" height="{_FINDING_HEIGHT}" rx="9"{dash}/>'
            f'<rect x="{_LEFT}" y="{y + 8:.1f}" width="4" height="{_FINDING_HEIGHT - 16}" rx="2" fill="{color}"/>'
            + _text(_LEFT + 17, y + 20, words, 14.5, weight=560) + _text(_LEFT + 17, y + 36, kind, 11, soft=True) + "</g>")


def _candidate(place: int, candidate: Candidate, y: float, largest: float) -> str:
    x, width = _RIGHT, WIDTH - _RIGHT - 30
    bar, middle = width - 34, y + 54
    plus = sum(e.weight for e in candidate.support)
    minus = -sum(e.weight for e in candidate.against)
    both = max(1e-9, 2 * largest)
    zero = x + 17 + bar / 2
    return (f'<g><rect class="card" x="{x}" y="{y:.1f}" width="{width}" height="{_CANDIDATE_HEIGHT}" rx="11"/>'
            + "".join(_text(x + 17, y + at, line, 14.5, weight=640, room=_NAME)
                      for at, line in _lines(f"{place}. {candidate.node.name}"))
            + _text(x + 17, y + 81, candidate.node.id, 11, soft=True, room=60)
            + _text(x + width - 17, y + 32, f"{candidate.score:+.2f}", 16, weight=650, end=True)
            + f'<rect class="track" x="{x + 17}" y="{middle:.1f}" width="{bar}" height="8" rx="4"/>'
            + f'<rect class="against" x="{zero - bar * minus / both:.1f}" y="{middle:.1f}" width="{bar * minus / both:.1f}" '
              'height="8" rx="3"/>'
            + f'<rect class="for" x="{zero:.1f}" y="{middle:.1f}" width="{bar * plus / both:.1f}" height="8" rx="3"/>'
            + f'<rect class="soft" x="{zero - 0.75:.1f}" y="{middle - 3:.1f}" width="1.5" height="14"/></g>')


def _lines(name: str) -> list[tuple[int, str]]:
    """The name on one line, or broken at a space on two (what is still too long is cut later)."""
    if len(name) <= _NAME or " " not in name[:_NAME]:
        return [(32, name)]
    at = name[:_NAME + 1].rindex(" ")
    return [(23, name[:at]), (41, name[at + 1:])]


def _legend(y: float) -> list[str]:
    items = (("for", "speaks for", ""), ("against", "speaks against", ""),
             ("for", "by way of a relative: a kind, a parent, a look-alike", " far"))
    parts, x = [], float(_LEFT)
    for side, words, far in items:
        parts.append(f'<path class="ribbon r-{side}{far}" style="opacity:.75" stroke-width="6" d="M{x:.0f} {y - 4:.0f}h34"/>')
        parts.append(_text(x + 42, y, words, 12, soft=True, room=80))
        x += 62 + 7 * len(words)
    return parts


def _text(x: float, y: float, words: str, size: float, *, weight: int = 400, soft: bool = False, end: bool = False,
          room: int = 0) -> str:
    room = room or round(_CHARACTERS * 14.5 / size)
    cut = words if len(words) <= room or y < _TOP else words[:room - 1] + "…"
    anchor = ' text-anchor="end"' if end else ""
    css = ' class="soft"' if soft else ""
    title = f"<title>{escape(words)}</title>" if cut != words else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"{anchor}{css}>{escape(cut)}{title}</text>')
