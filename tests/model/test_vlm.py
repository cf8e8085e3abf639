"""The slide VLM: numerics, masks, save and load, generation."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch")
pytest.importorskip("transformers", reason="the trainer needs transformers")

from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor  # noqa: E402

from datagen.slides import FeatureBag, write_bag  # noqa: E402
from model.bags import from_feature_bag, load_bag  # noqa: E402
from model.language_models import tiny_lm  # noqa: E402
from model.vlm import SlideEncoderConfig, SlideVLMConfig, build_vlm  # noqa: E402
from model.vlm.attention import dilated_attention  # noqa: E402
from model.vlm.build import tag_embedding  # noqa: E402
from model.vlm.encoder import SlideEncoder  # noqa: E402
from model.vlm.processor import check_tags  # noqa: E402
from pathkg.errors import InputError  # noqa: E402

DIM = 8
TEXTS = ["The slide shows keratin pearls. <think> 1. squamous cell carcinoma </think>"] * 4
ENCODER = {"feature_dim": DIM, "hidden_size": 32, "num_heads": 4, "num_layers": 2, "segment_lengths": [4, 8],
           "dilation_rates": [1, 2], "num_tokens": 5}


def make_bag(n: int, *, seed: int = 0, dim: int = DIM, coords: bool = True) -> FeatureBag:
    rng = np.random.default_rng(seed)
    places = np.stack([np.arange(n) % 6, np.arange(n) // 6], axis=1) * 512 + 2048
    return FeatureBag(features=rng.normal(size=(n, dim)), coords=places if coords else None, tile_size_level0=512,
                      magnification=20.0, slide=f"s{seed}")


@pytest.fixture(scope="module")
def built():
    torch.set_num_threads(1)
    return build_vlm(tiny_lm(TEXTS, vocab_size=300, hidden_size=32, num_layers=2), encoder=ENCODER)


@pytest.fixture
def files(tmp_path):
    return [str(write_bag(tmp_path / f"slide{i}.h5", make_bag(n, seed=i))) for i, n in enumerate((9, 14, 5))]


def full_attention(q, k, v, mask):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :]) \
        * mask[:, None, :, None]


# --- dilated attention ----------------------------------------------------------------------------------------

def random_qkv(n, heads=4, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, heads, n, 6, generator=generator) for _ in range(3)]


@pytest.mark.parametrize("n", [1, 5, 16])
def test_one_segment_without_dilation_is_full_attention(n):
    q, k, v = random_qkv(n)
    mask = torch.ones(2, n, dtype=torch.bool)
    mask[1, (n + 1) // 2:] = False
    ours = dilated_attention(q, k, v, mask, segment_lengths=[64], dilation_rates=[1])
    torch.testing.assert_close(ours, full_attention(q, k, v, mask))


def brute_force(q, k, v, mask, lengths, rates):
    """The published formula with Python loops: every pattern's outputs weighted by its softmax denominator."""
    batch, heads, n, width = q.shape
    out = torch.zeros_like(q)
    for b in range(batch):
        for h in range(heads):
            for i in range(n):
                if not mask[b, i]:
                    continue
                total, mixed = 0.0, torch.zeros(width)
                for w, r in zip(lengths, rates, strict=True):
                    if (i % w) % r != h % r:
                        continue
                    start = i // w * w
                    js = [j for j in range(start, min(start + w, n)) if (j - start) % r == h % r and mask[b, j]]
                    e = torch.stack([(q[b, h, i] @ k[b, h, j] / width ** 0.5).exp() for j in js])
                    total = total + e.sum()
                    mixed = mixed + sum(x * v[b, h, j] for x, j in zip(e, js, strict=True))
                out[b, h, i] = mixed / total
    return out


@pytest.mark.parametrize(("lengths", "rates"), [([4], [1]), ([4, 8], [1, 2]), ([2, 4, 16], [1, 2, 4])])
def test_mixed_patterns_follow_the_formula(lengths, rates):
    q, k, v = random_qkv(13)
    mask = torch.ones(2, 13, dtype=torch.bool)
    mask[1, 9:] = False
    ours = dilated_attention(q, k, v, mask, segment_lengths=lengths, dilation_rates=rates)
    torch.testing.assert_close(ours, brute_force(q, k, v, mask, lengths, rates), atol=1e-5, rtol=1e-5)


def test_chunks_change_neither_values_nor_gradients():
    results = []
    for bound in (2 ** 24, 1):
        q, k, v = random_qkv(40)
        q.requires_grad_()
        out = dilated_attention(q, k, v, torch.ones(2, 40, dtype=torch.bool), segment_lengths=[8, 16],
                                dilation_rates=[1, 2], max_scores=bound)
        out.square().sum().backward()
        results.append((out.detach(), q.grad))
    torch.testing.assert_close(results[0], results[1])


