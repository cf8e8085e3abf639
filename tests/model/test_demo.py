"""The demo: its plumbing in seconds, and its claims for real where the weights and the time are at hand."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("trl", reason="the demo trains")
pytest.importorskip("sacrebleu", reason="the demo evaluates with BLEU")
pytest.importorskip("rouge_score", reason="the demo evaluates with ROUGE")

from model.demo.figures import line_chart
from model.demo.run import DemoSettings, run_demo
from pathkg.errors import MissingExtraError

MICRO = DemoSettings(train=12, validation=4, test=4, align_steps=2, warm_up_steps=1, sft_steps=4, batch=4, sft_rate=1e-3, slide_rate=1e-3, grpo_steps=1,
                     prompts=1, generations=2, grpo_rate=1e-4, max_new_tokens=8, draws=1)


def test_the_demo_writes_what_it_promises_and_does_nothing_twice(tmp_path, capsys):
    assert run_demo(tmp_path, lm="tiny", sizes=MICRO, slides=False) == 1  # four steps teach nothing, and the demo says so
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert set(figures["accuracy"]) == {"sft", "grpo"}
    assert figures["claims"]["right slide beats another case's by at least 20%"] is False
    for name in ("sft-loss.svg", "grpo-rewards.svg", "evaluation/sft/report.html", "evaluation/grpo/report.json",
                 "sft/model/model.safetensors", "grpo/model/README.md"):
        assert (tmp_path / name).is_file(), name
    written = (tmp_path / "grpo" / "model" / "model.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    assert run_demo(tmp_path, lm="tiny", sizes=MICRO, slides=False) == 1
    assert (tmp_path / "grpo" / "model" / "model.safetensors").stat().st_mtime_ns == written
    again = json.loads((tmp_path / "figures.json").read_text())
    assert {k: v for k, v in again.items() if k != "seconds"} == {k: v for k, v in figures.items() if k != "seconds"}


@pytest.mark.slow
def test_the_claims_hold_with_smollm2(tmp_path):
    from model.language_models import smollm_gguf

    pytest.importorskip("gguf", reason="the weights come as GGUF")
    try:
        smollm_gguf()
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert run_demo(tmp_path) == 0


def test_charts_are_well_formed(tmp_path):
    from xml.etree import ElementTree

    file = line_chart(tmp_path / "c.svg", {"a & b": [(1, 1.0), (10, 100.0)], "none": []}, title="<t>", x="x", y="y",
                      logarithmic=True)
    root = ElementTree.fromstring(file.read_text())
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 2


@pytest.mark.parametrize(("values", "logarithmic"), [
    ([0.3, 1.0, 1.0, 1.0], False), ([4.79, 4.7, 0.01], False), ([-0.5, 0.0, 0.4], False), ([1.0, 1.0], False), ([], False),
    ([328.0, 2407.0, 14035.0], True), ([7.0, 9.0], True)])
def test_no_line_runs_into_the_names_or_out_of_the_plot(tmp_path, values, logarithmic):
    from xml.etree import ElementTree

    from model.demo import figures

    series = {name: [(1 + i, v) for i, v in enumerate(values)] for name in ("format", "semantic", "entity")}
    file = line_chart(tmp_path / "c.svg", series, title="Rewards", x="step", y="mean", logarithmic=logarithmic)
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(file.read_text())
    places = [tuple(map(float, pair.split(","))) for line in root.findall(f"{svg}polyline") for pair in line.get("points").split()]
    names = {t.text: (float(t.get("x")), float(t.get("y"))) for t in root.findall(f"{svg}text") if t.text in series}
    assert set(names) == set(series)
    assert all(y < figures.TOP - 4 for _, y in names.values())
    assert len({x for x, _ in names.values()}) == 3
    assert all(figures.TOP - 0.1 <= y <= figures.HEIGHT - figures.BOTTOM + 0.1 for _, y in places)
    assert all(figures.LEFT - 0.1 <= x <= figures.WIDTH - figures.RIGHT + 0.1 for x, _ in places)
    labels = [t.text for t in root.findall(f"{svg}text") if t.get("text-anchor") == "end"]
    assert len(labels) == len(set(labels)) >= 2
