"""Text and feature files to model inputs.

The processor has the surface that TRL's SFT and GRPO trainers expect of a vision-language model, so both run
unmodified: ``images`` are strings that name bags (see :mod:`model.bags`), one bag per text or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin

from model.bags import SlideBag, from_feature_bag, load_bag
from model.vlm.config import POSITION_CHANNELS
from pathkg.errors import InputError

IMAGE_TOKEN = "<image>"

TAG_TOKENS = ("<observe>", "</observe>", "<think>", "</think>", "<answer>", "</answer>")
"""The trajectory tags; single tokens in a tokenizer prepared by :func:`model.vlm.build.build_vlm`."""

MASK_TOKEN = "[MASK]"
"""Stands for an entity in a masked trajectory step."""

FLATTEN_TEMPLATE = """\
{%- set flat = namespace(messages=[]) -%}
{%- for message in messages -%}
{%- if message['content'] is string -%}
{%- set text = message['content'] -%}
{%- else -%}
{%- set text -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}{{ '<image>' }}{%- elif part['type'] == 'text' -%}{{ part['text'] }}{%- endif -%}
{%- endfor -%}
{%- endset -%}
{%- endif -%}
{%- set flat.messages = flat.messages + [{'role': message['role'], 'content': text}] -%}
{%- endfor -%}
{%- set messages = flat.messages -%}
"""
"""Put before a language model's own chat template: turns image and text parts into one string, ``<image>`` at
the place of the image."""

PLAIN_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}
"""
"""ChatML, for a tokenizer without a template of its own."""


class SlideVLMProcessor(ProcessorMixin):  # type: ignore[misc]
    """Tokenizer plus bag reader.

    Args:
        tokenizer: the language model's tokenizer, with :data:`IMAGE_TOKEN` as one token.
        chat_template: must render image parts as ``<image>``; made by :func:`model.vlm.build.build_vlm`.
        num_tokens: slide tokens per bag; ``None`` for one token per patch. As in the model's config.
        feature_dim: dimension of the patch features; checked for every bag.
        missing_coords: ``error`` or ``grid``, see :data:`model.bags.MissingCoords`.
        order: ``morton`` or ``given``, see :data:`model.bags.Order`.
        max_patches: bags with more patches are thinned to this many, evenly along their order; ``None`` keeps all.
    """

    attributes = ["tokenizer"]  # noqa: RUF012
    tokenizer_class = "AutoTokenizer"

    def __init__(self, tokenizer: Any = None, chat_template: str | None = None, num_tokens: int | None = None,
                 feature_dim: int | None = None, missing_coords: str = "error", order: str = "morton",
                 max_patches: int | None = None, **kwargs: Any) -> None:
        self.num_tokens = num_tokens
        self.feature_dim = feature_dim
        self.missing_coords = missing_coords
        self.order = order
        self.max_patches = max_patches
        self.image_token = IMAGE_TOKEN
        self.image_token_id = single_token(tokenizer, IMAGE_TOKEN)
        super().__init__(tokenizer, chat_template=chat_template)

    @property
    def model_input_names(self) -> list[str]:
        return [*self.tokenizer.model_input_names, "pixel_values", "pixel_attention_mask"]

    def bag(self, image: Any) -> SlideBag:
        """One image (reference string, :class:`~model.bags.SlideBag` or ``FeatureBag``) as a checked, thinned bag."""
        if isinstance(image, SlideBag):
            bag = image
        elif isinstance(image, str) or hasattr(image, "__fspath__"):
            bag = load_bag(image, feature_dim=self.feature_dim, missing_coords=self.missing_coords,  # type: ignore[arg-type]
                           order=self.order)  # type: ignore[arg-type]
        elif hasattr(image, "features"):
            bag = from_feature_bag(image, missing_coords=self.missing_coords)  # type: ignore[arg-type]
        else:
            raise InputError(f"an image is a {type(image).__name__}",
                             hint="give the path of a feature file, a SlideBag or a FeatureBag")
        if self.feature_dim is not None and bag.dim != self.feature_dim:
            raise InputError(f"{bag.source}: features have dimension {bag.dim}, the model was built for "
                             f"{self.feature_dim}", hint="encode the slide with the model's patch encoder")
        if self.max_patches is not None and len(bag) > self.max_patches:
            bag = bag.take(np.linspace(0, len(bag) - 1, self.max_patches).round().astype(np.int64))
        return bag

    def slide_tokens(self, bag: SlideBag) -> int:
        """How many tokens this bag takes in the text."""
        return len(bag) if self.num_tokens is None else self.num_tokens

    def __call__(self, images: Any = None, text: str | Sequence[str] | None = None, videos: None = None,
                 audio: None = None, return_tensors: str | None = None, **kwargs: Any) -> BatchFeature:
        """Model inputs for a batch.

        Args:
            images: per text a list with one bag (or an empty list, or ``None``); a flat list of bags, one per
                text; or one bag for one text.
            text: one text or several; each holds ``<image>`` exactly once for its bag.
            videos: not supported.
            audio: not supported.
            return_tensors: as for a tokenizer. ``pixel_values`` are torch tensors in any case.
            **kwargs: passed to the tokenizer.

        Returns:
            ``input_ids``, ``attention_mask`` and, with a bag, ``pixel_values`` float32 (B, N, D + 3) padded with
            zeros and ``pixel_attention_mask`` int64 (B, N).
        """
        if text is None:
            raise InputError("the processor got no text", hint="pass text= with one <image> for each bag")
        texts = [text] if isinstance(text, str) else list(text)
        rows = _one_per_text(images, len(texts))
        for words, row in zip(texts, rows, strict=True):
            _check_places(words, row is not None)
        bags = [None if row is None else self.bag(row) for row in rows]
        expanded = [words if bag is None else words.replace(IMAGE_TOKEN, IMAGE_TOKEN * self.slide_tokens(bag))
                    for words, bag in zip(texts, bags, strict=True)]
        kwargs.pop("return_mm_token_type_ids", None)
        encoded = self.tokenizer(expanded, return_tensors=return_tensors, **kwargs)
        data = {k: v for k, v in encoded.items() if k != "token_type_ids"}
        if any(bag is not None for bag in bags):
            data["pixel_values"], data["pixel_attention_mask"] = pad_bags(bags)
        return BatchFeature(data)


