"""What a layer costs in either memory layout: forward and backward, one image of 256x256, full width.

OMP_NUM_THREADS=1 python -m benchmarks.steps.layouts
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import nn

from thermochroma.networks.large_kernel import pairs
from thermochroma.networks.resnet import ResidualBlock, doubling, halving, head, stem

ROUNDS: Final = 5
LAYOUTS: Final = (torch.contiguous_format, torch.channels_last)
Made = Callable[[], nn.Module]
LAYERS: Final[Mapping[str, tuple[Made, int, int]]] = {
    "stem with instance norm": (lambda: nn.Sequential(*stem(3, 64)), 3, 256),
    "halving with instance norm": (lambda: nn.Sequential(*halving(64, 128)), 64, 256),
    "residual block with instance norms": (lambda: ResidualBlock(256), 256, 64),
    "doubling with instance norm": (lambda: nn.Sequential(*doubling(128, 64)), 128, 128),
    "head": (lambda: nn.Sequential(*head(64, 3)), 64, 256),
    "large kernels and perceptron": (lambda: pairs(64, 1), 64, 128),
}
"""Function that makes the layer, its channels and the sides of what it sees."""


def main() -> None:
    """Prints a Markdown table of milliseconds of processor time, the least of some rounds."""
    sys.stdout.write("| layer | channels first, ms | channels last, ms |\n|---|--:|--:|\n")
    for name, (made, channels, side) in LAYERS.items():
        steps = [_step(made(), channels, side, layout) for layout in LAYOUTS]
        times = [[_milliseconds(step) for step in steps] for _ in range(ROUNDS + 1)]
        first, last = (min(column) for column in zip(*times[1:], strict=True))
        sys.stdout.write(f"| {name} | {first:.0f} | {last:.0f} |\n")
        sys.stdout.flush()


def _step(
    layer: nn.Module, channels: int, side: int, layout: torch.memory_format
) -> Callable[[], object]:
    layer.to(memory_format=layout)  # type: ignore[call-overload]
    x = torch.randn(1, channels, side, side).to(memory_format=layout).requires_grad_()
    slope = torch.randn_like(layer(x), memory_format=layout)
    wanted = [x, *layer.parameters()]
    return lambda: torch.autograd.grad(layer(x), wanted, slope)


def _milliseconds(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return 1000 * (time.process_time() - start)


if __name__ == "__main__":
    main()
