"""The commands `frames` and `score`: frames for other programs, and scores of what these make of them."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import SCORED_SPLITS, SPLITS
from thermochroma.config.params import Params, read_params
from thermochroma.contract.dataset import dataset_names
from thermochroma.serving.frames import open_crops, write_frames

SEEN = {"visible": "thermal", "thermal": "visible"}
"""Spectrum that is shown, by the one that is predicted."""


def frames(chosen: Namespace) -> None:
    """Write the frames of one split as PNG, as every method is shown them; the truth only if asked."""
    crops = _crops(chosen)
    seen = SEEN[chosen.predicts]
    count = write_frames(crops, split=chosen.split, seen=seen, folder=chosen.to, truth=chosen.truth)
    sys.stdout.write(f"{count} {seen} images in {chosen.to}")
    sys.stdout.write(f", the truth in {chosen.truth}\n" if chosen.truth else "\n")


def score(chosen: Namespace) -> None:
    """Score a folder of predictions under the whole protocol, beside the rows that learn nothing."""
    from thermochroma.pipeline.score import (  # loads what draws figures
        score_folder,
        score_on_dataset,
        write_scored,
    )

    perception = chosen.data / "weights/perception"
    if chosen.truth is not None:
        scored = score_folder(
            chosen.folder,
            truth=chosen.truth,
            thermal=_thermal(chosen),
            title=chosen.name,
            perception=perception if perception.exists() else None,
        )
    else:
        crops, params = _crops(chosen), read_params(chosen.params)
        _refuse_unset(chosen.dataset, params)
        scored = score_on_dataset(
            chosen.folder,
            chosen.dataset,
            params.evaluate[chosen.dataset],
            record=params.dataset(chosen.dataset),
            title=chosen.name,
            split=chosen.split,
            spectrum=chosen.predicts,
            seed=params.seed,
            side=params.crop[chosen.dataset].size,
            crops=crops,
            baselines=chosen.data / "baselines" / chosen.dataset,
            perception=perception,
        )
    sys.stdout.write(scored.text)
    if chosen.to is not None:
        write_scored(scored, chosen.to)


def _crops(chosen: Namespace) -> Any:
    below = chosen.data / "crops"
    cut = [path.name for path in below.iterdir() if path.is_dir()] if below.is_dir() else []
    known = sorted({*dataset_names(), *cut})
    if chosen.dataset not in known:
        raise BadInput(
            given=f"there is no data set `{chosen.dataset}`",
            needed=f"one of {', '.join(known)}",
            remedy="correct --dataset; data of your own have crops after `dvc repro crop@NAME`",
        )
    return open_crops(below / chosen.dataset, chosen.dataset)


def _refuse_unset(dataset: str, params: Params) -> None:
    for block, known in (
        ("sources", params.sources),
        ("evaluate", params.evaluate),
        ("crop", params.crop),
    ):
        if dataset not in known:
            raise BadInput(
                given=f"params.yaml has no `{block}.{dataset}`",
                needed="how the data set is cut and scored",
                remedy="add it (the file in the repository has it), or give another --params",
            )


def _thermal(chosen: Namespace) -> Path:
    if chosen.thermal is None or chosen.predicts != "visible":
        raise BadInput(
            given="--truth stands "
            + ("without --thermal" if chosen.thermal is None else "beside --predicts thermal"),
            needed="two folders, for predictions in colour: what is true, and the thermal images, for "
            "the rows that copy them and for the score of kept edges",
            remedy="give --thermal FOLDER too"
            if chosen.thermal is None
            else "leave --predicts out, or score on a data set",
        )
    thermal: Path = chosen.thermal
    return thermal


def add_frames(commands: Any) -> None:
    """Add the command `frames` to the parser."""
    command = commands.add_parser("frames", help=frames.__doc__, description=frames.__doc__)
    command.set_defaults(do=frames)
    command.add_argument("--dataset", required=True, help="a data set whose crops have been made")
    command.add_argument("--split", choices=SPLITS, default="test")
    command.add_argument("--to", type=Path, required=True, help="a new folder for the images")
    command.add_argument("--truth", type=Path, help="a new folder for the true images, too")
    _add_common(command)


def add_score(commands: Any) -> None:
    """Add the command `score` to the parser."""
    command = commands.add_parser("score", help=score.__doc__, description=score.__doc__)
    command.set_defaults(do=score)
    command.add_argument("folder", type=Path, help="one PNG a frame, named as `frames` names them")
    command.add_argument("--name", required=True, help="title of the row")
    truth = command.add_mutually_exclusive_group(required=True)
    truth.add_argument("--dataset", help="a data set whose baselines have been scored")
    truth.add_argument("--truth", type=Path, help="instead: a folder of true images, equally named")
    command.add_argument("--thermal", type=Path, help="with --truth: the folder of thermal images")
    command.add_argument("--split", choices=SCORED_SPLITS, default="test")
    command.add_argument("--to", type=Path, help="a folder for the table and the scores of images")
    command.add_argument("--params", type=Path, default=Path("params.yaml"))
    _add_common(command)


def _add_common(command: ArgumentParser) -> None:
    command.add_argument(
        "--predicts", choices=sorted(SEEN), default="visible", help="default: visible"
    )
    command.add_argument(
        "--data", type=Path, default=Path("data"), help="the project's folder of data"
    )
