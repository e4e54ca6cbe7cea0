"""Interface between a predictor and the library that computes its translator."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from thermochroma.export.traits import Traits


@dataclass(frozen=True, eq=False)
class Shown:
    """Input of a translator in 8 bits, with sides that it accepts.

    references: visible images of the same size, for a translator that sees them; one that is all black
    counts as none. sharpness: 0 to 1; only a translator that is tunable reads it.
    """

    images: UInt8[np.ndarray, "n h w *c"]
    references: UInt8[np.ndarray, "n h w 3"] | None
    sharpness: float


@runtime_checkable
class Engine(Protocol):
    """A translator with the library that computes it."""

    @property
    def traits(self) -> Traits: ...

    def __call__(self, shown: Shown) -> Float32[np.ndarray, "n c h w"]:
        """Translate into images in [-1, 1] of the same height and width; values may exceed the range."""
