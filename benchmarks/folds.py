"""Scores of a data set's folds together: each sequence is tested once, by a training that never saw it.

After each `dvc repro` with another `sources.<data set>.profile` keep its `data/scores` and
`data/baselines` in a folder of their own; then

    python -m benchmarks.folds --dataset roadscene --places fold_1,fold_2,fold_3,fold_4,fold_5 \\
        --rows thermochroma_small,linear_probe,mean_colour,mean_image,thermal_inverted
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.base.tables import read_csv
from thermochroma.reporting.significance import compare_pairs

SCORES = ("psnr", "ssim", "lpips_alex")
TESTED = ("psnr", "ssim")
WRITTEN = "the scores that the stages `evaluate` and `baselines` wrote"


def main(dataset: str, places: str, rows: str) -> None:
    """Print means by fold and over all test images, and each pair of rows tested jointly. rows: names of
    methods or baselines; `name:policy` for another policy, such as `thermochroma_small:sharp`."""
    folders = [Path(place) for place in places.split(",")]
    tables = {row: [_read(folder, dataset, row) for folder in folders] for row in rows.split(",")}
    _print_means(tables)
    whole = {row: pd.concat(found, ignore_index=True) for row, found in tables.items()}
    _refuse_twice(next(iter(whole.values())))
    sys.stdout.write(
        "\n| row | against | score | difference | p | p, joint |\n|---|---|---|--:|--:|--:|\n"
    )
    for score in TESTED:
        for one in compare_pairs(whole, score).verdicts:
            told = f"{one.difference.mean:+.3f} [{one.difference.low:+.3f}, {one.difference.high:+.3f}]"
            cells = (one.one, one.other, score, told, f"{one.p:.4f}", f"{one.p_joint:.4f}")
            sys.stdout.write(f"| {' | '.join(cells)} |\n")


def _print_means(tables: Mapping[str, list[pd.DataFrame]]) -> None:
    count = len(next(iter(tables.values())))
    heads = ["row", *(f"fold {number + 1}" for number in range(count)), "all test images"]
    sys.stdout.write(f"| {' | '.join(heads)} |\n|---|{'---|' * (count + 1)}\n")
    for row, found in tables.items():
        cells = [_told(one) for one in (*found, pd.concat(found))]
        sys.stdout.write(f"| {row} | {' | '.join(cells)} |\n")
    sizes = [f"{len(one)} images of {one['sequence'].nunique()} sequences" for one in found]
    sys.stdout.write(f"\nPSNR / SSIM / LPIPS. Test images: {'; '.join(sizes)}.\n")


def _told(table: pd.DataFrame) -> str:
    return " / ".join(f"{table[score].mean():.{2 if score == 'psnr' else 3}f}" for score in SCORES)


def _read(place: Path, dataset: str, row: str) -> pd.DataFrame:
    name, _, policy = row.partition(":")
    below = Path("policies") / policy if policy else Path()
    found = [
        path
        for kind in ("scores", "baselines")
        if (path := place / kind / dataset / name / below / "scores.csv").exists()
    ]
    if not found:
        raise BadInput(
            given=f"{place} holds no scores of `{row}` on {dataset}",
            needed=WRITTEN,
            remedy="keep `data/scores` and `data/baselines` of each fold there, or name other rows",
        )
    table = read_csv(found[0], needed=WRITTEN)
    return table[table["split"] == "test"]


def _refuse_twice(table: pd.DataFrame) -> None:
    twice = table["frame"][table["frame"].duplicated()]
    if len(twice):
        raise BadInput(
            given=f"{twice.iloc[0]} is a test image of two folds",
            needed="folds that test each image once",
            remedy="name one place for each fold",
        )


if __name__ == "__main__":
    run(main)
