"""State dicts that somebody else saved with PyTorch: names and tensors, and never code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading


def read_state(path: Path, *, needed: str, remedy: str) -> dict[str, Tensor]:
    """Read the state dict in a file, on the CPU. Only tensors are read, and nothing in it is run.

    needed, remedy: as in `reading`. Raises BadInput if the file is missing, damaged or holds anything
    but names with plain tensors.
    """
    with reading(path, needed=needed, remedy=remedy):
        stored = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(stored, Mapping) or not all(map(_is_entry, stored.items())):
        raise BadInput(
            given=f"{path} holds {type(stored).__name__}, and not names with tensors alone",
            needed=needed,
            remedy=remedy,
        )
    return dict(stored)


def _is_entry(item: tuple[object, object]) -> bool:
    name, tensor = item
    if not isinstance(name, str) or not isinstance(tensor, Tensor):
        return False
    return tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_quantized
