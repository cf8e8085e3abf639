"""ms-swift: ``--external_plugins <this file> --reward_funcs pathkg``.

Loading the file registers ``pathkg`` and its parts in ``orms``. ms-swift drops the response column, so keep the reference
(as JSON) in ``ground_truth``, ``reference`` or ``solution``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathkg.rewards.adapters.scoring import references_from, reward_from, score_many

try:
    from swift.rewards import ORM, orms
except ImportError:
    try:
        from swift.plugin import ORM, orms
    except ImportError:
        # without ms-swift the class can still be used and tested; there is nothing to register in
        ORM, orms = object, {}


class PathkgORM(ORM):  # type: ignore[misc]
    """format + semantic + 0.5·entity. What could not be scored is made of the parts that could."""

    weights: dict[str, float] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*(args if ORM is not object else ()), **(kwargs if ORM is not object else {}))
        self.reward = reward_from(**({"weights": self.weights} if self.weights else {}))

    def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float]:
        results = score_many(completions, references_from(columns, len(completions)), self.reward)
        return [result.partial for result in results]


class PathkgFormatORM(PathkgORM):
    """The format part alone."""

    weights = {"format": 1.0}  # noqa: RUF012 - ms-swift makes one instance per run


class PathkgSemanticORM(PathkgORM):
    """The semantic part alone."""

    weights = {"semantic": 1.0}  # noqa: RUF012


class PathkgEntityORM(PathkgORM):
    """The entity part alone."""

    weights = {"entity": 1.0}  # noqa: RUF012


orms["pathkg"] = PathkgORM
orms["pathkg_format"] = PathkgFormatORM
orms["pathkg_semantic"] = PathkgSemanticORM
orms["pathkg_entity"] = PathkgEntityORM
