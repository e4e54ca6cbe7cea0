"""The translator as it ships: one file that says how to build it and holds its weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from thermochroma.batch import Captioned
from thermochroma.errors import BadInput
from thermochroma.files import whole_file
from thermochroma.method import Method, Settings, Translator, load_method

KEY = "thermochroma"


@dataclass(frozen=True)
class Label:
    """What stands on the file: enough to build the translator again."""

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
    """Height and width of the training pictures."""
    frozen: str
    """Which frozen networks taught it: random | pretrained."""

    @property
    def title(self) -> str:
        """How tables call it."""
        title: str | None = self.settings["title"]
        return title if title is not None else self.method.title

    @property
    def method(self) -> Method:
        """The record of the method's file."""
        return load_method(self.settings["method"])


def build_translator(
    method: Method, settings: Settings, *, scale: float, text_width: int
) -> Translator[Any]:
    """A translator with fresh weights; `text_width` matters only to methods that see text."""
    text = {"text_width": text_width} if method.sees is Captioned else {}
    return method.translator(scale=scale, **text, **settings.translator.model_dump())


def save_translator(translator: Translator[Any], path: Path, label: Label) -> None:
    """Write weights and label, whole or not at all; equal weights give equal bytes."""
    tensors = {name: _plain(tensor) for name, tensor in translator.state_dict().items()}
    with whole_file(path) as part:
        save_file(tensors, part, metadata={KEY: json.dumps(label.__dict__, sort_keys=True)})


def load_translator(path: Path) -> tuple[Translator[Any], Label]:
    """The translator in evaluation mode on the CPU, and its label.

    Raises BadInput if the file is no translator of ours. Missing or surplus weights are an error.
    """
    label, tensors = _read(path)
    method = label.method
    settings = method.settings.model_validate_json(json.dumps(label.settings))
    translator = build_translator(method, settings, scale=label.scale, text_width=label.text_width)
    translator.load_state_dict(tensors)
    return translator.eval().requires_grad_(False), label


def read_label(path: Path) -> Label:
    """The label alone."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Label, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as stored:
            label = Label(**json.loads(stored.metadata()[KEY]))
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError, KeyError, TypeError) as error:
        raise BadInput(
            given=f"{path} is no translator ({type(error).__name__}: {error})",
            needed="a translator.safetensors written by the train stage",
            remedy="train it with `dvc repro`, or correct the path",
        ) from error
    return label, tensors


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu").contiguous()
