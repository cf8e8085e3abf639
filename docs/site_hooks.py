"""What the site build adds: the command reference, made from the programs' own argument parsers."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PROGRAMS = (("pathkg", "pathkg.cli"), ("pathkg-datagen", "datagen.cli"), ("pathkg-train", "model.cli"))


STAND_IN = "# {title}\n\n!!! note\n    This page is not written yet.\n"


def on_files(files: Files, config: Any) -> Files:
    """Add the generated page, and stand-ins for pages of the navigation that are not written yet."""
    files.append(File.generated(config, "reference/cli.md", content=command_reference()))
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
            elif target != "reference/cli.md" and not (docs / target).is_file():
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
