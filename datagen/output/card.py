"""The dataset card and Croissant metadata: what the dataset is, counted from the dataset itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datagen.filters.base import FILTERS
from datagen.output.licences import Link, conditions

LIMITS = (
    "The reasoning is generated from reports and a knowledge graph; it was checked by program, not by a pathologist.",
    "The knowledge graph's facts have not been reviewed by a pathologist; a supported step is one that the report or the "
    "graph states, not one that is true.",
    "Findings come from a rule-based extractor (or a model, where named); what it misreads, the trajectory repeats.",
    "Reports reflect the hospitals, years and staging editions they come from.",
    "Research use only; not for diagnosis.")


def card(manifest: Mapping[str, Any], links: Sequence[Link], *, title: str, format_name: str, licence: str) -> str:
    """A dataset card in Markdown with the metadata block that dataset hubs read."""
    counts = manifest["counts"]
    llm = manifest.get("llm") or {}
    lines = ["---", f"license: {licence or 'other'}", "language: [en]", "tags: [pathology, reasoning, knowledge-graph]",
             f"pretty_name: {title}", "---", "", f"# {title}", "",
             f"{counts['samples']} verified reasoning trajectories from {counts['accepted']} of {counts['cases']} cases "
             f"({counts['patients']} patients), exported as `{format_name}`.", "",
             "Each trajectory answers one question about a case in three blocks: what is seen, numbered reasoning steps, the "
             "answer. Every step was verified: each entity and each claimed connection is backed by a span of the report "
             "or by a path of edges in the knowledge graph.", "", "## Counts", "", "| | |", "|---|---|"]
    lines += [f"| {label} | {value} |" for label, value in (
        ("cases read", counts["cases"]), ("cases with a sample", counts["accepted"]), ("samples", counts["samples"]),
        ("patients", counts["patients"]))]
    lines += [f"| split {name} | {n} |" for name, n in counts["splits"].items()]
    lines += [f"| question {name} | {n} |" for name, n in counts["question_kinds"].items()]
    lines += ["", "Splits are by patient.", "", "## Filters and rejections", "", "| filter | what a sample must satisfy |",
              "|---|---|"]
    skipped = set(manifest["options"]["filters"]["skip"])
    used = set(llm.get("filters", ()))
    for name, meaning in FILTERS.items():
        off = name in skipped or (name in ("image_dependence", "sufficiency") and name not in used) \
            or (name == "contamination" and not manifest.get("benchmarks"))
        lines.append(f"| {name} | {meaning}{' (not run)' if off else ''} |")
    lines += ["", "| rejected at | number |", "|---|---|"]
    lines += [f"| {name} | {n} |" for name, n in counts["rejected"].items()] or ["| nothing | 0 |"]
    lines += ["", "## How it was made", "", f"* writer: `{manifest['writer']}`, package version {manifest['version']}",
              f"* knowledge graph: `{manifest['graph']['hash']}` ({manifest['graph']['nodes']:,} nodes, "
              f"{manifest['graph']['edges']:,} edges)", f"* seed {manifest['options']['seed']}"]
    if llm:
        lines += [f"* model: `{llm['model']}`, parameters `{llm['parameters']}`",
                  "* prompts: " + ", ".join(f"{k} `{v}`" for k, v in llm["prompts"].items())]
    lines += ["", "## Sources and licences", "", "| role | source | licence |", "|---|---|---|"]
    lines += [f"| {link.role} | {link.name} | {link.licence or '**unknown**'} |" for link in links]
    follow = conditions(links)
    if follow:
        lines += ["", *(f"* {c}" for c in follow)]
    lines += ["", "## Limits", "", *(f"* {limit}" for limit in LIMITS), ""]
    return "\n".join(lines)


def croissant(manifest: Mapping[str, Any], links: Sequence[Link], files: Mapping[str, str], columns: Mapping[str, str], *,
              title: str, licence: str, description: str) -> dict[str, Any]:
    """Croissant 1.0 metadata (JSON-LD) of an export.

    Args:
        files: file name -> ``sha256:…``.
        columns: column name -> ``text``, ``integer`` or ``json``.
    """
    objects = [{"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name, "sha256": known.split(":", 1)[1],
                "encodingFormat": "application/x-parquet" if name.endswith(".parquet") else "application/jsonlines"
                if name.endswith(".jsonl") else "application/json"}
               for name, known in sorted(files.items())]
    kinds = {"text": "sc:Text", "integer": "sc:Integer", "json": "sc:Text"}
    record_sets = [{
        "@type": "cr:RecordSet", "@id": Path(item["name"]).stem, "name": Path(item["name"]).stem,
        "field": [{"@type": "cr:Field", "@id": f"{Path(item['name']).stem}/{column}", "name": column,
                   "dataType": kinds[kind], "source": {"fileObject": {"@id": item["name"]},
                                                       "extract": {"column": column}}}
                  for column, kind in columns.items()]} for item in objects]
    return {
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/", "citeAs": "cr:citeAs",
            "column": "cr:column", "conformsTo": "dct:conformsTo", "data": {"@id": "cr:data", "@type": "@json"},
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "extract": "cr:extract", "field": "cr:field",
            "fileObject": "cr:fileObject", "recordSet": "cr:recordSet", "source": "cr:source"},
        "@type": "sc:Dataset", "name": title, "description": description, "version": manifest["version"],
        "conformsTo": "http://mlcommons.org/croissant/1.0", "license": licence or "unknown",
        "isBasedOn": [link.to_dict() for link in links], "distribution": objects, "recordSet": record_sets}
