"""``pathkg-train generate``: one question with certificate and heat map, or a whole file of samples."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="FOLDER", help="a slide VLM, as sft and grpo leave it")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--bag", metavar="FILE", help="a feature file (several, joined by ';', for a region)")
    what.add_argument("--samples", metavar="FILE", help="a sample file; answers go to --out as JSON lines")
    parser.add_argument("--question", default="", help="what is asked about --bag")
    parser.add_argument("--out", metavar="FILE", help="JSON of the answer, or JSON lines for --samples")
    parser.add_argument("--heatmap", metavar="FILE.png", help="attention over the patches")
    parser.add_argument("--slide", metavar="FILE", help="slide to draw the heat map on")
    parser.add_argument("--report", metavar="FILE", help="report text that the certificate may cite")
    parser.add_argument("--store", default="", help="graph store; the bundled core graph by default")
    parser.add_argument("--system-prompt", metavar="TEXT", help="the one the model was trained with by default")
    parser.add_argument("--max-new-tokens", type=int, default=512, help="longest answer (default 512)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 for greedy (default)")
    parser.add_argument("--seed", type=int, default=0, help="of sampled answers (default 0)")
    parser.add_argument("--batch-size", type=int, default=8, help="samples answered at once (default 8)")
    parser.add_argument("--no-stream", action="store_true", help="print the answer when it is whole")


def run(args: argparse.Namespace) -> int:
    from model.training.card import system_prompt_of
    from model.training.parts import best_device, load_vlm, memory_guard
    from pathkg.errors import InputError

    if args.samples and not args.out:
        raise InputError("--samples needs --out", hint="name the file for the answers")
    vlm, processor = load_vlm(args.model)
    vlm = vlm.to(best_device())
    prompt = system_prompt_of(args.model) if args.system_prompt is None else args.system_prompt
    if args.samples:
        from model.data.samples import read_samples
        from model.evaluation.predict import predict, write_predictions

        with memory_guard():
            rows = predict(vlm, processor, read_samples(args.samples), batch_size=args.batch_size,
                           max_new_tokens=args.max_new_tokens, temperature=args.temperature, seed=args.seed,
                           system_prompt=prompt)
        print(write_predictions(args.out, rows))
        return 0
    return _one(args, vlm, processor, prompt)


def _one(args: argparse.Namespace, vlm: object, processor: object, prompt: str) -> int:
    import torch

    from model.data.samples import DEFAULT_QUESTION, TrainingSample
    from model.inference.answer import answer_question
    from model.inference.heatmap import draw_heatmap
    from model.training.parts import memory_guard
    from pathkg.errors import InputError

    report = None
    if args.report:
        if not Path(args.report).is_file():
            raise InputError(f"no report file {args.report}", hint="leave --report out to check against the graph alone")
        report = Path(args.report).read_text(encoding="utf-8")
    torch.manual_seed(args.seed)
    stream = None if args.no_stream else lambda piece: print(piece, end="", flush=True)
    sample = TrainingSample("cli", args.bag, args.question or DEFAULT_QUESTION)
    with memory_guard():
        answer = answer_question(vlm, processor, sample, report=report, store=args.store, system_prompt=prompt,
                                 max_new_tokens=args.max_new_tokens, temperature=args.temperature, stream=stream,
                                 attention=bool(args.heatmap or args.out))
    if args.no_stream:
        print(answer.text)
    print()
    if answer.certificate is not None:
        print(answer.certificate.explain())
    else:
        print(f"no certificate: {answer.fault}", file=sys.stderr)
    if args.heatmap:
        assert answer.bag is not None
        print(draw_heatmap(args.heatmap, answer.bag, answer.attention, slide=args.slide))
    if args.out:
        Path(args.out).write_text(json.dumps(answer.to_dict(), ensure_ascii=False, indent=1), encoding="utf-8")
        print(args.out)
    return 0
