"""``pathkg quickstart``: the whole way, on the bundled example cases."""

from __future__ import annotations

import argparse
import textwrap
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from pathkg.commands import add_store_options, open_store, print_json
from pathkg.errors import InputError

if TYPE_CHECKING:
    from datagen.api import GeneratedCase
    from pathkg.graph import KnowledgeGraph
    from pathkg.rewards import RewardBreakdown

EXAMPLES = Path(__file__).resolve().parent.parent / "data" / "examples" / "cases.jsonl"
WIDTH = 110
PATHS_SHOWN = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_store_options(parser)
    parser.add_argument("--out", metavar="DIR", default="pathkg-quickstart",
                        help="where the dataset goes (default: ./pathkg-quickstart)")
    parser.add_argument("--full", action="store_true",
                        help="print the evidence behind every verdict of every case (without it: of the first)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases")


def run(args: argparse.Namespace) -> int:
    """Generate, verify and score every example case; write the dataset; print all of it."""
    from datagen import api
    from datagen.cases import read_cases
    from datagen.records import Case

    if args.limit is not None and args.limit < 1:
        raise InputError(f"--limit {args.limit} leaves no case", hint="give 1 or more")
    if Path(args.out).exists() and not Path(args.out).is_dir():
        raise InputError(f"{args.out} is a file", hint="give --out a folder")
    graph = open_store(args)
    cases = [case for case in read_cases(EXAMPLES) if isinstance(case, Case)][:args.limit]
    records = []
    for number, case in enumerate(cases, 1):
        generated = api.generate_case(case, graph=graph)
        if not generated.accepted:
            # another --store may not know what the bundled core knows
            why = "; ".join(f"{r.reason} {r.detail}".strip() for r in generated.rejected)
            if args.json:
                records.append({**generated.to_dict(), "rewards": {}})
            else:
                print(f"\ncase {number} of {len(cases)}: {case.case_id} gave no verified trajectory: {why}")
            continue
        scored = {label: (text, score) for label, text, score in _rewards(generated, graph)}
        if args.json:
            records.append({**generated.to_dict(), "rewards": {
                label: {"text": text, **score.to_dict()} for label, (text, score) in scored.items()}})
        else:
            _print_case(f"case {number} of {len(cases)}: {case.case_id}", generated, scored,
                        full=args.full or number == 1)
    summary = api.run(cases=EXAMPLES, out=args.out, store=args.store, limit=args.limit)
    if args.json:
        print_json({"graph_hash": graph.hash, "cases": records, "dataset": summary.to_dict()})
    else:
        _print_end(args.out, summary.accepted, len(cases))
    return 0


def _rewards(generated: GeneratedCase, graph: KnowledgeGraph) -> list[tuple[str, str, RewardBreakdown]]:
    """The gold trajectory's reward beside three texts that should earn less."""
    from pathkg.linking import linker_for
    from pathkg.rewards import CompositeReward
    from pathkg.rewards.redteam.edits import flip_negation, replace_entity, stuff_entities

    reward = CompositeReward(store=str(graph.path))
    gold, linker = generated.trajectory, linker_for(graph)
    texts = [("gold", gold.render()),
             ("one negation flipped", flip_negation(gold, linker=linker)),
             ("one entity replaced", replace_entity(gold, graph=graph, linker=linker)),
             ("entity-stuffed", stuff_entities(gold, graph=graph))]
    return [(label, text, reward.score(text, generated.reference)) for label, text in texts]


def _print_case(title: str, generated: GeneratedCase, scored: dict[str, tuple[str, RewardBreakdown]], *,
                full: bool) -> None:
    print(f"\n{'=' * WIDTH}\n{title}\n{'=' * WIDTH}")
    _paragraph("report", generated.case.text)
    print("\nfindings, as linked (status, words of the report, concept)")
    for mention in generated.mentions:
        print(f"  {mention.assertion!s:<11} {' '.join(mention.text.split())[:38]:<38}  "
              f"{mention.name} ({mention.id})")
    print("\nbest paths from findings to the diagnosis (0 is best; every edge, hub and vague relation costs)")
    for path in generated.plan.paths[:PATHS_SHOWN] if generated.plan else ():
        print(f"  {path.score:6.2f}  {path.explain()}")
    print("\ntrajectory, as written")
    for line in generated.trajectory.render().splitlines():
        print(textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="    "))
    print("\ncertificate")
    lines = generated.certificate.explain().splitlines()
    if not full:
        # the verdicts; the evidence of every entity is long
        lines = [line for line in lines if not line.startswith(" ")]
    print(textwrap.indent("\n".join(lines), "  "))
    print("\nrewards                  total  format  semantic  entity  change")
    gold = scored["gold"][0]
    for label, (text, score) in scored.items():
        parts = [score.parts.get(name) for name in ("format", "semantic", "entity")]
        cells = "".join("     n/a" if p is None else f"{p:8.2f}" for p in parts)
        total = "   n/a" if score.total is None else f"{score.total:6.2f}"
        print(f"  {label:<21} {total}{cells}  {_change(gold, text)}".rstrip())


def _change(gold: str, text: str) -> str:
    """The first place where ``text`` differs from ``gold``, with two words of context."""
    a, b = gold.split(), text.split()
    for tag, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            before, after = " ".join(a[max(0, i - 2):i_end + 2]), " ".join(b[max(0, j - 2):j_end + 2])
            return f"“{textwrap.shorten(before, 45)}” → “{textwrap.shorten(after, 45)}”"
    return ""


def _paragraph(title: str, text: str) -> None:
    print(f"\n{title}")
    print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))


def _print_end(out: str, accepted: int, total: int) -> None:
    print(f"\n{'=' * WIDTH}")
    print(f"{accepted} of {total} cases became verified samples; the dataset is in {out}/")
    print("  samples.jsonl, samples.parquet: trajectories with certificate and reward reference")
    print("  rejected.jsonl, manifest.json: what was left out and why; versions, options and hashes")
    print("Research use only; the bundled knowledge has not been validated by a pathologist.")
