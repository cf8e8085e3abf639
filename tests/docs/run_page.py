"""Run the code blocks of one documentation page, in order, in the current folder.

``python`` blocks share one namespace; ``bash`` blocks run with ``set -euo pipefail``. A block after
``<!-- not run: reason -->`` is left out; one after ``<!-- needs: package … -->`` is left out, and said so, where a package is
missing. A ``text`` block after ``<!-- prints -->`` is what the block before it prints, where … stands for anything. Usage:
``python run_page.py PAGE.md``; prints what failed and leaves with 1.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import traceback
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>[a-z]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL)
_SKIP = re.compile(r"<!-- not run: (?P<reason>[^>]+) -->\s*\Z")
_PRINTS = re.compile(r"<!-- prints -->\s*\Z")
_NEEDS = re.compile(r"<!-- needs: (?P<packages>[\w ]+) -->\s*\Z")


class Block(NamedTuple):
    kind: str
    code: str
    line: int
    skipped: str
    needs: tuple[str, ...] = ()
    is_output: bool = False


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        before = text[:match.start()]
        skip, needs = _SKIP.search(before), _NEEDS.search(before)
        indent = match["indent"]
        code = "\n".join(line.removeprefix(indent) for line in match["code"].split("\n"))
        found.append(Block(match["kind"], code, text.count("\n", 0, match.start()) + 2, skip["reason"] if skip else "",
                           tuple(needs["packages"].split()) if needs else (), _PRINTS.search(before) is not None))
    return found


def fits(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed; … stands for anything, on a line of its own for any lines.

    Example:
        >>> fits("a\\n…\\nd …", "a\\nb\\nc\\nd 1.5\\n"), fits("a\\nd …", "a\\nb\\nc\\nd 1.5")
        (True, False)
    """
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "…" else re.escape(line.rstrip()).replace("…", ".*") + r"\n"
                      for line in shown.strip("\n").split("\n"))
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed.strip("\n").split("\n"))) is not None


def run(page: Path) -> int:
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed: str | None = None
    for block in blocks(page):
        if block.skipped:
            printed = None
            continue
        where = f"{page.name}, line {block.line}"
        missing = [package for package in block.needs if find_spec(package) is None]
        if missing:
            print(f"left out, without {', '.join(missing)}: {where}")
            printed = None
            continue
        if block.is_output and printed is not None and not fits(block.code, printed):
            print(f"the page shows something else than is printed: {where}; printed was\n{printed}", file=sys.stderr)
            return 1
        if block.kind == "python":
            output = io.StringIO()
            try:
                with redirect_stdout(output):
                    # blank lines in front, so that a traceback names the line of the page
                    exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), namespace)
                printed = output.getvalue()
                print(printed)
            except Exception:  # noqa: BLE001 - whatever a page raises is what is reported
                traceback.print_exc()
                print(f"python block failed: {where}", file=sys.stderr)
                return 1
        elif block.kind in ("bash", "sh", "shell"):
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.code], check=False, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            printed = done.stdout
            print(printed)
            if done.returncode:
                print(f"bash block failed with {done.returncode}: {where}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
