"""Each filter with the sample it must stop and the one it must let pass."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from datagen.api import Generator
from datagen.filters import (
    BenchmarkIndex,
    FilterOptions,
    NearDuplicates,
    TemplatingAudit,
    check_text_filters,
    signature,
)
from datagen.filters.contamination import words
from datagen.filters.identifiers import find_identifiers, redact
from datagen.filters.templating import skeleton
from datagen.questions import Question
from datagen.records import Case, Sample
from pathkg.errors import InputError
from pathkg.trajectory import Trajectory


@pytest.fixture(scope="module")
def sample(generator: Generator, examples: list[Case]) -> Sample:
    return generator.generate(examples[0]).samples[0]


def test_a_good_sample_passes(sample: Sample) -> None:
    assert check_text_filters(sample, FilterOptions()) is None


@pytest.mark.parametrize(("changes", "name"), [
    ({"text": "too short"}, "length"),
    ({"text": "word " * 2000}, "length"),
    ({"steps": ("one",)}, "length"),
    ({"observe": "Seen."}, "length"),
    ({"text": "word " * 40 + "seen on 03/14/2011"}, "identifiers"),
    ({"question": "What did Dr. Miller find?"}, "identifiers"),
])
def test_text_filters(sample: Sample, changes: dict[str, object], name: str) -> None:
    changed = dataclasses.replace(sample, **changes)  # type: ignore[arg-type]
    found = check_text_filters(changed, FilterOptions())
    assert found is not None
    assert found.filter == name
    skipped = check_text_filters(changed, FilterOptions(skip=(name,)))
    assert skipped is None or skipped.filter != name


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(InputError, match="no filter 'lenght'"):
        FilterOptions(skip=("lenght",))


@pytest.mark.parametrize("text", [
    "03/14/2011", "2011-03-14", "March 14, 2011", "14th of Mar 2011 ".replace("of ", ""), "(555) 123-4567", "a.b@hospital.org",
    "https://x.org", "123-45-6789", "MRN: 0012345", "S11-12345", "TCGA-85-A512", "A49AF0B2-6C19-47D5-BD75-A6CB7F7057B9",
    "Dr. Miller", "John Smith, M.D.", "Mrs. Jones", "Patient name: Doe", "a 93-year-old man", "Mercy General Hospital"])
def test_identifiers_are_found(text: str) -> None:
    assert find_identifiers(f"seen {text} here"), text
    assert text not in redact(f"seen {text} here")


@pytest.mark.parametrize("text", [
    "Two of 12 lymph nodes (2/12), 2.5 x 1.0 x 0.8 cm, Gleason 3+4=7, pT2a pN0, 10-15% of cells, Ki-67 12%.",
    "Nottingham 6/9 (2+2+2), grade 2; ER 95%, 5/2011 high power fields; CK5/6, AE1/AE3, CD10, p40, HPV-16",
    "a 64-year-old woman; level 2A nodes 1/33; margins 0.4 cm; WHO-breast-2019; AJCC8; score 8/9"])
def test_pathology_is_not_an_identifier(text: str) -> None:
    assert find_identifiers(text) == []


def test_contamination_survives_case_and_punctuation_but_not_other_words() -> None:
    index = BenchmarkIndex(length=8)
    index.add("bench", "A 77-year-old woman presents with fever, malaise and night sweats since two weeks.")
    assert index.shared_with("a 77 YEAR old woman; presents with FEVER malaise") is not None
    assert index.shared_with("a 78 year old woman presents with cough, malaise and night sweats") is None
    assert words("pT2a, R0") == ["pt2a", "r0"]


def test_contamination_of_a_case_is_rejected(tmp_path: Path, examples: list[Case]) -> None:
    import pathkg
    from datagen.api import GenerateOptions

    (tmp_path / "bench.txt").write_text(f"Question: {examples[0].text} What is it?", "utf-8")
    index = BenchmarkIndex.of_files([tmp_path / "bench.txt"])
    generator = Generator(pathkg.load(), options=GenerateOptions(), benchmarks=index)
    made = generator.generate(examples[0])
    assert not made.samples
    assert {r.reason for r in made.rejected} == {"contamination"}
    assert generator.generate(examples[1]).samples


@pytest.mark.parametrize("hidden_in", ["name", "words"])
def test_leakage_is_rejected(generator: Generator, examples: list[Case], hidden_in: str) -> None:
    case = examples[0]
    plan = generator.plan(case, generator.read(case)[1])
    question = next(q for q in generator.questions(case, plan) if q.kind == "diagnosis")  # type: ignore[arg-type]
    said = plan.diagnosis.name if hidden_in == "words" else plan.diagnosis.text  # type: ignore[union-attr]
    steps = (f"This is {said}.", f"The diagnosis is {said}.")
    for observe, leaks in ((f"The sections show {said} with necrosis.", True), ("Necrosis is seen in the sections.", False)):
        trajectory = Trajectory(observe, steps, f"{said}.")
        leak = generator._leak(question, generator.certify(trajectory, case), trajectory)
        assert bool(leak) is leaks


def test_contradiction_within_a_trajectory_is_rejected(generator: Generator) -> None:
    from datagen.api import _contradiction

    report = ("Breast, left: invasive ductal carcinoma. Lymphovascular invasion is present in slide 1. "
              "Lymphovascular invasion is absent in slide 2.")
    case = Case("c", "p", report)
    both = Trajectory("Lymphovascular invasion is present.", ("Lymphovascular invasion is absent.",), "Invasive ductal carcinoma.")
    one = Trajectory("Lymphovascular invasion is present.", ("Lymphovascular invasion is present.",), "Invasive ductal carcinoma.")
    assert _contradiction(generator.certify(both, case))
    assert not _contradiction(generator.certify(one, case))


def test_minhash_estimates_the_true_similarity() -> None:
    random_ = random.Random(3)
    vocabulary = [f"w{i}" for i in range(3000)]
    for kept in (0.95, 0.7, 0.3):
        base = [random_.choice(vocabulary) for _ in range(1500)]
        other = list(base)
        for block in range(0, 1500, 50):  # replace whole stretches, so that the shingles go with them
            if random_.random() > kept:
                other[block:block + 50] = [random_.choice(vocabulary) for _ in range(50)]
        a, b = ({tuple(t[i:i + 5]) for i in range(len(t) - 4)} for t in (base, other))
        true = len(a & b) / len(a | b)
        estimate = float((signature(" ".join(base)) == signature(" ".join(other))).mean())
        assert abs(true - estimate) < 0.2


def test_near_duplicates_are_found_across_cases_only() -> None:
    near = NearDuplicates()
    text = "sheets of large cells with prominent nucleoli and brisk mitoses fill the node and efface its architecture entirely"
    for case, said in (("a", text), ("a", text), ("b", text.replace("entirely", "wholly")), ("c", "benign colonic mucosa " * 3)):
        near.add(case, signature(said))
    assert near.find(0.8) == {2: 0}
    assert NearDuplicates().find(0.8) == {}


def test_near_duplicates_of_many_unrelated_texts_are_none() -> None:
    random_ = np.random.default_rng(0)
    near = NearDuplicates()
    for i in range(5000):
        near.add(str(i), signature(" ".join(map(str, random_.integers(0, 5000, 60)))))
    assert near.find(0.85) == {}


def test_templating_audit_sees_a_mould_and_a_telltale_phrase() -> None:
    audit = TemplatingAudit()
    flagged = 0
    for i in range(60):
        flagged += audit.add("A", "_ quite plainly settles the matter for us", ("support",), share=0.1)
        audit.add("B", f"_ is variant number word{'x' * i} of many other ways", ("support", "state"), share=0.1)
    a, b = audit.report()
    assert flagged > 40
    assert (a.skeleton_share, a.ngram_purity) == (1.0, 1.0)
    assert b.skeleton_share < 0.05
    assert skeleton("Two “quoted” pearls (2 of 3).", []) == "two _ pearls _"


def test_wording_varies_between_cases_of_one_text(generator: Generator, examples: list[Case]) -> None:
    """The same report under other names must not read the same: the seed enters every choice."""
    frames = set()
    for i in range(8):
        made = generator.generate(dataclasses.replace(examples[0], case_id=f"X{i}"))
        frames.add(made.trajectory.observe)
    assert len(frames) >= 7


def test_question_evidence_keeps_spans_only() -> None:
    assert Question("given", "?", (), frozenset()).evidence == ()
