"""Feature bags: formats in the wild, round trips, and what the validator says of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datagen.slides import FeatureBag, check_bag, open_slide, read_bag, write_bag
from pathkg.errors import InputError
from tests.shared_data import shared

h5py = pytest.importorskip("h5py")


def bag(n: int = 6, d: int = 1024, **changes: Any) -> FeatureBag:
    """A sound bag of UNI features at 20x from a 40x slide."""
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        "features": rng.normal(size=(n, d)).astype(np.float32),
        "coords": np.stack([np.arange(n) % 3, np.arange(n) // 3], axis=1) * 512, "encoder": "uni_v1",
        "slide": "TCGA-AA-0001-01Z-00-DX1", "tile_size": 256, "tile_size_level0": 512, "mpp": 0.5,
        "magnification": 20.0, "level0_mpp": 0.25, "level0_magnification": 40.0, "level0_size": (40000, 30000)}
    return FeatureBag(**{**values, **changes})


def h5(path: Path, features: Any, coords: Any = None, **attributes: Any) -> Path:
    with h5py.File(path, "w") as handle:
        handle["features"] = features
        if coords is not None:
            handle["coords"] = coords
            handle["coords"].attrs.update(attributes)
    return path


@pytest.mark.parametrize("layout", ["trident", "clam"])
def test_round_trip_keeps_everything(tmp_path: Path, layout: Any) -> None:
    made = bag()
    again = read_bag(write_bag(tmp_path / "a" / "x.h5", made, layout=layout))
    assert np.array_equal(again.features, made.features)
    assert again.coords is not None
    assert np.array_equal(again.coords, made.coords)
    assert again.metadata() == made.metadata()


def test_same_bag_same_bytes(tmp_path: Path) -> None:
    first, second = write_bag(tmp_path / "1.h5", bag()), write_bag(tmp_path / "2.h5", bag())
    assert first.read_bytes() == second.read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "x.h5", bag(encoder="old"))
    with pytest.raises(TypeError):
        write_bag(path, bag(encoder=object()))
    assert read_bag(path).encoder == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]


def test_trident_file_as_trident_writes_it(tmp_path: Path) -> None:
    path = h5(tmp_path / "slide7.h5", np.ones((4, 768), np.float16), np.array([[0, 0], [1024, 0], [0, 1024], [9, 9]]),
              patch_size=512, patch_size_level0=1024, level0_magnification=40, target_magnification=20, overlap=0,
              name="slide7", savetodir="out")
    found = read_bag(path)
    assert found.features.dtype == np.float32
    assert (found.dim, found.tile_size, found.tile_size_level0, found.magnification) == (768, 512, 1024, 20)
    assert found.mpp is None, "µm per pixel is not derived from a magnification"
    assert (found.slide, found.attributes["savetodir"]) == ("slide7", "out")


def test_clam_file_with_batch_axis_and_level(tmp_path: Path) -> None:
    path = h5(tmp_path / "c.h5", np.ones((1, 3, 1024), np.float32), np.array([[[0, 0], [1024, 0], [2048, 0]]]),
              patch_size=256, patch_level=1, downsample=np.array([4.0, 4.0]), name="c")
    found = read_bag(path)
    assert found.features.shape == (3, 1024)
    assert (found.tile_size, found.tile_size_level0) == (256, 1024)


@pytest.mark.parametrize(("text", "shape", "coords"), [
    ("x,y,f0,f1,f2\n0,0,.1,.2,.3\n256,0,.4,.5,.6\n", (2, 3), [[0, 0], [256, 0]]),
    ("coord_x,coord_y,f0\n1,2,3\n", (1, 1), [[1, 2]]),
    ("0.1,0.2\n0.3,0.4\n0.5,0.6\n", (3, 2), None),
    (",x,y,a,b\n0,5,6,1,2\n1,7,8,3,4\n", (2, 2), [[5, 6], [7, 8]]),
])
def test_csv_forms(tmp_path: Path, text: str, shape: tuple[int, int], coords: Any) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    found = read_bag(path)
    assert found.features.shape == shape
    assert (found.coords is None) if coords is None else (found.coords is not None
                                                          and found.coords.tolist() == coords)


@pytest.mark.parametrize(("text", "message"), [
    ("x,y\n1,2\n", "no feature columns"), ("a,b\n1,2\n3\n", "not a table of numbers"),
    ("a,b\n1,dog\n", "not numeric")])
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_bag(path)


def test_pt_forms(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.ones(5, 512), tmp_path / "plain.pt")
    torch.save({"features": torch.ones(1, 5, 512).half(), "coords": torch.zeros(5, 2), "encoder": "conch"},
               tmp_path / "dict.pt")
    assert read_bag(tmp_path / "plain.pt").features.shape == (5, 512)
    found = read_bag(tmp_path / "dict.pt")
    assert (found.features.shape, found.encoder) == ((5, 512), "conch")
    torch.save({"model": 3}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="no tensor 'features'"):
        read_bag(tmp_path / "other.pt")


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("pwned-by-pickle"),))


def test_a_pt_file_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    torch.save({"features": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(InputError, match="more than tensors"):
        read_bag(tmp_path / "bomb.pt")
    assert not Path("pwned-by-pickle").exists()


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.h5", b"not hdf5", "not a readable HDF5"), ("x.npy", b"", "feature files end in"),
    ("x.pt", b"junk", "more than tensors, or is cut short")])
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    if name.endswith(".pt"):
        pytest.importorskip("torch")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_bag(tmp_path / name)
    assert [p.code for p in check_bag(tmp_path / name).problems] == ["unreadable"]


def test_h5_without_features_says_what_it_is(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c.h5", "w") as handle:
        handle["coords"] = np.zeros((3, 2))
    with pytest.raises(InputError, match=r"no dataset 'features' \(it has coords\)") as caught:
        read_bag(tmp_path / "c.h5")
    assert "slides encode" in caught.value.hint


@pytest.mark.parametrize(("features", "coords", "message"), [
    (np.ones(3), None, "shape"), (np.ones((2, 2, 2)), None, "shape"),
    (np.ones((3, 4)), np.ones((2, 2)), "coordinates of shape"), (np.ones((3, 4)), np.ones((3, 3)), "coordinates")])
def test_misshapen_bags_are_refused(features: Any, coords: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FeatureBag(features=features, coords=coords)


def test_a_sound_bag_has_no_problem() -> None:
    report = check_bag(bag(), dim=1024, encoder="UNI-v1", mpp=0.5, magnification=20)
    assert report.ok
    assert report.problems == ()


GRID = np.stack([np.arange(6) % 3, np.arange(6) // 3], axis=1)


@pytest.mark.parametrize(("changes", "wanted", "code", "severity"), [
    ({}, {"dim": 512}, "dimension", "error"),
    ({}, {"encoder": "conch"}, "encoder", "error"),
    ({"encoder": ""}, {}, "no-encoder", "warning"),
    ({"encoder": ""}, {"encoder": "uni_v1"}, "no-encoder", "error"),
    ({"encoder": "virchow2"}, {}, "encoder-dimension", "error"),
    ({"features": np.full((6, 1024), np.nan)}, {}, "not-finite", "error"),
    ({"features": np.ones((6, 1024))}, {}, "constant", "error"),
    ({"features": np.eye(6, 1024) * np.array([[0], [1], [1], [1], [1], [1]])}, {}, "zero-rows", "warning"),
    ({"features": np.ones((0, 1024)), "coords": np.zeros((0, 2))}, {}, "empty", "error"),
    ({"coords": None}, {}, "no-coords", "warning"),
    ({"coords": GRID * 512 - 5}, {}, "negative-coords", "error"),
    ({"coords": np.zeros((6, 2))}, {}, "duplicate-coords", "error"),
    ({"coords": GRID * 256}, {}, "coords-scale", "error"),
    ({"coords": GRID * 512 + 39999}, {}, "outside", "error"),
    ({}, {"mpp": 0.25}, "mpp", "error"),
    ({}, {"magnification": 40}, "magnification", "error"),
    ({"magnification": None}, {"magnification": 20}, "magnification", "warning"),
    ({"mpp": None, "magnification": None, "level0_mpp": None}, {}, "no-magnification", "warning"),
    ({"mpp": None, "magnification": None}, {"mpp": 0.5}, "no-magnification", "error"),
    ({"tile_size": None}, {}, "missing-metadata", "warning"),
])
def test_each_fault_has_its_code(changes: dict[str, Any], wanted: dict[str, Any], code: str, severity: str) -> None:
    problems = {p.code: p for p in check_bag(bag(**changes), **wanted).problems}
    assert code in problems
    assert problems[code].severity == severity
    assert problems[code].hint


def test_scanners_disagree_a_little_and_that_is_fine() -> None:
    assert check_bag(bag(mpp=0.4545), mpp=0.5).ok
    assert not check_bag(bag(mpp=0.4), mpp=0.5).ok


def test_patch_level_coordinates_are_recognised_with_the_factor() -> None:
    problem = next(p for p in check_bag(bag(coords=GRID * 256)).problems if p.code == "coords-scale")
    assert "patch-level" in problem.message
    assert "multiply them by 2" in problem.hint


@pytest.mark.parametrize(("changes", "code"), [
    ({"level0_size": (9999, 9999)}, "slide-size"), ({"level0_size": None, "coords": GRID * 5000}, "outside"),
    ({"level0_size": None, "level0_mpp": 0.25}, "slide-mpp")])
def test_a_bag_is_compared_with_its_slide(changes: dict[str, Any], code: str) -> None:
    pytest.importorskip("openslide")
    with open_slide(shared("wsi/cmu-1-small-region.svs")) as slide:
        assert code in {p.code for p in check_bag(bag(**changes), slide=slide).problems}
