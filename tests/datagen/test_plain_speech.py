"""What a pathologist would strike out: faults of plans and wording that were met once, as patterns."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datagen.api import GenerateOptions, Generator
from datagen.cases import read_cases
from datagen.filters.duplicates import PERMUTATIONS, NearDuplicates
from datagen.filters.templating import KEPT_GRAMS, TemplatingAudit
from datagen.plan import Plan
from datagen.records import Case
from datagen.writers.phrases import noun
from datagen.writers.wordings import extent

KIDNEY = ("Kidney, left, partial nephrectomy. Chromophobe renal cell carcinoma with tubular pattern, eosinophilic cytoplasm and "
          "perinuclear halos. Tumor confined to kidney. Tumor size: 3.0 cm. No lymphovascular invasion. pT1a pN0.")
COLON = ("Colon and spleen, splenectomy and right hemicolectomy. Colonic adenocarcinoma, moderately differentiated, with "
         "ulceration. Splenectomy specimen without tumor. {nodes} No perineural invasion. Invasion through the muscularis "
         "propria. pT3 {n}.")
BLADDER = ("Bladder, radical cystectomy. Left ureter, right ureter and ureter margins are sampled. Ureter without tumor. Invasive "
           "urothelial carcinoma of the bladder, high grade, with perivesical fat invasion and ulceration. pT3b.")


def planned(generator: Generator, text: str) -> Plan:
    plan = generator.generate(Case("c", "c", text)).plan
    assert plan is not None
    return plan


def said(generator: Generator, text: str) -> list[str]:
    return [s.text for s in generator.generate(Case("c", "c", text)).samples]


def test_the_procedure_is_one_of_the_organ_and_the_organ_the_one_removed(generator: Generator) -> None:
    plan = planned(generator, COLON.format(nodes="", n="pN0"))
    assert plan.procedure is None or "splenectomy" not in plan.procedure.name
    bladder = planned(generator, BLADDER)
    assert bladder.organ is not None
    assert bladder.organ.id == "UBERON:0001255"
    stained = planned(generator, "Liver, immunohistochemistry. Hepatocellular carcinoma with trabecular pattern, fatty change "
                                 "and bile production. Cirrhosis of liver. Vascular invasion is absent.")
    assert stained.procedure is None


@pytest.mark.parametrize(("nodes", "n", "told"), [
    ("Lymph node metastasis: 0/12 lymph nodes.", "pN0", False),
    ("Lymph node metastasis in 2/12 lymph nodes.", "pN1", True)])
def test_nodes_agree_with_their_category(generator: Generator, nodes: str, n: str, told: bool) -> None:
    plan = planned(generator, COLON.format(nodes=nodes, n=n))
    assert any(f.id == "PATHKG:lymph-node-metastasis" for f in plan.present) is told
    counts = [m.value[0] > 0 for m in plan.measures if m.kind == "nodes"]
    assert all(c is told for c in counts)


@pytest.mark.parametrize(("margins", "answer"), [
    ("Margins: Uninvolved.", r"(?:negative|uninvolved|clear|not involved)\.$"),
    ("The surgical margins are free of tumor.", r"(?:negative|uninvolved|clear|not involved)\.$"),
    ("Tumor extends to the margin.", r"positive margin"),
    ("Margins: Not specified.", None), ("", None),
    ("Proximal margin: negative. The deep surgical margin is positive for carcinoma.", None)])
def test_margins_are_asked_of_reports_that_state_them(generator: Generator, margins: str, answer: str | None) -> None:
    case = Case("c", "c", COLON.format(nodes=margins, n="pN0"))
    found = Generator(generator.graph, options=GenerateOptions(kinds=("margin",))).generate(case).samples
    assert len(found) == (answer is not None)
    if answer is not None:
        assert re.search(answer, found[0].answer)
        assert found[0].evidence[0]["text"] in margins
        assert "margin" not in found[0].observe


def test_a_place_for_the_word_metastasis_is_not_a_metastasis(generator: Generator) -> None:
    plan = planned(generator, KIDNEY.replace("pN0", "pN0") + " Distant metastasis: pMX. Metastasis.")
    assert not {"PATHKG:distant-metastasis", "PATHKG:metastasis"} & {f.id for f in plan.present}


def test_rivals_without_a_home_are_not_borrowed_from_a_class(generator: Generator) -> None:
    names = {d.name for d in planned(generator, KIDNEY).differentials}
    assert not names & {"squamous cell carcinoma", "adenosquamous carcinoma", "adenocarcinoma", "sarcoma"}


def test_a_criterion_of_several_categories_defines_none(generator: Generator) -> None:
    plan = planned(generator, KIDNEY)
    category = plan.category("pT")
    assert category is not None
    assert category.shared
    assert category.defined_by
    for seed in range(8):
        text = " ".join(said(generator, KIDNEY + " " * seed))
        assert not re.search(r"onfined to kidney (?:defines|by definition|amounts|qualifies|leads|corresponds)", text)


def test_links_of_a_class_come_from_the_book_of_the_organ(generator: Generator) -> None:
    text = ("Thyroid gland, total thyroidectomy. Papillary thyroid carcinoma, classic variant, with papillary pattern, psammoma "
            "bodies and nuclear grooves. Lymphovascular invasion is present. Extrathyroidal extension is present. pT3.")
    sources = {k.main_edge.source for k in planned(generator, text).support if k.main_nodes[1].id != k.target_id}
    assert not {s for s in sources if s.startswith("WHO-") and "endocrine" not in s}


@pytest.mark.parametrize(("name", "words"), [
    ("septum formation in tumor", ("septum formation in tumor", False)), ("sheet of cells", ("sheets of cells", True)),
    ("residual tumor", ("residual tumor", False)), ("keratin pearl", ("keratin pearls", True))])
def test_the_verb_agrees_with_the_head(name: str, words: tuple[str, bool]) -> None:
    assert noun(name) == words


def test_sizes_are_written_cleanly_or_not_at_all() -> None:
    assert [extent(t) for t in ("4.5X 3.0 x2 cm", "1 X 0 x1.5cm", "1.7cm")] == ["4.5 x 3.0 x 2 cm", "", "1.7 cm"]


def test_wording_of_many_samples(generator: Generator, examples: list[Case]) -> None:
    for case in examples:
        for sample in generator.generate(case).samples:
            assert not re.search(r"\b(\w+) \1\b|\bstage:? stage|, \.|\ba [aeio]\w+ is|\.\.", sample.text, re.IGNORECASE), sample.text
            starts = Counter(" ".join(s.split()[:2]) for s in sample.steps)
            assert starts.most_common(1)[0][1] <= 2, sample.steps


def test_ids_stay_unique_when_a_record_takes_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps({"case_id": i, "text": "Lung."}) + "\n" for i in ("e", "e", "e#2", "e", "e#2")))
    names = [c.case_id for c in read_cases(path)]
    assert names[:2] == ["e", "e#2"]
    assert len(set(names)) == 5


def test_the_same_text_is_found_in_a_crowd() -> None:
    random = np.random.default_rng(3)
    near = NearDuplicates()
    crowd = random.integers(0, 2**32, (90, PERMUTATIONS), dtype=np.uint32)
    crowd[:, :PERMUTATIONS // 2] = crowd[0, :PERMUTATIONS // 2]  # all alike in half of the bands
    for number, row in enumerate([*crowd, crowd[70]]):
        near.add(f"case {number}", row)
    assert near.find(0.85) == {90: 70}


def test_pruning_leaves_room_whatever_the_counts() -> None:
    audit = TemplatingAudit()
    audit._grams = Counter({("a", str(i)): 2 + i % 3 for i in range(KEPT_GRAMS + 1)})
    audit._prune()
    assert len(audit._grams) <= KEPT_GRAMS // 2
