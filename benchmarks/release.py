"""Is this tree fit for release? Builds wheel and sdist, checks them, and runs the wheel alone in empty environments.

    python -m benchmarks.release [--python /usr/bin/python3.12 ...] [--limit 2]

Prints JSON: the checks of the distributions, and per interpreter whether ``pathkg quickstart`` ran, the installed size in
MB (1 MB = 10⁶ bytes): files as in the wheels; the byte code that Python makes of the modules that are used, which is all there is
after ``pip install --no-compile``; the byte code of everything, which ``pip install`` makes at once; and what dominates.
Leaves with 1 when something failed or the files take more than :data:`LIMIT_MB`. Needs ``build``, ``twine`` and a package
index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MB = 250
NOT_OURS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
"""What ``venv`` puts into an empty environment itself."""


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True, **options)


def sizes(packages: Path) -> dict[str, Any]:
    """Installed MB of files and of byte code, and the largest packages."""
    total = {"files": 0, "byte_code": 0}
    by_package: dict[str, int] = {}
    for path in packages.rglob("*"):
        top = path.relative_to(packages).parts[0]
        if path.is_symlink() or not path.is_file() or top.split("-")[0] in NOT_OURS:
            continue
        size = path.stat().st_size
        total["byte_code" if path.suffix == ".pyc" else "files"] += size
        by_package[top] = by_package.get(top, 0) + size
    largest = sorted(by_package.items(), key=lambda item: -item[1])[:6]
    return {"files_mb": round(total["files"] / 1e6, 1), "byte_code_mb": round(total["byte_code"] / 1e6, 1),
            "largest_mb": {name: round(size / 1e6, 1) for name, size in largest}}


def try_wheel(python: str, wheel: Path, folder: Path, limit: int) -> dict[str, Any]:
    """Install the wheel alone into an empty environment and run the quickstart there."""
    environment = folder / "env"
    made = run(python, "-m", "venv", environment)
    if made.returncode:
        return {"error": made.stderr[-300:]}
    # no constraints: the newest of everything that the package allows, as a newcomer gets it
    installed = run(environment / "bin" / "pip", "install", "-q", "--no-compile", wheel)
    if installed.returncode:
        return {"error": installed.stderr[-300:]}
    start = time.perf_counter()
    done = run(environment / "bin" / "pathkg", "quickstart", "--limit", str(limit), cwd=folder,
               env={"PATH": os.environ["PATH"], "PATHKG_HOME": str(folder / "home"), "PATHKG_OFFLINE": "1"})
    packages = next((environment / "lib").glob("python3*")) / "site-packages"
    used = sizes(packages)["byte_code_mb"]
    run(environment / "bin" / "python", "-m", "compileall", "-q", packages)  # what pip does unless told not to
    size = sizes(packages)
    size = {"files_mb": size["files_mb"], "byte_code_used_mb": used, "byte_code_mb": size["byte_code_mb"],
            "no_compile_in_all_mb": round(size["files_mb"] + used, 1),
            "in_all_mb": round(size["files_mb"] + size["byte_code_mb"], 1), "largest_mb": size["largest_mb"]}
    return {"version": run(python, "-V").stdout.strip(), "quickstart_exit_code": done.returncode,
            "quickstart_s": round(time.perf_counter() - start, 1), "lines": done.stdout.count("\n"),
            "stderr": done.stderr[-300:] if done.returncode else "", **size,
            "versions": _versions(environment)}


def _versions(environment: Path) -> dict[str, str]:
    listed = run(environment / "bin" / "pip", "list", "--format", "json")
    return {row["name"]: row["version"] for row in json.loads(listed.stdout or "[]") if row["name"] not in NOT_OURS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], help="interpreter to try; repeatable (default: this one)")
    parser.add_argument("--limit", type=int, default=2, help="example cases of the quickstart")
    args = parser.parse_args()
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        dist = Path(name) / "dist"
        built = run(sys.executable, "-m", "build", "--no-isolation", "-o", dist, ROOT)
        if built.returncode:
            sys.exit(built.stdout[-1000:] + built.stderr[-1000:])
        files = sorted(dist.iterdir())
        checked = run(sys.executable, "-m", "twine", "check", "--strict", *files)
        report["distributions"] = {f.name: round(f.stat().st_size / 1e6, 2) for f in files}
        report["twine_check"] = "passed" if checked.returncode == 0 else checked.stdout[-500:]
        wheel = next(f for f in files if f.suffix == ".whl")
        report["environments"] = []
        for number, python in enumerate(args.python or [sys.executable]):
            folder = Path(name) / str(number)
            folder.mkdir()
            report["environments"].append({**try_wheel(python, wheel, folder, args.limit)})
    print(json.dumps(report, indent=1))
    good = report["twine_check"] == "passed" and all(
        e.get("quickstart_exit_code") == 0 and e["files_mb"] < LIMIT_MB for e in report["environments"])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
