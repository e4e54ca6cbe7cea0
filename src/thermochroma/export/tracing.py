"""Operations that torch's tracer would fix to the size of its example, written so that it follows them.

The mathematics is the same, the order of sums may be another. Networks stay as they are: the mode stands
in for their operations only while they are exported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class Traceable(TorchFunctionMode):
    """Mode in which networks compute as they do, by operations that hold for all sizes."""

    def __torch_function__(
        self, function: Any, types: Any, given: tuple[Any, ...] = (), named: Any = None
    ) -> Any:
        """Apply the substitute of a function, or itself."""
        return SUBSTITUTES.get(function, function)(*given, **(named or {}))


def unflatten(x: Tensor, dim: int, sizes: Sequence[Any]) -> Tensor:
    """Split a dimension, as `Tensor.unflatten` does."""
    sides = list(x.shape)
    place = dim % x.ndim
    return x.reshape(*sides[:place], *sizes, *sides[place + 1 :])


def adaptive_avg_pool2d(x: Tensor, output_size: Any) -> Tensor:
    """Average cells of a grid, as the function of that name does: two products of matrices."""
    cells = output_size if isinstance(output_size, Sequence) else (output_size, output_size)
    if all(isinstance(one, int) and one == 1 for one in cells):
        return x.mean((-2, -1), keepdim=True)
    rows, columns = (_shares(side, cell) for side, cell in zip(x.shape[-2:], cells, strict=True))
    return rows @ x @ columns.T


def interpolate(
    x: Tensor, size: Any = None, *more: Any, antialias: bool = False, **named: Any
) -> Tensor:
    """Resize, as the function of that name does; antialiased by two products of matrices."""
    if not antialias:
        return F.interpolate(x, size, *more, **named)
    asked = {name: value for name, value in named.items() if value is not None}
    if more or size is None or asked != {"mode": "bilinear"}:
        raise ValueError(f"there is no substitute for antialiased resizing by {asked}")
    rows, columns = (_tents(side, new) for side, new in zip(x.shape[-2:], size, strict=True))
    return rows @ x @ columns.T


def _shares(side: Any, cells: Any) -> Float[Tensor, "n m"]:
    """Weight of each of `side` places in the mean of each of `cells` cells."""
    cell = torch.arange(cells)[:, None]
    start, end = cell * side // cells, ((cell + 1) * side + cells - 1) // cells
    place = torch.arange(side)[None]
    inside = ((place >= start) & (place < end)).to(torch.float32)
    return inside / (end - start).to(torch.float32)


def _tents(side: Any, new: Any) -> Float[Tensor, "n m"]:
    """Weight of each of `side` places in each of `new` ones: tents, wider where the new ones are fewer."""
    scale = _number(side) / _number(new)
    centre = (torch.arange(new).to(torch.float32)[:, None] + 0.5) * scale
    distance = (torch.arange(side).to(torch.float32)[None] + 0.5 - centre).abs()
    weight = (1 - distance / scale.clamp(min=1)).clamp(min=0)
    return weight / weight.sum(1, keepdim=True)


def _number(side: Any) -> Float[Tensor, ""]:
    return torch.as_tensor(side).to(torch.float32)


SUBSTITUTES: Final[Mapping[Any, Callable[..., Tensor]]] = {
    Tensor.unflatten: unflatten,
    F.adaptive_avg_pool2d: adaptive_avg_pool2d,
    F.interpolate: interpolate,
}
