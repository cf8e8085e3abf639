"""The linked report as one HTML page: what was understood, at a glance."""

from __future__ import annotations

from collections import Counter
from html import escape

from pathkg.linking.findings import ReportFindings
from pathkg.records import LinkResult, Mention

_FAMILY = {"disease": "disease", "morphology": "morphology", "effect/phenotype": "morphology", "anatomy": "anatomy",
           "cell": "anatomy", "stage": "stage", "grade": "grade", "marker": "marker", "marker_result": "marker",
           "gene/protein": "marker", "procedure": "procedure", "specimen": "procedure"}
_LABELS = {"disease": "disease", "morphology": "morphology", "anatomy": "anatomy, cells", "stage": "stage",
           "grade": "grade", "marker": "markers, genes", "procedure": "procedure", "other": "other"}
_STATUS = {"present": "stated", "absent": "denied", "possible": "uncertain", "historical": "history",
           "unspecified": "not assessed", "other": "someone else or hypothetical"}
_FIELD_LABELS = {"histologic_type": "histologic type", "stage_group": "stage group", "nodes_examined": "nodes examined",
                 "nodes_positive": "nodes positive", "tumor_size_mm": "tumor size (mm)",
                 "margin_distance_mm": "margin distance (mm)", "lymphovascular_invasion": "lymphovascular invasion",
                 "perineural_invasion": "perineural invasion"}

_STYLE = """
:root { --ink:#1d2433; --paper:#fff; --side:#f5f6f9; --line:#d9dee8; --soft:#5c667a;
  --disease:#b4232f; --morphology:#7a4bb3; --anatomy:#1d6fa5; --stage:#8a5a00; --grade:#a8500a;
  --marker:#0c7a5b; --procedure:#5b6472; --other:#444; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6e9f0; --paper:#161a22; --side:#1d222d; --line:#343c4b;
  --soft:#9aa5b8; --disease:#ff8c94; --morphology:#c7a3ff; --anatomy:#7cc4f2; --stage:#f0c060; --grade:#ffab6b;
  --marker:#6fdcb8; --procedure:#b8c0cc; --other:#ccc; } }
* { box-sizing:border-box } body { margin:0; font:16px/1.75 system-ui,sans-serif; color:var(--ink); background:var(--paper) }
header { padding:1.2rem 2rem .6rem; border-bottom:1px solid var(--line) } h1 { font-size:1.15rem; margin:0 0 .3rem }
h2 { font-size:.8rem; letter-spacing:.06em; text-transform:uppercase; color:var(--soft); margin:1.2rem 0 .4rem }
main { display:grid; grid-template-columns:minmax(0,1fr) 22rem; } article { padding:1.4rem 2rem 4rem; max-width:62rem; white-space:pre-wrap }
aside { background:var(--side); border-left:1px solid var(--line); padding:.4rem 1.4rem 3rem; font-size:.88rem; line-height:1.5 }
@media (max-width:60rem) { main { grid-template-columns:1fr } aside { border-left:0 } }
mark { color:inherit; border-radius:3px; padding:.05em .18em; position:relative; cursor:help; --c:var(--other);
  background:color-mix(in srgb, var(--c) 15%, transparent); border-bottom:2px solid var(--c) }
mark:focus { outline:2px solid var(--c) }
mark.absent { text-decoration:line-through; text-decoration-color:var(--c); background:transparent; border-bottom-style:solid; opacity:.85 }
mark.possible { border-bottom-style:dashed } mark.historical,mark.unspecified,mark.other { border-bottom-style:dotted; background:transparent }
mark > span { display:none; position:absolute; z-index:5; left:0; top:1.9em; width:max-content; max-width:24rem; padding:.6rem .8rem;
  background:var(--paper); color:var(--ink); border:1px solid var(--c); border-radius:6px; box-shadow:0 4px 18px #0003;
  font-size:.84rem; line-height:1.45; white-space:normal; text-decoration:none }
@media (max-width:60rem) { mark > span { position:fixed; left:1rem; right:1rem; bottom:1rem; top:auto; width:auto; max-width:none } }
mark:hover > span, mark:focus > span { display:block } mark > span b { color:var(--c) }
.disease{--c:var(--disease)} .morphology{--c:var(--morphology)} .anatomy{--c:var(--anatomy)} .stage{--c:var(--stage)}
.grade{--c:var(--grade)} .marker{--c:var(--marker)} .procedure{--c:var(--procedure)} .otherfamily{--c:var(--other)}
.legend { display:flex; flex-wrap:wrap; gap:.25rem 1.1rem; font-size:.85rem } .legend > span { white-space:nowrap } .legend mark { cursor:default }
dl { display:grid; grid-template-columns:auto 1fr; gap:.15rem .8rem; margin:0 } dt { color:var(--soft) } dd { margin:0; overflow-wrap:anywhere }
.note { color:var(--soft); font-size:.82rem }
"""


