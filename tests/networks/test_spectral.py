"""Spectral norm: PyTorch's numbers, and no work where there are none."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from tests.rooms import MODULES, imports_of
from thermochroma.networks import spectral
from thermochroma.networks.spectral import spectral_norm

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv2d(3, 5, 3),
    "linear": lambda: nn.Linear(16, 5),
}


def _played(normalised: Callable[[nn.Module], nn.Module], layer: str) -> dict[str, torch.Tensor]:
    """What a layer holds behind two passes of a training, and what it gives then."""
    torch.manual_seed(0)
    found = normalised(LAYERS[layer]())
    for _ in range(2):
        output = found(torch.ones(1, 3, 16, 16))
    return found.state_dict() | {"output": output.detach()}


@pytest.mark.parametrize("layer", LAYERS)
def test_its_numbers_and_names_are_those_of_pytorch(layer: str) -> None:
    ours, theirs = _played(spectral_norm, layer), _played(parametrizations.spectral_norm, layer)
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_without_numbers_no_singular_vector_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("it iterates")

    monkeypatch.setattr(parametrizations._SpectralNorm, "_power_method", refused)
    with torch.device("meta"):
        layer = spectral_norm(nn.Conv2d(3, 5, 3))
        assert layer(torch.ones(1, 3, 16, 16)).shape == (1, 5, 14, 14)
    with pytest.raises(AssertionError, match="it iterates"):
        spectral_norm(nn.Conv2d(3, 5, 3))


def test_no_other_module_takes_pytorchs_own() -> None:
    users = {path.name for path in MODULES if "torch.nn.utils.parametrizations" in imports_of(path)}
    assert users == {f"{spectral.__name__.rpartition('.')[2]}.py"}
