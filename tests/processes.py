"""One process and two: the same weights, for every block, in double precision.

A block is played twice on the same two batches, of two and of three images, at the beginning and near the
end of a training: once on one process, once on two, which share the batches (one and one, one and two).
Pools of former images hold two, so that the second batch exchanges some at random.

Adam divides a gradient by its size plus `eps`. Where it is 0 by nature (a bias in front of a norm), what is
left of rounding, 1e-14 of 1, becomes a step of 1e-9 with the usual 1e-8; so `eps` is 1e-6 here.

Print the table of docs/results/processes.md: python -m tests.processes [block ...]
"""

import argparse
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import torch
import torch.distributed as processes
from torch import Tensor, multiprocessing

from tests import examiner
from tests.examiner import BLOCKS, batch_of, begin, known_block
from tests.stand_ins import stand_ins
from thermochroma.base import whole_batch
from thermochroma.base.whole_batch import Share
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.training import checkpoint
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training

SCALE: Final = 1 / 64
IMAGES: Final = (2, 3)
SHOWN_BEFORE: Final = (0, 11)
POOL: Final = 2
EPS: Final = 1e-6
STRICT: Final = 1e-9
"""The largest difference of a weight that is allowed; weights are of the size of 0.02 to 1."""


def differences(blocks: Sequence[str], folder: Path) -> dict[str, tuple[float, str]]:
    """Largest difference of each block's state after one and after two processes, and where it is.

    Raises AssertionError if a whole number differs, or a random state, or if a term was never played.
    """
    stand_ins(folder / "frozen", divisor=16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.set_forkserver_preload(["tests.processes", "torch._dynamo"])  # once for both
    given = (list(blocks), str(folder), port)
    multiprocessing.start_processes(_play_blocks, given, nprocs=2, start_method="forkserver")
    return {block: _compared(block, folder) for block in blocks}


def small_training(block: str, frozen: Path) -> Training:
    """A small training in double precision, with small pools."""
    training = begin(block, FrozenNetworks(frozen), scale=SCALE)
    training.game.double()
    if training.average is not None:
        training.average.translator.double()
    for module in training.game.modules():
        if isinstance(module, ImagePool):
            module.size = min(module.size, POOL)
    for optimizer in training.optimizers.values():
        for group in optimizer.param_groups:
            group["eps"] = EPS
    return training


def shown(training: Training, block: str, *, together: bool) -> Iterator[tuple[Any, Share]]:
    """The batches, or this process's shares of them, each at its own progress."""
    for seed, (images, before) in enumerate(zip(IMAGES, SHOWN_BEFORE, strict=True)):
        training.progress = Progress(images=before, of=12)
        share = whole_batch.share_of(images) if together else whole_batch.whole(images)
        yield cut(batch_of(block, count=images, seed=seed), share), share


def cut(batch: Any, share: Share) -> Any:
    """The images of a share, in double precision."""

    def part(value: Any) -> Any:
        if is_dataclass(value):
            return cut(value, share)
        some = value[share.first : share.after]
        return some.double() if isinstance(some, Tensor) and some.is_floating_point() else some

    return type(batch)(**{one.name: part(getattr(batch, one.name)) for one in fields(batch)})


def leaves(state: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """What a state holds, by its place."""
    if isinstance(state, dict | list):
        pairs = state.items() if isinstance(state, dict) else enumerate(state)
        for name, value in pairs:
            yield from leaves(value, f"{place}/{name}")
    else:
        yield place, state


def _play_blocks(rank: int, blocks: list[str], folder: str, port: int) -> None:
    torch.set_num_threads(1)
    where = f"tcp://127.0.0.1:{port}"
    processes.init_process_group("gloo", init_method=where, rank=rank, world_size=2)
    with examiner.shallow():
        for block in blocks:
            _play(block, Path(folder), together=True, name=f"{block}-{rank}")
        for block in blocks[rank::2]:
            _play(block, Path(folder), together=False, name=block)
    _resume_on_the_other_number(rank, Path(folder), port)


def _play(block: str, folder: Path, *, together: bool, name: str) -> Training:
    training = small_training(block, folder / "frozen")
    play_all(training, shown(training, block, together=together), [])
    found = {reading.rpartition("/")[2] for row in training.metric_log.rows for reading in row}
    assert found >= training.weights.keys(), f"{block}: {training.weights.keys() - found} unplayed"
    torch.save(training.state_dict(), folder / f"{name}.pt")
    return training


def _resume_on_the_other_number(rank: int, folder: Path, port: int) -> None:
    """The first batch on one process and the second on two, and the reverse."""
    for first_together in (True, False):
        begun = small_training("tir2lab", folder / "frozen")
        batches = list(shown(begun, "tir2lab", together=first_together))
        begun.progress = Progress(images=0, of=12)
        play_all(begun, batches[:1], [])
        place = folder / f"checkpoint-{first_together}"
        if rank == 0:
            checkpoint.save(begun, place, fingerprint="one")
        processes.barrier()
        resumed = small_training("tir2lab", folder / "frozen")
        assert checkpoint.resume(resumed, place, fingerprint="one")
        rest = list(shown(resumed, "tir2lab", together=not first_together))[1:]
        play_all(resumed, rest, [])
        if rank == 0:
            torch.save(resumed.state_dict(), folder / f"resumed-{first_together}.pt")


def _compared(block: str, folder: Path) -> tuple[float, str]:
    one = torch.load(folder / f"{block}.pt")
    return max(apart(one, torch.load(folder / f"{block}-{rank}.pt")) for rank in (0, 1))


def apart(one: Any, other: Any) -> tuple[float, str]:
    """The largest difference of two states of a training, and where it is."""
    worst = 0.0, ""
    for (place, mine), (same, yours) in zip(leaves(one), leaves(other), strict=True):
        assert place == same
        if place.startswith(
            "/random/python"
        ):  # drawn from by beartype, which executes types in tests
            continue
        if isinstance(mine, Tensor) and mine.is_floating_point():
            assert not mine.isnan().ne(yours.isnan()).any(), place
            away = _away(mine, yours) if mine.numel() else 0.0
        elif isinstance(mine, float):
            away = abs(mine - yours)
        else:
            assert torch.equal(mine, yours) if isinstance(mine, Tensor) else mine == yours, place
            continue
        worst = max(worst, (away, place))
    return worst


def _away(mine: Tensor, yours: Tensor) -> float:
    """The largest difference; of what is larger than 1, as the second moments of Adam may be, a share."""
    size = mine.nan_to_num().abs().max().clamp(min=1)
    return float((mine - yours).nan_to_num().abs().max() / size)


def main() -> None:
    """Print one row for each block."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("blocks", nargs="*", type=known_block, metavar="block")
    blocks = parser.parse_args().blocks or BLOCKS
    with tempfile.TemporaryDirectory() as folder:
        found = differences(blocks, Path(folder))
    lines = ["| Block | Largest difference | Where |", "|---|---|---|"]
    for block, (away, place) in found.items():
        lines.append(f"| {block} | {away:.1e} | `{place.removeprefix('/')}` |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
