"""The device to work on, and how exactly to work there."""

import torch


def choose_device() -> torch.device:
    """The first GPU if there is one, otherwise the processor; deterministic algorithms either way.

    Some GPU operations (the gradient of reflection padding, say) have no deterministic form; torch
    then warns instead of refusing, and resuming may differ in the last bits there.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Not `use_deterministic_algorithms`: that loads a compiler, seconds in every process.
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
    return device
