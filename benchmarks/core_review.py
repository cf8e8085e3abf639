"""Reading aids for the bundled core graph: what a reviewer needs on one screen, and the checks a program can do.

    python benchmarks/core_review.py list --relation supports opposes [--disease TEXT]
    python benchmarks/core_review.py sample [--seed 2024] [--size 400]
    python benchmarks/core_review.py check [--ontologies FOLDER]
    python benchmarks/core_review.py readings
    python benchmarks/core_review.py mine --reports FILE [FILE ...] [--size 200] [--least 5]

``list`` prints the subjects of some relations grouped per disease (or per stage and grade for ``defined_by``),
sorted by site, so that one organ is read at a stretch. ``sample`` prints a seeded random sample of the relations
that are not read in full. ``check`` prints JSON: immunostains whose result supports a tumour that is not expected
to show it, diseases outside the two roots, tumours with few findings, and, where the ontology files are at hand,
the share of MONDO and Uberon hierarchy edges that follow from them. ``readings`` prints JSON: what the second
readings dropped and added (``review.tsv``), and the error rate of the sample that was read and written down
(``sample_review.tsv``; drawn with ``sample --seed 2027 --size 420``). ``mine`` prints the words and phrases of reports
that the linker leaves unlinked, most reports first: a phrase counts when each of its words occurs in some form of
the core, so that names, dates and broken words stay out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CORE = Path(__file__).resolve().parents[1] / "pathkg" / "data" / "core"
READ_IN_FULL = ("stains_positive_for", "stains_negative_for", "supports", "opposes", "defined_by")
FINDINGS = ("has_morphology", "has_growth_pattern", "has_cytologic_feature", "has_stromal_feature")
THIRD_READING = ("has_genetic_alteration", "arises_in", "spreads_to", "differential_of", "defined_by")
"""Relations read edge by edge for the third time; and the expected stains of what is no tumour of a project."""
DERIVED = ("expected negative here", "the marker decides")
"""How the reasons begin of edges that a program derived from expected stains and look-alikes."""
NEOPLASM, OTHER = "MONDO:0005070", "PATHKG:non-neoplastic-disease"


def rows(pattern: str) -> list[list[str]]:
    """The rows of all files of the core that match, without their headers."""
    found: list[list[str]] = []
    for path in sorted(CORE.glob(pattern)):
        found += [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[1:-1]]
    return found


class Core:
    """Nodes and edges of the core, indexed both ways."""

    def __init__(self) -> None:
        self.node = {row[0]: row for row in rows("nodes.tsv")}
        self.edges = rows("edges_*.tsv")
        self.out: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.into: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for subject, relation, obj, _ in self.edges:
            self.out[subject][relation].append(obj)
            self.into[obj][relation].append(subject)

    def name(self, curie: str) -> str:
        return self.node[curie][1]

    def ancestors(self, curie: str) -> set[str]:
        seen: set[str] = set()
        waiting = [curie]
        while waiting:
            for parent in self.out[waiting.pop()]["is_a"]:
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return seen


def show(core: Core, relations: list[str], disease: str) -> None:
    lines = []
    for curie, row in core.node.items():
        if disease and disease.lower() not in row[1].lower():
            continue
        parts = []
        for relation in relations:
            side = core.into if relation in ("supports", "opposes") else core.out
            names = sorted(core.name(other) for other in side[curie].get(relation, []))
            if names:
                parts.append(f"{relation}: {'; '.join(names)}")
        if parts:
            sites = sorted(core.name(s) for s in core.out[curie].get("arises_in", []))
            definition = f" ({row[3]})" if row[3] and "defined_by" in relations else ""
            lines.append((sites[0] if sites else "~", row[1], f"{row[1]}{definition} | {' | '.join(parts)}"))
    print("\n".join(line for _, _, line in sorted(lines)))


def sample(core: Core, seed: int, size: int) -> None:
    rest: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for subject, relation, obj, _ in core.edges:
        if relation not in READ_IN_FULL:
            rest[relation].append((subject, obj))
    total = sum(map(len, rest.values()))
    generator = random.Random(seed)
    for relation, pairs in sorted(rest.items()):
        k = min(len(pairs), max(20, round(size * len(pairs) / total)))
        for subject, obj in sorted(generator.sample(pairs, k)):
            print(f"{core.name(subject)} | {relation} | {core.name(obj)}")


def check(core: Core, ontologies: Path | None) -> dict[str, Any]:
    sign = {}
    for curie in core.node:
        for marker in core.out[curie].get("result_of", []):
            name = core.name(curie).lower()
            if name.endswith((" positive", " negative")):
                sign[curie] = (marker, name.endswith(" positive"))
    doubtful = []
    for relation, expected in (("supports", True), ("opposes", False)):
        for result, (marker, positive) in sign.items():
            for disease in core.out[result].get(relation, []):
                shows = marker in core.out[disease].get("stains_positive_for", [])
                lacks = marker in core.out[disease].get("stains_negative_for", [])
                agrees, denies = (shows, lacks) if positive == expected else (lacks, shows)
                if denies and not agrees:
                    doubtful.append([core.name(result), relation, core.name(disease)])
    diseases = [c for c, row in core.node.items() if row[2] == "disease"]
    above = {c: core.ancestors(c) for c in diseases}
    tumours = [c for c in diseases if NEOPLASM in above[c]]
    findings = {c: set(core.into[c].get("supports", [])).union(*(core.out[c].get(r, []) for r in FINDINGS))
                for c in tumours}
    report: dict[str, Any] = {
        "nodes": len(core.node), "edges": len(core.edges), "forms": len({row[0] for row in rows("forms_*.tsv")}),
        "contradicting_results": doubtful, "tumours": len(tumours),
        "tumours_with_five_findings": sum(len(f) >= 5 for f in findings.values()),
        "diseases_outside_the_roots": [core.name(c) for c in diseases if not above[c] & {NEOPLASM, OTHER}
                                       and c not in (NEOPLASM, OTHER, "MONDO:0000001")
                                       and not re.search(r"disorder$", core.name(c))],
    }
    if ontologies:
        parents = hierarchy(ontologies)
        stated = [(s, o) for s, r, o, source in core.edges if r in ("is_a", "part_of")
                  and source in ("MONDO", "Uberon") and s in parents and o in parents]
        good = sum(o in closure(parents, s) for s, o in stated)
        report["ontology_edges"] = {"edges": len(stated), "follow_from_the_files": good}
    return report


def hierarchy(folder: Path) -> dict[str, set[str]]:
    """is_a and part_of parents of every MONDO and Uberon term."""
    parents: dict[str, set[str]] = defaultdict(set)
    with gzip.open(folder / "mondo.json.gz", "rt", encoding="utf-8") as handle:
        for term in json.load(handle):
            parents["MONDO:" + term["id"]] |= {"MONDO:" + p for p in term.get("relations", {}).get("is_a", [])}
    current = ""
    with gzip.open(folder / "mondo_uberon_import.obo.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if line.startswith("["):
                current = ""
            elif line.startswith("id: "):
                current = words[1]
                parents[current] |= set()
            elif current and line.startswith("is_a: "):
                parents[current].add(words[1])
            elif current and line.startswith(("relationship: BFO:0000050 ", "relationship: part_of ")):
                parents[current].add(words[2])
    return parents


def closure(parents: dict[str, set[str]], curie: str) -> set[str]:
    seen: set[str] = set()
    waiting = [curie]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def readings() -> dict[str, Any]:
    """Counts of the review log and the error rate of the documented sample, with its 95% Wilson interval."""
    log = rows("review.tsv")
    by_reading: dict[str, Counter[str]] = defaultdict(Counter)
    for *_, decision, reason in log:
        reading = reason.split(":")[0]
        if reason.startswith(DERIVED):
            reading = "derived from look-alikes"
        elif not reading.endswith(("second reading", "third reading")):
            reading = "first reading, completion, hierarchy"
        by_reading[reading][decision] += 1
    third = third_reading(Core(), log)
    verdicts = rows("sample_review.tsv")
    faults = [row for row in verdicts if row[3] == "fault"]
    n, p, z = len(verdicts), len(faults) / len(verdicts), 1.96
    centre, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    read, dropped = sum(row["edges"] for row in third.values()), sum(row["dropped"] for row in third.values())
    return {"third_reading": {**third, "all": {"edges": read, "dropped": dropped, "error_rate": round(dropped / read, 4)}},
            "decisions": {reading: dict(counts) for reading, counts in sorted(by_reading.items())},
            "sample": {"edges": n, "faults": len(faults), "error_rate": round(p, 4),
                       "interval_95": [round((centre - half) / (1 + z * z / n), 4), round((centre + half) / (1 + z * z / n), 4)],
                       "relations": len({row[1] for row in verdicts}), "listed": [row[:3] + row[4:] for row in faults]}}


def third_reading(core: Core, log: list[list[str]]) -> dict[str, dict[str, Any]]:
    """Edges read one by one in the third reading (those that it dropped included), and how many it dropped."""
    project: set[str] = set()
    waiting = [node for row in rows("tcga_projects.tsv") for node in row[3].split("|")]
    while waiting:
        node = waiting.pop()
        if node not in project:
            project.add(node)
            waiting += core.into[node]["is_a"]
    kept = Counter(relation if relation in THIRD_READING else "stains outside the projects"
                   for subject, relation, _, _ in core.edges
                   if relation in THIRD_READING or (relation.startswith("stains_") and subject not in project))
    dropped = Counter(relation if relation in THIRD_READING else "stains outside the projects"
                      for _, relation, _, decision, reason in log
                      if reason.startswith("third reading") and decision == "dropped" and relation.startswith((*THIRD_READING, "stains_")))
    return {name: {"edges": kept[name] + dropped[name], "dropped": dropped[name],
                   "error_rate": round(dropped[name] / (kept[name] + dropped[name]), 4)} for name in sorted(kept)}


def unlinked(text: str, spans: list[tuple[int, int]], longest: int = 4) -> Iterator[str]:
    """Phrases of up to ``longest`` words that lie outside the linked spans and cross no punctuation."""
    masked = list(text)
    for start, end in spans:
        masked[start:end] = "|" * (end - start)
    for piece in re.split(r"[^A-Za-z' /-]+", "".join(masked)):
        words = re.findall(r"[a-z][a-z'-]+", piece.lower())
        for size in range(1, longest + 1):
            for first in range(len(words) - size + 1):
                yield " ".join(words[first:first + size])


def mine(reports: list[Path], size: int, least: int) -> None:
    """Print phrases that many reports hold and the linker does not link."""
    import pathkg
    from pathkg.linking import Linker

    known = Counter(word for row in rows("forms_*.tsv") for word in set(re.findall(r"[a-z][a-z'-]+", row[0].lower())))
    plain = {"of", "the", "and", "in", "with", "to", "is", "are", "a", "an", "or", "by", "for", "from", "at", "on", "no",
             "not", "up", "but", "than", "left", "right", "part", "into", "less", "more"}
    linker = Linker(pathkg.load())
    found: Counter[str] = Counter()
    for path in reports:
        for line in path.read_text(encoding="utf-8").splitlines():
            text = json.loads(line)["text"]
            spans = [(mention.start, mention.end) for mention in linker.link(text).mentions]
            found.update(phrase for phrase in set(unlinked(text, spans))
                         if all(word in known for word in phrase.split())
                         and not {phrase.split()[0], phrase.split()[-1]} & plain)
    chosen = [(count, phrase) for phrase, count in found.items() if count >= least]
    for count, phrase in sorted(chosen, key=lambda item: (-item[0], item[1]))[:size]:
        print(f"{count}\t{phrase}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="edges grouped per disease, for reading")
    listing.add_argument("--relation", nargs="+", default=["supports", "opposes"])
    listing.add_argument("--disease", default="", help="only diseases with this text in their name")
    drawn = commands.add_parser("sample", help="a seeded sample of the relations not read in full")
    drawn.add_argument("--seed", type=int, default=2024)
    drawn.add_argument("--size", type=int, default=400)
    checks = commands.add_parser("check", help="consistency, as JSON")
    checks.add_argument("--ontologies", type=Path, help="folder of the ontology files")
    commands.add_parser("readings", help="the review log and the error rate of the sample read, as JSON")
    mining = commands.add_parser("mine", help="frequent phrases of reports that are not linked")
    mining.add_argument("--reports", type=Path, nargs="+", required=True, help="JSON lines with a text field")
    mining.add_argument("--size", type=int, default=200)
    mining.add_argument("--least", type=int, default=5, help="reports that hold the phrase, at least")
    arguments = parser.parse_args()
    if arguments.command == "readings":
        print(json.dumps(readings(), indent=1, ensure_ascii=False))
        return
    if arguments.command == "mine":
        mine(arguments.reports, arguments.size, arguments.least)
        return
    core = Core()
    if arguments.command == "list":
        show(core, arguments.relation, arguments.disease)
    elif arguments.command == "sample":
        sample(core, arguments.seed, arguments.size)
    else:
        print(json.dumps(check(core, arguments.ontologies), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
