"""Translation of 8-bit images into 8-bit images, one for the command line, MLflow and other callers.

Any size is accepted: images are mirrored at the right and below up to the sides that the network takes,
and the added part is cut off again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from thermochroma.base.device import find_device
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import to_bytes
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Method, Translator
from thermochroma.export.artifact import load_translator, method_of
from thermochroma.loading.collate import assemble_seen, move, needs_references, seen_spectrum
from thermochroma.loading.text_features import TextTable, encode_captions
from thermochroma.networks.clip_text import TextEncoder

NEUTRAL: Final = "a thermal infrared image of a street scene"
"""Default sentence for a method that sees text."""
OWN_ENCODER: Final = (
    "name the folder of the text encoder with which it was trained (`--text`; the stage `weights` "
    "writes it)"
)
MOST_PIXELS: Final = 1 << 24
"""Pixels of the largest image. For each, a translator of full width takes 0.8 kB of memory (Pix2pix), 1.2
(CycleGAN) or 2.5 (LKAT-GAN), measured on a processor."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A translator, ready for use.

    text: features of the one sentence that goes with all images; None for a translator that does not
    see text.
    """

    translator: Translator[Any]
    method: Method
    text: TextTable | None
    device: torch.device

    @property
    def sees(self) -> str:
        """Spectrum of the input: "thermal" or "visible"."""
        return seen_spectrum(self.method.sees)

    @torch.no_grad()
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
        raw = self._raw(padded(images, self.method), references) | {"sharpness": sharpness}
        seen = assemble_seen(move(raw, self.device), self.method.sees, self.text)
        prediction = self.translator(seen)
        if not prediction.isfinite().all():
            raise BadInput(
                given="the translator gives values that are no numbers (NaN or infinite)",
                needed="a translator whose weights are finite",
                remedy="give another translator, or train it again with a lower learning rate",
            )
        cut = to_bytes(prediction)[:, :, :height, :width].permute(0, 2, 3, 1)
        return np.ascontiguousarray(cut.cpu().numpy())

    def _raw(
        self,
        whole: UInt8[np.ndarray, "n h w *c"],
        references: UInt8[np.ndarray, "n y x 3"] | None,
    ) -> dict[str, Any]:
        """Images as a batch of the loader, with the sentence and the references that the method sees."""
        raw: dict[str, Any] = {
            self.sees: torch.from_numpy(whole),
            "sentence": torch.zeros(len(whole), dtype=torch.long),
        }
        if needs_references(self.method.sees):
            shown = np.zeros((*whole.shape[:3], 3), np.uint8)
            if references is not None:  # only its colours matter: its shape may give way
                size = (whole.shape[2], whole.shape[1])
                shown = np.stack(
                    [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in references]
                )
            raw["reference"] = torch.from_numpy(shown)
            raw["has_reference"] = torch.from_numpy(shown.reshape(len(shown), -1).any(1))
        return raw


def load_predictor(translator: Path, *, text: Path | None, sentence: str) -> Predictor:
    """The translator in a file, on the GPU if there is one.

    text: folder of the text encoder with which it was trained, read only if it sees text. sentence: its
    text for every image. Raises BadInput if a file is missing or cannot be read.
    """
    device = find_device()
    network, metadata = load_translator(translator)
    _refuse_no_numbers(network, translator)
    method = method_of(metadata)
    told = None
    if method.sees is Captioned:
        assert text is not None  # whoever logs such a translator passes its encoder too
        encoder = TextEncoder(text, remedy=OWN_ENCODER)
        if encoder.width != metadata.text_width:
            raise BadInput(
                given=f"the text encoder in {text} gives {encoder.width} features a token",
                needed=f"{metadata.text_width}, with which {translator} was trained",
                remedy=OWN_ENCODER,
            )
        told = encode_captions(encoder, {"": sentence})
    return Predictor(network.to(device), method, told, device)


def refuse_too_large(width: int, height: int, *, given: str) -> None:
    """Raise BadInput for an image of more than MOST_PIXELS. given: how the sentence names it."""
    if width * height > MOST_PIXELS:
        raise BadInput(
            given=f"{given} has {width} by {height} pixels ({width * height / 1e6:.0f} megapixels)",
            needed=f"at most {MOST_PIXELS / 1e6:.0f} megapixels: an image is translated in one piece, "
            "which takes one kilobyte of memory a pixel, or more",
            remedy="scale it down, or cut it into parts",
        )


def _refuse_no_numbers(network: Translator[Any], path: Path) -> None:
    """Raise BadInput for weights that are NaN or infinite: behind a tanh they may look like an image."""
    for name, tensor in network.state_dict().items():
        if not tensor.isfinite().all():
            raise BadInput(
                given=f"`{name}` in {path} has values that are no numbers (NaN or infinite)",
                needed="a translator whose weights are finite",
                remedy="give another translator, or train it again with a lower learning rate",
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


def padded(images: UInt8[np.ndarray, "n h w *c"], method: Method) -> UInt8[np.ndarray, "n y x *c"]:
    """Images with mirrored rows and columns up to sides that the method takes."""
    more = [(0, method.side_for(side) - side) for side in images.shape[1:3]]
    return np.pad(images, [(0, 0), *more, *[(0, 0)] * (images.ndim - 3)], mode="symmetric")
