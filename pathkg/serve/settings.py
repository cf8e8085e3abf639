"""Limits of the server, in one place."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

from pathkg.errors import InputError

ENVIRONMENT = "PATHKG_SERVE_SETTINGS"
"""Where worker processes find their settings (JSON). The token is not among them: it stays in its own variable."""

TOKEN_ENVIRONMENT = "PATHKG_SERVE_TOKEN"

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the server protects itself.

    Attributes:
        store: graph store folder; ``""`` = the bundled core.
        max_body: largest request body, in bytes; larger ones get 413.
        max_text: longest single text, in characters; longer ones get 422.
        max_batch: most items of a batch.
        time_limit_s: a request that takes longer gets 504.
        running: requests computed at once, per worker process.
        waiting: requests that may wait beside them; more get 503 at once.
        token: bearer token; ``""`` = none needed.
    """

    store: str = ""
    max_body: int = 4_000_000
    max_text: int = 1_000_000
    max_batch: int = 512
    time_limit_s: float = 30.0
    running: int = 2
    waiting: int = 256
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in ("max_body", "max_text", "max_batch", "time_limit_s", "running"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}", hint="give a positive number")
        if self.waiting < 0:
            raise InputError(f"waiting is {self.waiting}", hint="give 0 or more")

    def to_environment(self) -> None:
        """Leave the settings where worker processes find them."""
        record = asdict(self)
        token = record.pop("token")
        os.environ[ENVIRONMENT] = json.dumps(record)
        if token:
            os.environ[TOKEN_ENVIRONMENT] = token

    @classmethod
    def from_environment(cls) -> Settings:
        """What :meth:`to_environment` left, or the defaults."""
        record = json.loads(os.environ.get(ENVIRONMENT, "{}"))
        return cls(**record, token=os.environ.get(TOKEN_ENVIRONMENT, ""))
