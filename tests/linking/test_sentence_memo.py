"""A text read in sentences says what the same text says when it is read whole, however often and in whatever order."""

from __future__ import annotations

import sys
import threading
from random import Random

import pytest

import pathkg
from pathkg.linking import Linker
from pathkg.linking.sentences import Sentence, SentenceMemo, ends
from pathkg.linking.tokens import has_strict_stops
from pathkg.rewards.redteam import gold_cases


class Whole(Linker):
    """Reads every text as one piece."""

    def _sentences(self, text: str) -> list[tuple[int, Sentence]]:
        return [(0, self._reader.learn(text, strict=has_strict_stops(text)))]


@pytest.fixture(scope="module")
def linkers() -> tuple[Linker, Whole]:
    graph = pathkg.load()
    return Linker(graph), Whole(graph)


HARD = [
    "Right colon, hemicolectomy. Adenocarcinoma. The serosa is involved. pT3 NO Mx.",
    "Pathologic stage. T2. N1 is likely. Ductal carcinoma of the. Left breast.",
    "Clinical history: breast carcinoma. Mastectomy. Diagnosis: Invasive ductal carcinoma. Mastectomy specimen.",
    "CLINICAL HISTORY. Left upper lobe cancer. Gross: A mass. No tumor is seen in the bronchus.",
    "Lymphovascular invasion (LVI) is present. LVI is extensive. No perineural invasion (PNI). PNI: absent.",
    "Gleason grade 4 + 3. Prostate: adenocarcinoma. S100, SOX10 and Melan-A positive. HMB45-.",
    "No evidence of. Carcinoma. Margins: negative. Invasion: - . Necrosis: 0%.",
    "Anterior and posterior margins are free. Lymphatic and vascular invasion. Is present.",
    "Positive for CAM5.2. PGP9.5 negative. H3.3 G34R. Tumor type. II papillary renal cell carcinoma type. II",
    "no capital here. margins free of tumor. no nodes. 3 nodes seen. lymph nodes: negative for tumor.",
    "MSI is high. ER positive. ER. No. 2. A. B. C. St. John. E. coli. J. Doe.",
    "the. The. the. Tumor of the. The colon. of. Of. of. Of. of. Of. of. Of. of. Of. of. Of. of. Of carcinoma.",
    "", ".", ". A", " . . . A. ", "A.\nB.\n- C. D", "carci-\nnoma. Adeno. Carcinoma",
]


def texts() -> list[str]:
    cases = gold_cases()
    sentences = [s for c in cases for s in (c.report + " " + c.gold.render()).split(". ")]
    rng = Random(5)
    mixed = [rng.choice((". ", ".\n", ". ", "; ")).join(rng.choices(sentences + HARD, k=rng.randint(1, 14))) for _ in range(400)]
    return [*HARD, *(c.report for c in cases), *(c.gold.render() for c in cases), *mixed, *(t.lower() for t in mixed[:80]),
            *(t.upper() for t in mixed[:80])]


def test_sentences_say_what_the_whole_text_says(linkers: tuple[Linker, Whole]) -> None:
    cut, whole = linkers
    for text in texts():
        assert cut.entities(text) == whole.entities(text), text
        assert cut.link(text) == whole.link(text), text


def test_the_same_sentence_means_what_its_own_text_makes_of_it(linkers: tuple[Linker, Whole]) -> None:
    cut, _ = linkers
    names = [[m.name for m in cut.link(f"{organ}. Adenocarcinoma is seen.")][-1]
             for organ in ("Right hemicolectomy", "Gastrectomy", "Right hemicolectomy")]
    assert names[0] == names[2] != names[1]


def test_cutting_covers_the_text_and_stays_linear(linkers: tuple[Linker, Whole]) -> None:
    text = "pT2. Nodes of. The colon. Free."
    cuts = ends(text, strict=False)
    assert cuts[-1] == len(text)
    assert cuts == sorted(set(cuts))
    hostile = "Of. " * 3000
    placed = linkers[0]._sentences(hostile)
    at = 0
    for base, sentence in placed:
        assert hostile[base:base + len(sentence.text)] == sentence.text
        assert not hostile[at:base].strip(" ")
        at = base + len(sentence.text)
    assert at == len(hostile)
    assert len(linkers[0]._reader.memos[0]) < 3000


def test_the_memo_stays_within_its_bound(linkers: tuple[Linker, Whole]) -> None:
    memo = SentenceMemo(limit=400)
    for i in range(500):
        memo.put(linkers[0]._reader.learn(f" Sentence number {i} on carcinoma.", strict=False))
    assert len(memo) < 60
    assert memo.get(" Sentence number 499 on carcinoma.") is not None
    assert memo.get(" Sentence number 3 on carcinoma.") is None


def test_threads_share_one_linker(linkers: tuple[Linker, Whole]) -> None:
    cut, whole = linkers
    given = texts()[:60]
    wanted = [whole.entities(t) for t in given]
    wrong: list[str] = []

    def work(seed: int) -> None:
        for i in Random(seed).sample(range(len(given)), len(given)):
            if cut.entities(given[i]) != wanted[i]:
                wrong.append(given[i])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong
