"""The trainer: a slide vision-language model, its two-stage training (SFT, GRPO), and its evaluation.

``import model`` is light. torch, transformers and trl are imported by the modules that need them; without
them those modules raise :class:`pathkg.errors.MissingExtraError` naming the extra ``pathkg[train]``.

Research use only, not for diagnosis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.bags import SlideBag, load_bag
    from model.vlm import SlideVLM, SlideVLMConfig, SlideVLMProcessor

_HOMES = {
    "SlideBag": "model.bags", "load_bag": "model.bags",
    "SlideVLM": "model.vlm", "SlideVLMConfig": "model.vlm", "SlideVLMProcessor": "model.vlm",
}

__all__ = ["SlideBag", "SlideVLM", "SlideVLMConfig", "SlideVLMProcessor", "load_bag"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'model' has no attribute {name!r}")
