"""Translations of crops as 8-bit pictures, their truth, and panels of both. No score is known here."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import to_bytes
from thermochroma.contract.method import Translator
from thermochroma.loading.crops import Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.loading.reference_retrieval import References
from thermochroma.loading.text_features import TextTable

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
