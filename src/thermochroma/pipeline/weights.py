"""Bring the frozen networks to disk: for perceptual terms, for text, and for scores of perception."""

from pathlib import Path

from thermochroma.pretrained.write_weights import Kind, Vgg, write_clip, write_perception, write_vgg

STAND_IN_DIVISOR = 8  # a stand-in need not be good, but it must be quick on a processor


def write_frozen(
    kind: Kind, *, seed: int, vgg16: Path, vgg19: Path, clip: Path, perception: Path
) -> None:
    """Write published weights or seeded stand-ins, in the same format; of perception, published or none."""
    networks: dict[Vgg, Path] = {"vgg16": vgg16, "vgg19": vgg19}
    for network, folder in networks.items():
        write_vgg(
            folder,
            network=network,
            kind=kind,
            seed=seed,
            random_width_divisor=STAND_IN_DIVISOR,
        )
    write_clip(clip, kind=kind, seed=seed)
    write_perception(perception, kind=kind)
