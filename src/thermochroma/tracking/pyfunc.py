"""A translator as an MLflow model: 8-bit images of one spectrum in, of the other out."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import set_model

from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.predictor import load_predictor, refuse_other_forms


class TranslatorModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """MLflow model of a translator.

    Input: {"thermal": uint8 array, n by height by width}. Output: uint8, n by height by width by 3.
    In the other direction the input is {"visible": n by height by width by 3}, and the output has one
    channel. Any size is accepted, as on the command line.

    A method that sees text gets the same neutral sentence for every image. One that sees references
    takes, beside "thermal", "reference": uint8, n by height by width by 3; a reference that is all black
    counts as none.
    """

    def load_context(self, context: Any) -> None:
        """Load the translator and, if it sees text, the features of the sentence."""
        text = context.artifacts.get("text")
        self.predictor = load_predictor(
            Path(context.artifacts["translator"]),
            text=Path(text) if text is not None else None,
            sentence=NEUTRAL,
        )

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Translate all images at once. Raises BadInput for arrays of another form."""
        images = np.asarray(model_input[self.predictor.sees], np.uint8)
        references = None
        if "reference" in model_input:
            references = np.asarray(model_input["reference"], np.uint8)
        refuse_other_forms(images, references, sees=self.predictor.sees)
        return self.predictor(images, references)


set_model(TranslatorModel())
