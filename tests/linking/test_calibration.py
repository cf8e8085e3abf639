"""Probabilities of grounded spans: rising, never certain, and worse for weaker ways of finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
import pytest

from pathkg.linking import calibration
from pathkg.linking.calibration import WAYS, expected_error, fit, probability, way_of
from pathkg.linking.dense import DenseIndex


@pytest.mark.parametrize("way", WAYS)
def test_probability_rises_with_the_score(way: str) -> None:
    found = [probability(way, score) for score in np.linspace(0, 1, 21)]
    assert found == sorted(found)
    assert 0 < found[0] <= found[-1] < 1


def test_an_exact_name_is_surer_than_a_shortened_phrase() -> None:
    assert probability("exact", 1.0) > probability("the end of the phrase", 0.8)


def test_reasons_keep_their_way() -> None:
    assert way_of("exact; HIT is short for 'heparin-induced thrombocytopenia'") == "exact"
    assert way_of("rewritten, words reordered") == "rewritten"
    assert way_of("initials of 'myotonic dystrophy' in the text") == "initials"


def test_violations_are_pooled() -> None:
    cases = [("exact", 0.5, True)] * 40 + [("exact", 0.9, False)] * 40 + [("near", 0.9, True)] * 40
    table = fit(cases)
    assert [round(p, 1) for _, p, _ in table["exact"]] == [0.5]  # a map that falls is made flat
    assert table["near"][0][1] > 0.9
    assert sum(n for *_, n in table[""]) == len(cases)


def test_fitted_probabilities_have_a_small_error() -> None:
    rng = np.random.default_rng(7)
    scores = rng.uniform(0.3, 1.0, 4000)
    right = rng.uniform(size=4000) < scores ** 3
    cases = [("near", float(s), bool(r)) for s, r in zip(scores, right, strict=True)]
    table = {way: tuple((s, p) for s, p, _ in points) for way, points in fit(cases[::2]).items()}
    raw = expected_error([(s, r) for _, s, r in cases[1::2]])
    fitted = expected_error([(probability("near", s, table), r) for _, s, r in cases[1::2]])
    assert fitted < 0.05 < raw


def test_the_table_in_the_package_names_known_ways() -> None:
    assert set(calibration._table()) <= {"", *WAYS}
    assert "" in calibration._table()


@dataclass
class _Lexicon:
    """Two names and a synonym: enough of a lexicon for the index."""

    n_keys: int = 3
    graph_hash: str = "sha256:0"
    forms: marisa_trie.Trie = field(default_factory=lambda: marisa_trie.Trie(["seizure", "chest pain", "fever"]))
    key_start: np.ndarray = field(default_factory=lambda: np.array([0, 1, 2, 3]))
    entry_kind: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.entry_kind = np.array([int(self.forms.restore_key(k) == "fever") for k in range(3)])


def test_dense_vectors_are_kept(tmp_path: Path) -> None:
    asked: list[int] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.append(len(texts))
        return np.array([[len(t), 1.0] for t in texts], np.float32)

    lexicon: Any = _Lexicon()
    first = DenseIndex(lexicon, embed=embed, cache=tmp_path).nearest("seizura")
    again = DenseIndex(lexicon, embed=embed, cache=tmp_path).nearest("seizura")
    assert first == again
    assert first[0][0] == "seizure"
    assert asked == [2, 1, 1]  # two names (a synonym is none) and one question, then one question
