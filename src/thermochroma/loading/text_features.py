"""Captions and their features: each distinct sentence is encoded once, for all methods."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Bool, Float
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading
from thermochroma.base.sealed import BLANK, REMEDY, SEAL, refuse_changed, seal
from thermochroma.base.tables import read_csv
from thermochroma.networks.clip_text import TextEncoder

CAPTION_COLUMNS: Final = {
    "frame": "string",
    "text": "string",
    "source": "string",  # the profile that it comes from, or: override
    "author": "string",  # of an override
}
EMPTY, CONSTANT = "(empty)", "(constant)"
SAME_FOR_ALL: Final = {EMPTY: "", CONSTANT: "a thermal infrared image"}
"""Sentences that belong to no frame: predictions with them show how much the others add. Their keys are
used like frame ids in a table; no frame's id has brackets."""
KEY: Final = "text"  # of the metadata of the file of features
AT_ONCE: Final = 64  # sentences: enough to fill a processor, few enough for any memory


@dataclass(frozen=True)
class TextTable:
    """Features of all distinct sentences.

    features, mask: one row per distinct sentence; the mask is False at padding. rows: frame id, or key
    of SAME_FOR_ALL, to row.
    """

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

    def dealt(self, given: Mapping[str, str]) -> "TextTable":
        """Exchange sentences among frames. given: for each frame, the frame or key to take it from."""
        return replace(self, rows={frame: self.row(whose) for frame, whose in given.items()})


def read_captions(path: Path) -> dict[str, str]:
    """Read a table of CAPTION_COLUMNS as a mapping of frame id to sentence.

    Raises BadInput if the file is missing, cut or changed.
    """
    table = read_csv(
        path, needed="one sentence a frame", dtype=CAPTION_COLUMNS, keep_default_na=False
    )
    with reading(path, needed="one sentence a frame", remedy=REMEDY):
        columns = [table[name] for name in ("frame", "text")]
    return dict(zip(*columns, strict=True))


def encode_captions(encoder: TextEncoder, sentences: Mapping[str, str]) -> TextTable:
    """Encode each distinct sentence once. sentences: frame id, or key of SAME_FOR_ALL, to sentence."""
    distinct = sorted(set(sentences.values()))
    place = {sentence: row for row, sentence in enumerate(distinct)}
    features, mask = [], []
    with tqdm(total=len(distinct), desc="encode", unit="sentence") as bar:
        for start in range(0, len(distinct), AT_ONCE):
            encoded = encoder.encode(distinct[start : start + AT_ONCE])
            features.append(encoded.features)
            mask.append(encoded.mask)
            bar.update(len(encoded.mask))
    rows = {frame: place[sentence] for frame, sentence in sentences.items()}
    return TextTable(features=torch.cat(features), mask=torch.cat(mask), rows=rows)


def save_text(path: Path, table: TextTable) -> None:
    """Write a table, whole or not at all; the same table gives the same bytes."""
    with whole_file(path) as part:
        tensors = {"features": table.features.contiguous(), "mask": table.mask.contiguous()}
        told = json.dumps({SEAL: BLANK, "rows": dict(table.rows)})
        # As bytes: `save_file` writes beside the file under a name of its own, which a kill would leave.
        part.write_bytes(save(tensors, metadata={KEY: told}))
        seal(part)


def load_text(path: Path) -> TextTable:
    """Read a table that `save_text` wrote. Raises BadInput if it is missing, cut or changed."""
    needed = "the features of the captions"
    with reading(path, needed=needed, remedy=REMEDY), path.open("rb") as stream:
        refuse_changed(path, stream, remedy=REMEDY)
    with (
        reading(path, needed=needed, remedy=REMEDY),
        safe_open(path, framework="pt") as file,
    ):
        features, mask = (file.get_tensor(name) for name in ("features", "mask"))
        rows = json.loads(file.metadata()[KEY])["rows"]
    places = set(rows.values()) if isinstance(rows, dict) else {None}
    if features.ndim != 3 or mask.shape != features.shape[:2] or not places <= {*range(len(mask))}:
        raise BadInput(
            given=f"{path} holds sentences, features and masks that do not fit each other",
            needed=needed,
            remedy=REMEDY,
        )
    return TextTable(features=features, mask=mask, rows=rows)
