"""Weights in HDF5 files of Keras. Such a file can name other files to be read as its own: none is.

Everything is refused that is not stored in the file itself (links to other places, external and virtual
storage), and names and shapes are compared before any number is read.
"""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import torch
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading

NEEDED: Final = "an HDF5 file of weights that Keras saved, whole and by itself"
REMEDY: Final = "check the path, or save the weights again with Keras"
MODEL: Final = "model_weights"  # group of the weights in a file of a whole model
DEEPEST: Final = 8  # groups inside groups
MOST: Final = 10_000  # groups and tensors
SPARE: Final = 1 << 20  # numbers: a stored block may hold a few beyond the tensor


def read_keras(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Read tensors as "<layer>.<weight>", kernels of convolutions output first.

    shapes: names and shapes of all tensors. Raises BadInput, with no number read, if the file holds
    others; the whole comparison is `load_public`'s.
    """
    with reading(path, needed=NEEDED, remedy=REMEDY), h5py.File(path, "r") as file:
        found = {_name_of(place): item for place, item in _weights_in(path, file)}
        for name, item in found.items():
            _refuse_other(path, name, item, shapes)
        return {name: _tensor_of(item) for name, item in found.items()}


def _weights_in(path: Path, file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Places and data sets of a file; a link, foreign storage or too many of them is refused.

    In a file of a whole model they are inside the group MODEL, beside its optimizer's.
    """
    seen = 0
    root = _item(path, file, MODEL, MODEL) if MODEL in file else file
    waiting: list[tuple[str, Any, int]] = [("", root, 0)]
    while waiting:
        place, group, depth = waiting.pop()
        for name in group:
            seen += 1
            if seen > MOST or depth > DEEPEST:
                raise _refused(path, f"more than {MOST} parts, or groups more than {DEEPEST} deep")
            inside = f"{place}/{name}".removeprefix("/")
            item = _item(path, group, name, inside)
            if isinstance(item, h5py.Dataset):
                yield inside, item
            else:
                waiting.append((inside, item, depth + 1))


def _item(path: Path, group: Any, name: str, place: str) -> Any:
    """Group or data set of a name. Nothing is followed out of the file, and no number is read."""
    if type(group.get(name, getlink=True)) is not h5py.HardLink:
        raise _refused(path, f"at `{place}` a link to another place or file")
    item = group[name]
    if not isinstance(item, h5py.Group | h5py.Dataset):
        raise _refused(path, f"at `{place}` neither a group nor numbers")
    if isinstance(item, h5py.Dataset) and (item.is_virtual or item.external):
        raise _refused(path, f"at `{place}` numbers of other files (external or virtual storage)")
    return item


def _name_of(place: str) -> str:
    """Short name: conv2d_1/conv2d_1/kernel:0 is conv2d_1.kernel; a model's name may come in between."""
    first, *_, last = place.split("/") if "/" in place else ("", place)
    return f"{first}.{last.removesuffix(':0')}"


def _refuse_other(
    path: Path, name: str, item: h5py.Dataset, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    if name not in shapes:
        raise _refused(path, f"the unknown entry `{name}`")
    shape = _turned(item.shape)
    if shape != shapes[name]:
        raise _refused(path, f"`{name}` with the shape {shape}, where {shapes[name]} is needed")
    if item.dtype.kind not in "fiu" or item.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise _refused(path, f"`{name}` with values of the type {item.dtype}, which are no weights")
    if item.chunks is not None and prod(item.chunks) > prod(item.shape) + SPARE:
        raise _refused(path, f"`{name}` in blocks of {item.chunks}, larger than the tensor")


def _turned(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape in PyTorch's order: rows, columns, in, out become out, in, rows, columns."""
    return (shape[3], shape[2], shape[0], shape[1]) if len(shape) == 4 else shape


def _tensor_of(item: h5py.Dataset) -> Tensor:
    tensor = torch.from_numpy(np.asarray(item[()]))
    return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def _refused(path: Path, given: str) -> BadInput:
    return BadInput(given=f"{path} holds {given}", needed=NEEDED, remedy=REMEDY)
