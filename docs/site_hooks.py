"""What the site build adds: the command reference, made from the programs' own argument parsers, and the schemas."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PROGRAMS = (("pathkg", "pathkg.cli"), ("pathkg-datagen", "datagen.cli"), ("pathkg-train", "model.cli"))


STAND_IN = "# {title}\n\n!!! note\n    This page is not written yet.\n"


def on_files(files: Files, config: Any) -> Files:
    """Add the generated page, and stand-ins for pages of the navigation that are not written yet."""
    files.append(File.generated(config, "reference/cli.md", content=command_reference()))
    files.append(File.generated(config, "reference/schemas.md", content=schemas()))
    for title, target in missing_pages(config["nav"], Path(config["docs_dir"])):
        files.append(File.generated(config, target, content=STAND_IN.format(title=title)))
    return files


def missing_pages(nav: list[Any], docs: Path) -> list[tuple[str, str]]:
    """Title and file of each page of the navigation that nobody has written yet."""
    found: list[tuple[str, str]] = []
    for entry in nav:
        for title, target in entry.items():
            if isinstance(target, list):
                found += missing_pages(target, docs)
            elif target not in ("reference/cli.md", "reference/schemas.md") and not (docs / target).is_file():
                found.append((title, target))
    return found


def command_reference() -> str:
    """One section per command of each program."""
    lines = ["# Command line", "",
             "Made from the programs' own argument parsers. Look-up commands take `--store` (a graph store; the bundled",
             "core without it) and `--json`. Exit code 2 means that the input could not be used; the message says why",
             "and what to do.", ""]
    for program, module in PROGRAMS:
        try:
            table = importlib.import_module(module).COMMANDS
        except ImportError:
            continue
        lines += [f"## {program}", ""]
        for name, (where, summary) in table.items():
            lines += [f"### {program} {name}", "", summary[0].upper() + summary[1:] + ".", ""]
            try:
                command = importlib.import_module(where)
            except ImportError:
                lines += ["Not in this build.", ""]
                continue
            parser = argparse.ArgumentParser(prog=f"{program} {name}", add_help=False,
                                             formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=96))
            command.configure(parser)
            lines += ["```text", parser.format_help().rstrip(), "```", ""]
            lines += _parts(parser)
    return "\n".join(lines)


def _parts(parser: argparse.ArgumentParser) -> list[str]:
    lines: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, part in action.choices.items():
                part.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=96)
                lines += [f"#### {parser.prog} {name}", "", "```text", part.format_help().rstrip(), "```", ""]
    return lines


SAMPLE = {
    "sample_id": "the case, the kind of question and a digest: the same sample always has the same id",
    "case_id": "the case as the input names it", "patient_id": "the unit of splitting", "case_kind": "report, findings, slide question, exam question",
    "question_kind": "diagnosis, subtype, grading, staging, node_status, margin, marker, prognosis", "question": "what is asked",
    "options": "the choices of a closed question", "observe": "the findings in words", "steps": "the reasoning, one string per step",
    "answer": "the conclusion", "text": "observe, steps and answer in tags: what a model learns to write", "dialect": "the tags: observe or info",
    "report": "the text the sample was made from", "diagnosis_id": "CURIE of the diagnosis", "diagnosis": "its name",
    "findings": "the linked findings with status and place in the report", "evidence": "where the report states the answer",
    "images": "slide, feature bag, region (level-0 pixels) and magnification", "scale": "text, patch, region, slide",
    "certificate_json": "the certificate (below)", "reference_json": "what the rewards compare with (below)",
    "plan_json": "the plan the text was written from", "graph_hash": "content hash of the store", "writer": "template or model, with version",
    "model": "name of the model that wrote", "prompt_hash": "digest of the prompt files", "repairs": "repair turns the model needed",
    "seed": "seed of the wording", "version": "version of the package", "split": "train, validation or test",
}
EXAMPLE = ("Squamous cell carcinoma with keratin pearls.", "<observe>Keratin pearls are present.</observe>\n"
           "<think>1. Keratin pearls support squamous cell carcinoma.</think>\n<answer>Squamous cell carcinoma.</answer>")


def schemas() -> str:
    """The columns of a dataset, the records that may go in, and one certificate and reference, as the programs make them."""
    import pathkg
    from datagen.cases import findings_json_schema
    from datagen.output.schema import sample_schema
    from pathkg.rewards import build_reference

    def block(value: Any) -> list[str]:
        return ["```json", json.dumps(value, indent=1, ensure_ascii=False), "```", ""]

    report, text = EXAMPLE
    lines = ["# Schemas", "", "Made by the programs themselves when this site is built. Files of a graph store are described under",
             "[file formats](../file-formats.md).", "", "## Samples", "", "Rows of `samples.jsonl` and `samples.parquet`; `pathkg-datagen schema sample` prints names and types.",
             "", "| column | type | |", "|---|---|---|"]
    # a column without words here stops the build: the page is never short of one
    lines += [f"| `{field.name}` | `{str(field.type).replace('item: ', '')}` | {SAMPLE[field.name]} |" for field in sample_schema()]
    lines += ["", "## Findings records", "", "JSON schema of structured slide findings (`pathkg-datagen schema findings`).", "", *block(findings_json_schema()),
              "## Certificate", "", "What `pathkg verify --json` prints, and what `certificate_json` holds. For the report", "", "```text", report, "```", "",
              "and the text", "", "```text", text, "```", "", "it is", "", *block(pathkg.verify(text, report=report).to_dict()),
              "## Reference", "", "The string in a trainer's `ground_truth` column, as JSON, for the same text:", "", *block(build_reference(text).to_dict())]
    return "\n".join(lines)
