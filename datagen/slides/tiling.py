"""Tiles of a slide at a wanted resolution.

Convention: a tile is named by its top-left corner in level-0 pixels, whatever resolution it is read at. All tiles
of one grid have the same whole number of level-0 pixels as side, so that neighbours touch without gap or overlap
(unless an overlap is asked for). The resolution really reached is recorded next to the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from datagen.slides.slide import PLAUSIBLE_MPP, Slide
from datagen.slides.tissue import TissueMask, tissue_mask
from pathkg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

UPSAMPLING_TOLERANCE = 0.9
"""Tiles may be at most this much finer than level 0 (0.4545 serves for 0.5 and 0.25 for 0.23, but 0.5 not for
0.25): beyond it, pixels would be invented."""

SNAP_TOLERANCE = 0.03
"""A pyramid level whose resolution is this near to the wish is read as it is: 0.499 for 0.5 µm per pixel. Resampling
by a percent blurs every nucleus and gains nothing; the resolution really read is what gets recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class TileGrid:
    """Which tiles of a slide to read, and how.

    Attributes:
        slide: the slide's name.
        coords: int64 (N, 2), top-left corners in level-0 pixels, row by row from the top.
        tissue: float64 (N,), share of tissue in each tile.
        tile_size: side of a tile in pixels, after resizing.
        tile_size_level0: side of a tile in level-0 pixels.
        mpp: µm per pixel of the tiles as they really come out.
        level0_mpp: µm per pixel of level 0.
        magnification: objective power that the tiles correspond to, when the slide states its own.
        level0_magnification: objective power of level 0, when stated.
        level0_size: width, height of the slide in level-0 pixels.
        overlap: overlap of neighbours in pixels of the tiles.
        level: pyramid level that is read.
        read_size: side in pixels of that level that is read and then resized to ``tile_size``.
    """

    slide: str
    coords: NDArray[np.int64]
    tissue: NDArray[np.float64]
    tile_size: int
    tile_size_level0: int
    mpp: float
    level0_mpp: float
    magnification: float | None
    level0_magnification: float | None
    level0_size: tuple[int, int]
    overlap: int
    level: int
    read_size: int

    def __len__(self) -> int:
        return len(self.coords)

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> TileGrid:
        """The grid with only ``rows``."""
        return replace(self, coords=self.coords[rows], tissue=self.tissue[rows])

    def __repr__(self) -> str:
        return (f"<TileGrid {self.slide}: {len(self)} tiles of {self.tile_size} px at {self.mpp:.3g} µm/px "
                f"({self.tile_size_level0} level-0 px)>")


def tile_slide(slide: Slide, *, target_mpp: float = 0.5, tile_size: int = 256, overlap: int = 0,
               min_tissue: float = 0.5, mask: TissueMask | None = None, upsample: bool = False) -> TileGrid:
    """The tiles of a slide that hold tissue.

    Args:
        slide: an open slide with a known scale.
        target_mpp: µm per pixel of the tiles (0.5 is about 20x, 0.25 about 40x).
        tile_size: side of a tile in pixels.
        overlap: overlap of neighbouring tiles in pixels of the tiles.
        min_tissue: least share of tissue in a tile, 0 to 1; 0 keeps every tile of the grid.
        mask: where the tissue is; made by :func:`~datagen.slides.tissue.tissue_mask` when not given.
        upsample: allow tiles finer than the scan.

    Returns:
        The grid. It is empty, and not an error, when there is no tissue or the slide is smaller than a tile.

    Raises:
        InputError: unknown scale, impossible sizes, or a resolution that the slide does not have.
    """
    if tile_size < 1 or not 0 <= overlap < tile_size or not 0 <= min_tissue <= 1:
        raise InputError(f"tile_size {tile_size}, overlap {overlap}, min_tissue {min_tissue} cannot be tiled with",
                         hint="tile_size > overlap >= 0 in pixels, and min_tissue between 0 and 1")
    if not PLAUSIBLE_MPP[0] <= target_mpp <= PLAUSIBLE_MPP[1]:
        raise InputError(f"tiles of {target_mpp:g} µm per pixel", hint="0.25 is about 40x, 0.5 20x, 1.0 10x")
    mpp0 = slide.require_mpp()
    if target_mpp < mpp0 * UPSAMPLING_TOLERANCE and not upsample:
        raise InputError(f"{slide.path} is scanned at {mpp0:g} µm per pixel; tiles of {target_mpp:g} would be "
                         f"enlarged {mpp0 / target_mpp:.1f} times",
                         hint=f"tile at {mpp0:g} or coarser, or allow it: --upsample")
    size0 = _side_at_level0(slide, tile_size, target_mpp / mpp0)
    step0 = max(1, size0 - round(overlap * size0 / tile_size))
    scale = size0 / tile_size
    level = slide.level_for(scale)
    coords = _grid(slide.info.size, size0, step0)
    tissue = np.ones(len(coords))
    if min_tissue > 0 or mask is not None:
        tissue = (mask or tissue_mask(slide)).coverage(coords, size0)
    keep = tissue >= min_tissue
    power = slide.info.magnification
    return TileGrid(
        slide=slide.info.name, coords=coords[keep], tissue=tissue[keep], tile_size=tile_size,
        tile_size_level0=size0, mpp=mpp0 * scale, level0_mpp=mpp0,
        magnification=None if power is None else round(power / scale, 2), level0_magnification=power,
        level0_size=slide.info.size, overlap=overlap, level=level,
        read_size=max(1, round(size0 / slide.info.downsamples[level])))


