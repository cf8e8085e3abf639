"""The graph explorer: one page and four small look-ups, served on loopback.

``pathkg explore`` serves it with the standard library; :func:`add_routes` mounts it on a FastAPI application, which is
what ``pathkg serve`` does. Answers are JSON; the page asks its own server and nobody else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pathkg.errors import InputError, PathkgError, UnknownEntityError
from pathkg.view.page import asset, fill

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pathkg.graph import KnowledgeGraph

PREFIX = "/explore"
SEARCH_LIMIT = 25
NEIGHBOUR_LIMIT = 24
"""Neighbours per answer: more at once cannot be read, and a hub of 16,000 would stop any browser. The page asks for
more when told to."""
MOST_PATHS, MOST_HOPS = 10, 6
SYNONYMS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire."""

    status: int
    media: str
    body: bytes


class Explorer:
    """The look-ups behind the page. Thread-safe.

    Example:
        >>> import pathkg
        >>> explorer = Explorer(pathkg.load())
        >>> explorer.search("keratin pea")[0]["name"]
        'keratin pearl'
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph

    @cached_property
    def _forms(self) -> tuple[Any, NDArray[np.int64]]:
        """Lower-case names and synonyms, and the node of each."""
        import pyarrow.compute as pc

        table = self.graph.synonyms_table()
        return pc.utf8_lower(table["form"].combine_chunks()), table["node"].to_numpy().astype("int64")

    def search(self, text: str, *, type: str = "", limit: int = SEARCH_LIMIT) -> list[dict[str, Any]]:
        """Nodes whose name, synonym or CURIE holds ``text``: exact first, then beginnings, then anywhere."""
        import numpy as np
        import pyarrow.compute as pc

        wanted = " ".join(text.lower().split())
        if not wanted:
            return []
        forms, nodes = self._forms
        ranked: dict[int, tuple[int, int, str]] = {}
        curie = self.graph.find_index(text.strip())
        if curie is not None:
            ranked[curie] = (-1, 0, "")
        hits = np.flatnonzero(pc.match_substring(forms, wanted).to_numpy(zero_copy_only=False))
        for row in hits.tolist():
            form, node = forms[row].as_py(), int(nodes[row])
            rank = (0 if form == wanted else 1 if form.startswith(wanted) else 2, len(form), form)
            if node not in ranked or rank < ranked[node]:
                ranked[node] = rank
        found = []
        for node, (_, _, form) in sorted(ranked.items(), key=lambda item: (item[1], item[0])):
            if type and self.graph.type(node) != type:
                continue
            name = self.graph.name(node)
            found.append({"id": self.graph.curie(node), "name": name, "type": self.graph.type(node),
                          "matched": form if form and form != name.lower() else ""})
            if len(found) == limit:
                break
        return found

    def node(self, curie: str) -> dict[str, Any]:
        """One node with its degree and what relations and types its neighbours have."""
        node = self.graph.node(curie)
        counts: dict[tuple[str, str, str], int] = {}
        for edge, other, direction in self.graph.neighbors(curie):
            key = (self.graph.edge(edge).relation, direction, self.graph.type(self.graph.index(other)))
            counts[key] = counts.get(key, 0) + 1
        record = node.to_dict()
        record["synonyms"] = record["synonyms"][:SYNONYMS_SHOWN]
        record["degree"] = self.graph.degree(curie)
        record["groups"] = [{"relation": r, "direction": d, "type": t, "count": n}
                            for (r, d, t), n in sorted(counts.items())]
        return record

    def neighbours(self, curie: str, *, relation: str = "", type: str = "", offset: int = 0,
                   limit: int = NEIGHBOUR_LIMIT) -> dict[str, Any]:
        """Edges to the neighbours of a node, by relation and name."""
        graph = self.graph
        if relation and relation not in graph.relations:
            raise InputError(f"there is no relation {relation!r}", hint=f"one of {', '.join(graph.relations)}")
        found = graph.neighbors(curie, relation=relation or None, type=type or None)
        keyed = sorted((graph.edge(e).relation, graph.name(graph.index(o)), e, o) for e, o, _ in found)
        page = keyed[offset:offset + limit]
        return {"total": len(keyed), "offset": offset, "edges": [self._edge(e) for _, _, e, _ in page],
                "nodes": [self._brief(o) for o in sorted({o for _, _, _, o in page} | {curie})]}

    def paths(self, a: str, b: str, *, k: int = 3, max_hops: int = 4) -> dict[str, Any]:
        """The best paths between two nodes, with their nodes and edges."""
        from pathkg.paths import find_paths

        result = find_paths(self.graph, a, b, k=min(k, MOST_PATHS), max_hops=min(max_hops, MOST_HOPS))
        nodes = {n.id for path in result for n in path.nodes}
        edges = sorted({e.id for path in result for e in path.edges})
        return {"paths": [{"words": p.explain(), "score": round(p.score, 4), "edges": [e.id for e in p.edges],
                           "nodes": [n.id for n in p.nodes]} for p in result],
                "reason": result.reason, "detail": result.detail,
                "nodes": [self._brief(n) for n in sorted(nodes)], "edges": [self._edge(e) for e in edges]}

    def _brief(self, curie: str) -> dict[str, Any]:
        index = self.graph.index(curie)
        return {"id": curie, "name": self.graph.name(index), "type": self.graph.type(index)}

    def _edge(self, number: int) -> dict[str, Any]:
        edge = self.graph.edge(number)
        return {"id": number, "subject": edge.subject, "object": edge.object, "source": edge.source,
                "relation": edge.display_relation or edge.relation, "negated": edge.negated,
                "undirected": edge.undirected, "evidence": edge.evidence}

    # -- over the wire ---------------------------------------------------------------------------------------

    @cached_property
    def page(self) -> str:
        """The HTML page."""
        return fill(asset("explore.html"), {
            "STYLE": asset("common.css") + asset("explore.css"), "SCRIPT": asset("drawing.js") + asset("explore.js"),
            "GRAPH_LICENCE": asset("cytoscape.LICENSE.txt").replace("*/", ""),
            "GRAPH_LIBRARY": asset("cytoscape.min.js").replace("</script", "<\\/script"),
            "ABOUT": json.dumps({"types": self.graph.node_types, "relations": self.graph.relations,
                                 "nodes": self.graph.n_nodes, "edges": self.graph.n_edges, "hash": self.graph.hash,
                                 "prefix": PREFIX}).replace("<", "\\u003c")})

    def answer(self, path: str, query: Mapping[str, str]) -> Answer:
        """The answer to ``GET path?query``. Bad requests are answered with a JSON error, not raised."""
        place = path.rstrip("/") or PREFIX
        if place == PREFIX:
            return Answer(HTTPStatus.OK, "text/html; charset=utf-8", self.page.encode("utf-8"))
        try:
            if place == f"{PREFIX}/search":
                return _json(self.search(query.get("q", ""), type=query.get("type", "")))
            if place == f"{PREFIX}/node":
                return _json(self.node(self.graph.resolve(query.get("id", ""))))
            if place == f"{PREFIX}/neighbours":
                return _json(self.neighbours(query.get("id", ""), relation=query.get("relation", ""),
                                             type=query.get("type", ""), offset=_whole(query, "offset", 0)))
            if place == f"{PREFIX}/paths":
                return _json(self.paths(query.get("a", ""), query.get("b", ""), k=_whole(query, "k", 3),
                                        max_hops=_whole(query, "max_hops", 4)))
        except UnknownEntityError as error:
            return _json({"error": error.message, "hint": error.hint}, HTTPStatus.NOT_FOUND)
        except PathkgError as error:
            return _json({"error": error.message, "hint": error.hint}, HTTPStatus.BAD_REQUEST)
        return _json({"error": f"nothing at {place}", "hint": f"the page is at {PREFIX}"}, HTTPStatus.NOT_FOUND)


def _json(value: Any, status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, "application/json", json.dumps(value, ensure_ascii=False).encode("utf-8"))


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise InputError(f"{name}={text!r} is not a whole number", hint=f"leave it out for {default}")
    return int(text)


def add_routes(app: Any, graph: KnowledgeGraph) -> None:
    """Mount the explorer under ``/explore`` of a FastAPI (or Starlette) application."""
    from starlette.requests import Request
    from starlette.responses import Response

    explorer = Explorer(graph)

    def look_up(request: Request) -> Response:
        found = explorer.answer(request.url.path, dict(request.query_params))
        return Response(found.body, status_code=found.status, media_type=found.media)

    for tail in ("", "/search", "/node", "/neighbours", "/paths"):
        app.add_route(PREFIX + tail, look_up, methods=["GET"])


def explorer_server(graph: KnowledgeGraph, *, port: int = 0) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that serves the explorer; ``port`` 0 picks a free one. Call ``serve_forever()``."""
    explorer = Explorer(graph)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            # a name that a stranger's page resolves to 127.0.0.1 must not read the graph through this server
            if self.headers.get("Host", "").rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
                found = _json({"error": "only for this machine", "hint": "open http://127.0.0.1"}, HTTPStatus.FORBIDDEN)
            elif address.path == "/":
                self.send_response(HTTPStatus.FOUND)
                self.send_header("Location", PREFIX)
                self.end_headers()
                return
            else:
                query = {name: values[-1] for name, values in parse_qs(address.query).items()}
                found = explorer.answer(address.path, query)
            self.send_response(found.status)
            self.send_header("Content-Type", found.media)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence: one line per look-up helps nobody."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
