"""Alignment by words: encoder and projector learn, the language model stands still, nothing is done twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="the trainer needs torch")
pytest.importorskip("trl", reason="the trainer needs trl")

import torch

from model.data.samples import TrainingSample, read_samples
from model.training.align import align, lexicon, pieces_of, told
from model.training.config import AlignSection, parse_run
from model.training.parts import load_vlm
from model.training.sft import run_sft
from pathkg.errors import InputError

SHORT = AlignSection(steps=60, batch_size=8, learning_rate=3e-3, warmup_steps=5, top=2)


def test_words_of_every_caption_weigh_nothing_and_rare_ones_more():
    words = lexicon([[1, 2, 3], [1, 2, 4], [1, 5, 4]], vocabulary=50, seed=0)
    wanted = words.targets([[1, 2, 3], [1, 1, 1]])
    one, two, three = (words.places[i] for i in (1, 2, 3))
    assert wanted[0, one] == 0
    assert 0 < wanted[0, two] < wanted[0, three]
    assert float(wanted[0].sum()) == pytest.approx(1.0)
    assert float(wanted[1].sum()) == 0.0  # says nothing: no target, no NaN
    assert set(words.ids[:5]) == {1, 2, 3, 4, 5}
    assert len(set(words.ids)) == len(words.ids)


def test_captions_that_all_say_the_same_are_refused():
    with pytest.raises(InputError, match="same words"):
        lexicon([[1, 2], [2, 1]], vocabulary=10, seed=0)


@pytest.mark.parametrize(("sample", "words"), [
    (TrainingSample("1", "a.h5", "?", caption="A pearl.", text="<observe>x</observe>"), "A pearl."),
    (TrainingSample("1", "a.h5", "?", text="<observe>Seen.</observe><think>1. Why.</think><answer>This.</answer>"),
     "Seen. This."),
    (TrainingSample("1", "a.h5", "?", text="no blocks at all"), ""),
    (TrainingSample("1", "a.h5", "?"), "")])
def test_what_is_told_about_a_slide(sample, words):
    assert told(sample) == words


def test_it_learns_the_slide_and_touches_nothing_else(tiny, tmp_path):
    vlm, processor = load_vlm(tiny["vlm"])
    before = {name: tensor.clone() for name, tensor in vlm.state_dict().items()}
    samples, held_back = read_samples(tiny["train"]), read_samples(tiny["test"])
    vlm.model.projector.scale.requires_grad_(False)
    figures = align(vlm, processor, samples, held_back, SHORT, folder=tmp_path, seed=1)
    assert figures["precision_after"] >= 0.75 > figures["precision_before"]
    changed = {name.split(".")[1] for name, tensor in vlm.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"slide_encoder", "projector"}
    assert not vlm.model.projector.scale.requires_grad  # what was frozen is frozen again
    again, _ = load_vlm(tiny["vlm"])
    assert align(again, processor, samples, held_back, SHORT, folder=tmp_path, seed=1) == figures
    for name, tensor in vlm.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name  # read from the folder, not trained again
    other, _ = load_vlm(tiny["vlm"])
    align(other, processor, samples, held_back, SHORT, folder=tmp_path / "other", seed=1)
    for name, tensor in vlm.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name  # same seed, same weights


def test_samples_without_words_or_bag_are_refused(tiny, tmp_path):
    vlm, processor = load_vlm(tiny["vlm"])
    bare = [replace(s, caption="", text="") for s in read_samples(tiny["train"])]
    with pytest.raises(InputError, match="no sample has both"):
        align(vlm, processor, bare, [], SHORT, folder=tmp_path, seed=1)


def test_a_run_aligns_before_its_first_stage(sft_run):
    run = sft_run(align={"steps": 3, "batch_size": 4}, trainer={"max_steps": 1})
    figures = run_sft(run)
    assert [e["step"] for e in figures["align"]["history"]] == [1, 3]
    assert (parse_run(run.model_dump(), "sft").align or AlignSection()).steps == 3
    with pytest.raises(InputError) as caught:
        sft_run(align={"stepz": 3})
    assert "steps" in caught.value.hint
    with pytest.raises(InputError, match="align"):
        sft_run(align={"steps": 1}, stages=[{"name": "align"}])


def test_word_pieces_are_those_of_running_text(tiny):
    _, processor = load_vlm(tiny["vlm"])
    sample = TrainingSample("1", "", "?", caption="Keratin pearl.")
    assert processor.tokenizer.decode(pieces_of([sample], processor.tokenizer)[0]) == " Keratin pearl."
