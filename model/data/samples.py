"""One training or evaluation sample, and the files it is read from.

Three row formats are read: what :mod:`datagen` writes (``sample_id``, ``question``, ``observe``, ``steps``, …), our
own short form (``id``, ``image``, ``question``, ``text`` or ``caption``), and conversations as PathReasoner released
them (``image``, ``conversations``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pathkg.errors import DialectError, InputError
from pathkg.trajectory import Trajectory, parse

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

DEFAULT_QUESTION = "Examine the slide. Describe the findings, reason step by step and give the diagnosis."


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """One question on one bag, with what is known about its answer.

    Args:
        id: unique within a file.
        image: the bag, as :func:`model.bags.load_bag` reads it; ``""`` for a text-only sample.
        question: what is asked.
        answer: the short answer that evaluation compares with.
        text: the reference trajectory as tagged text; ``""`` when there is none.
        caption: free text for continued pre-training; ``""`` when there is none.
        options: the choices of a closed question.
        question_kind: ``diagnosis``, ``stage``, …; evaluation is stratified by it.
        organ: evaluation is stratified by it.
        patient: the unit of splitting.
        report: the report text, for verification.
        reference: the rewards' reference as JSON text (what :mod:`datagen` calls ``reference_json``).
        graph_hash: of the graph the sample was made with.
    """

    id: str
    image: str
    question: str
    answer: str = ""
    text: str = ""
    caption: str = ""
    options: tuple[str, ...] = ()
    question_kind: str = ""
    organ: str = ""
    patient: str = ""
    report: str = ""
    reference: str = ""
    graph_hash: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trajectory(self) -> Trajectory:
        """The reference trajectory, parsed.

        Raises:
            DialectError: the sample's text is not one.
        """
        return parse(self.text, "auto")

    def to_dict(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "id": self.id, "image": self.image, "question": self.question, "answer": self.answer, "text": self.text,
            "caption": self.caption, "options": list(self.options), "question_kind": self.question_kind,
            "organ": self.organ, "patient": self.patient, "report": self.report, "reference": self.reference,
            "graph_hash": self.graph_hash}
        return {**record, "extra": dict(self.extra)} if self.extra else record

    def ask(self) -> str:
        """The question with its options, as the model reads it.

        Example:
            >>> print(TrainingSample("1", "a.h5", "Which organ?", options=("lung", "skin")).ask())
            Which organ?
            A. lung
            B. skin
        """
        lines = [self.question or DEFAULT_QUESTION]
        lines += [f"{letter}. {option}" for letter, option in zip(LETTERS, self.options, strict=False)]
        return "\n".join(lines)


def read_samples(path: str | Path, *, image_root: str | Path | None = None) -> list[TrainingSample]:
    """Read samples from ``.jsonl``, ``.json`` or ``.parquet``.

    Args:
        path: the file.
        image_root: folder that relative bag paths are relative to; the file's own folder when ``None``.

    Raises:
        InputError: no such file, a row that is none of the known formats (with its line), or an id that comes twice.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"no sample file {file}", hint="make one with pathkg-datagen, or pathkg-train demo-data")
    root = Path(image_root) if image_root is not None else file.parent
    samples = []
    for number, record in enumerate(_records(file), 1):
        try:
            sample = _from_record(record)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file}, row {number}: not a sample ({type(error).__name__}: {error})",
                             hint="a row needs id, image and question, and a text, caption or answer; see "
                                  "docs/training.md") from error
        samples.append(replace(sample, image=_rooted(sample.image, root)))
    seen: dict[str, int] = {}
    for number, sample in enumerate(samples, 1):
        if sample.id in seen:
            raise InputError(f"{file}: rows {seen[sample.id]} and {number} both have the id {sample.id!r}",
                             hint="ids must be unique: results are reported by them")
        seen[sample.id] = number
    if not samples:
        raise InputError(f"{file} holds no samples", hint="check how it was made")
    return samples


def write_samples(path: str | Path, samples: Iterable[TrainingSample]) -> Path:
    """Write samples as JSON lines in the short form."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(s.to_dict(), ensure_ascii=False, sort_keys=True) for s in samples]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _records(file: Path) -> Iterable[Mapping[str, Any]]:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        from pyarrow import parquet

        yield from parquet.read_table(file).to_pylist()
        return
    text = file.read_text(encoding="utf-8")
    if suffix == ".json":
        yield from _json(text, file, 1)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _json(line, file, number)


def _json(text: str, file: Path, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{file}, line {line}: not JSON ({error})", hint="one JSON object per line") from error


def _from_record(record: Mapping[str, Any]) -> TrainingSample:
    if "conversations" in record:
        return _from_conversation(record)
    if "sample_id" in record:
        return _from_datagen(record)
    known = {name for name in TrainingSample.__slots__ if name not in ("options", "extra")}
    fields = {name: str(record[name]) for name in known if record.get(name) is not None}
    for needed in ("id", "question"):
        if needed not in fields:
            raise KeyError(needed)
    fields.setdefault("image", "")
    return TrainingSample(**fields, options=tuple(record.get("options") or ()), extra=dict(record.get("extra") or {}))


def _from_datagen(record: Mapping[str, Any]) -> TrainingSample:
    images: Sequence[Mapping[str, Any]] = record.get("images") or ()
    bags = [str(image["features"]) for image in images if image.get("features")]
    return TrainingSample(
        id=record["sample_id"], image=";".join(bags), question=record["question"],
        answer=record.get("answer") or "", text=record["text"], options=tuple(record.get("options") or ()),
        question_kind=record.get("question_kind") or "", organ=record.get("organ") or "",
        patient=record.get("patient_id") or "", report=record.get("report") or "",
        reference=record.get("reference_json") or "", graph_hash=record.get("graph_hash") or "",
        extra={"diagnosis": record.get("diagnosis") or "", "diagnosis_id": record.get("diagnosis_id") or ""})


def _from_conversation(record: Mapping[str, Any]) -> TrainingSample:
    turns = {turn["from"]: turn["value"] for turn in record["conversations"]}
    text = turns["gpt"].strip()
    try:
        answer = parse(text, "auto", lenient=True).answer
    except DialectError:
        answer = ""
    return TrainingSample(id=str(record["id"]), image=str(record.get("image") or ""),
                          question=turns["human"].replace("<image>", "").strip(), answer=answer, text=text,
                          patient=Path(str(record.get("image") or "")).name[:12])


def _rooted(image: str, root: Path) -> str:
    if not image:
        return ""
    path, mark, fragment = image.partition("#")
    parts = [p if Path(p).is_absolute() else str(root / p) for p in path.split(";") if p]
    return ";".join(parts) + mark + fragment
