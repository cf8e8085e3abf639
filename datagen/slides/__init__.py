"""Slides: tissue, tiles, patch features and feature bags.

The names below are imported when they are first used, so that ``import datagen.slides`` needs only NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datagen.slides.bags import FeatureBag, read_bag, write_bag
    from datagen.slides.check import BagReport, Problem, check_bag
    from datagen.slides.coords import read_grid, write_grid
    from datagen.slides.encode import encode_slide
    from datagen.slides.encoders import EfficientNetEncoder, HuggingFaceEncoder, PatchEncoder, load_encoder
    from datagen.slides.pictures import thumbnail
    from datagen.slides.slide import Slide, SlideInfo, find_slides, open_slide
    from datagen.slides.tiling import TileGrid, read_tile, read_tiles, tile_slide
    from datagen.slides.tissue import TissueMask, tissue_mask

__all__ = ["BagReport", "EfficientNetEncoder", "FeatureBag", "HuggingFaceEncoder", "PatchEncoder", "Problem",
           "Slide", "SlideInfo", "TileGrid", "TissueMask", "check_bag", "encode_slide", "find_slides",
           "load_encoder", "open_slide", "read_bag", "read_grid", "read_tile", "read_tiles", "thumbnail",
           "tile_slide", "tissue_mask", "write_bag", "write_grid"]

_HOMES = {
    "FeatureBag": "bags", "read_bag": "bags", "write_bag": "bags",
    "BagReport": "check", "Problem": "check", "check_bag": "check",
    "read_grid": "coords", "write_grid": "coords", "encode_slide": "encode",
    "EfficientNetEncoder": "encoders", "HuggingFaceEncoder": "encoders", "PatchEncoder": "encoders",
    "load_encoder": "encoders", "thumbnail": "pictures",
    "Slide": "slide", "SlideInfo": "slide", "find_slides": "slide", "open_slide": "slide",
    "TileGrid": "tiling", "read_tile": "tiling", "read_tiles": "tiling", "tile_slide": "tiling",
    "TissueMask": "tissue", "tissue_mask": "tissue",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"datagen.slides.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'datagen.slides' has no attribute {name!r}")
