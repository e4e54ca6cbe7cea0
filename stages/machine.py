"""The device to work on, and how exactly to work there."""

import torch


def choose_device() -> torch.device:
    """The first GPU if there is one, otherwise the processor; deterministic algorithms either way.

    Some GPU operations (the gradient of reflection padding, say) have no deterministic form; torch
    then warns instead of refusing, and resuming may differ in the last bits there.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    return device
