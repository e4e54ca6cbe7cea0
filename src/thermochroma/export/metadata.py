"""What stands on a translator's file. Reading it needs neither the weights nor torch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from thermochroma.base.errors import BadInput

KEY = "thermochroma"


@dataclass(frozen=True)
class Metadata:
    """Enough to build the translator again."""

    name: str
    """The method's name in the line-up."""
    settings: dict[str, Any]
    """Its block of params.yaml, as parsed."""
    scale: float
    text_width: int
    """Width of the text features that it was taught with; 0 if it sees no text."""
    trained_on: str
    """The data set."""
    side: int
    """Height and width of the training images."""
    frozen: str
    """Which frozen networks taught it: random | pretrained."""
    images: int | None
    """Images shown to it in training; None if that is not known."""


def read_metadata(path: Path) -> Metadata:
    """The metadata alone. Raises BadInput if the file is no translator of ours."""
    with opened(path, framework="numpy") as stored:
        return metadata_in(stored)


def metadata_in(stored: Any) -> Metadata:
    """The metadata of an opened file; KeyError and TypeError tell that it has none."""
    return Metadata(**json.loads(stored.metadata()[KEY]))


@contextmanager
def opened(path: Path, *, framework: Literal["pt", "numpy"] = "pt") -> Iterator[Any]:
    """The file, opened by safetensors; raises BadInput if it is no translator of ours."""
    try:
        with safe_open(path, framework=framework) as stored:
            yield stored
    except (FileNotFoundError, SafetensorError, KeyError, TypeError) as error:
        raise BadInput(
            given=f"{path} is no translator ({type(error).__name__}: {error})",
            needed="a translator.safetensors written by the train stage",
            remedy="train it with `dvc repro`, or correct the path",
        ) from error
