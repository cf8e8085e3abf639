"""The notebooks in ``examples/`` run from top to bottom, each in under two minutes."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
SECONDS = 120
NEEDS = {"reward_in_trl": ("torch", "trl", "datasets", "tokenizers")}


def _children_seconds() -> float:
    """Processor time of finished child processes: the kernel's own, whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for package in NEEDS.get(notebook.stem, ()):
        pytest.importorskip(package)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    content = nbformat.read(notebook, as_version=4)
    before = _children_seconds()
    nbclient.NotebookClient(content, timeout=3 * SECONDS, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = [cell for cell in content.cells if cell.cell_type == "code" and cell.outputs]
    assert len(printed) >= 3
    assert _children_seconds() - before < SECONDS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_committed_without_outputs(notebook: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    for cell in nbformat.read(notebook, as_version=4).cells:
        assert not cell.get("outputs"), "clear the outputs before committing"
