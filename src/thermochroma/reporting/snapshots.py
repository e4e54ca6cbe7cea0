"""Scores over the last part of a training, and the gain of choosing a snapshot by them."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from thermochroma.base.cells import csv_cell
from thermochroma.contract.settings import TWENTIETHS

IMAGES: Final = "images"
CHOSEN_BY: Final = "psnr"
READINGS: Final = ("psnr", "ssim", "ssim_7u")


def means(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Means over images of each snapshot of one run, the end last.

    Columns: images, twentieths (of the training), and `READINGS`.
    """
    found = snapshots.groupby(IMAGES, as_index=False)[list(READINGS)].mean()
    return found.assign(twentieths=TWENTIETHS * found[IMAGES] / found[IMAGES].max())


def chosen(runs: Sequence[pd.DataFrame]) -> dict[str, float]:
    """Mean over runs of the `READINGS` of the snapshot with the highest PSNR on the same images.

    Empty without runs. Public code of the field chooses in this way. It makes scores too good; the
    protocol `audited` never does so.
    """
    if not runs:
        return {}
    best = pd.concat([means(one).nlargest(1, CHOSEN_BY) for one in runs])
    return {name: float(best[name].mean()) for name in READINGS}


def to_csv(curves: Mapping[str, pd.DataFrame], *, dataset: str) -> str:
    """Write the numbers behind Figure 4. curves: title to a table as `means` returns it."""
    parts = [found.assign(dataset=dataset, row=csv_cell(title)) for title, found in curves.items()]
    columns = ["dataset", "row", IMAGES, "twentieths", *READINGS]
    text: str = pd.concat(parts)[columns].to_csv(index=False, float_format="%.6g")
    return text
