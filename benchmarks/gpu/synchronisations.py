"""How often a step waits for the device: each time the host asks for a number, the queue runs empty."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile

ASKED: Final = {
    Tensor.item: "item",
    Tensor.tolist: "tolist",
    Tensor.__bool__: "bool",
    Tensor.__float__: "float",
    Tensor.__int__: "int",
    Tensor.__index__: "index",
}
"""Methods that need a tensor's number on the host."""
WAITING: Final = (
    *("cudaStreamSynchronize", "cudaEventSynchronize"),  # the profiler itself waits for the device
    *("aten::item", "aten::_local_scalar_dense", "aten::is_nonzero"),
)
"""Events of a profile. One number asked for is one of `aten::_local_scalar_dense`, and one wait for the
stream; a mask of unknown size, or a copy to the host, is a wait alone."""


class Asking(TorchFunctionMode):
    """Counts the calls of `ASKED`."""

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in ASKED:
            self.calls[ASKED[func]] += 1
        return func(*args, **(kwargs or {}))


def synchronisations(
    play: Callable[[int], None], steps: int, device: torch.device
) -> dict[str, float]:
    """Waits a step, by kind, while `play(steps)` runs.

    On a GPU from the profiler's trace. A processor has no queue: there the calls are counted that would
    wait for a GPU's.
    """
    if device.type == "cuda":
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
            play(steps)
        counts = {one.key: one.count for one in trace.key_averages() if one.key in WAITING}
    else:
        with Asking() as asking:
            play(steps)
        counts = asking.calls
    return {name: count / steps for name, count in sorted(counts.items())}
