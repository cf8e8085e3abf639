"""SFT on TRL's own trainer: rows, priors, stages, LoRA, resuming."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the trainer needs torch")
pytest.importorskip("trl", reason="the trainer needs trl")

import torch
from safetensors.torch import load_file

import pathkg
from model.bags import load_bag
from model.data.entities import step_spans, text_spans
from model.data.samples import read_samples
from model.training.config import parse_run
from model.training.parts import OutOfMemoryError, load_vlm, memory_guard, set_trainable
from model.training.priors import PriorSettings, measure_priors, model_fingerprint
from model.training.rows import build_rows, quotas
from model.training.sft import run_sft
from pathkg.errors import InputError
from pathkg.linking import linker_for


@pytest.fixture(scope="module")
def loaded(tiny):
    return (*load_vlm(tiny["vlm"]), read_samples(tiny["train"]))


@pytest.fixture(scope="module")
def linker():
    return linker_for(pathkg.load())


@pytest.fixture(scope="module")
def priors(loaded, linker, tmp_path_factory):
    vlm, processor, samples = loaded
    cache = tmp_path_factory.mktemp("priors")
    found, report = measure_priors(vlm, processor, samples[:4], cache=cache, settings=PriorSettings(clusters=3),
                                   spans=lambda text: text_spans(text, linker))
    return cache, found, report


# --- rows -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("total", [1, 7, 10, 33])
def test_quotas_sum_and_stay_within_one_of_the_share(total):
    shares = {"masked": 2.0, "full": 1.0, "pseudo": 0.5}
    counts = quotas(total, shares)
    assert sum(counts.values()) == total
    assert all(abs(counts[k] - total * shares[k] / 3.5) < 1 for k in shares)


def test_rows_hold_what_generation_will_see(loaded):
    _, processor, samples = loaded
    rows, counts = build_rows(samples, processor, mix={"full": 1}, seed=0, system_prompt="S")
    assert counts == {"full": len(samples)}
    row = next(r for r in rows if r.sample == samples[0].id)
    assert row.prompt == (f"<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n<image>{samples[0].ask()}<|im_end|>\n"
                          "<|im_start|>assistant\n")
    assert row.completion == samples[0].text + "<|im_end|>"
    assert row.images == (samples[0].image,)


def test_mixed_rows_have_the_asked_shares_and_the_seed_decides(loaded, linker, priors):
    _, processor, samples = loaded
    make = lambda seed: build_rows(samples[:4], processor, mix={"masked": 2, "full": 1, "pseudo": 1}, seed=seed,  # noqa: E731
                                   rows=40, mask_share=0.5, spans=lambda t: step_spans(t, linker), priors=priors[1])
    rows, counts = make(0)
    assert {k: counts[k] for k in ("masked", "full", "pseudo")} == {"masked": 20, "full": 10, "pseudo": 10}
    assert rows == make(0)[0]
    assert rows != make(1)[0]
    assert any("[MASK]" in r.prompt for r in rows if r.kind == "masked")
    assert not any("[MASK]" in r.completion for r in rows)
    for row in rows:
        assert ("#without=" in row.images[0]) == (row.kind == "pseudo")
    whole = {s.id: len(load_bag(s.image)) for s in samples}
    for row in rows:
        bag = load_bag(row.images[0])
        assert (len(bag) < whole[row.sample]) == (row.kind == "pseudo")


def test_samples_without_a_trajectory_are_named(loaded):
    from dataclasses import replace

    _, processor, samples = loaded
    with pytest.raises(InputError, match=r"1 of 12 samples have no readable trajectory; first 'train-0003'"):
        build_rows([replace(s, text="words") if s.id == "train-0003" else s for s in samples], processor,
                   mix={"full": 1}, seed=0)


# --- priors ---------------------------------------------------------------------------------------------------

def test_delta_is_the_drop_in_the_log_likelihood_of_the_entity_tokens(loaded, linker, priors):
    """Against a plain, unbatched computation with the model's own logits."""
    vlm, processor, samples = loaded
    sample = samples[0]
    prior = priors[1][sample.id]
    from model.data.prompts import completion_text, prompt_text

    def likelihood(bag):
        target = completion_text(processor, sample.text)
        prompt = prompt_text(processor, sample)
        head = processor(images=[[bag]], text=[prompt], return_tensors="pt", add_special_tokens=False)
        tail = processor.tokenizer(target, add_special_tokens=False, return_offsets_mapping=True)
        ids = torch.cat([head["input_ids"], torch.tensor([tail["input_ids"]])], dim=1)
        with torch.no_grad():
            logits = vlm(input_ids=ids, pixel_values=head["pixel_values"],
                         pixel_attention_mask=head["pixel_attention_mask"]).logits.log_softmax(-1)
        start = head["input_ids"].shape[1]
        spans = text_spans(sample.text, linker)
        picked = [float(logits[0, start + i - 1, token]) for i, (token, (a, b)) in
                  enumerate(zip(tail["input_ids"], tail["offset_mapping"], strict=True))
                  if any(a < s.end and b > s.start for s in spans)]
        assert picked
        return np.mean(picked)

    bag = load_bag(sample.image, order="given")
    labels = np.array(prior.clusters)
    whole = likelihood(bag)
    expected = [whole - likelihood(bag.take(labels != c)) for c in range(labels.max() + 1)]
    assert prior.delta == pytest.approx(expected, abs=1e-4)


