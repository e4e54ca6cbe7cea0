"""Translators computed by torch, on a GPU if there is one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float32
from numpy import ndarray

from thermochroma.base.device import find_device
from thermochroma.base.errors import BadInput
from thermochroma.contract.method import Translator
from thermochroma.export.artifact import load_translator, method_of, title_of
from thermochroma.export.traits import Traits
from thermochroma.inference.engine import Shown
from thermochroma.loading.collate import assemble_seen, move
from thermochroma.loading.text_features import TextTable, encode_captions
from thermochroma.networks.clip_text import TextEncoder

OWN_ENCODER: Final = (
    "name the folder of the text encoder with which it was trained (`--text`; the stage `weights` "
    "writes it)"
)


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """A translator on a device.

    sees: its input type. text: features of the one sentence that goes with all images; None for a
    translator that does not see text.
    """

    translator: Translator[Any]
    traits: Traits
    sees: type
    text: TextTable | None
    device: torch.device

    @torch.no_grad()
    def __call__(self, shown: Shown) -> Float32[ndarray, "n c h w"]:
        raw: dict[str, Any] = {
            self.traits.spectrum: torch.from_numpy(shown.images),
            "sentence": torch.zeros(len(shown.images), dtype=torch.long),
            "sharpness": shown.sharpness,
        }
        if shown.references is not None:
            raw["reference"] = torch.from_numpy(shown.references)
            raw["has_reference"] = raw["reference"].flatten(1).any(1)
        seen = assemble_seen(move(raw, self.device), self.sees, self.text)
        prediction: Float32[ndarray, "n c h w"] = self.translator(seen).float().cpu().numpy()
        return prediction


def load_engine(path: Path, *, text: Path | None, sentence: str) -> TorchEngine:
    """The translator in a file, on the GPU if there is one; parameters as in `load_predictor`."""
    device = find_device()
    network, metadata = load_translator(path)
    _refuse_no_numbers(network, path)
    method = method_of(metadata)
    traits = Traits.of(
        method.sees,
        title=title_of(metadata),
        sides_multiple_of=method.sides_multiple_of,
        least_side=method.least_side,
    )
    told = None
    if traits.sees_text:
        assert text is not None  # whoever logs such a translator passes its encoder too
        told = read_sentence(sentence, text, width=metadata.text_width, translator=path)
    return TorchEngine(network.to(device), traits, method.sees, told, device)


def read_sentence(sentence: str, text: Path, *, width: int, translator: Path) -> TextTable:
    """Features of one sentence, by the encoder in the folder `text`.

    width: of the features that the file `translator` was trained with. Raises BadInput for another one.
    """
    encoder = TextEncoder(text, remedy=OWN_ENCODER)
    if encoder.width != width:
        raise BadInput(
            given=f"the text encoder in {text} gives {encoder.width} features a token",
            needed=f"{width}, with which {translator} was trained",
            remedy=OWN_ENCODER,
        )
    return encode_captions(encoder, {"": sentence})


def _refuse_no_numbers(network: Translator[Any], path: Path) -> None:
    """Raise BadInput for weights that are NaN or infinite: behind a tanh they may look like an image."""
    for name, tensor in network.state_dict().items():
        if not tensor.isfinite().all():
            raise BadInput(
                given=f"`{name}` in {path} has values that are no numbers (NaN or infinite)",
                needed="a translator whose weights are finite",
                remedy="give another translator, or train it again with a lower learning rate",
            )
