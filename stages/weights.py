"""Bring the frozen networks to disk: for perceptual terms, for text, and for scores of perception."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.weights import write_frozen


def main(
    params: Path,
    vgg16: Path,
    vgg19: Path,
    clip: Path,
    efficientnet: Path,
    perception: Path,
) -> None:
    """Bring the frozen networks to disk: for perceptual terms, for text, and for scores of perception."""
    settings = read_params(params)
    write_frozen(
        settings.weights,
        seed=settings.seed,
        vgg16=vgg16,
        vgg19=vgg19,
        clip=clip,
        efficientnet=efficientnet,
        perception=perception,
    )


if __name__ == "__main__":
    run(main)
