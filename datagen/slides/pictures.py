"""Thumbnails with the tissue mask and the tiles drawn: the picture to look at before encoding anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datagen.slides.slide import Slide
from datagen.slides.tiling import TileGrid
from datagen.slides.tissue import TissueMask, tissue_mask

if TYPE_CHECKING:
    from PIL.Image import Image

OUTLINE = (0, 150, 60)
TILE = (20, 60, 200)
DIMMED = 0.45
"""How much of a pixel's colour is left where there is no tissue; the rest is white."""


def thumbnail(slide: Slide, *, longest: int = 1024, mask: TissueMask | None = None,
              grid: TileGrid | None = None) -> Image:
    """The slide with its tissue outlined, what is not tissue faded, and the tiles drawn.

    Args:
        slide: an open slide.
        longest: longer side of the picture in pixels.
        mask: the tissue; computed when not given.
        grid: tiles to draw, if any.

    Returns:
        A PIL image (RGB).
    """
    from PIL import Image, ImageDraw, ImageFilter

    picture = slide.thumbnail(longest)
    height, width = picture.shape[:2]
    tissue = mask or tissue_mask(slide)
    shape = Image.fromarray(tissue.mask.astype(np.uint8) * 255).resize((width, height), Image.Resampling.NEAREST)
    inside = np.asarray(shape) > 0
    faded = (picture * DIMMED + 255 * (1 - DIMMED)).astype(np.uint8)
    drawn = np.where(inside[..., None], picture, faded)
    border = inside & ~(np.asarray(shape.filter(ImageFilter.MinFilter(5))) > 0)
    drawn[border] = OUTLINE
    image = Image.fromarray(drawn)
    if grid is not None:
        pen = ImageDraw.Draw(image)
        across, down = slide.info.size[0] / width, slide.info.size[1] / height
        for x, y in grid.coords:
            pen.rectangle((x / across, y / down, (x + grid.tile_size_level0) / across - 1,
                           (y + grid.tile_size_level0) / down - 1), outline=TILE)
    return image
