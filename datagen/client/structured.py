"""Structured answers: what a model wrote, read as the record it should be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pathkg.errors import PathkgError

Record = TypeVar("Record", bound=BaseModel)

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
LONGEST = 200_000


class UnreadableAnswer(PathkgError):
    """An answer from which no record of the asked form can be read."""


_LIMITS = frozenset({"maxLength", "minLength", "maxItems", "minItems", "default", "pattern"})


def wire_schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema to send with a call: without lengths, and with every field required.

    Lengths are checked when the answer is read. Grammar-based servers unroll ``maxLength: 6000`` into thousands of
    rules and slow down to a crawl, and strict modes refuse such keywords.

    Example:
        >>> from pydantic import Field
        >>> class Note(BaseModel):
        ...     text: str = Field("", max_length=6000)
        >>> wire_schema(Note)["properties"]["text"], wire_schema(Note)["required"]
        ({'title': 'Text', 'type': 'string'}, ['text'])
    """
    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(v) for v in value]
        if not isinstance(value, dict):
            return value
        kept = {k: bare(v) for k, v in value.items() if k not in _LIMITS}
        if isinstance(kept.get("properties"), dict):
            kept |= {"required": list(kept["properties"]), "additionalProperties": False}
        return kept

    schema: dict[str, Any] = bare(kind.model_json_schema())
    return schema


def read_record(text: str, kind: type[Record]) -> Record:
    """Read ``text`` as a record of ``kind``, forgiving what models do around JSON.

    Tried in order: the whole text, fenced blocks, every balanced ``{…}`` from the longest down; each also with
    trailing commas removed.

    Raises:
        UnreadableAnswer: none of them is such a record; the message holds the first problem.

    Example:
        >>> class Answer(BaseModel):
        ...     stage: str
        >>> read_record('Sure! ```json\\n{"stage": "pT2",}\\n``` Hope this helps.', Answer).stage
        'pT2'
    """
    problem = "no JSON object in it"
    for candidate in _candidates(text[:LONGEST]):
        for attempt in (candidate, _TRAILING_COMMA.sub(r"\1", candidate)):
            try:
                value = json.loads(attempt, strict=False)
            except ValueError as error:
                problem = f"not JSON: {error}" if problem == "no JSON object in it" else problem
                continue
            try:
                return kind.model_validate(value)
            except ValidationError as error:
                first = error.errors()[0]
                problem = f"{'.'.join(map(str, first['loc'])) or 'record'}: {first['msg']}"
                break
    raise UnreadableAnswer(f"the model's answer cannot be read ({problem})",
                           hint="a larger model, or an endpoint with json_schema support, answers in form")


def _candidates(text: str) -> Iterator[str]:
    yield text.strip()
    for match in _FENCE.finditer(text):
        yield match.group(1).strip()
    plain = _THINKING.sub(" ", text)
    yield from sorted(_balanced(plain), key=len, reverse=True)


def _balanced(text: str) -> Iterator[str]:
    """The outermost ``{…}`` of ``text``, braces inside strings apart; one pass."""
    depth, start, in_string, escaped = 0, 0, False, False
    for position, char in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"' and depth:
            in_string = True
        elif char == "{":
            if depth == 0:
                start = position
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                yield text[start:position + 1]
