"""Feature maps of AlexNet, which is never trained here: LPIPS's own default looks through it."""

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.tensors import Visible
from thermochroma.networks.frozen import IMAGENET_MEAN, IMAGENET_STD, refuse_weights

ALEXNET_CONVS: Final = (0, 3, 6, 8, 10)
"""Indices of the convolutions in torchvision's `features`."""
_STRIDES: Final = (4, 1, 1, 1, 1)
_POOLED: Final = (False, True, True, False, False)  # max pool, 3 wide, every 2, before the layer


class AlexNetFeatures(nn.Module):
    """Maps behind AlexNet's five ReLUs (Krizhevsky 2014), in torchvision's numbering.

    The weights are non-persistent buffers: no optimizer, checkpoint or parameter count sees them.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        """Copy the weights. state: `features.<index>.weight|bias`, of any widths.

        Raises BadInput for a tensor that is missing or has another shape.
        """
        super().__init__()
        width = 3
        for index in ALEXNET_CONVS:
            weight, bias = (state.get(f"features.{index}.{part}") for part in ("weight", "bias"))
            if weight is None or bias is None or weight.ndim != 4 or weight.shape[1] != width:
                refuse_weights(f"the weights taken for AlexNet's lack features.{index}, or misfit")
            width = weight.shape[0]
            self.register_buffer(f"weight_{index}", weight.detach().clone(), persistent=False)
            self.register_buffer(f"bias_{index}", bias.detach().clone(), persistent=False)
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, image: Visible) -> tuple[Float[Tensor, "b _ _ _"], ...]:
        """Feature maps of images in [-1, 1], at least 31 pixels high and wide, first layer first."""
        x, found = ((image + 1) / 2 - self.mean) / self.std, []
        for index, stride, pooled in zip(ALEXNET_CONVS, _STRIDES, _POOLED, strict=True):
            x = F.max_pool2d(x, 3, 2) if pooled else x
            weight, bias = self.get_buffer(f"weight_{index}"), self.get_buffer(f"bias_{index}")
            padding = 2 if stride == 4 else weight.shape[-1] // 2
            x = F.relu(F.conv2d(x, weight, bias, stride=stride, padding=padding))
            found.append(x)
        return tuple(found)
