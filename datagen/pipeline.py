"""A whole run: cases in, dataset out, resumable at any moment."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import EDQUOT, EFBIG, ENOSPC
from itertools import islice
from pathlib import Path
from typing import Any

from datagen.api import GenerateOptions
from datagen.cases import ColumnMap, UnusableCase, read_cases
from datagen.output.atomic import checksum, make_folder, read_json
from datagen.output.finish import FORMAT_VERSION, MANIFEST, finish
from datagen.output.journal import FOLDER, CaseResult, Journal
from datagen.output.splits import DEFAULT
from datagen.progress import Progress
from datagen.records import Case, Rejection
from datagen.runners import NumberedCase, WorkSpec, run_cases
from datagen.writers.template import VERSION
from pathkg import __version__
from pathkg.errors import InputError, PathkgError, did_you_mean

WRITERS = ("template", "llm")
RESULT_FILES = ("samples.jsonl", "rejected.jsonl", MANIFEST)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run did. ``seconds`` and ``done_now`` are of this call; the manifest is of the whole run."""

    out: Path
    manifest: Mapping[str, Any]
    seconds: float = 0.0
    done_now: int = 0
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Cases with at least one sample."""
        return int(self.manifest["counts"]["accepted"])

    @property
    def samples(self) -> int:
        return int(self.manifest["counts"]["samples"])

    @property
    def cases(self) -> int:
        return int(self.manifest["counts"]["cases"])

    def to_dict(self) -> dict[str, Any]:
        return {"out": str(self.out), "manifest": dict(self.manifest), "seconds": round(self.seconds, 3),
                "done_now": self.done_now, "usage": dict(self.usage)}

    def explain(self) -> str:
        """A few lines for a person."""
        counts = self.manifest["counts"]
        share = self.accepted / max(1, self.cases)
        lines = [f"{self.accepted} of {_counted(self.cases, 'case')} accepted ({share:.1%}), "
                 f"{_counted(self.samples, 'verified sample')} of {_counted(counts['patients'], 'patient')}"]
        if counts["question_kinds"]:
            lines.append("questions: " + ", ".join(f"{k} {n}" for k, n in counts["question_kinds"].items()))
        if counts["rejected_cases"]:
            lines.append("cases without a sample: " + ", ".join(f"{k} {n}" for k, n in counts["rejected_cases"].items()))
        if self.seconds and self.done_now:
            lines.append(f"{_counted(self.done_now, 'case')} in {self.seconds:.1f} s, {self.done_now / self.seconds:.1f} cases/s")
        if self.usage:
            lines.append("model: {calls} calls, {cached} from the cache, {retries} tried again, {failed} failed; "
                         "{prompt_tokens} + {completion_tokens} tokens; cost {cost}".format(**self.usage))
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How the cases file is read; see :func:`datagen.cases.read_cases`."""

    columns: ColumnMap = field(default_factory=ColumnMap)
    format: str = "auto"
    patient_rule: str = "auto"
    images: str | None = None
    max_chars: int = 200_000

    def read(self, path: str | Path) -> Iterator[Case | UnusableCase]:
        return read_cases(path, columns=self.columns, format=self.format, patient_rule=self.patient_rule,
                          images=self.images, max_chars=self.max_chars)

    def to_dict(self) -> dict[str, Any]:
        return {"columns": dict(self.columns.given), "format": self.format, "patient_rule": self.patient_rule,
                "images": Path(self.images).name if self.images else "", "max_chars": self.max_chars}


