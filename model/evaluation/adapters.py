"""Public question sets as our samples.

* ``ours``: what :func:`model.data.samples.read_samples` reads.
* ``wsi-vqa``: JSON lines or a JSON list with ``Id``, ``Question``, ``Choice`` (may be missing), ``Answer``.
* ``slidebench``: CSV with ``Slide``, ``Question``, ``A`` … ``D``, ``Answer`` (a letter), and any of ``Tumor``,
  ``Broad Category``, ``Narrow Category``, ``Task``.
* ``pathmmu``: ``data.json``: category -> split -> rows with ``img``, ``question``, ``options`` (``"A) text"``),
  ``answer`` (``"B) text"``). Its images are regions: encode them to small bags first.

Bags are looked up by name in a folder of feature files. A question whose bag is not there is left out and counted.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.slides.bags import BAG_SUFFIXES
from model.data.samples import LETTERS, TrainingSample, read_samples
from pathkg.errors import InputError, did_you_mean

_LABEL = re.compile(r"^\s*\(?([A-Z])[).:]\s*")

SLIDE_NAME = 12
"""TCGA names a patient by the first 12 characters of a barcode."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, and how many were left out because their bag is missing."""

    samples: list[TrainingSample]
    without_bag: int = 0


def read_questions(path: str | Path, form: str = "ours", *, bags: str | Path | None = None,
                   split: str | None = None) -> QuestionSet:
    """Read a question set.

    Args:
        path: the file.
        form: one of :data:`FORMS`.
        bags: folder of the feature files (not needed for ``ours``). Without it the questions are text-only.
        split: for ``pathmmu`` the split, for ``wsi-vqa`` the value of ``official_split``; all when ``None``.

    Raises:
        InputError: no such form or file, or a row that does not fit the form.
    """
    if form not in FORMS:
        raise InputError(f"there is no question form {form!r}", hint=did_you_mean(form, FORMS)
                         or f"known: {', '.join(FORMS)}")
    file = Path(path)
    if not file.is_file():
        raise InputError(f"no question file {file}", hint="check the path")
    if form == "ours":
        return QuestionSet(read_samples(file, image_root=bags))
    try:
        samples = list(_READERS[form](file, split))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{file} is not in the form {form!r} ({type(error).__name__}: {error})",
                         hint="docs/evaluation.md lists the fields of each form") from error
    if not samples:
        raise InputError(f"{file} holds no question" + (f" of split {split!r}" if split else ""),
                         hint="check the form and the split")
    return _with_bags(samples, Path(bags)) if bags is not None else QuestionSet(samples)


def _wsi_vqa(file: Path, split: str | None) -> Iterable[TrainingSample]:
    text = file.read_text(encoding="utf-8")
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(x) for x in text.splitlines() if x]
    for number, row in enumerate(rows):
        if split and row.get("official_split") not in (None, split):
            continue
        options = tuple(map(str, row.get("Choice") or ()))
        yield TrainingSample(id=f"wsi-vqa-{number:05d}", image=str(row["Id"]), question=str(row["Question"]),
                             answer=str(row["Answer"]), options=options, patient=str(row["Id"])[:SLIDE_NAME],
                             question_kind="closed" if options else "open", organ="breast")


def _slidebench(file: Path, split: str | None) -> Iterable[TrainingSample]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        for number, row in enumerate(csv.DictReader(handle)):
            options = tuple(row[x].strip() for x in "ABCD" if (row.get(x) or "").strip())
            answer = row["Answer"].strip()
            if len(answer) == 1:
                answer = options[LETTERS.index(answer.upper())]
            kind = row.get("Narrow Category") or row.get("Broad Category") or row.get("Task") or ""
            yield TrainingSample(id=f"slidebench-{row.get('ID') or number}", image=row["Slide"].strip(),
                                 question=row["Question"].strip(), answer=answer, options=options,
                                 question_kind=kind.strip(), organ=(row.get("Tumor") or "").strip(),
                                 patient=row["Slide"].strip()[:SLIDE_NAME])


def _pathmmu(file: Path, split: str | None) -> Iterable[TrainingSample]:
    data: Mapping[str, Mapping[str, list[Mapping[str, Any]]]] = json.loads(file.read_text(encoding="utf-8"))
    for category, splits in data.items():
        for name, rows in splits.items():
            if split and name != split:
                continue
            for number, row in enumerate(rows):
                options = tuple(_LABEL.sub("", str(o)).strip() for o in row["options"])
                letter = _LABEL.match(str(row["answer"]))
                answer = options[LETTERS.index(letter.group(1))] if letter else str(row["answer"]).strip()
                yield TrainingSample(id=f"pathmmu-{category}-{name}-{row.get('No', number)}", image=str(row["img"]),
                                     question=str(row["question"]), answer=answer, options=options,
                                     question_kind=category)


_READERS = {"wsi-vqa": _wsi_vqa, "slidebench": _slidebench, "pathmmu": _pathmmu}

FORMS = ("ours", *_READERS)
"""Names of the forms."""


def _with_bags(samples: list[TrainingSample], folder: Path) -> QuestionSet:
    if not folder.is_dir():
        raise InputError(f"no folder of feature files {folder}", hint="encode the slides: pathkg-datagen slides encode")
    known = sorted(f for f in folder.rglob("*") if f.suffix.lower() in BAG_SUFFIXES)
    by_name = {f.name.split(".")[0]: f for f in reversed(known)}
    by_name.update({f.stem: f for f in reversed(known)})
    by_patient = {f.stem[:SLIDE_NAME]: f for f in reversed(known)}
    from dataclasses import replace

    found, missing = [], 0
    for sample in samples:
        name = Path(sample.image).name
        file = by_name.get(Path(name).stem) or by_name.get(name) or by_name.get(name.split(".")[0]) \
            or (by_patient.get(name) if len(name) == SLIDE_NAME else None)
        if file is None:
            missing += 1
        else:
            found.append(replace(sample, image=str(file)))
    if not found:
        raise InputError(f"none of {len(samples)} questions has its bag in {folder}",
                         hint="feature files are found by the slide's name, or the patient's for a patient id")
    return QuestionSet(found, missing)
