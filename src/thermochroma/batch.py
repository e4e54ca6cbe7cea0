"""What a method may see and train on. The type is the data requirement: loaders read these fields.

A translator is handed one of the `Seen` types below. None of them has a field for the target, so a
translator that looks at the answer does not type-check.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from jaxtyping import Bool, Float
from torch import Tensor

from thermochroma.tensors import Picture, Thermal


@dataclass(frozen=True)
class Still:
    """Single thermal pictures."""

    thermal: Thermal


@dataclass(frozen=True)
class Captioned:
    """Thermal pictures and, for each, the features of its sentence.

    text: the frozen text encoder's token features after its final norm. text_mask: True up to and
    including the end-of-text token; what lies behind is padding.
    """

    thermal: Thermal
    text: Float[Tensor, "b tokens width"]
    text_mask: Bool[Tensor, "b tokens"]


@dataclass(frozen=True)
class Referenced:
    """Thermal pictures and, for each, a visible picture to take colours from.

    reference: another frame's visible picture in [-1, 1], in deployment one that was trained on; all
    zeros where there is none.
    """

    thermal: Thermal
    reference: Picture


Seen = TypeVar("Seen", Still, Captioned, Referenced)
"""What a translator is handed, in training and when deployed."""


@dataclass(frozen=True)
class Batch(Generic[Seen]):
    """What a game is taught with: what is seen, and the truth.

    target: in [-1, 1]; the same instants as `seen` for aligned methods, other ones for unaligned.
    frames: the ids of the seen frames, for messages.
    """

    seen: Seen
    target: Picture
    frames: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frames)