def test_priors_come_from_the_cache_and_a_cut_file_is_finished(loaded, linker, priors):
    vlm, processor, samples = loaded
    cache, found, report = priors
    assert (report.measured, report.cached) == (4, 0)
    arguments = {"cache": cache, "settings": PriorSettings(clusters=3), "spans": lambda t: text_spans(t, linker)}
    again, second = measure_priors(vlm, processor, samples[:4], **arguments)
    assert (second.measured, second.cached) == (0, 4)
    assert again == found
    ledger = cache / "delta-loglik.jsonl"
    whole = ledger.read_text()
    ledger.write_text(whole[:-20])
    rest, third = measure_priors(vlm, processor, samples[:4], **arguments)
    assert (third.measured, third.cached) == (1, 3)
    assert {k: v.delta for k, v in rest.items()} == {k: pytest.approx(v.delta) for k, v in found.items()}


def test_another_model_is_measured_again(loaded):
    vlm, _, _ = loaded
    before = model_fingerprint(vlm)
    with torch.no_grad():
        vlm.model.projector.scale.add_(1e-3)
        after = model_fingerprint(vlm)
        vlm.model.projector.scale.sub_(1e-3)
    assert before != after


def test_entity_score_estimator_uses_the_models_own_answers(loaded, tmp_path):
    vlm, processor, samples = loaded
    asked = []

    def score(text, sample):
        asked.append(text)
        return 1.0 if len(asked) == 1 else 0.25

    found, report = measure_priors(vlm, processor, samples[:1], cache=tmp_path, score=score,
                                   settings=PriorSettings(clusters=3, estimator="entity_score", max_new_tokens=4))
    assert report.measured == 1
    assert found[samples[0].id].delta == (0.75,) * (len(asked) - 1)


# --- runs -----------------------------------------------------------------------------------------------------

def losses(figures):
    return [e["eval_loss"] for e in figures["stages"]["all"]["history"] if "eval_loss" in e]


def test_training_moves_every_part_and_lowers_the_held_back_loss(sft_run, tiny):
    figures = run_sft(sft_run(trainer={"max_steps": 24, "save_strategy": "no", "learning_rate": 2e-2}))
    before, after = losses(figures)[0], losses(figures)[-1]
    assert after < 0.6 * before
    old, new = (load_file(Path(p) / "model.safetensors") for p in (tiny["vlm"], figures["model"]))
    assert old.keys() == new.keys()
    unmoved = [n for n in old if torch.equal(old[n], new[n])]
    assert unmoved == []
    card = (Path(figures["model"]) / "README.md").read_text()
    assert f"{before:.4f}" in card
    assert "Not for diagnosis" in card


