"""Feature bags: the patch features of one slide, and where each patch was.

Two h5 layouts are written. ``trident`` is what TRIDENT writes (``features (N, D)``, ``coords (N, 2)`` with the
tiling described in the attributes of ``coords``); ``clam`` is what CLAM's feature extraction writes (the same
two datasets; the attributes of its coordinate files). Both are read, and so are CSV rows and ``.pt`` tensors.
Coordinates are always the top-left corner of a patch in level-0 pixels of the slide.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pathkg.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Layout = Literal["trident", "clam"]

BAG_SUFFIXES = (".h5", ".hdf5", ".csv", ".pt", ".pth")
"""File endings that :func:`read_bag` understands."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureBag:
    """The features of the patches of one slide.

    Attributes:
        features: float32, shape (N, D): one row per patch.
        coords: int64, shape (N, 2): x, y of each patch's top-left corner in level-0 pixels; ``None`` when the
            file carries none (many ``.pt`` files).
        encoder: name of the patch encoder, ``""`` when unknown.
        slide: name of the slide (file name without ending), ``""`` when unknown.
        tile_size: side of a patch in pixels as the encoder saw it.
        tile_size_level0: side of a patch in level-0 pixels.
        mpp: µm per pixel of the patches.
        magnification: objective magnification of the patches (20 for 20x).
        level0_mpp: µm per pixel of the slide's level 0.
        level0_magnification: objective magnification of level 0.
        level0_size: width, height of the slide in level-0 pixels.
        overlap: overlap of neighbouring patches, in pixels as the encoder saw them.
        attributes: everything else the file says, as plain values.

    Example:
        >>> bag = FeatureBag(features=np.ones((3, 4), np.float32), coords=np.zeros((3, 2), np.int64))
        >>> len(bag), bag.dim
        (3, 4)
    """

    features: NDArray[np.float32]
    coords: NDArray[np.int64] | None = None
    encoder: str = ""
    slide: str = ""
    tile_size: int | None = None
    tile_size_level0: int | None = None
    mpp: float | None = None
    magnification: float | None = None
    level0_mpp: float | None = None
    level0_magnification: float | None = None
    level0_size: tuple[int, int] | None = None
    overlap: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        features = np.ascontiguousarray(self.features, dtype=np.float32)
        if features.ndim == 3 and features.shape[0] == 1:
            features = features[0]  # CLAM's older files keep a batch axis of one
        if features.ndim != 2:
            raise InputError(f"features must have the shape (patches, dimension), not {np.shape(self.features)}",
                             hint="one row per patch; stack the rows before making a bag")
        object.__setattr__(self, "features", features)
        if self.coords is None:
            return
        coords = np.asarray(self.coords)
        if coords.ndim == 3 and coords.shape[0] == 1:
            coords = coords[0]
        if coords.shape != (len(features), 2):
            raise InputError(f"{len(features)} features but coordinates of shape {coords.shape}",
                             hint="coords needs one row (x, y) in level-0 pixels for each feature row")
        object.__setattr__(self, "coords", np.ascontiguousarray(np.rint(coords), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.features)

    @property
    def dim(self) -> int:
        """Length of one feature vector."""
        return int(self.features.shape[1])

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> FeatureBag:
        """The bag with only ``rows`` (indices or a boolean mask), in that order."""
        return replace(self, features=self.features[rows],
                       coords=None if self.coords is None else self.coords[rows])

    def metadata(self) -> dict[str, Any]:
        """What is known about the bag, as plain JSON values, without the arrays."""
        return {"slide": self.slide, "encoder": self.encoder, "patches": len(self), "dim": self.dim,
                "coords": self.coords is not None, "tile_size": self.tile_size,
                "tile_size_level0": self.tile_size_level0, "mpp": self.mpp,
                "magnification": self.magnification, "level0_mpp": self.level0_mpp,
                "level0_magnification": self.level0_magnification,
                "level0_size": list(self.level0_size) if self.level0_size else None, "overlap": self.overlap}

    def __repr__(self) -> str:
        scale = f", {self.mpp:g} µm/px" if self.mpp else ""
        return f"<FeatureBag {self.slide or '?'}: {len(self)} x {self.dim}, {self.encoder or 'encoder unknown'}{scale}>"


def read_bag(path: str | os.PathLike[str]) -> FeatureBag:
    """Read a feature bag from ``.h5`` (TRIDENT, CLAM or alike), ``.csv`` or ``.pt``.

    The reader takes what the file says and leaves unknown what it does not say. To learn what is wrong with a
    file, use :func:`datagen.slides.check_bag`.

    Raises:
        InputError: no such file, an unknown ending, or content that is not a bag.
        MissingExtraError: h5py (``pathkg[slides]``) or torch (``pathkg[train]``) is needed and absent.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if not file.is_file():
        raise InputError(f"no feature file {file}", hint="check the path; a bag is a file, not a folder")
    if suffix in (".h5", ".hdf5"):
        return _read_h5(file)
    if suffix == ".csv":
        return _read_csv(file)
    if suffix in (".pt", ".pth"):
        return _read_pt(file)
    raise InputError(f"{file.name}: feature files end in {', '.join(BAG_SUFFIXES)}",
                     hint="convert the file, or rename it to what it is")


# attribute names met in files of TRIDENT, CLAM and their relatives -> our field
_ATTRIBUTES = {
    "encoder": ("encoder", "encoder_name", "patch_encoder", "model_name"),
    "slide": ("name", "slide", "slide_id", "wsi_name"),
    "tile_size": ("tile_size", "patch_size"),
    "tile_size_level0": ("patch_size_level0", "tile_size_level0", "patch_size_lv0"),
    "mpp": ("mpp", "target_mpp", "patch_mpp"),
    "magnification": ("target_magnification", "magnification", "target_mag"),
    "level0_mpp": ("level0_mpp", "slide_mpp"),
    "level0_magnification": ("level0_magnification", "level0_mag"),
    "overlap": ("overlap",),
    "level0_width": ("level0_width",),
    "level0_height": ("level0_height",),
}
_TEXT = {"encoder", "slide"}
_WHOLE = {"tile_size", "tile_size_level0", "overlap", "level0_width", "level0_height"}


def _described(features: Any, coords: Any, attributes: Mapping[str, Any], file: Path) -> FeatureBag:
    """A bag from arrays and whatever attributes came with them."""
    known: dict[str, Any] = {}
    rest = dict(attributes)
    for name, spellings in _ATTRIBUTES.items():
        for spelling in spellings:
            value = rest.pop(spelling, None)
            if value is None or name in known or value in ("", "None", "NA"):
                continue
            known[name] = _typed(name, value, file)
    width, height = known.pop("level0_width", None), known.pop("level0_height", None)
    if width and height:
        known["level0_size"] = (width, height)
    known.setdefault("slide", file.stem)
    known.setdefault("overlap", 0)
    _fill_scale(known, rest)
    try:
        return FeatureBag(features=features, coords=coords, attributes=rest, **known)
    except InputError as error:
        raise InputError(f"{file}: {error.message}", hint=error.hint) from error


def _typed(name: str, value: Any, file: Path) -> Any:
    if name in _TEXT:
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: attribute {name} is {value!r}, not a number",
                         hint="write the file again with numeric attributes") from error
    return round(number) if name in _WHOLE else number


def _fill_scale(known: dict[str, Any], rest: Mapping[str, Any]) -> None:
    """Derive what follows exactly from what the file says; nothing is guessed from a magnification."""
    size, size0 = known.get("tile_size"), known.get("tile_size_level0")
    if size0 is None and size and {"patch_level", "downsample"} <= set(rest):
        # CLAM: patch_size pixels at patch_level, whose downsample is given. Without tile_size, patch_size is both
        downsample = float(np.ravel(rest["downsample"])[0])
        known["tile_size_level0"] = size0 = round(size * downsample)
    if size0 is None and size and known.get("level0_magnification") and known.get("magnification"):
        known["tile_size_level0"] = size0 = round(
            size * known["level0_magnification"] / known["magnification"])
    if size and size0:
        if known.get("mpp") is None and known.get("level0_mpp"):
            known["mpp"] = known["level0_mpp"] * size0 / size
        if known.get("level0_mpp") is None and known.get("mpp"):
            known["level0_mpp"] = known["mpp"] * size / size0


def _plain(value: Any) -> Any:
    """An h5 attribute as a Python value."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim else value.item()
    return value.item() if isinstance(value, np.generic) else value


def import_h5py() -> Any:
    """The h5py module, or an error that names the extra."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError.for_extra("h5py", "slides") from error
    return h5py


def _read_h5(file: Path) -> FeatureBag:
    h5py = import_h5py()
    try:
        with h5py.File(file, "r") as handle:
            if "features" not in handle or not isinstance(handle["features"], h5py.Dataset):
                raise InputError(
                    f"{file}: no dataset 'features' (it has {', '.join(sorted(handle)) or 'nothing'})",
                    hint="a file with only 'coords' is a tiling; encode it with: pathkg-datagen slides encode")
            attributes: dict[str, Any] = {}
            features = handle["features"]
            coords = handle.get("coords")
            sources = [handle, features] + ([] if coords is None else [coords])
            for source in sources:
                attributes.update({k: _plain(v) for k, v in source.attrs.items()})
            return _described(features[...], None if coords is None else coords[...], attributes, file)
    except OSError as error:
        raise InputError(f"{file} is not a readable HDF5 file: {error}",
                         hint="the file is cut short or of another kind; write it again") from error


_X_COLUMNS = ("x", "coord_x", "coords_x", "x0", "x_level0")
_Y_COLUMNS = ("y", "coord_y", "coords_y", "y0", "y_level0")


def _read_csv(file: Path) -> FeatureBag:
    """Rows of numbers, with or without a header; columns x and y (any known spelling) are coordinates."""
    from pyarrow import ArrowInvalid, csv

    with file.open("rb") as handle:
        first = handle.readline().decode("utf-8", errors="replace").strip().split(",")
    header = not all(_is_number(cell) for cell in first if cell.strip())
    try:
        table = csv.read_csv(file, read_options=csv.ReadOptions(autogenerate_column_names=not header))
    except ArrowInvalid as error:
        raise InputError(f"{file} is not a table of numbers: {error}",
                         hint="one row per patch, the same number of columns in each") from error
    names = {name.strip().lower(): name for name in table.column_names} if header else {}
    x = next((names[n] for n in _X_COLUMNS if n in names), None)
    y = next((names[n] for n in _Y_COLUMNS if n in names), None)
    coords = None
    if x is not None and y is not None:
        coords = np.column_stack([_numbers(table, x, file), _numbers(table, y, file)])
    skip = {x, y} | {names[n] for n in ("", "unnamed: 0", "index", "slide_id", "slide", "patch") if n in names}
    columns = [name for name in table.column_names if name not in skip]
    if not columns:
        raise InputError(f"{file}: no feature columns", hint="one column per feature dimension")
    features = np.column_stack([_numbers(table, name, file) for name in columns])
    return _described(features, coords, {}, file)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(table: Any, name: str, file: Path) -> NDArray[np.float64]:
    column = table.column(name)
    try:
        values: NDArray[np.float64] = column.cast("float64").to_numpy()
    except (ValueError, NotImplementedError) as error:  # ArrowInvalid is a ValueError
        raise InputError(f"{file}: column {name!r} is not numeric: {error}",
                         hint="keep only numbers: one column per feature, and x and y if known") from error
    return values


def import_torch() -> Any:
    """The torch module, or an error that names the extra."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError.for_extra("torch", "train") from error
    return torch


def _read_pt(file: Path) -> FeatureBag:
    torch = import_torch()
    import pickle
    import struct

    try:
        # weights_only: a .pt file is a pickle, and a feature file from elsewhere must not run code here
        value = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, struct.error, RuntimeError, EOFError, OSError, LookupError, ValueError,
            TypeError, AttributeError) as error:  # what foreign bytes make an unpickler raise
        raise InputError(f"{file} holds more than tensors, or is cut short, and was not opened: "
                         f"{(str(error) or type(error).__name__).splitlines()[0]}",
                         hint="save it again as a tensor, or a dict of tensors: torch.save(features, path)") from error
    if torch.is_tensor(value):
        return _described(value.float().numpy(), None, {}, file)
    if isinstance(value, dict):
        return _from_pt_dict(value, file)
    raise InputError(f"{file} holds a {type(value).__name__}, not a tensor or a dict with 'features'",
                     hint="torch.save({'features': tensor, 'coords': tensor}, path)")


