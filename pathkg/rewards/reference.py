"""``Reference``: what a gold trajectory states, small enough for a ``ground_truth`` string.

RL frameworks carry one string per prompt from the dataset to the reward. The codec writes what the rewards need,
nothing else: one to two kilobytes for a usual trajectory, without the trajectory's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from pathkg.errors import InputError
from pathkg.records import Polarity

REFERENCE_VERSION = 1
MAX_JSON = 200_000
"""A longer string is not one of ours."""


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """A node with a polarity: what rewards compare. Written ``MONDO:0005096+``."""

    id: str
    polarity: Polarity

    def __str__(self) -> str:
        return self.id + self.polarity

    @classmethod
    def from_text(cls, text: str) -> Statement:
        """Rebuild from ``str(statement)``.

        Raises:
            InputError: the text does not end in a polarity.

        Example:
            >>> Statement.from_text("MONDO:0005096-")
            Statement(id='MONDO:0005096', polarity='-')
        """
        if text[-1:] == "+":
            return cls(text[:-1], "+")
        if text[-1:] == "-" and len(text) > 1:
            return cls(text[:-1], "-")
        raise InputError(f"{text!r} is not a statement", hint="write a CURIE followed by + or -")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a gold trajectory states.

    Attributes:
        entities: the statements of the whole trajectory, sorted.
        reasoned: those of ``entities`` that the gold names in its reasoning or answer, not only in its findings.
        values: structured values (``pT=2a``, ``side=left:kidney``), sorted.
        answer: statements of the answer block.
        answer_values: structured values of the answer block.
        answer_text: the answer in words, for a judge and for closed questions.
        claims: connections the gold's certificate supports: (source CURIE, target CURIE, stance).
        graph_hash: content hash of the store the ids come from.
        dialect: the tags of the gold.
        length: characters of the gold; 0 = unknown.
        known: sizes, percentages, counts and rates that the report gives beside the gold's; ``None`` where no report is known.
        allowed: violations the gold itself holds (``repeated``, ``hidden``, ``foreign``), which cost nothing.

    Example:
        >>> r = Reference.of(["MONDO:0005096+", "PATHKG:keratin-pearl+"], answer=["MONDO:0005096+"])
        >>> Reference.from_json(r.to_json()) == r
        True
    """

    entities: tuple[Statement, ...] = ()
    reasoned: frozenset[Statement] = frozenset()
    values: tuple[str, ...] = ()
    answer: tuple[Statement, ...] = ()
    answer_values: tuple[str, ...] = ()
    answer_text: str = ""
    claims: tuple[tuple[str, str, str], ...] = ()
    graph_hash: str = ""
    dialect: str = "observe"
    length: int = 0
    allowed: tuple[tuple[str, int], ...] = ()
    known: tuple[str, ...] | None = None

    @classmethod
    def of(cls, entities: list[str] | tuple[str, ...], **rest: Any) -> Reference:
        """A reference from statements in short form (``"MONDO:0005096+"``); ``answer`` and ``reasoned`` likewise.

        Raises:
            InputError: a statement without polarity, or a field that does not exist.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(rest) - known)
        if unknown:
            raise InputError(f"a reference has no field {unknown[0]!r}", hint=f"fields: {', '.join(sorted(known))}")
        for name in ("answer", "reasoned"):
            if name in rest:
                rest[name] = [s if isinstance(s, Statement) else Statement.from_text(s) for s in rest[name]]
        parsed = sorted({s if isinstance(s, Statement) else Statement.from_text(s) for s in entities})
        rest["answer"] = tuple(sorted(set(rest.get("answer", ()))))
        rest["reasoned"] = frozenset(rest.get("reasoned", ()))
        for name in ("values", "answer_values"):
            rest[name] = tuple(sorted(set(rest.get(name, ()))))
        if rest.get("known") is not None:
            rest["known"] = tuple(sorted(set(rest["known"])))
        return cls(tuple(parsed), **rest)

    def to_json(self) -> str:
        """One compact line of JSON."""
        record: dict[str, Any] = {"v": REFERENCE_VERSION}
        if self.graph_hash:
            record["g"] = self.graph_hash
        if self.dialect != "observe":
            record["d"] = self.dialect
        # a trailing * marks what the gold reasons with
        record["e"] = [f"{s}*" if s in self.reasoned else str(s) for s in self.entities]
        position = {s.id: i for i, s in enumerate(self.entities)}
        optional: dict[str, Any] = {
            "x": list(self.values), "a": [str(s) for s in self.answer], "ax": list(self.answer_values),
            "t": self.answer_text, "n": self.length, "ok": dict(self.allowed),
            "c": [[position.get(a, a), position.get(b, b), stance[0]] for a, b, stance in self.claims]}
        record.update({key: value for key, value in optional.items() if value})
        if self.known is not None:
            record["k"] = list(self.known)
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Reference:
        """Read :meth:`to_json`; the same string gives the same object again without parsing.

        Raises:
            InputError: not a reference.
        """
        if not isinstance(text, str):
            raise InputError(f"a reference is {type(text).__name__}, not text", hint="pass the string of to_json()")
        if len(text) > MAX_JSON:
            raise InputError(f"a reference of {len(text):,} characters", hint="pass the string of to_json()")
        return _decode(text)

    @classmethod
    def coerce(cls, value: Reference | str | Mapping[str, Any]) -> Reference:
        """A reference from whatever a dataset column holds: a Reference, its JSON, or its decoded JSON.

        Raises:
            InputError: none of these.
        """
        if isinstance(value, Reference):
            return value
        if isinstance(value, Mapping):
            return _from_record(value)
        return cls.from_json(value)

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.to_json())
        return record

    def __repr__(self) -> str:
        return f"<Reference {len(self.entities)} entities, {len(self.values)} values, answer {self.answer_text[:40]!r}>"


_STANCES = {"s": "supports", "o": "opposes", "m": "mentions"}


@lru_cache(maxsize=65536)
def _decode(text: str) -> Reference:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"a reference that is not JSON: {error}",
                         hint="write references with: pathkg reward reference") from error
    if not isinstance(record, dict):
        raise InputError("a reference whose JSON is not an object",
                         hint="write references with: pathkg reward reference")
    return _from_record(record)


def _from_record(record: Mapping[str, Any]) -> Reference:
    if record.get("v") != REFERENCE_VERSION:
        raise InputError(f"a reference of version {record.get('v')!r}; this is version {REFERENCE_VERSION}",
                         hint="write references with: pathkg reward reference")
    try:
        marked = [(Statement.from_text(s.removesuffix("*")), s.endswith("*")) for s in record["e"]]
        ids = [s.id for s, _ in marked]
        claims = tuple((ids[a] if isinstance(a, int) else str(a), ids[b] if isinstance(b, int) else str(b),
                        _STANCES[c]) for a, b, c in record.get("c", ()))
        allowed = tuple(sorted((str(k), int(n)) for k, n in record.get("ok", {}).items()))
        return Reference(
            tuple(s for s, _ in marked), frozenset(s for s, flag in marked if flag),
            tuple(map(str, record.get("x", ()))), tuple(Statement.from_text(s) for s in record.get("a", ())),
            tuple(map(str, record.get("ax", ()))), str(record.get("t", "")), claims, str(record.get("g", "")),
            str(record.get("d", "observe")), int(record.get("n", 0)), allowed,
            tuple(map(str, record["k"])) if "k" in record else None)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"a broken reference: {type(error).__name__} {error}",
                         hint="write references with: pathkg reward reference") from error
