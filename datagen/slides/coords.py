"""Tile coordinates on disk, in the h5 form of TRIDENT (``coords`` with the tiling in its attributes)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from datagen.slides.bags import import_h5py
from datagen.slides.slide import Slide
from datagen.slides.tiling import TileGrid
from pathkg.errors import InputError


def write_grid(path: str | os.PathLike[str], grid: TileGrid) -> Path:
    """Write the tiles of a slide as h5, through a temporary file.

    Returns:
        The path written. TRIDENT's feature extraction reads it too, when the slide states its magnification.
    """
    h5py = import_h5py()
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    values = {
        "patch_size": grid.tile_size, "patch_size_level0": grid.tile_size_level0, "overlap": grid.overlap,
        "level0_magnification": grid.level0_magnification, "target_magnification": grid.magnification,
        "mpp": grid.mpp, "level0_mpp": grid.level0_mpp, "level0_width": grid.level0_size[0],
        "level0_height": grid.level0_size[1], "name": grid.slide, "patch_level": grid.level,
        "read_size": grid.read_size}
    try:
        with h5py.File(draft, "w", libver="earliest") as handle:
            coords = handle.create_dataset("coords", data=grid.coords, track_times=False)
            coords.attrs.update({k: v for k, v in values.items() if v is not None})
            handle.create_dataset("tissue", data=grid.tissue, track_times=False)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return file


def read_grid(path: str | os.PathLike[str], slide: Slide) -> TileGrid:
    """Read tiles made before (here or by TRIDENT) for an open slide.

    Raises:
        InputError: not a coordinate file, or one that belongs to another slide.
    """
    h5py = import_h5py()
    file = Path(path)
    try:
        with h5py.File(file, "r") as handle:
            if "coords" not in handle:
                raise InputError(f"{file}: no dataset 'coords'", hint="make it with: pathkg-datagen slides tile")
            attributes = dict(handle["coords"].attrs)
            coords = np.asarray(handle["coords"][...], dtype=np.int64).reshape(-1, 2)
            tissue = np.asarray(handle["tissue"][...]) if "tissue" in handle else np.ones(len(coords))
    except OSError as error:
        raise InputError(f"{file} is not a readable HDF5 file: {error}", hint="check the path") from error
    size, size0 = attributes.get("patch_size"), attributes.get("patch_size_level0")
    if size is None or size0 is None:
        raise InputError(f"{file}: 'patch_size' or 'patch_size_level0' is missing",
                         hint="tile the slide again: the size of the patches is not recorded")
    stated = (attributes.get("level0_width"), attributes.get("level0_height"))
    if None not in stated and tuple(map(int, stated)) != slide.info.size:  # type: ignore[arg-type]
        raise InputError(f"{file} was made on a slide of {stated[0]} x {stated[1]}; {slide.path} is "
                         f"{slide.info.size[0]} x {slide.info.size[1]}", hint="pair each slide with its own tiles")
    scale = int(size0) / int(size)
    mpp0 = slide.require_mpp()
    level = slide.level_for(scale)
    power = slide.info.magnification
    return TileGrid(
        slide=slide.info.name, coords=coords, tissue=tissue, tile_size=int(size), tile_size_level0=int(size0),
        mpp=mpp0 * scale, level0_mpp=mpp0, magnification=None if power is None else round(power / scale, 2),
        level0_magnification=power, level0_size=slide.info.size, overlap=int(attributes.get("overlap", 0)),
        level=level, read_size=max(1, round(int(size0) / slide.info.downsamples[level])))
