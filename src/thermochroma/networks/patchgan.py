"""The critic that scores overlapping 70x70 patches (Isola et al., CVPR 2017)."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

LEAK = 0.2


class PatchCritic(nn.Module):
    """Critic with one logit for each patch: a 256x256 image gives 30x30; receptive field 70, stride 8.

    norm: makes the norm for a width. biased: whether convolutions before a norm carry a bias; the
    family of public code gives them one exactly if the norm has no affine parameters.
    """

    def __init__(
        self, *, in_channels: int, base: int, norm: Callable[[int], nn.Module], biased: bool
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, base, 4, 2, 1), nn.LeakyReLU(LEAK)]
        for factor, stride in ((1, 2), (2, 2), (4, 1)):
            narrow, wide = base * factor, base * factor * 2
            layers += [
                nn.Conv2d(narrow, wide, 4, stride, 1, bias=biased),
                norm(wide),
                nn.LeakyReLU(LEAK),
            ]
        self.body = nn.Sequential(*layers, nn.Conv2d(base * 8, 1, 4, 1, 1))

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 y x"]:
        return self.body(image)