def _from_pt_dict(value: Mapping[str, Any], file: Path) -> FeatureBag:
    torch = import_torch()
    name = next((n for n in ("features", "feats", "embeddings", "x") if torch.is_tensor(value.get(n))), None)
    if name is None:
        raise InputError(f"{file}: no tensor 'features' (keys: {', '.join(map(str, value)) or 'none'})",
                         hint="torch.save({'features': tensor, 'coords': tensor}, path)")
    coords = next((value[n] for n in ("coords", "coordinates") if torch.is_tensor(value.get(n))), None)
    attributes = {str(k): v for k, v in value.items() if isinstance(v, (str, int, float))}
    return _described(value[name].float().numpy(), None if coords is None else coords.numpy(), attributes, file)


def write_bag(path: str | os.PathLike[str], bag: FeatureBag, *, layout: Layout = "trident") -> Path:
    """Write ``bag`` as h5, through a temporary file, so that a killed run leaves no half bag.

    Args:
        path: a ``.h5`` file; its folder is made.
        bag: what to write.
        layout: ``trident`` (attributes as TRIDENT names them) or ``clam`` (as CLAM's coordinate files name
            them). Both carry ``features`` and ``coords`` and both are read by :func:`read_bag`.

    Returns:
        The path written.

    Example:
        >>> import tempfile
        >>> bag = FeatureBag(features=np.eye(3, dtype=np.float32), coords=np.arange(6).reshape(3, 2),
        ...                  encoder="tiny", tile_size=256, tile_size_level0=512, level0_mpp=0.25)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     again = read_bag(write_bag(f"{folder}/slide.h5", bag))
        >>> again.encoder, again.tile_size_level0, again.mpp
        ('tiny', 512, 0.5)
    """
    h5py = import_h5py()
    file = Path(path)
    if file.suffix.lower() not in (".h5", ".hdf5"):
        raise InputError(f"{file.name}: bags are written as .h5", hint=f"name it {file.stem}.h5")
    if layout not in ("trident", "clam"):
        raise InputError(f"there is no bag layout {layout!r}", hint="use 'trident' or 'clam'")
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        # no timestamps inside, so that the same bag gives the same bytes
        with h5py.File(draft, "w", libver="earliest", track_order=False) as handle:
            rows = min(len(bag), 1024) or None
            features = handle.create_dataset("features", data=bag.features, track_times=False,
                                             chunks=(rows, bag.dim) if rows and bag.dim else None)
            features.attrs["encoder"] = bag.encoder
            features.attrs["name"] = bag.slide
            if bag.coords is not None:
                coords = handle.create_dataset("coords", data=bag.coords, track_times=False)
                coords.attrs.update(_clam_attributes(bag) if layout == "clam" else _trident_attributes(bag))
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return file


