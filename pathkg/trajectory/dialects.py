"""Tag dialects: which tags the three blocks of a trajectory carry.

``observe`` is our own; ``info`` is what the released PathReasoner sample uses. A dialect is a value that is passed
around, never a constant, so that a text of one dialect is not scored as junk of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pathkg.errors import DialectError, did_you_mean

BLOCKS = ("observe", "think", "answer")
"""What the three blocks are called here, whatever their tags are."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The tags of the three blocks, in order: findings, reasoning, conclusion."""

    name: str
    tags: tuple[str, str, str]


DIALECTS: Mapping[str, Dialect] = MappingProxyType({
    "observe": Dialect("observe", ("observe", "think", "answer")),
    "info": Dialect("info", ("info", "think", "answer")),
})

AUTO = "auto"
"""Pick the dialect whose first tag the text uses."""


def get_dialect(name: str, text: str = "") -> Dialect:
    """The dialect called ``name``; for ``"auto"``, the one whose first tag comes first in ``text``.

    Raises:
        DialectError: there is no such dialect.

    Example:
        >>> get_dialect("auto", "<info>x</info>").name
        'info'
    """
    if name == AUTO:
        seen = {d.name: text.find(f"<{d.tags[0]}>") for d in DIALECTS.values()}
        found = [n for n, at in sorted(seen.items(), key=lambda item: item[1]) if at >= 0]
        return DIALECTS[found[0]] if found else DIALECTS["observe"]
    try:
        return DIALECTS[name]
    except KeyError:
        known = [*DIALECTS, AUTO]
        raise DialectError(f"there is no trajectory dialect {name!r}; known: {', '.join(known)}",
                           hint=did_you_mean(name, known) or "pass one of the known dialects") from None
