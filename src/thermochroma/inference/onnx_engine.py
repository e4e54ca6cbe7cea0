"""Translators computed by ONNX Runtime, on the processor; torch need not be installed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.levels import to_floats
from thermochroma.base.reading import quote
from thermochroma.export.onnx_file import NEEDED, REMEDY, read_onnx
from thermochroma.export.traits import Traits
from thermochroma.inference.engine import Shown

NO_MEMORY: Final = ("Failed to allocate memory", "bad_alloc", "bad allocation")
"""Words of ONNX Runtime where torch raises an error of its own."""


@dataclass(frozen=True, eq=False)
class OnnxEngine:
    """A model in an ONNX file, opened."""

    path: Path
    session: Any
    traits: Traits

    def __call__(self, shown: Shown) -> Float32[np.ndarray, "n c h w"]:
        feeds = {name: FEEDS[name](shown) for name in self.traits.inputs}
        try:
            (prediction,) = self.session.run(None, feeds)
        except Exception as problem:  # the library's own classes, which nobody can list
            if any(words in str(problem) for words in NO_MEMORY):
                raise MemoryError(str(problem)) from problem
            raise self._unusable(f"fails in ONNX Runtime ({quote(problem)})") from problem
        height, width = shown.images.shape[1:3]
        form = (len(shown.images), 1 if self.traits.spectrum == "visible" else 3, height, width)
        if np.shape(prediction) != form:
            raise self._unusable(f"turns images of {height} by {width} into {np.shape(prediction)}")
        return np.asarray(prediction, np.float32)

    def _unusable(self, fault: str) -> BadInput:
        return BadInput(given=f"{self.path} {fault}", needed=NEEDED, remedy=REMEDY)


def load_engine(path: Path, *, sentence: str | None) -> OnnxEngine:
    """The model in a file. sentence: one that is asked for; None for that of the file.

    Raises BadInput if the file is none of ours, or has another sentence.
    """
    session, metadata = read_onnx(path)
    if sentence is not None and metadata.sentence not in (None, sentence):
        raise BadInput(
            given=f"{path} has the sentence {metadata.sentence!r} built in, and --sentence is "
            f"{sentence!r}",
            needed="one sentence: ONNX files hold its features, and no encoder of text",
            remedy="leave --sentence out, or export the translator again with this one",
        )
    return OnnxEngine(path, session, metadata.traits)


def _thermal(shown: Shown) -> Float32[np.ndarray, "n 1 h w"]:
    return to_floats(shown.images)[:, None]


def _visible(shown: Shown) -> Float32[np.ndarray, "n 3 h w"]:
    return _planes(shown.images)


def _reference(shown: Shown) -> Float32[np.ndarray, "n 3 h w"]:
    assert shown.references is not None  # the predictor makes black ones
    there = shown.references.any((1, 2, 3), keepdims=True)
    return _planes(shown.references) * there.astype(np.float32)


def _sharpness(shown: Shown) -> Float32[np.ndarray, " n"]:
    return np.full(len(shown.images), shown.sharpness, np.float32)


def _planes(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n 3 h w"]:
    return np.ascontiguousarray(to_floats(images).transpose(0, 3, 1, 2))


FEEDS: Final[Mapping[str, Callable[[Shown], np.ndarray]]] = {
    "thermal": _thermal,
    "visible": _visible,
    "reference": _reference,
    "sharpness": _sharpness,
}
"""Inputs of a model, by the names that `dummy_input` and `batch.py` know them by."""