def test_an_interrupted_run_that_resumes_equals_one_that_was_not(sft_run):
    from transformers import TrainerCallback, trainer

    whole = run_sft(sft_run(name="whole"))

    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **kwargs):
            if state.global_step == 2:
                raise KeyboardInterrupt

    original = trainer.DEFAULT_CALLBACKS.copy()
    trainer.DEFAULT_CALLBACKS.append(Stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_sft(sft_run(name="cut"))
    finally:
        trainer.DEFAULT_CALLBACKS[:] = original
    resumed = run_sft(sft_run(name="cut"))
    assert resumed["stages"]["all"]["resumed_from"].endswith("checkpoint-2")
    first, second = (load_file(Path(f["model"]) / "model.safetensors") for f in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_stages_freeze_what_they_do_not_train_and_finished_ones_are_skipped(sft_run, tiny):
    stages = [{"name": "projector", "train": ["projector"], "trainer": {"max_steps": 2}},
              {"name": "all", "trainer": {"max_steps": 1}}]
    run = sft_run(stages=stages, trainer={"save_strategy": "no"})
    figures = run_sft(run)
    old = load_file(Path(tiny["vlm"]) / "model.safetensors")
    middle = load_file(Path(run.output) / "projector" / "model" / "model.safetensors")
    moved = {n for n in old if not torch.equal(old[n], middle[n])}
    assert moved
    assert all(n.startswith("model.projector.") for n in moved)
    assert run_sft(run)["model"] == figures["model"]


def test_lora_leaves_a_plain_model_and_trains_encoder_and_projector_in_full(sft_run, tiny):
    run = sft_run(model={"path": tiny["vlm"], "lora": {"r": 2, "alpha": 4}}, trainer={"save_strategy": "no"})
    figures = run_sft(run)
    old, new = (load_file(Path(p) / "model.safetensors") for p in (tiny["vlm"], figures["model"]))
    assert old.keys() == new.keys()
    moved = {n for n in old if not torch.equal(old[n], new[n])}
    assert {n for n in old if "slide_encoder" in n or "projector" in n} <= moved
    assert {n for n in moved if "language_model" in n} == {
        n for n in old if "language_model.layers" in n and "norm" not in n}


def test_pseudo_bags_and_masks_run_through_the_trainer(sft_run):
    run = sft_run(augment={"mix": {"masked": 1, "full": 1, "pseudo": 1}, "rows": 9, "pseudo": {"clusters": 3}},
                  trainer={"max_steps": 1, "save_strategy": "no"})
    figures = run_sft(run)
    assert figures["rows"] == {"masked": 3, "full": 3, "pseudo": 3}
    assert (Path(run.output) / "priors" / "delta-loglik.jsonl").is_file()


def test_captions_pretrain_the_projector(sft_run, tiny):
    run = parse_run({**json.loads(sft_run(name="captions").model_dump_json()),
                     "stages": [{"name": "projector", "train": ["projector", "encoder"]}]}, "pretrain")
    figures = run_sft(run, captions=True)
    old, new = (load_file(Path(p) / "model.safetensors") for p in (tiny["vlm"], figures["model"]))
    moved = {n for n in old if not torch.equal(old[n], new[n])}
    assert moved
    assert not any("language_model" in n for n in moved)
    assert figures["kind"] == "pretrain"


def test_the_feature_dimension_is_read_from_the_first_bag(tiny):
    from model.training.config import ModelSection
    from model.training.parts import fitted

    samples = read_samples(tiny["train"])
    section = ModelSection(lm=tiny["lm"], encoder={"hidden_size": 32, "num_heads": 4})
    assert fitted(section, samples).encoder["feature_dim"] == 32
    told = ModelSection(lm=tiny["lm"], encoder={"feature_dim": 7})
    assert fitted(told, samples) == told  # what is said stands, and a wrong one is an error at the first bag
    assert fitted(ModelSection(path=tiny["vlm"]), samples).encoder == {}


def test_the_system_prompt_of_training_is_found_beside_the_weights(sft_run, tiny):
    from model.data.prompts import SYSTEM_PROMPT
    from model.training.card import system_prompt_of

    run = sft_run(data={"train": tiny["train"], "system_prompt": "Short."}, trainer={"max_steps": 1})
    assert system_prompt_of(run_sft(run)["model"]) == "Short."
    assert system_prompt_of(tiny["vlm"]) == SYSTEM_PROMPT


def test_each_part_can_have_its_own_rate(sft_run, tiny):
    """A part whose rate is next to nothing hardly moves."""
    run = sft_run(stages=[{"name": "all", "rates": {"encoder": 1e-12, "projector": 1e-2}}],
                  trainer={"save_strategy": "no", "max_steps": 2, "lr_scheduler_type": "constant"})
    figures = run_sft(run)
    old, new = (load_file(Path(p) / "model.safetensors") for p in (tiny["vlm"], figures["model"]))
    change = {part: max(float((old[n] - new[n]).abs().max()) for n in old if part in n)
              for part in ("slide_encoder", "projector", "language_model")}
    assert change["slide_encoder"] < 1e-6
    assert change["projector"] > 5e-3
    assert 5e-4 < change["language_model"] < 5e-3


def test_only_the_named_parts_learn(loaded):
    vlm, _, _ = loaded
    counts = set_trainable(vlm, ["encoder", "lm"])
    assert counts["projector"] == 0
    assert counts["encoder"] > 0
    assert counts["lm"] > 0
    set_trainable(vlm, ["encoder", "projector", "lm"])


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(),
                                   RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")])
def test_running_out_of_memory_names_the_knobs(error):
    with pytest.raises(OutOfMemoryError, match=r"per_device_train_batch_size.*max_patches.*num_tokens"), \
            memory_guard():
        raise error


def test_other_failures_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shape"), memory_guard():
        raise RuntimeError("shape mismatch")


def test_a_tokenizer_without_the_tags_is_refused(tiny, sft_run):
    from transformers import AutoTokenizer

    from model.training.parts import save_model
    from model.vlm import build_vlm

    folder = Path(sft_run().output) / "bare"
    save_model(*build_vlm(tiny["lm"], encoder={"feature_dim": 32, "hidden_size": 32, "num_heads": 4}, tag_tokens=False),
               folder)
    assert "<think>" not in AutoTokenizer.from_pretrained(folder).get_vocab()
    with pytest.raises(InputError, match=r"(?s)no tokens <observe>.*tag_tokens: false"):
        run_sft(sft_run(model={"path": str(folder)}))


def test_a_bag_of_another_encoder_stops_the_run_with_its_name(tiny, sft_run, tmp_path):
    from datagen.slides import FeatureBag, write_bag

    samples = [json.loads(line) for line in Path(tiny["train"]).read_text().splitlines()][:4]
    write_bag(tmp_path / "odd.h5", FeatureBag(features=np.ones((5, 16)), coords=np.zeros((5, 2))))
    for sample in samples:
        sample["image"] = str(tmp_path / "odd.h5")
    (tmp_path / "odd.jsonl").write_text("\n".join(map(json.dumps, samples)))
    with pytest.raises(InputError, match=r"odd\.h5: features have dimension 16, the model was built for 32"):
        run_sft(sft_run(data={"train": str(tmp_path / "odd.jsonl")}))


def test_training_leaves_standard_output_to_the_figures(sft_run, capsys, caplog):
    with caplog.at_level("INFO", logger="model.training"):
        run_sft(sft_run(trainer={"max_steps": 2, "save_strategy": "no", "logging_steps": 1}))
    assert capsys.readouterr().out == ""
    assert any(m.startswith("step 2 of 2: loss ") for m in caplog.messages)
