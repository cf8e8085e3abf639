"""A case as one self-contained HTML page: the picture, then the evidence of each candidate in words."""

from __future__ import annotations

from html import escape

from pathkg.paths.picture import case_svg
from pathkg.paths.support import Candidate, CaseExplanation, Evidence
from pathkg.paths.words import absent_words, path_in_words

_STYLE = """
:root{--ink:#1c2430;--soft:#5d6b7e;--line:#d9dfe7;--card:#fff;--back:#eef1f6;--for:#1f8a5b;--against:#c8453b}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf4;--soft:#9aa8ba;--line:#334052;--card:#1b2430;--back:#0d1219;--for:#4cc38a;
--against:#f0766c}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 24px 60px}svg{width:100%;height:auto;display:block}
.candidates{display:grid;gap:16px;margin-top:20px}
article{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 20px}
article h2{font-size:17px;margin:0 0 2px;display:flex;justify-content:space-between;gap:16px}
article h2 b{font-variant-numeric:tabular-nums}.id,footer{color:var(--soft);font-size:12.5px}
table{width:100%;border-collapse:collapse;margin-top:10px}td{padding:6px 8px 6px 0;border-top:1px solid var(--line);
vertical-align:top}td.w{width:64px;font-variant-numeric:tabular-nums;font-weight:640;white-space:nowrap}
td.f{width:240px;font-weight:560}td.for{color:var(--for)}td.against{color:var(--against)}
.edge{color:var(--soft)}.silent{color:var(--soft);margin:10px 0 0;font-size:13.5px}footer{margin-top:26px}
.dim .ribbon{opacity:.06}.dim .ribbon.on{opacity:.9}
@media(max-width:720px){td.f{width:auto;display:block;border:0;padding-bottom:0}td{display:block;border:0;padding:2px 0}
tr{display:block;border-top:1px solid var(--line);padding:6px 0}}
"""

_SCRIPT = """
const board=document.querySelector('svg.pk');
for(const card of document.querySelectorAll('article')){
 card.onmouseenter=()=>{board.classList.add('dim');
  for(const r of board.querySelectorAll('.ribbon'))r.classList.toggle('on',r.dataset.c===card.dataset.c)};
 card.onmouseleave=()=>board.classList.remove('dim');}
"""


def case_html(case: CaseExplanation, *, candidates: int = 6) -> str:
    """The page of a case; needs no network and no other file.

    Args:
        case: of :func:`~pathkg.paths.support.explain_case`.
        candidates: how many of the best candidates to show.
    """
    unknown = "".join(f"<p class='silent'>left out: {escape(message)}</p>" for message in case.unknown)
    cards = "\n".join(_card(i, c) for i, c in enumerate(case[:candidates], 1))
    return (f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
            f"content='width=device-width,initial-scale=1'><title>Evidence for and against</title><style>{_STYLE}</style>"
            f"</head><body><main>\n{case_svg(case, candidates=candidates)}\n{unknown}<section class='candidates'>\n{cards}\n"
            f"</section><footer>Weights are powers of ten: +2 says that the finding is a hundred times as likely with the diagnosis as by "
            f"chance. Graph {escape(case.graph_hash)}. For research and education; not validated for clinical "
            f"use.</footer></main><script>{_SCRIPT}</script></body></html>\n")


def _card(place: int, candidate: Candidate) -> str:
    rows = "\n".join(_row(e) for e in (*candidate.support, *candidate.against))
    silent = ", ".join(escape(n.name) for n in candidate.unexplained)
    note = f"<p class='silent'>Says nothing about: {silent}.</p>" if silent else ""
    words = "described at length, so met more often" if candidate.standing > 0 else "described in few words, so met less often"
    rows += (f"<tr><td class='w {'for' if candidate.standing > 0 else 'against'}'>{candidate.standing:+.2f}</td>"
             f"<td class='f'>standing</td><td class='edge'>{words}</td></tr>")
    return (f"<article data-c='{escape(candidate.node.id, quote=True)}'><h2><span>{place}. {escape(candidate.node.name)}</span>"
            f"<b>{candidate.score:+.2f}</b></h2><div class='id'>{escape(candidate.node.id)}</div>"
            f"<table>{rows}</table>{note}</article>")


def _row(evidence: Evidence) -> str:
    side = "for" if evidence.weight > 0 else "against"
    words = "; ".join(_soft_source(part) for part in path_in_words(evidence.path).split("; "))
    finding = evidence.finding
    seen = absent_words(finding.name, finding.type) if evidence.polarity == "-" else finding.name
    return (f"<tr><td class='w {side}'>{evidence.weight:+.2f}</td><td class='f'>{escape(seen)}</td>"
            f"<td>{words}</td></tr>")


def _soft_source(sentence: str) -> str:
    words, bracket, source = sentence.rpartition(" [")
    return f"{escape(words)} <span class='edge'>[{escape(source)}</span>" if bracket else escape(sentence)
