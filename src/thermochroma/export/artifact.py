"""The deployed translator: one file with its weights and all that is needed to build it."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from safetensors.torch import save_file
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.sealed import BLANK, SEAL, seal
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Method, Translator, load_method
from thermochroma.contract.settings import Settings
from thermochroma.export.metadata import KEY, Metadata, metadata_in, opened

SUFFIX: Final = ".safetensors"


def method_of(metadata: Metadata) -> Method:
    """The `Method` that the metadata names."""
    return load_method(metadata.settings["method"])


def title_of(metadata: Metadata) -> str:
    """Title of the translator in tables: that of its settings, or else that of its method."""
    title: str | None = metadata.settings["title"]
    return title if title is not None else method_of(metadata).title


def build_translator(
    method: Method, settings: Settings, *, scale: float, text_width: int
) -> Translator[Any]:
    """A translator with fresh weights; `text_width` matters only to methods that see text."""
    text = {"text_width": text_width} if method.sees is Captioned else {}
    return method.translator(scale=scale, **text, **settings.translator.model_dump())


def save_translator(translator: Translator[Any], path: Path, metadata: Metadata) -> None:
    """Write weights, metadata and a digest of both, whole or not at all; equal weights give equal bytes."""
    tensors = {name: _plain(tensor) for name, tensor in translator.state_dict().items()}
    told = json.dumps({**metadata.__dict__, SEAL: BLANK}, sort_keys=True)
    with whole_file(path) as part:
        save_file(tensors, part, metadata={KEY: told})
        seal(part)


def load_translator(path: Path) -> tuple[Translator[Any], Metadata]:
    """Read the translator, in evaluation mode on the CPU, and its metadata.

    Raises BadInput if the file is no translator of Thermochroma, or one of another version.
    """
    with opened(path) as stored:
        metadata = metadata_in(stored)
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    try:
        method = method_of(metadata)
        settings = method.settings.model_validate_json(json.dumps(metadata.settings))
        translator = build_translator(
            method, settings, scale=metadata.scale, text_width=metadata.text_width
        )
        translator.load_state_dict(tensors)
    except (ValidationError, KeyError, RuntimeError) as error:
        raise BadInput(
            given=f"{path} holds settings or weights that do not fit: {str(error).splitlines()[0]}",
            needed="a translator of this version of Thermochroma",
            remedy="train it anew with `dvc repro`, or use the version that wrote it",
        ) from error
    return translator.eval().requires_grad_(False), metadata


def snapshots_in(folder: Path) -> list[Path]:
    """Translators of a folder that are named by the number of images they were shown, in that order.

    Raises BadInput if there is no such folder; with `snapshots: 1` the folder is empty.
    """
    if not folder.is_dir():
        raise BadInput(
            given=f"{folder} is no folder",
            needed="the folder that the stage `train` writes beside each translator",
            remedy="run `dvc repro`: it trains again each block whose outputs are missing",
        )
    return sorted(folder.glob(f"[0-9]*{SUFFIX}"))


def snapshot_name(images: int) -> str:
    """File name of the snapshot taken after `images` images."""
    return f"{images:09d}{SUFFIX}"


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu").contiguous()
