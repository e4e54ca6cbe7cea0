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
from benchmarks.gpu.synchronisations import watched
from benchmarks.gpu.worker import in_words
from benchmarks.steps.hand import BY_HAND, by_hand
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
    found: dict[str, Any] = {}
    one = made_batch(block, form, 1, device)
    play = partial(play_often, training, one)
    found["float32"] = {"one": speed(play, 1, form, device)}
    training.half_precision = True
    found["bfloat16"] = {"one": speed(play, 1, form, device)}
    seen = watched(play, form.watched_steps, device)
    found["synchronisations"] = seen.waits
    found["device_seconds"], found["kernels"] = seen.device_seconds, seen.kernels
    image = seen.device_seconds or 1 / found["bfloat16"]["one"]["images_per_second"]
    found["cosines"] = cosines(training, block, form, device)
    clear(device)
    for name, half, share, takes in (("bfloat16", True, 0.5, 1.0), ("float32", False, 1.0, 2.0)):
        training.half_precision = half
        until = time.perf_counter() + share * (end - time.perf_counter())
        found[name]["largest"] = largest(
            training, block, form, device, until=until, image_seconds=takes * image
        )
        if half:
            images = found[name]["largest"]["images"]
            found["any_algorithm"] = by_any_algorithm(training, block, form, device, images)
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
    training: Training,
    block: str,
    form: Form,
    device: torch.device,
    *,
    until: float,
    image_seconds: float,
) -> dict[str, Any]:
    """Speed with the largest batch that fits, found by halving. until: when it must be found, a time.

    image_seconds: what a step takes for each image at most. stopped_by: why a larger one was not taken,
    "cap", "memory", "time", or what a library says.
    """
    fits, why = form.most_images, "cap"
    steps = form.least_steps
    while fits > 1:
        if time.perf_counter() + (1 + steps) * fits * image_seconds > until:
            refused: str | None = "time"
        else:
            refused = refusal(training, block, form, fits, device)
            clear(device)
        if refused is None:
            break
        fits, why = fits // 2, refused
    batch = made_batch(block, form, fits, device)
    found: dict[str, Any] = {"stopped_by": why, "images": fits}
    try:  # readings, or a neighbour on the card, may need the last bytes
        seconds = seconds_of(partial(play_often, training, batch), steps, device)
        return found | {
            "images_per_second": fits * steps / seconds,
            "peak_memory_bytes": peak_memory_bytes(device),
        }
    except torch.OutOfMemoryError as problem:
        found |= {"images_per_second": None, "remark": in_words(problem)}
    clear(device)
    return found


def by_any_algorithm(
    training: Training, block: str, form: Form, device: torch.device, images: int
) -> float | None:
    """Images a second where the libraries need not be deterministic; None where memory does not do."""
    play = partial(play_often, training, made_batch(block, form, images, device))
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("default")
    try:
        play(1)
        return images * form.least_steps / seconds_of(play, form.least_steps, device)
    except torch.OutOfMemoryError:
        return None
    finally:
        torch.set_deterministic_debug_mode(before)
        clear(device)


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
