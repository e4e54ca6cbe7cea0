"""The types that every block of params.yaml is made of. Imports nothing heavy: each stage reads it."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

TWENTIETHS: Final = 20
"""Parts of a training, as many as the paper of CMMF-Net has epochs, however long they are."""


class Strict(BaseModel):
    """Settings: unknown keys are refused, values do not change, strings and NaN are not numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OptimizerSettings(Strict):
    """How one player is stepped."""

    kind: Literal["adam", "adamw"]
    lr: PositiveFloat
    betas: tuple[float, float]
    weight_decay: NonNegativeFloat = 0.0
    clip_norm: PositiveFloat | None = None
    """Gradients longer than this (2-norm over the player) are shortened to it."""


class ReferenceSettings(Strict):
    """How references are drawn in training; none of it touches held-out frames."""

    none_share: float = Field(ge=0, le=1)
    """Share of the images shown without a reference."""
    own_share: float = Field(ge=0, le=1)
    """Share of the others whose reference is made of their own target, recoloured and warped."""
    frames_away: tuple[PositiveInt, PositiveInt]
    """Least and most training frames of one sequence between a frame and its reference; where no
    frame lies there, it is the training frame with the thermal image that is most alike."""

    @model_validator(mode="after")
    def _least_before_most(self) -> "ReferenceSettings":
        if self.frames_away[0] > self.frames_away[1]:
            raise ValueError("`frames_away` is the least distance, then the most")
        return self


class EdgeSettings(Strict):
    """How edges are found, each in its own image."""

    thermal: Literal["surround", "canny_otsu"]
    """Oriented edges less their surround | Canny's detector at Otsu's threshold."""
    visible_thresholds: tuple[PositiveFloat, PositiveFloat]
    """Of Canny's detector: lower and upper, in levels of the gradient."""


class Settings(Strict):
    """The shape that the params blocks of all methods share; a method narrows the `Any` fields."""

    method: str
    """The file in `methods/`; several blocks may name one file (ablations)."""
    title: str | None = None
    """How tables and figures call it; none takes the method's own title."""
    optimizers: Mapping[str, OptimizerSettings]
    """One for each player of the game, by the player's name."""
    constant_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the images shown at full learning rate, before it falls linearly towards 0."""
    average_half_life_images: PositiveInt | None = None
    """Half-life of the moving average of the translator that ships; none ships the last weights."""
    translator: Any
    """Keyword arguments of the translator, typed."""
    game: Any
    """Keyword arguments of the game, typed."""
    weights: Any
    """The factor of each term, typed: one field a term."""
    references: ReferenceSettings | None = None
    """For methods that see references; they require it."""
    edges: EdgeSettings | None = None
    """For methods that are taught with edges; they require it."""
    sampling: Literal["pooled", "disjoint"] = "pooled"
    """For unpaired methods: both spectra are drawn from all training frames | thermal images from one
    half of the sequences, visible ones from the other."""
