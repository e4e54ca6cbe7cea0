"""Conversion of raw bytes to a method's input: reads exactly the fields that the input type names."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thermochroma.base.tensors import to_network, to_unit
from thermochroma.contract.batch import Batch, Edged, TrainingBatch, Triplets, with_each
from thermochroma.loading.text_features import TextTable, load_text

Raw = Mapping[str, Any]
"""A collated batch from the loader. Images are uint8: `thermal` (b h w) and `visible` (b h w 3), both in
training, else only the input; `reference` (b h w 3) and, whether there is one, `has_reference` (b);
`thermal_edges` and `visible_edges` (b h w). Further: `sharpness`, one
number for all; `sentence`, rows of the text table (b), and `frame`, the ids. In batches of triplets:
`thermal` (b 3 h w) and `visible` (b 3 h w 3)."""
Reader = Callable[[Raw, TextTable | None], Tensor]


def needs_text(sees: type) -> bool:
    """Whether the input type has fields that come from captions."""
    return any(field.name.startswith("text") for field in fields(sees))


def read_text(sees: type, text: Path) -> TextTable | None:
    """Load the features of all captions from the file `text`; None for a method that sees no text."""
    return load_text(text) if needs_text(sees) else None


def is_tunable(sees: type) -> bool:
    """Whether the input type has a field for the wished sharpness."""
    return any(field.name == "sharpness" for field in fields(sees))


def needs_references(sees: type) -> bool:
    """Whether the input type has a field for references."""
    return any(field.name == "reference" for field in fields(sees))


def assemble_seen(raw: Raw, sees: type, text: TextTable | None) -> Any:
    """Build an object of the type `sees`, on the device of the raw images."""
    return sees(**{field.name: READERS[field.name](raw, text) for field in fields(sees)})


def seen_spectrum(sees: type) -> str:
    """Spectrum of the input type: "thermal" or "visible"."""
    return "visible" if any(field.name == "visible" for field in fields(sees)) else "thermal"


def assemble_shown(raw: Raw, trains_on: type, sees: type, text: TextTable | None) -> TrainingBatch:
    """Build an object of the type `trains_on`, on the device of the raw images."""
    shown: TrainingBatch = ASSEMBLERS[trains_on](raw, sees, text)
    return shown


def _batch(raw: Raw, sees: type, text: TextTable | None) -> Batch[Any]:
    target = _thermal if seen_spectrum(sees) == "visible" else _visible
    seen = assemble_seen(raw, sees, text)
    return Batch(seen=seen, target=target(raw, text), frames=tuple(raw["frame"]))


def _edged(raw: Raw, sees: type, text: TextTable | None) -> Edged:
    return Edged(
        thermal=_thermal(raw, text),
        visible=_visible(raw, text),
        thermal_edges=to_unit(to_network(raw["thermal_edges"][:, None])),
        visible_edges=to_unit(to_network(raw["visible_edges"][:, None])),
        frames=tuple(raw["frame"]),
    )


def _triplets(raw: Raw, sees: type, text: TextTable | None) -> Triplets:
    count = len(raw["frame"])
    one_by_one = {name: raw[name].flatten(0, 1) for name in ("thermal", "visible")}
    return Triplets(
        thermal=_thermal(one_by_one, text).unflatten(0, (count, -1)),
        visible=_visible(one_by_one, text).unflatten(0, (count, -1)),
        frames=tuple(raw["frame"]),
    )


def laid_out(batch: TrainingBatch, layout: torch.memory_format) -> TrainingBatch:
    """The batch in a memory layout: as it was assembled, channels last, or a copy with channels first."""
    return batch if layout is torch.channels_last else with_each(batch, Tensor.contiguous)


def move(raw: Raw, device: torch.device) -> Raw:
    """Copy a raw batch to the device as bytes; floats are made there.

    Rows of the text table stay on the table's device: only the features that are looked up are copied.
    """
    return {
        name: value.to(device, non_blocking=True)
        if isinstance(value, Tensor) and name != "sentence"
        else value
        for name, value in raw.items()
    }


def _thermal(raw: Raw, text: TextTable | None) -> Tensor:
    return to_network(raw["thermal"][:, None]).contiguous(memory_format=torch.channels_last)


def _visible(raw: Raw, text: TextTable | None) -> Tensor:
    return to_network(raw["visible"].permute(0, 3, 1, 2))  # channels last, as in the shards


def _text(raw: Raw, text: TextTable | None) -> Tensor:
    assert text is not None  # an input type with text always comes with the table
    return text.features[raw["sentence"]].to(raw["thermal"].device, non_blocking=True)


def _text_mask(raw: Raw, text: TextTable | None) -> Tensor:
    assert text is not None
    return text.mask[raw["sentence"]].to(raw["thermal"].device, non_blocking=True)


def _reference(raw: Raw, text: TextTable | None) -> Tensor:
    images = to_network(raw["reference"].permute(0, 3, 1, 2))  # channels last, as in the shards
    return images * raw["has_reference"][:, None, None, None]


def _sharpness(raw: Raw, text: TextTable | None) -> Tensor:
    images = raw["thermal"]
    wish = raw.get("sharpness", 0.0)  # a game that teaches all degrees at once is given none
    return torch.full((len(images),), wish, device=images.device)


READERS: Mapping[str, Reader] = {
    "thermal": _thermal,
    "visible": _visible,
    "text": _text,
    "text_mask": _text_mask,
    "reference": _reference,
    "sharpness": _sharpness,
}
ASSEMBLERS: Mapping[type, Callable[[Raw, type, TextTable | None], TrainingBatch]] = {
    Batch: _batch,
    Edged: _edged,
    Triplets: _triplets,
}
