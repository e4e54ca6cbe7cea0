"""A translator as an MLflow model: 8-bit images of one spectrum in, of the other out.

MLflow finds this module by its name and calls `_load_pyfunc`, also where it serves the model. It is no
subclass of `mlflow.pyfunc.PythonModel`, which prints a red warning for every type of `model_input` but
tables and single arrays; so it needs nothing of MLflow's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.predictor import Predictor, refuse_other_forms

TRANSLATOR: Final = "translator.safetensors"
TEXT: Final = "text"
"""Names of the translator and of the folder of its text encoder, in the folder that MLflow keeps."""


class TranslatorModel:
    """MLflow model of a translator.

    Input: {"thermal": uint8 array, n by height by width}. Output: uint8, n by height by width by 3.
    In the other direction the input is {"visible": n by height by width by 3}, and the output has one
    channel. Any size is accepted, as on the command line; a GPU is used if there is one.

    A method that sees text gets the same neutral sentence for every image. One that sees references
    takes, beside "thermal", "reference": uint8, n by height by width by 3; a reference that is all black
    counts as none.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Mapping[str, np.ndarray]) -> UInt8[np.ndarray, "n h w d"]:
        """Translate all images at once. Raises BadInput for arrays of another form."""
        images = np.asarray(model_input[self.predictor.sees], np.uint8)
        references = None
        if "reference" in model_input:
            references = np.asarray(model_input["reference"], np.uint8)
        refuse_other_forms(images, references, sees=self.predictor.sees)
        return self.predictor(images, references)


def _load_pyfunc(path: str) -> TranslatorModel:
    """Load the translator in a folder and, if it sees text, the features of the sentence."""
    from thermochroma.inference.torch_engine import load_engine  # torch takes seconds to import

    text = Path(path) / TEXT
    return TranslatorModel(
        Predictor(
            load_engine(
                Path(path) / TRANSLATOR,
                text=text if text.exists() else None,
                sentence=NEUTRAL,
            )
        )
    )
