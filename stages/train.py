"""Play one method's game on one data set."""

from pathlib import Path

from stages.command import run
from stages.recorded import recorded_in
from thermochroma.config.params import read_params
from thermochroma.pipeline.train import train
from thermochroma.pipeline.training_run import TrainingFiles, prepare


def main(
    dataset: str,
    method: str,
    params: Path,
    crops: Path,
    text: Path,
    weights: Path,
    code: Path,
    trainer: Path,
    checkpoints: Path,
    edges: Path,
    recorded: Path,
    folder: Path,
) -> None:
    """Play one method's game on one data set."""
    settings = read_params(params)
    files = TrainingFiles(crops, text, weights, edges, (code, trainer))
    training = prepare(
        dataset,
        settings.entry(dataset, method),
        files,
        side=settings.crop[dataset].size,
    )
    train(
        training,
        files,
        checkpoints=checkpoints,
        recorded=recorded_in(recorded),
        folder=folder,
    )


if __name__ == "__main__":
    run(main)
