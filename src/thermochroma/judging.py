"""From a translator to scores: paint the pictures that a person could open, and judge those."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from torch import Tensor

from thermochroma.loading.crops import Crops
from thermochroma.loading.loader import seen_batches
from thermochroma.loading.references import References
from thermochroma.loading.text import TextTable
from thermochroma.method import Translator
from thermochroma.metrics.picture_scores import score_pictures
from thermochroma.summary import FACTS, JUDGED_SPLITS
from thermochroma.tensors import to_bytes

Painted = UInt8[Tensor, "b 3 h w"]


def paint(
    translator: Translator[Any],
    crops: Crops,
    rows: pd.DataFrame,
    *,
    sees: type,
    text: TextTable | None,
    batch_size: int,
    device: torch.device,
    references: References | None = None,
) -> Iterator[tuple[pd.DataFrame, Painted]]:
    """Rows and their 8-bit translations on the CPU, batch by batch; leaves the mode as it was."""
    was_training = translator.training
    translator.eval()
    try:
        for some, seen in seen_batches(
            crops,
            rows,
            sees=sees,
            text=text,
            batch_size=batch_size,
            device=device,
            references=references,
        ):
            with torch.no_grad():
                yield some, to_bytes(translator(seen)).cpu()
    finally:
        translator.train(was_training)


def truth_of(crops: Crops, rows: pd.DataFrame) -> Painted:
    """The visible pictures of the rows."""
    pictures = np.stack([crops.visible(row) for _, row in rows.iterrows()])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def score_rows(rows: pd.DataFrame, painted: Painted, truth: Painted) -> pd.DataFrame:
    """The facts of the rows and every score, one row a picture."""
    scores = {name: values.numpy() for name, values in score_pictures(painted, truth).items()}
    return pd.concat(
        [rows[FACTS].reset_index(drop=True), pd.DataFrame(scores).reset_index(drop=True)], axis=1
    )


def judged_rows(crops: Crops, frames_per_sequence: int | None) -> pd.DataFrame:
    """The frames that every row of the table is judged on: of each held-out sequence so many, evenly
    spread, or all if None."""
    rows = pd.concat([crops.split(split) for split in JUDGED_SPLITS], ignore_index=True)
    if frames_per_sequence is None:
        return rows
    groups = rows.groupby("sequence", sort=False)
    return pd.concat([spread(group, frames_per_sequence) for _, group in groups], ignore_index=True)


def spread(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return rows.iloc[places].reset_index(drop=True)


def panel(crops: Crops, rows: pd.DataFrame, painted: Painted) -> UInt8[np.ndarray, "h w 3"]:
    """One picture: a row a frame, with thermal, painted and truth side by side."""
    lines = [
        np.hstack(
            [
                np.repeat(crops.thermal(row)[..., None], 3, axis=2),
                translation.permute(1, 2, 0).numpy(),
                crops.visible(row),
            ]
        )
        for (_, row), translation in zip(rows.iterrows(), painted, strict=True)
    ]
    return np.vstack(lines)
