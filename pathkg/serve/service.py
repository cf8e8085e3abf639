"""What is served: the same functions over HTTP and MCP, JSON types in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError
from pathkg.serve.settings import Settings

if TYPE_CHECKING:
    from pathkg.rewards import CompositeReward


class Service:
    """The functions of one store. Thread-safe.

    Raises:
        StoreError: the store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        from pathkg.api import load
        from pathkg.linking import linker_for
        from pathkg.rewards import CompositeReward

        self.settings = settings
        self.graph = load(settings.store or None)
        self.linker = linker_for(self.graph)
        self.reward_function = CompositeReward(store=str(self.graph.path))
        self.reward_function.engine  # noqa: B018 - opened now, so that the first request is as fast as the next

    def _limited(self, name: str, text: str | None) -> str | None:
        if text is not None and len(text) > self.settings.max_text:
            raise InputError(f"{name} has {len(text):,} characters; the limit is {self.settings.max_text:,}",
                             hint="send a shorter text")
        return text

    def info(self) -> dict[str, Any]:
        """What the store holds."""
        from pathkg import __version__

        return {"version": __version__, "graph_hash": self.graph.hash, "counts": dict(self.graph.manifest["counts"]),
                "node_types": list(self.graph.node_types), "relations": list(self.graph.relations)}

    def link(self, text: str) -> dict[str, Any]:
        """Entities of a report text, each with its assertion status."""
        self._limited("text", text)
        result = self.linker.link(text).to_dict()
        del result["text"]
        return result

    def paths(self, a: str | Sequence[str], b: str | Sequence[str], k: int = 5, max_hops: int = 4) -> dict[str, Any]:
        """Evidence paths between entities (CURIEs or names)."""
        from pathkg.paths import find_paths

        if not 1 <= k <= 100 or not 1 <= max_hops <= 6:
            raise InputError(f"k={k}, max_hops={max_hops}", hint="k is 1 to 100 and max_hops 1 to 6 on a server")
        return find_paths(self.graph, a, b, k=k, max_hops=max_hops,
                          time_limit=self.settings.time_limit_s / 2).to_dict()

    def verify(self, trajectory: str, report: str | None = None, dialect: str = "auto") -> dict[str, Any]:
        """The certificate of a tagged trajectory."""
        from pathkg.trajectory import verify

        self._limited("trajectory", trajectory)
        self._limited("report", report)
        return verify(trajectory, report=report, graph=self.graph, linker=self.linker, dialect=dialect).to_dict()

    def reward(self, text: str, reference: str | dict[str, Any], weights: dict[str, float] | None = None
               ) -> dict[str, Any]:
        """The reward of a completion, with its breakdown."""
        self._limited("text", text)
        return self._reward(weights).score(text, reference).to_dict()

    def reward_batch(self, items: Sequence[tuple[str, str | dict[str, Any]]], weights: dict[str, float] | None = None
                     ) -> list[dict[str, Any]]:
        """The rewards of many completions, in order."""
        if len(items) > self.settings.max_batch:
            raise InputError(f"{len(items)} items; the limit is {self.settings.max_batch}",
                             hint="send several smaller batches")
        reward = self._reward(weights)
        return [reward.score(text, reference).to_dict() for text, reference in items]

    def reference(self, gold: str, report: str | None = None) -> dict[str, Any]:
        """The reference of a gold trajectory: the string to use as ``ground_truth``."""
        from pathkg.rewards import build_reference
        from pathkg.trajectory import verify

        self._limited("gold", gold)
        self._limited("report", report)
        certificate = verify(gold, report=report, graph=self.graph, linker=self.linker) if report else None
        return {"ground_truth": build_reference(gold, graph=self.graph, certificate=certificate, report=report or None).to_json(),
                "verdict": certificate.verdict if certificate else None}

    def node(self, id: str) -> dict[str, Any]:
        """A node by CURIE, cross-reference or name, with its neighbours (at most 100)."""
        curie = self.graph.resolve(id)
        found = self.graph.neighbors(curie)
        return {**self.graph.node(curie).to_dict(), "degree": len(found), "neighbors": [
            {"edge": edge, "relation": self.graph.edge(edge).relation, "id": other, "name": self.graph.name(other),
             "direction": way} for edge, other, way in found[:100]]}

    def openrlhf(self, query: Sequence[str], prompts: Sequence[str] | None, labels: Sequence[Any] | None
                 ) -> dict[str, Any]:
        """The request of OpenRLHF's remote reward model."""
        from pathkg.rewards.adapters.openrlhf import score_queries

        if len(query) > self.settings.max_batch:
            raise InputError(f"{len(query)} queries; the limit is {self.settings.max_batch}",
                             hint="lower the micro batch size")
        return score_queries(query, prompts, labels, store=str(self.graph.path))

    def _reward(self, weights: dict[str, float] | None) -> CompositeReward:
        if not weights:
            return self.reward_function
        from pathkg.rewards.adapters.scoring import reward_from

        return reward_from(store=str(self.graph.path), weights=weights)
