"""The slide VLM, in the shape of transformers' own vision-language models.

``SlideVLM`` holds the language-model head; ``SlideVLM.model`` is the backbone whose forward returns
``last_hidden_state``. TRL's fused log-probabilities call the backbone directly, so this split is not a matter of
taste.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from model.vlm.config import SlideVLMConfig
from model.vlm.encoder import SlideEncoder, SlideTokens, check_pixel_values
from pathkg.errors import InputError


@dataclass
class SlideVLMOutput(CausalLMOutputWithPast):  # type: ignore[misc]
    """As transformers' causal LM output, with ``image_hidden_states``: the projected slide tokens, one row each."""

    image_hidden_states: Tensor | None = None


class Projector(nn.Module):  # type: ignore[misc]
    """Slide tokens to the language model's width: linear, GELU, linear, then a learned common scale.

    The scale starts at the size of the language model's own embeddings, so that the first slide tokens are
    neither a whisper nor a shout among the words.
    """

    def __init__(self, config: SlideVLMConfig) -> None:
        super().__init__()
        width = config.text_config.hidden_size
        inner = config.projector_hidden_size or width
        self.linear_1 = nn.Linear(config.encoder_config.hidden_size, inner)
        self.act = nn.GELU()
        self.linear_2 = nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.norm(self.linear_2(self.act(self.linear_1(tokens)))) * self.scale


class SlideVLMPreTrainedModel(PreTrainedModel):  # type: ignore[misc]
    """What both classes share."""

    config_class = SlideVLMConfig
    base_model_prefix = "model"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = ["DilatedBlock"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True


class SlideVLMModel(SlideVLMPreTrainedModel):
    """Slide encoder, projector and language model without its head."""

    def __init__(self, config: SlideVLMConfig) -> None:
        super().__init__(config)
        self.slide_encoder = SlideEncoder(config.encoder_config)
        self.projector = Projector(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.language_model.get_input_embeddings()
        return embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def encode_slides(self, pixel_values: Tensor, pixel_attention_mask: Tensor | None = None) -> SlideTokens:
        """The slide tokens before the projector; see :class:`~model.vlm.encoder.SlideTokens`."""
        check_pixel_values(pixel_values, self.config.encoder_config)
        if pixel_attention_mask is None:
            pixel_attention_mask = torch.ones(pixel_values.shape[:2], dtype=torch.bool, device=pixel_values.device)
        encoded: SlideTokens = self.slide_encoder(pixel_values, pixel_attention_mask)
        return encoded

    def get_image_features(self, pixel_values: Tensor, pixel_attention_mask: Tensor | None = None) -> Tensor:
        """Projected slide tokens of all rows, one after the other, shape (total tokens, width of the LM)."""
        encoded = self.encode_slides(pixel_values, pixel_attention_mask)
        projected: Tensor = self.projector(encoded.tokens)
        return projected[encoded.mask]

    def forward(self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None,
                position_ids: Tensor | None = None, past_key_values: Any = None,
                inputs_embeds: Tensor | None = None, pixel_values: Tensor | None = None,
                pixel_attention_mask: Tensor | None = None, **kwargs: Any) -> BaseModelOutputWithPast:
        kwargs.pop("return_dict", None)
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None:
            if input_ids is None:
                raise InputError("pixel_values came without input_ids", hint="pass the processor's input_ids")
            slide = self.get_image_features(pixel_values, pixel_attention_mask)
            places = input_ids == self.config.image_token_id
            wanted = int(places.sum())
            if wanted != len(slide):
                raise InputError(
                    f"the text holds {wanted} slide tokens, the bags give {len(slide)}",
                    hint="the text was cut inside its slide tokens, or not made by this model's processor: raise "
                         "max_length, or lower num_tokens")
            inputs_embeds = inputs_embeds.masked_scatter(
                places.unsqueeze(-1), slide.to(inputs_embeds.device, inputs_embeds.dtype))
        outputs: BaseModelOutputWithPast = self.language_model(
            attention_mask=attention_mask, position_ids=position_ids, past_key_values=past_key_values,
            inputs_embeds=inputs_embeds, return_dict=True, **kwargs)
        return outputs


class SlideVLM(SlideVLMPreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """The whole model; see :func:`model.vlm.build.build_vlm` for making one from a language model."""

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: SlideVLMConfig) -> None:
        super().__init__(config)
        self.model = SlideVLMModel(config)
        self.lm_head = nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size, bias=False)
        # language models name their embeddings differently (embed_tokens, wte, ...)
        embeddings = self.model.get_input_embeddings()
        name = next(name for name, module in self.model.named_modules() if module is embeddings)
        self._tied_weights_keys = {"lm_head.weight": f"model.{name}.weight"}
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        self.lm_head = new_embeddings

    def forward(self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None,
                position_ids: Tensor | None = None, past_key_values: Any = None,
                inputs_embeds: Tensor | None = None, pixel_values: Tensor | None = None,
                pixel_attention_mask: Tensor | None = None, labels: Tensor | None = None,
                logits_to_keep: int | Tensor = 0, **kwargs: Any) -> SlideVLMOutput:
        loss_kwargs = {k: kwargs.pop(k) for k in ("num_items_in_batch",) if k in kwargs}
        outputs = self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids,
            past_key_values=past_key_values, inputs_embeds=inputs_embeds, pixel_values=pixel_values,
            pixel_attention_mask=pixel_attention_mask, **kwargs)
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.text_config.vocab_size,
                                      **loss_kwargs)
        return SlideVLMOutput(loss=loss, logits=logits, past_key_values=outputs.past_key_values,
                              hidden_states=outputs.hidden_states, attentions=outputs.attentions)

    def prepare_inputs_for_generation(self, input_ids: Tensor, past_key_values: Any = None,
                                      attention_mask: Tensor | None = None, inputs_embeds: Tensor | None = None,
                                      pixel_values: Tensor | None = None, pixel_attention_mask: Tensor | None = None,
                                      is_first_iteration: bool | None = None, **kwargs: Any) -> dict[str, Any]:
        """As transformers' own, with the bag at the first step only: later steps find it in the key-value cache."""
        if is_first_iteration is not None:
            kwargs["is_first_iteration"] = is_first_iteration
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, past_key_values=past_key_values, attention_mask=attention_mask, inputs_embeds=inputs_embeds,
            **kwargs)
        first = _is_first_step(past_key_values, is_first_iteration)
        inputs["pixel_values"] = pixel_values if first or not kwargs.get("use_cache", True) else None
        inputs["pixel_attention_mask"] = pixel_attention_mask if inputs["pixel_values"] is not None else None
        return inputs


def _is_first_step(past_key_values: Any, is_first_iteration: bool | None) -> bool:
    if is_first_iteration is not None:
        return is_first_iteration
    return past_key_values is None or int(past_key_values.get_seq_length()) == 0
