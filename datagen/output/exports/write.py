"""Writing an export: rows per split, the card, Croissant metadata; refused for publication while a licence is unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.filters.identifiers import redact
from datagen.output.atomic import checksum, make_folder, read_json, whole_file, write_json
from datagen.output.card import card, croissant
from datagen.output.exports.chat import chat_row, swift_row
from datagen.output.exports.llava import llava_row
from datagen.output.exports.trl import trl_conversational_row, trl_prompt_completion_row
from datagen.output.exports.verl import verl_row
from datagen.output.finish import MANIFEST
from datagen.output.licences import Link, chain, require_known
from datagen.output.schema import read_samples
from pathkg.errors import InputError, did_you_mean
from pathkg.trajectory import get_dialect

RowWriter = Callable[..., dict[str, Any]]

FORMATS: Mapping[str, tuple[RowWriter, str, str]] = {
    "trl": (trl_conversational_row, "jsonl", "TRL conversational prompt/completion with images and reward column"),
    "trl-text": (trl_prompt_completion_row, "jsonl", "TRL prompt/completion as plain text"),
    "llava": (llava_row, "json", "LLaVA and SlideChat conversations"),
    "verl": (verl_row, "parquet", "verl RL data set"),
    "ms-swift": (swift_row, "jsonl", "ms-swift messages with images and solution"),
    "chat": (chat_row, "jsonl", "plain chat messages"),
}
"""Name -> (row writer, file type, what it is)."""

BATCH = 512


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was written where."""

    folder: Path
    format: str
    rows: Mapping[str, int]
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "format": self.format, "rows": dict(self.rows), "files": list(self.files)}

    def explain(self) -> str:
        shown = ", ".join(f"{split} {n}" for split, n in self.rows.items())
        return f"{self.format}: {shown} rows in {self.folder}/ ({', '.join(self.files)})"


def export(folder: str | Path, out: str | Path, *, format: str, dialect: str | None = None, with_report: bool = False,
           publish: bool = False, title: str = "Pathology reasoning trajectories", cases_licence: str = "",
           model_licence: str = "", licence: str = "") -> ExportSummary:
    """Export a finished dataset.

    Args:
        folder: the ``--out`` folder of a run.
        out: where the export goes: one file per split, ``README.md``, ``croissant.json``.
        format: one of :data:`FORMATS`.
        dialect: tags of the trajectories (``observe`` or ``info``); the dataset's own when ``None``.
        with_report: put the report into the prompt (for models that read text instead of slides).
        publish: the export is to be given away: every licence in the chain must be known, identifiers in reports are
            blanked, and local paths of slides are cut to their file names.
        title: of the dataset card.
        cases_licence, model_licence: terms of the cases and of what the model wrote.
        licence: of the export itself, an SPDX name for the card.

    Raises:
        InputError: an unknown format or dialect, no dataset, or (with ``publish``) an unknown licence.
    """
    if format not in FORMATS:
        raise InputError(f"there is no export format {format!r}",
                         hint=did_you_mean(format, FORMATS) or f"formats: {', '.join(FORMATS)}")
    if dialect is not None:
        get_dialect(dialect, f"<{dialect}>")
    source, target = Path(folder), Path(out)
    manifest = read_json(source / MANIFEST)
    links = chain(manifest, cases_licence=cases_licence, model_licence=model_licence)
    if publish:
        require_known(links)
        if not licence:
            raise InputError("an export for publication needs a licence of its own", hint="give --licence SPDX")
    make_folder(target)
    rows: dict[str, int] = {}
    files: list[str] = []
    write_row, kind, about = FORMATS[format]
    for split in manifest["counts"]["splits"]:
        chosen = _rows(source, split, write_row, dialect, with_report, publish)
        path = target / f"{split}.{kind}"
        rows[split] = {"jsonl": _write_jsonl, "json": _write_json_list, "parquet": _write_parquet}[kind](path, chosen)
        files.append(path.name)
    first = next(_rows(source, None, write_row, dialect, with_report, publish), {})
    columns = {k: "text" if isinstance(v, str) else "json" for k, v in first.items()}
    _write_about(target, manifest, links, title=title, about=about, licence=licence, format_name=format,
                 files=files, columns=columns)
    return ExportSummary(target, format, rows, (*files, "README.md", "croissant.json"))


def _write_about(target: Path, manifest: Mapping[str, Any], links: list[Link], *, title: str, about: str, licence: str,
                 format_name: str, files: list[str], columns: Mapping[str, str]) -> None:
    with whole_file(target / "README.md") as handle:
        handle.write(card(manifest, links, title=title, format_name=f"{format_name}: {about}", licence=licence))
    sums = {name: checksum(target / name) for name in files}
    description = f"{manifest['counts']['samples']} verified pathology reasoning trajectories ({about})."
    write_json(target / "croissant.json", croissant(manifest, links, sums, columns, title=title, licence=licence,
                                                    description=description))


def _rows(source: Path, split: str | None, write_row: RowWriter, dialect: str | None, with_report: bool,
          publish: bool) -> Iterator[dict[str, Any]]:
    for row in read_samples(source):
        if split in (None, row["split"]):
            if publish:
                row = _for_publication(row)
            yield write_row(row, dialect=dialect or row["dialect"], with_report=with_report)


def _for_publication(row: dict[str, Any]) -> dict[str, Any]:
    images = [{**i, "slide": Path(i["slide"]).name, "features": Path(i["features"]).name} for i in row["images"]]
    return {**row, "images": images, "report": redact(row["report"])}


def _write_jsonl(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with whole_file(path) as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_json_list(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with whole_file(path) as handle:
        handle.write("[")
        for row in rows:
            handle.write((",\n" if count else "\n") + json.dumps(row, ensure_ascii=False))
            count += 1
        handle.write("\n]\n")
    return count


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    import os

    import pyarrow as pa
    import pyarrow.parquet as pq

    part = path.with_name(path.name + ".part")
    writer: pq.ParquetWriter | None = None
    count = 0
    batch: list[dict[str, Any]] = []
    images = False

    def flush() -> None:
        nonlocal writer
        table = pa.Table.from_pylist([{**r, "images": r.get("images", [])} if images else r for r in batch])
        if writer is None:
            writer = pq.ParquetWriter(part, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
        batch.clear()

    try:
        for row in rows:
            if not count:
                images = "images" in row
            batch.append(row)
            count += 1
            if len(batch) == BATCH:
                flush()
        if batch:
            flush()
        elif writer is None:
            pq.write_table(pa.table({}), part)
    finally:
        if writer is not None:
            writer.close()
    os.replace(part, path)
    return count
