"""From raw bytes to what a method sees: reads exactly the fields that the seen type names."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from thermochroma.batch import Batch
from thermochroma.loading.text import TextTable
from thermochroma.tensors import to_network

Raw = Mapping[str, Any]
"""A collated batch out of the loader: uint8 pictures `thermal` (b h w) and, when training, `visible`
(b h w 3), rows of the text table `sentence`, the uint8 pictures `reference` (b h w 3) and whether they
count `has_reference`, and the ids `frame`."""
Reader = Callable[[Raw, TextTable | None], Tensor]


def needs_text(sees: type) -> bool:
    """Whether the seen type has fields that come from captions."""
    return any(field.name.startswith("text") for field in fields(sees))


def needs_references(sees: type) -> bool:
    """Whether the seen type has a field for references."""
    return any(field.name == "reference" for field in fields(sees))


def assemble_seen(raw: Raw, sees: type, text: TextTable | None) -> Any:
    """An object of the type `sees`, on the device where the raw pictures are."""
    return sees(**{field.name: READERS[field.name](raw, text) for field in fields(sees)})


def assemble_batch(raw: Raw, sees: type, text: TextTable | None) -> Batch[Any]:
    """What is seen and the target."""
    return Batch(
        seen=assemble_seen(raw, sees, text),
        target=to_network(raw["visible"].permute(0, 3, 1, 2)),  # channels last, as they lie
        frames=tuple(raw["frame"]),
    )


def move(raw: Raw, device: torch.device) -> Raw:
    """Bring a raw batch to the device; bytes travel, floats are made there."""
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in raw.items()
    }


def _thermal(raw: Raw, text: TextTable | None) -> Tensor:
    return to_network(raw["thermal"][:, None]).contiguous(memory_format=torch.channels_last)


def _text(raw: Raw, text: TextTable | None) -> Tensor:
    assert text is not None  # whoever needs text was given the table
    return text.features.to(raw["thermal"].device)[raw["sentence"]]


def _text_mask(raw: Raw, text: TextTable | None) -> Tensor:
    assert text is not None
    return text.mask.to(raw["thermal"].device)[raw["sentence"]]


def _reference(raw: Raw, text: TextTable | None) -> Tensor:
    pictures = to_network(raw["reference"].permute(0, 3, 1, 2))  # channels last, as they lie
    return pictures * raw["has_reference"][:, None, None, None]


READERS: Mapping[str, Reader] = {
    "thermal": _thermal,
    "text": _text,
    "text_mask": _text_mask,
    "reference": _reference,
}
