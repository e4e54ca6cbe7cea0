"""The processes of one training: how they find each other, and in which order they begin.

Each is told by its launcher (training/launch.py, or torchrun) which of how many it is. The first, rank 0,
alone writes, tracks and shows; what they exchange while they train is in base/whole_batch.py.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as processes
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from thermochroma.base import whole_batch
from thermochroma.base.errors import BadInput

PATIENCE = timedelta(days=30)
"""Time for which a process waits for another; the launcher ends it much earlier when one is lost."""


def is_one_of_several() -> bool:
    """Whether a launcher has started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Exchange with the others inside the block, on a GPU of its own where there are GPUs."""
    if not is_one_of_several():
        yield
        return
    if device.type == "cuda":
        own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(own)
        processes.init_process_group("nccl", timeout=PATIENCE, device_id=own)
    else:
        processes.init_process_group("gloo", timeout=PATIENCE)
    yield
    processes.destroy_process_group()  # not after a fault: the others may wait for ever


def refuse_own_draws(game: nn.Module) -> None:
    """Raise BadInput, with several processes, for layers that would see this process's images alone."""
    plain = (_BatchNorm, _DropoutNd)
    if not is_one_of_several():
        return
    for name, layer in game.named_modules():
        if isinstance(layer, plain) and type(layer).__module__.startswith("torch."):
            raise BadInput(
                given=f"the layer `{name}` is torch's own {type(layer).__name__}, on several processes",
                needed="layers that take statistics and random numbers of the whole batch",
                remedy="take it from networks/batch_wide.py, or train on one process",
            )


def told_by_first(fact: bool, device: torch.device) -> bool:
    """Return what rank 0 knows; every process must ask."""
    if whole_batch.count() == 1:
        return fact
    flag = torch.tensor([fact], dtype=torch.int64, device=device)
    with whole_batch.exchange():
        processes.broadcast(flag, 0)
    return bool(flag.item())


@contextmanager
def first_alone() -> Iterator[None]:
    """Let rank 0 pass through the block before the others: it makes the files that they then find."""
    if whole_batch.rank() > 0:
        _wait_for_all()
    yield
    if whole_batch.rank() == 0 and whole_batch.count() > 1:
        _wait_for_all()


def _wait_for_all() -> None:
    with whole_batch.exchange():
        processes.barrier()
