"""What scores do over the last part of a training, and what it brings to choose a snapshot by them."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from thermochroma.contract.settings import TWENTIETHS

IMAGES: Final = "images"
CHOSEN_BY: Final = "psnr"
READINGS: Final = ("psnr", "ssim", "ssim_7u")


def means(snapshots: pd.DataFrame) -> pd.DataFrame:
    """The means over images of each snapshot of one run, the end last.

    Columns: images, twentieths (of the training), and `READINGS`.
    """
    found = snapshots.groupby(IMAGES, as_index=False)[list(READINGS)].mean()
    return found.assign(twentieths=TWENTIETHS * found[IMAGES] / found[IMAGES].max())


def chosen(runs: Sequence[pd.DataFrame]) -> dict[str, float]:
    """`READINGS` of the snapshot with the highest PSNR on these very images, mean over runs; of no
    runs nothing.

    Public code of the field chooses so. It flatters: nothing of the protocol `audited` does.
    """
    if not runs:
        return {}
    best = pd.concat([means(one).nlargest(1, CHOSEN_BY) for one in runs])
    return {name: float(best[name].mean()) for name in READINGS}


def to_csv(curves: Mapping[str, pd.DataFrame], *, dataset: str) -> str:
    """The numbers behind Figure 4. curves: title to `means`."""
    parts = [found.assign(dataset=dataset, row=title) for title, found in curves.items()]
    columns = ["dataset", "row", IMAGES, "twentieths", *READINGS]
    text: str = pd.concat(parts)[columns].to_csv(index=False, float_format="%.6g")
    return text
