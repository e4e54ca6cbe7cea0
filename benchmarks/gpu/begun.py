"""A training of made-up images at the form's width, on the device, as the stage `train` begins one."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from itertools import repeat
from math import prod
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.gpu.form import Form
from benchmarks.scoring import made
from tests.examiner import batch_of, method_of, moved, settings_of
from thermochroma.base.whole_batch import whole
from thermochroma.contract.method import Method, Progress
from thermochroma.contract.settings import Settings
from thermochroma.export.artifact import build_translator
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import Play, play, play_all
from thermochroma.training.state import Training, seed_everything

IMAGES: Final = frozenset({"thermal", "visible", "target", "reference"})
LONG: Final = 10**6  # images: no measurement comes to the end of such a training
RATE: Final = 1e-12


def begun(
    block: str,
    form: Form,
    frozen: FrozenNetworks,
    device: torch.device,
    *,
    half_precision: bool = False,
) -> Training:
    """A training of a block of params.yaml at half its length, where every term lives.

    Its rates are so small that noise, shown again and again, does not drive it away.
    """
    settings = settings_of(block)
    slow = {name: one.model_copy(update={"lr": RATE}) for name, one in settings.optimizers.items()}
    training = begun_of(
        settings.model_copy(update={"optimizers": slow}),
        method_of(block),
        scale=form.scale,
        text_width=form.text_width,
        frozen=frozen,
        device=device,
    )
    training.half_precision = half_precision
    training.progress = Progress(images=LONG // 2, of=LONG)
    return training


def begun_of(
    settings: Settings,
    method: Method,
    *,
    scale: float,
    text_width: int,
    frozen: FrozenNetworks,
    device: torch.device,
    seed: int = 0,
    images: int = LONG,
) -> Training:
    """A fresh, seeded training with channels last; the stage's own also opens MLflow's window."""
    seed_everything(seed)
    translator = build_translator(method, settings, scale=scale, text_width=text_width)
    game = method.game(
        translator=translator, scale=scale, frozen=frozen, **settings.game.model_dump()
    )
    game.to(device)
    game.to(memory_format=method.layout_on(device))  # type: ignore[call-overload]
    return Training(
        game=game,
        translator=translator,
        settings=settings,
        images=images,
        reading_every_images=100,
    )


def made_batch(block: str, form: Form, count: int, device: torch.device) -> Any:
    """Made-up images that the block's game is taught with, on the device."""
    batch = batch_of(block, count=count, side=form.side, text_width=form.text_width)
    return moved(batch, device)


def drawn_batch(block: str, form: Form, count: int, device: torch.device) -> Any:
    """A batch of drawn scenes: on noise, a published network's gradients are noise as well."""
    batch = batch_of(block, count=count, side=form.side, text_width=form.text_width)
    return moved(_drawn(batch), device)


def _drawn(batch: Any) -> Any:
    """The same with the same few scenes in each of its images; edges stay as they are."""
    there = {one.name: getattr(batch, one.name) for one in fields(batch)}
    changed = {name: _scenes(there[name]) for name in IMAGES & there.keys()}
    if is_dataclass(there.get("seen")):
        changed["seen"] = _drawn(there["seen"])
    return replace(batch, **changed)


def _scenes(like: Tensor) -> Tensor:
    """Scenes of a tensor's shape, in [-1, 1]: in colour or, of the same scenes, thermal."""
    *lead, channels, height, width = like.shape
    _, visible, thermal = made(0, prod(lead))
    levels = (visible if channels == 3 else thermal) / 127.5 - 1
    scenes = nn.functional.interpolate(levels, (height, width), mode="area")
    return scenes.view_as(like)


def play_often(training: Training, batch: Any, steps: int, play_one: Play = play) -> None:
    """Train with one batch again and again, readings noted as in every training."""
    play_all(training, repeat((batch, whole(len(batch))), steps), [], play_one)


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def clear(device: torch.device) -> None:
    """Give back what nothing holds any more, and begin to look for the peak of memory anew."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Convolutions in float32 proper: cuDNN's default rounds their factors to TF32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
