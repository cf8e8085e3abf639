"""The package's functions for other processes: over HTTP (FastAPI) and for agents (MCP)."""

from __future__ import annotations

from pathkg.serve.settings import Settings

__all__ = ["Settings"]
