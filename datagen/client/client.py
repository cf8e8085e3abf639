"""The chat client: one call in, one answer out, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datagen.client.budget import Budget, BudgetReached, Price, PriceTable, estimate_tokens
from datagen.client.cache import CallCache, call_key
from datagen.client.pace import Pace
from pathkg.errors import EndpointError, InputError, MissingExtraError

Message = Mapping[str, str]
RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How to reach a model.

    Args:
        model: its name at the endpoint.
        base_url: the endpoint, up to and with ``/v1``; ``None`` for the openai package's own default.
        api_key: ``None`` takes ``OPENAI_API_KEY`` from the environment, else a placeholder for local servers.
        api_version: set it for Azure endpoints, which then are called through the Azure client.
        concurrency: most calls at once.
        timeout: seconds per try.
        tries: how often one call is tried.
        parameters: sent with each call (``temperature``, ``max_tokens``, ``seed``, …) and part of the cache key.
    """

    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    api_version: str | None = None
    concurrency: int = 8
    timeout: float = 120.0
    tries: int = 6
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0.7, "max_tokens": 1200})

    def __post_init__(self) -> None:
        if not self.model:
            raise InputError("no model given", hint="name it with --model")
        if self.concurrency < 1 or self.tries < 1 or self.timeout <= 0:
            raise InputError("concurrency, tries and timeout must be positive", hint="check --concurrency and --timeout")


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    cost: float
    cached: bool


@dataclass(slots=True)
class Usage:
    """Counts over a run; the only value here that changes."""

    calls: int = 0
    cached: int = 0
    failed: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    waiting: float = 0.0
    schema_fallbacks: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {"calls": self.calls, "cached": self.cached, "failed": self.failed, "retries": self.retries,
                "prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens,
                "cost": round(self.cost, 6), "schema_fallbacks": self.schema_fallbacks}


