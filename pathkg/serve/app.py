"""The HTTP server: ``create_app(Settings())`` is an ASGI application."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from pathkg.errors import MissingExtraError, PathkgError, UnknownEntityError
from pathkg.serve.gate import BusyError, Gate, Metrics, SlowError
from pathkg.serve.page import PAGE
from pathkg.serve.service import Service
from pathkg.serve.settings import Settings
from pathkg.view.explore import add_routes

try:
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as error:
    raise MissingExtraError.for_extra("fastapi", "serve") from error

OPEN_ROUTES = frozenset({"/healthz"})
"""Answered without the token."""

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LinkBody(_Body):
    text: str


class PathsBody(_Body):
    a: str | list[str] = Field(description="CURIE or name, or several")
    b: str | list[str]
    k: int = 5
    max_hops: int = 4


class VerifyBody(_Body):
    trajectory: str = Field(description="the tagged text")
    report: str | None = None
    dialect: str = "auto"


class RewardBody(_Body):
    text: str
    reference: str | dict[str, Any] = Field(description="a reference, as JSON text or object")
    weights: dict[str, float] | None = None


class RewardItem(_Body):
    text: str
    reference: str | dict[str, Any]


class RewardBatchBody(_Body):
    items: list[RewardItem]
    weights: dict[str, float] | None = None


class ReferenceBody(_Body):
    gold: str
    report: str | None = None


class OpenRlhfBody(BaseModel):
    query: list[str]
    prompts: list[str] | None = None
    labels: list[Any] | None = None


class Guard:
    """Before everything else: the token, the size of the body, and the clock. Pure ASGI, so bodies are never held."""

    def __init__(self, app: Any, settings: Settings, metrics: Metrics) -> None:
        self.app, self.settings, self.metrics = app, settings, metrics

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status, seen, too_large, refused = 500, 0, False, False

        async def receiving() -> _Message:
            nonlocal seen, too_large
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.settings.max_body:  # a chunked body carries no length
                too_large = True
                raise _TooLarge
            return message

        async def sending(message: _Message) -> None:
            nonlocal status, refused
            if too_large:  # whatever the framework makes of the broken-off body, this is what it was
                if not refused:
                    refused, status = True, 413
                    await self._too_large()(scope, receive, send)
                return
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        try:
            refusal = self._refusal(scope["path"], headers)
            if refusal is not None:
                await refusal(scope, receive, sending)
            else:
                await self.app(scope, receiving, sending)
        finally:
            route = scope.get("route")
            self.metrics.add(getattr(route, "path", "other"), status, time.perf_counter() - started)

    def _refusal(self, path: str, headers: dict[str, str]) -> JSONResponse | None:
        if self.settings.token and path not in OPEN_ROUTES:
            given = headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self.settings.token}".encode()):
                return _problem(401, "no valid bearer token", "send the header: Authorization: Bearer <token>")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.settings.max_body:
            return self._too_large()
        return None

    def _too_large(self) -> JSONResponse:
        return _problem(413, f"the request is larger than {self.settings.max_body:,} bytes",
                        "send a shorter text, or fewer items")


class _TooLarge(Exception):
    """The body is larger than allowed."""


def _problem(status: int, error: str, hint: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "hint": hint}, status_code=status, headers=headers)


def create_app(settings: Settings | None = None) -> Any:
    """The application.

    Args:
        settings: limits; read from the environment when ``None``.

    Raises:
        StoreError: the store cannot be opened.
        MissingExtraError: FastAPI is not installed.
    """
    settings = settings or Settings.from_environment()
    service = Service(settings)
    gate = Gate(settings.running, settings.waiting, settings.time_limit_s)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        gate.close()

    app = FastAPI(title="pathkg", version=service.info()["version"], docs_url=None, redoc_url=None, lifespan=lifespan,
                  description="Link reports, find evidence paths, verify and reward reasoning. Research use, not for "
                              "diagnosis.")
    app.state.service, app.state.gate = service, gate

    @app.exception_handler(PathkgError)
    async def refuse(_: Request, error: PathkgError) -> JSONResponse:
        if isinstance(error, BusyError):
            return _problem(503, error.message, error.hint, {"retry-after": "1"})
        if isinstance(error, SlowError):
            return _problem(504, error.message, error.hint)
        return _problem(404 if isinstance(error, UnknownEntityError) else 422, error.message, error.hint)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"][1:])
        return _problem(422, f"{where or 'body'}: {first['msg']}", "the fields are described at /openapi.json")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the server answers, and from which graph."""
        return {"status": "ok", "graph_hash": service.graph.hash}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def prometheus() -> str:
        """Counters in Prometheus' text format."""
        return metrics.render(gate)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs() -> str:
        return PAGE

    @app.get("/v1/info")
    async def info() -> dict[str, Any]:
        """What the store holds."""
        return await gate.run(service.info)

    @app.get("/v1/node/{id:path}")
    async def node(id: str) -> dict[str, Any]:
        """One node and its neighbours."""
        return await gate.run(service.node, id)

    @app.post("/v1/link")
    async def link(body: LinkBody) -> dict[str, Any]:
        """The entities of a report text."""
        return await gate.run(service.link, body.text)

    @app.post("/v1/paths")
    async def paths(body: PathsBody) -> dict[str, Any]:
        """Evidence paths between entities."""
        return await gate.run(service.paths, body.a, body.b, body.k, body.max_hops)

    @app.post("/v1/verify")
    async def verify(body: VerifyBody) -> dict[str, Any]:
        """The certificate of a trajectory."""
        return await gate.run(service.verify, body.trajectory, body.report, body.dialect)

    @app.post("/v1/reward")
    async def reward(body: RewardBody) -> dict[str, Any]:
        """The reward of one completion."""
        return await gate.run(service.reward, body.text, body.reference, body.weights)

    @app.post("/v1/reward/batch")
    async def reward_batch(body: RewardBatchBody) -> dict[str, Any]:
        """The rewards of many completions, in order."""
        items = [(item.text, item.reference) for item in body.items]
        return {"results": await gate.run(service.reward_batch, items, body.weights)}

    @app.post("/v1/reference")
    async def reference(body: ReferenceBody) -> dict[str, Any]:
        """The reference of a gold trajectory."""
        return await gate.run(service.reference, body.gold, body.report)

    @app.post("/get_reward")
    async def get_reward(body: OpenRlhfBody) -> dict[str, Any]:
        """OpenRLHF's remote reward model."""
        return await gate.run(service.openrlhf, body.query, body.prompts, body.labels)

    add_routes(app, service.graph)
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    return app


def app_from_environment() -> Any:
    """For ``uvicorn --factory`` and for several worker processes."""
    return create_app(Settings.from_environment())
