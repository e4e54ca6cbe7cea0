"""From a translator to scores: paint the pictures that a person could open, and judge those."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.errors import BadInput
from thermochroma.loading.crops import Crops
from thermochroma.loading.references import References
from thermochroma.loading.seen import seen_batches
from thermochroma.loading.text import TextTable
from thermochroma.method import Translator
from thermochroma.metrics.colour import luma
from thermochroma.metrics.contours import edges_kept
from thermochroma.metrics.picture_scores import score_pictures
from thermochroma.summary import FACTS, JUDGED_SPLITS
from thermochroma.tensors import to_bytes

SEEN = {"visible": "thermal", "thermal": "visible"}
"""By the spectrum that is painted."""
Painted = UInt8[Tensor, "b c h w"]
"""Pictures of one spectrum: 3 channels of visible, 1 of thermal."""


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
    """Rows and their 8-bit translations on the CPU, batch by batch; leaves the mode as it was.

    Raises BadInput for a translation that is not finite.
    """
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
                painted = translator(seen)
                _refuse_no_numbers(painted, some)
                yield some, to_bytes(painted).cpu()
    finally:
        translator.train(was_training)


def _refuse_no_numbers(painted: Float[Tensor, "b c h w"], rows: pd.DataFrame) -> None:
    """8 bits cannot hold NaN: it would become some level, and be scored as if it had been painted."""
    whole = painted.isfinite().flatten(1).all(1).tolist()
    if not all(whole):
        raise BadInput(
            given=f"the translation of {rows['frame'].iloc[whole.index(False)]} has values that are "
            "no numbers (NaN or infinite)",
            needed="a level in every pixel of every picture that is judged",
            remedy="train anew with a lower learning rate, or in float32",
        )


def truth_of(crops: Crops, rows: pd.DataFrame, *, spectrum: str = "visible") -> Painted:
    """The pictures of the rows, of the spectrum that is painted."""
    pictures = np.stack([crops.picture(spectrum, row) for _, row in rows.iterrows()])
    if spectrum == "thermal":
        return torch.from_numpy(pictures)[:, None]
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def score_rows(
    crops: Crops, rows: pd.DataFrame, painted: Painted, *, spectrum: str
) -> pd.DataFrame:
    """The facts of the rows and every score, one row a picture. spectrum: the one that is painted."""
    truth = truth_of(crops, rows, spectrum=spectrum)
    scores = {name: values.numpy() for name, values in score_pictures(painted, truth).items()}
    scores |= edge_scores(painted, truth_of(crops, rows, spectrum=SEEN[spectrum]))
    return pd.concat(
        [rows[FACTS].reset_index(drop=True), pd.DataFrame(scores).reset_index(drop=True)], axis=1
    )


def edge_scores(
    painted: Painted, seen: UInt8[Tensor, "b seen h w"]
) -> dict[str, Float[np.ndarray, " b"]]:
    """Whether the edges of what was seen were painted: APCE and the F-measure, one value a picture."""
    pairs = zip(in_grey(painted).numpy(), in_grey(seen).numpy(), strict=True)
    edges = np.array([edges_kept(*pair) for pair in pairs])
    return {"edges_kept": edges[:, 0], "edges_f": edges[:, 1]}


def in_grey(pictures: Painted) -> UInt8[Tensor, "b h w"]:
    """Rounded luma of visible pictures; thermal ones as they are."""
    return luma(pictures).round().to(torch.uint8)


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


def panel(crops: Crops, rows: pd.DataFrame, painted: Painted) -> UInt8[np.ndarray, "high wide 3"]:
    """One picture: a row a frame, with what was seen, painted and true side by side."""
    seen, painted_as = ("thermal", "visible") if painted.shape[1] == 3 else ("visible", "thermal")
    lines = [
        np.hstack(
            [
                in_colour(crops.picture(seen, row)),
                in_colour(as_array(translation)),
                in_colour(crops.picture(painted_as, row)),
            ]
        )
        for (_, row), translation in zip(rows.iterrows(), painted, strict=True)
    ]
    return np.vstack(lines)


def as_array(picture: UInt8[Tensor, "c h w"]) -> UInt8[np.ndarray, "h w *c"]:
    """As pictures lie on disk: one channel without an axis of its own, three behind the pixels."""
    array = picture.permute(1, 2, 0).numpy()
    return array[..., 0] if array.shape[-1] == 1 else array


def in_colour(picture: UInt8[np.ndarray, "h w *c"]) -> UInt8[np.ndarray, "h w 3"]:
    """A visible picture as it is; a thermal one as grey."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
