"""Bring the frozen networks to disk: for perceptual terms, for text, and for scores of perception."""

import sys
from collections.abc import Callable
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.config.weights import FrozenWeights, Wish
from thermochroma.metrics.perceptual import LpipsName
from thermochroma.networks.frozen import Kind, Vgg
from thermochroma.pretrained.write_weights import (
    write_clip,
    write_efficientnet,
    write_inception,
    write_lpips,
    write_nothing,
    write_vgg,
)

STAND_IN_DIVISOR = 8  # a stand-in need not be good, but it must be quick on a processor


def write_frozen(
    wishes: FrozenWeights,
    *,
    seed: int,
    vgg16: Path,
    vgg19: Path,
    clip: Path,
    efficientnet: Path,
    perception: Path,
) -> None:
    """Write each frozen network as `wishes` says: published, a seeded stand-in, or whichever can be had.

    Raises BadInput if a network that must be published cannot be had.
    """

    def vgg(network: Vgg, folder: Path) -> Callable[[Kind], None]:
        return lambda kind: write_vgg(
            folder,
            network=network,
            kind=kind,
            seed=seed,
            stand_in_width_divisor=STAND_IN_DIVISOR,
        )

    def lite(kind: Kind) -> None:
        write_efficientnet(
            efficientnet, kind=kind, seed=seed, stand_in_width_divisor=STAND_IN_DIVISOR
        )
        judge = perception / "efficientnet_lite0"
        write_efficientnet(judge, kind=kind) if kind == "published" else write_nothing(judge)

    def lpips(name: LpipsName) -> Callable[[Kind], None]:
        folder = perception / name
        return lambda kind: (
            write_lpips(folder, score=name) if kind == "published" else write_nothing(folder)
        )

    def inception(kind: Kind) -> None:
        folder = perception / "inception"
        write_inception(folder) if kind == "published" else write_nothing(folder)

    bring("VGG-16", wishes.vgg16, vgg("vgg16", vgg16))
    bring("VGG-19", wishes.vgg19, vgg("vgg19", vgg19))
    bring("CLIP", wishes.clip, lambda kind: write_clip(clip, kind=kind, seed=seed))
    bring("EfficientNet-Lite0", wishes.efficientnet_lite0, lite)
    bring("LPIPS (AlexNet)", wishes.lpips_alex, lpips("lpips_alex"))
    bring("LPIPS (VGG-16)", wishes.lpips_vgg, lpips("lpips_vgg"))
    bring("Inception v3", wishes.inception, inception)


def bring(title: str, wish: Wish, write: Callable[[Kind], None]) -> None:
    """Write one network, and say on standard error when a stand-in takes the place of a published one."""
    if wish == "stand_in":
        write("stand_in")
        return
    try:
        write("published")
    except BadInput as cause:
        if wish == "published":
            raise
        sys.stderr.write(f"{title}: a stand-in is used, since {cause.given}\n")
        write("stand_in")
