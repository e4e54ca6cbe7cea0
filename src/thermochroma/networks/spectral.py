"""Spectral norm as PyTorch has it, without the work that says nothing where there are no numbers."""

from typing import TypeVar, final

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


@final
class SpectralNorm(parametrizations._SpectralNorm):
    """PyTorch's own; on the meta device it looks for no singular vectors.

    There 15 iterations change nothing, and take seconds for a network of many layers: every file of a
    translator is compared with the shapes of one that is built so.
    """

    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        if not weight_mat.is_meta:
            super()._power_method(weight_mat, n_power_iterations)


def spectral_norm(layer: Layer) -> Layer:
    """Divide a layer's weight by its largest singular value, as `torch`'s function of this name does."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    return layer
