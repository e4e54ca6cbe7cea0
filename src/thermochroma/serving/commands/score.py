"""The work of `score`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.config.params import Params, read_params
from thermochroma.pipeline.score import score_folder, score_on_dataset, write_scored
from thermochroma.serving.frames import crops_in


def run(chosen: Namespace) -> None:
    """Print the table; write it, and the scores of images, where a folder is given."""
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
        crops, params = crops_in(chosen.data, chosen.dataset), read_params(chosen.params)
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