def run(*, cases: str | Path, out: str | Path, store: str | Path | None = None, limit: int | None = None,
        writer: str = "template", options: GenerateOptions | None = None, reading: InputOptions | None = None,
        runner: str = "local", workers: int = 1, address: str | None = None, benchmarks: Sequence[str | Path] = (),
        fractions: Mapping[str, float] = DEFAULT, overwrite: bool = False, quiet: bool = True,
        llm: Any = None) -> RunSummary:
    """Make a dataset from a file of cases.

    Running again with the same ``out`` goes on where an interrupted run stopped; a finished run is left as it is.
    The same input, store, options and seed give the same bytes.

    Args:
        cases: file or folder of cases.
        out: output folder.
        store: graph store; the bundled core when ``None``.
        limit: only the first cases.
        writer: ``template`` or ``llm``.
        options: what to generate.
        reading: how to read the cases.
        runner: ``local`` or ``ray``.
        workers: processes (local) or Ray tasks at once; with 1 and ``local`` all work is done in this process.
        address: of a Ray cluster; ``None`` starts a local one.
        benchmarks: files whose texts must not occur in samples.
        fractions: of the patient-level splits.
        overwrite: remove what an earlier run with other settings left in ``out``.
        quiet: no progress on standard error.
        llm: :class:`datagen.writers.llm.LlmOptions`, for the ``llm`` writer.

    Returns:
        The summary with the manifest.

    Raises:
        InputError: unusable input or settings; nothing was written then.
    """
    if writer not in WRITERS:
        raise InputError(f"there is no writer {writer!r}", hint=did_you_mean(writer, WRITERS) or "template or llm")
    if limit is not None and limit < 1:
        raise InputError(f"a limit of {limit} leaves no case", hint="give 1 or more")
    from pathkg.api import load
    from pathkg.trajectory import get_dialect

    source, target = Path(cases), Path(out)
    options, reading = options or GenerateOptions(), reading or InputOptions()
    get_dialect(options.dialect, f"<{options.dialect}>")
    graph = load(store)
    total, usable = _look_through(source, reading, limit)
    fingerprint = {
        "format_version": FORMAT_VERSION, "version": __version__, "writer": VERSION if writer == "template" else writer,
        "graph_hash": graph.hash, "options": options.to_dict(), "reading": reading.to_dict(),
        "input": {"name": source.name, "checksum": checksum(source)}, "limit": limit, "fractions": dict(fractions),
        "benchmarks": {Path(b).name: checksum(Path(b)) for b in benchmarks}}
    if reading.images:
        fingerprint["images_checksum"] = checksum(Path(reading.images))
    if llm is not None:
        fingerprint["llm"] = llm.to_dict()
    if llm is not None and llm.dry_run:
        return _dry_run(target, fingerprint, source, reading, limit, WorkSpec(_name(store), options), llm, writer)
    if llm is not None and llm.retry_failures:
        _forget_failures(target)
    finished = _finished(target, fingerprint, overwrite)
    if finished is not None:
        return RunSummary(target, finished)
    make_folder(target)
    journal = Journal(target, fingerprint)
    try:
        spec = WorkSpec(_name(store), options, tuple(map(str, benchmarks)), tuple(fractions.items()))
        progress = Progress(total, done=len(journal), quiet=quiet)
        done_now = samples = 0
        work = _work_left(source, reading, limit, journal)
        if llm is not None:
            from datagen.llm_run import run_llm

            results = run_llm(work, spec, llm, out=target, progress=progress, writer=writer)
        else:
            results = run_cases(work, spec, runner=runner, workers=workers, address=address)
        for index, key, result in results:
            journal.append(index, key, result)
            done_now += 1
            samples += len(result.samples)
            progress.step(accepted=samples)
        seconds = progress.finish()
        usage = progress.usage.to_dict() if progress.usage is not None else {}
        about = {**fingerprint, "graph": _about_graph(graph), "unusable_records": total - usable}
        manifest = finish(target, journal, filters=options.filters, about=about)
    except OSError as error:
        with suppress(OSError):  # what stands in its buffer cannot be written either
            journal.close()
        if error.errno not in (ENOSPC, EFBIG, EDQUOT):
            raise
        raise PathkgError(f"cannot write to {target}: {error.strerror}",
                          hint="free disk space and run the same command again: finished cases are kept") from error
    except BaseException:
        journal.close()
        raise
    journal.remove()
    return RunSummary(target, manifest, seconds, done_now, usage)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _name(store: str | Path | None) -> str | None:
    return None if store is None else str(store)


