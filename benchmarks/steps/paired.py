"""Steps by hand of the methods that learn from pairs."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.steps.formulas import (
    Costs,
    cross_entropy,
    dissimilarity,
    feature_distance,
    fixed,
    patch_contrast,
    squares,
    total_variation,
)
from thermochroma.base.colour_space import lab_of
from thermochroma.contract.batch import Batch
from thermochroma.losses.saliency import saliency
from thermochroma.methods.tir2lab import scaled_lab, unlike_windows
from thermochroma.networks.patch_heads import draw_places


def pix2pix(game: Any, batch: Batch[Any]) -> Costs:
    """A conditional critic by cross entropy, then the translator."""
    thermal, real = batch.seen.thermal.repeat(1, 3, 1, 1), batch.target
    fake = game.translator(batch.seen)
    shown = game.pool(torch.cat([thermal, fake.detach()], 1))
    on_real = game.critic(torch.cat([thermal, real], 1))
    on_fake = game.critic(shown)
    yield "critic", (cross_entropy(on_real, 1) + cross_entropy(on_fake, 0)) / 2
    with fixed(game.critic):
        scored = game.critic(torch.cat([thermal, fake], 1))
        yield "translator", cross_entropy(scored, 1) + 100 * F.l1_loss(fake, real)


def tic_cgan(game: Any, batch: Batch[Any]) -> Costs:
    """The same with a memory of former pairs, features and total variation."""
    return _lineage(game, batch, game.terms.features, variation=1.0, structure=0.0)


def mugan(game: Any, batch: Batch[Any]) -> Costs:
    """The same with SSIM."""
    return _lineage(game, batch, game.terms.of_lineage.features, variation=1.25, structure=1.25)


def _lineage(
    game: Any, batch: Batch[Any], features: Any, *, variation: float, structure: float
) -> Costs:
    thermal, real = batch.seen.thermal.repeat(1, 3, 1, 1), batch.target
    fake = game.translator(batch.seen)
    shown = game.pool(torch.cat([thermal, fake.detach()], 1))
    on_real = game.critic(torch.cat([thermal, real], 1))
    on_fake = game.critic(shown)
    yield "critic", (cross_entropy(on_real, 1) + cross_entropy(on_fake, 0)) / 2
    with fixed(game.critic):
        scored = game.critic(torch.cat([thermal, fake], 1))
        cost = 0.03 * cross_entropy(scored, 1) + F.l1_loss(fake, real)
        cost = cost + feature_distance(features, fake, real) + variation * total_variation(fake)
        if structure:
            cost = cost + structure * dissimilarity(fake, real)
        yield "translator", cost


def scgan(game: Any, batch: Batch[Any]) -> Costs:
    """A critic of earth mover's distance with gradient penalty, then the translator with its saliency."""
    thermal, real, (critic,) = batch.seen.thermal, batch.target, game.critics
    fake, salient = game.translator.predict(batch.seen)
    shown = fake.detach()
    on_fake, on_real = critic(thermal, shown), critic(thermal, real)
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = (shown + share * (real - shown)).requires_grad_()
    scored = critic(thermal, between)
    (slope,) = torch.autograd.grad(scored.sum(), between, create_graph=True)
    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    yield "critic", on_fake.mean() - on_real.mean() + 10 * penalty
    with fixed(critic):
        cost = F.l1_loss(fake, real) - 0.05 * critic(thermal, fake).mean()
        cost = cost + 0.5 * F.l1_loss(fake * salient, real * saliency(real))
        yield "translator", cost + 5 * feature_distance(game.features, fake, real, (1.0,))


def reference_contrastive(game: Any, batch: Batch[Any]) -> Costs:
    """A conditional critic by least squares, then the translator with the heads of its contrast."""
    thermal, real = batch.seen.thermal, batch.target
    fake = game.translator(batch.seen)
    on_real = game.critic(torch.cat([thermal, real], 1))
    on_fake = game.critic(torch.cat([thermal, fake.detach()], 1))
    yield "critic", (squares(on_real, 1) + squares(on_fake, 0)) / 2
    with fixed(game.critic):
        cost = squares(game.critic(torch.cat([thermal, fake], 1)), 1) + 10 * F.l1_loss(fake, real)
        factors = (0.125, 0.25, 0.5, 1.0)
        cost = cost + 10 * feature_distance(game.features, fake, real, factors)
        yield "translator", cost + _contrast(game, fake, real)


def _contrast(game: Any, fake: Tensor, real: Tensor) -> Tensor:
    encoder, heads = game.translator.reference_encoder, game.heads["visible"]
    sought = encoder(fake)
    places = draw_places(sought, 256)
    with torch.no_grad():
        known = heads(encoder(real), places)
    pairs = zip(heads(sought, places), known, strict=True)
    return torch.stack([patch_contrast(*pair).mean() for pair in pairs]).mean()


def thermochroma(game: Any, batch: Batch[Any]) -> Costs:
    """A conditional critic of the sharp image by least squares, then means and sharp image at once."""
    thermal, real = batch.seen.thermal, batch.target
    means, sharp = game.translator.all(thermal)
    on_real = game.critic(torch.cat([thermal, real], 1))
    on_fake = game.critic(torch.cat([thermal, sharp.detach()], 1))
    yield "critic", (squares(on_real, 1) + squares(on_fake, 0)) / 2
    with fixed(game.critic):
        cost = 0.05 * squares(game.critic(torch.cat([thermal, sharp], 1)), 1)
        cost = cost + _feature_angles(game.features, sharp, real)
        for mean in means:
            structure = dissimilarity(mean.clamp(-1, 1), real)
            cost = cost + (F.mse_loss(mean, real) + 0.3 * structure) / len(means)
        yield "translator", cost


def _feature_angles(features: Any, fake: Tensor, real: Tensor) -> Tensor:
    with torch.no_grad():
        known = features(real)
    pairs = zip(features(fake), known, strict=True)
    return torch.stack([1 - F.cosine_similarity(one, other).mean() for one, other in pairs]).sum()


def cmmf_net(game: Any, batch: Batch[Any]) -> Costs:
    """The translator alone; its ablations have other networks and the same step."""
    fake, real = game.translator(batch.seen), batch.target
    cost = F.l1_loss(fake, real) + feature_distance(game.features, fake, real)
    yield "translator", cost + total_variation(fake) + dissimilarity(fake, real)


def tir2lab(game: Any, batch: Batch[Any]) -> Costs:
    """The translator alone: colours by their distance, lightness by its structure."""
    output, target = game.translator.lab(batch.seen.thermal), scaled_lab(lab_of(batch.target))
    structure = unlike_windows(output[:, :1], target[:, :1]).mean()
    yield "translator", (F.l1_loss(output[:, 1:], target[:, 1:]) + structure) / 2
