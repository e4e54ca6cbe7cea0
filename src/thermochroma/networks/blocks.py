"""Small pieces that several networks are made of."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base.tensors import Image, Thermal
from thermochroma.networks.batch_wide import batch_norm

NORM_EPS = 1e-5


def scaled(width: int, scale: float) -> int:
    """Base width times `scale`, rounded, at least 1."""
    return max(1, round(width * scale))


def spread_channels(thermal: Thermal, channels: int) -> Image:
    """Repeat the thermal channel, as networks made for three channels expect."""
    return thermal.expand(-1, channels, -1, -1)


class ImageNorm(nn.Module):
    """Batch norm in training; in evaluation each image is normalised by its own statistics.

    The public code of Pix2pix tests with batch 1 and train-mode batch norm, so that a test image
    is normalised by itself. `ImageNorm` does so for any batch size, hence an image's translation
    does not depend on the rest of its batch. Parameters as `nn.BatchNorm2d`; no running statistics.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if self.training:
            return batch_norm(x, None, None, self.weight, self.bias, momentum=0.0, eps=NORM_EPS)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=NORM_EPS)


class InstanceNorm2d(nn.InstanceNorm2d):
    """Instance norm of torch, with the right gradient for one image, and in half precision on the CPU.

    For one image torch 2.12's backward on the CPU reads the gradient in its memory layout, and is wrong
    by more than the gradient's own size if that is channels last, as convolutions in that layout return
    it. For more images torch makes it contiguous itself. In half precision torch keeps means and
    variances in the type of factor and offset, and in half precision too where there are none; on the
    CPU it therefore gets a factor of 1 and an offset of 0. All other cases stay the same to the bit.
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        normed = self._normed(x)
        if normed.requires_grad:
            normed.register_hook(Tensor.contiguous)
        return normed

    def _normed(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if self.affine or x.device.type != "cpu" or x.dtype not in (torch.bfloat16, torch.float16):
            return super().forward(x)
        one, nothing = (torch.full((x.shape[1],), value, device=x.device) for value in (1.0, 0.0))
        return F.instance_norm(x, weight=one, bias=nothing, eps=self.eps)


def instance_norm(channels: int) -> InstanceNorm2d:
    """Instance norm without affine parameters and without running statistics."""
    return InstanceNorm2d(channels, eps=NORM_EPS, affine=False, track_running_stats=False)


@torch.no_grad()
def init_normal(network: nn.Module, std: float = 0.02) -> None:
    """Draw weights of convolutions and linear layers from N(0, std), of batch norms from N(1, std).

    Biases of convolutions and linear layers are set to 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, ImageNorm | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
