"""Opens the translator in a file with the library that computes it.

MLflow's models have torch alone, and open theirs by themselves: what they carry is read from their
imports.
"""

from pathlib import Path

from thermochroma.export.onnx_file import is_onnx
from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.predictor import Predictor


def load_predictor(translator: Path, *, text: Path | None, sentence: str | None) -> Predictor:
    """The translator in a file: by torch, on the GPU if there is one, or by ONNX Runtime on the processor.

    text: folder of the text encoder with which it was trained, read only if it sees text. sentence: its
    text for every image; None for a neutral one, or for the one that is built into an ONNX file. Raises
    BadInput if a file is missing or cannot be read.
    """
    if is_onnx(translator):
        from thermochroma.inference import onnx_engine

        return Predictor(onnx_engine.load_engine(translator, sentence=sentence))
    from thermochroma.inference import torch_engine  # torch takes seconds to import

    told = NEUTRAL if sentence is None else sentence
    return Predictor(torch_engine.load_engine(translator, text=text, sentence=told))
