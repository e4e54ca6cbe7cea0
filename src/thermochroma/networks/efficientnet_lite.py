"""EfficientNet-Lite0, which is never trained here: maps at five strides, a vector and classes of an image.

Inverted blocks (Tan and Le 2019), in the variant without squeeze-and-excitation and with ReLU6 (Google
2020). Its batch norms are part of the convolutions: frozen, they are a gain and a bias a channel.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.tensors import Visible
from thermochroma.networks.frozen import read_tensors, refuse_weights

_STAGES: Final = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, side of their depthwise kernels, stride of the first, expansion, channels that come out."""
STRIDES: Final = (2, 4, 8, 16, 32)
"""Pixels of the image from one place of each map to the next."""
_TAPS: Final = (0, 2, 4, 10, 15)
"""The last block at each stride, whose output is that stride's map."""
_STEM: Final = 32
_HEAD: Final = 1280
_CLASSES: Final = 1000
SIDE: Final = 224
"""Side, in pixels, of the images that the published weights were trained on."""
Shapes = Mapping[str, tuple[int, ...]]
Weights = Callable[[str], tuple[Tensor, Tensor]]


class EfficientNetLite0(nn.Module):
    """Frozen EfficientNet-Lite0.

    The weights are non-persistent buffers: no optimizer, checkpoint or parameter count sees them.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        """Copy the weights. state: names as in `shapes_of`; stand-ins are narrower.

        Raises BadInput for a tensor that is missing, misnamed or has another shape.
        """
        super().__init__()
        _refuse_unlike(state)
        for name, tensor in state.items():
            layout = torch.channels_last if tensor.ndim == 4 else torch.contiguous_format  # quicker
            copied = tensor.detach().clone(memory_format=layout)
            self.register_buffer(_buffer(name), copied, persistent=False)

    def forward(self, image: Visible) -> tuple[Float[Tensor, "b _ _ _"], ...]:
        """Maps of images in [-1, 1], of any size, at the `STRIDES`; sides are rounded up."""
        return maps(self._weights, image)

    def pooled(self, coarsest: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """One vector an image, of 1,280 numbers, from its map at the last stride."""
        return F.relu6(_convolved(self._weights, coarsest, "head")).mean((2, 3))

    def logits(self, pooled: Float[Tensor, "b d"]) -> Float[Tensor, "b classes"]:
        """Likeness to each of ImageNet's 1,000 classes, before the softmax."""
        return F.linear(pooled, *self._weights("classifier"))

    def _weights(self, name: str) -> tuple[Tensor, Tensor]:
        weight, bias = (self.get_buffer(_buffer(f"{name}.{part}")) for part in ("weight", "bias"))
        return weight, bias


def maps(
    weights: Weights, image: Visible, *, coarsest: int = STRIDES[-1]
) -> tuple[Float[Tensor, "b _ _ _"], ...]:
    """Maps of images in [-1, 1] at the `STRIDES` up to `coarsest`; what lies behind is not computed.

    weights: weight and bias of a convolution by its name, as in `shapes_of`.
    """
    x, found = (127.5 * image + 0.5) / 128, []  # (levels - 127) / 128, as in its training
    x = F.relu6(_convolved(weights, x, "stem", stride=2))
    for number, (expands, stride) in enumerate(_blocks()[: 1 + _TAPS[STRIDES.index(coarsest)]]):
        x = _block(weights, x, f"blocks.{number}", expands=expands, stride=stride)
        if number in _TAPS:
            found.append(x)
    return tuple(found)


def load_efficientnet(folder: Path) -> EfficientNetLite0:
    """Read EfficientNetLite0 from `folder`. Raises BadInput if the weights are missing or damaged."""
    return EfficientNetLite0(read_tensors(folder))


def widths_of() -> dict[int, int]:
    """Channels of the published network's map at each stride."""
    return {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}


def shapes_of(divisor: int = 1) -> Shapes:
    """Shape of every tensor, by name. divisor: of all widths but that of the classes."""
    width, number = _STEM // divisor, 0
    shapes: dict[str, tuple[int, ...]] = {"stem.weight": (width, 3, 3, 3)}
    for blocks, side, _, expansion, full in _STAGES:
        for _ in range(blocks):
            name, inner = f"blocks.{number}", width * expansion
            if expansion > 1:
                shapes[f"{name}.expand.weight"] = (inner, width, 1, 1)
            shapes[f"{name}.depthwise.weight"] = (inner, 1, side, side)
            width, number = full // divisor, number + 1
            shapes[f"{name}.project.weight"] = (width, inner, 1, 1)
    shapes["head.weight"] = (_HEAD // divisor, width, 1, 1)
    shapes["classifier.weight"] = (_CLASSES, _HEAD // divisor)
    biases = {name.replace(".weight", ".bias"): shape[:1] for name, shape in shapes.items()}
    return shapes | biases


def shapes_up_to(coarsest: int) -> Shapes:
    """The shapes of the published tensors that the maps up to a stride need, by name."""
    last = _TAPS[STRIDES.index(coarsest)]
    kept = {"stem", *(f"blocks.{number}" for number in range(last + 1))}
    return {
        name: shape
        for name, shape in shapes_of().items()
        if name.split(".")[0] in kept or ".".join(name.split(".")[:2]) in kept
    }


def _blocks() -> tuple[tuple[bool, int], ...]:
    """Whether each block expands its channels first, and its stride."""
    return tuple(
        (expansion > 1, stride if first == 0 else 1)
        for blocks, _, stride, expansion, _ in _STAGES
        for first in range(blocks)
    )


def _block(weights: Weights, x: Tensor, name: str, *, expands: bool, stride: int) -> Tensor:
    inner = F.relu6(_convolved(weights, x, f"{name}.expand")) if expands else x
    inner = F.relu6(_convolved(weights, inner, f"{name}.depthwise", stride=stride))
    out = _convolved(weights, inner, f"{name}.project")
    return out + x if stride == 1 and out.shape == x.shape else out


def _convolved(weights: Weights, x: Tensor, name: str, *, stride: int = 1) -> Tensor:
    weight, bias = weights(name)
    groups = len(weight) if name.endswith("depthwise") else 1
    if stride == 1:
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=groups)
    edges = [_edge(side, weight.shape[-1], stride) for side in (x.shape[-1], x.shape[-2])]
    x = F.pad(x, [pixels for edge in edges for pixels in edge])
    return F.conv2d(x, weight, bias, stride=stride, groups=groups)


def _edge(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow pads: the odd one comes after."""
    lacking = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return lacking // 2, lacking - lacking // 2


def _refuse_unlike(state: Mapping[str, Tensor]) -> None:
    stem = state.get("stem.bias", torch.zeros(_STEM))
    divisor = _STEM // max(1, stem.numel())
    expected = shapes_of(divisor) if divisor else {}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if wrong := sorted(
        name for name in {*found, *expected} if found.get(name) != expected.get(name)
    ):
        refuse_weights(f"the weights taken for EfficientNet-Lite0's lack {wrong[0]}, or it misfits")


def _buffer(name: str) -> str:
    return name.replace(".", "_")
