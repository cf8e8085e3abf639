"""``pathkg-datagen slides info|thumbnail|tile|encode|check``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datagen.slides.bags import BAG_SUFFIXES, read_bag, write_bag
from datagen.slides.check import check_bag
from datagen.slides.coords import read_grid, write_grid
from datagen.slides.encode import encode_slide
from datagen.slides.encoders import DEFAULT_ENCODER, PatchEncoder, load_encoder
from datagen.slides.pictures import thumbnail
from datagen.slides.slide import Slide, find_slides, open_slide
from datagen.slides.tiling import TileGrid, tile_slide
from pathkg.errors import InputError, PathkgError

EXIT_PROBLEMS = 1
"""Some slides failed, or some bags have errors; what worked is written."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``pathkg-datagen slides``."""
    parts = parser.add_subparsers(dest="part", required=True, metavar="info|thumbnail|tile|encode|check")

    info = parts.add_parser("info", help="size, levels, scale and magnification of slides")
    _slides(info)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(action=_info)

    picture = parts.add_parser("thumbnail", help="a picture of each slide with tissue and tiles drawn")
    _slides(picture)
    _output(picture, "folder for the PNG files")
    picture.add_argument("--longest", type=int, default=1024, metavar="PX", help="longer side (default 1024)")
    picture.add_argument("--tiles", action="store_true", help="draw the tiles too")
    _tiling(picture)
    picture.set_defaults(action=_thumbnail)

    tile = parts.add_parser("tile", help="coordinates of the tiles that hold tissue, as h5")
    _slides(tile)
    _output(tile, "folder for the files NAME_patches.h5")
    _tiling(tile)
    tile.set_defaults(action=_tile)

    encode = parts.add_parser("encode", help="feature bags of slides, as h5")
    _slides(encode)
    _output(encode, "folder for the files NAME.h5")
    _tiling(encode)
    encode.add_argument("--tiles-from", metavar="DIR", help="use NAME_patches.h5 of this folder")
    encode.add_argument("--encoder", default=DEFAULT_ENCODER, metavar="NAME|FOLDER",
                        help=f"{DEFAULT_ENCODER} (default) or the folder of a Hugging Face vision model")
    encode.add_argument("--pooling", default="auto", help="auto, pooler, cls, mean or cls+mean (folder models)")
    encode.add_argument("--device", default="cpu", help="torch device (default cpu)")
    encode.add_argument("--batch-size", type=int, default=32, help="tiles per call of the encoder (default 32)")
    encode.add_argument("--workers", type=int, default=1, help="threads that read tiles (default 1)")
    encode.add_argument("--layout", choices=("trident", "clam"), default="trident", help="h5 attributes to write")
    encode.add_argument("--overwrite", action="store_true", help="encode again what is already there")
    encode.set_defaults(action=_encode)

    check = parts.add_parser("check", help="say what is wrong with feature files (h5, csv, pt)")
    check.add_argument("bags", nargs="+", metavar="FILE|FOLDER", help="feature files, or folders of them")
    check.add_argument("--expect-dim", type=int, metavar="D", help="feature length they must have")
    check.add_argument("--expect-encoder", metavar="NAME", help="encoder they must come from")
    check.add_argument("--expect-mpp", type=float, metavar="UM", help="µm per pixel of the patches")
    check.add_argument("--expect-magnification", type=float, metavar="X", help="magnification of the patches")
    check.add_argument("--slide", metavar="FILE", help="the slide that a single bag was made from")
    check.add_argument("--mpp", type=float, metavar="UM", help="µm per pixel of that slide's level 0")
    check.add_argument("--strict", action="store_true", help="warnings count as errors")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(action=_check)


