"""The heads that lay patches of feature maps side by side (Park et al., "CUT", ECCV 2020)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from thermochroma.networks.blocks import init_normal


class PatchHeads(nn.Module):
    """For each feature map a perceptron: linear, ReLU, linear, both `width` wide.

    widths: channels of the maps. They are taught with the network that makes the maps, and do not
    ship.
    """

    def __init__(self, widths: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width))
            for channels in widths
        )
        init_normal(self)

    def forward(
        self, maps: Sequence[Float[Tensor, "b _ _ _"]], places: Sequence[Int64[Tensor, " _"]]
    ) -> list[Float[Tensor, "b _ d"]]:
        """places: for each map, which positions (row by row) to take, as `draw_places` draws them."""
        return [
            head(features.flatten(2)[..., chosen].transpose(1, 2))
            for head, features, chosen in zip(self.heads, maps, places, strict=True)
        ]


def draw_places(maps: Sequence[Float[Tensor, "b _ _ _"]], count: int) -> list[Int64[Tensor, " _"]]:
    """At most `count` positions of each map, drawn without replacement; the same for all images."""
    areas = [features.shape[-2] * features.shape[-1] for features in maps]
    # Drawn on the processor: the same on every device.
    return [torch.randperm(area)[:count].to(maps[0].device) for area in areas]
