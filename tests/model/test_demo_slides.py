"""The drawn slides: every finding has a look of its own, training and held-back patches are apart."""

from __future__ import annotations

import numpy as np
import pytest

from model.data.samples import read_samples
from model.demo.slides import ACROSS, LOOKS, REST, paint, patch_library
from model.demo.world import DIAGNOSES, WorldSettings, write_world
from tests.shared_data import shared

pytest.importorskip("tifffile", reason="slides are drawn as TIFF")
pytest.importorskip("openslide", reason="slides are read with OpenSlide")
pytest.importorskip("h5py", reason="bags are h5 files")


class Colours:
    """A small encoder without a network: the histogram of each channel, and how rough the tile is."""

    name, dim, input_size = "colours", 27, 224

    def encode(self, tiles):
        rows = []
        for tile in tiles.astype(np.float32):
            counts = [np.histogram(tile[..., c], bins=8, range=(0, 256))[0] / tile[..., c].size for c in range(3)]
            rough = [np.abs(np.diff(tile[..., c], axis=a)).mean() / 64 for c, a in ((0, 0), (0, 1), (1, 0))]
            rows.append(np.concatenate([*counts, rough]))
        return np.stack(rows).astype(np.float32)


def test_every_finding_of_the_world_has_a_look():
    assert {f for d in DIAGNOSES for f in d.findings} == set(LOOKS)
    assert len(set(LOOKS.values()) | set(REST.values())) == len(LOOKS) + len(REST)


def test_looks_can_be_told_apart_by_patches_never_seen():
    encoder = Colours()
    looks = {**LOOKS, **REST}
    seen = {name: encoder.encode(np.stack([paint(look, np.random.default_rng([1, i])) for i in range(4)]))
            for name, look in looks.items()}
    centres = np.stack([rows.mean(axis=0) for rows in seen.values()])
    hits = []
    for number, look in enumerate(looks.values()):
        new = encoder.encode(np.stack([paint(look, np.random.default_rng([2, i])) for i in range(4)]))
        hits += (np.linalg.norm(new[:, None] - centres, axis=-1).argmin(axis=1) == number).tolist()
    assert np.mean(hits) > 0.6  # by colour and roughness alone; chance is 1 in 22


def test_a_world_of_slides_reads_its_patches_from_them(tmp_path):
    files = write_world(tmp_path, train=4, validation=1, test=2, encoder=Colours(),
                        settings=WorldSettings(diagnoses=2, slides=True, copies=2, patches=(6, 8)))
    findings = [f for d in DIAGNOSES[:2] for f in d.findings]
    train = patch_library(tmp_path / "slides", findings, "train", seed=0)  # from the folder: nothing is encoded
    held_back = patch_library(tmp_path / "slides", findings, "held-back", seed=0)
    assert train.encoder == "colours"
    assert all(0 < len(rows) <= ACROSS ** 2 for rows in train.findings.values())
    everything = {row.tobytes() for rows in [*train.findings.values(), train.rest] for row in rows}
    assert not any(row.tobytes() in everything for rows in [*held_back.findings.values(), held_back.rest] for row in rows)
    from datagen.slides import read_bag

    for sample in read_samples(files["train"]):
        bag = read_bag(sample.image)
        assert all(row.tobytes() in everything for row in bag.features)
        shown = [f for f in findings if f in sample.caption]
        assert len(shown) == 2
        for finding in shown:
            own = {row.tobytes() for row in train.findings[finding]}
            assert sum(row.tobytes() in own for row in bag.features) == 2


def test_a_real_slide_gives_different_patches_to_training_and_the_rest(tmp_path):
    slide = str(shared("wsi/cmu-1-small-region.svs"))
    rest = {split: patch_library(tmp_path, ["melanin pigment"], split, seed=0, real_slide=slide, encoder=Colours()).rest
            for split in ("train", "held-back")}
    plain = patch_library(tmp_path, ["melanin pigment"], "train", seed=0, encoder=Colours()).rest
    assert len(rest["train"]) > len(plain)
    rows = {split: {row.tobytes() for row in values} for split, values in rest.items()}
    assert not rows["train"] & rows["held-back"]
