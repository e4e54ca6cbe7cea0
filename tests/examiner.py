"""What the examination needs: every method's block, small trainings, made-up batches."""

from pathlib import Path
from typing import Any

import torch
import yaml

from thermochroma import made_up
from thermochroma.batch import Batch
from thermochroma.method import Clock, Method, load_method
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.params import read_params
from thermochroma.settings import Settings
from thermochroma.shipping import build_translator
from thermochroma.training.state import Training, seed_everything

PARAMS = Path(__file__).parents[1] / "params.yaml"
BLOCKS = sorted(yaml.safe_load(PARAMS.read_text())["methods"])
SCALE = 1 / 16
TEXT_WIDTH = 32
IMAGES = 12  # a training's length


def settings_of(block: str) -> Settings:
    return read_params(PARAMS).method(block)


def method_of(block: str) -> Method:
    return load_method(settings_of(block).method)


def side_of(method: Method) -> int:
    """A small side that the method takes: instance norms need more than one value to the end."""
    return max(method.sides_multiple_of, 64)


def begin(
    block: str,
    frozen: FrozenNetworks,
    *,
    seed: int = 0,
    scale: float = SCALE,
    images: int = IMAGES,
) -> Training:
    """A fresh small training of one block."""
    seed_everything(seed)
    settings, method = settings_of(block), method_of(block)
    translator = build_translator(method, settings, scale=scale, text_width=TEXT_WIDTH)
    game = method.game(
        translator=translator, scale=scale, frozen=frozen, **settings.game.model_dump()
    )
    return Training(
        game=game, translator=translator, settings=settings, images=images, reading_every_images=2
    )


def see(method: Method, *, height: int, width: int, count: int = 2, seed: int = 0) -> Any:
    """Made-up input of the kind that the method sees."""
    size = {"height": height, "width": width}
    return made_up.see(method.sees, **size, count=count, seed=seed, text_width=TEXT_WIDTH)


def batch_of(method: Method, *, count: int = 2, seed: int = 0) -> Batch[Any]:
    side = side_of(method)
    random = torch.Generator().manual_seed(seed + 1000)
    return Batch(
        seen=see(method, height=side, width=side, count=count, seed=seed),
        target=torch.rand(count, 3, side, side, generator=random) * 2 - 1,
        frames=tuple(f"made-up/{seed}/{place}" for place in range(count)),
    )


def clocks() -> list[Clock]:
    """The beginning, the middle and the end of a training."""
    return [Clock(images=images, of=IMAGES) for images in (0, IMAGES // 2, IMAGES - 1)]
