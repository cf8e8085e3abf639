"""What is wrong with a feature file: the validator behind ``pathkg-datagen slides check``.

A bag with a wrong scale, a wrong encoder or shifted coordinates trains without complaint and predicts noise. Each
rule here names one such fault. An ``error`` makes the bag unusable for what was asked; a ``warning`` is something
that a later step cannot know and a person should.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datagen.slides.bags import FeatureBag, read_bag
from datagen.slides.encoders import KNOWN_DIMENSIONS
from pathkg.errors import InputError

if TYPE_CHECKING:
    from datagen.slides.slide import Slide

Severity = Literal["error", "warning"]

SCALE_TOLERANCE = 0.15
"""Relative difference of µm per pixel that still counts as the same magnification: scanners call 0.23 to 0.27
"40x"."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a bag.

    Attributes:
        code: short name of the rule, stable between versions.
        severity: ``error`` or ``warning``.
        message: what was found.
        hint: what to do.
    """

    code: str
    severity: Severity
    message: str
    hint: str

    def to_dict(self) -> dict[str, Any]:
        return {"code": self.code, "severity": self.severity, "message": self.message, "hint": self.hint}

    def __str__(self) -> str:
        return f"{self.severity}: {self.message} [{self.code}]\n  what to do: {self.hint}"


@dataclass(frozen=True, slots=True)
class BagReport:
    """The outcome for one file. ``ok`` means: no error (there may be warnings)."""

    path: str
    metadata: dict[str, Any]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not any(p.severity == "error" for p in self.problems)

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "ok": self.ok, "metadata": self.metadata,
                "problems": [p.to_dict() for p in self.problems]}


def check_bag(source: FeatureBag | str | os.PathLike[str], *, dim: int | None = None, encoder: str | None = None,
              mpp: float | None = None, magnification: float | None = None,
              slide: Slide | None = None) -> BagReport:
    """Check a bag, or the file of one.

    Args:
        source: a bag or a path.
        dim: the feature length it must have.
        encoder: the encoder it must come from.
        mpp: the µm per pixel its patches must have, within 15%.
        magnification: the objective magnification its patches must have, within 15%.
        slide: the slide it was made from; coordinates must lie inside of it and the scales must agree.

    Returns:
        The report. A file that cannot be read at all is a report with the error ``unreadable``.

    Example:
        >>> bag = FeatureBag(features=np.full((2, 3), np.nan, np.float32))
        >>> [p.code for p in check_bag(bag, dim=4).problems if p.severity == "error"]
        ['dimension', 'not-finite']
    """
    if isinstance(source, FeatureBag):
        bag, path = source, source.slide
    else:
        path = str(source)
        try:
            bag = read_bag(source)
        except InputError as error:
            return BagReport(path, {}, (Problem("unreadable", "error", error.message, error.hint),))
    problems = [*_features(bag, dim, encoder), *_coordinates(bag), *_scale(bag, mpp, magnification)]
    if slide is not None:
        problems += _against_slide(bag, slide)
    return BagReport(path, bag.metadata(), tuple(problems))


def _features(bag: FeatureBag, dim: int | None, encoder: str | None) -> list[Problem]:
    found: list[Problem] = []
    if len(bag) == 0:
        found.append(Problem("empty", "error", "the bag has no patch",
                             "tile the slide again with a lower --min-tissue, or leave the slide out"))
    if dim is not None and bag.dim != dim:
        guess = sorted(name for name, size in KNOWN_DIMENSIONS.items() if size == bag.dim)
        made = f"; {bag.dim} is the length of {', '.join(guess)}" if guess else ""
        found.append(Problem("dimension", "error", f"feature length {bag.dim}, expected {dim}{made}",
                             "encode the slide with the encoder that the model was trained on"))
    own = _encoder_key(bag.encoder)
    if not own:
        found.append(Problem("no-encoder", "error" if encoder else "warning", "the file does not name its encoder",
                             "write it into the attribute 'encoder' of the dataset 'features'"))
    elif encoder is not None and own != _encoder_key(encoder):
        found.append(Problem("encoder", "error", f"made with {bag.encoder!r}, expected {encoder!r}",
                             "features of two encoders do not mix, even at equal length: encode again"))
    known = KNOWN_DIMENSIONS.get(own)
    if known is not None and known != bag.dim:
        found.append(Problem("encoder-dimension", "error",
                             f"{bag.encoder} gives {known} features; this file has {bag.dim}",
                             "the name or the file is wrong; encode again"))
    if not np.isfinite(bag.features).all():
        rows = int((~np.isfinite(bag.features)).any(axis=1).sum())
        found.append(Problem("not-finite", "error", f"{rows} of {len(bag)} patches hold NaN or infinity",
                             "encode again in float32"))
    elif len(bag) > 1 and not bag.features.any(axis=1).all():
        rows = int((~bag.features.any(axis=1)).sum())
        found.append(Problem("zero-rows", "warning", f"{rows} of {len(bag)} patches are all zero",
                             "usual for padding or a failed batch: encode again or drop them"))
    if len(bag) > 1 and bag.dim and np.isfinite(bag.features).all() and not np.ptp(bag.features, axis=0).any():
        found.append(Problem("constant", "error", "all patches have the same features",
                             "the encoder saw the same picture each time: encode again"))
    return found


def _encoder_key(name: str) -> str:
    """One spelling for ``UNI-v2``, ``uni_v2`` and ``Uni_V2``."""
    return name.strip().lower().replace("-", "_")


def _coordinates(bag: FeatureBag) -> list[Problem]:
    if bag.coords is None:
        return [Problem("no-coords", "warning", "the file has no coordinates",
                        "pseudo-bags, heat maps and region questions need them: use h5 with 'coords'")]
    found: list[Problem] = []
    if len(bag) == 0:
        return found
    if (bag.coords < 0).any():
        found.append(Problem("negative-coords", "error", "some coordinates are negative",
                             "coordinates are top-left corners in level-0 pixels"))
    distinct = len(np.unique(bag.coords, axis=0))
    if distinct < len(bag):
        found.append(Problem("duplicate-coords", "error", f"{len(bag) - distinct} patches share their position",
                             "the file was appended to twice, or the coordinates lost precision"))
    size, size0 = bag.tile_size, bag.tile_size_level0
    step = _step(bag.coords)
    if size0 and step and not bag.overlap and step < size0 * 0.9:
        level = "patch" if size and abs(step - size) <= 1 else "coarser"
        found.append(Problem("coords-scale", "error",
                             f"neighbours are {step} apart, but a patch is {size0} level-0 pixels wide: these look "
                             f"like {level}-level coordinates",
                             f"multiply them by {size0 / step:.4g} to get level-0 pixels, or record the overlap"))
    if bag.level0_size is not None:
        edge = bag.coords.max(axis=0)
        if edge[0] >= bag.level0_size[0] or edge[1] >= bag.level0_size[1]:
            found.append(Problem("outside", "error",
                                 f"coordinates reach {tuple(map(int, edge))}, the slide is "
                                 f"{bag.level0_size[0]} x {bag.level0_size[1]}",
                                 "the coordinates are not level-0 pixels, or belong to another slide"))
    return found


def _step(coords: Any) -> int:
    """The usual distance of neighbouring columns and rows, 0 when there is none."""
    gaps = np.concatenate([np.diff(np.unique(coords[:, axis])) for axis in (0, 1)])
    return int(np.median(gaps)) if gaps.size else 0


def _scale(bag: FeatureBag, mpp: float | None, magnification: float | None) -> list[Problem]:
    found: list[Problem] = []
    missing = [name for name, value in (("tile_size", bag.tile_size), ("tile_size_level0", bag.tile_size_level0),
                                        ("mpp", bag.mpp)) if value is None]
    if bag.mpp is None and bag.magnification is None:
        found.append(Problem("no-magnification", "error" if mpp or magnification else "warning",
                             "neither µm per pixel nor magnification is recorded",
                             "write 'mpp' or 'target_magnification' into the attributes of 'coords'"))
    elif missing:
        found.append(Problem("missing-metadata", "warning", f"not recorded: {', '.join(missing)}",
                             "write them into the attributes of 'coords' while someone still knows"))
    if mpp is not None and bag.mpp is not None and _differs(bag.mpp, mpp):
        found.append(Problem("mpp", "error", f"patches of {bag.mpp:.3g} µm per pixel, expected {mpp:g}",
                             f"tile again with --target-mpp {mpp:g}"))
    if magnification is not None and bag.magnification is not None and _differs(bag.magnification, magnification):
        found.append(Problem("magnification", "error",
                             f"patches of {bag.magnification:g}x, expected {magnification:g}x",
                             "tile the slide again at the resolution that the model was trained on"))
    elif magnification is not None and bag.magnification is None and bag.mpp is not None:
        found.append(Problem("magnification", "warning",
                             f"the file records {bag.mpp:.3g} µm per pixel but no magnification",
                             "compare with --expect-mpp instead: scanners disagree about what 20x is"))
    return found


def _differs(value: float, wanted: float) -> bool:
    return abs(value / wanted - 1) > SCALE_TOLERANCE


def _against_slide(bag: FeatureBag, slide: Slide) -> list[Problem]:
    found: list[Problem] = []
    info = slide.info
    if bag.level0_size is not None and tuple(bag.level0_size) != info.size:
        found.append(Problem("slide-size", "error",
                             f"the bag was made on a slide of {bag.level0_size[0]} x {bag.level0_size[1]}, this one "
                             f"is {info.size[0]} x {info.size[1]}", "the bag belongs to another slide or scan"))
    elif bag.coords is not None and len(bag):
        edge = bag.coords.max(axis=0)
        if edge[0] >= info.size[0] or edge[1] >= info.size[1]:
            found.append(Problem("outside", "error",
                                 f"coordinates reach {tuple(map(int, edge))}, the slide is {info.size[0]} x "
                                 f"{info.size[1]}", "the coordinates are not level-0 pixels, or another slide's"))
    if info.mpp is not None and bag.level0_mpp is not None and _differs(bag.level0_mpp, info.mpp):
        found.append(Problem("slide-mpp", "error",
                             f"the bag takes level 0 for {bag.level0_mpp:.3g} µm per pixel, the slide says "
                             f"{info.mpp:.3g}", "tile and encode again with the right --mpp"))
    return found
