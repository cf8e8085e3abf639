"""Real slides and real datagen output go through the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.samples import read_samples
from tests.shared_data import shared

torch = pytest.importorskip("torch", reason="the model needs torch")


class MeanColour:
    """Three numbers per tile; enough to tell tissue from glass."""

    name, dim, input_size = "mean-colour", 3, 64

    def encode(self, tiles):
        return np.asarray(tiles, dtype=np.float32).reshape(len(tiles), -1, 3).mean(axis=1) / 255

    __call__ = encode


def test_a_real_slide_goes_from_pixels_to_answer_and_heat_map(tiny, tmp_path):
    pytest.importorskip("openslide", reason="reading slides needs openslide")
    from PIL import Image

    from datagen.slides import encode_slide, write_bag
    from model.data.samples import TrainingSample
    from model.inference.answer import answer_question
    from model.inference.heatmap import draw_heatmap
    from model.vlm import build_vlm

    slide = shared("wsi/cmu-1-small-region.svs")
    bag = encode_slide(slide, MeanColour(), tile_size=64)
    file = write_bag(tmp_path / "cmu.h5", bag)
    vlm, processor = build_vlm(tiny["lm"], encoder={"feature_dim": 3, "hidden_size": 32, "num_heads": 4, "num_tokens": 8,
                                                    "segment_lengths": [64, 256], "dilation_rates": [1, 4]})
    answer = answer_question(vlm, processor, TrainingSample("cmu", str(file), "Which tissue?"), max_new_tokens=4,
                             verify=False)
    assert len(answer.bag) == len(bag) > 20
    assert answer.attention.sum() == pytest.approx(1.0)
    picture = Image.open(draw_heatmap(tmp_path / "heat.png", answer.bag, answer.attention, slide=slide))
    bare = Image.open(draw_heatmap(tmp_path / "bare.png", answer.bag, answer.attention * 0, slide=slide))
    assert picture.size == bare.size
    changed = (np.asarray(picture) != np.asarray(bare)).any(axis=2)
    # colour falls on the patches and nowhere else
    width = picture.size[0] / 2220
    inside = np.zeros_like(changed)
    for x, y in answer.bag.coords * width:
        side = answer.bag.patch_size_level0 * width
        inside[int(y):int(y + side) + 2, int(x):int(x + side) + 2] = True
    assert changed.any()
    assert not (changed & ~inside).any()


def test_what_datagen_writes_is_trained_on(tiny, tmp_path):
    pytest.importorskip("pandas", reason="datagen needs pandas")
    import datagen
    from model.training.grpo import grpo_rows
    from model.training.parts import load_vlm
    from model.training.rows import build_rows
    from pathkg.rewards import FormatReward

    reports = Path(shared("reports/tcga_reports_clean.jsonl")).read_text().splitlines()[:12]
    (tmp_path / "cases.jsonl").write_text("\n".join(reports))
    datagen.run(cases=tmp_path / "cases.jsonl", out=tmp_path / "set")
    samples = read_samples(tmp_path / "set" / "samples.jsonl")
    assert read_samples(tmp_path / "set" / "samples.parquet") == samples
    assert samples
    assert all(s.reference and s.question and s.patient for s in samples)
    assert FormatReward()(samples[0].text, samples[0].reference) == 1.0
    _, processor = load_vlm(tiny["vlm"])
    rows, counts = build_rows(samples, processor, mix={"masked": 1, "full": 1}, seed=0)
    assert counts["full"] == len(samples)
    assert all(r.images == () for r in rows)
    assert all(r["images"] == [] for r in grpo_rows(samples, system_prompt=""))
