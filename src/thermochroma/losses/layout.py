"""Losses on the layout of images: their light and dark areas, in a few cells, without a pair.

Single images of two domains cannot be compared when they show different scenes, but the distributions
of their layouts can. The energy distance of two distributions (Szekely and Rizzo, 2013) is twice the
mean distance between their members minus the mean distances inside each. One image's part of it needs
former layouts of both kinds: it pulls a layout towards the true ones and away from the other fakes.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base import whole_batch
from thermochroma.base.tensors import Image, at_least_float32

SMOOTH: Final = 1e-6
"""Summand under the root, so that a layout that equals another has a gradient."""


def layout_of(image: Image, *, side: int) -> Float[Tensor, "b n"]:
    """Means of `side` times `side` cells of each channel, flattened; in float32 at least."""
    return F.adaptive_avg_pool2d(at_least_float32(image), side).flatten(1)


class Layouts(nn.Module):
    """Layouts of one spectrum's last true and translated images, and a loss against them.

    side: cells along each axis. true, fakes: number of layouts that are kept of each kind. apart: factor
    by which layouts of fakes repel each other; 1 asks for the spread of the true ones, 0 for their middle.
    Kept layouts carry no gradient, and are part of the state dict.
    """

    def __init__(self, *, channels: int, side: int, true: int, fakes: int, apart: float) -> None:
        super().__init__()
        self.side, self.apart = side, apart
        self.true = Memory(true, channels * side**2)
        self.fakes = Memory(fakes, channels * side**2)

    def remember(self, *, true: Image, fake: Image) -> None:
        """Keep the layouts of one batch, for those that follow."""
        self.true.add(layout_of(true, side=self.side))
        self.fakes.add(layout_of(fake, side=self.side))

    def forward(self, fake: Image) -> Float[Tensor, " b"]:
        """Mean distance to true layouts, minus `apart` times that to layouts of former fakes."""
        layouts = layout_of(fake, side=self.side)
        return self.true(layouts) - self.apart * self.fakes(layouts)


class Memory(nn.Module):
    """Memory of the last `size` rows, the latest first."""

    kept: Tensor
    filled: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("kept", torch.zeros(size, width))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def add(self, rows: Float[Tensor, "b n"]) -> None:
        """Keep these rows, and drop the oldest."""
        rows = whole_batch.gathered(rows.to(self.kept))
        self.kept.copy_(torch.cat([rows, self.kept])[: len(self.kept)])
        self.filled.add_(len(rows)).clamp_(max=len(self.kept))

    def forward(self, rows: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """Mean distance of each row to all kept ones, a root mean square over the width; 0 without any."""
        kept = self.kept.clone()  # a later `add` must not change gradients
        distances = (rows[:, None] - kept).square().mean(2).add(SMOOTH).sqrt()
        # All places are compared and the empty ones left out: the host need not know how many there are.
        there = torch.arange(len(kept), device=kept.device) < self.filled
        return torch.where(there, distances, 0.0).sum(1) / self.filled.clamp(min=1)
