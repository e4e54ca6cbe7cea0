"""Weights of frozen networks, network by network."""

from typing import Literal

from thermochroma.contract.settings import Strict

Wish = Literal["published", "stand_in", "published_or_stand_in"]
"""published: or the stage ends. stand_in: seeded random weights of the same format, narrower; of a network
that scores, nothing. published_or_stand_in: a stand-in where no place answers, and a sentence says so."""


class FrozenWeights(Strict):
    """Wish for each frozen network."""

    vgg16: Wish
    vgg19: Wish
    clip: Wish
    efficientnet_lite0: Wish
    """EfficientNet-Lite0, for a KID of its own: published, or that KID is not taken."""
    lpips_alex: Wish
    """LPIPS through AlexNet."""
    lpips_vgg: Wish
    """LPIPS through VGG-16: sixteen times the time."""
    inception: Wish
    """Inception v3, for FID and KID."""
