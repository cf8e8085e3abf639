"""The slide vision-language model in Hugging Face form: config, encoder, model, processor, Auto classes."""

from __future__ import annotations

from model.extras import require

require("torch")
require("transformers")

from model.vlm.build import build_vlm  # noqa: E402
from model.vlm.config import SlideEncoderConfig, SlideVLMConfig  # noqa: E402
from model.vlm.modeling import SlideVLM, SlideVLMModel  # noqa: E402
from model.vlm.processor import SlideVLMProcessor  # noqa: E402
from model.vlm.register import register  # noqa: E402

register()

__all__ = ["SlideEncoderConfig", "SlideVLM", "SlideVLMConfig", "SlideVLMModel", "SlideVLMProcessor", "build_vlm", "register"]
