"""Structured gradient alignment: edges of the input must be slopes of the output (PearlGAN)."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base import host_draws, whole_batch
from thermochroma.base.colour_space import LUMA, central_differences
from thermochroma.base.tensors import Visible, at_least_float32, constant, to_unit

GRID = 8  # patches a side
FAINT = 1e-6


def grey_slopes(image: Visible, *, black_border: bool) -> Float[Tensor, "b h w"]:
    """Length of the grey image's central differences (grey in [0, 1], differences not halved)."""
    unit = to_unit(at_least_float32(image))
    grey = (unit * constant(LUMA, unit).view(1, 3, 1, 1)).sum(1, keepdim=True)
    padded = F.pad(grey, (1, 1, 1, 1)) if black_border else F.pad(grey, (1, 1, 1, 1), "replicate")
    return (central_differences(padded).square().sum(1) + FAINT).sqrt()


def lost_edges(
    edges: Float[Tensor, "b h w"], slopes: Float[Tensor, "b h w"], *, strength: float
) -> Float[Tensor, " b"]:
    """Shortfall of slopes from `strength` times the greatest of them, at edges, in one patch of each image.

    The patch is drawn, on the CPU, among those of an 8x8 grid that hold an edge; 0 if none does.
    """
    patches = torch.stack([_patches(one) for one in edges])
    number = (patches > 0).any(-1).cumsum(1)  # of each patch among those with an edge, from 1
    share = whole_batch.drawn(len(edges), partial(_draw, device=edges.device))
    chosen = (share * number[:, -1]).floor()  # the host need not know how many there are
    places = (number <= chosen[:, None]).sum(1).clamp(max=GRID**2 - 1)
    lost = [
        _lost(mine[place][0], _patches(slope)[place][0], strength)
        for mine, slope, place in zip(patches, slopes, places.split(1), strict=True)
    ]
    return torch.where(number[:, -1] > 0, torch.stack(lost), 0.0)


def _draw(rows: int, device: torch.device) -> Float[Tensor, " rows"]:
    """Numbers from 0 to below 1, each the place of a patch as a share of those with an edge."""
    return host_draws.sent(lambda: torch.rand(rows, dtype=torch.float64), device)


def _lost(
    edges: Float[Tensor, " p"], slope: Float[Tensor, " p"], strength: float
) -> Float[Tensor, ""]:
    steep = slope / slope.max()
    return (strength * edges - steep).relu().sum() / (1 + edges.sum())


def _patches(values: Float[Tensor, "h w"]) -> Float[Tensor, "n p"]:
    """Cells of the grid, row by row; pixels at the right and below that do not fill one are left out."""
    height, width = (side // GRID for side in values.shape)
    cells = values[: GRID * height, : GRID * width].unflatten(0, (GRID, height))
    return cells.unflatten(2, (GRID, width)).transpose(1, 2).flatten(2).flatten(0, 1)
