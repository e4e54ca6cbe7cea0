"""Predictions for crops as 8-bit images, their truth, and panels of both. No score is known here."""

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

Predicted = UInt8[Tensor, "b c h w"]
"""Images of one spectrum: 3 channels of visible, 1 of thermal."""


def predict(
    translator: Translator[Any],
    crops: Crops,
    rows: pd.DataFrame,
    *,
    sees: type,
    text: TextTable | None,
    batch_size: int,
    device: torch.device,
    references: References | None = None,
    sharpness: float = 0.0,
) -> Iterator[tuple[pd.DataFrame, Predicted]]:
    """Rows and their 8-bit predictions on the CPU, batch by batch; keeps the translator's mode.

    Raises BadInput for an output that is not finite.
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
            sharpness=sharpness,
        ):
            with torch.no_grad():
                prediction = translator(seen)
                _refuse_no_numbers(prediction, some)
                yield some, to_bytes(prediction).cpu()
    finally:
        translator.train(was_training)


def _refuse_no_numbers(prediction: Float[Tensor, "b c h w"], rows: pd.DataFrame) -> None:
    """Raise BadInput for NaN or infinity, which in 8 bits would become a level and be scored."""
    whole = prediction.isfinite().flatten(1).all(1).tolist()
    if not all(whole):
        raise BadInput(
            given=f"the translation of {rows['frame'].iloc[whole.index(False)]} has values that are "
            "no numbers (NaN or infinite)",
            needed="a level in every pixel of every image that is scored",
            remedy="train anew with a lower learning rate, or in float32",
        )


def truth_of(crops: Crops, rows: pd.DataFrame, *, spectrum: str = "visible") -> Predicted:
    """True images of the rows, of the spectrum that is predicted."""
    images = np.stack([crops.image(spectrum, row) for _, row in rows.iterrows()])
    if spectrum == "thermal":
        return torch.from_numpy(images)[:, None]
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def spread(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Choose at most `count` rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return rows.iloc[places].reset_index(drop=True)


def panel(
    crops: Crops, rows: pd.DataFrame, prediction: Predicted
) -> UInt8[np.ndarray, "high wide 3"]:
    """Combine input, prediction and truth into one image, a row per frame."""
    seen, predicted_as = (
        ("thermal", "visible") if prediction.shape[1] == 3 else ("visible", "thermal")
    )
    lines = [
        np.hstack(
            [
                in_colour(crops.image(seen, row)),
                in_colour(as_array(translation)),
                in_colour(crops.image(predicted_as, row)),
            ]
        )
        for (_, row), translation in zip(rows.iterrows(), prediction, strict=True)
    ]
    return np.vstack(lines)


def as_array(image: UInt8[Tensor, "c h w"]) -> UInt8[np.ndarray, "h w *c"]:
    """Array as in image files: one channel without an axis of its own, three on the last axis."""
    array = image.permute(1, 2, 0).numpy()
    return array[..., 0] if array.shape[-1] == 1 else array


def in_colour(image: UInt8[np.ndarray, "h w *c"]) -> UInt8[np.ndarray, "h w 3"]:
    """A visible image as it is; a thermal one as grey."""
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