# --- the encoder ----------------------------------------------------------------------------------------------

KINDS = [("dilated", 5), ("dilated", None), ("gated_attention", 3), ("resampler", 4), ("none", None), ("none", 2)]


def encoder(kind, tokens, **options):
    torch.manual_seed(0)
    return SlideEncoder(SlideEncoderConfig(**{**ENCODER, "kind": kind, "num_tokens": tokens, **options})).eval()


def packed(n, seed=0):
    return torch.from_numpy(from_feature_bag(make_bag(n, seed=seed)).packed()).unsqueeze(0)


@pytest.mark.parametrize(("kind", "tokens"), KINDS)
@pytest.mark.parametrize("filler", [0.0, 7.5, float("nan")])
def test_padding_changes_nothing_whatever_it_holds(kind, tokens, filler):
    model, bag = encoder(kind, tokens), packed(11)
    alone = model(bag, torch.ones(1, 11))
    padded = torch.cat([bag, torch.full((1, 9, DIM + 3), filler)], dim=1)
    mask = torch.cat([torch.ones(1, 11), torch.zeros(1, 9)], dim=1)
    beside = model(padded, mask)
    assert beside.mask.sum() == alone.mask.sum()
    torch.testing.assert_close(beside.tokens[beside.mask], alone.tokens[alone.mask], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kind", "tokens"), [("gated_attention", 3), ("resampler", 4), ("none", 2)])
def test_pooling_encoders_do_not_care_for_the_order(kind, tokens):
    model, bag = encoder(kind, tokens), packed(12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model(bag[:, order], torch.ones(1, 12)).tokens, model(bag, torch.ones(1, 12)).tokens,
                               atol=1e-5, rtol=1e-5)


def test_dilated_encoder_is_equivariant_in_one_segment_and_not_in_several():
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    bag, mask = packed(12), torch.ones(1, 12)
    one = encoder("dilated", None, segment_lengths=[16], dilation_rates=[1])
    torch.testing.assert_close(one(bag[:, order], mask).tokens, one(bag, mask).tokens[:, order], atol=1e-5, rtol=1e-5)
    several = encoder("dilated", None)
    assert not torch.allclose(several(bag[:, order], mask).tokens, several(bag, mask).tokens[:, order], atol=1e-3)


def test_place_and_magnification_matter():
    model, mask = encoder("dilated", 5), torch.ones(1, 10)
    bag = packed(10)
    moved, closer = bag.clone(), bag.clone()
    moved[..., DIM] += 3
    closer[..., -1] = 5.0
    here = model(bag, mask).tokens
    assert not torch.allclose(model(moved, mask).tokens, here, atol=1e-4)
    assert not torch.allclose(model(closer, mask).tokens, here, atol=1e-4)


@pytest.mark.parametrize("kind", ["gated_attention", "resampler", "dilated"])
def test_attention_over_patches_is_a_distribution(kind):
    mask = torch.ones(1, 10)
    mask[0, 7:] = 0
    attention = encoder(kind, 4)(packed(10), mask).attention
    torch.testing.assert_close(attention.sum(-1), torch.ones(1, 4))
    assert attention[..., 7:].detach().abs().max() < 1e-6


@pytest.mark.parametrize(("fields", "told"), [
    ({"kind": "dilatd"}, "did you mean 'dilated'"),
    ({"kind": "gated_attention", "num_tokens": None}, "needs a number of tokens"),
    ({"num_heads": 5}, "not a multiple of num_heads"),
    ({"dilation_rates": [2, 4]}, "start with 1"),
    ({"dilation_rates": [1]}, "one dilation rate for each"),
    ({"segment_lengths": [4, 9], "dilation_rates": [1, 2]}, "multiple of its dilation rate"),
])
def test_impossible_encoders_are_refused(fields, told):
    with pytest.raises(InputError, match=told):
        SlideEncoderConfig(**{**ENCODER, **fields})


# --- the bags -------------------------------------------------------------------------------------------------

def with_value(bag, value):
    features = bag.features.copy()
    features[3, 1] = value
    return FeatureBag(features=features, coords=bag.coords, tile_size_level0=512)


@pytest.mark.parametrize(("bag", "told"), [
    (make_bag(4, dim=DIM + 1), "dimension 9, the model was built for 8"),
    (FeatureBag(features=np.zeros((0, DIM)), coords=np.zeros((0, 2))), "the bag is empty"),
    (with_value(make_bag(6), np.nan), "1 of 6 patches have features that are NaN"),
    (with_value(make_bag(6), np.inf), "NaN or infinite"),
    (make_bag(4, coords=False), "no coordinates"),
])
def test_bad_bags_are_refused_with_the_reason(tmp_path, bag, told):
    path = write_bag(tmp_path / "bad.h5", bag)
    with pytest.raises(InputError, match=told) as caught:
        load_bag(str(path), feature_dim=DIM)
    assert "bad.h5" in str(caught.value)
    assert caught.value.hint


def test_order_in_the_file_does_not_matter(tmp_path):
    bag = make_bag(20)
    shuffled = bag.take(np.random.default_rng(0).permutation(20))
    first = load_bag(str(write_bag(tmp_path / "a.h5", bag)))
    second = load_bag(str(write_bag(tmp_path / "b.h5", shuffled)))
    np.testing.assert_array_equal(first.packed(), second.packed())
    assert not np.array_equal(first.order, second.order)


def test_grid_is_laid_out_only_when_asked(tmp_path):
    path = str(write_bag(tmp_path / "a.h5", make_bag(5, coords=False)))
    bag = load_bag(path, missing_coords="grid", order="given")
    assert bag.grid.tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1]]


