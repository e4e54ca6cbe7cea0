"""Feature maps of VGG, which is never trained here.

Its weights are read from local folders that the stage `weights` writes, by the same code for published
weights and for seeded stand-ins. Nothing is downloaded here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, cast, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.reading import reading
from thermochroma.base.sealed import read_json, write_json
from thermochroma.base.tensors import Visible

TENSORS: Final = "model.safetensors"
ORIGIN: Final = "origin.json"
"""File in each folder of weights that says where they come from, and the SHA-256 of the other files."""
FILES: Final = "files"
NEEDED: Final = "the files that the stage `weights` writes"
REMEDY: Final = "run `dvc repro -f weights`"
Kind = Literal["published", "stand_in"]
Vgg = Literal["vgg16", "vgg19"]
OF_GAMES: Final = ("efficientnet_lite0", "vgg16", "vgg19")
"""Folders of the networks that games and encoders use."""
TITLES: Final = {
    "vgg16": "VGG-16",
    "vgg19": "VGG-19",
    "clip": "CLIP",
    "efficientnet_lite0": "EfficientNet-Lite0",
}
VGG_CONVS: Final = {
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
"""Indices of the convolutions in torchvision's `features`; a ReLU follows each, then often a pool."""
VGG_TAPS: Final = (3, 8, 17, 26)
"""VGG-19's relu1_2, relu2_2, relu3_4, relu4_4."""
LAST_RELUS: Final[Mapping[Vgg, tuple[int, ...]]] = {"vgg16": (3, 8, 15, 22), "vgg19": VGG_TAPS}
"""Last ReLU of each of the first four blocks, where the perceptual terms of the field are taken."""
IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """Feature maps of VGG-16 or VGG-19 (Simonyan and Zisserman, 2015), torchvision's numbering.

    The weights are non-persistent buffers: no optimizer, checkpoint or parameter count sees them.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        state: Mapping[str, Tensor],
        *,
        taps: Sequence[int] = VGG_TAPS,
        imagenet_norm: bool = False,
    ) -> None:
        """Copy the weights. state: `features.<index>.weight|bias`, of any widths. taps: rising indices.

        imagenet_norm: turn [-1, 1] into [0, 1] and normalise as in ImageNet training first; else
        the images are taken as they are. Raises BadInput for a missing or misnamed tensor, ValueError
        for taps that do not rise or lie outside the network.
        """
        super().__init__()
        convs = _convs_of(state)
        layers = convs[-1] + 3  # the last convolution, its ReLU and the last pool
        if not taps or list(taps) != sorted(set(taps)) or not 0 <= taps[0] <= taps[-1] < layers:
            raise ValueError(f"taps must rise within 0 ... {layers - 1}, not {tuple(taps)}")
        self.taps = tuple(taps)
        self.imagenet_norm = imagenet_norm
        self.kinds = _layers(convs)[: taps[-1] + 1]
        for index in (index for index in convs if index <= taps[-1]):
            for part in ("weight", "bias"):
                tensor = state[f"features.{index}.{part}"].detach().clone()
                self.register_buffer(f"{part}_{index}", tensor, persistent=False)
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, image: Visible) -> tuple[Float[Tensor, "b _ _ _"], ...]:
        """Feature maps at `taps`, in their order; the layers after the last tap are never computed."""
        x = ((image + 1) / 2 - self.mean) / self.std if self.imagenet_norm else image
        found = []
        for index, kind in enumerate(self.kinds):
            x = self._layer(index, kind, x)
            if index in self.taps:
                found.append(x)
        return tuple(found)

    def _layer(self, index: int, kind: str, x: Tensor) -> Tensor:
        if kind == "relu":
            return F.relu(x)  # not in place: the map before it may be tapped
        if kind == "pool":
            return F.max_pool2d(x, 2)
        weight, bias = self.get_buffer(f"weight_{index}"), self.get_buffer(f"bias_{index}")
        return F.conv2d(x, weight, bias, padding=1)


def load_vgg(
    folder: Path, *, taps: Sequence[int] = VGG_TAPS, imagenet_norm: bool = False
) -> VggFeatures:
    """Read VggFeatures from `folder`. Raises BadInput if the weights are missing or damaged."""
    return VggFeatures(read_tensors(folder), taps=taps, imagenet_norm=imagenet_norm)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Read the weights in a folder, by name. Raises BadInput if they are missing or damaged."""
    path = folder / TENSORS
    refuse_changed_weights(folder)
    with reading(path, needed=NEEDED, remedy=REMEDY):
        return load_file(path)