def run(args: argparse.Namespace) -> int:
    """Run the chosen part."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _slides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slides", nargs="+", metavar="SLIDE", help="slide files, DICOM folders or folders of slides")
    parser.add_argument("--mpp", type=float, metavar="UM",
                        help="µm per pixel of level 0, for slides that do not say (overrides those that do)")


def _output(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help=help_text)


def _tiling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target-mpp", type=float, default=0.5, metavar="UM",
                        help="µm per pixel of the tiles (default 0.5, about 20x)")
    parser.add_argument("--tile-size", type=int, metavar="PX",
                        help="side of a tile (default: what the encoder wants, else 256)")
    parser.add_argument("--overlap", type=int, default=0, metavar="PX", help="overlap of neighbours (default 0)")
    parser.add_argument("--min-tissue", type=float, default=0.5, metavar="SHARE",
                        help="least share of tissue in a tile (default 0.5)")
    parser.add_argument("--upsample", action="store_true", help="allow tiles finer than the scan")


def _paths(given: list[str]) -> list[Path]:
    """Slide paths; a folder of .dcm files is one slide, another folder stands for the slides in it."""
    found: list[Path] = []
    for name in given:
        path = Path(name)
        found += find_slides(path) if path.is_dir() and not any(path.glob("*.dcm")) else [path]
    stems: dict[str, Path] = {}
    for path in found:
        other = stems.setdefault(path.stem, path)
        if other != path:
            raise InputError(f"{other} and {path} would write the same output file",
                             hint="give them different names, or run them into different folders")
    return found


def _each(args: argparse.Namespace, work: Callable[[Slide], str]) -> int:
    """Run ``work`` on each slide; a slide that fails is reported and the others go on."""
    paths = _paths(args.slides)
    failed = 0
    for number, path in enumerate(paths, 1):
        try:
            with open_slide(path, mpp=args.mpp) as slide:
                message = work(slide)
        except InputError as error:
            if len(paths) == 1:
                raise
            failed += 1
            print(f"[{number}/{len(paths)}] failed: {error}", file=sys.stderr)
        else:
            print(f"[{number}/{len(paths)}] {message}")
    if failed:
        print(f"{failed} of {len(paths)} slides failed; the others are written", file=sys.stderr)
    return EXIT_PROBLEMS if failed else 0


def _grid(args: argparse.Namespace, slide: Slide, tile_size: int = 256) -> TileGrid:
    return tile_slide(slide, target_mpp=args.target_mpp, tile_size=args.tile_size or tile_size,
                      overlap=args.overlap, min_tissue=args.min_tissue, upsample=args.upsample)


def _info(args: argparse.Namespace) -> int:
    if args.json:
        records: list[dict[str, Any]] = []
        for path in _paths(args.slides):
            with open_slide(path, mpp=args.mpp) as slide:
                records.append({"path": str(path), **slide.info.to_dict()})
        print(json.dumps(records, indent=1, ensure_ascii=False))
        return 0

    def describe(slide: Slide) -> str:
        info = slide.info
        scale = f"{info.mpp:g} µm per pixel ({info.mpp_origin})" if info.mpp else "scale MISSING: give --mpp"
        power = f", {info.magnification:g}x" if info.magnification else ""
        return (f"{info.name}: {info.size[0]} x {info.size[1]}, {len(info.levels)} levels, {scale}{power}, "
                f"{info.vendor}")

    return _each(args, describe)


def _thumbnail(args: argparse.Namespace) -> int:
    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)

    def draw(slide: Slide) -> str:
        target = folder / f"{slide.info.name}.png"
        thumbnail(slide, longest=args.longest, grid=_grid(args, slide) if args.tiles else None).save(target)
        return f"wrote {target}"

    return _each(args, draw)


def _tile(args: argparse.Namespace) -> int:
    def tile(slide: Slide) -> str:
        grid = _grid(args, slide)
        target = write_grid(Path(args.output) / f"{slide.info.name}_patches.h5", grid)
        return f"{target}: {len(grid)} tiles of {grid.tile_size} px at {grid.mpp:.4g} µm per pixel"

    return _each(args, tile)


def _encode(args: argparse.Namespace) -> int:
    encoder = load_encoder(args.encoder, pooling=args.pooling, device=args.device)

    def encode(slide: Slide) -> str:
        target = Path(args.output) / f"{slide.info.name}.h5"
        if args.tiles_from:
            grid = read_grid(Path(args.tiles_from) / f"{slide.info.name}_patches.h5", slide)
        else:
            grid = _grid(args, slide, encoder.input_size)
        if not args.overwrite and target.exists() and _same(target, grid, encoder):
            return f"{target} is already there, made the same way"
        bag = encode_slide(slide, encoder, grid=grid, batch_size=args.batch_size, workers=args.workers,
                           min_tissue=args.min_tissue, progress=_bar(slide.info.name))
        write_bag(target, bag, layout=args.layout)
        return f"{target}: {len(bag)} patches x {bag.dim} features"

    return _each(args, encode)


def _same(target: Path, grid: TileGrid, encoder: PatchEncoder) -> bool:
    """Whether a bag from an earlier run answers this request."""
    try:
        bag = read_bag(target)
    except PathkgError:
        return False  # a damaged file is made again; writing replaces it whole
    return bag.encoder == encoder.name and bag.coords is not None and bag.tile_size == grid.tile_size \
        and bag.coords.shape == grid.coords.shape and bool((bag.coords == grid.coords).all())


def _bar(name: str) -> Callable[[int, int], None] | None:
    """A progress line on a terminal, nothing elsewhere (one line per slide is printed anyway)."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        print(f"\r{name}: {done}/{total} tiles", end=end, file=sys.stderr, flush=True)

    return show


def _bag_files(given: list[str]) -> Iterator[Path]:
    for name in given:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in BAG_SUFFIXES and p.is_file())
            if not inside:
                raise InputError(f"{path} holds no feature file", hint=f"looked for {', '.join(BAG_SUFFIXES)}")
            yield from inside
        else:
            yield path


def _check(args: argparse.Namespace) -> int:
    files = list(_bag_files(args.bags))
    if args.slide and len(files) != 1:
        raise InputError(f"--slide goes with one bag, not {len(files)}", hint="check them one by one")
    wanted = {"dim": args.expect_dim, "encoder": args.expect_encoder, "mpp": args.expect_mpp,
              "magnification": args.expect_magnification}
    if args.slide:
        with open_slide(args.slide, mpp=args.mpp) as slide:
            reports = [check_bag(file, slide=slide, **wanted) for file in files]
    else:
        reports = [check_bag(file, **wanted) for file in files]
    bad = [r for r in reports if not r.ok or (args.strict and r.problems)]
    if args.json:
        print(json.dumps([r.to_dict() for r in reports], indent=1, ensure_ascii=False))
        return EXIT_PROBLEMS if bad else 0
    for report in reports:
        meta = report.metadata
        what = f"{meta['patches']} x {meta['dim']}, {meta['encoder'] or 'encoder unknown'}" if meta else "unreadable"
        print(f"{report.path}: {what}: {'ok' if not report.problems else ''}".rstrip(": "))
        for problem in report.problems:
            print("  " + str(problem).replace("\n", "\n  "))
    print(f"{len(reports)} checked, {len(bad)} with errors")
    return EXIT_PROBLEMS if bad else 0
