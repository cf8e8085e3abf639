"""``pathkg-train init``: build a slide VLM around a language model and save it."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lm", required=True, metavar="FOLDER", help="a causal language model that transformers loads")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the model is saved here")
    parser.add_argument("--feature-dim", type=int, default=512, help="dimension of the patch features (default 512)")
    parser.add_argument("--encoder", default="dilated", metavar="KIND",
                        help="dilated, gated_attention, resampler or none (default dilated)")
    parser.add_argument("--tokens", default="64", metavar="N",
                        help="slide tokens per bag, or 'all' for one per patch (default 64)")
    parser.add_argument("--hidden-size", type=int, default=512, help="width of the slide encoder (default 512)")
    parser.add_argument("--layers", type=int, default=2, help="blocks of the slide encoder (default 2)")
    parser.add_argument("--heads", type=int, default=8, help="attention heads of the slide encoder (default 8)")
    parser.add_argument("--no-tag-tokens", action="store_true", help="leave the trajectory tags in pieces")
    parser.add_argument("--seed", type=int, default=0, help="of the new weights (default 0)")


def run(args: argparse.Namespace) -> int:
    from model.extras import require
    from pathkg.errors import InputError

    require("torch")
    if args.tokens != "all" and not args.tokens.isdigit():
        raise InputError(f"--tokens {args.tokens}", hint="a number, or 'all' for one token per patch")
    from model.training.parts import save_model
    from model.vlm import build_vlm

    vlm, processor = build_vlm(args.lm, tag_tokens=not args.no_tag_tokens, seed=args.seed, encoder={
        "feature_dim": args.feature_dim, "kind": args.encoder, "hidden_size": args.hidden_size,
        "num_layers": args.layers, "num_heads": args.heads,
        "num_tokens": None if args.tokens == "all" else int(args.tokens)})
    save_model(vlm, processor, Path(args.out))
    new = sum(p.numel() for n, p in vlm.named_parameters() if "language_model" not in n and "lm_head" not in n)
    print(f"{sum(p.numel() for p in vlm.parameters()):,} weights, {new:,} of them new, in {args.out}")
    return 0
