"""Streaming writers of Parquet: bounded memory, whole files."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 512
SHARD_ROWS = 100_000


def write_parquet(path: Path, rows: Path | Iterable[Mapping[str, Any]], schema: pa.Schema, *,
                  shard_rows: int = SHARD_ROWS) -> list[Path]:
    """Write ``rows`` as one Parquet file, or as numbered shards when there are more than ``shard_rows``.

    Files appear under their names only when all of them are complete. Rows are written in groups of 512, so memory
    does not grow with their number.

    Args:
        path: of the file.
        rows: records, or a JSON Lines file of them.
        schema: which they must have.
        shard_rows: most rows of a file.

    Returns:
        The files: ``samples.parquet``, or ``samples-00000-of-00003.parquet`` and so on.

    Raises:
        InputError: a line of the file is not a record of the schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[Path] = []
    writer: pq.ParquetWriter | None = None
    written = 0
    buffer: list[Any] = []
    source = contextlib.closing(_lines(rows)) if isinstance(rows, Path) else contextlib.nullcontext(rows)

    def flush() -> None:
        nonlocal writer, written
        if writer is None:
            parts.append(path.with_name(f"{path.stem}.{len(parts)}.part"))
            writer = pq.ParquetWriter(parts[-1], schema, compression="zstd")
        writer.write_table(_table(buffer, schema) if isinstance(rows, Path) else pa.Table.from_pylist(buffer, schema=schema))
        written += len(buffer)
        buffer.clear()

    try:
        with source as records:
            for row in records:
                buffer.append(row)
                if len(buffer) == ROW_GROUP or written + len(buffer) == shard_rows:
                    flush()
                if written == shard_rows and writer is not None:
                    writer.close()
                    writer, written = None, 0
        if buffer or not parts:
            flush()
        if writer is not None:
            writer.close()
    except BaseException:
        if writer is not None:
            writer.close()
        for part in parts:
            part.unlink(missing_ok=True)
        raise
    names = [path] if len(parts) == 1 else \
        [path.with_name(f"{path.stem}-{i:05d}-of-{len(parts):05d}{path.suffix}") for i in range(len(parts))]
    for stale in [*path.parent.glob(f"{path.stem}-*-of-*{path.suffix}"), path]:
        if stale not in names:
            stale.unlink(missing_ok=True)
    for part, name in zip(parts, names, strict=True):
        os.replace(part, name)
    return names


def _lines(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as handle:
        yield from handle


def _table(lines: list[bytes], schema: pa.Schema) -> pa.Table:
    """JSON lines as a table of the schema: Arrow's own reader, which needs no Python object per value."""
    import pyarrow as pa
    import pyarrow.json as pj

    if not lines:
        return schema.empty_table()
    data = b"".join(lines)
    try:
        table = pj.read_json(io.BytesIO(data), read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
                             parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"))
    except pa.ArrowInvalid as error:
        raise InputError(f"a line is not a record of the schema: {error}",
                         hint="make the dataset again with this version of pathkg-datagen") from error
    # the reader forgets which fields may not be empty
    return table.select(schema.names).cast(schema)
