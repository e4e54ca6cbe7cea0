"""Cut windows out of the field that both cameras see, in one interpolation from the raw images."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.crop import crop


def main(
    dataset: str,
    params: Path,
    frames: Path,
    registered: Path,
    raw: Path,
    code: Path,
    checkpoints: Path,
    crops: Path,
    metrics: Path,
) -> None:
    """Cut windows out of the field that both cameras see, in one interpolation from the raw images."""
    settings = read_params(params)
    crop(
        dataset,
        settings.crop[dataset],
        upscale=settings.dataset(dataset).upscale,
        seed=settings.seed,
        on_defect=settings.source(dataset).on_defect,
        frames=frames,
        registered=registered,
        raw=raw,
        code=code,
        checkpoints=checkpoints,
        crops=crops,
        metrics=metrics,
    )


if __name__ == "__main__":
    run(main)
