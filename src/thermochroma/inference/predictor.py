"""Translation of 8-bit images into 8-bit images, one for the command line, MLflow and other callers.

Any size is accepted: images are mirrored at the right and below up to the sides that the network takes,
and the added part is cut off again.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.levels import to_levels
from thermochroma.export.traits import Traits
from thermochroma.inference.engine import Engine, Shown

MOST_PIXELS: Final = 1 << 24
"""Pixels of the largest image. For each, a translator of full width takes 0.8 kB of memory (Pix2pix), 1.2
(CycleGAN) or 2.5 (LKAT-GAN), measured on a processor."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A translator, ready for use, whichever library computes it."""

    engine: Engine

    @property
    def traits(self) -> Traits:
        """Form of the input that the translator takes."""
        return self.engine.traits

    @property
    def sees(self) -> str:
        """Spectrum of the input: "thermal" or "visible"."""
        return self.traits.spectrum

    def __call__(
        self,
        images: UInt8[np.ndarray, "n h w *c"],
        references: UInt8[np.ndarray, "n y x 3"] | None = None,
        *,
        sharpness: float = 0.0,
    ) -> UInt8[np.ndarray, "n h w d"]:
        """Translate images of one size; d is 3 for visible output, 1 for thermal.

        references: for a method that sees them, visible images of one size, whichever; one that is all
        black counts as none. sharpness: 0 to 1, for a method that asks for it. Raises BadInput for
        images above MOST_PIXELS, and if the translator gives NaN or infinite values.
        """
        height, width = images.shape[1:3]
        refuse_too_large(width, height, given="an image")
        whole = padded(images, self.traits)
        prediction = self.engine(Shown(whole, self._as_large_as(whole, references), sharpness))
        if not np.isfinite(prediction).all():
            raise BadInput(
                given="the translator gives values that are no numbers (NaN or infinite)",
                needed="a translator whose weights are finite",
                remedy="give another translator, or train it again with a lower learning rate",
            )
        levels = to_levels(prediction[:, :, :height, :width])
        return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))

    def _as_large_as(
        self,
        images: UInt8[np.ndarray, "n h w *c"],
        references: UInt8[np.ndarray, "n y x 3"] | None,
    ) -> UInt8[np.ndarray, "n h w 3"] | None:
        """References at the size of the images, black ones if there are none; None if none are seen.

        Only their colours matter: their shape may give way.
        """
        if not self.traits.sees_references:
            return None
        if references is None:
            return np.zeros((*images.shape[:3], 3), np.uint8)
        import cv2  # 150 MB, which a machine that only translates need not have

        size = (images.shape[2], images.shape[1])
        return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in references])


def refuse_too_large(width: int, height: int, *, given: str) -> None:
    """Raise BadInput for an image of more than MOST_PIXELS. given: how the sentence names it."""
    if width * height > MOST_PIXELS:
        raise BadInput(
            given=f"{given} has {width} by {height} pixels ({width * height / 1e6:.0f} megapixels)",
            needed=f"at most {MOST_PIXELS / 1e6:.0f} megapixels: an image is translated in one piece, "
            "which takes one kilobyte of memory a pixel, or more",
            remedy="scale it down, or cut it into parts",
        )


def refuse_other_forms(images: np.ndarray, references: np.ndarray | None, *, sees: str) -> None:
    """Raise BadInput for arrays from elsewhere that a `Predictor` cannot take.

    sees: the spectrum of the images, "thermal" or "visible".
    """
    form = "n by height by width" + (" by 3" if sees == "visible" else "")
    fits = images.ndim == (4 if sees == "visible" else 3) and images.size > 0
    if not fits or (sees == "visible" and images.shape[-1] != 3):
        raise BadInput(
            given=f"{sees} images of the shape {images.shape}",
            needed=f"{form}, none of them empty",
            remedy="stack images of one size, a single one too",
        )
    if references is not None and len(references) != len(images):
        raise BadInput(
            given=f"{len(references)} references for {len(images)} images",
            needed="one reference an image, or none at all",
            remedy="repeat a reference that is for several images",
        )


def padded(images: UInt8[np.ndarray, "n h w *c"], traits: Traits) -> UInt8[np.ndarray, "n y x *c"]:
    """Images with mirrored rows and columns up to sides that the translator takes."""
    more = [(0, traits.side_for(side) - side) for side in images.shape[1:3]]
    return np.pad(images, [(0, 0), *more, *[(0, 0)] * (images.ndim - 3)], mode="symmetric")
