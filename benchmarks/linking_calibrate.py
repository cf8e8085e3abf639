"""Fit the probabilities of grounded spans: ``python benchmarks/linking_calibrate.py [--write]`` prints JSON.

The map from how a candidate was found to the probability that it is right is fitted on the even texts of the dev parts of
NCBI-disease and BC5CDR, and tried on the odd ones: expected calibration error of the raw scores and of the probabilities.
``--write`` puts the map into ``pathkg/linking/calibration.tsv``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from linking_parts.corpora import BC5CDR, NCBI, pubtator, vocabulary_of
from linking_parts.data import data_folder

from pathkg.linking import Linker, calibration

Case = tuple[str, float, bool]


def cases(folder: Path) -> tuple[list[Case], list[Case]]:
    """``(how, score, right)`` of the best candidate of every mappable mention that has one: even texts, odd texts."""
    vocabulary = vocabulary_of(folder)
    linker = Linker(vocabulary.graph, generic="all", specialise=False)
    halves: tuple[list[Case], list[Case]] = ([], [])
    for path, kind in ((NCBI, None), (BC5CDR, "Disease")):
        for number, (text, gold) in enumerate(pubtator(folder / path, kind)):
            for mention in gold:
                best = linker.ground_in(text, mention.start, mention.end)
                if best and mention.ids & vocabulary.mappable:
                    right = bool(vocabulary.ids.get(vocabulary.graph.curie(best[0].node), frozenset()) & mention.ids)
                    halves[number % 2].append((best[0].how, best[0].score, right))
    return halves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the fitted map into the package")
    args = parser.parse_args()
    even, odd = cases(data_folder())
    fitted = calibration.fit(even)
    table = {way: tuple((score, p) for score, p, _ in points) for way, points in fitted.items()}
    if args.write:
        lines = [f"{way}\t{score:.4f}\t{p:.4f}\t{n}" for way, points in fitted.items() for score, p, n in points]
        target = Path(calibration.__file__).with_name("calibration.tsv")
        target.write_text("way\tscore\tprobability\tcases\n" + "\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps({
        "fitted_on": len(even), "tried_on": len(odd), "right_of_tried": round(sum(r for *_, r in odd) / len(odd), 4),
        "error_of_raw_scores": round(calibration.expected_error([(score, right) for _, score, right in odd]), 4),
        "error_of_probabilities": round(calibration.expected_error(
            [(calibration.probability(how, score, table), right) for how, score, right in odd]), 4),
        "ways": {way: {"cases": sum(n for *_, n in points), "probability": [round(p, 3) for _, p, _ in points]}
                 for way, points in fitted.items() if way}}, indent=1))


if __name__ == "__main__":
    main()
