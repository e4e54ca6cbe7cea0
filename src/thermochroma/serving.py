"""Pictures on disk, translated by what was trained: thermal into colour or, on the way back, visible into
thermal.

Any size goes: pictures are mirrored at the right and below up to the sides that the network takes, and
what was added is cut off again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from thermochroma.batch import Captioned
from thermochroma.errors import BadInput
from thermochroma.images import Tone, read_thermal, read_visible, write_picture
from thermochroma.loading.assemble import assemble_seen, move, needs_references, seen_spectrum
from thermochroma.loading.text import TextTable, encode_captions
from thermochroma.method import Method
from thermochroma.networks.frozen import TextEncoder
from thermochroma.shipping import load_translator, method_of
from thermochroma.tensors import to_bytes

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
NEUTRAL: Final = "a thermal infrared image of a street scene"
"""What a method that reads is told where nobody says more."""


@dataclass(frozen=True)
class Helps:
    """What a translator may need beside the pictures.

    text: the folder of the text encoder with which it was taught. sentence: what it is told of every
    picture. reference: a visible picture of any size to take colours from; None shows none. tone: what
    makes 8 bits of pictures with more.
    """

    text: Path
    sentence: str = NEUTRAL
    reference: Path | None = None
    tone: Tone | None = None


def pictures_in(paths: Sequence[Path]) -> list[Path]:
    """The pictures among files and, in the order of their names, inside folders.

    Raises BadInput for what does not exist, and if two would be written under one name.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(
                given=f"{path} does not exist",
                needed="pictures, or folders that hold some",
                remedy="correct the path",
            )
    counts = Counter(one.stem for one in found)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if not found or twice is not None:
        raise BadInput(
            given=f"two pictures are called {twice}"
            if twice
            else "there is no picture to translate",
            needed=f"pictures with names of their own ({', '.join(SUFFIXES)})",
            remedy="name others, or translate them into different folders",
        )
    return found


def translate_files(
    translator: Path, pictures: Sequence[Path], folder: Path, helps: Helps
) -> Iterator[Path]:
    """Translate each picture into `folder`, as PNG under its own name; yields what is written.

    Raises BadInput if the translator or a picture cannot be read, or if a picture would be overwritten
    by its own translation.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network, label = load_translator(translator)
    network.to(device)
    method = method_of(label)
    told = _tell(method, helps)
    _refuse_own_place(pictures, folder)
    for path in pictures:
        picture = read_for(method, path, helps.tone)
        raw, (height, width) = _raw(method, picture, helps), picture.shape[:2]
        seen = assemble_seen(move(raw, device), method.sees, told)
        with torch.no_grad():
            painted = to_bytes(network(seen))[0, :, :height, :width].permute(1, 2, 0)
        target = folder / f"{path.stem}.png"
        write_picture(target, _as_array(painted.cpu().numpy()))
        yield target


def read_for(method: Method, path: Path, tone: Tone | None) -> UInt8[np.ndarray, "h w *c"]:
    """A picture of the spectrum that the method sees. Raises BadInput for one of the other."""
    if seen_spectrum(method.sees) == "visible":
        return read_visible(path)
    return read_thermal(path, tone)


def padded(picture: UInt8[np.ndarray, "h w *c"], method: Method) -> UInt8[np.ndarray, "y x *c"]:
    """The picture with mirrored rows and columns up to sides that the method takes."""
    multiple = method.sides_multiple_of
    sides = [-(-max(side, method.least_side) // multiple) * multiple for side in picture.shape[:2]]
    more = [(0, wanted - side) for wanted, side in zip(sides, picture.shape[:2], strict=True)]
    return np.pad(picture, [*more, *[(0, 0)] * (picture.ndim - 2)], mode="symmetric")


def _raw(method: Method, picture: UInt8[np.ndarray, "h w *c"], helps: Helps) -> dict[str, Any]:
    """One picture as a batch, with what else the method looks at."""
    whole = padded(picture, method)
    raw: dict[str, Any] = {
        seen_spectrum(method.sees): torch.from_numpy(whole)[None],
        "sentence": torch.zeros(1, dtype=torch.long),
    }
    if needs_references(method.sees):
        shown = np.zeros((*whole.shape[:2], 3), np.uint8)
        if helps.reference is not None:  # only its colours matter: its shape may give way
            reference, size = read_visible(helps.reference), (whole.shape[1], whole.shape[0])
            shown = cv2.resize(reference, size, interpolation=cv2.INTER_AREA)
        raw["reference"] = torch.from_numpy(shown)[None]
        raw["has_reference"] = torch.tensor([helps.reference is not None])
    return raw


def _tell(method: Method, helps: Helps) -> TextTable | None:
    if method.sees is not Captioned:
        return None
    return encode_captions(TextEncoder(helps.text), {"": helps.sentence})


def _refuse_own_place(pictures: Sequence[Path], folder: Path) -> None:
    own = {path.resolve() for path in pictures}
    for path in pictures:
        if (folder / f"{path.stem}.png").resolve() in own:
            raise BadInput(
                given=f"{path} would be overwritten by its translation",
                needed="a folder of its own for what is painted",
                remedy="name another folder with --to",
            )


def _as_array(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w *c"]:
    return np.ascontiguousarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
