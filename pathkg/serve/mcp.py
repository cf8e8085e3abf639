"""The MCP server: the same functions as tools for agents."""

from __future__ import annotations

from typing import Any

from pathkg.errors import MissingExtraError, PathkgError
from pathkg.serve.service import Service
from pathkg.serve.settings import Settings

INSTRUCTIONS = ("A knowledge graph for computational pathology. link_report finds the entities of a report text with their "
                "assertion status; find_paths and look_up show what the graph knows; verify_trajectory checks reasoning "
                "against report and graph; score_completion rewards it. Research use, not for diagnosis.")


def create_server(settings: Settings | None = None) -> Any:
    """The server; ``create_server().run()`` talks over standard input and output.

    Raises:
        MissingExtraError: the ``mcp`` package is not installed.
        StoreError: the store cannot be opened.
    """
    try:
        from mcp.server.mcpserver import MCPServer
    except ImportError:
        try:
            # before version 2 of the package
            from mcp.server.fastmcp import FastMCP as MCPServer  # type: ignore[attr-defined, no-redef, unused-ignore]
        except ImportError as error:
            raise MissingExtraError.for_extra("mcp", "serve") from error
    service = Service(settings or Settings())
    server = MCPServer("pathkg", instructions=INSTRUCTIONS)

    @server.tool()
    def link_report(text: str) -> dict[str, Any]:
        """Find the entities of a pathology report text: id, name, type, span, and whether each is present, absent,
        possible, historical or unspecified."""
        return _answer(service.link, text)

    @server.tool()
    def find_paths(a: str, b: str, k: int = 5, max_hops: int = 4) -> dict[str, Any]:
        """Find evidence paths in the graph from a finding to a diagnosis. a and b are names or CURIEs."""
        return _answer(service.paths, a, b, k, max_hops)

    @server.tool()
    def look_up(id: str) -> dict[str, Any]:
        """Look up one node by CURIE or name: synonyms, definition and neighbours."""
        return _answer(service.node, id)

    @server.tool()
    def verify_trajectory(trajectory: str, report: str = "") -> dict[str, Any]:
        """Check a tagged trajectory (<observe>, <think> with numbered steps, <answer>) against a report and the graph:
        verdict and evidence per step."""
        return _answer(service.verify, trajectory, report or None)

    @server.tool()
    def score_completion(text: str, reference: str) -> dict[str, Any]:
        """Score a completion against a reference (the ground_truth string that make_reference returns)."""
        return _answer(service.reward, text, reference)

    @server.tool()
    def make_reference(gold: str, report: str = "") -> dict[str, Any]:
        """Make the reference string of a gold trajectory."""
        return _answer(service.reference, gold, report or None)

    return server


def _answer(function: Any, *args: Any) -> dict[str, Any]:
    # an agent can act on a message; a traceback helps nobody
    try:
        result: dict[str, Any] = function(*args)
    except PathkgError as error:
        return {"error": error.message, "hint": error.hint}
    return result
