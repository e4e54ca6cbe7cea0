"""A translator as an MLflow model: 8-bit pictures of one spectrum in, of the other out."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import torch
from mlflow.models import set_model

from thermochroma.batch import Captioned
from thermochroma.loading.assemble import assemble_seen, needs_references, seen_spectrum
from thermochroma.loading.text import encode_captions
from thermochroma.networks.frozen import TextEncoder
from thermochroma.serving import NEUTRAL
from thermochroma.shipping import load_translator, method_of
from thermochroma.tensors import to_bytes


class TranslatorModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Input: {"thermal": uint8 array, n by height by width}. Output: uint8, n by height by width by 3.

    On the way back it is {"visible": n by height by width by 3}, and one channel comes out.

    A method that sees text is told the same neutral sentence for every picture. One that sees
    references takes, beside "thermal", "reference": uint8, n by height by width by 3; a reference that
    is black all over counts as none.
    """

    def load_context(self, context: Any) -> None:
        """Load the translator and, where it sees text, the features of the sentence."""
        self.translator, self.label = load_translator(Path(context.artifacts["translator"]))
        self.text = None
        if method_of(self.label).sees is Captioned:
            encoder = TextEncoder(Path(context.artifacts["text"]))
            self.text = encode_captions(encoder, {"": NEUTRAL})

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Translate all pictures at once."""
        spectrum = seen_spectrum(method_of(self.label).sees)
        pictures = torch.from_numpy(np.asarray(model_input[spectrum], np.uint8))
        raw = {spectrum: pictures, "sentence": torch.zeros(len(pictures), dtype=torch.long)}
        if needs_references(method_of(self.label).sees):
            reference = torch.from_numpy(np.asarray(model_input["reference"], np.uint8))
            raw |= {"reference": reference, "has_reference": reference.flatten(1).any(1)}
        seen = assemble_seen(raw, method_of(self.label).sees, self.text)
        with torch.no_grad():
            painted = to_bytes(self.translator(seen))
        return painted.permute(0, 2, 3, 1).numpy()


set_model(TranslatorModel())