def _dry_run(target: Path, fingerprint: Mapping[str, Any], source: Path, reading: InputOptions, limit: int | None,
             spec: WorkSpec, llm: Any, writer: str) -> RunSummary:
    """Count what a run would ask and cost; nothing is called and nothing is written."""
    from datagen.llm_run import CALLS, LlmRun

    known = target / CALLS
    cache = llm.cache or (str(known) if known.exists() else ":memory:")
    run_ = LlmRun(spec, replace(llm, cache=cache), out=target, writer=writer)
    records = enumerate(islice(reading.read(source), limit))
    done = sum(1 for _ in run_.results((n, c) for n, c in records if isinstance(c, Case)))
    usage = run_.client.usage.to_dict()
    # each first answer may need one repair turn of about the same size
    usage |= {"at_most_calls": 2 * usage["calls"], "at_most_cost": round(2 * usage["cost"], 6)}
    counts = {"cases": done, "accepted": 0, "samples": 0, "patients": 0, "question_kinds": {}, "rejected_cases": {}}
    return RunSummary(target, {**fingerprint, "dry_run": True, "counts": counts}, usage=usage)


def _forget_failures(target: Path) -> None:
    """Make an earlier run's cases undone again; its answers are in the call cache, so only failed calls are made."""
    from datagen.llm_run import FAILURES

    if not (target / FAILURES).exists():
        raise InputError(f"{target} holds no {FAILURES}", hint="there is nothing to retry; leave --retry-failures out")
    shutil.rmtree(target / FOLDER, ignore_errors=True)
    for name in (*RESULT_FILES, FAILURES):
        (target / name).unlink(missing_ok=True)


def _look_through(source: Path, reading: InputOptions, limit: int | None) -> tuple[int, int]:
    """Read the whole input once before anything is written: a broken line at the end must not cost a run.

    Returns:
        Records, and how many of them are usable cases.
    """
    total = usable = 0
    problems: Counter[str] = Counter()
    example = ""
    for record in reading.read(source):
        if limit is not None and total == limit:
            break
        total += 1
        if isinstance(record, UnusableCase):
            problems[record.reason] += 1
            example = example or f"{record.case_id}: {record.detail}"
        else:
            usable += 1
    if not usable:
        shown = ", ".join(f"{n} × {r}" for r, n in problems.most_common())
        raise InputError(f"no record of {source} is a usable case ({shown}; {example})",
                         hint="a case needs a report text of 1 to --max-chars characters; map the column with "
                              "--column text=NAME")
    return total, usable


def _work_left(source: Path, reading: InputOptions, limit: int | None, journal: Journal) -> Iterator[NumberedCase]:
    for index, record in enumerate(reading.read(source)):
        if limit is not None and index == limit:
            return
        if isinstance(record, UnusableCase):
            if not journal.has(index, record.reason):
                rejection = Rejection(record.case_id, "", "read", record.reason, record.detail)
                journal.append(index, record.reason, CaseResult.of(record.case_id, rejected=[rejection.to_dict()]))
        elif not journal.has(index, record.key):
            yield index, record


def _finished(target: Path, fingerprint: Mapping[str, Any], overwrite: bool) -> dict[str, Any] | None:
    """The manifest of a finished run with these settings; clears the folder when asked to."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file", hint="give --out a folder")
    path = target / MANIFEST
    if overwrite and target.is_dir():
        shutil.rmtree(target / FOLDER, ignore_errors=True)
        for file in [*(target / n for n in RESULT_FILES), *target.glob("samples*.parquet")]:
            file.unlink(missing_ok=True)
        return None
    if not path.exists():
        return None
    manifest = read_json(path)
    changed = sorted(k for k, v in fingerprint.items() if manifest.get(k) != v)
    if changed:
        raise InputError(f"{target} holds a finished run with other settings (different: {', '.join(changed)})",
                         hint="give another --out, or --overwrite to replace it")
    shutil.rmtree(target / FOLDER, ignore_errors=True)
    return dict(manifest)


def _about_graph(graph: Any) -> dict[str, Any]:
    return {"hash": graph.hash, "nodes": graph.n_nodes, "edges": graph.n_edges,
            "sources": graph.manifest.get("source_records", [])}
