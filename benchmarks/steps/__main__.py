"""What the contract costs: a training step beside the same step written out by hand.

Ours is the trainer's, as the stage `train` begins one: its layout, fused optimizers, checks, readings,
memory kept for reuse. The one by hand (hand.py) leaves all that as PyTorch and the system have it. Each has
a process of its own, and they take turns: round by round, and in turn who begins, in seconds of processor
time. blocks: names, or `all`. side: in pixels, or the next that a method takes.
layout: of ours, `own` as in the stage, or channels `first`, or `last`.

    OMP_NUM_THREADS=1 python -m benchmarks.steps --weights data/weights --blocks pix2pix,tir2lab \\
        --batches 1,8 --rounds 5 --scale 1.0 --side 256 --layout own
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context, set_forkserver_preload
from pathlib import Path
from typing import Any, Final

from benchmarks.steps.hand import BY_HAND, refuse_unknown
from benchmarks.steps.timing import KINDS, Form, Layout, begin, forward, one_step
from thermochroma.base.memory import peak_bytes

HEAD: Final = (
    "| block | batch | forward, s | step, s | by hand, s | times as fast | MiB | by hand, MiB |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|\n"
)
Call = Callable[..., Any]
"""Function that calls another one, in the process of one kind of step."""


def main(
    weights: Path, blocks: str, batches: str, rounds: int, scale: float, side: int, layout: Layout
) -> None:
    """Prints a Markdown table: seconds of a forward pass and of a step, and the peak of memory."""
    set_forkserver_preload(["benchmarks.steps.timing"])  # what all import is imported once
    sys.stdout.write(HEAD)
    form = Form(weights, scale, side, layout)
    for block in BY_HAND if blocks == "all" else blocks.split(","):
        refuse_unknown(block)
        for batch in map(int, batches.split(",")):
            sys.stdout.write(f"| {block} | {batch} | {_row(form, block, batch, rounds)} |\n")
            sys.stdout.flush()


def _row(form: Form, block: str, size: int, rounds: int) -> str:
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with ExitStack() as stack:
        calls = {kind: stack.enter_context(_process()) for kind in KINDS}
        for kind, call in calls.items():
            call(begin, form, block, size, kind)
        for number in range(rounds + 1):
            for kind in KINDS[:: 1 if number % 2 else -1]:
                took = calls[kind](one_step)
                if number:  # the first round warms up
                    seconds[kind].append(took)
        peaks = [call(peak_bytes) / 2**20 for call in calls.values()]
        once = calls["ours"](forward)
    ours, plain = seconds.values()
    faster = statistics.median(b / a for a, b in zip(ours, plain, strict=True))
    times = [once, statistics.median(ours), statistics.median(plain), faster]
    return " | ".join([*(f"{one:.3f}" for one in times), *(f"{one:.0f}" for one in peaks)])


@contextmanager
def _process() -> Iterator[Call]:
    """A fresh process, and the function that calls others in it."""
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        yield lambda work, *arguments: pool.submit(work, *arguments).result()


if __name__ == "__main__":
    from stages.command import run  # asks for packages that `benchmarks.gpu` does without

    run(main)
