"""How fast tiles are read and encoded on one core.

    python -m benchmarks.slides [--slide FILE ...] [--tiles 2000] [--encode 64]

Without ``--slide`` a JPEG pyramid with stained-looking noise is made (8192 x 8192, tiles of 256). Peers in the same
run: OpenSlide's bare ``read_region`` on the same places, and its DeepZoom generator, which many pipelines tile with.
Rates are tiles per second of processor time of this process (one thread), with wall time beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from datagen.slides import load_encoder, open_slide, read_tile, tile_slide, tissue_mask

SIDE = 256


def made_pyramid(path: Path, pixels: int = 8192) -> Path:
    """A JPEG pyramid with the frequencies of stained tissue."""
    import tifffile
    from PIL import Image

    rng = np.random.default_rng(0)

    def jpegs(size: int) -> Iterator[bytes]:
        for _ in range((size // SIDE) ** 2):
            coarse = rng.normal((190, 110, 160), (30, 35, 25), (32, 32, 3)).clip(0, 255).astype(np.uint8)
            tile = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            stream = BytesIO()
            tile.save(stream, "JPEG", quality=80)
            yield stream.getvalue()

    text = "Aperio Image Library v12|AppMag = 40|MPP = 0.25"
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for level, size in enumerate((pixels, pixels // 4)):
            writer.write(jpegs(size), shape=(size, size, 3), dtype=np.uint8, tile=(SIDE, SIDE), photometric="ycbcr",
                         compression="jpeg", description=text, subfiletype=int(level > 0), metadata=None)
    return path


def rate(work: Callable[[], int]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    tiles = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"tiles": tiles, "tiles_per_s": round(tiles / cpu, 1), "tiles_per_s_wall": round(tiles / wall, 1)}


def measure(path: Path, tiles: int, encode: int) -> dict[str, Any]:
    import openslide
    from openslide.deepzoom import DeepZoomGenerator

    result: dict[str, Any] = {}
    with open_slide(path) as slide:
        start = time.process_time()
        mask = tissue_mask(slide)
        result["tissue_mask_s"] = round(time.process_time() - start, 3)
        for name, target in (("native", slide.require_mpp()), ("half", 2 * slide.require_mpp())):
            grid = tile_slide(slide, target_mpp=target, min_tissue=0.5, mask=mask)
            if not len(grid):
                continue
            picks = [i % len(grid) for i in range(tiles)]

            def ours(grid: Any = grid, picks: list[int] = picks) -> int:
                return sum(read_tile(slide, grid, i).shape[0] > 0 for i in picks)

            result[f"read_tile_{name}"] = {"mpp": grid.mpp, "level": grid.level, "read_size": grid.read_size,
                                           **rate(ours)}
        grid = tile_slide(slide, target_mpp=slide.require_mpp(), mask=mask)
        handle = openslide.OpenSlide(str(path))

        def bare() -> int:
            for i in range(tiles):
                x, y = grid.coords[i % len(grid)]
                np.asarray(handle.read_region((int(x), int(y)), 0, (SIDE, SIDE)).convert("RGB"))
            return tiles

        deepzoom = DeepZoomGenerator(handle, tile_size=SIDE, overlap=0)

        def zoom() -> int:
            level = deepzoom.level_count - 1
            across, down = deepzoom.level_tiles[level]
            for i in range(tiles):
                np.asarray(deepzoom.get_tile(level, (i % across, i // across % down)))
            return tiles

        result["peer_openslide_read_region"] = rate(bare)
        result["peer_openslide_deepzoom"] = rate(zoom)
        handle.close()
        if encode:
            import torch

            torch.set_num_threads(1)
            encoder = load_encoder()
            batch = np.stack([read_tile(slide, grid, i % len(grid)) for i in range(16)])
            encoder.encode(batch)
            result["encode_efficientnet_lite0"] = rate(
                lambda: sum(len(encoder.encode(batch)) for _ in range(max(1, encode // 16))))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slide", action="append", type=Path, default=[], help="a slide of your own; repeatable")
    parser.add_argument("--tiles", type=int, default=2000)
    parser.add_argument("--encode", type=int, default=64, help="tiles to encode; 0 to leave it out")
    args = parser.parse_args()
    report: dict[str, Any] = {"python": platform.python_version(), "load": os.getloadavg()[0], "slides": {}}
    with tempfile.TemporaryDirectory() as folder:
        for path in [*args.slide, made_pyramid(Path(folder) / "made.svs")]:
            report["slides"][path.name] = measure(path, args.tiles, args.encode)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
