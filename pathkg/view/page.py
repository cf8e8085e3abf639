"""The self-contained page: cases as compressed JSON inside, decompressed in the browser when they are shown.

The index (one short row per case) is one block, so that filters need nothing else. The cases follow in blocks of
:data:`BLOCK_CASES`; a block is unpacked when one of its cases is opened.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError, PathkgError
from pathkg.view.cases import ViewCase, read_view_cases

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph
    from pathkg.trajectory import CheckedClaim, CheckedEntity, Evidence

BLOCK_CASES = 40
"""Cases per compressed block: about 40 kB packed, unpacked in a few milliseconds."""

FORMAT = 1

_STEP = re.compile(r"\s*(?:—(?P<forward>[^→]+)→|←(?P<backward>[^—]+)—)\s*")
_SOURCE = re.compile(r"\s*\[[^\]]*\]$")


def asset(name: str) -> str:
    """The text of a file in ``pathkg/view/assets``."""
    return files("pathkg.view").joinpath("assets", name).read_text(encoding="utf-8")


def write_page(source: str | os.PathLike[str], out: str | os.PathLike[str], *, graph: KnowledgeGraph,
               report: str | None = None, title: str = "", limit: int | None = None) -> int:
    """Write the page of a dataset or of one trajectory.

    Args:
        source: see :func:`pathkg.view.read_view_cases`.
        out: the HTML file.
        graph: the graph the certificates cite.
        report: the report of a bare trajectory.
        title: heading; the source's name when empty.
        limit: only the first cases.

    Returns:
        How many cases the page holds.

    Raises:
        InputError: the source holds no case, or the page cannot be written.
    """
    path, target = Path(source), Path(out)
    if target.is_dir():
        raise InputError(f"{target} is a folder", hint=f"name the page, such as {target / 'page.html'}")
    cases: list[ViewCase] = []
    for case in read_view_cases(path, graph=graph, report=report):
        if limit is not None and len(cases) >= limit:
            break
        cases.append(case)
    if not cases:
        raise InputError(f"{path} holds no case", hint="was the run finished?")
    page = render_page(cases, graph=graph, title=title or path.resolve().name)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(page, encoding="utf-8")
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}",
                         hint="give a file in a folder that may be written") from error
    return len(cases)


def render_page(cases: Iterable[ViewCase], *, graph: KnowledgeGraph, title: str) -> str:
    """The page as a string. Same cases, same graph: same bytes."""
    index: list[list[Any]] = []
    organs, reasons = _Names(), _Names()
    blocks: list[str] = []
    labels = _Labels(graph)
    block = _Block(graph, labels)
    for number, case in enumerate(cases):
        index.append([case.id, case.verdict, organs[case.organ], [reasons[r] for r in case.reasons], case.title,
                      case.kind])
        block.add(case)
        if (number + 1) % BLOCK_CASES == 0:
            blocks.append(packed(block.record()))
            block = _Block(graph, labels)
    if block.cases:
        blocks.append(packed(block.record()))
    head = {"format": FORMAT, "title": title, "graph": graph.hash, "block": BLOCK_CASES, "index": index,
            "organs": organs.names, "reasons": reasons.names}
    data = "\n".join([f'<script type="application/octet-stream" id="head">{packed(head)}</script>',
                      *(f'<script type="application/octet-stream" id="block-{i}">{b}</script>'
                        for i, b in enumerate(blocks))])
    return fill(asset("viewer.html"), {
        "TITLE": html.escape(title), "STYLE": asset("common.css") + asset("viewer.css"), "DATA": data,
        "GRAPH_LICENCE": asset("cytoscape.LICENSE.txt").replace("*/", ""),
        "GRAPH_LIBRARY": asset("cytoscape.min.js").replace("</script", "<\\/script"),
        "SCRIPT": asset("drawing.js") + asset("viewer.js")})


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into the ``{{NAME}}`` places of a template, in one pass: a value is never searched again."""
    return re.sub(r"\{\{([A-Z_]+)\}\}", lambda match: values[match[1]], template)


def packed(value: Any) -> str:
    """JSON, compressed, in base64 (whose letters need no escaping in HTML)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # mtime=0: the same data gives the same bytes
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 6, mtime=0)).decode("ascii")


class _Names:
    """Strings numbered in order of first use."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code