class ChatClient:
    """Calls an OpenAI-compatible chat endpoint.

    Each call is looked up in the cache first; then money is reserved, the call is made within the pace, tried again
    on 429, 5xx, time-outs and cut connections, and its answer is stored before it is returned.

    Args:
        options: model and endpoint.
        cache: answers already paid for.
        budget: ``None`` for no limit.
        prices: price per model; a model without a price costs 0 unless a budget is set.
        on_failure: called with a record of each call that failed for good, so that it can be replayed.
        dry_run: count calls, tokens and price, call nobody. Every answer is then the empty string.
    """

    def __init__(self, options: ClientOptions, *, cache: CallCache, budget: Budget | None = None,
                 prices: PriceTable | None = None, on_failure: Callable[[dict[str, Any]], None] | None = None,
                 dry_run: bool = False) -> None:
        self.options = options
        self.cache = cache
        self.budget = budget or Budget()
        table = prices or PriceTable()
        needs_price = self.budget.limit is not None
        self.price = table.need(options.model) if needs_price else table.get(options.model) or Price(0.0, 0.0)
        self.usage = Usage()
        self.dry_run = dry_run
        self.pace = Pace(options.concurrency)
        self._on_failure = on_failure
        self._schema_works = True
        self._api: Any = None
        self._under_way: dict[str, asyncio.Task[Completion]] = {}
        self._first = asyncio.Lock()
        self._measured: float | None = None

    async def complete(self, messages: Sequence[Message], *, schema: Mapping[str, Any] | None = None,
                       tag: str = "", **parameters: Any) -> Completion:
        """The answer to ``messages``.

        Args:
            messages: ``{"role", "content"}`` records.
            schema: a JSON schema for the answer. An endpoint that refuses schemas is asked without one from then
                on: parse the answer leniently either way.
            tag: goes into the failure record (the case the call is for).
            **parameters: override those of the options.

        Raises:
            EndpointError: the endpoint refuses, or all tries failed.
            BudgetReached: the call could overspend.
        """
        merged = {**self.options.parameters, **parameters}
        key = call_key(self.options.model, messages, schema, merged)
        known = self.cache.get(key)
        if known is not None:
            self.usage.cached += 1
            return Completion(known[0], known[1], known[2], 0.0, True)
        if self.dry_run:
            return self._pretend(messages, merged)
        task = self._under_way.get(key)
        if task is None:
            # two cases may ask the very same thing: it is asked and paid once
            task = asyncio.ensure_future(self._call(key, messages, schema, merged, tag))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    def _pretend(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Completion:
        prompt, answer = estimate_tokens(messages), int(parameters.get("max_tokens", 1024))
        cost = self.price.of(prompt, answer)
        self._count(prompt, answer, cost)
        return Completion("", prompt, answer, cost, False)

    def _count(self, prompt: int, answer: int, cost: float) -> None:
        self.usage.calls += 1
        self.usage.prompt_tokens += prompt
        self.usage.completion_tokens += answer
        self.usage.cost += cost

    async def _call(self, key: str, messages: Sequence[Message], schema: Mapping[str, Any] | None,
                    parameters: Mapping[str, Any], tag: str) -> Completion:
        if self.budget.limit is not None and self._measured is None:
            # with a budget the first call goes alone: its bill shows how far the estimate of tokens is off
            async with self._first:
                return await self._paid_call(key, messages, schema, parameters, tag)
        return await self._paid_call(key, messages, schema, parameters, tag)

    async def _paid_call(self, key: str, messages: Sequence[Message], schema: Mapping[str, Any] | None,
                         parameters: Mapping[str, Any], tag: str) -> Completion:
        estimated = estimate_tokens(messages)
        async with self.pace:
            most = self.price.of(math.ceil(estimated * max(1.0, self._measured or 0.0)), int(parameters.get("max_tokens", 4096)))
            ticket = self.budget.reserve(most)
            self.cache.begin(key, most)
            cost = 0.0
            try:
                text, prompt, answer = await self._tries(messages, schema, parameters)
                cost = self.price.of(prompt, answer)
                self._measured = max(self._measured or 0.0, prompt / max(1, estimated))
                self.cache.put(key, self.options.model, text, prompt, answer, cost)
            except EndpointError as error:
                self.cache.cancel(key)
                self.usage.failed += 1
                if self._on_failure is not None:
                    self._on_failure({"key": key, "tag": tag, "model": self.options.model, "messages": list(messages),
                                      "schema": schema, "parameters": dict(parameters), "error": error.message})
                raise
            finally:
                self.budget.settle(ticket, cost)
        self._count(prompt, answer, cost)
        return Completion(text, prompt, answer, cost, False)

    async def _tries(self, messages: Sequence[Message], schema: Mapping[str, Any] | None,
                     parameters: Mapping[str, Any]) -> tuple[str, int, int]:
        openai = _openai()
        last = "no try was made"
        attempt = 0
        while attempt < self.options.tries:
            started = time.perf_counter()
            try:
                response = await self._request(messages, schema if self._schema_works else None, parameters)
                text, prompt, answer = _read(response, messages)
                self.pace.succeeded()
                return text, prompt, answer
            except openai.APIStatusError as error:
                if error.status_code == 400 and schema is not None and self._schema_works:
                    # not a failure of the call: this endpoint does not know response_format
                    self._schema_works = False
                    self.usage.schema_fallbacks += 1
                    continue
                if error.status_code not in RETRY_STATUS:
                    raise EndpointError(f"the endpoint refused the call with status {error.status_code}: "
                                        f"{str(error.message)[:300]}",
                                        hint="check --model, --base-url and the API key") from error
                last = f"status {error.status_code}"
                await self._back_off(attempt, _retry_after(error))
            except (openai.APIConnectionError, openai.APIResponseValidationError, json.JSONDecodeError, _Unusable) as error:
                last = f"{type(error).__name__}: {str(error)[:200]}"
                await self._back_off(attempt, None)
            finally:
                self.usage.waiting += time.perf_counter() - started
            attempt += 1
        raise EndpointError(f"the endpoint gave no answer in {self.options.tries} tries (last: {last})",
                            hint="is the server up? replay later with --retry-failures")

    async def _back_off(self, attempt: int, retry_after: float | None) -> None:
        self.pace.pushed_back()
        self.usage.retries += 1
        if attempt + 1 < self.options.tries:
            await asyncio.sleep(self.pace.wait(attempt, retry_after))

    async def _request(self, messages: Sequence[Message], schema: Mapping[str, Any] | None,
                       parameters: Mapping[str, Any]) -> Any:
        extra: dict[str, Any] = {}
        if schema is not None:
            extra["response_format"] = {"type": "json_schema", "json_schema": {
                "name": str(schema.get("title", "answer")).replace(" ", "_"), "schema": dict(schema), "strict": True}}
        return await self._connect().chat.completions.create(
            model=self.options.model, messages=list(messages), **parameters, **extra)

    def _connect(self) -> Any:
        if self._api is None:
            import os

            openai = _openai()
            key = self.options.api_key or os.environ.get("OPENAI_API_KEY") or "no-key"
            common = {"api_key": key, "timeout": self.options.timeout, "max_retries": 0}
            if self.options.api_version:
                self._api = openai.AsyncAzureOpenAI(azure_endpoint=self.options.base_url,
                                                    api_version=self.options.api_version, **common)
            else:
                self._api = openai.AsyncOpenAI(base_url=self.options.base_url, **common)
        return self._api

    async def close(self) -> None:
        """Close the connections; the cache stays open."""
        if self._api is not None:
            await self._api.close()
            self._api = None


class _Unusable(Exception):
    """The endpoint answered, but not with a chat completion."""


def _openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise MissingExtraError.for_extra("openai", "datagen") from error
    return openai


def _read(response: Any, messages: Sequence[Message]) -> tuple[str, int, int]:
    choices = getattr(response, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise _Unusable("no choices in the answer")
    text = choices[0].message.content
    if not isinstance(text, str) or not text.strip():
        raise _Unusable("empty content")
    usage = getattr(response, "usage", None)
    prompt = getattr(usage, "prompt_tokens", None) or estimate_tokens(messages)
    answer = getattr(usage, "completion_tokens", None) or estimate_tokens([{"role": "assistant", "content": text}])
    return text, int(prompt), int(answer)


def _retry_after(error: Any) -> float | None:
    value = error.response.headers.get("retry-after")
    try:
        return None if value is None else float(value)
    except ValueError:
        return None  # the header may hold a date; the exponential wait serves as well


__all__ = ["BudgetReached", "ChatClient", "ClientOptions", "Completion", "Usage"]
