"""Values of tensors that Python reads during a step: on a GPU each of them waits for all that was started.

Counted on a processor, where they cost nothing, by what Python calls on a tensor. Numbers that are drawn on
the processor wait for nothing, and are listed by the functions that draw them (`DRAWN`).

Print the counts of each block: python -m tests.host_reads [block ...]
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from torch import Tensor

from tests.examiner import BLOCKS, batch_of, begin, known_block
from tests.stand_ins import stand_ins
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.training.loop import play

READS: Final = (
    "item",
    "tolist",
    "numpy",
    "__bool__",
    "__int__",
    "__float__",
    "__index__",
    "nonzero",
    "new_tensor",  # numbers sent from ordinary memory: that waits, too
)
DRAWN: Final = ("image_pool.ImagePool._draw", "tensors.constant")
"""Functions that read numbers which were drawn on the processor, or send some from pinned memory."""
PACKAGE: Final = "/thermochroma/"


@contextmanager
def reads_counted() -> Iterator[Counter[str]]:
    """Count the reads inside the block by "module.function" of the package that asked for them."""
    found: Counter[str] = Counter()

    def counting(name: str, plain: Any) -> Any:
        def read(tensor: Tensor, *arguments: Any, **how: Any) -> Any:
            if (asker := _asker()) not in DRAWN:
                found[asker] += 1
            return plain(tensor, *arguments, **how)

        return read

    with ExitStack() as stack:
        for name in READS:
            plain = getattr(Tensor, name)
            stack.enter_context(patch.object(Tensor, name, counting(name, plain)))
        yield found


def reads_of(block: str, frozen: FrozenNetworks) -> dict[str, int]:
    """Reads of one late step of a small training, when all memories have something."""
    training = begin(block, frozen, scale=1 / 64)
    for module in training.game.modules():
        if isinstance(module, ImagePool):
            module.size = min(module.size, 1)
    training.checks.defers = True  # as on a GPU
    training.progress = Progress(images=11, of=12)
    play(training, batch_of(block, seed=0))
    training.progress = Progress(images=11, of=12)
    batch = batch_of(block, seed=1)
    with reads_counted() as found:
        play(training, batch)
    return dict(sorted(found.items()))


def _asker() -> str:
    frame = sys._getframe(2)
    while frame is not None and PACKAGE not in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return "elsewhere"
    function = frame.f_code.co_qualname.partition(".<locals>")[0]  # not the comprehension inside
    return f"{Path(frame.f_code.co_filename).stem}.{function}"


def main() -> None:
    """Print one row for each block."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("blocks", nargs="*", type=known_block, metavar="block")
    with tempfile.TemporaryDirectory() as folder:
        frozen = stand_ins(Path(folder), divisor=16)
        for block in parser.parse_args().blocks or BLOCKS:
            found = reads_of(block, frozen)
            by = ", ".join(f"{name} {count}" for name, count in found.items())
            sys.stdout.write(f"| {block} | {sum(found.values())} | {by} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
