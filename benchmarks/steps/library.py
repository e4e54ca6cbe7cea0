"""How much of a step written by hand is convolutions and products with matrices, which are the library's.

Whatever a trainer does, no step can be faster than they are: beside the step by hand at most `bound` times
as fast, unless they themselves go faster in another memory layout, as some do.

    OMP_NUM_THREADS=1 python -m benchmarks.steps.library --weights data/weights --blocks all \\
        --scale 0.25 --side 128
"""

import sys
from pathlib import Path
from typing import Final

from torch.profiler import ProfilerActivity, profile

from benchmarks.steps import timing
from benchmarks.steps.hand import BY_HAND, refuse_unknown
from stages.command import run

PRODUCTS: Final = ("conv", "addmm", "aten::mm", "bmm", "baddbmm", "mkldnn")
"""Parts of the names of such operations."""


def main(weights: Path, blocks: str, scale: float, side: int) -> None:
    """Prints a Markdown table of shares of processor time, of one step behind one that warms up."""
    sys.stdout.write("| block | share of the library's products | bound |\n|---|--:|--:|\n")
    form = timing.Form(weights, scale, side, timing.Layout.FIRST)
    for block in BY_HAND if blocks == "all" else blocks.split(","):
        refuse_unknown(block)
        found = share_of(form, block)
        sys.stdout.write(f"| {block} | {100 * found:.0f} % | {1 / found:.2f} |\n")
        sys.stdout.flush()


def share_of(form: timing.Form, block: str) -> float:
    """Share of the processor time of a step by hand, with one image."""
    timing.begin(form, block, 1, "by hand")
    timing.one_step()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        timing.one_step()
    each = {one.key: one.self_cpu_time_total for one in seen.key_averages()}
    products = sum(time for name, time in each.items() if any(part in name for part in PRODUCTS))
    return float(products / sum(each.values()))


if __name__ == "__main__":
    run(main)
