"""The work of `results`."""

import sys
from argparse import Namespace

from thermochroma.base.plugins import refuse_unknown
from thermochroma.config.params import read_params
from thermochroma.serving.results import results_of


def run(chosen: Namespace) -> None:
    """Print a table for each data set and direction, or a sentence on what is missing."""
    params = read_params(chosen.params)
    for dataset in chosen.datasets:
        known = sorted(params.datasets)
        refuse_unknown(dataset, known, kind="data set that is compared", key="datasets")
    parts = (
        results_of(
            dataset,
            chosen.reports / dataset / "tables",
            split=chosen.split,
            trained=dict.fromkeys(map(params.block_of, params.trained_on(dataset))),
        )
        for dataset in chosen.datasets or params.datasets
    )
    sys.stdout.write("\n".join(parts))
