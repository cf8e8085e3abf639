"""The documentation: every code block runs, the site builds strictly and offline, and nothing in it asks the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(Path(__file__).parent))

from run_page import blocks, fits  # noqa: E402

PAGES = sorted(p for p in DOCS.rglob("*.md"))
RUNNABLE = ("python", "bash", "sh", "shell")
PAGE_SECONDS = 300
TRAINING_SECONDS = 900
"""One page trains a model; the others are done in seconds."""
# what a page needs beyond the core: named here so that a plain environment skips it with the reason
NEEDS = {
    "slides.md": ("openslide", "h5py", "tifffile"), "training": ("torch", "transformers", "trl"),
    "tutorials/train.md": ("torch", "transformers", "trl", "h5py", "sacrebleu", "rouge_score"),
    "augmentation.md": ("torch", "transformers"),
}


def has_code(page: Path) -> bool:
    return any(b.kind in RUNNABLE and not b.skipped for b in blocks(page))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three programs, whether or not the package is installed."""
    folder = tmp_path_factory.mktemp("bin")
    for name, module in (("pathkg", "pathkg.cli"), ("pathkg-datagen", "datagen.cli"), ("pathkg-train", "model.cli")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", [p for p in PAGES if has_code(p)], ids=lambda p: str(p.relative_to(DOCS)))
def test_code_blocks_run(page: Path, programs: Path, tmp_path: Path) -> None:
    name = str(page.relative_to(DOCS))
    for start, packages in NEEDS.items():
        if name.startswith(start):
            for package in packages:
                pytest.importorskip(package)
    # in an empty folder: what a page uses, it makes or has fetched itself
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
                   "MPLBACKEND": "agg", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
                   "OMP_NUM_THREADS": "1"}  # several pages run at once
    seconds = TRAINING_SECONDS if name == "tutorials/train.md" else PAGE_SECONDS
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("run_page.py")), str(page)], cwd=tmp_path,
                          env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize(("shown", "printed", "expected"), [
    ("a\nb", "a\nb\n", True), ("a\nb", "a\nc", False), ("a\n…\nd", "a\nb\nc\nd", True), ("a\n…\nd", "a\nd", True),
    ("a\n…\nd", "a\nb", False), ("a\n…", "a\nb\nc", True), ("a\n…", "b\nc", False), ("x … z", "x y z", True),
    ("x … z", "x\ny z", False), ("a (b) [1:2]", "a (b) [1:2]", True), ("…\nd", "a\nb\nd", True), ("a", "a\nb", False),
])
def test_what_a_page_shows_is_compared_with_what_is_printed(shown: str, printed: str, expected: bool) -> None:
    assert fits(shown, printed) is expected


def test_every_fence_has_a_language_and_every_skip_a_reason() -> None:
    """A fence without a language would be neither run nor seen to be left out."""
    wrong = []
    for page in PAGES:
        for block in blocks(page):
            where = f"{page.relative_to(DOCS)}:{block.line}"
            if block.kind not in (*RUNNABLE, "text", "yaml"):
                wrong.append(f"{where} has the language {block.kind!r}")
            if block.skipped and len(block.skipped) < 8:
                wrong.append(f"{where} skipped without a reason")
    assert not wrong


def test_yaml_blocks_are_yaml_with_names_the_trainer_knows() -> None:
    yaml = pytest.importorskip("yaml")
    config = pytest.importorskip("model.training.config")
    known = set(config.SFTRun.model_fields) | set(config.GRPORun.model_fields)
    for page in PAGES:
        for block in blocks(page):
            if block.kind == "yaml":
                assert set(yaml.safe_load(block.code)) <= known, f"{page.relative_to(DOCS)}:{block.line}"


_LOADS = re.compile(r"""<(?:script|img|link|iframe|source|video|audio)\b[^>]*?\b(?:src|href)=["']?(https?:)?//[^"' >]+""")
_CSS_LOADS = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    offenders = []
    for path in site.rglob("*"):
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            offenders += [f"{path.relative_to(site)}: {m[0][:120]}" for m in _LOADS.finditer(text)
                          if 'rel="canonical"' not in m[0] and "rel=canonical" not in m[0]]
        elif path.suffix == ".css":
            offenders += [f"{path.relative_to(site)}: {m[0]}" for m in _CSS_LOADS.finditer(path.read_text(encoding="utf-8"))]
    assert not offenders


def test_the_command_reference_names_every_command(site: Path) -> None:
    from datagen.cli import COMMANDS as datagen_commands
    from model.cli import COMMANDS as model_commands
    from pathkg.cli import COMMANDS

    page = (site / "reference" / "cli" / "index.html").read_text(encoding="utf-8")
    for program, table in (("pathkg", COMMANDS), ("pathkg-datagen", datagen_commands), ("pathkg-train", model_commands)):
        for command in table:
            assert f"{program} {command}" in page


def test_no_page_names_a_path_of_a_developers_machine() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/(?:home|Users|root|work|tmp)/\w", text), page.name


def test_screen_reader_basics(site: Path) -> None:
    """Pictures have words, pages have a language and one first heading."""
    for path in site.rglob("index.html"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"<html[^>]*\blang=", text), path
        assert len(re.findall(r"<h1[ >]", text)) == 1, path
        for image in re.findall(r"<img\b[^>]*>", text):
            assert "alt=" in image, (path, image)


def test_the_dependency_table_names_every_dependency() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[A-Za-z0-9._-]+", item)[0].lower() for needs in (project["dependencies"], *project["optional-dependencies"].values())
              for item in needs} - {"pathkg"}
    listed = {line.split("|")[1].strip().lower().replace("_", "-") for line in (DOCS / "dependencies.md").read_text(encoding="utf-8").splitlines()
              if line.startswith("| ")}
    assert wanted <= listed, f"run docs/dependency_table.py: {sorted(wanted - listed)}"


def test_every_option_of_every_command_says_what_it_does() -> None:
    import argparse
    from importlib import import_module

    silent = []
    for program, module in (("pathkg", "pathkg.cli"), ("pathkg-datagen", "datagen.cli"), ("pathkg-train", "model.cli")):
        for name, (where, _) in import_module(module).COMMANDS.items():
            top = argparse.ArgumentParser(prog=f"{program} {name}")
            import_module(where).configure(top)
            waiting = [top]
            while waiting:
                parser = waiting.pop()
                for action in parser._actions:
                    if isinstance(action, argparse._SubParsersAction):
                        waiting += action.choices.values()
                    elif not action.help:
                        silent.append(f"{parser.prog} {action.option_strings or action.dest}")
    assert not silent
