"""Recorded training steps (training/graphs.py) beside unrecorded ones: their speed, and their bits."""

from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.gpu.begun import begun, clear, drawn_batch, made_batch, play_often
from benchmarks.gpu.form import Form
from benchmarks.gpu.steps import speed
from benchmarks.gpu.worker import in_words
from thermochroma.base.device import choose_device
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.copies import distance
from thermochroma.training.graphs import CudaRecorder, Recorded
from thermochroma.training.loop import Play, play
from thermochroma.training.state import Training

ROUNDS: Final = 4
"""Times that each of two batches is shown before two trainings are compared."""


def measure(block: str, form: Form, weights: Path, _seconds: float) -> dict[str, Any]:
    """Images a second with one image, by precision; `refused` says why a step was not recorded.

    away: relative distance between what a recorded and an unrecorded training of other images each time
    came to in half precision, weights, moments and random states among it. again: the same between two
    unrecorded ones.
    """
    device, frozen = choose_device(), FrozenNetworks(weights)
    training = begun(block, form, frozen, device)
    one = made_batch(block, form, 1, device)
    found: dict[str, Any] = {}
    for name, half in (("float32", False), ("bfloat16", True)):
        training.half_precision = half
        found[name] = {
            "plain": speed(partial(play_often, training, one), 1, form, device),
            "recorded": recorded(training, one, form, device),
        }
        clear(device)
    del training
    if device.type == "cuda":
        batches = [made_batch(block, form, 1, device), drawn_batch(block, form, 1, device)]
        plain, again, other = (
            come_to(begun(block, form, frozen, device, half_precision=True), batches, play_one)
            for play_one in (play, play, Recorded(CudaRecorder(), str))
        )
        found |= {"again": distance(plain, again), "away": distance(plain, other)}
    return found


def recorded(training: Training, batch: Any, form: Form, device: torch.device) -> dict[str, Any]:
    """Speed of steps that were recorded, and the memory that they hold, or why they were not."""
    if device.type != "cuda":
        return {"refused": "there is no GPU"}
    play_one = Recorded(CudaRecorder(), str)
    try:
        found = speed(partial(play_often, training, batch, play_one=play_one), 1, form, device)
    except torch.OutOfMemoryError as problem:
        return {"refused": in_words(problem)}
    if play_one.refusal is not None:
        return {"refused": play_one.refusal}
    # What a recording holds is not counted as allocated.
    return found | {"peak_memory_bytes": torch.cuda.memory_reserved(device)}


def come_to(training: Training, batches: list[Any], play_one: Play) -> dict[str, Any]:
    """State of a training after some rounds."""
    for _ in range(ROUNDS):
        for batch in batches:
            play_one(training, batch)
    return deepcopy({name: one for name, one in training.state_dict().items() if name != "history"})
