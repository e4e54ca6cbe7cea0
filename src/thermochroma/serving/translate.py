"""Translation of image files: thermal into colour or, in the other direction, visible into thermal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import IMAGE_SUFFIXES, image_files
from thermochroma.base.images import Tone, read_thermal, read_visible, write_image
from thermochroma.contract.method import Method
from thermochroma.inference.predictor import NEUTRAL, load_predictor
from thermochroma.loading.collate import seen_spectrum


@dataclass(frozen=True)
class InferenceOptions:
    """Further inputs that a translator may need beside the images.

    text: folder of the text encoder with which it was trained. sentence: its text for every image.
    reference: a visible image of any size to take colours from, or None. tone: rule that reduces images
    of more than 8 bits to 8.
    """

    text: Path
    sentence: str = NEUTRAL
    reference: Path | None = None
    tone: Tone | None = None


def images_in(paths: Sequence[Path]) -> list[Path]:
    """List the given files and, in the order of their names, the images inside given folders.

    Raises BadInput for a path that does not exist, if there is no image, and if two have one name.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += image_files(path)
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(
                given=f"{path} does not exist",
                needed="images, or folders that hold some",
                remedy="correct the path",
            )
    counts = Counter(one.stem for one in found)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if not found or twice is not None:
        raise BadInput(
            given=f"two images are called {twice}" if twice else "there is no image to translate",
            needed=f"images with names of their own ({', '.join(IMAGE_SUFFIXES)})",
            remedy="name others, or translate them into different folders",
        )
    return found


def translate_files(
    translator: Path, images: Sequence[Path], folder: Path, options: InferenceOptions
) -> Iterator[Path]:
    """Translate each image into `folder`, as PNG under its own name; yields the path of each.

    Raises BadInput if the translator or an image cannot be read, or if an image would be overwritten
    by its own translation.
    """
    predictor = load_predictor(translator, text=options.text, sentence=options.sentence)
    _refuse_own_place(images, folder)
    reference = None if options.reference is None else read_visible(options.reference)[None]
    for path in images:
        image = read_for(predictor.method, path, options.tone)
        prediction = predictor(image[None], reference)[0]
        target = folder / f"{path.stem}.png"
        write_image(target, _as_array(prediction))
        yield target


def read_for(method: Method, path: Path, tone: Tone | None) -> UInt8[np.ndarray, "h w *c"]:
    """Read an image of the spectrum that the method sees. Raises BadInput for one of the other."""
    if seen_spectrum(method.sees) == "visible":
        return read_visible(path)
    return read_thermal(path, tone)


def _refuse_own_place(images: Sequence[Path], folder: Path) -> None:
    own = {path.resolve() for path in images}
    for path in images:
        if (folder / f"{path.stem}.png").resolve() in own:
            raise BadInput(
                given=f"{path} would be overwritten by its translation",
                needed="another folder for the translated images",
                remedy="name another folder with --to",
            )


def _as_array(image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w *c"]:
    return np.ascontiguousarray(image[..., 0] if image.shape[-1] == 1 else image)