def html_page(result: LinkResult, *, findings: ReportFindings | None = None, title: str = "Linked report") -> str:
    """A self-contained page: the report with coloured, hoverable mentions and its structured findings.

    Args:
        result: the linked report.
        findings: shown beside the text when given.
        title: heading of the page.

    Example:
        >>> import pathkg
        >>> page = html_page(pathkg.link("No perineural invasion."))
        >>> "<mark" in page and "denied" in page
        True
    """
    families = Counter(_family(m) for m in result)
    states = Counter(str(m.assertion) for m in result)
    legend = " ".join(f'<span><mark class="{_css(f)}">{_LABELS[f]}</mark>&nbsp;{n}</span>' for f, n in families.most_common())
    status = " ".join(f'<span><mark class="otherfamily {s}">{_STATUS[s]}</mark>&nbsp;{n}</span>' for s, n in states.most_common())
    return "".join([
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{escape(title)}</title><style>{_STYLE}</style><header><h1>{escape(title)}</h1>",
        f'<div class="legend">{legend}</div><div class="legend">{status}</div></header><main><article>',
        _marked(result), "</article><aside>", _summary(findings) if findings is not None else "",
        "<h2>About</h2><p class=note>Hover or tab to a mention to see its node and why it was chosen. "
        f"Graph {escape(result.graph_hash[:19])}. Research use, not for diagnosis.</p></aside></main></html>\n"])


def _family(mention: Mention) -> str:
    return _FAMILY.get(mention.type, "other")


def _css(family: str) -> str:
    return "otherfamily" if family == "other" else family


def _marked(result: LinkResult) -> str:
    parts: list[str] = []
    at = 0
    for mention in result:
        if mention.start < at:
            continue  # nested mentions keep their place in the data, not on the page
        parts.append(escape(result.text[at:mention.start]))
        parts.append(
            f'<mark tabindex=0 class="{_css(_family(mention))} {mention.assertion}">{escape(mention.text)}'
            f"<span><b>{escape(mention.name)}</b><br>{escape(mention.type)} · {escape(mention.id)}<br>"
            f"{_STATUS[str(mention.assertion)]} · score {mention.score:.2f}<br>{escape(mention.why)}</span></mark>")
        at = mention.end
    parts.append(escape(result.text[at:]))
    return "".join(parts)


def _summary(findings: ReportFindings) -> str:
    rows = []
    for name, found in findings.fields.items():
        if name == "markers":
            shown = ", ".join(dict.fromkeys(f"{f.value['marker']}\u00a0{'–' if f.value['result'] == 'negative' else '+'}" for f in found[:20]))
        else:
            shown = _value(found[0].value)
        rows.append(f"<dt>{escape(_FIELD_LABELS.get(name, name))}</dt><dd title=\"{escape(found[0].text)}\">{escape(shown)}</dd>")
    return f"<h2>Structured findings</h2><dl>{''.join(rows)}</dl>" if rows else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "present" if value else "absent"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        if "expression" in value or "percentage" in value:
            return _receptor(value)
        if "system" in value:
            return _grade(value)
        return ", ".join(f"{k} {_value(v)}" for k, v in value.items())
    return str(value)


def _receptor(value: dict[str, object]) -> str:
    said = {True: "positive", False: "negative", None: "equivocal"}[value.get("expression")] if "expression" in value else ""  # type: ignore[index]
    parts = [said, f"score {value['score']}" if "score" in value else "", f"{value['percentage']}%" if "percentage" in value else ""]
    return ", ".join(part for part in parts if part)


def _grade(value: dict[str, object]) -> str:
    pair = value.get("gleason")
    if isinstance(pair, list):
        return f"Gleason {'+'.join(map(str, pair))}, grade group {value.get('grade')}"
    if value["system"] == "Gleason":
        parts = [f"Gleason {value['score']}" if "score" in value else "", f"grade group {value['grade']}" if value.get("grade") else ""]
        return ", ".join(part for part in parts if part)
    words = f" ({value['words']})" if "words" in value else ""
    return f"{value['system']} grade {value.get('grade')}{words}"
