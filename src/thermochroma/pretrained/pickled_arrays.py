"""Pickled NumPy arrays of a foreign file: arrays are read, and nothing that a pickle can call is run."""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from thermochroma.base.reading import reading

_CORE: Final = {"numpy.core.multiarray", "numpy._core.multiarray"}  # NumPy 1 and 2
_ADMITTED: Final[Mapping[tuple[str, str], Any]] = {
    **{(core, "_reconstruct"): np.empty(0).__reduce__()[0] for core in _CORE},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
"""Everything that a pickle of arrays needs to name."""


class _ArraysOnly(pickle.Unpickler):
    """Unpickler that finds NumPy's constructors of arrays and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an admitted constructor. Raises ValueError for any other name."""
        if (module, name) not in _ADMITTED:
            raise ValueError(f"it names {module}.{name}, which is no array")
        return _ADMITTED[module, name]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read nested mappings of arrays, as "outer/inner/name" to array.

    Raises BadInput for a file that is missing or damaged, or that holds or names anything else.
    """
    with (
        reading(
            path,
            needed="a pickle of named NumPy arrays of numbers, and of nothing else",
            remedy="remove it, so that it is fetched again",
        ),
        path.open("rb") as stream,
    ):
        return dict(_named_arrays(_load(stream)))


def _load(stream: IO[bytes]) -> Any:
    return _ArraysOnly(stream).load()


def _named_arrays(item: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(item, dict):
        for key, value in item.items():
            yield from _named_arrays(value, f"{name}/{key}" if name else str(key))
    elif isinstance(item, np.ndarray) and item.dtype.kind in "fiu":
        yield name, item
    else:
        raise ValueError(f"`{name}` is no array of numbers but {type(item).__name__}")
