"""How often a step waits for the device: each time the host asks for a number, the queue runs empty."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd import DeviceType  # type: ignore[attr-defined]
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


@dataclass(frozen=True)
class Watched:
    """What a step does, on an average.

    waits: for the device, by kind. device_seconds, kernels: what the device computed, and in how many
    pieces; None on a processor.
    """

    waits: dict[str, float]
    device_seconds: float | None
    kernels: float | None


def watched(play: Callable[[int], None], steps: int, device: torch.device) -> Watched:
    """Look at a step while `play(steps)` runs.

    On a GPU by the profiler's trace. A processor has no queue: there the calls are counted that would
    wait for a GPU's.
    """
    if device.type != "cuda":
        with Asking() as asking:
            play(steps)
        return Watched(_by_step(asking.calls, steps), None, None)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
        play(steps)
    rows = list(trace.key_averages())
    computed = [one for one in rows if one.device_type == DeviceType.CUDA]
    return Watched(
        _by_step({one.key: one.count for one in rows if one.key in WAITING}, steps),
        sum(one.self_device_time_total for one in computed) / 1e6 / steps,  # from microseconds
        sum(one.count for one in computed) / steps,
    )


def _by_step(counts: Mapping[str, int], steps: int) -> dict[str, float]:
    return {name: count / steps for name, count in sorted(counts.items())}
