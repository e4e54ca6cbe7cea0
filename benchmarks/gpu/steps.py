"""Training steps of one method: images a second, memory, waits, gradients in half precision."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.begun import (
    begun,
    clear,
    drawn_batch,
    exact_convolutions,
    made_batch,
    play_often,
    wait,
)
from benchmarks.gpu.form import Form
from benchmarks.gpu.synchronisations import synchronisations
from benchmarks.gpu.worker import in_words
from benchmarks.steps import BY_HAND, by_hand
from tests.precision import COUNTS, cosine, gradients_of
from thermochroma.base.device import choose_device, peak_memory_bytes
from thermochroma.base.errors import BadInput
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.state import Training

Play = Callable[[int], object]
"""Function that plays so many steps."""


def measure(block: str, form: Form, weights: Path, seconds: float) -> dict[str, Any]:
    """Everything of one method but its compiled step. seconds: about how long it may take."""
    device, end = choose_device(), time.perf_counter() + seconds
    training = begun(block, form, FrozenNetworks(weights), device)
    found: dict[str, Any] = {"cosines": cosines(training, block, form, device)}
    clear(device)
    one = made_batch(block, form, 1, device)
    play = partial(play_often, training, one)
    found["float32"] = {"one": speed(play, 1, form, device)}
    training.half_precision = True
    found["bfloat16"] = {"one": speed(play, 1, form, device)}
    found["synchronisations"] = synchronisations(play, form.watched_steps, device)
    for name, half, share in (("bfloat16", True, 0.5), ("float32", False, 1.0)):
        training.half_precision = half
        until = time.perf_counter() + share * (end - time.perf_counter())
        found[name]["largest"] = largest(training, block, form, device, until)
    training.half_precision = False
    clear(device)
    found["by_hand"] = None
    if block in BY_HAND:  # last: it brings optimizers of its own
        step = by_hand(training, one, block)
        found["by_hand"] = speed(lambda n: [step() for _ in range(n)], 1, form, device)
    return found


def speed(play: Play, images: int, form: Form, device: torch.device) -> dict[str, float]:
    """Images a second of a step of so many `images`, and the most memory meanwhile."""
    play(form.warm_up)
    clear(device)
    wait(device)
    once = seconds_of(play, 1, device)
    steps = min(form.most_steps, max(form.least_steps, round(form.seconds / once)))
    return {
        "images": images,
        "images_per_second": images * steps / seconds_of(play, steps, device),
        "peak_memory_bytes": peak_memory_bytes(device),
    }


def seconds_of(play: Play, steps: int, device: torch.device) -> float:
    """Until the device has done so many steps."""
    start = time.perf_counter()
    play(steps)
    wait(device)
    return time.perf_counter() - start


def largest(
    training: Training, block: str, form: Form, device: torch.device, until: float
) -> dict[str, Any]:
    """Speed with the largest batch that fits, found by doubling. until: when it must be found, a time.

    stopped_by: "memory", "cap", or "time" if a larger one was not tried.
    """
    fits, why, took = 1, "cap", 0.0
    while fits * 2 <= form.most_images:
        if time.perf_counter() + (4 + form.least_steps) * 2 * took > until:
            why = "time"
            break
        start = time.perf_counter()
        refused = refusal(training, block, form, fits * 2, device)
        clear(device)
        if refused is not None:
            why = refused
            break
        fits, took = fits * 2, time.perf_counter() - start
    batch = made_batch(block, form, fits, device)
    found: dict[str, Any] = {"stopped_by": why}
    try:  # readings, or a neighbour on the card, may need the last bytes
        return found | speed(partial(play_often, training, batch), fits, form, device)
    except torch.OutOfMemoryError as problem:
        found |= {"images": fits, "images_per_second": None, "remark": in_words(problem)}
    clear(device)
    return found


def refusal(
    training: Training, block: str, form: Form, images: int, device: torch.device
) -> str | None:
    """Why a step of so many images cannot be taken, if it cannot: memory, or what a library says."""
    try:
        play_often(training, made_batch(block, form, images, device), 1)
        wait(device)
        return None
    except torch.OutOfMemoryError:
        why = "memory"
    except (RuntimeError, BadInput) as problem:  # cuDNN counts the places of some maps in 32 bits
        why = in_words(problem)
    for optimizer in training.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    return why


def cosines(
    training: Training, block: str, form: Form, device: torch.device
) -> dict[str, float | None]:
    """By player, the cosine of its gradient in half precision with that in float32, of drawn scenes."""
    batch = drawn_batch(block, form, COUNTS.get(block, 2), device)
    begin = {name: _copied(value) for name, value in training.game.state_dict().items()}
    whole = _on_host(training, batch, half_precision=False)
    training.game.load_state_dict(begin)  # statistics and histories as they were
    half = _on_host(training, batch, half_precision=True)
    training.game.load_state_dict(begin)
    return {
        name: cosine(half[name], one) if bool(half[name].isfinite().all()) else None
        for name, one in whole.items()
    }


def _on_host(training: Training, batch: Any, *, half_precision: bool) -> dict[str, Tensor]:
    training.half_precision = half_precision
    with exact_convolutions():
        found = gradients_of(training, batch)
    training.half_precision = False
    return found


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value
