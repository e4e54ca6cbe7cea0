"""Types of the blocks of params.yaml. Imports nothing heavy, since every stage imports it."""

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
"""Number of equal parts of a training: as many as the paper of CMMF-Net has epochs."""


class Strict(BaseModel):
    """Base of all settings: unknown keys are refused, values are frozen, strings and NaN are no numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OptimizerSettings(Strict):
    """Optimizer of one player."""

    kind: Literal["adam", "adamw"]
    lr: PositiveFloat
    betas: tuple[float, float]
    weight_decay: NonNegativeFloat = 0.0
    clip_norm: PositiveFloat | None = None
    """Greatest 2-norm of the player's gradient; a longer one is scaled down to it."""


class ReferenceSettings(Strict):
    """Sampling of references in training; held-out frames are not affected."""

    none_share: float = Field(ge=0, le=1)
    """Share of the images shown without a reference."""
    own_share: float = Field(ge=0, le=1)
    """Share of the other images whose reference is made from their own target, recoloured and warped."""
    frames_away: tuple[PositiveInt, PositiveInt]
    """Least and greatest distance between a frame and its reference, in training frames of one sequence;
    if no frame is at such a distance, the training frame with the most similar thermal image is taken."""

    @model_validator(mode="after")
    def _least_before_most(self) -> "ReferenceSettings":
        if self.frames_away[0] > self.frames_away[1]:
            raise ValueError("`frames_away` is the least distance, then the most")
        return self


class CameraSettings(Strict):
    """Differences between the thermal cameras that a training shows; held-out frames are not affected.

    Every value is the most that an image is changed by; how much is drawn for each image shown.
    """

    gamma: NonNegativeFloat = 0.0
    """Logarithm of the exponent that levels between 0 and 1 are raised to."""
    gain: NonNegativeFloat = 0.0
    """Logarithm of the factor of the contrast about the middle level."""
    offset: NonNegativeFloat = 0.0
    """Shift of all levels, as a share of the range."""
    blur: NonNegativeFloat = 0.0
    """Standard deviation of a Gaussian blur, in pixels."""
    noise: NonNegativeFloat = 0.0
    """Standard deviation of noise in each pixel, in levels."""
    inverted: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which hot is dark."""


class EdgeSettings(Strict):
    """Edge detectors; edges are found in each image by itself."""

    thermal: Literal["surround", "canny_otsu"]
    """Detector of thermal edges: oriented edges minus their surround | Canny's at Otsu's threshold."""
    visible_thresholds: tuple[PositiveFloat, PositiveFloat]
    """Lower and upper threshold of Canny's detector, in levels of the gradient."""


class Settings(Strict):
    """Fields that the params blocks of all methods share; a method narrows the `Any` fields."""

    method: str
    """Name of the file in `methods/`; several blocks may name one file (ablations)."""
    title: str | None = None
    """Title in tables and figures; null takes the method's own title."""
    optimizers: Mapping[str, OptimizerSettings]
    """Optimizer of each player of the game, by the player's name."""
    constant_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the images shown at full learning rate, before it falls linearly towards 0."""
    average_half_life_images: PositiveInt | None = None
    """Half-life of the moving average of the deployed translator; null deploys the last weights."""
    translator: Any
    """Keyword arguments of the translator, typed."""
    game: Any
    """Keyword arguments of the game, typed."""
    weights: Any
    """Weight of each term, typed: one field per term."""
    references: ReferenceSettings | None = None
    """Sampling of references; required for methods that see references."""
    edges: EdgeSettings | None = None
    """Edge detectors; required for methods that train on edges."""
    sampling: Literal["pooled", "disjoint"] = "pooled"
    """Sampling of unpaired methods: both spectra from all training frames | thermal images from one half
    of the sequences, visible ones from the other."""
