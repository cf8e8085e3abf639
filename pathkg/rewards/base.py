"""What every reward shares: options that pickle, the rules for bad input, batches."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pathkg.errors import InputError, PathkgError
from pathkg.rewards.breakdown import RewardBreakdown, count_unscored
from pathkg.rewards.engines import bundled, engine_for
from pathkg.rewards.reading import MAX_CHARS, Engine, Reading, Target
from pathkg.rewards.reference import Reference
from pathkg.rewards.wording import as_text
from pathkg.trajectory.dialects import DIALECTS, get_dialect

if TYPE_CHECKING:
    from pathkg.graph import KnowledgeGraph

log = logging.getLogger(__name__)

ReferenceLike = Reference | str | Mapping[str, Any]

MAX_UNKNOWN_SHARE = 0.2
"""A reference of which more ids are unknown to the store does not fit it and is not scored."""

FOLLOW_REFERENCE = "reference"
"""Dialect option: read each completion in the dialect of its reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward(ABC):
    """Base of all rewards. Frozen, picklable, thread-safe.

    Args:
        store: graph store folder; ``""`` = the bundled core. A pickle holds this path and ``graph_hash``.
        graph_hash: filled in from the store; a pickle opened where the content differs does not score.
        dialect: tags to read (``observe``, ``info``, ``auto``), or ``reference``: those of each reference.
        max_chars: characters read of one completion; a longer one fails the format.
        strict: raise on bad input instead of returning ``None`` with a reason. Leave it off in training.
    """

    store: str = ""
    graph_hash: str = field(default="", repr=False)
    dialect: str = FOLLOW_REFERENCE
    max_chars: int = MAX_CHARS
    strict: bool = False

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.dialect != FOLLOW_REFERENCE:
            get_dialect(self.dialect)
        if self.max_chars < 1:
            raise InputError(f"max_chars is {self.max_chars}", hint="give a positive number of characters")
        if not self.graph_hash and self.needs_graph:
            from pathkg.api import load

            graph = load(self.store) if self.store else bundled()
            object.__setattr__(self, "store", str(graph.path))
            object.__setattr__(self, "graph_hash", graph.hash)

    @property
    def needs_graph(self) -> bool:
        return True

    @property
    def waits(self) -> int:
        """How many completions may wait for a judge at once; 0 where nothing waits."""
        return 0

    @property
    def engine(self) -> Engine:
        """The shared engine of this reward's store."""
        return engine_for(self.store, self.graph_hash)

    @property
    def graph(self) -> KnowledgeGraph:
        return self.engine.graph

    def with_options(self, **options: Any) -> Any:
        """A copy with other options."""
        return replace(self, **options)

    @abstractmethod
    def _score(self, reading: Reading, target: Target, engine: Engine) -> RewardBreakdown:
        """Score what was read; called with checked input only."""

    def score(self, text: str, reference: ReferenceLike) -> RewardBreakdown:
        """Score one completion.

        Args:
            text: the completion, tags included.
            reference: a :class:`~pathkg.rewards.Reference`, its JSON, or its decoded JSON.

        Returns:
            The breakdown. Bad input never raises unless ``strict``: what is no text, a broken reference, and a
            reference that does not fit the store give ``total=None`` with a reason, and are counted
            (:func:`pathkg.rewards.unscored_counts`).

        Raises:
            PathkgError: bad input, with ``strict``.
        """
        try:
            return self._checked(text, reference)
        except PathkgError as error:
            if self.strict:
                raise
            return self._unscored(f"{_REASON.get(type(error).__name__, 'refused')}: {error.message}")
        except Exception as error:
            # a fault of ours must not end a training run of days; it is counted and logged
            if self.strict:
                raise
            log.exception("reward %s could not score a completion", self.name)
            return self._unscored(f"internal_error: {type(error).__name__}: {error}")

    def _finish(self, result: RewardBreakdown) -> RewardBreakdown:
        if result.total is None:
            count_unscored(next((r for r in result.reasons if ":" in r), self.name))
        return result

    def _unscored(self, reason: str) -> RewardBreakdown:
        count_unscored(reason)
        return RewardBreakdown(None, {self.name: None}, reasons=(reason,))

    def _checked(self, given: object, reference_like: ReferenceLike) -> RewardBreakdown:
        text = as_text(given)
        if text is None:
            raise _NotText(f"the completion is {type(given).__name__}, not text", hint="pass a string")
        reference = Reference.coerce(reference_like)
        engine = self.engine
        target = engine.target(reference)
        if len(target.unknown) > MAX_UNKNOWN_SHARE * len(reference.entities):
            raise _Misfit(f"{len(target.unknown)} of {len(reference.entities)} ids of the reference are unknown to "
                          f"the store {self.graph_hash[:19]}, the first is {target.unknown[0]}",
                          hint="use the store the reference was made with, or make the reference again")
        dialect = reference.dialect if self.dialect == FOLLOW_REFERENCE else self.dialect
        reading = engine.read(text, get_dialect(dialect, text).name, self.max_chars)
        result = self._finish(self._score(reading, target, engine))
        notes: tuple[str, ...] = ()
        if target.foreign_graph:
            notes += (f"graph_mismatch: the reference is of {reference.graph_hash[:19]}",)
        if target.unknown:
            notes += (f"unknown_ids: {', '.join(target.unknown[:3])}",)
        return replace(result, reasons=result.reasons + notes) if notes else result

    def score_batch(self, texts: Sequence[str], references: Sequence[ReferenceLike] | ReferenceLike, *,
                    workers: int = 1) -> list[RewardBreakdown]:
        """Score many completions, in order.

        Args:
            texts: the completions.
            references: one per completion, or one for all.
            workers: processes; more than one keeps a pool alive for the next batch. All of them map one store.

        Raises:
            InputError: the numbers of texts and references differ.
        """
        pairs = _pairs(texts, references)
        if self.waits > 1 and len(pairs) > 1:
            with ThreadPoolExecutor(min(self.waits, len(pairs))) as threads:
                return list(threads.map(lambda pair: self.score(*pair), pairs))
        if workers <= 1 or len(pairs) < 2 * workers:
            return [self.score(text, reference) for text, reference in pairs]
        size = max(1, -(-len(pairs) // (workers * 4)))
        chunks = [pairs[i:i + size] for i in range(0, len(pairs), size)]
        try:
            scored = list(_pool(workers).map(_score_chunk, [self] * len(chunks), chunks))
        except BrokenProcessPool:
            # a worker was killed (out of memory, say): the batch is scored here, the next one gets new workers
            log.warning("a worker process of the reward died; this batch is scored without workers")
            _pool.cache_clear()
            return [self.score(text, reference) for text, reference in pairs]
        return [result for chunk in scored for result in chunk]

    async def score_batch_async(self, texts: Sequence[str], references: Sequence[ReferenceLike] | ReferenceLike, *,
                                concurrency: int = 8) -> list[RewardBreakdown]:
        """:meth:`score_batch` for an event loop: the loop stays free while the completions are scored.

        Args:
            texts: the completions.
            references: one per completion, or one for all.
            concurrency: how many are in flight at once (threads; what waits is a judge, not the processor).
        """
        gate = asyncio.Semaphore(concurrency)

        async def one(text: str, reference: ReferenceLike) -> RewardBreakdown:
            async with gate:
                return await asyncio.to_thread(self.score, text, reference)

        return list(await asyncio.gather(*(one(t, r) for t, r in _pairs(texts, references))))

    def __call__(self, text: str, reference: ReferenceLike) -> float | None:
        """The total alone."""
        return self.score(text, reference).total


class _NotText(InputError):
    """The completion is no text."""


class _Misfit(InputError):
    """The reference does not fit the store."""


_REASON = {"_NotText": "not_text", "_Misfit": "reference_misfit", "InputError": "bad_reference",
           "StoreError": "store", "EndpointError": "judge"}


def _pairs(texts: Sequence[str], references: Sequence[ReferenceLike] | ReferenceLike
           ) -> list[tuple[str, ReferenceLike]]:
    if isinstance(references, (Reference, str, Mapping)):
        return [(text, references) for text in texts]
    if len(texts) != len(references):
        raise InputError(f"{len(texts)} texts but {len(references)} references", hint="pass one reference per text")
    return list(zip(texts, references, strict=True))


@lru_cache(maxsize=4)
def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers)


def _score_chunk(reward: Reward, pairs: list[tuple[str, ReferenceLike]]) -> list[RewardBreakdown]:
    return [reward.score(text, reference) for text, reference in pairs]


__all__ = ["DIALECTS", "FOLLOW_REFERENCE", "MAX_UNKNOWN_SHARE", "ReferenceLike", "Reward"]