@dataclass(frozen=True)
class FrozenNetworks:
    """Frozen networks for games; each is read from disk only when a game asks for it."""

    weights: Path

    def hashes(self) -> list[str]:
        """SHA-256 of each file of weights that games use; stand-ins of other seeds have other hashes."""
        paths = [self.weights / name / TENSORS for name in OF_GAMES]
        return [sha256(path) for path in paths if path.exists()]

    def provenance(self) -> str:
        """Say of each frozen network of games whether it is published or a stand-in, in one phrase."""
        kinds = {title: kind_of(self.weights / name) for name, title in TITLES.items()}
        published = [title for title, kind in kinds.items() if kind == "published"]
        stand_ins = [title for title, kind in kinds.items() if kind == "stand_in"]
        said = [f"{', '.join(published)} published"] if published else []
        return "; ".join(said + ([f"{', '.join(stand_ins)} stand-ins"] if stand_ins else []))

    def folder(self, name: str) -> Path:
        """Folder of a network's weights."""
        return self.weights / name

    def published(self, name: str) -> Mapping[str, Tensor] | None:
        """Weights of a network by name; None where there are stand-ins alone.

        Raises BadInput if they are missing or damaged.
        """
        folder = self.folder(name)
        return read_tensors(folder) if kind_of(folder) == "published" else None

    def vgg16(self, *, taps: Sequence[int], imagenet_norm: bool) -> VggFeatures:
        """Feature maps of VGG-16, see `VggFeatures`."""
        return self.vgg("vgg16", taps=taps, imagenet_norm=imagenet_norm)

    def vgg19(self, *, taps: Sequence[int], imagenet_norm: bool) -> VggFeatures:
        """Feature maps of VGG-19, see `VggFeatures`."""
        return self.vgg("vgg19", taps=taps, imagenet_norm=imagenet_norm)

    def vgg(self, network: Vgg, *, taps: Sequence[int], imagenet_norm: bool) -> VggFeatures:
        """Feature maps of the VGG that a setting names, see `VggFeatures`."""
        return load_vgg(self.weights / network, taps=taps, imagenet_norm=imagenet_norm)


def not_relus(network: Vgg, taps: Sequence[int]) -> list[int]:
    """Select those of `taps` that are no ReLU of a network, such as the ReLUs of another one."""
    layers = _layers(VGG_CONVS[network])
    return [tap for tap in taps if not (0 <= tap < len(layers) and layers[tap] == "relu")]


def kind_of(folder: Path) -> Kind:
    """Kind of the weights in a folder that the stage `weights` wrote.

    Raises BadInput if it does not say.
    """
    kind = read_origin(folder).get("kind")
    if kind not in get_args(Kind):
        refuse_weights(f"{folder / ORIGIN} has the kind {kind!r}")
    return cast(Kind, kind)


def _convs_of(state: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Indices of the convolutions, after a check of every name and shape."""
    names = {
        network: {f"features.{index}.{part}" for index in convs for part in ("weight", "bias")}
        for network, convs in VGG_CONVS.items()
    }
    nearest = min(names, key=lambda network: len(names[network] ^ set(state)))
    if faults := names[nearest] ^ set(state):
        lacking, surplus = sorted(faults - set(state))[:3], sorted(faults & set(state))[:3]
        refuse_weights(
            f"the weights taken for {nearest}'s lack {lacking} and have {surplus} too many"
        )
    _refuse_shapes(state, VGG_CONVS[nearest])
    return VGG_CONVS[nearest]


def _refuse_shapes(state: Mapping[str, Tensor], convs: Sequence[int]) -> None:
    width = 3
    for index in convs:
        weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
        if weight.shape[1:] != (width, 3, 3) or bias.shape != weight.shape[:1]:
            refuse_weights(
                f"features.{index} has the shapes {tuple(weight.shape)} and {tuple(bias.shape)} "
                f"where {width} channels come in"
            )
        width = weight.shape[0]


def _layers(convs: Sequence[int]) -> list[str]:
    """Kind of every layer: after a convolution comes a ReLU, after it a pool or a convolution."""
    kinds = ["pool"] * (convs[-1] + 3)
    for index in convs:
        kinds[index : index + 2] = ["conv", "relu"]
    return kinds


def refuse_weights(given: str, *, remedy: str = REMEDY) -> NoReturn:
    """Raise BadInput for frozen weights that are missing or damaged."""
    raise BadInput(given=given, needed=NEEDED, remedy=remedy)


def note_weights(folder: Path, origin: Mapping[str, Any]) -> None:
    """Write where the weights in a folder come from, and the SHA-256 of each of its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ORIGIN)
    digests = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    write_json(folder / ORIGIN, {**origin, FILES: digests})


def read_origin(folder: Path) -> dict[str, Any]:
    """Read what `note_weights` wrote. Raises BadInput if it is missing or damaged."""
    return read_json(folder / ORIGIN, needed=NEEDED, remedy=REMEDY, sealed=False)


def refuse_changed_weights(folder: Path, *, remedy: str = REMEDY) -> None:
    """Raise BadInput if a file in the folder is not the one that the stage `weights` wrote.

    A folder of which nothing was noted, a user's own or one of an earlier version, is taken as it is.
    """
    digests = read_origin(folder).get(FILES, {}) if (folder / ORIGIN).exists() else {}
    for name, digest in digests.items():
        path = folder / name
        with reading(path, needed=NEEDED, remedy=remedy):
            found = sha256(path)
        if found != digest:
            refuse_weights(f"{path} was cut or changed after it was written", remedy=remedy)
