"""Features of the captions: each distinct sentence is encoded once, before training begins."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from thermochroma.errors import BadInput
from thermochroma.networks.frozen import TextEncoder


@dataclass(frozen=True)
class TextTable:
    """features, mask: one row a distinct sentence. rows: frame id to row."""

    features: Float[Tensor, "n tokens width"]
    mask: Bool[Tensor, "n tokens"]
    rows: Mapping[str, int]

    def row(self, frame: str) -> int:
        """The row of a frame's sentence. Raises BadInput for a frame without one."""
        if frame not in self.rows:
            raise BadInput(
                given=f"the frame {frame} has no caption",
                needed="one sentence for every frame in the shards",
                remedy="let `dvc repro` write the captions anew",
            )
        return self.rows[frame]


def encode_captions(encoder: TextEncoder, sentences: Mapping[str, str]) -> TextTable:
    """sentences: frame id to sentence."""
    distinct = sorted(set(sentences.values()))
    place = {sentence: row for row, sentence in enumerate(distinct)}
    encoded = encoder.encode(distinct)
    rows = {frame: place[sentence] for frame, sentence in sentences.items()}
    return TextTable(features=encoded.features, mask=encoded.mask, rows=rows)
