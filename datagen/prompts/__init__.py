"""Prompts: Markdown files with a ``## system`` and a ``## user`` part, versioned by their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pathkg.errors import InputError, did_you_mean

NAMES = ("write", "repair", "extract", "answer")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. ``hash`` is the first 16 hex digits of the SHA-256 of the file."""

    name: str
    system: str
    user: str
    hash: str

    def messages(self, **fields: str) -> list[dict[str, str]]:
        """The chat messages with the fields filled in.

        Example:
            >>> read_prompt("answer").messages(given="", question="Which?", options="")[1]["content"]
            'Question: Which?'
        """
        return [{"role": "system", "content": self.system.format(**fields).strip()},
                {"role": "user", "content": self.user.format(**fields).strip()}]


def read_prompt(name: str, folder: str | Path | None = None) -> Prompt:
    """A prompt by name, from ``folder`` where it has a file of that name, else the package's own.

    Raises:
        InputError: there is no such prompt, or the file lacks one of its two parts.
    """
    if name not in NAMES:
        raise InputError(f"there is no prompt {name!r}", hint=did_you_mean(name, NAMES) or f"prompts: {', '.join(NAMES)}")
    own = Path(folder) / f"{name}.md" if folder is not None else None
    return _parse(name, own.read_text("utf-8") if own is not None and own.is_file() else _bundled(name))


@lru_cache(maxsize=len(NAMES))
def _bundled(name: str) -> str:
    return (resources.files("datagen.prompts") / f"{name}.md").read_text("utf-8")


def _parse(name: str, text: str) -> Prompt:
    before, system, rest = text.partition("## system\n")
    system, user_mark, user = rest.partition("## user\n")
    if before.strip() or not user_mark:
        raise InputError(f"the prompt {name!r} lacks a '## system' or '## user' part", hint="see datagen/prompts/write.md")
    return Prompt(name, system, user, hashlib.sha256(text.encode()).hexdigest()[:16])
