"""The terms of the game that several methods share, written out once more, as their cards have them."""

from typing import Any

import torch
from torch import Tensor

from thermochroma.games.paired_adversarial import PairedAdversarialGame
from thermochroma.networks.frozen import FrozenNetworks


def expected_terms(
    game: PairedAdversarialGame, batch: Any, fake: Tensor, *, criterion: str, frozen: FrozenNetworks
) -> dict[str, Tensor]:
    """Means of content, adversarial, perceptual and total-variation terms, and of the critic's two."""
    real, thermal = batch.target, batch.seen.thermal.repeat(1, 3, 1, 1)
    on_fake, on_real = (game.critic(torch.cat([thermal, x], 1)) for x in (fake, real))
    if criterion == "cross_entropy":
        is_real, is_fake = (lambda j: -j.sigmoid().log()), (lambda j: -(1 - j.sigmoid()).log())
    else:
        is_real, is_fake = (lambda j: (j - 1) ** 2), (lambda j: j**2)
    features = frozen.vgg16(taps=(3, 8, 15, 22), imagenet_norm=False)
    across, down = fake[..., 1:] - fake[..., :-1], fake[..., 1:, :] - fake[..., :-1, :]
    return {
        "critic_real": is_real(on_real).mean(),
        "critic_fake": is_fake(on_fake).mean(),  # an empty pool passes the fakes on
        "content": (fake - real).abs().mean(),
        "adversarial": is_real(on_fake).mean(),
        "perceptual": sum(
            (a - b).abs().mean() for a, b in zip(features(fake), features(real), strict=True)
        ),
        # the original: sums over the batch too, for one image
        "tv": (across.abs().sum() + down.abs().sum()) / (64 * 64) / 2,
    }
