"""Training tokens per second of the slide VLM against its plain language model, in one run; prints JSON.

    python benchmarks/train_throughput.py --lm runs/demo/lm --patches 1000
    python benchmarks/train_throughput.py --device cuda --lm Qwen/Qwen2.5-1.5B-Instruct --patches 1000 10000

Both do the same step (forward, backward) on the same number of text tokens; the slide's tokens come on top for the
VLM and are counted apart. Rounds of the two alternate, so that a noisy machine is noisy for both; the median counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lm", required=True, help="a language-model folder or name")
    parser.add_argument("--patches", type=int, nargs="+", default=[1000])
    parser.add_argument("--tokens", type=int, default=64, help="slide tokens")
    parser.add_argument("--text", type=int, default=256, help="text tokens of a row")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    import torch
    from transformers import AutoModelForCausalLM

    from model.vlm import build_vlm

    torch.set_num_threads(args.threads)
    cuda = args.device.startswith("cuda")
    dtype = torch.bfloat16 if cuda else torch.float32
    vlm, processor = build_vlm(args.lm, encoder={"feature_dim": args.dim, "num_tokens": args.tokens})
    lm = AutoModelForCausalLM.from_pretrained(args.lm, dtype=dtype).to(args.device).train()
    vlm = vlm.to(args.device, dtype).train()
    words = torch.randint(100, 400, (args.batch, args.text), generator=torch.Generator().manual_seed(0))
    slide = torch.full((args.batch, args.tokens), processor.image_token_id)

    def step(model: Any, **inputs: Any) -> float:
        start = time.perf_counter()
        model(**{k: v.to(args.device) for k, v in inputs.items()}).loss.backward()
        if cuda:
            torch.cuda.synchronize()
        model.zero_grad(set_to_none=True)
        return time.perf_counter() - start

    results = []
    for n in args.patches:
        ids = torch.cat([slide, words], dim=1)
        bag = torch.randn(args.batch, n, args.dim + 3, dtype=dtype if cuda else torch.float32).abs()
        inputs = {"input_ids": ids, "labels": ids, "attention_mask": torch.ones_like(ids), "pixel_values": bag,
                  "pixel_attention_mask": torch.ones(args.batch, n)}
        plain = {"input_ids": words, "labels": words, "attention_mask": torch.ones_like(words)}
        step(lm, **plain)
        step(vlm, **inputs)
        times: dict[str, list[float]] = {"lm": [], "vlm": []}
        for _ in range(args.rounds):
            times["lm"].append(step(lm, **plain))
            times["vlm"].append(step(vlm, **inputs))
        medians = {k: statistics.median(v) for k, v in times.items()}
        text = args.batch * args.text
        results.append({"patches": n, "slide_tokens": args.tokens, "text_tokens": args.text,
                        "lm_text_tokens_per_s": round(text / medians["lm"], 1),
                        "vlm_text_tokens_per_s": round(text / medians["vlm"], 1),
                        "vlm_all_tokens_per_s": round((text + args.batch * args.tokens) / medians["vlm"], 1),
                        "vlm_share_of_lm": round(medians["lm"] / medians["vlm"], 3),
                        "spread": {k: [round(min(v), 3), round(max(v), 3)] for k, v in times.items()}})
    print(json.dumps({"lm": args.lm, "device": args.device, "threads": args.threads, "batch": args.batch,
                      "results": results}, indent=1))


if __name__ == "__main__":
    main()
