"""From source files to a store, in one call."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pathkg.errors import InputError
from pathkg.graph import GraphTables, KnowledgeGraph, write_store
from pathkg.merge.align import Alignment, align
from pathkg.merge.combine import combine
from pathkg.merge.concepts import Concepts
from pathkg.sources.delimited import existing
from pathkg.sources.read import ontology_files, read_core_source, read_ontology, read_tsv_source
from pathkg.sources.tables import SourceTables

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the step's number and the number of steps."""
PathLike = str | os.PathLike[str]
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What :func:`build` made: the store's path, its content hash and the merge report."""

    path: Path
    graph_hash: str
    report: dict[str, Any]


def build(out: PathLike, *, primekg: Sequence[PathLike] = (), optimuskg: Sequence[PathLike] = (),
          pathograph: Sequence[PathLike] = (), ontologies: Sequence[PathLike] = (),
          tsv: Sequence[PathLike] = (), core: bool = True, names: bool = True, fuzzy: bool = False,
          instances: bool = False, lexicon: bool = True, progress: Progress | None = None) -> BuildResult:
    """Read sources, merge them and write a store.

    The order of authority is: the bundled core, the user's own TSV, ontologies (in the order given), PrimeKG,
    OptimusKG, PathoGraph. The first source that names an id gives its name and type.

    Args:
        out: the store folder to make; an older store there is replaced when the new one is complete.
        primekg: PrimeKG files or folders (``kg.csv``; ``edges.csv`` + ``nodes.csv`` as a folder; node lists).
        optimuskg: OptimusKG folders or files.
        pathograph: PathoML files, or folders that are searched for them.
        ontologies: OBO, OBO-graph JSON, HGNC, OncoTree and SSSOM files, or folders to search for them.
        tsv: folders with ``nodes.tsv`` and ``edges.tsv`` of your own.
        core: include the bundled pathology core.
        names: merge by exact names of one type too, not by ids and cross-references alone.
        fuzzy: propose (never merge) pairs of near-equal names.
        instances: keep every PathoML instance as a node, not only the edges between concepts they stand for.
        lexicon: compile the linking index into the store.
        progress: called before each step.

    Returns:
        Path, content hash and merge report.

    Raises:
        InputError: a source that cannot be read.
        StoreError: the store cannot be written.
    """
    from pathkg.sources.optimuskg import read_optimuskg
    from pathkg.sources.pathograph import read_pathograph
    from pathkg.sources.primekg import find_primekg, read_primekg

    # what is missing is said now, not after minutes of reading
    ontology_paths, left_out = ontology_files(ontologies)
    for place in primekg:
        find_primekg(place)
    for place in (*tsv, *optimuskg, *pathograph):
        if not Path(place).is_dir():
            existing(place)
    jobs: list[tuple[str, Callable[[], SourceTables]]] = []
    if core:
        jobs.append(("bundled core", read_core_source))
    for paths, label, read in (
            (tsv, "", read_tsv_source), (ontology_paths, "", read_ontology), (primekg, "PrimeKG ", read_primekg),
            (optimuskg, "OptimusKG ", read_optimuskg)):
        jobs += [(f"{label}{Path(p).name}", partial(read, p)) for p in paths]
    jobs += [(f"PathoGraph {Path(p).name}", partial(read_pathograph, p, instances=instances))
             for p in pathograph]
    if not jobs:
        raise InputError("nothing to build from", hint="name a source (--primekg, --ontology, …) or add --core")
    steps = len(jobs) + 2 + lexicon
    tell = progress or (lambda what, step, total: None)
    sources: list[SourceTables] = []
    for number, (label, job) in enumerate(jobs, 1):
        tell(f"reading {label}", number, steps)
        sources.append(job())
    tell("merging", len(jobs) + 1, steps)
    records = [s.record.to_dict() for s in sources]
    tables, report = merge_sources(sources, names=names, fuzzy=fuzzy)
    report["left out"] = [f.name for f in left_out]
    sources.clear()  # the tables hold everything: give the memory back before the store is written
    tell("writing the store", len(jobs) + 2, steps)

    def compile_index(folder: Path) -> None:
        tell("compiling the linking index", steps, steps)
        _compile_lexicon(folder)

    options = {"core": core, "names": names, "fuzzy": fuzzy, "instances": instances}
    path = write_store(out, tables, sources=records, options=options, report=report,
                       finish=compile_index if lexicon else None)
    return BuildResult(path, KnowledgeGraph.open(path).hash, report)


def _compile_lexicon(folder: Path) -> None:
    from pathkg.linking import compile_lexicon

    compile_lexicon(KnowledgeGraph.open(folder), folder / "lexicon")


def merge_sources(sources: Sequence[SourceTables], *, names: bool = True, fuzzy: bool = False
                  ) -> tuple[GraphTables, dict[str, Any]]:
    """Merge sources in order of authority into graph tables and a report.

    Args:
        sources: what the readers gave.
        names: merge by exact names of one type too.
        fuzzy: propose near-equal names.
    """
    concepts = Concepts.collect(sources)
    alignment = align(sources, concepts, names=names, fuzzy=fuzzy)
    combined = combine(sources, concepts, alignment)
    tables = combined.tables
    counts = {"nodes": tables.nodes.num_rows, "edges": tables.edges.num_rows, "forms": tables.synonyms.num_rows,
              "cross-references": tables.xrefs.num_rows, "mappings": len(tables.mappings)}
    per_source = _node_fates(sources, concepts, alignment)
    return tables, {
        "result": counts, "rules": dict(sorted(alignment.counts.items())),
        "sources": [{"name": s.record.name, "files": [str(f.get("file", "")) for f in s.record.files],
                     "read": s.report.to_dict(), "nodes": nodes, "edges": edges}
                    for s, nodes, edges in zip(sources, per_source, combined.per_source, strict=True)],
        "examples": combined.examples,
        "type conflicts": {"count": len(concepts.type_conflicts), "examples": [
            {"id": i, "kept": a, "also": b, "source": s} for i, a, b, s in concepts.type_conflicts[:_EXAMPLES]]}}


def _node_fates(sources: Sequence[SourceTables], concepts: Concepts, alignment: Alignment) -> list[dict[str, Any]]:
    """Per source: what became of each node it names."""
    merged: dict[int, list[str]] = {}
    mapped: set[int] = set()
    for row in alignment.mappings:
        ends = [concepts.gid[row["subject_id"]], concepts.gid[row["object_id"]]]
        if row["comment"].startswith("merged"):
            for gid in ends:
                merged.setdefault(gid, []).append(row["comment"].removeprefix("merged: "))
        else:
            mapped.update(ends)
    fates = []
    for source, rows in zip(sources, concepts.rows, strict=True):
        named = source.nodes["name"].to_pylist()
        own = [g for g, name in zip(rows, named, strict=True) if name]
        shared = [g for g in own if len(concepts.sources[g]) > 1]
        rest = [g for g in own if len(concepts.sources[g]) == 1]
        by_rule = Counter(rule for g in own for rule in merged.get(g, ()))
        lonely = [g for g in rest if g not in merged and g not in mapped]
        fates.append({
            "named": len(own), "same id in another source": len(shared), "merged by rule": dict(sorted(by_rule.items())),
            "mapped only": sum(1 for g in rest if g not in merged and g in mapped),
            "only in this source": len(lonely),
            "examples only here": [f"{concepts.ids[g]} {concepts.names[g]}" for g in lonely[:_EXAMPLES]],
            "only referred to": len(rows) - len(own)})
    return fates


