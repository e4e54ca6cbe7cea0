"""Heads that project patches of feature maps, to compare them (Park et al., "CUT", ECCV 2020)."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from thermochroma.base import host_draws
from thermochroma.networks.blocks import init_normal


class PatchHeads(nn.Module):
    """One perceptron for each feature map: linear, ReLU, linear, both `width` wide.

    widths: channels of the maps. The heads are trained with the network that gives the maps, and are
    not deployed.
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
        """Project some positions of each map. places: their numbers, row by row, from `draw_places`."""
        return [
            head(features.flatten(2)[..., chosen].transpose(1, 2))
            for head, features, chosen in zip(self.heads, maps, places, strict=True)
        ]


def draw_places(maps: Sequence[Float[Tensor, "b _ _ _"]], count: int) -> list[Int64[Tensor, " _"]]:
    """Draw at most `count` positions of each map without replacement, the same for all images."""
    areas = [features.shape[-2] * features.shape[-1] for features in maps]
    device = maps[0].device
    return [host_draws.sent(partial(_draw, area, count), device) for area in areas]


def _draw(area: int, count: int) -> Int64[Tensor, " _"]:
    return torch.randperm(area)[:count]
