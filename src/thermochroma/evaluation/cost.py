"""Cost of a translator: parameters, multiply-adds, time. Time is measured, on a named device."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from thermochroma.contract.method import Translator

WARM_UP = 2  # rounds that are not counted
# torch has formulas for the kernels of GPUs, and none for this one (2.12)
CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


def parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def multiply_adds(translator: Translator[Any], seen: Any) -> int:
    """Multiply-adds of one forward pass, of convolutions, matrix products and attention.

    Half of torch's count of floating-point operations. Not counted: norms, activations, resizing, and
    the products of vectors by which spectral norms scale weights.
    """
    counter = FlopCounterMode(display=False, custom_mapping={CPU_ATTENTION: _attention_operations})
    with torch.no_grad(), counter:
        translator(seen)
    return counter.get_total_flops() // 2


def _attention_operations(
    query: torch.Size,
    key: torch.Size,
    value: torch.Size,
    *others: Any,
    out_shape: Any,
    **named: Any,
) -> int:
    """Floating-point operations of fused attention: queries with keys, and their weights with values."""
    batch, heads, asked, width = query
    return 2 * batch * heads * asked * key[2] * (width + value[3])


def latency(
    predict_one: Callable[[], object], *, rounds: int, device: torch.device
) -> dict[str, float]:
    """Median and 95th percentile, in milliseconds, of predicting one image from bytes to bytes."""
    times = []
    for _ in range(WARM_UP + rounds):
        start = time.perf_counter()
        predict_one()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(1000 * (time.perf_counter() - start))
    counted = times[WARM_UP:]
    return {
        "latency_median_ms": float(np.median(counted)),
        "latency_p95_ms": float(np.percentile(counted, 95)),
    }
