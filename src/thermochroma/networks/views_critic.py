"""The critic of PearlGAN: logits of three views of an image at several scales (Luo et al., 2022)."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base.colour_space import LUMA, central_differences
from thermochroma.base.tensors import Image
from thermochroma.networks.blocks import init_normal
from thermochroma.networks.spectral import spectral_norm

CHANNELS = 3
VIEWS = {"blurred": 4, "grey": 4, "gradient": 3}  # a view of the image: depth of its critic
MOST_WIDTHS = 8
BLUR_SIGMA, BLUR_SIDE = 3.0, 5


class ScaleCritic(nn.Module):
    """Critic with logits at every depth: one channel of each layer holds logits, the others go on."""

    def __init__(self, in_channels: int, *, depth: int, base: int) -> None:
        super().__init__()
        widths = [base * min(2**level, MOST_WIDTHS) for level in range(depth + 1)]
        self.first = nn.Sequential(_scoring(in_channels, widths[0], stride=2), nn.PReLU())
        self.middle = nn.ModuleList(
            nn.Sequential(_scoring(narrow, wide + 1, stride=2), nn.PReLU())
            for narrow, wide in pairwise(widths[:depth])
        )
        self.last = nn.Sequential(
            _scoring(widths[depth - 1], widths[depth], stride=1),
            nn.PReLU(),
            _scoring(widths[depth], 1, stride=1),
        )

    def forward(self, view: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b 1 _ _"]]:
        x, logits = self.first(view), []
        for layer in self.middle:
            x = layer(x)
            logits.append(x[:, -1:])
            x = x[:, :-1]
        return [*logits, self.last(x)]


class ViewsCritic(nn.Module):
    """Critics of three views of an image: blurred colour, grey, gradient of grey at half its sides."""

    kernel: Tensor
    luma: Tensor

    def __init__(self, base: int) -> None:
        super().__init__()
        channels = {"blurred": CHANNELS, "grey": 1, "gradient": 2}
        self.critics = nn.ModuleDict(
            {
                view: ScaleCritic(channels[view], depth=depth, base=base)
                for view, depth in VIEWS.items()
            }
        )
        init_normal(self)
        for layer in list(self.modules()):
            if isinstance(layer, nn.Conv2d):
                spectral_norm(layer)
        self.register_buffer("kernel", blur_kernel(), persistent=False)
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Image) -> list[list[Float[Tensor, "b 1 _ _"]]]:
        """Logits of each view, the finest first."""
        grey = (image * self.luma).sum(1, keepdim=True)
        views = {
            "blurred": F.conv2d(image, self.kernel, padding=BLUR_SIDE // 2, groups=CHANNELS),
            "grey": grey,
            "gradient": central_differences(grey[..., ::2, ::2]),
        }
        return [critic(views[view]) for view, critic in self.critics.items()]


def _scoring(narrow: int, wide: int, *, stride: int) -> nn.Module:
    return nn.Conv2d(narrow, wide, 4, stride, 2)


def blur_kernel() -> Float[Tensor, "3 1 k k"]:
    """A Gaussian of sigma 3, folded back into 5 pixels at both ends: almost a box."""
    reach = int(4 * BLUR_SIGMA + 0.5)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-offsets.square() / (2 * BLUR_SIGMA**2))
    places = (offsets.long() + BLUR_SIDE // 2) % (2 * BLUR_SIDE)
    folded = torch.minimum(places, 2 * BLUR_SIDE - 1 - places)
    line = torch.zeros(BLUR_SIDE, dtype=torch.float64).index_add_(
        0, folded, weights / weights.sum()
    )
    return torch.outer(line, line).float().expand(CHANNELS, 1, -1, -1).clone()