def test_a_region_at_two_magnifications_is_one_bag(tmp_path):
    low = FeatureBag(features=np.ones((2, DIM)), coords=[[0, 0], [1024, 0]], tile_size_level0=1024, magnification=5.0)
    high = FeatureBag(features=np.zeros((3, DIM)), coords=[[0, 0], [256, 0], [0, 256]], tile_size_level0=256,
                      magnification=20.0)
    paths = [str(write_bag(tmp_path / f"{name}.h5", b)) for name, b in (("low", low), ("high", high))]
    bag = load_bag(";".join(paths))
    assert sorted(bag.magnification.tolist()) == [5.0, 5.0, 20.0, 20.0, 20.0]


def test_clusters_can_be_left_out(tmp_path):
    path = str(write_bag(tmp_path / "a.h5", make_bag(6)))
    np.save(tmp_path / "c.npy", np.array([0, 0, 1, 1, 2, 2]))
    kept = load_bag(f"{path}#without=1&clusters={tmp_path / 'c.npy'}")
    assert sorted(kept.order.tolist()) == [0, 1, 4, 5]
    np.testing.assert_array_equal(kept.features[kept.order.argsort()], make_bag(6).features[[0, 1, 4, 5]])


@pytest.mark.parametrize(("fragment", "told"), [
    ("#withot=1&clusters=x.npy", "did you mean 'without'"),
    ("#without=1", "belong together"),
    ("#without=1&clusters=missing.npy", "no cluster file"),
])
def test_bad_selectors_are_refused(tmp_path, fragment, told):
    path = str(write_bag(tmp_path / "a.h5", make_bag(6)))
    with pytest.raises(InputError, match=told):
        load_bag(path + fragment)


# --- the whole model ------------------------------------------------------------------------------------------

PROMPTS = ["<image> What is the diagnosis?", "<image> Which organ is this, and why?", "<image> Grade?"]


def batch(processor, files, prompts=PROMPTS, side="left"):
    return processor(images=[[f] for f in files], text=prompts, padding=True, padding_side=side, return_tensors="pt")


def test_processor_places_one_token_per_slide_token(built, files):
    _, processor = built
    inputs = batch(processor, files)
    assert inputs["pixel_values"].shape == (3, 14, DIM + 3)
    assert inputs["pixel_attention_mask"].sum(1).tolist() == [9, 14, 5]
    assert (inputs["input_ids"] == processor.image_token_id).sum(1).tolist() == [5, 5, 5]


def test_all_patches_can_be_placed(files):
    vlm, processor = build_vlm(tiny_lm(TEXTS, vocab_size=300, hidden_size=32), encoder={**ENCODER, "num_tokens": None})
    inputs = batch(processor, files)
    assert (inputs["input_ids"] == processor.image_token_id).sum(1).tolist() == [9, 14, 5]
    assert torch.isfinite(vlm(**inputs).logits).all()


