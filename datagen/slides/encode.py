"""From a slide to its feature bag."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from datagen.slides.bags import FeatureBag
from datagen.slides.encoders import PatchEncoder, load_encoder
from datagen.slides.slide import Slide, open_slide
from datagen.slides.tiling import TileGrid, read_tiles, tile_slide
from pathkg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


def encode_slide(slide: Slide | str | os.PathLike[str], encoder: PatchEncoder | str | None = None, *,
                 grid: TileGrid | None = None, mpp: float | None = None, target_mpp: float = 0.5,
                 tile_size: int | None = None, min_tissue: float = 0.5, batch_size: int = 32, workers: int = 1,
                 progress: Progress | None = None) -> FeatureBag:
    """Tile a slide and encode the tiles.

    Args:
        slide: an open slide, or the path of one.
        encoder: an encoder, the folder of one, or ``None`` for the built-in EfficientNet-Lite0.
        grid: tiles made before; otherwise they are made here from the next three options.
        mpp: µm per pixel of level 0, when the file does not say (used with a path only).
        target_mpp: µm per pixel of the tiles.
        tile_size: side of the tiles in pixels; the encoder's own size when ``None``.
        min_tissue: least share of tissue in a tile.
        batch_size: tiles per call of the encoder.
        workers: threads that read tiles.
        progress: called after each batch.

    Returns:
        The bag, with the tiling and the encoder recorded in it.

    Raises:
        InputError: the slide cannot be read, has no known scale or no tissue; or the encoder breaks its promise
            about the shape of its output.
    """
    if not isinstance(slide, Slide):
        with open_slide(slide, mpp=mpp) as opened:
            return encode_slide(opened, encoder, grid=grid, target_mpp=target_mpp, tile_size=tile_size,
                                min_tissue=min_tissue, batch_size=batch_size, workers=workers, progress=progress)
    model = load_encoder() if encoder is None else load_encoder(encoder) if isinstance(encoder, str) else encoder
    tiles = grid or tile_slide(slide, target_mpp=target_mpp, tile_size=tile_size or model.input_size,
                               min_tissue=min_tissue)
    if len(tiles) == 0:
        raise InputError(f"{slide.path}: no tile with at least {min_tissue:.0%} tissue",
                         hint="look at 'pathkg-datagen slides thumbnail', or lower --min-tissue")
    features = np.empty((len(tiles), model.dim), dtype=np.float32)
    for rows, pixels in read_tiles(slide, tiles, batch_size=batch_size, workers=workers):
        features[rows] = _checked(model, pixels)
        if progress is not None:
            progress(rows.stop, len(tiles))
    return FeatureBag(
        features=features, coords=tiles.coords, encoder=model.name, slide=tiles.slide, tile_size=tiles.tile_size,
        tile_size_level0=tiles.tile_size_level0, mpp=tiles.mpp, magnification=tiles.magnification,
        level0_mpp=tiles.level0_mpp, level0_magnification=tiles.level0_magnification,
        level0_size=tiles.level0_size, overlap=tiles.overlap)


def _checked(model: PatchEncoder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    features = np.asarray(model.encode(pixels))
    if features.shape != (len(pixels), model.dim):
        raise InputError(f"encoder {model.name!r} gave shape {features.shape} for {len(pixels)} tiles and promised "
                         f"({len(pixels)}, {model.dim})", hint="fix its encode() or its dim")
    if not np.isfinite(features).all():
        raise InputError(f"encoder {model.name!r} gave NaN or infinity",
                         hint="half precision overflows on some models: run it in float32")
    return features
