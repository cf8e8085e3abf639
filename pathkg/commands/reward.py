"""``pathkg reward score|reference|path|redteam``: score trajectories, make references, find adapters, run the red team."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pathkg.commands import add_store_options, open_store, print_json, read_text
from pathkg.errors import InputError, PathkgError


def configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _score_options(verbs.add_parser("score", help="score a completion against a reference or a gold trajectory"))
    _reference_options(verbs.add_parser("reference", help="make references from gold samples"))
    path = verbs.add_parser("path", help="print the adapter file to configure in a framework")
    path.add_argument("--framework", required=True, help="trl, verl, verl-batch, easyr1, openrlhf, ms-swift, verifiers")
    path.add_argument("--json", action="store_true", help="print JSON: file and name")
    red = verbs.add_parser("redteam", help="attack a reward function and print how often each attack pays")
    add_store_options(red)
    red.add_argument("--reward", metavar="MODULE:NAME", default="pathkg",
                     help="f(text, ground_truth) -> float, or FILE.py:NAME; 'pathkg' (default) or 'predecessor'")
    red.add_argument("--family", action="append", default=[], help="only this attack family (may be repeated)")


def _score_options(parser: argparse.ArgumentParser) -> None:
    add_store_options(parser)
    parser.add_argument("completion", help="file with the completion; - for standard input")
    parser.add_argument("--reference", metavar="FILE", help="a reference as JSON (pathkg reward reference)")
    parser.add_argument("--gold", metavar="FILE", help="a gold trajectory instead of a reference")
    parser.add_argument("--weights", help="such as format=1,semantic=1,entity=0.5")
    parser.add_argument("--variant", help="entity variant: soft_dice or recall")
    parser.add_argument("--dialect", default="reference", help="observe, info, auto, or reference (default)")


def _reference_options(parser: argparse.ArgumentParser) -> None:
    add_store_options(parser)
    parser.add_argument("samples", help="a .jsonl of samples, or one trajectory as text; - for standard input")
    parser.add_argument("--field", default="trajectory",
                        help="field with the gold: tagged text, or a record with observe, steps, answer")
    parser.add_argument("--report-field", default="report", help="field with the report, for the claims and numbers (if present)")
    parser.add_argument("--out", metavar="FILE", help="write the samples with a field ground_truth added")


def run(args: argparse.Namespace) -> int:
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "score": _score, "reference": _reference, "path": _path, "redteam": _redteam}
    return verbs[args.verb](args)


def _score(args: argparse.Namespace) -> int:
    from pathkg.rewards import CompositeReward, EntityReward, Reference, build_reference
    from pathkg.rewards.adapters.scoring import parse_weights

    if bool(args.reference) == bool(args.gold):
        raise InputError("one of --reference and --gold is needed", hint="--gold takes the gold trajectory itself")
    graph = open_store(args)
    store = str(graph.path)
    if args.gold:
        reference = build_reference(read_text(args.gold).strip(), graph=graph)
    else:
        reference = Reference.from_json(read_text(args.reference).strip())
    options: dict[str, Any] = {"weights": parse_weights(args.weights)} if args.weights else {}
    if args.variant:
        options["parts"] = (EntityReward(store=store, variant=args.variant),)
    reward = CompositeReward(store=store, dialect=args.dialect, **options)
    result = reward.score(read_text(args.completion).strip(), reference)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 0 if result.scored else 1


def _reference(args: argparse.Namespace) -> int:
    from pathkg.rewards import build_reference
    from pathkg.trajectory import Trajectory, parse, verify

    graph = open_store(args)
    if not args.samples.endswith((".jsonl", ".ndjson")):
        gold = read_text(args.samples).strip()
        print(build_reference(gold, graph=graph).to_json())
        return 0
    made, refused = 0, 0
    hint = ""
    lines: list[str] = []
    for number, sample in _records(args.samples):
        given = sample.get(args.field)
        try:
            if given is None:
                hint = f"name the field with the gold with --field; line {number} has {', '.join(sample) or 'none'}"
                raise InputError(f"no field {args.field!r}", hint=hint)
            trajectory = Trajectory.from_dict(given) if isinstance(given, dict) else parse(given, "auto")
            report = sample.get(args.report_field)
            certificate = verify(trajectory, report=report, graph=graph) if isinstance(report, str) else None
            reference = build_reference(trajectory, graph=graph, certificate=certificate, report=report if isinstance(report, str) else None)
        except PathkgError as error:
            refused += 1
            print(f"line {number}: {error.message}", file=sys.stderr)
            continue
        made += 1
        lines.append(json.dumps({**sample, "ground_truth": reference.to_json()}, ensure_ascii=False) if args.out
                     else reference.to_json())
    body = "".join(line + "\n" for line in lines)
    if args.out:
        part = Path(f"{args.out}.part")
        try:
            part.write_text(body, encoding="utf-8")
            part.replace(args.out)
        except OSError as error:
            raise InputError(f"cannot write {args.out}: {error.strerror or error}",
                             hint="give a file in a folder that exists") from error
    else:
        sys.stdout.write(body)
    print(f"{made} references, {refused} samples refused", file=sys.stderr)
    if hint:
        print(f"  what to do: {hint}", file=sys.stderr)
    return 0 if made and not refused else 1


def _records(name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(read_text(name).splitlines(), 1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InputError(f"{name}, line {number}: not JSON ({error})",
                                 hint="give one JSON object per line") from error
            if not isinstance(record, dict):
                raise InputError(f"{name}, line {number}: not a JSON object", hint="give one JSON object per line")
            yield number, record


def _path(args: argparse.Namespace) -> int:
    from pathkg.rewards.adapters import FRAMEWORKS, adapter_path

    file = adapter_path(args.framework)
    if args.json:
        print_json({"framework": args.framework, "file": str(file), "name": FRAMEWORKS[args.framework][1]})
    else:
        print(file)
    return 0


def _redteam(args: argparse.Namespace) -> int:
    from pathkg.rewards.redteam import run_redteam

    graph = open_store(args)
    result = run_redteam(_load_reward(args.reward, graph), graph=graph, name=args.reward, families=args.family)
    if args.json:
        print_json(result)
    else:
        print(result.explain())
    return 1 if result.broken else 0


def _load_reward(name: str, graph: Any) -> Callable[[str, str], Any]:
    if name == "pathkg":
        from pathkg.rewards import CompositeReward

        return CompositeReward(store=str(graph.path)).score
    if name == "predecessor":
        from pathkg.rewards.redteam.predecessor import PredecessorReward

        return PredecessorReward(graph)
    module_name, _, attribute = name.rpartition(":")
    if not module_name:
        raise InputError(f"{name!r} names no function", hint="write MODULE:NAME or FILE.py:NAME")
    try:
        module = _load_file(module_name) if module_name.endswith(".py") else importlib.import_module(module_name)
        function = getattr(module, attribute)
    except (ImportError, AttributeError, OSError) as error:
        raise InputError(f"cannot load {name}: {error}",
                         hint="the module must be importable from here, or given as FILE.py:NAME") from error
    if not callable(function):
        raise InputError(f"{name} is not a function", hint="give f(text, ground_truth) -> float")
    call: Callable[[str, str], Any] = function
    return call


def _load_file(path: str) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("redteam_target", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