class _Labels:
    """Name and type of nodes, each looked up once per page: cases repeat the same few hundred."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._graph = graph
        self._known: dict[str, list[str]] = {}

    def __getitem__(self, curie: str) -> list[str]:
        if curie not in self._known:
            index = self._graph.find_index(curie)
            self._known[curie] = [curie, ""] if index is None else [self._graph.name(index), self._graph.type(index)]
        return self._known[curie]


class _Block:
    """Cases that are compressed together; equal reports and graph paths are kept once."""

    def __init__(self, graph: KnowledgeGraph, labels: _Labels) -> None:
        self.graph = graph
        self.labels = labels
        self.cases: list[dict[str, Any]] = []
        self.reports = _Names()
        self.nodes: dict[str, list[str]] = {}
        self.paths: list[list[Any]] = []
        self._path_codes: dict[str, int] = {}

    def record(self) -> dict[str, Any]:
        return {"cases": self.cases, "reports": self.reports.names, "nodes": self.nodes, "paths": self.paths}

    def add(self, case: ViewCase) -> None:
        certificate = case.certificate
        known = certificate is not None and certificate.graph_hash == self.graph.hash
        parts = []
        for part in certificate.parts if certificate else ():
            parts.append({
                "n": part.name, "t": part.text, "v": part.verdict if part.checked else "unchecked",
                "e": [self._entity(e, known) for e in part.entities],
                "c": [self._claim(c, known) for c in part.claims], "x": list(part.conflicts)})
        self.cases.append({
            "q": case.question, "r": self.reports[case.report],
            "m": [[m["start"], m["end"], m["id"], m["name"], m["type"], str(m["assertion"])] for m in case.mentions],
            "p": parts, "i": [list(n) for n in case.notes]})

    def _entity(self, entity: CheckedEntity, known: bool) -> list[Any]:
        return [entity.start, entity.end, entity.id, entity.name, entity.type, entity.polarity, entity.verdict,
                entity.reason, self._evidence(entity.evidence, known)]

    def _claim(self, claim: CheckedClaim, known: bool) -> list[Any]:
        return [self.labels[claim.source][0], claim.stance, self.labels[claim.target][0], claim.verdict, claim.reason,
                self._evidence(claim.evidence, known)]

    def _evidence(self, evidence: Iterable[Evidence], known: bool) -> list[list[Any]]:
        """``["r", start, end]`` for a span of the report, ``["g", number of the path]`` for the graph."""
        return [["r", e.start, e.end] if e.kind == "report" else ["g", self._path(e, known)] for e in evidence]

    def _path(self, evidence: Evidence, known: bool) -> int:
        key = f"{known}{evidence.edges}{evidence.text}"
        if key not in self._path_codes:
            hops = self._hops(evidence) if known else None
            self._path_codes[key] = len(self.paths)
            drawn = hops if hops is not None else self._hops_of_words(evidence.text)
            self.paths.append([evidence.text, drawn, self._walk(drawn, evidence.text)])
        return self._path_codes[key]

    def _hops(self, evidence: Evidence) -> list[list[Any]] | None:
        """The edges as (subject, relation, object, source, negated); ``None`` when the store lacks one."""
        hops: list[list[Any]] = []
        for number in evidence.edges:
            try:
                edge = self.graph.edge(number)
            except (PathkgError, IndexError):
                return None
            for curie in (edge.subject, edge.object):
                self.nodes[curie] = self.labels[curie]
            hops.append([edge.subject, edge.display_relation or edge.relation, edge.object, edge.source, edge.negated])
        return hops

    def _walk(self, hops: list[list[Any]], words: str) -> list[str]:
        """The nodes in the order the path visits them; the drawing puts them from left to right."""
        if not hops:
            return []
        ends = [{hop[0], hop[2]} for hop in hops]
        if len(hops) > 1:
            start = min(ends[0] - ends[1] or ends[0])
        else:
            start = hops[0][0] if words.startswith(self.nodes[hops[0][0]][0]) else hops[0][2]
        walk = [start]
        for hop in hops:
            walk.append(hop[2] if walk[-1] == hop[0] else hop[0])
        return walk

    def _hops_of_words(self, words: str) -> list[list[Any]]:
        """The same from the path in words, for a certificate of another store: names only."""
        hops: list[list[Any]] = []
        pieces = list(_STEP.finditer(words))
        names = [words[:pieces[0].start()]] if pieces else []
        for this, after in zip(pieces, [*pieces[1:], None], strict=True):
            names.append(words[this.end():after.start() if after else len(words)])
        names = [_SOURCE.sub("", name).strip() for name in names]
        for i, piece in enumerate(pieces):
            left, right = names[i], names[i + 1]
            self.nodes.setdefault(left, [left, ""])
            self.nodes.setdefault(right, [right, ""])
            relation = piece["forward"] or piece["backward"]
            pair = (left, right) if piece["forward"] else (right, left)
            hops.append([pair[0], relation.removeprefix("NOT "), pair[1], "", relation.startswith("NOT ")])
        return hops
