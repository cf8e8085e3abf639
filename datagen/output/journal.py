"""The journal of a run: one line per finished case, appended as it finishes.

A line is in the journal whole or it does not count: what a killed run left at the end of the file is cut off when
the journal is opened again. Lines may come in any order (workers finish as they like); they are read back in the
order of the cases, so that an interrupted and resumed run ends with the same bytes as an undisturbed one.

A line is ``index TAB key TAB head TAB sample TAB sample…``: JSON holds no bare tab. Samples stand there as they will
in ``samples.jsonl``, so that the end of a run copies them and reads only the short heads.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from datagen.output.atomic import make_folder, read_json, write_json
from datagen.records import canonical_json
from pathkg.errors import InputError

FOLDER = ".run"
HEADER = "header.json"
LINES = "journal.tsv"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case, ready to be written.

    Args:
        head: JSON of the case id, of the rejections, and per sample of what the run-wide filters need (``notes``).
        samples: JSON of each sample.
    """

    head: str
    samples: tuple[str, ...] = ()

    @classmethod
    def of(cls, case_id: str, *, samples: Sequence[Mapping[str, Any]] = (), notes: Sequence[Mapping[str, Any]] = (),
           rejected: Sequence[Mapping[str, Any]] = (), extraction: Mapping[str, int] | None = None) -> CaseResult:
        """Put a result into words."""
        head = {"case_id": case_id, "notes": list(notes), "rejected": list(rejected), "extraction": extraction or {}}
        return cls(canonical_json(head), tuple(map(canonical_json, samples)))

    @property
    def notes(self) -> dict[str, Any]:
        """The head, read."""
        found: dict[str, Any] = json.loads(self.head)
        return found


class Journal:
    """The finished cases of one run.

    Args:
        out: the output folder; the journal is in a hidden folder inside it.
        fingerprint: what the results depend on (options, graph, versions). A journal of another fingerprint is
            refused, for its results would be mixed with other ones.

    Raises:
        InputError: the folder holds an unfinished run of another fingerprint, or a line in the middle is damaged.
    """

    def __init__(self, out: Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder = out / FOLDER
        make_folder(self.folder)
        header = self.folder / HEADER
        if header.exists():
            _same_fingerprint(read_json(header), fingerprint, out)
        else:
            write_json(header, fingerprint)
        self._path = self.folder / LINES
        self._offsets: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._scan()
        self._handle: IO[bytes] = self._path.open("ab")

    def _scan(self) -> None:
        if not self._path.exists():
            return
        good = 0
        with self._path.open("rb") as handle:
            for line in handle:
                if not line.endswith(b"\n"):
                    break  # the run was killed while it wrote this line
                try:
                    index, key, head, *_ = line.split(b"\t", 3)
                    json.loads(head)
                    self._offsets[int(index)] = good
                    self._keys[int(index)] = key.decode()
                except ValueError as error:
                    raise InputError(f"{self._path} is damaged at byte {good}",
                                     hint="remove the output folder and run again") from error
                good += len(line)
        if good != self._path.stat().st_size:
            os.truncate(self._path, good)

    def __len__(self) -> int:
        return len(self._offsets)

    def has(self, index: int, key: str) -> bool:
        """Whether case number ``index`` with this content is done.

        Raises:
            InputError: another case was done under this number: the input changed between two runs.
        """
        known = self._keys.get(index)
        if known is not None and known != key:
            raise InputError(f"case {index} of the input is not the one an earlier run worked on",
                             hint="the cases file changed; give another --out, or --overwrite to start again")
        return known is not None

    def append(self, index: int, key: str, result: CaseResult) -> None:
        """Add the result of one case. It is handed to the operating system at once: a kill does not lose it."""
        line = "\t".join((str(index), key, result.head, *result.samples)).encode() + b"\n"
        self._offsets[index] = self._handle.tell()
        self._keys[index] = key
        self._handle.write(line)
        self._handle.flush()

    def results(self) -> Iterator[tuple[int, dict[str, Any], list[bytes]]]:
        """``(index, head, samples)`` of every case, in the order of the cases; samples as lines without their end."""
        self._handle.flush()
        with self._path.open("rb") as handle:
            position = 0
            for index in sorted(self._offsets):
                if self._offsets[index] != position:
                    handle.seek(self._offsets[index])
                line = handle.readline()
                position = self._offsets[index] + len(line)
                _, _, head, *samples = line.rstrip(b"\n").split(b"\t")
                yield index, json.loads(head), samples

    def close(self) -> None:
        self._handle.close()

    def remove(self) -> None:
        """Delete the journal; the run is finished."""
        self.close()
        shutil.rmtree(self.folder)


def _same_fingerprint(found: Mapping[str, Any], wanted: Mapping[str, Any], out: Path) -> None:
    changed = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
    if changed:
        shown = "; ".join(f"{k}: {found.get(k)!r} then, {wanted.get(k)!r} now" for k in changed[:4])
        raise InputError(f"{out} holds an unfinished run with other settings ({shown})",
                         hint="give another --out, the same settings, or --overwrite to start again")
