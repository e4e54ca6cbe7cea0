"""Batches for inference: the input of a deployed translator, frame by frame.

Separate from the loader of the training, so that scoring and deploying load no augmentation library.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermochroma.base.images import VisibleImage
from thermochroma.loading.collate import assemble_seen, move, seen_spectrum
from thermochroma.loading.crops import Crops
from thermochroma.loading.reference_retrieval import References
from thermochroma.loading.text_features import TextTable


def seen_batches(
    crops: Crops,
    rows: pd.DataFrame,
    *,
    sees: type,
    text: TextTable | None,
    batch_size: int,
    device: torch.device,
    references: References | None = None,
    sharpness: float = 0.0,
) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Yield rows and the translator's input for them, in order; no target is opened.

    references: for methods that see them. sharpness: from 0 to 1, for methods that ask for it.
    """
    places = crops.places(rows)
    spectrum = seen_spectrum(sees)
    for start in range(0, len(rows), batch_size):
        some = rows.iloc[start : start + batch_size]
        images = np.stack([places.image(spectrum, start + n) for n in range(len(some))])
        raw: dict[str, Any] = {spectrum: torch.from_numpy(images), "frame": list(some["frame"])}
        raw["sharpness"] = sharpness
        if text is not None:
            raw["sentence"] = torch.tensor([text.row(frame) for frame in some["frame"]])
        if references is not None:
            raw |= _referred(references, raw["frame"], side=images.shape[1:3])
        yield some, assemble_seen(move(raw, device), sees, text)


def _referred(
    references: References, frames: Sequence[str], *, side: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """The references of some frames, as fields of a raw batch."""
    blank = np.zeros((*side, 3), np.uint8)
    found = [as_raw(references.image(frame), like=blank) for frame in frames]
    return {name: torch.from_numpy(np.stack([one[name] for one in found])) for name in found[0]}


def as_raw(reference: VisibleImage | None, *, like: VisibleImage) -> dict[str, Any]:
    """Fields of a raw batch: the image and whether there is one, since 8 bits have no value for none."""
    there = reference is not None
    return {
        "reference": reference if there else np.zeros_like(like),
        "has_reference": np.array(there),
    }
