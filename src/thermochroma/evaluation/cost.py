"""What a translator costs: parameters, multiply-adds, time. Measured, with the device named."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from thermochroma.contract.method import Translator

WARM_UP = 2  # rounds that are not counted


def parameters(network: nn.Module) -> int:
    """Numbers that learn."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def multiply_adds(translator: Translator[Any], seen: Any) -> int:
    """Multiply-adds of one forward pass: half of torch's count of floating-point operations."""
    with torch.no_grad(), _Counting() as counter:
        translator(seen)
    return counter.operations // 2


class _Counting(TorchDispatchMode):
    """Sums up torch's own formulas, as its FlopCounterMode does, which however loads the compiler (2.5 s)
    only to keep itself from being compiled."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        formula, known = flop_registry.get(operation.overloadpacket), kwargs or {}
        if formula is None:
            with self:  # what it is made of may have one
                found = operation.decompose(*args, **known)
            if found is not NotImplemented:
                return found
        found = operation(*args, **known)
        if formula is not None:
            self.operations += formula(*args, **known, out_val=found)
        return found


def latency(
    paint_one: Callable[[], object], *, rounds: int, device: torch.device
) -> dict[str, float]:
    """Median and 95th percentile, in milliseconds, of painting one picture from bytes to bytes."""
    times = []
    for _ in range(WARM_UP + rounds):
        start = time.perf_counter()
        paint_one()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(1000 * (time.perf_counter() - start))
    counted = times[WARM_UP:]
    return {
        "latency_median_ms": float(np.median(counted)),
        "latency_p95_ms": float(np.percentile(counted, 95)),
    }
