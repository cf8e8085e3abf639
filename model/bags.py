"""From a feature file to what the slide encoder sees.

A training row names its bag by a string. The string is a path, with two additions:

* ``roi_5x.h5;roi_20x.h5`` joins files to one bag (a region of interest at several magnifications);
* ``slide.h5#without=3,7&clusters=slide.npy`` leaves out the patches whose cluster is 3 or 7. ``clusters`` is an
  ``.npy`` file of one integer per patch. This is how a pseudo-bag is written down without copying features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl

import numpy as np

from pathkg.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datagen.slides import FeatureBag

MissingCoords = Literal["error", "grid"]
"""What to do with a bag that has no coordinates: refuse it, or lay its patches out row by row on a square."""

Order = Literal["morton", "given"]
"""Order of the patches: along a Z-curve over the slide, so that neighbours in the sequence are neighbours in
the tissue whatever the order in the file, or as given."""

_SELECTORS = ("without", "clusters")


@dataclass(frozen=True, slots=True, eq=False)
class SlideBag:
    """One bag, ready for the encoder.

    Attributes:
        features: float32, shape (N, D).
        grid: float32, shape (N, 2): x, y of each patch in units of its own side, from the bag's top-left corner.
        magnification: float32, shape (N,): objective magnification of each patch, 0 where unknown.
        coords: float64, shape (N, 2): the level-0 coordinates as given (for drawing), in the bag's order.
        patch_size_level0: side of a patch in level-0 pixels (of the first file), for drawing.
        order: int64, shape (N,): row of each patch in the file.
        source: the string the bag was read from.
    """

    features: NDArray[np.float32]
    grid: NDArray[np.float32]
    magnification: NDArray[np.float32]
    coords: NDArray[np.float64]
    patch_size_level0: float
    order: NDArray[np.int64]
    source: str = ""

    def __len__(self) -> int:
        return len(self.features)

    @property
    def dim(self) -> int:
        """Length of a feature vector."""
        return int(self.features.shape[1])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> SlideBag:
        """The bag with only these rows, in that order."""
        return replace(self, features=self.features[rows], grid=self.grid[rows],
                       magnification=self.magnification[rows], coords=self.coords[rows], order=self.order[rows])

    def packed(self) -> NDArray[np.float32]:
        """Features, grid x, grid y and magnification side by side, shape (N, D + 3): one row of ``pixel_values``."""
        return np.concatenate([self.features, self.grid, self.magnification[:, None]], axis=1)


def load_bag(reference: str | Path, *, feature_dim: int | None = None, missing_coords: MissingCoords = "error",
             order: Order = "morton") -> SlideBag:
    """Read, check and order the bag that ``reference`` names.

    Args:
        reference: see the module's text.
        feature_dim: the dimension the model expects; checked when given.
        missing_coords: see :data:`MissingCoords`.
        order: see :data:`Order`.

    Raises:
        InputError: no such file, an empty bag, a wrong dimension, features that are not finite, no coordinates,
            or a selector that does not exist.
    """
    bag = _load(str(reference), missing_coords, order)
    if feature_dim is not None and bag.dim != feature_dim:
        raise InputError(f"{bag.source}: features have dimension {bag.dim}, the model was built for {feature_dim}",
                         hint=f"encode the slide with the model's patch encoder, or build a model with "
                              f"feature_dim: {bag.dim}")
    return bag


@lru_cache(maxsize=256)
def _load(reference: str, missing_coords: MissingCoords, order: Order) -> SlideBag:
    paths, selectors = _parse(reference)
    parts = [_one(path, missing_coords, reference) for path in paths]
    if len({part.dim for part in parts}) != 1:
        raise InputError(f"{reference}: the files have dimensions {', '.join(str(p.dim) for p in parts)}",
                         hint="join only files of one patch encoder")
    bag = parts[0] if len(parts) == 1 else _join(parts, reference)
    if selectors:
        bag = _select(bag, selectors, reference)
    return _ordered(bag) if order == "morton" else bag


def _parse(reference: str) -> tuple[list[str], dict[str, str]]:
    path, _, fragment = reference.partition("#")
    selectors = dict(parse_qsl(fragment, keep_blank_values=True))
    for name in selectors:
        if name not in _SELECTORS:
            raise InputError(f"{reference}: there is no bag selector {name!r}",
                             hint=did_you_mean(name, _SELECTORS) or f"known: {', '.join(_SELECTORS)}")
    if selectors and set(selectors) != set(_SELECTORS):
        raise InputError(f"{reference}: 'without' and 'clusters' belong together",
                         hint="write slide.h5#without=3&clusters=slide.npy")
    return [part for part in path.split(";") if part], selectors


def _one(path: str, missing_coords: MissingCoords, reference: str) -> SlideBag:
    from datagen.slides import read_bag

    return from_feature_bag(read_bag(path), source=reference, missing_coords=missing_coords)


def from_feature_bag(bag: FeatureBag, *, source: str = "", missing_coords: MissingCoords = "error") -> SlideBag:
    """A checked :class:`SlideBag` from a :class:`datagen.slides.FeatureBag`, in the file's order.

    Example:
        >>> from datagen.slides import FeatureBag
        >>> two = from_feature_bag(FeatureBag(features=np.ones((2, 3)), coords=np.array([[512, 0], [1024, 512]]),
        ...                                   tile_size_level0=512, magnification=20.0))
        >>> two.grid.tolist(), two.magnification.tolist()
        ([[0.0, 0.0], [1.0, 1.0]], [20.0, 20.0])
    """
    name = source or bag.slide or "the bag"
    if len(bag) == 0:
        raise InputError(f"{name}: the bag is empty", hint="drop the slide, or tile it again with a lower tissue "
                                                           "threshold")
    bad = ~np.isfinite(bag.features).all(axis=1)
    if bad.any():
        raise InputError(f"{name}: {int(bad.sum())} of {len(bag)} patches have features that are NaN or infinite "
                         f"(first: row {int(bad.argmax())})", hint="encode the slide again, or drop those rows")
    if bag.coords is None:
        if missing_coords == "error":
            raise InputError(f"{name}: the bag has no coordinates",
                             hint="write coords (N, 2) in level-0 pixels beside the features, or set "
                                  "missing_coords: grid to lay the patches out row by row")
        side = int(np.ceil(np.sqrt(len(bag))))
        rows = np.arange(len(bag))
        coords, size = np.stack([rows % side, rows // side], axis=1).astype(np.float64), 1.0
    else:
        coords = bag.coords.astype(np.float64)
        size = float(bag.tile_size_level0 or _spacing(coords))
    grid = ((coords - coords.min(axis=0)) / size).astype(np.float32)
    magnification = np.full(len(bag), bag.magnification or 0.0, dtype=np.float32)
    return SlideBag(features=bag.features, grid=grid, magnification=magnification, coords=coords,
                    patch_size_level0=size, order=np.arange(len(bag)), source=name)


def _spacing(coords: NDArray[np.float64]) -> float:
    """The smallest step between patches: the side of a patch when the file does not say it."""
    steps = [np.diff(np.unique(coords[:, axis])) for axis in (0, 1)]
    positive = np.concatenate(steps)
    return float(positive.min()) if positive.size else 1.0


def _join(parts: Sequence[SlideBag], source: str) -> SlideBag:
    return SlideBag(features=np.concatenate([p.features for p in parts]),
                    grid=np.concatenate([p.grid for p in parts]),
                    magnification=np.concatenate([p.magnification for p in parts]),
                    coords=np.concatenate([p.coords for p in parts]),
                    patch_size_level0=parts[0].patch_size_level0,
                    order=np.arange(sum(map(len, parts))), source=source)


def _select(bag: SlideBag, selectors: dict[str, str], reference: str) -> SlideBag:
    file = Path(selectors["clusters"])
    if not file.is_file():
        raise InputError(f"{reference}: no cluster file {file}", hint="run the pseudo-bag step again: it writes them")
    labels = np.load(file, allow_pickle=False)
    if labels.shape != (len(bag),):
        raise InputError(f"{reference}: {len(bag)} patches but cluster labels of shape {labels.shape}",
                         hint="the feature file has changed since its clusters were made; delete the cluster cache")
    dropped = np.array([int(word) for word in selectors["without"].split(",")])
    kept = ~np.isin(labels, dropped)
    if not kept.any():
        raise InputError(f"{reference}: nothing is left of the bag", hint="leave out fewer clusters")
    return bag.take(kept)


def _ordered(bag: SlideBag) -> SlideBag:
    # patches at one place (two magnifications) keep the coarse one first, then the file's order
    return bag.take(np.lexsort((bag.order, bag.magnification, _codes(bag.grid))))


def _codes(grid: NDArray[np.float32]) -> NDArray[np.uint64]:
    cells = np.maximum(np.rint(grid), 0).astype(np.uint64)
    return _spread(cells[:, 0]) | (_spread(cells[:, 1]) << np.uint64(1))


def morton_order(grid: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rows of ``grid`` (N, 2) sorted along a Z-curve.

    Example:
        >>> morton_order(np.array([[1, 1], [0, 0], [2, 0], [1, 0], [0, 1]], np.float32)).tolist()
        [1, 3, 4, 0, 2]
    """
    return np.argsort(_codes(grid), kind="stable")


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put a zero bit between the low 32 bits of each value."""
    v = values & np.uint64(0xFFFFFFFF)
    for shift, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
                        (2, 0x3333333333333333), (1, 0x5555555555555555)):
        v = (v | (v << np.uint64(shift))) & np.uint64(mask)
    return v
