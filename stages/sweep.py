"""Scores against a setting that was swept: a table and a figure, from what `dvc exp show --csv` prints.

    dvc exp show --csv > sweep.csv
    python -m stages.sweep --table sweep.csv --dataset sample --method cmmf_net \\
        --setting methods.cmmf_net.weights.ssim --figure sweep.svg

Not a stage of the pipeline: it looks back on several runs of it.
"""

from pathlib import Path

from stages.command import run
from thermochroma.pipeline.sweep import tabulate_sweep


def main(table: Path, dataset: str, method: str, setting: str, figure: Path) -> None:
    """Tabulate and draw scores against a setting that was swept."""
    tabulate_sweep(table, dataset, method, setting, figure)


if __name__ == "__main__":
    run(main)
