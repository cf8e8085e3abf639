"""What a sentence-embedding model adds to grounding: ``python benchmarks/linking_dense.py MODEL_FOLDER`` prints JSON.

Gold-span accuracy on NCBI-disease (dev) and the first 100 texts of BC5CDR (dev) without and with the model as last resort, how
many spans only the model answered and how many of those it got right, and its cost.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from linking_parts.corpora import BC5CDR, NCBI, pubtator, vocabulary_of
from linking_parts.data import data_folder

from pathkg.linking import Linker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder of a sentence-embedding model for transformers")
    args = parser.parse_args()
    folder = data_folder()
    vocabulary = vocabulary_of(folder)
    graph = vocabulary.graph
    plain = Linker(graph, generic="all", specialise=False)
    dense = Linker(graph, generic="all", specialise=False, dense=args.model)
    start = time.process_time()
    dense.ground("a phrase that no form resembles at all")
    figures: dict[str, Any] = {"seconds_to_embed_the_names": round(time.process_time() - start, 1)}
    for name, path, kind, most in (("ncbi", NCBI, None, None), ("bc5cdr", BC5CDR, "Disease", 100)):
        n = without = with_model = answered = helped = 0
        start = time.process_time()
        for text, gold in list(pubtator(folder / path, kind))[:most]:
            for mention in gold:
                if not mention.ids & vocabulary.mappable:
                    continue
                n += 1
                right = []
                for linker in (plain, dense):
                    best = linker.ground_in(text, mention.start, mention.end)
                    right.append(bool(best) and bool(vocabulary.ids.get(graph.curie(best[0].node), frozenset()) & mention.ids))
                without += right[0]
                with_model += right[1]
                if best and best[0].how.startswith("embedding"):
                    answered += 1
                    helped += right[1]
        figures[name] = {"mentions": n, "accuracy_without": round(without / n, 4), "accuracy_with": round(with_model / n, 4),
                         "answered_by_the_model_alone": answered, "of_these_right": helped,
                         "seconds_for_both": round(time.process_time() - start, 1)}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
