"""Tell transformers' Auto classes about the slide VLM."""

from __future__ import annotations

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
)

from model.vlm.config import SlideEncoderConfig, SlideVLMConfig
from model.vlm.modeling import SlideVLM, SlideVLMModel
from model.vlm.processor import SlideVLMProcessor


def register() -> None:
    """Register config, models and processor. Called by ``import model.vlm``; calling it again does nothing."""
    AutoConfig.register(SlideEncoderConfig.model_type, SlideEncoderConfig, exist_ok=True)
    AutoConfig.register(SlideVLMConfig.model_type, SlideVLMConfig, exist_ok=True)
    AutoModel.register(SlideVLMConfig, SlideVLMModel, exist_ok=True)
    AutoModelForImageTextToText.register(SlideVLMConfig, SlideVLM, exist_ok=True)
    # TRL loads the reference model of a GRPO run through this one as well
    AutoModelForCausalLM.register(SlideVLMConfig, SlideVLM, exist_ok=True)
    AutoProcessor.register(SlideVLMConfig, SlideVLMProcessor, exist_ok=True)
