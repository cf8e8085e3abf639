"""Streaming writers of Parquet: bounded memory, whole files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 512
SHARD_ROWS = 100_000


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, *, shard_rows: int = SHARD_ROWS
                  ) -> list[Path]:
    """Write ``rows`` as one Parquet file, or as numbered shards when there are more than ``shard_rows``.

    Files appear under their names only when all of them are complete. Rows are written in groups of 512, so memory
    does not grow with their number.

    Returns:
        The files: ``samples.parquet``, or ``samples-00000-of-00003.parquet`` and so on.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[Path] = []
    writer: pq.ParquetWriter | None = None
    written = 0
    buffer: list[Mapping[str, Any]] = []

    def flush() -> None:
        nonlocal writer, written
        if writer is None:
            parts.append(path.with_name(f"{path.stem}.{len(parts)}.part"))
            writer = pq.ParquetWriter(parts[-1], schema, compression="zstd")
        writer.write_table(pa.Table.from_pylist(buffer, schema=schema))
        written += len(buffer)
        buffer.clear()

    try:
        for row in rows:
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