def test_a_batch_gives_what_each_row_gives_alone(built, files):
    vlm, processor = built
    together = vlm(**batch(processor, files)).logits[:, -1]
    alone = torch.cat([vlm(**batch(processor, [f], [p])).logits[:, -1] for f, p in zip(files, PROMPTS, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_the_slide_changes_the_logits_and_takes_gradient(built, files):
    vlm, processor = built
    one, two = (vlm(**batch(processor, [f], PROMPTS[:1])) for f in files[:2])
    assert not torch.allclose(one.logits[:, -1], two.logits[:, -1], atol=1e-5)
    inputs = batch(processor, files)
    vlm(**inputs, labels=inputs["input_ids"]).loss.backward()
    dead = [n for n, p in vlm.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    vlm.zero_grad()
    assert dead == []


def test_rows_without_a_bag_can_stand_beside_rows_with_one(built, files):
    vlm, processor = built
    inputs = processor(images=[[files[0]], []], text=[PROMPTS[0], "Which organ?"], padding=True, padding_side="left",
                       return_tensors="pt")
    mixed = vlm(**inputs).logits[:, -1]
    words = processor(text="Which organ?", return_tensors="pt")
    torch.testing.assert_close(mixed[1], vlm(**words).logits[0, -1], atol=1e-4, rtol=1e-4)


def test_save_and_load_give_equal_logits_through_the_auto_classes(built, files, tmp_path):
    vlm, processor = built
    vlm.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert isinstance(AutoConfig.from_pretrained(tmp_path), SlideVLMConfig)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    reader = AutoProcessor.from_pretrained(tmp_path)
    assert (reader.num_tokens, reader.feature_dim, reader.chat_template) == (5, DIM, processor.chat_template)
    torch.testing.assert_close(again(**batch(reader, files)).logits, vlm(**batch(processor, files)).logits,
                               atol=0, rtol=0)
    assert again.lm_head.weight.data_ptr() == again.get_input_embeddings().weight.data_ptr()


def test_generate_uses_the_slide(built, files):
    vlm, processor = built
    inputs = batch(processor, files[:1], PROMPTS[:1])
    kwargs = {"max_new_tokens": 6, "do_sample": False, "output_scores": True, "return_dict_in_generate": True,
              "min_new_tokens": 6}
    cached = vlm.generate(**inputs, **kwargs)
    fresh = vlm.generate(**inputs, **kwargs, use_cache=False)
    assert cached.sequences.tolist() == fresh.sequences.tolist()
    for a, b in zip(cached.scores, fresh.scores, strict=True):
        finite = torch.isfinite(b)
        torch.testing.assert_close(a[finite], b[finite], atol=1e-4, rtol=1e-4)
    other = vlm.generate(**batch(processor, files[1:2], PROMPTS[:1]), **kwargs)
    finite = torch.isfinite(cached.scores[0])
    assert not torch.allclose(other.scores[0][finite], cached.scores[0][finite], atol=1e-5)


def test_chat_template_puts_the_image_where_the_part_stands(built):
    _, processor = built
    words = processor.apply_chat_template(
        [{"role": "system", "content": "S"},
         {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Q"}]}], add_generation_prompt=True)
    assert words == ("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n<image>Q<|im_end|>\n"
                     "<|im_start|>assistant\n")


@pytest.mark.parametrize(("images", "text", "told"), [
    ([["x.h5"]], "no placeholder", "holds <image> 0 times"),
    (None, "<image> q", "holds <image> 1 times for 0 bag"),
    ([["a.h5", "b.h5"]], "<image> q", "join the files"),
    ([["a.h5"], ["b.h5"]], "<image> q", "2 images for 1 texts"),
    ([["missing.h5"]], "<image> q", "no feature file missing.h5"),
    ([[3]], "<image> q", "an image is a int"),
])
def test_bad_processor_calls(built, images, text, told):
    _, processor = built
    with pytest.raises(InputError, match=told):
        processor(images=images, text=text)


def test_text_cut_inside_the_slide_names_the_knobs(built, files):
    vlm, processor = built
    inputs = batch(processor, files[:1], PROMPTS[:1])
    inputs["input_ids"], inputs["attention_mask"] = inputs["input_ids"][:, 2:], inputs["attention_mask"][:, 2:]
    with pytest.raises(InputError, match=r"raise\s+max_length"):
        vlm(**inputs)


def test_tags_start_apart_from_each_other_and_near_their_pieces():
    table = torch.randn(300, 64, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    # an opening and a closing tag share all pieces but one of many
    pieces = table[torch.tensor([[1, 10, 11, 12, 13, 14], [2, 10, 11, 12, 13, 14]])]
    opening, closing = (tag_embedding(p, table, generator) for p in pieces)
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(pieces[0].mean(0), pieces[1].mean(0), dim=0) > 0.7  # what the mean alone would give
    assert cosine(opening, closing, dim=0) < 0.5
    assert cosine(opening, pieces[0].mean(0), dim=0) > 0.2
    assert float(opening.norm()) == pytest.approx(float(table.norm(dim=1).mean()), rel=1e-5)
    again = tag_embedding(pieces[0], table, torch.Generator().manual_seed(1))
    assert torch.equal(opening, again)


def test_tags_are_single_tokens_and_survive_decoding(built):
    _, processor = built
    check_tags(processor.tokenizer)
    ids = processor.tokenizer("<think>a</think>", add_special_tokens=False)["input_ids"]
    assert processor.tokenizer.decode(ids, skip_special_tokens=True) == "<think>a</think>"
    _, bare = tiny_lm(TEXTS, vocab_size=300, hidden_size=32)
    with pytest.raises(InputError, match="no tokens <observe>"):
        check_tags(bare)
