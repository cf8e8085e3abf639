"""Where the tissue is: a mask from the colour saturation of a thumbnail.

Glass is nearly grey; stained tissue is coloured. Otsu's threshold on the saturation (N. Otsu, IEEE Trans. SMC 9,
1979) separates them, kept inside limits because a slide without glass, or without tissue, has no two classes.
Black (folder edges, marker) and green or saturated blue ink are taken out. Specks and holes are closed by
morphology whose size is in µm, so that the result does not depend on the thumbnail's scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datagen.slides.slide import Slide

if TYPE_CHECKING:
    from numpy.typing import NDArray

SATURATION_LIMITS = (12, 40)
"""Lowest and highest threshold on max(R, G, B) − min(R, G, B); glass with a colour cast stays under the first,
pale fat and mucus over the second."""

DARKEST = 40
"""Pixels whose brightest channel is below this are ink or the slide's edge: haematoxylin is never black."""

INK_MARGIN = 30
"""Green ink: G exceeds R and B by this much. Blue ink: B exceeds R by three times this and G by this much,
with R nearly absent; haematoxylin keeps some red."""

SMALLEST_FEATURE_UM = 60.0
"""Specks smaller than this are dropped and gaps smaller than this are filled (about six lymphocytes)."""


@dataclass(frozen=True, slots=True, eq=False)
class TissueMask:
    """Tissue on a coarse grid over the slide.

    Attributes:
        mask: bool, shape (H, W): true where there is tissue.
        downsample: level-0 pixels per mask pixel, (x, y).
        threshold: the saturation threshold that was used.
    """

    mask: NDArray[np.bool_]
    downsample: tuple[float, float]
    threshold: int

    @property
    def fraction(self) -> float:
        """Share of the slide's area that is tissue."""
        return float(self.mask.mean()) if self.mask.size else 0.0

    def coverage(self, coords: NDArray[np.int64], size_level0: int) -> NDArray[np.float64]:
        """Share of tissue in each square.

        Args:
            coords: int64 (N, 2), top-left corners in level-0 pixels.
            size_level0: side of the squares in level-0 pixels.

        Returns:
            float64 (N,), 0 to 1. What lies outside of the slide counts as no tissue.
        """
        height, width = self.mask.shape
        # summed-area table: one look-up per corner, whatever the size of a tile
        table = np.zeros((height + 1, width + 1), dtype=np.int64)
        table[1:, 1:] = self.mask.cumsum(0).cumsum(1)
        x0 = np.clip(np.floor(coords[:, 0] / self.downsample[0]), 0, width - 1).astype(int)
        y0 = np.clip(np.floor(coords[:, 1] / self.downsample[1]), 0, height - 1).astype(int)
        x1 = np.maximum(x0 + 1, np.rint((coords[:, 0] + size_level0) / self.downsample[0]).astype(int))
        y1 = np.maximum(y0 + 1, np.rint((coords[:, 1] + size_level0) / self.downsample[1]).astype(int))
        area = (x1 - x0) * (y1 - y0)
        x1, y1 = np.minimum(x1, width), np.minimum(y1, height)
        inside = table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
        share: NDArray[np.float64] = inside / area
        return share


def tissue_mask(slide: Slide, *, longest: int = 2048) -> TissueMask:
    """The tissue of a slide.

    Args:
        slide: an open slide; its scale need not be known (then the morphology takes the slide for 0.5 µm per
            pixel, which only changes how large a speck must be to count).
        longest: longer side of the thumbnail the mask is made on, in pixels.

    Returns:
        The mask; all false on an empty slide.
    """
    thumbnail = slide.thumbnail(longest)
    height, width = thumbnail.shape[:2]
    downsample = (slide.info.size[0] / width, slide.info.size[1] / height)
    um_per_pixel = (slide.info.mpp or 0.5) * max(downsample)
    mask, threshold = mask_of_image(thumbnail, um_per_pixel=um_per_pixel)
    return TissueMask(mask=mask, downsample=downsample, threshold=threshold)


def mask_of_image(image: NDArray[np.uint8], *, um_per_pixel: float) -> tuple[NDArray[np.bool_], int]:
    """Tissue mask of an RGB image and the threshold used.

    Args:
        image: uint8 (H, W, 3).
        um_per_pixel: scale of the image, for the morphology.

    Example:
        >>> picture = np.full((40, 40, 3), 240, np.uint8)
        >>> picture[10:30, 10:30] = (200, 120, 180)   # pink
        >>> mask, threshold = mask_of_image(picture, um_per_pixel=50)
        >>> int(mask.sum()), bool(mask[20, 20]), bool(mask[0, 0])
        (400, True, False)
    """
    channels = image.astype(np.int16)
    red, green, blue = channels[..., 0], channels[..., 1], channels[..., 2]
    brightest = channels.max(axis=2)
    saturation = brightest - channels.min(axis=2)
    ink = (brightest < DARKEST) | ((green > red + INK_MARGIN) & (green > blue + INK_MARGIN))
    ink |= (blue > red + 3 * INK_MARGIN) & (blue > green + INK_MARGIN) & (red < DARKEST)
    usable = saturation[~ink]
    threshold = int(np.clip(_otsu(usable), *SATURATION_LIMITS)) if usable.size else SATURATION_LIMITS[1]
    raw = (saturation > threshold) & ~ink
    radius = int(SMALLEST_FEATURE_UM / um_per_pixel / 2)
    return _closed_and_opened(raw, min(radius, 12)), threshold


def _otsu(values: NDArray[np.int16]) -> int:
    """The value that maximises the variance between the two classes it makes."""
    counts = np.bincount(values.ravel().astype(np.int64), minlength=256).astype(np.float64)
    levels = np.arange(256)
    below = counts.cumsum()
    above = below[-1] - below
    mass = (counts * levels).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    between[~np.isfinite(between)] = -1
    # a plateau of equal maxima has its middle as the threshold
    best = np.flatnonzero(between == between.max())
    return int((best[0] + best[-1]) // 2)


def _closed_and_opened(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Fill gaps, then drop specks, both narrower than ``2 * radius + 1`` pixels."""
    if radius < 1:
        return mask
    side = 2 * radius + 1
    # the border repeats, so that tissue at the slide's edge is not eroded
    work = np.pad(mask, 2 * side, mode="edge")
    for full in (False, True, True, False):  # dilate, erode (closing), erode, dilate (opening)
        work = _window(work, radius, full=full)
    return work[2 * side:-2 * side, 2 * side:-2 * side]


def _window(mask: NDArray[np.bool_], radius: int, *, full: bool) -> NDArray[np.bool_]:
    """Whether the square around each pixel is all true (``full``) or has any true pixel.

    Running sums make the cost independent of the radius; rank filters cost its square.
    """
    side = 2 * radius + 1
    counts = np.pad(mask, radius, mode="edge").astype(np.int32)
    for axis in (0, 1):
        sums = np.insert(counts.cumsum(axis=axis), 0, 0, axis=axis)
        length = sums.shape[axis]
        counts = np.take(sums, range(side, length), axis=axis) - np.take(sums, range(length - side), axis=axis)
    result: NDArray[np.bool_] = counts == side * side if full else counts > 0
    return result
