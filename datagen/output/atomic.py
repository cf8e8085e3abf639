"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pathkg.errors import InputError

CHUNK = 1 << 20


@contextlib.contextmanager
def whole_file(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open ``path`` for writing under a temporary name; it takes its own name when the block ends well.

    Args:
        path: the file to write; its folder must exist.
        mode: ``"w"`` for UTF-8 text with plain newlines, ``"wb"`` for bytes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder) / "a.txt") as handle:
        ...         _ = handle.write("x")
        ...     sorted(p.name for p in Path(folder).iterdir())
        ['a.txt']
    """
    part = path.with_name(path.name + ".part")
    try:
        with (part.open("wb") if "b" in mode else part.open("w", encoding="utf-8", newline="\n")) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole."""
    with whole_file(path) as handle:
        handle.write(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value of a file.

    Raises:
        InputError: the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}", hint="the file is damaged; make it again") from error


def checksum(path: Path) -> str:
    """``sha256:`` checksum of a file, or of the names and contents of the files of a folder."""
    whole = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            whole.update(str(file.relative_to(path)).encode() + b"\x00")
        with file.open("rb") as handle:
            while block := handle.read(CHUNK):
                whole.update(block)
    return f"sha256:{whole.hexdigest()}"


def make_folder(path: Path) -> None:
    """Make ``path`` and its parents.

    Raises:
        InputError: it cannot be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path}: {error.strerror or error}",
                         hint="give --out a folder that can be written") from error
