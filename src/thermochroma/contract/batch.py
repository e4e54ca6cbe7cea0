"""What a method may see and train on. The type is the data requirement: loaders read these fields.

A translator is handed one of the `Seen` types below. None of them has a field for the target, so a
translator that looks at the answer does not type-check.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

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
    including the end-of-text token; what lies behind is padding.
    """

    thermal: Thermal
    text: Float[Tensor, "b tokens width"]
    text_mask: Bool[Tensor, "b tokens"]


@dataclass(frozen=True)
class Referenced:
    """Thermal images and, for each, a visible image to take colours from.

    reference: another frame's visible image in [-1, 1], in deployment one that was trained on; all
    zeros where there is none.
    """

    thermal: Thermal
    reference: Image


@dataclass(frozen=True)
class VisibleStill:
    """Single visible images, for translators that make thermal ones of them."""

    visible: Visible


Seen = TypeVar("Seen", Still, Captioned, Referenced, VisibleStill)
"""What a translator is handed, in training and when deployed."""


@runtime_checkable
class TrainingBatch(Protocol):
    """What the trainer asks of images that are shown to a game; `frames` name them in messages."""

    @property
    def frames(self) -> tuple[str, ...]: ...

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Batch(Generic[Seen]):
    """What most games are taught with: what is seen, and the truth.

    target: in [-1, 1], of the other spectrum; the same instants as `seen` for aligned methods, other
    ones for unaligned. frames: the ids of the seen frames.
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
    """Images of both spectra, drawn apart, each with the edges found in itself alone.

    thermal_edges, visible_edges: 0 where there is no edge, 1 at the strongest. frames: of the thermal
    images.
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
    """Three consecutive instants of each spectrum, drawn apart; the three share window and mirroring.

    frames: the first instants of the thermal side.
    """

    thermal: Float[Tensor, "b 3 1 h w"]
    visible: Float[Tensor, "b 3 3 h w"]
    frames: tuple[str, ...]

    @property
    def device(self) -> torch.device:
        return self.thermal.device

    def __len__(self) -> int:
        return len(self.frames)


Taught = TypeVar("Taught", bound=TrainingBatch)
"""What a game is taught with."""
