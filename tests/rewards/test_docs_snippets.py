"""The code of the reward and verification pages runs, and every framework's snippet gives the same number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pathkg.rewards import CompositeReward, build_reference
from pathkg.rewards.redteam import gold_cases

DOCS = Path(__file__).resolve().parents[2] / "docs"
FRAMEWORKS = ("trl", "verl", "easyr1", "openrlhf", "ms-swift", "verifiers")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["rewards.md", "verification.md"])
def test_every_snippet_runs(page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                            tmp_path: Path) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)  # a page may write files
    case = gold_cases()[0]
    found = blocks(page)
    assert found
    for code in found:
        namespace = {"completion": case.gold.render(), "ground_truth": build_reference(case.gold).to_json()}
        exec(compile(code, f"docs/{page}", "exec"), namespace)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_has_a_snippet_and_they_agree(framework: str) -> None:
    if framework == "openrlhf":
        pytest.importorskip("torch")
    case = gold_cases()[0]
    text, truth = case.gold.replace(steps=case.gold.steps[:2]).render(), build_reference(case.gold).to_json()
    code = [b for b in blocks("rewards.md") if re.match(rf"# {re.escape(framework)}[:\n]", b)]
    assert len(code) == 1
    namespace: dict[str, object] = {"completion": text, "ground_truth": truth}
    exec(compile(code[0], "docs/rewards.md", "exec"), namespace)
    assert namespace["rewards"] == pytest.approx([CompositeReward()(text, truth)])
