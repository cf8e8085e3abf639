"""Open a whole-slide image and know its scale.

OpenSlide 4 reads Aperio, Hamamatsu, Leica, MIRAX, Philips TIFF, Sakura, Trestle, Ventana, Zeiss CZI, generic tiled
TIFF and DICOM. The scale (µm per pixel) comes from the file or from the caller. It is never guessed: a wrong scale
makes patches of the wrong magnification, and nothing later would notice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from pathkg.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLIDE_SUFFIXES = (".svs", ".tif", ".tiff", ".ndpi", ".vms", ".vmu", ".scn", ".mrxs", ".svslide", ".bif", ".czi",
                  ".dcm")
"""File endings looked for when a folder of slides is given."""

PLAUSIBLE_MPP = (0.05, 10.0)
"""µm per pixel that a microscope slide scanner can have written (100x is about 0.1, 1x about 10). TIFF files
saved by image software often carry 72 or 96 dots per inch, which reads as 353 or 265 µm per pixel."""

MICROMETRES_PER_INCH = 25400

WHITE = 255


@dataclass(frozen=True, slots=True)
class SlideInfo:
    """What a slide says about itself.

    Attributes:
        name: file name without ending (the folder's name for a DICOM folder).
        size: width, height in level-0 pixels.
        levels: width, height of each pyramid level.
        downsamples: level-0 pixels per pixel of each level.
        mpp: µm per pixel of level 0, ``None`` when neither the file nor the caller says.
        mpp_origin: ``file``, ``given``, ``missing``, or ``implausible`` (the file states a value that no scanner
            has; it is in ``stated_mpp``).
        stated_mpp: µm per pixel as the file has it, believed or not.
        magnification: objective power of level 0, when the file says so.
        vendor: format, as OpenSlide names it.
    """

    name: str
    size: tuple[int, int]
    levels: tuple[tuple[int, int], ...]
    downsamples: tuple[float, ...]
    mpp: float | None
    mpp_origin: str
    stated_mpp: float | None
    magnification: float | None
    vendor: str

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "size": list(self.size), "levels": [list(s) for s in self.levels],
                "downsamples": list(self.downsamples), "mpp": self.mpp, "mpp_origin": self.mpp_origin,
                "stated_mpp": self.stated_mpp, "magnification": self.magnification, "vendor": self.vendor}


class Slide:
    """An open slide. Use it as a context manager; several threads may read from one."""

    def __init__(self, handle: Any, info: SlideInfo, path: Path) -> None:
        self._handle = handle
        self.info = info
        self.path = path

    def __enter__(self) -> Slide:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._handle.close()

    def require_mpp(self) -> float:
        """µm per pixel of level 0.

        Raises:
            InputError: the file does not say and the caller did not either.
        """
        if self.info.mpp is not None:
            return self.info.mpp
        power, stated = self.info.magnification, self.info.stated_mpp
        clue = f" (the file says {power:g}x, which alone does not fix the scale)" if power else ""
        if stated is not None:
            clue = f" (it claims {stated:.4g}, a print resolution of {MICROMETRES_PER_INCH / stated:.0f} dots per inch)"
        raise InputError(f"{self.path} does not say how many µm a pixel is{clue}",
                         hint="look it up at the scanner and give it: --mpp 0.25, or open_slide(path, mpp=0.25)")

    def level_for(self, downsample: float) -> int:
        """The coarsest level that still has at least the detail of ``downsample``."""
        # a level of 4.0002 serves a request for 4.0: pyramids round their sizes
        fitting = [i for i, d in enumerate(self.info.downsamples) if d <= downsample * 1.01]
        return fitting[-1] if fitting else 0

    def read(self, x: int, y: int, level: int, width: int, height: int) -> NDArray[np.uint8]:
        """Pixels of one level.

        Args:
            x: left edge in level-0 pixels.
            y: top edge in level-0 pixels.
            level: pyramid level to read.
            width: columns to read, in pixels of that level.
            height: rows to read, in pixels of that level.

        Returns:
            uint8, shape (height, width, 3), RGB. What the scanner did not scan, and what lies outside of the
            slide, is white.

        Raises:
            InputError: the file is damaged there.
        """
        import openslide

        try:
            rgba = self._handle.read_region((int(x), int(y)), level, (width, height))
        except openslide.OpenSlideError as error:
            raise InputError(f"{self.path} cannot be read at ({x}, {y}), level {level}: {error}",
                             hint="the file is damaged or cut short: copy it again and compare checksums") from error
        # Pillow's channel operations are twice as fast here as NumPy's on the interleaved bytes
        pixels = np.asarray(rgba.convert("RGB"))
        alpha = rgba.getchannel("A")
        if alpha.getextrema()[0] == 0:
            pixels = np.where(np.asarray(alpha)[..., None] == 0, np.uint8(WHITE), pixels)
        return pixels

    def thumbnail(self, longest: int = 1024) -> NDArray[np.uint8]:
        """The whole slide, scaled so that its longer side has at most ``longest`` pixels: uint8 (H, W, 3)."""
        from PIL import Image

        width, height = self.info.size
        scale = max(1.0, max(width, height) / longest)
        level = self.level_for(scale)
        level_width, level_height = self.info.levels[level]
        target = (max(1, round(width / scale)), max(1, round(height / scale)))
        if level_width * level_height > _STRIP_PIXELS:
            return self._thumbnail_in_strips(level, target)
        image = Image.fromarray(self.read(0, 0, level, level_width, level_height))
        return np.asarray(image.resize(target, Image.Resampling.BOX, reducing_gap=2.0))

    def _thumbnail_in_strips(self, level: int, target: tuple[int, int]) -> NDArray[np.uint8]:
        """As above for a level too large to hold at once (a slide without a pyramid)."""
        from PIL import Image

        width, height = self.info.levels[level]
        rows = max(1, _STRIP_PIXELS // width)
        out = np.empty((target[1], target[0], 3), dtype=np.uint8)
        # each output row belongs to exactly one strip
        edges = np.unique(np.linspace(0, target[1], int(np.ceil(height / rows)) + 1).round().astype(int))
        for top, bottom in pairwise(edges):
            y0, y1 = round(top * height / target[1]), max(1, round(bottom * height / target[1]))
            y0_level0 = round(y0 * self.info.downsamples[level])
            strip = Image.fromarray(self.read(0, y0_level0, level, width, max(1, y1 - y0)))
            out[top:bottom] = np.asarray(strip.resize((target[0], int(bottom - top)), Image.Resampling.BOX))
        return out

    def __repr__(self) -> str:
        scale = f"{self.info.mpp:g} µm/px" if self.info.mpp else "scale unknown"
        return f"<Slide {self.info.name} {self.info.size[0]}x{self.info.size[1]}, {scale}, {self.info.vendor}>"


_STRIP_PIXELS = 64 * 1024 * 1024  # 256 MB of RGBA: what one read may hold


def open_slide(path: str | os.PathLike[str], *, mpp: float | None = None) -> Slide:
    """Open a slide file, or a folder that holds one DICOM series.

    Args:
        path: the slide.
        mpp: µm per pixel of level 0; overrides what the file says.

    Raises:
        InputError: no such file, not a slide, damaged, or an ``mpp`` that no scanner has.
        MissingExtraError: openslide is not installed.
    """
    openslide = import_openslide()
    given = Path(path)
    file = _dicom_file(given) if given.is_dir() else given
    if not file.is_file():
        raise InputError(f"no slide {given}", hint="check the path")
    if mpp is not None and not PLAUSIBLE_MPP[0] <= mpp <= PLAUSIBLE_MPP[1]:
        raise InputError(f"{mpp:g} µm per pixel is not a scanner's resolution",
                         hint="40x is about 0.25, 20x about 0.5, 10x about 1.0 µm per pixel")
    try:
        handle = openslide.OpenSlide(str(file))
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise InputError(f"{given} is not a slide that OpenSlide can open",
                         hint="plain images and untiled TIFF: convert to a pyramid with "
                              "'vips tiffsave in.png out.tiff --tile --pyramid --compression jpeg'") from error
    except openslide.OpenSlideError as error:
        raise InputError(f"{given} is damaged or of a variant that OpenSlide cannot read: {error}",
                         hint="copy it again and compare checksums, or convert it") from error
    name = given.name if given.is_dir() else given.stem
    return Slide(handle, _info(handle, name, mpp, openslide), given)


def _dicom_file(folder: Path) -> Path:
    files = sorted(folder.glob("*.dcm"))
    if not files:
        raise InputError(f"{folder} holds no .dcm file",
                         hint="give a slide file, or the folder of one DICOM series")
    return files[0]


def _info(handle: Any, name: str, given: float | None, openslide: Any) -> SlideInfo:
    properties = handle.properties
    x = _number(properties.get(openslide.PROPERTY_NAME_MPP_X))
    y = _number(properties.get(openslide.PROPERTY_NAME_MPP_Y))
    power = _number(properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER))
    stated = (x + y) / 2 if x is not None and y is not None else None
    if given is not None:
        mpp, origin = given, "given"
    elif stated is None:
        mpp, origin = None, "missing"
    elif PLAUSIBLE_MPP[0] <= stated <= PLAUSIBLE_MPP[1]:
        mpp, origin = stated, "file"
    else:
        mpp, origin = None, "implausible"
    return SlideInfo(name=name, size=tuple(handle.dimensions), levels=tuple(map(tuple, handle.level_dimensions)),
                     downsamples=tuple(map(float, handle.level_downsamples)), mpp=mpp, mpp_origin=origin,
                     stated_mpp=stated, magnification=power, vendor=properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown"))


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number and number > 0 else None


def import_openslide() -> Any:
    """The openslide module, or an error that names the extra."""
    try:
        import openslide
    except ImportError as error:
        raise MissingExtraError.for_extra("openslide-python", "slides") from error
    return openslide


def find_slides(folder: str | os.PathLike[str]) -> list[Path]:
    """The slides of a folder, sorted; a folder of ``.dcm`` files counts as one slide.

    Raises:
        InputError: the folder holds none.
    """
    base = Path(folder)
    found = [p for p in base.rglob("*") if p.is_file() and p.suffix.lower() in SLIDE_SUFFIXES[:-1]]
    found += sorted({p.parent for p in base.rglob("*.dcm")})
    if not found:
        raise InputError(f"{base} holds no slide", hint=f"looked for {', '.join(SLIDE_SUFFIXES)}")
    return sorted(found)
