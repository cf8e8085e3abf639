"""Generated slides for the demo's world: one small slide per finding, drawn, tiled and encoded like any other.

The drawings have the colours of hematoxylin and eosin and one trait each (rings, spindles, brown dots, …), enough for
a network trained on photographs to tell them apart. They are no histology: nothing learnt from them carries over to
real slides. A real slide, where one is at hand, gives the patches that say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.extras import require

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

TILE = 224
"""Side of a tile in pixels: what the patch encoder takes."""

ACROSS = 3
"""A slide holds ACROSS x ACROSS tiles of tissue, and glass at its right and lower edge."""

MPP = 0.5

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """How the patches of a finding look: the ground, and marks of one kind on it."""

    marks: str
    ground: Colour
    colour: Colour
    size: int
    count: int


LOOKS: dict[str, Look] = {
    "keratin pearl": Look("rings", (236, 190, 205), (206, 70, 110), 44, 5),
    "dyskeratosis": Look("dots", (224, 178, 206), (226, 84, 70), 13, 26),
    "intercellular bridge": Look("lattice", (226, 170, 200), (150, 70, 140), 26, 1),
    "melanin pigment": Look("dots", (232, 200, 210), (88, 56, 30), 4, 170),
    "pagetoid spread": Look("cells", (196, 120, 180), (244, 226, 236), 20, 18),
    "macronucleolus": Look("targets", (226, 180, 210), (120, 80, 160), 19, 14),
    "cigar-shaped nucleus": Look("spindles", (238, 176, 190), (84, 60, 140), 22, 34),
    "whorled pattern": Look("whorls", (236, 170, 186), (190, 90, 130), 40, 6),
    "smooth muscle differentiation": Look("waves", (240, 160, 176), (208, 104, 134), 9, 16),
    "bile pigment": Look("dots", (236, 196, 190), (122, 116, 40), 8, 34),
    "Mallory-Denk body": Look("ropes", (244, 214, 206), (196, 44, 120), 16, 16),
    "thickened hepatocyte plate": Look("waves", (248, 232, 232), (214, 120, 110), 24, 5),
    "single-file growth": Look("files", (244, 206, 216), (92, 56, 132), 8, 9),
    "targetoid pattern": Look("dotted rings", (242, 204, 214), (96, 60, 140), 40, 4),
    "intracytoplasmic lumen": Look("signets", (230, 176, 204), (110, 60, 140), 17, 16),
    "Antoni A area": Look("spindles", (232, 178, 204), (116, 70, 150), 14, 110),
    "Antoni B area": Look("ropes", (250, 236, 242), (150, 110, 170), 22, 9),
    "Verocay body": Look("palisades", (244, 196, 208), (90, 60, 140), 15, 3),
}
"""One look per finding of the world."""

REST: dict[str, Look] = {
    "stroma": Look("waves", (246, 214, 222), (232, 176, 192), 4, 20),
    "fat": Look("cells", (232, 186, 206), (252, 248, 250), 30, 9),
    "blood": Look("dots", (240, 190, 190), (206, 40, 50), 6, 150),
    "lymphocytes": Look("dots", (238, 206, 220), (60, 44, 120), 5, 120),
}
"""Patches that say nothing."""


def paint(look: Look, rng: Generator, side: int = TILE) -> NDArray[np.uint8]:
    """One tile, uint8 (side, side, 3)."""
    require("PIL", "slides")
    from PIL import Image, ImageDraw

    shade = [int(np.clip(c + rng.integers(-8, 9), 0, 255)) for c in look.ground]
    image = Image.new("RGB", (side, side), (shade[0], shade[1], shade[2]))
    _MARKS[look.marks](ImageDraw.Draw(image), look, rng, side)
    pixels = np.asarray(image, dtype=np.float64) + rng.normal(scale=6.0, size=(side, side, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _near(colour: Colour, rng: Generator) -> Colour:
    shade = [int(np.clip(c + rng.integers(-14, 15), 0, 255)) for c in colour]
    return shade[0], shade[1], shade[2]


def _places(look: Look, rng: Generator, side: int) -> list[tuple[float, float, float]]:
    """Centre x, y and size of each mark."""
    return [(float(rng.uniform(0, side)), float(rng.uniform(0, side)), look.size * float(rng.uniform(0.75, 1.25)))
            for _ in range(look.count)]


def _disc(pen: Any, x: float, y: float, r: float, *, fill: Colour | None = None, outline: Colour | None = None,
          width: int = 1) -> None:
    pen.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=outline, width=width)


def _dots(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        _disc(pen, x, y, r, fill=_near(look.colour, rng))


def _rings(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        for step in range(int(r), 2, -8):
            _disc(pen, x, y, step, outline=_near(look.colour, rng), width=4)


def _dotted_rings(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        _disc(pen, x, y, 7, outline=look.colour, width=2)
        for radius in np.arange(16, r, 12):
            for angle in np.arange(0, 2 * np.pi, 11 / radius):
                _disc(pen, x + radius * np.cos(angle), y + radius * np.sin(angle), 3, fill=_near(look.colour, rng))


def _cells(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        _disc(pen, x, y, r, fill=_near(look.colour, rng), outline=(120, 70, 130))
        _disc(pen, x + r / 4, y, r / 4, fill=(96, 60, 130))


def _targets(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        _disc(pen, x, y, r, fill=_near(look.colour, rng))
        _disc(pen, x, y, r / 3, fill=(170, 20, 50))


def _signets(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        _disc(pen, x, y, r, fill=_near(look.colour, rng))
        _disc(pen, x, y, r * 0.7, fill=(250, 244, 250))
        _disc(pen, x, y, r * 0.2, fill=(200, 60, 110))


def _strokes(pen: Any, look: Look, rng: Generator, side: int, *, width: int, wiggle: float, turn: float) -> None:
    heading = float(rng.uniform(0, np.pi))
    for x, y, r in _places(look, rng, side):
        angle = heading + float(rng.normal(scale=turn))
        points = []
        for step in np.linspace(-r, r, 9):
            swing = wiggle * np.sin(step / r * 2 * np.pi)
            points.append((x + step * np.cos(angle) - swing * np.sin(angle), y + step * np.sin(angle) + swing * np.cos(angle)))
        pen.line(points, fill=_near(look.colour, rng), width=width, joint="curve")


def _spindles(pen: Any, look: Look, rng: Generator, side: int) -> None:
    _strokes(pen, look, rng, side, width=7, wiggle=0.0, turn=0.12)


def _ropes(pen: Any, look: Look, rng: Generator, side: int) -> None:
    _strokes(pen, look, rng, side, width=4, wiggle=6.0, turn=1.5)


def _whorls(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for x, y, r in _places(look, rng, side):
        turns = np.linspace(0, 6 * np.pi, 90)
        points = [(x + r * t / 19 * np.cos(t), y + r * t / 19 * np.sin(t)) for t in turns]
        pen.line(points, fill=_near(look.colour, rng), width=4)


def _waves(pen: Any, look: Look, rng: Generator, side: int) -> None:
    phase, bend = float(rng.uniform(0, 6)), float(rng.uniform(6, 14))
    for row in range(look.count):
        y = (row + 0.5) * side / look.count
        points = [(x, y + bend * np.sin(x / 34 + phase)) for x in range(-8, side + 9, 8)]
        pen.line(points, fill=_near(look.colour, rng), width=look.size)


def _files(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for row in range(look.count):
        y, slope = (row + 0.5) * side / look.count, float(rng.normal(scale=0.05))
        for x in range(0, side, 2 * look.size + 2):
            _disc(pen, x, y + slope * x, look.size * 0.8, fill=_near(look.colour, rng))


def _lattice(pen: Any, look: Look, rng: Generator, side: int) -> None:
    shift = int(rng.integers(look.size))
    for place in range(-side, 2 * side, look.size):
        for run in (side, -side):
            start = place + shift
            pen.line([(start, 0), (start + run, side)], fill=_near(look.colour, rng), width=2)


def _palisades(pen: Any, look: Look, rng: Generator, side: int) -> None:
    for band in range(look.count):
        middle = (band + 0.5) * side / look.count
        for x in range(2, side, 9):
            for y in (middle - 24, middle + 24):
                pen.line([(x, y - look.size / 2), (x, y + look.size / 2)], fill=_near(look.colour, rng), width=5)


_MARKS: dict[str, Callable[[Any, Look, Any, int], None]] = {
    "dots": _dots, "rings": _rings, "dotted rings": _dotted_rings, "cells": _cells, "targets": _targets,
    "signets": _signets, "spindles": _spindles, "ropes": _ropes, "whorls": _whorls, "waves": _waves, "files": _files,
    "lattice": _lattice, "palisades": _palisades}


def write_slide(path: Path, look: Look, rng: Generator) -> Path:
    """A tiled pyramid with a scale, as scanners write it: tissue of one look, glass around it."""
    tifffile = require("tifffile", "slides")
    side = (ACROSS + 1) * TILE
    picture = np.full((side, side, 3), 244, np.uint8)
    for row in range(ACROSS):
        for column in range(ACROSS):
            picture[row * TILE:(row + 1) * TILE, column * TILE:(column + 1) * TILE] = paint(look, rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"tile": (256, 256), "photometric": "rgb", "metadata": None,
                               "description": f"Aperio Image Library v12.0|AppMag = 20|MPP = {MPP}"}
    with tifffile.TiffWriter(path) as writer:
        writer.write(picture, **options)
        writer.write(np.ascontiguousarray(picture[::4, ::4]), subfiletype=1, **options)
    return path


@dataclass(frozen=True, slots=True, eq=False)
class PatchLibrary:
    """Encoded patches to make cases from, shape (n, D) each.

    Attributes:
        findings: by finding.
        rest: patches that say nothing.
        encoder: the patch encoder's name.
    """

    findings: dict[str, NDArray[np.float32]]
    rest: NDArray[np.float32]
    encoder: str


def patch_library(folder: Path, findings: Sequence[str], split: str, *, seed: int, real_slide: str = "",
                  encoder: Any = None) -> PatchLibrary:
    """Draw, tile and encode the slides of a split (kept in ``folder``, encoded once).

    Args:
        folder: gets the slides and their bags.
        findings: names in :data:`LOOKS`.
        split: training and test slides are drawn apart, so no patch is in both.
        seed: of the drawings.
        real_slide: a slide whose patches join those that say nothing; its left half for training, its right half
            for the rest.
        encoder: a patch encoder; the built-in EfficientNet-Lite0 when ``None``.
    """
    from datagen.slides import encode_slide, load_encoder, read_bag, write_bag

    # the encoder is loaded only when something is left to encode
    ready: list[Any] = [encoder] if encoder is not None else []

    def encoded(name: str, slide: Callable[[], Path]) -> Any:
        file = folder / "bags" / f"{name}.h5"
        if not file.is_file():
            if not ready:
                ready.append(load_encoder())
            write_bag(file, encode_slide(slide(), ready[0], tile_size=TILE, min_tissue=0.2))
        return read_bag(file)

    def drawn(name: str, look: Look) -> Any:
        word = f"{split}-{name.replace(' ', '-').lower()}"
        rng = np.random.default_rng([seed, 3, *word.encode()])
        return encoded(word, lambda: write_slide(folder / f"{word}.svs", look, rng))

    bags = {name: drawn(name, LOOKS[name]) for name in findings}
    rest = [drawn(name, look).features for name, look in REST.items()]
    if real_slide:
        real = encoded("real", lambda: Path(real_slide))
        left = real.coords[:, 0] < np.median(real.coords[:, 0])
        rest.append(real.features[left if split == "train" else ~left])
    return PatchLibrary({name: bag.features for name, bag in bags.items()}, np.concatenate(rest),
                        next(iter(bags.values())).encoder)