def _side_at_level0(slide: Slide, tile_size: int, scale: float) -> int:
    """Side of a tile in level-0 pixels; exactly that of a pyramid level when the wish is within the tolerance."""
    for downsample in slide.info.downsamples:
        if abs(scale / downsample - 1) <= SNAP_TOLERANCE:
            return round(tile_size * downsample)
    return max(1, round(tile_size * scale))


def _grid(size: tuple[int, int], side: int, step: int) -> NDArray[np.int64]:
    """All corners whose tile lies wholly inside of the slide, row by row."""
    xs = np.arange(0, size[0] - side + 1, step, dtype=np.int64)
    ys = np.arange(0, size[1] - side + 1, step, dtype=np.int64)
    corners: NDArray[np.int64] = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    return corners


def read_tile(slide: Slide, grid: TileGrid, index: int) -> NDArray[np.uint8]:
    """Tile ``index`` of ``grid``: uint8 (tile_size, tile_size, 3), RGB."""
    x, y = grid.coords[index]
    pixels = slide.read(int(x), int(y), grid.level, grid.read_size, grid.read_size)
    if grid.read_size == grid.tile_size:
        return pixels
    from PIL import Image

    if grid.read_size % grid.tile_size == 0:  # the same means as BOX gives, four times as fast
        return np.asarray(Image.fromarray(pixels).reduce(grid.read_size // grid.tile_size))
    # BOX averages all source pixels when shrinking; BILINEAR is for the small enlargements
    method = Image.Resampling.BOX if grid.read_size > grid.tile_size else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize((grid.tile_size, grid.tile_size), method))


def read_tiles(slide: Slide, grid: TileGrid, *, batch_size: int = 64,
               workers: int = 1) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Read all tiles in order, in batches.

    Args:
        slide: the open slide the grid was made from.
        grid: what to read.
        batch_size: tiles per batch; at most two batches are in memory.
        workers: threads that read; OpenSlide decodes outside of Python's lock.

    Yields:
        The rows of the grid and their pixels: uint8 (batch, tile_size, tile_size, 3).
    """
    starts = range(0, len(grid), batch_size)
    if workers <= 1:
        for start in starts:
            rows = slice(start, min(start + batch_size, len(grid)))
            yield rows, np.stack([read_tile(slide, grid, i) for i in range(rows.start, rows.stop)])
        return
    with ThreadPoolExecutor(workers) as pool:
        for start in starts:
            rows = slice(start, min(start + batch_size, len(grid)))
            yield rows, np.stack(list(pool.map(lambda i: read_tile(slide, grid, i), range(rows.start, rows.stop))))
