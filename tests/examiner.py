"""What the examination needs: every method's block, small trainings, made-up batches."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import yaml
from torch import Tensor

from thermochroma.config.params import Params, read_params
from thermochroma.contract import dummy_input as dummy
from thermochroma.contract.batch import Batch, Edged, Triplets, with_each
from thermochroma.contract.method import Direction, Method, Progress, load_method
from thermochroma.contract.settings import Settings
from thermochroma.export.artifact import build_translator
from thermochroma.methods import i2v_gan
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.state import Training, seed_everything

PARAMS = Path(__file__).parents[1] / "params.yaml"
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Four times as fast where PyYAML was built with it."""


@cache
def _repositorys_params() -> Any:
    return yaml.safe_load(PARAMS.read_text())


def raw_params() -> Any:
    """The blocks of the repository's params.yaml, for a test to change."""
    return deepcopy(_repositorys_params())


def write_params(path: Path, raw: Any) -> None:
    """Write such blocks where a test wants them."""
    path.write_text(yaml.dump(raw, Dumper=DUMPER, sort_keys=False))


METHODS = raw_params()["methods"]
BLOCKS = sorted(name for name, block in METHODS.items() if "repeat_of" not in block)  # no repeats
SCALE = 1 / 16
TEXT_WIDTH = 32
IMAGES = 12  # a training's length
PROCESSOR = torch.device("cpu")
HALVINGS = 6  # of forecasters that are shallow


def known_block(block: str) -> str:
    """The name of a block of params.yaml, from a command line."""
    if block not in BLOCKS:
        raise ArgumentTypeError(f"params.yaml has no block {block!r}")
    return block


def settings_of(block: str) -> Settings:
    """Settings of a block of params.yaml; they are frozen, so that all tests may share them."""
    return _changed(_params(PARAMS).method(block))


@contextmanager
def shallow() -> Iterator[None]:
    """Let forecasters halve six times, not seven (I2V-GAN) or eight (Recycle-GAN).

    Their windows are then 64 pixels, not 128 and 256, and one place is left inside as before. What is
    left out are one or two of the innermost pairs of layers, each made in a loop like the pair around it.
    """
    with (
        patch.object(i2v_gan, "FORECASTER_HALVINGS", HALVINGS),
        patch.dict(globals(), {"_changed": _with_shallow_forecasters}),
    ):
        yield


def _as_it_is(settings: Settings) -> Settings:
    return settings


def _with_shallow_forecasters(settings: Settings) -> Settings:
    game = settings.game
    if "forecaster_halvings" not in type(game).model_fields:
        return settings
    return settings.model_copy(
        update={"game": game.model_copy(update={"forecaster_halvings": HALVINGS})}
    )


_changed = _as_it_is


@cache
def _params(path: Path) -> Params:
    return read_params(path)


def method_of(block: str) -> Method:
    return load_method(settings_of(block).method)


def side_of(method: Method) -> int:
    """A small side that the method takes: of 64 pixels or more, and a multiple of 16."""
    return -(-method.side_for(64) // 16) * 16


def begin(
    block: str,
    frozen: FrozenNetworks,
    *,
    seed: int = 0,
    scale: float = SCALE,
    images: int = IMAGES,
    device: torch.device = PROCESSOR,
) -> Training:
    """A fresh small training of one block."""
    seed_everything(seed)
    settings, method = settings_of(block), method_of(block)
    translator = build_translator(method, settings, scale=scale, text_width=TEXT_WIDTH)
    game = method.game(
        translator=translator, scale=scale, frozen=frozen, **settings.game.model_dump()
    )
    game.to(device)
    return Training(
        game=game, translator=translator, settings=settings, images=images, reading_every_images=2
    )


def dummy_input(method: Method, *, height: int, width: int, count: int = 2, seed: int = 0) -> Any:
    """Made-up input of the kind that the method sees."""
    size = {"height": height, "width": width}
    return dummy.dummy_input(method.sees, **size, count=count, seed=seed, text_width=TEXT_WIDTH)


def batch_of(
    block: str,
    *,
    count: int = 2,
    seed: int = 0,
    side: int = 0,
    text_width: int = TEXT_WIDTH,
) -> Any:
    """Made-up images of the kind that the block's game is taught with, of at least `side` pixels."""
    method, random = method_of(block), torch.Generator().manual_seed(seed + 1000)
    multiple = method.window_multiple(settings_of(block))
    side = -(-max(side, side_of(method)) // multiple) * multiple
    frames = tuple(f"made-up/{seed}/{place}" for place in range(count))

    def noise(*shape: int) -> Tensor:
        return torch.rand(count, *shape, side, side, generator=random) * 2 - 1

    if method.trains_on is Triplets:
        return Triplets(thermal=noise(3, 1), visible=noise(3, 3), frames=frames)
    if method.trains_on is Edged:
        edges = {name: (noise(1) > 0.8).float() for name in ("thermal_edges", "visible_edges")}
        return Edged(thermal=noise(1), visible=noise(3), **edges, frames=frames)
    seen = dummy.dummy_input(
        method.sees, height=side, width=side, count=count, seed=seed, text_width=text_width
    )
    return Batch(seen=seen, target=noise(output_channels(method)), frames=frames)


def moved(batch: Any, device: torch.device) -> Any:
    """A batch, or what a translator sees, on a device."""
    return with_each(batch, lambda one: one.to(device))


def output_channels(method: Method) -> int:
    """How many the translator predicts."""
    return 3 if method.direction is Direction.THERMAL_TO_VISIBLE else 1


def moments() -> list[Progress]:
    """The beginning, the middle and the end of a training."""
    return [Progress(images=images, of=IMAGES) for images in (0, IMAGES // 2, IMAGES - 1)]
