"""The command line: one small table per program, one module per command.

A command module has ``configure(parser)`` and ``run(args) -> int``. It is imported only when it is called, so
``pathkg --help`` stays instant. A :class:`~pathkg.errors.PathkgError` ends a command with exit code 2.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

from pathkg.errors import PathkgError, did_you_mean

CommandTable = Mapping[str, tuple[str, str]]
"""Command name -> (module that implements it, one-line help)."""

COMMANDS: CommandTable = {
    "quickstart": ("pathkg.commands.quickstart", "see what the project does, on ten bundled cases"),
    "info": ("pathkg.commands.info", "what a graph store holds: counts, hash, sources, licences"),
    "link": ("pathkg.commands.link", "find the entities of a report text, with their assertion status"),
    "paths": ("pathkg.commands.paths", "evidence paths between two entities"),
    "explain": ("pathkg.commands.explain", "evidence for and against candidate diagnoses"),
    "verify": ("pathkg.commands.verify", "check a reasoning trajectory against a report and the graph"),
    "reward": ("pathkg.commands.reward", "score trajectories; references, adapters, red team"),
    "build": ("pathkg.commands.build", "merge sources into one graph store"),
    "download": ("pathkg.commands.download", "fetch a source graph or ontology, checked and resumable"),
    "export": ("pathkg.commands.export", "write a store as KGX, GraphML, Neo4j CSV, N-Triples or PrimeKG CSV"),
    "node": ("pathkg.commands.node", "look up one node: synonyms, neighbours, ancestors"),
    "view": ("pathkg.commands.view", "one self-contained HTML page of a trajectory dataset"),
    "explore": ("pathkg.commands.explore", "browse the graph around a node"),
    "serve": ("pathkg.commands.serve", "reward and look-ups over HTTP"),
    "mcp": ("pathkg.commands.mcp", "reward and look-ups as an MCP server"),
}

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


def dispatch(prog: str, description: str, table: CommandTable, argv: Sequence[str] | None = None) -> int:
    """Run one command of ``table``.

    Args:
        prog: program name for the help text.
        description: one sentence for the help text.
        table: command name -> (module, help).
        argv: arguments without the program name; ``sys.argv[1:]`` when ``None``.

    Returns:
        The exit code: the command's own, 2 for bad input, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an arrow must not end a command on an ASCII terminal
    try:
        if arguments and arguments[0] in table:
            return _run(prog, table, arguments)
        return _overview(prog, description, table, arguments)
    except PathkgError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) has gone; keep the interpreter's own flush at exit from complaining
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(prog: str, table: CommandTable, arguments: list[str]) -> int:
    name = arguments[0]
    module_name, summary = table[name]
    command = importlib.import_module(module_name)
    parser = argparse.ArgumentParser(
        prog=f"{prog} {name}", description=summary[0].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    command.configure(parser)
    return int(command.run(parser.parse_args(arguments[1:])))


def _overview(prog: str, description: str, table: CommandTable, arguments: list[str]) -> int:
    width = max(map(len, table))
    lines = [f"usage: {prog} COMMAND [options]", "", description, "", "commands:"]
    lines += [f"  {name:<{width}}  {summary}" for name, (_, summary) in table.items()]
    lines += ["", f"{prog} COMMAND --help tells more; {prog} --version prints the version."]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print("\n".join(lines))
        return 0
    if arguments[0] in ("-V", "--version"):
        from pathkg import __version__

        print(f"{prog} {__version__}")
        return 0
    raise PathkgError(f"there is no command {arguments[0]!r}",
                      hint=did_you_mean(arguments[0], table) or f"{prog} --help lists the commands")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``pathkg`` program."""
    return dispatch("pathkg", "A knowledge graph for computational pathology (research use, not for diagnosis).",
                    COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
