"""The schema of a sample: one Arrow schema for Parquet, checked again when JSONL is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathkg.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_FIELDS = ("sample_id", "case_id", "patient_id", "case_kind", "question_kind", "question", "observe", "answer",
               "text", "dialect", "report", "diagnosis_id", "diagnosis", "scale", "certificate_json",
               "reference_json", "plan_json", "graph_hash", "writer", "model", "prompt_hash", "version", "split")
LIST_FIELDS = ("options", "steps")
INTEGER_FIELDS = ("repairs", "seed")


def sample_schema() -> pa.Schema:
    """The Arrow schema of ``samples.parquet``.

    Example:
        >>> sample_schema().field("steps").type
        ListType(list<item: string>)
    """
    import pyarrow as pa

    span = [("start", pa.int32()), ("end", pa.int32()), ("text", pa.string())]
    finding = pa.struct([("id", pa.string()), ("name", pa.string()), ("type", pa.string()),
                         ("assertion", pa.string()), *span])
    image = pa.struct([("slide", pa.string()), ("features", pa.string()), ("roi", pa.list_(pa.int64())),
                       ("magnification", pa.float64())])
    kinds: dict[str, Any] = {name: pa.string() for name in TEXT_FIELDS}
    kinds |= {name: pa.list_(pa.string()) for name in LIST_FIELDS}
    kinds |= {name: pa.int64() for name in INTEGER_FIELDS}
    kinds |= {"findings": pa.list_(finding), "evidence": pa.list_(pa.struct(span)), "images": pa.list_(image)}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in sorted(kinds.items())])


def check_sample(row: Mapping[str, Any], *, where: str) -> None:
    """Check that a row read from JSONL has the fields and kinds of a sample.

    Raises:
        InputError: a missing field, an unknown field, or a value of another kind.
    """
    names = {*TEXT_FIELDS, *LIST_FIELDS, *INTEGER_FIELDS, "findings", "evidence", "images"}
    missing, unknown = names - row.keys(), row.keys() - names
    wrong = [n for n in TEXT_FIELDS if n in row and not isinstance(row[n], str)]
    wrong += [n for n in INTEGER_FIELDS if n in row and not isinstance(row[n], int)]
    wrong += [n for n in (*LIST_FIELDS, "findings", "evidence", "images") if n in row and not isinstance(row[n], list)]
    for label, fields in (("lacks", missing), ("has the unknown field", unknown), ("has a wrong value in", wrong)):
        if fields:
            raise InputError(f"{where} {label} {', '.join(sorted(fields))}",
                             hint="make the dataset again with this version of pathkg-datagen")


def read_samples(folder: Path) -> Iterator[dict[str, Any]]:
    """The samples of a finished run, in order.

    Raises:
        InputError: no finished run there, or a row of another schema.
    """
    path = folder / "samples.jsonl"
    if not path.is_file():
        raise InputError(f"{folder} holds no samples.jsonl", hint="give the --out folder of a finished run")
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number} is not JSON", hint="the file is damaged; run again") from error
            check_sample(row, where=f"{path}:{number}")
            yield row
