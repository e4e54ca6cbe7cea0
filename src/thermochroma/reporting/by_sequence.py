"""Scores of every row on every sequence: the numbers behind the means and the intervals."""

from collections.abc import Mapping
from typing import Final

from thermochroma.base.cells import csv_table
from thermochroma.reporting.layout import WITH_INTERVAL, Row

FACTS: Final = ["sequence", "place", "time"]


def to_csv(rows: Mapping[str, Row], *, dataset: str, split: str) -> str:
    """CSV with one line per row and sequence: place, time, number of images, means of SSIM and PSNR.

    A sequence with images of several times or places has a line for each. Means have 6 digits.
    """
    lines: list[list[object]] = [
        ["dataset", "split", "row", "title", "kind", *FACTS, "images", *WITH_INTERVAL]
    ]
    for name, row in rows.items():
        for facts, images in row.scores.groupby(FACTS, sort=True):
            means = [f"{images[score].mean():.6g}" for score in WITH_INTERVAL]
            head = [dataset, split, name, row.title, row.kind]
            lines.append([*head, *facts, len(images), *means])
    return csv_table(lines)
