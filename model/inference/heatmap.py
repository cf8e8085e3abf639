"""Attention per patch as a picture over the slide's thumbnail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.bags import SlideBag
from model.extras import require
from pathkg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

THUMBNAIL = 1024
"""Longer side of the picture, in pixels."""

OPACITY = 0.6
"""Of the strongest patch."""


def heat_colours(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """RGBA per patch: transparent yellow to opaque red, by rank-free share of the largest weight.

    Example:
        >>> heat_colours(np.array([0.0, 1.0])).tolist()
        [[255, 235, 60, 0], [215, 25, 28, 153]]
    """
    share = weights / max(float(weights.max(initial=0.0)), 1e-12)
    low, high = np.array([255.0, 235.0, 60.0]), np.array([215.0, 25.0, 28.0])
    rgb = low + (high - low) * share[:, None]
    alpha = 255 * OPACITY * share
    colours: NDArray[np.uint8] = np.rint(np.concatenate([rgb, alpha[:, None]], axis=1)).astype(np.uint8)
    return colours


def draw_heatmap(path: str | Path, bag: SlideBag, weights: NDArray[np.float64], *,
                 slide: str | Path | None = None) -> Path:
    """Write a PNG of the patches coloured by weight, over the slide's thumbnail when the slide is given.

    Args:
        path: a ``.png`` file.
        bag: its level-0 coordinates place the patches.
        weights: one per patch of ``bag``.
        slide: the slide file; a plain ground when ``None``.

    Raises:
        InputError: the numbers of patches and weights differ, or the slide cannot be opened.
        MissingExtraError: pillow or openslide is missing.
    """
    if len(bag) != len(weights):
        raise InputError(f"{len(bag)} patches but {len(weights)} weights", hint="pass the weights of this bag")
    image_module: Any = require("PIL.Image", "slides")
    draw_module: Any = require("PIL.ImageDraw", "slides")
    ground, scale, origin = _ground(bag, slide, image_module)
    layer = image_module.new("RGBA", ground.size, (0, 0, 0, 0))
    pen = draw_module.Draw(layer)
    side = max(1.0, bag.patch_size_level0 * scale)
    order = np.argsort(weights)  # the strongest is drawn last, so that it is seen
    colours = heat_colours(np.asarray(weights, dtype=np.float64))
    for row in order:
        x, y = (bag.coords[row] - origin) * scale
        pen.rectangle([x, y, x + side - 1, y + side - 1], fill=tuple(int(c) for c in colours[row]))
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    image_module.alpha_composite(ground.convert("RGBA"), layer).convert("RGB").save(file, format="PNG")
    return file


def _ground(bag: SlideBag, slide: str | Path | None, image_module: Any) -> tuple[Any, float, NDArray[np.float64]]:
    """The picture underneath, pixels per level-0 pixel, and the level-0 point at its corner."""
    if slide is None:
        origin = bag.coords.min(axis=0)
        extent = bag.coords.max(axis=0) + bag.patch_size_level0 - origin
        scale = THUMBNAIL / float(extent.max())
        size = tuple(max(1, round(float(e) * scale)) for e in extent)
        return image_module.new("RGB", size, (240, 240, 240)), scale, origin
    from pathkg.errors import MissingExtraError

    file = Path(slide)
    if not file.is_file():
        raise InputError(f"no slide file {file}", hint="leave --slide out to draw on a plain ground")
    try:
        import openslide
    except ImportError as error:
        raise MissingExtraError.for_extra("openslide", "slides") from error
    try:
        with openslide.OpenSlide(str(file)) as opened:
            width = opened.dimensions[0]
            picture = opened.get_thumbnail((THUMBNAIL, THUMBNAIL)).convert("RGB")
    except openslide.OpenSlideError as error:
        raise InputError(f"{file} cannot be opened: {error}", hint="check it with: pathkg-datagen slides") from error
    return picture, picture.size[0] / width, np.zeros(2)
