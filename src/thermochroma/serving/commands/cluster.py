"""The work of `cluster`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.cluster.head import run_lineup


def run(chosen: Namespace) -> None:
    """Run the whole pipeline, its trainings on a cluster."""
    out = sys.stdout  # Ray's own words go elsewhere while it runs

    def say(line: str) -> None:
        out.write(f"{line}\n")
        out.flush()

    run_lineup(
        Path.cwd(),
        address=chosen.address,
        cpus=chosen.cpus_per_run,
        gpus=chosen.gpus_per_run,
        retries=chosen.retries,
        every_seconds=chosen.checkpoint_seconds,
        checkpoints=chosen.checkpoints,
        say=say,
    )
