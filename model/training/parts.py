"""Loading, freezing, adapting and saving the model of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from model.bags import load_bag
from model.data.samples import TrainingSample
from model.training.config import LoraSection, ModelSection, Part
from model.vlm import build_vlm
from model.vlm.build import refuse_gguf
from model.vlm.modeling import SlideVLM
from model.vlm.processor import SlideVLMProcessor, check_tags
from pathkg.errors import InputError, PathkgError

PARTS: dict[Part, tuple[str, ...]] = {
    "encoder": ("model.slide_encoder.",), "projector": ("model.projector.",),
    "lm": ("model.language_model.", "lm_head.")}


class OutOfMemoryError(PathkgError):
    """The run did not fit; the message names the knobs."""


@contextmanager
def memory_guard() -> Iterator[None]:
    """Turn an out-of-memory failure into an error that names what can be turned down.

    Raises:
        OutOfMemoryError: in place of torch's or Python's own error.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemoryError(f"out of memory: {_first_line(error)}", hint=MEMORY_KNOBS) from error
    except RuntimeError as error:
        if "out of memory" in str(error) or "can't allocate memory" in str(error):
            raise OutOfMemoryError(f"out of memory: {_first_line(error)}", hint=MEMORY_KNOBS) from error
        raise


MEMORY_KNOBS = (
    "lower trainer.per_device_train_batch_size (and raise trainer.gradient_accumulation_steps), model.max_patches or "
    "model.encoder.num_tokens; for GRPO trainer.num_generations or trainer.max_completion_length; set "
    "trainer.gradient_checkpointing: true, model.lora, or model.dtype: bfloat16; lower model.encoder.segment_chunk "
    "for very large bags")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def load_vlm(path: str | Path, *, dtype: str = "float32", attn_implementation: str | None = None,
             adapter: bool = True) -> tuple[SlideVLM, SlideVLMProcessor]:
    """A saved slide VLM and its processor; an adapter folder is merged into its base.

    Raises:
        InputError: not such a folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"no model folder {folder}", hint="build one with: pathkg-train init --lm FOLDER --out FOLDER")
    if adapter and (folder / "adapter_config.json").is_file():
        return _load_adapter(folder, dtype)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} holds no config.json", hint="give a folder written by save_pretrained or a run")
    try:
        processor = SlideVLMProcessor.from_pretrained(folder)
        vlm = SlideVLM.from_pretrained(folder, dtype=getattr(torch, dtype),
                                       **({"attn_implementation": attn_implementation} if attn_implementation else {}))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} is not a slide VLM: {_first_line(error)}",
                         hint="build one with: pathkg-train init --lm FOLDER --out FOLDER") from error
    return vlm.eval(), processor


def _load_adapter(folder: Path, dtype: str) -> tuple[SlideVLM, SlideVLMProcessor]:
    from peft import PeftConfig, PeftModel

    base = PeftConfig.from_pretrained(str(folder)).base_model_name_or_path
    vlm, processor = load_vlm(str(base), dtype=dtype, adapter=False)
    merged: SlideVLM = PeftModel.from_pretrained(vlm, str(folder)).merge_and_unload()
    return merged.eval(), processor


def open_model(section: ModelSection) -> tuple[SlideVLM, SlideVLMProcessor]:
    """The model that a run file names: a built one, or one built now around a language model.

    Raises:
        InputError: it cannot be loaded, comes from GGUF, or its tokenizer lacks the tag tokens.
    """
    if section.path is not None:
        vlm, processor = load_vlm(section.path, dtype=section.dtype, attn_implementation=section.attn_implementation)
        if section.max_patches is not None:
            processor.max_patches = section.max_patches
    else:
        assert section.lm is not None
        vlm, processor = build_vlm(section.lm, encoder=section.encoder, tag_tokens=section.tag_tokens,
                                   projector_hidden_size=section.projector_hidden_size,
                                   missing_coords=section.missing_coords, order=section.order,
                                   max_patches=section.max_patches, seed=section.init_seed)
        vlm = vlm.to(getattr(torch, section.dtype))
        if section.attn_implementation:
            vlm.model.language_model.set_attn_implementation(section.attn_implementation)
    refuse_gguf(vlm)
    if section.tag_tokens:
        check_tags(processor.tokenizer)
    return vlm, processor


def fitted(section: ModelSection, samples: Sequence[TrainingSample]) -> ModelSection:
    """``section`` with the feature dimension of the first bag, where it builds a model and does not say one."""
    first = next((s.image for s in samples if s.image), None)
    if section.lm is None or "feature_dim" in section.encoder or first is None:
        return section
    bag = load_bag(first, missing_coords=section.missing_coords)
    return section.model_copy(update={"encoder": {**section.encoder, "feature_dim": bag.dim}})


def set_trainable(vlm: Any, parts: Sequence[Part]) -> dict[str, int]:
    """Let only ``parts`` learn; returns the number of trainable weights of each part."""
    prefixes = tuple(prefix for part in parts for prefix in PARTS[part])
    for name, parameter in vlm.named_parameters():
        parameter.requires_grad_(name.startswith(prefixes))
    return {part: sum(p.numel() for n, p in vlm.named_parameters() if p.requires_grad and n.startswith(PARTS[part]))
            for part in PARTS}


def depth(vlm: Any) -> int:
    """How many layers the language model has."""
    return int(vlm.config.get_text_config().num_hidden_layers)


def lora_config(section: LoraSection, parts: Sequence[Part], *, layers: int) -> Any:
    """peft's configuration: adapters in the language model, encoder and projector trained in full.

    The latter are peft's ``modules_to_save``, so that switching the adapter off gives back the model as it was
    loaded (the reference of GRPO).

    Args:
        section: what the run file says.
        parts: the parts that learn.
        layers: of the language model.

    Raises:
        InputError: ``last_layers`` is larger than ``layers``.
    """
    from peft import LoraConfig

    names = "|".join(section.targets)
    wanted = layers if section.last_layers is None else section.last_layers
    if wanted > layers:
        raise InputError(f"model.lora.last_layers is {wanted}, and the language model has {layers} layers",
                         hint="lower it, or leave it out for all layers")
    numbers = r".*" if section.last_layers is None else rf".*\.({'|'.join(map(str, range(layers - wanted, layers)))})\..*"
    whole = [name for part, name in (("encoder", "slide_encoder"), ("projector", "projector")) if part in parts]
    return LoraConfig(r=section.r, lora_alpha=section.alpha, lora_dropout=section.dropout, bias="none",
                      target_modules=rf".*language_model{numbers}\.({names})", modules_to_save=whole or None)


def best_device() -> torch.device:
    """The GPU of this process when there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def save_model(model: Any, processor: Any, folder: Path, *, merge: bool = True) -> None:
    """Write a loadable folder (safetensors); adapters are merged unless ``merge`` is false."""
    folder.mkdir(parents=True, exist_ok=True)
    if hasattr(model, "merge_and_unload") and merge:
        model = model.merge_and_unload()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def use_threads(threads: int | None) -> None:
    """Set torch's thread count when the run names one."""
    if threads is not None:
        torch.set_num_threads(threads)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
