"""Configuration of the slide VLM: a slide encoder, a projector and any causal LM that transformers knows."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PretrainedConfig

from pathkg.errors import InputError, did_you_mean

ENCODERS = ("dilated", "gated_attention", "resampler", "none")
"""``dilated`` is LongNet's dilated attention; ``gated_attention`` pools as ABMIL does; ``resampler`` lets learned
latents read the bag; ``none`` only projects the patch features."""

POSITION_CHANNELS = 3
"""Last channels of ``pixel_values``: grid x, grid y, magnification."""


class SlideEncoderConfig(PretrainedConfig):  # type: ignore[misc]
    """The slide encoder.

    Args:
        feature_dim: dimension D of the patch features (CONCH 512, UNI 1024, Virchow2 2560, ...).
        kind: one of :data:`ENCODERS`.
        hidden_size: width of the encoder.
        num_layers: blocks of the encoder (``dilated`` and ``resampler``).
        num_heads: attention heads; must divide ``hidden_size``.
        mlp_ratio: width of a block's MLP in units of ``hidden_size``.
        segment_lengths: LongNet's w: the bag is cut in segments of these lengths, one attention for each.
        dilation_rates: LongNet's r: within a segment every r-th patch takes part. Same length as
            ``segment_lengths``; the first must be 1, so that no patch is left without attention.
        num_tokens: tokens that the language model sees for one bag; ``None`` places one token per patch
            (``dilated`` and ``none`` only).
        segment_chunk: how many attention scores (queries x keys, all heads) are held at once; bounds the memory.
        dropout: dropout in the blocks.
    """

    model_type = "pathkg_slide_encoder"

    def __init__(self, feature_dim: int = 512, kind: str = "dilated", hidden_size: int = 512, num_layers: int = 2,
                 num_heads: int = 8, mlp_ratio: float = 4.0,
                 segment_lengths: tuple[int, ...] | list[int] = (1024, 4096, 16384),
                 dilation_rates: tuple[int, ...] | list[int] = (1, 4, 16), num_tokens: int | None = 64,
                 segment_chunk: int = 2 ** 24, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feature_dim = feature_dim
        self.kind = kind
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.mlp_ratio = mlp_ratio
        self.segment_lengths = list(segment_lengths)
        self.dilation_rates = list(dilation_rates)
        self.num_tokens = num_tokens
        self.segment_chunk = segment_chunk
        self.dropout = dropout
        self._check()

    def _check(self) -> None:
        if self.kind not in ENCODERS:
            raise InputError(f"there is no slide encoder {self.kind!r}",
                             hint=did_you_mean(self.kind, ENCODERS) or f"known: {', '.join(ENCODERS)}")
        if self.num_tokens is None and self.kind in ("gated_attention", "resampler"):
            raise InputError(f"the {self.kind} encoder needs a number of tokens",
                             hint="set num_tokens, or use kind: dilated to place every patch")
        if self.hidden_size % self.num_heads:
            raise InputError(f"hidden_size {self.hidden_size} is not a multiple of num_heads {self.num_heads}",
                             hint="choose num_heads among the divisors of hidden_size")
        if self.hidden_size % 4:
            raise InputError(f"hidden_size {self.hidden_size} is not a multiple of 4",
                             hint="the sine-cosine position code takes a quarter of the width for each part")
        if len(self.segment_lengths) != len(self.dilation_rates) or not self.segment_lengths:
            raise InputError(f"{len(self.segment_lengths)} segment lengths but {len(self.dilation_rates)} "
                             "dilation rates", hint="give one dilation rate for each segment length")
        if self.dilation_rates[0] != 1:
            raise InputError(f"the first dilation rate is {self.dilation_rates[0]}",
                             hint="start with 1: otherwise some patches take part in no attention")
        for length, rate in zip(self.segment_lengths, self.dilation_rates, strict=True):
            if rate < 1 or length < 1 or length % rate:
                raise InputError(f"segment length {length} is not a multiple of dilation rate {rate}",
                                 hint="make each segment length a multiple of its dilation rate")


class SlideVLMConfig(PretrainedConfig):  # type: ignore[misc]
    """The whole model.

    Args:
        text_config: configuration of the language model (or a dict with its ``model_type``).
        encoder_config: :class:`SlideEncoderConfig` (or a dict).
        image_token_id: token that stands for one slide token in ``input_ids``.
        projector_hidden_size: width of the projector's hidden layer; the language model's width when ``None``.
        tag_tokens: the trajectory tags are single tokens of the tokenizer (set by the builder).
    """

    model_type = "pathkg_slide_vlm"
    sub_configs = {"text_config": AutoConfig, "encoder_config": SlideEncoderConfig}  # noqa: RUF012

    def __init__(self, text_config: Any = None, encoder_config: Any = None, image_token_id: int = 0,
                 projector_hidden_size: int | None = None, tag_tokens: bool = True, **kwargs: Any) -> None:
        if isinstance(text_config, dict):
            text_config = AutoConfig.for_model(**text_config)
        elif text_config is None:
            text_config = AutoConfig.for_model("llama")
        if isinstance(encoder_config, dict):
            encoder_config = SlideEncoderConfig(**encoder_config)
        elif encoder_config is None:
            encoder_config = SlideEncoderConfig()
        self.text_config = text_config
        self.encoder_config = encoder_config
        self.image_token_id = image_token_id
        self.projector_hidden_size = projector_hidden_size
        self.tag_tokens = tag_tokens
        # read by TRL when it loads the reference model by the class names below
        kwargs.setdefault("auto_map", dict(AUTO_MAP))
        kwargs.setdefault("tie_word_embeddings", bool(getattr(text_config, "tie_word_embeddings", False)))
        super().__init__(**kwargs)


AUTO_MAP = {
    "AutoConfig": "config.SlideVLMConfig",
    "AutoModelForImageTextToText": "modeling.SlideVLM",
    "AutoModelForCausalLM": "modeling.SlideVLM",
    "AutoProcessor": "processor.SlideVLMProcessor",
}
"""Which class serves which Auto class. The code is not shipped with the weights: ``import model.vlm`` registers
the classes, and then the Auto classes find them."""
