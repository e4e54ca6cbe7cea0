"""Steps by hand of the methods that learn without pairs: both translators, then both critics."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.steps.formulas import Costs, dissimilarity, fixed, squares
from thermochroma.base.colour_space import LUMA
from thermochroma.contract.batch import Batch, Edged
from thermochroma.losses.frequency import high_passed, radial_profile
from thermochroma.losses.saliency import saliency

OTHER = {"visible": "thermal", "thermal": "visible"}
Logits = Sequence[Sequence[Tensor]]
"""Logits of each view of an image, at each scale."""


def cyclegan(game: Any, batch: Batch[Any]) -> Costs:
    """Least squares, cycles and identities."""
    thermal, visible = batch.seen.thermal.repeat(1, 3, 1, 1), batch.target
    to_visible, to_thermal = game.to_visible.resnet, game.to_thermal
    of_visible, of_thermal = game.critics["visible"], game.critics["thermal"]
    fake_visible, fake_thermal = to_visible(thermal), to_thermal(visible)
    with fixed(game.critics):
        fooled = squares(of_visible(fake_visible), 1) + squares(of_thermal(fake_thermal), 1)
        cycles = F.l1_loss(to_thermal(fake_visible), thermal)
        cycles = cycles + F.l1_loss(to_visible(fake_thermal), visible)
        same = F.l1_loss(to_visible(visible), visible) + F.l1_loss(to_thermal(thermal), thermal)
        yield "translators", fooled + 10 * cycles + 5 * same
    former_visible = game.pools["visible"](fake_visible.detach())
    former_thermal = game.pools["thermal"](fake_thermal.detach())
    told = squares(of_visible(visible), 1) + squares(of_visible(former_visible), 0)
    told = told + squares(of_thermal(thermal), 1) + squares(of_thermal(former_thermal), 0)
    yield "critics", told / 2


def pearlgan(game: Any, batch: Edged) -> Costs:
    """Relativistic least squares, cycles, edges and attention."""
    true = {"visible": batch.visible, "thermal": batch.thermal.repeat(1, 3, 1, 1)}
    edges = {"visible": batch.visible_edges, "thermal": batch.thermal_edges}
    encoders = {"visible": game.way_back["encoder"], "thermal": game.translator.encoder}
    decoders = {"visible": game.translator.decoder, "thermal": game.way_back["decoder"]}
    on_true = {name: game.critics[name](true[name]) for name in OTHER}
    codes = {name: encoders[name](true[name]) for name in OTHER}
    fakes = {name: decoders[name](codes[OTHER[name]].features) for name in OTHER}
    with fixed(game.critics):
        cost = torch.zeros((), dtype=batch.visible.dtype, device=batch.device)
        fake_codes = {name: encoders[name](fakes[name]) for name in OTHER}
        for name in OTHER:
            back, maps = decoders[name](fake_codes[OTHER[name]].features), codes[name].maps
            known = [[one.detach() for one in view] for view in on_true[name]]
            cost = cost + _relative(known, game.critics[name](fakes[name]), margin=1)
            cost = cost + 10 * F.smooth_l1_loss(back, true[name])
            cost = cost + dissimilarity(back, true[name], side=3)
            cost = cost + 0.5 * _lost_edges(edges[OTHER[name]], fakes[name])
            cost = cost + 5 * _squared_variation(fakes[name]) + _attention_spread(maps)
            here, there = codes[name].features, fake_codes[name].features
            cost = cost + _disagreement(here, maps, there, codes[OTHER[name]].maps)
        yield "translators", cost
    told = [
        _relative(
            on_true[name], game.critics[name](game.pools[name](fakes[name].detach())), margin=-1
        )
        for name in OTHER
    ]
    yield "critics", (told[0] + told[1]) / 2


def _relative(real: Logits, fake: Logits, *, margin: float) -> Tensor:
    views = []
    for reals, fakes in zip(real, fake, strict=True):
        factors = [*range(1, len(reals)), len(reals) + 1]
        scales = [
            factor * (one - other + margin).square().mean()
            for factor, one, other in zip(factors, reals, fakes, strict=True)
        ]
        views.append(torch.stack(scales).sum() / (len(factors) * sum(factors)))
    return torch.stack(views).mean()


def _lost_edges(edges: Tensor, fake: Tensor) -> Tensor:
    unit = (fake + 1) / 2
    grey = LUMA[0] * unit[:, :1] + LUMA[1] * unit[:, 1:2] + LUMA[2] * unit[:, 2:]
    padded = F.pad(grey, (1, 1, 1, 1), "replicate")[:, 0]
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    slopes = (across.square() + down.square() + 1e-6).sqrt()
    lost, drawn = [], torch.rand(len(edges), dtype=torch.float64).tolist()
    for edge, slope, share in zip(edges[:, 0], slopes, drawn, strict=True):
        cells = _cells(edge)
        holding = (cells > 0).any(1).nonzero()[:, 0].tolist()
        if not holding:
            lost.append(0 * slope.sum())
            continue
        place = holding[int(share * len(holding))]
        steep = _cells(slope)[place]
        wanted = 0.44 * cells[place] - steep / steep.max()
        lost.append(wanted.relu().sum() / (1 + cells[place].sum()))
    return torch.stack(lost).mean()


def _cells(image: Tensor) -> Tensor:
    """Pixels of each cell of an 8x8 grid, row by row."""
    height, width = image.shape[0] // 8, image.shape[1] // 8
    cells = image[: 8 * height, : 8 * width].reshape(8, height, 8, width)
    return cells.transpose(1, 2).reshape(64, -1)


def _squared_variation(fake: Tensor) -> Tensor:
    across, down = fake[..., 1:] - fake[..., :-1], fake[..., 1:, :] - fake[..., :-1, :]
    return 2 * (across.square().mean() + down.square().mean())


def _attention_spread(maps: Tensor) -> Tensor:
    fine = maps[:, 1:]
    return 0.5 * (0.25 * (fine.sum(1) - 1).square().mean() + 1 - fine.amax(1).mean())


def _disagreement(real: Tensor, maps: Tensor, fake: Tensor, fake_maps: Tensor) -> Tensor:
    one, other = maps[:, 1:].flatten(2), fake_maps[:, 1:].flatten(2)
    mine, yours = _attended(real, one), _attended(fake, other)
    likeness = mine @ yours.transpose(1, 2)
    missed = likeness.amax(2) - likeness.diagonal(dim1=1, dim2=2)
    weight = torch.minimum(one.amax(2), other.amax(2))
    wrong = (weight * missed).sum(1) / (weight.sum(1) + 1e-6)
    return (wrong + 0.25 * (_overlap(mine) + _overlap(yours))).mean()


def _attended(features: Tensor, maps: Tensor) -> Tensor:
    flat = features.detach().flatten(2)
    return F.normalize(maps @ flat.transpose(1, 2) / maps.sum(2, keepdim=True), dim=-1)


def _overlap(vectors: Tensor) -> Tensor:
    products = vectors @ vectors.transpose(1, 2)
    others = ~torch.eye(products.shape[1], dtype=torch.bool, device=products.device)
    return (products * others).mean((1, 2)).relu()


def thermal_mask(game: Any, batch: Batch[Any]) -> Costs:
    """Least squares, cycles, and the terms of our reconstruction."""
    visible, thermal = batch.seen.visible, batch.target
    to_thermal, to_visible = game.to_thermal.painter, game.to_visible
    there, back = to_thermal.predict(visible), to_visible.predict(thermal)
    fakes = {"thermal": there.image, "visible": back.image}
    pairs = [(to_visible(there.image), visible), (to_thermal(back.image), thermal)]
    with fixed(game.critics):
        cost = 5 * F.l1_loss(there.foreground, saliency(visible))
        cost = cost + 5 * F.l1_loss(back.foreground, saliency(thermal))
        for again, true in pairs:
            cost = cost + 3 * F.l1_loss(again, true)
            cost = cost + 3 * F.l1_loss(high_passed(again), high_passed(true))
            cost = cost + 2 * _spectral_distance(again, true)
        for name, true in (("visible", visible), ("thermal", thermal)):
            wanted = _remembered_profile(game.get_buffer(f"profile_{name}"), true)
            cost = cost + (_profile(fakes[name]) - wanted).abs().mean()
            cost = cost + 20 * _layout_gap(game, name, fakes[name])
            cost = cost + squares(game.critics[name](fakes[name]), 1)
        yield "translators", cost
    told = []
    for name, true in (("visible", visible), ("thermal", thermal)):
        getattr(game, f"layout_{name}").true.add(_layout(true))
        critic, former = game.critics[name], game.pools[name](fakes[name].detach())
        told.append(squares(critic(true), 1) + squares(critic(former), 0))
    yield "critics", (told[0] + told[1]) / 2


def _spectral_distance(again: Tensor, true: Tensor) -> Tensor:
    difference = torch.fft.rfft2(again, norm="ortho") - torch.fft.rfft2(true, norm="ortho")
    down = torch.fft.fftfreq(true.shape[-2], device=true.device)[:, None]
    across = torch.fft.rfftfreq(true.shape[-1], device=true.device)
    weight = 1 - torch.exp(-(down.square() + across.square()) / (2 * 0.1**2))
    return (weight * difference.abs()).mean()


def _profile(image: Tensor) -> Tensor:
    return radial_profile(image, bins=32, least=0.125).mean(0)


@torch.no_grad()
def _remembered_profile(running: Tensor, true: Tensor) -> Tensor:
    """Mean profile of true images so far; NaN stands for none yet."""
    now = _profile(true)
    running.copy_(now if running.isnan().any() else 0.99 * running + 0.01 * now)
    return running.clone()


def _layout(image: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(image, 8).flatten(1)


def _layout_gap(game: Any, name: str, fake: Tensor) -> Tensor:
    memory = getattr(game, f"layout_{name}").true
    kept = memory.kept[: int(memory.filled)].clone()
    distances = ((_layout(fake)[:, None] - kept).square().mean(2) + 1e-6).sqrt()
    return distances.sum() / max(distances.numel(), 1)
