"""The device to compute on, its name and its memory use."""

import platform

import torch

from thermochroma.base.cells import counted
from thermochroma.base.memory import peak_bytes


def find_device() -> torch.device:
    """The first GPU if there is one, otherwise the processor; changes no setting of torch."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_device() -> torch.device:
    """The first GPU if there is one, otherwise the processor; deterministic algorithms either way.

    Some GPU operations (the gradient of reflection padding, say) have no deterministic form; torch
    then warns instead of refusing, and resuming may differ in the last bits there.
    """
    device = find_device()
    # Not `use_deterministic_algorithms`: that loads a compiler, seconds in every process.
    # Nor is memory filled before it is written, which costs a step up to a tenth of its time: no
    # result depends on it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
    return device


def device_name(device: torch.device) -> str:
    """The GPU's name, or the processor's kind and the number of threads in use."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU ({platform.machine()}, {counted(torch.get_num_threads(), 'thread')})"


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory used so far: of the GPU's allocator, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return peak_bytes()