def _trident_attributes(bag: FeatureBag) -> dict[str, Any]:
    values = {"patch_size": bag.tile_size, "patch_size_level0": bag.tile_size_level0,
              "level0_magnification": bag.level0_magnification, "target_magnification": bag.magnification,
              "overlap": bag.overlap, "name": bag.slide, "mpp": bag.mpp, "level0_mpp": bag.level0_mpp,
              "level0_width": bag.level0_size[0] if bag.level0_size else None,
              "level0_height": bag.level0_size[1] if bag.level0_size else None}
    return {k: v for k, v in values.items() if v is not None}


def _clam_attributes(bag: FeatureBag) -> dict[str, Any]:
    # CLAM counts patch_size at patch_level; level 0 is the one level that every slide has
    values: dict[str, Any] = {"patch_size": bag.tile_size_level0 or bag.tile_size, "patch_level": 0,
                              "downsample": np.array([1.0, 1.0]), "name": bag.slide,
                              "tile_size": bag.tile_size, "tile_size_level0": bag.tile_size_level0,
                              "mpp": bag.mpp, "level0_mpp": bag.level0_mpp,
                              "magnification": bag.magnification, "overlap": bag.overlap,
                              "level0_magnification": bag.level0_magnification}
    if bag.level0_size:
        values["level_dim"] = values["downsampled_level_dim"] = np.array(bag.level0_size)
        values["level0_width"], values["level0_height"] = bag.level0_size
    return {k: v for k, v in values.items() if v is not None}
