"""Input and training batches of a method. The type is the data requirement: loaders read its fields.

A translator gets one of the `Seen` types below. None of them has a field for the target, so a
translator that looks at the target does not type-check.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermochroma.base.tensors import Image, Thermal, Visible


@dataclass(frozen=True)
class Still:
    """Single thermal images."""

    thermal: Thermal


@dataclass(frozen=True)
class Captioned:
    """Thermal images and, for each, the features of its sentence.

    text: the frozen text encoder's token features after its final norm. text_mask: True up to and
    including the end-of-text token; the rest is padding.
    """

    thermal: Thermal
    text: Float[Tensor, "b tokens width"]
    text_mask: Bool[Tensor, "b tokens"]


@dataclass(frozen=True)
class Referenced:
    """Thermal images and, for each, a visible image to take colours from.

    reference: another frame's visible image in [-1, 1], in deployment one of the training split; all
    zeros where there is none.
    """

    thermal: Thermal
    reference: Image


@dataclass(frozen=True)
class Tunable:
    """Thermal images and, for each, the wish of whoever looks at the output.

    sharpness: 0 for the mean of what is likely, which has the least error, to 1 for an image as sharp and
    natural as the translator can make it.
    """

    thermal: Thermal
    sharpness: Float[Tensor, " b"]


@dataclass(frozen=True)
class VisibleStill:
    """Single visible images, for translators from visible to thermal."""

    visible: Visible


Seen = TypeVar("Seen", Still, Captioned, Referenced, Tunable, VisibleStill)
"""Input of a translator, in training and when deployed."""


@runtime_checkable
class TrainingBatch(Protocol):
    """Attributes of a batch that the trainer needs; `frames` are the ids named in messages."""

    @property
    def frames(self) -> tuple[str, ...]: ...

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Batch(Generic[Seen]):
    """Batch of most games: the translator's input and the target.

    target: in [-1, 1], of the other spectrum; the same instants as `seen` for aligned methods, other
    ones for unaligned. frames: the ids of the frames in `seen`.
    """

    seen: Seen
    target: Image
    frames: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        return self.target.device

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Edged:
    """Images of both spectra, sampled independently, each with the edges found in itself alone.

    thermal_edges, visible_edges: 0 where there is no edge, 1 at the strongest. frames: ids of the
    thermal images.
    """

    thermal: Thermal
    visible: Visible
    thermal_edges: Float[Tensor, "b 1 h w"]
    visible_edges: Float[Tensor, "b 1 h w"]
    frames: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        return self.thermal.device

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Triplets:
    """Three consecutive instants of each spectrum, sampled independently.

    The three share window and mirroring. frames: ids of the first instants of the thermal side.
    """

    thermal: Float[Tensor, "b 3 1 h w"]
    visible: Float[Tensor, "b 3 3 h w"]
    frames: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        return self.thermal.device

    def __len__(self) -> int:
        return len(self.frames)


AnyTrainingBatch = TypeVar("AnyTrainingBatch", bound=TrainingBatch)
"""Batch that a game trains on."""

Changed = TypeVar("Changed")


def with_each(batch: Changed, change: Callable[[Tensor], Tensor]) -> Changed:
    """The batch with each of its tensors changed, those of its parts among them."""
    made: dict[str, Any] = {}
    for one in fields(cast(Any, batch)):
        value = getattr(batch, one.name)
        if isinstance(value, Tensor):
            made[one.name] = change(value)
        elif is_dataclass(value):
            made[one.name] = with_each(value, change)
    changed: Changed = replace(cast(Any, batch), **made)
    return changed
