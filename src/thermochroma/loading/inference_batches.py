"""What a deployed translator is handed, frame by frame. Apart from the training's loader: to score or to
deploy, nothing need be loaded that only augments."""

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
) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Rows and what a translator sees of them, in order; none of their targets is opened.

    references: for methods that see them.
    """
    places = crops.places(rows)
    spectrum = seen_spectrum(sees)
    for start in range(0, len(rows), batch_size):
        some = rows.iloc[start : start + batch_size]
        images = np.stack([places.image(spectrum, start + n) for n in range(len(some))])
        raw: dict[str, Any] = {spectrum: torch.from_numpy(images), "frame": list(some["frame"])}
        if text is not None:
            raw["sentence"] = torch.tensor([text.row(frame) for frame in some["frame"]])
        if references is not None:
            raw |= _referred(references, raw["frame"], side=images.shape[1:3])
        yield some, assemble_seen(move(raw, device), sees, text)


def _referred(
    references: References, frames: Sequence[str], *, side: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """The references of some frames, as a raw batch holds them."""
    blank = np.zeros((*side, 3), np.uint8)
    found = [as_raw(references.image(frame), like=blank) for frame in frames]
    return {name: torch.from_numpy(np.stack([one[name] for one in found])) for name in found[0]}


def as_raw(reference: VisibleImage | None, *, like: VisibleImage) -> dict[str, Any]:
    """An image, and whether it counts: 8 bits have no value for "none"."""
    there = reference is not None
    return {
        "reference": reference if there else np.zeros_like(like),
        "has_reference": np.array(there),
    }
