"""The scores of every row on every sequence: what the means and the intervals are made of."""

import csv
import io
from collections.abc import Mapping
from typing import Final

from thermochroma.reporting.layout import WITH_INTERVAL, Row

FACTS: Final = ["sequence", "place", "time"]


def to_csv(rows: Mapping[str, Row], *, dataset: str, split: str) -> str:
    """One line a row and sequence: place, time, number of images, means of SSIM and PSNR in full.

    A sequence with images of several times or places has a line for each.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["dataset", "split", "row", "title", "kind", *FACTS, "images", *WITH_INTERVAL])
    for name, row in rows.items():
        for facts, images in row.scores.groupby(FACTS, sort=True):
            means = [f"{images[score].mean():.6g}" for score in WITH_INTERVAL]
            head = [dataset, split, name, row.title, row.kind]
            writer.writerow([*head, *facts, len(images), *means])
    return text.getvalue()
