"""Opening slides, their scale, tissue and tiles; real slides, broken ones, made ones, DICOM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datagen.slides import find_slides, open_slide, read_tile, read_tiles, thumbnail, tile_slide, tissue_mask
from datagen.slides.tissue import mask_of_image
from pathkg.errors import InputError
from tests.shared_data import shared

pytest.importorskip("openslide")
pytest.importorskip("PIL")

CMU = "wsi/cmu-1-small-region.svs"


def test_aperio_slide_says_its_scale() -> None:
    with open_slide(shared(CMU)) as slide:
        assert slide.info.size == (2220, 2967)
        assert slide.info.mpp == pytest.approx(0.499)
        assert (slide.info.mpp_origin, slide.info.magnification, slide.info.vendor) == ("file", 20, "aperio")


@pytest.mark.parametrize(("name", "message"), [
    ("wsi/broken.svs", "not a slide"),
    ("wsi/unopenable.tiff", "damaged or of a variant"),
])
def test_broken_slides_are_refused_with_a_reason(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_slide(shared(name))
    assert caught.value.hint


def test_a_slide_that_opens_but_cannot_be_read_is_said_to_be_damaged() -> None:
    with open_slide(shared("wsi/unreadable.svs")) as slide, pytest.raises(InputError, match="cannot be read"):
        slide.read(0, 0, 0, 16, 16)


@pytest.mark.parametrize("name", ["wsi/boxes.tiff", "wsi/small_HE_levels.tiff"])
def test_print_resolution_is_not_taken_for_a_scale(name: str) -> None:
    with open_slide(shared(name)) as slide:
        assert (slide.info.mpp, slide.info.mpp_origin) == (None, "implausible")
        with pytest.raises(InputError, match="print resolution of 72 dots per inch") as caught:
            tile_slide(slide)
        assert "--mpp" in caught.value.hint
    with open_slide(shared(name), mpp=0.5) as slide:
        assert slide.info.mpp_origin == "given"
        assert len(tile_slide(slide, tile_size=64, min_tissue=0)) == 12


def test_missing_scale_is_asked_for(unscaled: Path) -> None:
    with open_slide(unscaled) as slide, pytest.raises(InputError, match="does not say how many µm") as caught:
        tile_slide(slide)
    assert "--mpp" in caught.value.hint


@pytest.mark.parametrize("mpp", [0.0, -1.0, 250.0, 0.00025])
def test_impossible_scale_is_refused(pyramid: Path, mpp: float) -> None:
    with pytest.raises(InputError, match="not a scanner's resolution"):
        open_slide(pyramid, mpp=mpp)


def test_missing_and_empty_paths(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no slide"):
        open_slide(tmp_path / "absent.svs")
    with pytest.raises(InputError, match=r"no \.dcm file"):
        open_slide(tmp_path)
    with pytest.raises(InputError, match="holds no slide"):
        find_slides(tmp_path)


def test_mask_finds_tissue_and_leaves_glass_and_ink(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        tissue = tissue_mask(slide)

    def at(x: int, y: int) -> bool:
        return bool(tissue.mask[int(y / tissue.downsample[1]), int(x / tissue.downsample[0])])

    assert at(1100, 1500)
    assert at(3000, 1500)
    assert not at(2300, 400), "glass"
    assert not at(2000, 30), "black ink"
    assert not at(450, 2880), "green ink"
    true_share = (np.pi * 900 * 1000 + 999 * 1499) / (4096 * 3072)
    assert tissue.fraction == pytest.approx(true_share, rel=0.03)


@pytest.mark.parametrize("value", [255, 240, 128, 0])
def test_a_slide_without_tissue_has_an_empty_mask(value: int) -> None:
    mask, _ = mask_of_image(np.full((50, 60, 3), value, np.uint8), um_per_pixel=8)
    assert not mask.any()


def test_a_slide_that_is_all_tissue_is_not_split_in_two() -> None:
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal((200, 110, 160), 12, (80, 80, 3)), 0, 255).astype(np.uint8)
    mask, _ = mask_of_image(image, um_per_pixel=8)
    assert mask.mean() > 0.99


def test_specks_go_and_holes_close() -> None:
    image = np.full((100, 100, 3), 240, np.uint8)
    image[20:80, 20:80] = (200, 110, 160)
    image[50:53, 50:53] = 240  # a hole of 24 µm
    image[5:8, 5:8] = (200, 110, 160)  # a speck of 24 µm
    mask, _ = mask_of_image(image, um_per_pixel=8)
    assert mask[51, 51]
    assert not mask[6, 6]


@pytest.mark.parametrize(("target", "side", "level", "read"), [
    (0.25, 256, 0, 256), (0.5, 512, 1, 256), (1.0, 1024, 2, 256), (2.0, 2048, 2, 512), (0.3, 307, 0, 307),
    (0.255, 256, 0, 256)])
def test_tiles_name_their_level0_corner_at_every_resolution(
        pyramid: Path, picture: np.ndarray, target: float, side: int, level: int, read: int) -> None:
    with open_slide(pyramid) as slide:
        grid = tile_slide(slide, target_mpp=target, min_tissue=0)
        assert (grid.tile_size_level0, grid.level, grid.read_size) == (side, level, read)
        assert grid.mpp == pytest.approx(0.25 * side / 256)
        assert len(grid) == (4096 // side) * (3072 // side)
        for index in {0, len(grid) // 2, len(grid) - 1}:
            x, y = grid.coords[index]
            tile = read_tile(slide, grid, index)
            assert tile.shape == (256, 256, 3)
            truth = picture[y:y + side, x:x + side].reshape(-1, 3).mean(axis=0)
            assert tile.reshape(-1, 3).mean(axis=0) == pytest.approx(truth, abs=1.5)


def test_only_tissue_is_kept(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        strict = tile_slide(slide, min_tissue=0.9)
        loose = tile_slide(slide, min_tissue=0.1)
        every = tile_slide(slide, min_tissue=0)
    assert len(strict) < len(loose) < len(every) == 48
    assert strict.tissue.min() >= 0.9


def test_neighbours_touch_or_overlap_as_asked(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        plain = tile_slide(slide, min_tissue=0)
        lapped = tile_slide(slide, min_tissue=0, overlap=64)
    assert set(np.diff(np.unique(plain.coords[:, 0]))) == {512}
    assert set(np.diff(np.unique(lapped.coords[:, 0]))) == {512 - 128}


def test_batches_cover_all_tiles_in_order_with_any_number_of_workers(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        grid = tile_slide(slide, min_tissue=0.2)
        one = list(read_tiles(slide, grid, batch_size=5))
        four = list(read_tiles(slide, grid, batch_size=7, workers=4))
    assert [r.start for r, _ in one] == list(range(0, len(grid), 5))
    assert np.array_equal(np.concatenate([b for _, b in one]), np.concatenate([b for _, b in four]))


def test_enlarging_is_refused_unless_asked_for() -> None:
    with open_slide(shared(CMU)) as slide:
        with pytest.raises(InputError, match=r"enlarged 2\.0 times") as caught:
            tile_slide(slide, target_mpp=0.25)
        assert "--upsample" in caught.value.hint
        grid = tile_slide(slide, target_mpp=0.25, upsample=True)
        assert read_tile(slide, grid, 0).shape == (256, 256, 3)
        assert grid.tile_size_level0 == 128


@pytest.mark.parametrize("options", [{"tile_size": 0}, {"overlap": 256}, {"overlap": -1}, {"min_tissue": 1.5},
                                     {"target_mpp": 300.0}])
def test_impossible_tilings_are_refused(pyramid: Path, options: dict[str, float]) -> None:
    with open_slide(pyramid) as slide, pytest.raises(InputError):
        tile_slide(slide, **options)  # type: ignore[arg-type]


def test_a_slide_smaller_than_a_tile_has_no_tiles() -> None:
    with open_slide(shared("wsi/small.svs")) as slide:
        assert len(tile_slide(slide, min_tissue=0)) == 0


def test_dicom_folder_gives_the_same_tiles_as_the_pyramid(dicom: Path, pyramid: Path) -> None:
    with open_slide(dicom) as series, open_slide(pyramid) as tiff:
        assert series.info.name == "series"
        assert series.info.vendor == "dicom"
        assert series.info.size == tiff.info.size
        assert series.info.mpp == pytest.approx(0.25)
        assert series.info.magnification == 40
        ours, theirs = tile_slide(series, min_tissue=0.5), tile_slide(tiff, min_tissue=0.5)
        assert np.array_equal(ours.coords, theirs.coords)
        gap = np.abs(read_tile(series, ours, 3).astype(int) - read_tile(tiff, theirs, 3))
    assert gap.mean() < 3, "only JPEG noise between them"


def test_real_tissue_looks_like_tissue() -> None:
    with open_slide(shared(CMU)) as slide:
        grid = tile_slide(slide, min_tissue=0.8)
        tiles = np.concatenate([batch for _, batch in read_tiles(slide, grid)])
        picture = thumbnail(slide, longest=600, grid=grid)
    assert 10 < len(grid) < 60
    means = tiles.reshape(len(tiles), -1, 3).mean(axis=1)
    assert (means[:, 0] > means[:, 1] + 10).all(), "haematoxylin and eosin hold less green than red"
    assert max(picture.size) == 600
    colours = {tuple(c) for c in np.asarray(picture).reshape(-1, 3)}
    assert (20, 60, 200) in colours, "tiles are drawn"
    assert (0, 150, 60) in colours, "the outline of the tissue is drawn"


def test_a_slide_without_pyramid_is_shrunk_strip_by_strip(pyramid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datagen.slides import slide as module

    with open_slide(shared(CMU)) as slide:
        whole = slide.thumbnail(512)
        monkeypatch.setattr(module, "_STRIP_PIXELS", 500_000)
        strips = slide.thumbnail(512)
    assert strips.shape == whole.shape
    assert np.abs(strips.astype(int) - whole).mean() < 4
