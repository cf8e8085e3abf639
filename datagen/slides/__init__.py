"""Slides: tissue, tiles, patch features and feature bags.

The names below are imported when they are first used, so that ``import datagen.slides`` needs only NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datagen.slides.bags import FeatureBag, read_bag, write_bag
    from datagen.slides.slide import Slide, SlideInfo, find_slides, open_slide
    from datagen.slides.tiling import TileGrid, read_tile, read_tiles, tile_slide
    from datagen.slides.tissue import TissueMask, tissue_mask

__all__ = ["FeatureBag", "Slide", "SlideInfo", "TileGrid", "TissueMask", "find_slides", "open_slide", "read_bag",
           "read_tile", "read_tiles", "tile_slide", "tissue_mask", "write_bag"]

_HOMES = {
    "FeatureBag": "bags", "read_bag": "bags", "write_bag": "bags",
    "Slide": "slide", "SlideInfo": "slide", "find_slides": "slide", "open_slide": "slide",
    "TileGrid": "tiling", "read_tile": "tiling", "read_tiles": "tiling", "tile_slide": "tiling",
    "TissueMask": "tissue", "tissue_mask": "tissue",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"datagen.slides.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'datagen.slides' has no attribute {name!r}")
