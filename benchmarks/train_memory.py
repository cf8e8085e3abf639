"""Memory and time of the slide encoder against bag size; prints JSON.

    python benchmarks/train_memory.py --sizes 1000 3000 10000 30000 100000
    python benchmarks/train_memory.py --count --sizes 1000 3000 10000 30000 100000     # no arithmetic, any machine
    python benchmarks/train_memory.py --device cuda --lm Qwen/Qwen2.5-1.5B-Instruct --chart memory.svg   # on a GPU

Each size runs in a process of its own, so that a peak belongs to one size. The peer is ordinary (full) attention in
the same encoder, up to the size where its scores alone would not fit ``--peer-limit``. On a CPU the peak is the
process's resident memory above what it held before the bag; on a GPU it is torch's own count. With ``--count`` nothing
is computed: torch's memory tracker adds up every allocation of forward and backward pass on tensors without contents, so
that a bag of 100,000 patches can be counted on a machine that could not hold it (weights and bag are not counted).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 3000, 10_000, 30_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64, help="slide tokens for the language model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="", help="float32 on a CPU, bfloat16 on a GPU when not given")
    parser.add_argument("--checkpointing", action="store_true", help="recompute the blocks in the backward pass")
    parser.add_argument("--count", action="store_true", help="count allocations without computing (encoder only)")
    parser.add_argument("--lm", default="", help="measure a whole training step with this language model")
    parser.add_argument("--peer-limit", type=int, default=3000, help="largest bag for full attention")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chart", metavar="FILE.svg")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def count(config: Any, n: int, *, checkpointing: bool) -> dict[str, Any]:
    """Peak of the allocations of one training step of the encoder, on tensors without contents."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    from model.vlm.encoder import SlideEncoder

    with FakeTensorMode():
        model = SlideEncoder(config).train()
        if checkpointing:
            checkpoint_layers(model)
        bag, mask = torch.empty(1, n, config.feature_dim + 3), torch.ones(1, n)
        tracker = MemTracker()
        tracker.track_external(model, bag, mask)
        with tracker:
            model(bag, mask).tokens.float().square().mean().backward()
        peak = next(iter(tracker.get_tracker_snapshot("peak").values()))
        held = sum(p.numel() * 4 for p in model.parameters()) + 4 * (bag.numel() + mask.numel())
    return {"patches": n, "peak_mib": round((peak["Total"] - held) / 2 ** 20, 1)}


def checkpoint_layers(model: Any) -> None:
    from torch.utils.checkpoint import checkpoint

    for layer in model.layers:
        layer.gradient_checkpointing = True
        layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    import torch

    from model.vlm import SlideEncoderConfig
    from model.vlm.encoder import SlideEncoder

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    n, cuda = args.one, args.device.startswith("cuda")
    dtype = getattr(torch, args.dtype or ("bfloat16" if cuda else "float32"))
    lengths = {"segment_lengths": [2 ** 30], "dilation_rates": [1]} if args.full else {}
    config = SlideEncoderConfig(feature_dim=args.dim, hidden_size=args.hidden_size, num_layers=args.layers,
                                num_tokens=args.tokens, **lengths)
    if args.count:
        return count(config, n, checkpointing=args.checkpointing)
    inputs: dict[str, Any]
    if args.lm:
        from model.vlm import build_vlm

        model, processor = build_vlm(args.lm, encoder=config.to_diff_dict())
        if args.checkpointing:
            model.gradient_checkpointing_enable()
        text = processor.tokenizer("<image>" * args.tokens + "What is the diagnosis?" * 40, return_tensors="pt")
        inputs = {**text, "labels": text["input_ids"]}
    else:
        model, inputs = SlideEncoder(config), {}
        if args.checkpointing:
            checkpoint_layers(model)
    model = model.to(args.device, dtype).train()
    side = int(n ** 0.5) + 1
    rows = torch.arange(n)
    bag = torch.cat([torch.randn(n, args.dim), torch.stack([rows % side, rows // side], 1).float(),
                     torch.full((n, 1), 20.0)], dim=1).unsqueeze(0).to(args.device, dtype if cuda else torch.float32)
    mask = torch.ones(1, n, device=args.device)
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.perf_counter()
    if args.lm:
        loss = model(pixel_values=bag, pixel_attention_mask=mask, **{k: v.to(args.device) for k, v in inputs.items()}).loss
    else:
        loss = model(bag, mask).tokens.float().square().mean()
    forward = time.perf_counter() - start
    loss.backward()
    if cuda:
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() - before
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return {"patches": n, "peak_mib": round(peak / 2 ** 20, 1), "forward_s": round(forward, 3),
            "step_s": round(time.perf_counter() - start, 3)}


def main() -> None:
    args = parse()
    if args.count and (args.lm or args.device != "cpu"):
        raise SystemExit("--count counts the encoder alone, without a device")
    if args.one is not None:
        print(json.dumps(measure(args)))
        return
    found: dict[str, list[dict[str, Any]]] = {"dilated": [], "full": []}
    for kind in found:
        for size in args.sizes:
            if kind == "full" and size > args.peer_limit:
                continue
            command = [sys.executable, __file__, *sys.argv[1:], "--one", str(size)] + (["--full"] if kind == "full" else [])
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                found[kind].append({"patches": size, "failed": (done.stderr.strip().splitlines() or ["killed"])[-1]})
                break
            found[kind].append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(kind, found[kind][-1], file=sys.stderr, flush=True)
    print(json.dumps({"device": "counted" if args.count else args.device, "lm": args.lm or "encoder alone", "dim": args.dim,
                      "hidden_size": args.hidden_size, "layers": args.layers, "threads": args.threads,
                      "checkpointing": args.checkpointing, **found}, indent=1))
    if args.chart:
        from model.demo.figures import line_chart

        line_chart(Path(args.chart), {kind: [(r["patches"], r["peak_mib"]) for r in rows if "peak_mib" in r]
                                      for kind, rows in found.items()},
                   title="Memory of one training step of the slide encoder", x="patches in the bag",
                   y="peak MiB", logarithmic=True)


if __name__ == "__main__":
    main()
