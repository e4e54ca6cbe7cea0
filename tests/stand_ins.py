"""Seeded stand-ins of the frozen networks that games use, as the stage `weights` writes them."""

from pathlib import Path

from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pretrained.write_weights import write_efficientnet, write_vgg


def stand_ins(folder: Path, *, divisor: int = 4) -> FrozenNetworks:
    """Write them into `folder`. divisor: of their widths."""
    narrow = {"stand_in_width_divisor": divisor}
    write_vgg(folder / "vgg16", network="vgg16", kind="stand_in", **narrow)
    write_vgg(folder / "vgg19", network="vgg19", kind="stand_in", **narrow)
    write_efficientnet(folder / "efficientnet_lite0", kind="stand_in", **narrow)
    return FrozenNetworks(folder)
