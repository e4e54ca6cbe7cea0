"""The work of `cluster`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.cluster.head import Wish, run_lineup, run_queue


def run(chosen: Namespace) -> None:
    """Run the whole pipeline, or DVC's queue, its trainings on a cluster."""
    out = sys.stdout  # Ray's own words go elsewhere while it runs

    def say(line: str) -> None:
        out.write(f"{line}\n")
        out.flush()

    wish = Wish(
        chosen.address,
        cpus=chosen.cpus_per_run,
        gpus=chosen.gpus_per_run,
        retries=chosen.retries,
        every_seconds=chosen.checkpoint_seconds,
        checkpoints=chosen.checkpoints,
    )
    (run_queue if chosen.queue else run_lineup)(Path.cwd(), wish, say=say)
