"""Metadata stored in a translator file. Reading it needs neither the weights nor torch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from safetensors import SafetensorError, safe_open

from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import SEAL, refuse_changed

KEY = "thermochroma"
RENAMED: Final = {"per_picture": "per_image", "picture_alone": "image_alone"}
"""Values of settings in files of the first version, and their names today."""


@dataclass(frozen=True)
class Metadata:
    """Facts that suffice to build the translator again, and its origin."""

    name: str
    """Name of the translator in the line-up."""
    settings: dict[str, Any]
    """Block of params.yaml that it was trained with, as parsed."""
    scale: float
    text_width: int
    """Width of the text features that it was trained with; 0 if it sees no text."""
    trained_on: str
    """Name of the data set."""
    side: int
    """Height and width of the training images, in pixels."""
    frozen: str
    """Weights of the frozen networks in its training: random | pretrained."""
    images: int | None
    """Images shown to it in training; None if that is not known."""


def read_metadata(path: Path) -> Metadata:
    """Metadata without the weights. Raises BadInput if the file is no translator of Thermochroma."""
    with opened(path, framework="numpy") as stored:
        return metadata_in(stored)


def metadata_in(stored: Any) -> Metadata:
    """Metadata of an opened file. Raises KeyError or TypeError if it has none."""
    found = json.loads(stored.metadata()[KEY])
    found.pop(SEAL, None)
    return Metadata(**{**found, "settings": _renamed(found["settings"])})


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one) for key, one in value.items()}
    return RENAMED.get(value, value) if isinstance(value, str) else value


@contextmanager
def opened(path: Path, *, framework: Literal["pt", "numpy"] = "pt") -> Iterator[Any]:
    """The file, opened by safetensors. Raises BadInput if it is no translator of ours, or changed."""
    try:
        refuse_damaged(path)
        with safe_open(path, framework=framework) as stored:
            yield stored
    except (FileNotFoundError, SafetensorError, KeyError, TypeError) as error:
        raise BadInput(
            given=f"{path} is no translator ({type(error).__name__}: {error})",
            needed="a translator.safetensors written by the train stage",
            remedy="train it with `dvc repro`, or correct the path",
        ) from error


def refuse_damaged(path: Path) -> None:
    """Raise BadInput if the bytes of a translator are not those that were written.

    A file of the time before translators carried a digest is taken as it is.
    """
    with path.open("rb") as stream:
        refuse_changed(path, stream, remedy="use a sound copy, or train it again", sealed=False)