def _check_places(text: str, has_bag: bool) -> None:
    found = text.count(IMAGE_TOKEN)
    if found != has_bag:
        raise InputError(f"the text holds {IMAGE_TOKEN} {found} times for {int(has_bag)} bag(s)",
                         hint="one <image> per text with a bag, none without; join several files to one bag with "
                              "';' between their paths")


def _one_per_text(images: Any, n: int) -> list[Any]:
    if images is None:
        return [None] * n
    if not isinstance(images, (list, tuple)):
        images = [images]
    if not any(isinstance(item, (list, tuple)) for item in images):
        if n == 1 and len(images) == 0:
            return [None]
        images = [[item] if item is not None else [] for item in images]
    if len(images) != n:
        raise InputError(f"{len(images)} images for {n} texts", hint="give one bag, or an empty list, for each text")
    rows = []
    for item in images:
        row = [item] if item is not None and not isinstance(item, (list, tuple)) else list(item or [])
        if len(row) > 1:
            raise InputError(f"{len(row)} bags for one text",
                             hint="join the files to one bag: put ';' between their paths")
        rows.append(row[0] if row else None)
    return rows


def pad_bags(bags: Sequence[SlideBag | None]) -> tuple[torch.Tensor, torch.Tensor]:
    """Bags of different size in one batch.

    Returns:
        ``pixel_values`` float32 (B, N, D + 3) and ``pixel_attention_mask`` int64 (B, N), N the largest bag. A row
        without a bag is masked throughout.
    """
    present = [bag for bag in bags if bag is not None]
    longest = max(map(len, present))
    values = torch.zeros(len(bags), longest, present[0].dim + POSITION_CHANNELS)
    mask = torch.zeros(len(bags), longest, dtype=torch.long)
    for row, bag in enumerate(bags):
        if bag is not None:
            values[row, :len(bag)] = torch.from_numpy(bag.packed())
            mask[row, :len(bag)] = 1
    return values, mask


def single_token(tokenizer: Any, token: str) -> int:
    """The id of ``token``, which must be one token of the tokenizer.

    Raises:
        InputError: the tokenizer splits it.
    """
    number = tokenizer.get_vocab().get(token)
    if number is None:
        raise InputError(f"the tokenizer has no token {token!r}",
                         hint="prepare it with: pathkg-train init --lm FOLDER --out FOLDER (adds <image>, the "
                              "trajectory tags and [MASK])")
    return int(number)


def check_tags(tokenizer: Any) -> None:
    """Raise when a trajectory tag is not a single token.

    Raises:
        InputError: naming every tag that is missing.
    """
    vocabulary = tokenizer.get_vocab()
    missing = [tag for tag in (*TAG_TOKENS, MASK_TOKEN) if tag not in vocabulary]
    if missing:
        raise InputError(f"the tokenizer has no tokens {', '.join(missing)}",
                         hint="build the model with: pathkg-train init (adds them), or set model.tag_tokens: false to "
                              "train with tags spelt in pieces")
