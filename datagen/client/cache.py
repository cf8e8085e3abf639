"""Answers already paid for, keyed by the content of the call; and the calls that were under way.

One SQLite file in write-ahead mode: a killed process leaves it consistent, and an answer is in it before anything
else is done with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datagen.records import canonical_json
from pathkg.errors import InputError

FORMAT = 1


def call_key(model: str, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any] | None,
             parameters: Mapping[str, Any]) -> str:
    """The SHA-256 of everything that the answer depends on.

    Example:
        >>> a = call_key("m", [{"role": "user", "content": "x"}], None, {"temperature": 0})
        >>> a == call_key("m", [{"role": "user", "content": "x"}], None, {"temperature": 1})
        False
    """
    import hashlib

    content = {"model": model, "messages": list(messages), "schema": schema, "parameters": dict(parameters)}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


class CallCache:
    """The answers of calls, on disk.

    Args:
        path: the SQLite file; ``":memory:"`` keeps nothing.

    Raises:
        InputError: the file is not such a cache.

    Example:
        >>> cache = CallCache(":memory:")
        >>> cache.put("k", "m", "answer", 10, 2, 0.5)
        >>> cache.get("k")
        ('answer', 10, 2, 0.5)
        >>> cache.spent
        0.5
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, model TEXT, answer TEXT, "
                             "prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL)")
            self._db.execute("CREATE TABLE IF NOT EXISTS pending (key TEXT PRIMARY KEY, cost REAL)")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                raise InputError(f"{path} is a call cache of format {version}, this program reads {FORMAT}",
                                 hint="remove the file; its calls will be made again")
            self._db.execute(f"PRAGMA user_version={FORMAT}")
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is not a call cache: {error}",
                             hint="remove the file; its calls will be made again") from error
        # calls that a killed run had sent and whose answers never came: they may have been billed
        self.lost = self._db.execute("SELECT count(*), coalesce(sum(cost), 0) FROM pending").fetchone()

    def get(self, key: str) -> tuple[str, int, int, float] | None:
        """``(answer, prompt tokens, completion tokens, cost)`` of a call, or ``None``."""
        row = self._db.execute("SELECT answer, prompt_tokens, completion_tokens, cost FROM answers WHERE key = ?",
                               (key,)).fetchone()
        return None if row is None else (str(row[0]), int(row[1]), int(row[2]), float(row[3]))

    def begin(self, key: str, cost: float) -> None:
        """Note that a call is sent which may cost ``cost``."""
        self._db.execute("INSERT OR REPLACE INTO pending VALUES (?, ?)", (key, cost))

    def cancel(self, key: str) -> None:
        """Note that a call ended without an answer and without cost."""
        self._db.execute("DELETE FROM pending WHERE key = ?", (key,))

    def put(self, key: str, model: str, answer: str, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """Keep the answer of a call."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                             (key, model, answer, prompt_tokens, completion_tokens, cost))
            self._db.execute("DELETE FROM pending WHERE key = ?", (key,))

    @property
    def spent(self) -> float:
        """The cost of all answers in the cache, and of the calls a killed run never got an answer to."""
        answers = self._db.execute("SELECT coalesce(sum(cost), 0) FROM answers").fetchone()[0]
        return float(answers) + float(self.lost[1])

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        self._db.close()
