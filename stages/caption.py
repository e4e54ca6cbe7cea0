"""Write one sentence a frame, from what is known without the visible target."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.caption import caption


def main(
    dataset: str,
    params: Path,
    raw: Path,
    crops: Path,
    overrides: Path,
    captions: Path,
) -> None:
    """Write one sentence a frame, from what is known without the visible target."""
    settings = read_params(params)
    caption(
        dataset,
        settings.caption,
        settings.source(dataset),
        known=settings.sources.keys(),
        raw=raw,
        crops=crops,
        overrides=overrides,
        captions=captions,
    )


if __name__ == "__main__":
    run(main)
