"""The deployed translator: one file with its weights and all that is needed to build it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading
from thermochroma.base.sealed import BLANK, SEAL, seal
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Method, Translator, load_method
from thermochroma.contract.settings import Settings
from thermochroma.export.metadata import KEY, NEEDED, REMEDY, Metadata, Shapes, read_head

SUFFIX: Final = ".safetensors"
PARTS: Final = 10
"""Layers and parameters that a network is made of, for each tensor in its file, at the very most."""


def method_of(metadata: Metadata) -> Method:
    """The `Method` that the metadata names."""
    return load_method(metadata.settings["method"])


def title_of(metadata: Metadata) -> str:
    """Title of the translator in tables: that of its settings, or else that of its method."""
    title: str | None = metadata.settings["title"]
    return title if title is not None else method_of(metadata).title


def settings_of(metadata: Metadata) -> Settings:
    """Settings that a translator was trained with, as its method types them."""
    return method_of(metadata).settings.model_validate_json(json.dumps(metadata.settings))


def deviation_of(metadata: Metadata) -> str:
    """Say what a translator's settings do otherwise than its paper; "" where there is nothing to say."""
    says = method_of(metadata).deviation
    return says(settings_of(metadata)) if says else ""


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
        # As bytes: `save_file` writes beside the file under a name of its own, which a kill would leave.
        part.write_bytes(save(tensors, metadata={KEY: told}))
        seal(part)


def load_translator(path: Path) -> tuple[Translator[Any], Metadata]:
    """Read the translator, in evaluation mode on the CPU, and its metadata.

    The file may be a stranger's: nothing that it asks for is built before its shapes are compared, so
    that its weights bound the memory. Raises BadInput if the file is no translator of Thermochroma, or
    one of another version.
    """
    metadata, shapes = read_head(path)
    method = method_of(metadata)
    with reading(path, needed=NEEDED, remedy=REMEDY):
        settings = settings_of(metadata)
    _refuse_misfit(path, method, settings, metadata, shapes)
    with reading(path, needed=NEEDED, remedy=REMEDY):
        tensors = load_file(path)
    translator = _built(method, settings, metadata)
    translator.load_state_dict(tensors)
    return translator.eval().requires_grad_(False), metadata


def _built(method: Method, settings: Settings, metadata: Metadata) -> Translator[Any]:
    return build_translator(method, settings, scale=metadata.scale, text_width=metadata.text_width)


def _refuse_misfit(
    path: Path, method: Method, settings: Settings, metadata: Metadata, shapes: Shapes
) -> None:
    """Raise BadInput unless the settings ask for just the tensors of the file. Takes no memory."""
    most = PARTS * len(shapes) + PARTS
    with reading(path, needed=NEEDED, remedy=REMEDY), torch.device("meta"), _at_most_parts(most):
        state = _built(method, settings, metadata).state_dict()
    own = {name: tuple(tensor.shape) for name, tensor in state.items()}
    odd = sorted(name for name in own.keys() | shapes.keys() if own.get(name) != shapes.get(name))
    if odd:
        stored, asked = (_in_words(one.get(odd[0])) for one in (shapes, own))
        raise BadInput(
            given=f"{path} holds weights that do not fit its settings: `{odd[0]}` is {stored}, and "
            f"the settings ask for {asked} ({len(odd)} of {len(own)} differ)",
            needed=NEEDED,
            remedy=REMEDY,
        )


def _in_words(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else " by ".join(map(str, shape)) or "one number"


@contextmanager
def _at_most_parts(most: int) -> Iterator[None]:
    """Raise ValueError when networks built inside get more layers and parameters than `most`."""
    parts = count(1)

    def watch(module: nn.Module, name: str, part: object) -> None:
        if next(parts) > most:
            raise ValueError("its settings ask for more layers than it has weights for")

    hooks = (register_module_module_registration_hook, register_module_parameter_registration_hook)
    handles = [hook(watch) for hook in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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
