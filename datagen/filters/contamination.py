"""Contamination: text that also stands in a benchmark must not be trained on."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pathkg.errors import InputError

_WORD = re.compile(r"[a-z0-9]+")
SHORTEST_WHOLE = 6
"""A benchmark text shorter than the sequence length is matched whole when it has at least this many words."""


def words(text: str) -> list[str]:
    """Lower-case words and numbers; punctuation and spacing do not hide a copy.

    Example:
        >>> words("Clear-cell RCC, pT2a.")
        ['clear', 'cell', 'rcc', 'pt2a']
    """
    return _WORD.findall(text.lower())


def _hash(parts: Sequence[str]) -> int:
    return int.from_bytes(blake2b(" ".join(parts).encode(), digest_size=8).digest(), "little")


class BenchmarkIndex:
    """Hashed word sequences of benchmark files.

    Args:
        length: words per sequence.

    Example:
        >>> index = BenchmarkIndex(length=4)
        >>> index.add("bench", "what is the most likely diagnosis here")
        >>> index.shared_with("So: what is the most, likely?")
        ('bench', 'what is the most')
        >>> index.shared_with("the most likely diagnosis was made")
        ('bench', 'the most likely diagnosis')
        >>> index.shared_with("an unrelated text about kidneys") is None
        True
    """

    def __init__(self, *, length: int = 13) -> None:
        if length < SHORTEST_WHOLE - 2:
            raise InputError(f"sequences of {length} words are everywhere", hint="use 8 or more; 13 is customary")
        self.length = length
        self.names: list[str] = []
        self._sequences: dict[int, int] = {}
        self._lengths: set[int] = {length}

    @classmethod
    def of_files(cls, paths: Iterable[Path], *, length: int = 13) -> BenchmarkIndex:
        """Index all strings of ``.jsonl``, ``.json``, ``.csv``, ``.parquet`` or ``.txt`` files.

        Raises:
            InputError: a file that cannot be read.
        """
        from datagen.cases.reader import _rows

        index = cls(length=length)
        for path in paths:
            for row in _rows(path)():
                for text in _strings(row):
                    index.add(path.name, text)
        return index

    def add(self, name: str, text: str) -> None:
        """Add one benchmark text."""
        if name not in self.names:
            self.names.append(name)
        number = self.names.index(name)
        found = words(text)
        length = min(self.length, len(found))
        if length < self.length and length < SHORTEST_WHOLE:
            return
        self._lengths.add(length)
        for start in range(len(found) - length + 1):
            self._sequences.setdefault(_hash(found[start:start + length]), number)

    def shared_with(self, *texts: str) -> tuple[str, str] | None:
        """``(benchmark, shared words)`` for the first sequence that one of ``texts`` has in common with a benchmark."""
        for text in texts:
            found = words(text)
            for length in sorted(self._lengths, reverse=True):
                for start in range(len(found) - length + 1):
                    number = self._sequences.get(_hash(found[start:start + length]))
                    if number is not None:
                        return self.names[number], " ".join(found[start:start + length])
        return None

    def __len__(self) -> int:
        return len(self._sequences)

    def to_dict(self) -> dict[str, Any]:
        return {"files": list(self.names), "sequences": len(self), "length": self.length}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        # exported datasets keep conversations and options as JSON text
        if value[:1] in "[{":
            try:
                yield from _strings(json.loads(value))
                return
            except ValueError:
                pass
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple | array):
        for inner in value:
            yield from _strings(inner)
