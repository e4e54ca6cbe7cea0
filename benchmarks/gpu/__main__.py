"""What one GPU gives, in at most eight minutes: training steps, memory, precision, and RoadScene.

For each method of the line-ups at full width, with one image and with the largest batch that fits: images
a second in float32, in bfloat16, compiled, and of the step written out by hand; the peak of memory; how
often a step waits for the device; how far half precision turns gradients. Then the examination's
questions 5, 8 and 9 on the device, loader and scoring alone, and RoadScene. Neither DVC nor MLflow is
needed. What was measured is kept at once: the same command goes on where it stopped.

    python -m benchmarks.gpu --roadscene shared/data/roadscene --weights data/weights --to data/gpu/results
    python -m benchmarks.gpu --small --to data/gpu/small
"""

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.gpu.form import FULL, SMALL
from benchmarks.gpu.ledger import Ledger, head_of
from benchmarks.gpu.plan import PARTS, Inputs, parts_of, run_parts
from benchmarks.gpu.table import page_of
from benchmarks.gpu.worker import FAILED, Worker
from thermochroma.base.endings import one_sentence
from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text
from thermochroma.base.plugins import nearest
from thermochroma.config.params import read_params

PARAMS = Path("params.yaml")
FEW = "pix2pix,tir2lab"
"""Blocks of the small form: one with a critic, one without."""


def main() -> None:
    """Measures what is not there yet, and writes one JSON and one page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, required=True, help="folder of the JSON and the table")
    parser.add_argument("--roadscene", type=Path, help="folder with RoadScene; nothing: left out")
    parser.add_argument("--weights", type=Path, help="folder of frozen networks, as data/weights")
    parser.add_argument("--minutes", type=float, default=8.0, help="time for all of it (8)")
    parser.add_argument(
        "--blocks", help="blocks of params.yaml, with commas; nothing: both line-ups"
    )
    parser.add_argument(
        "--parts", default=PARTS, help=f"some of {PARTS}, with commas; nothing: all"
    )
    parser.add_argument(
        "--place", type=Path, default=Path("data/gpu/work"), help="for what it makes"
    )
    parser.add_argument("--commit", default="", help="for a copy of the project without git")
    parser.add_argument("--small", action="store_true", help="show on a processor that it runs")
    given = parser.parse_args()
    os.environ.setdefault("TQDM_DISABLE", "1")  # one line a measurement says enough
    with one_sentence(again="run it again: what was measured is kept"):
        measure(given, end=time.monotonic() + 60 * given.minutes)


def measure(given: argparse.Namespace, *, end: float) -> None:
    """Measure until `end`, a time."""
    inputs, parts = inputs_of(given), parts_named(given.parts)
    with Worker() as worker:
        machine = worker("benchmarks.gpu.parts:machine", limit=end - time.monotonic())
        if FAILED not in machine and machine["device"] != "cuda" and not given.small:
            raise BadInput(
                given="PyTorch finds no GPU here",
                needed="one, for the full form",
                remedy="add --small to see on the processor that everything runs",
            )
        weights = inputs.place / "weights"
        frozen = worker(
            "benchmarks.gpu.parts:gather_weights",
            inputs.form,
            inputs.weights,
            weights,
            limit=end - time.monotonic(),
        )
        for found in (machine, frozen):
            if FAILED in found:
                raise BadInput(
                    given=f"the measurements cannot begin: {found[FAILED]}",
                    needed="PyTorch, a device, and frozen networks or room for stand-ins",
                    remedy="look at the lines above",
                )
        head = head_of(machine, inputs.form, frozen["provenance"], given.commit)
        ledger = Ledger(given.to, head)
        ledger.write()
        chosen = [one for one in parts_of(inputs, ledger) if one.name in parts]
        run_parts(chosen, ledger, worker, end=end, tell=_tell)
    ledger.write()
    page = ledger.path.with_suffix(".md")
    write_text(page, page_of(ledger, inputs.blocks))
    _tell(f"{ledger.path} and {page.name} hold what was measured")
    if ledger.left_out:
        _tell(f"left out for time, run it again: {', '.join(ledger.left_out)}")


def inputs_of(given: argparse.Namespace) -> Inputs:
    """What the command line says. Raises BadInput for unknown blocks and folders that are not there."""
    params = read_params(PARAMS)
    lineups = (*params.lineup, *params.video_lineup)
    named = given.blocks or (FEW if given.small else ",".join(lineups))
    for block in named.split(","):
        if block not in params.methods:
            raise BadInput(
                given=f"--blocks names `{block}`, which is no block{nearest(block, [*params.methods])}",
                needed=f"blocks of {PARAMS}: {', '.join(params.methods)}",
                remedy="correct the name",
            )
    for option in ("roadscene", "weights"):
        folder: Path | None = getattr(given, option)
        if folder is not None and not folder.is_dir():
            raise BadInput(
                given=f"--{option} {folder} is no folder",
                needed="one that is there",
                remedy="correct it, or leave the option out",
            )
    blocks = tuple(dict.fromkeys(named.split(",")))
    with_images = given.roadscene is not None or given.small
    return Inputs(
        form=SMALL if given.small else FULL,
        blocks=blocks,
        single=tuple(b for b in blocks if with_images and b not in params.video_lineup),
        roadscene=given.roadscene,
        weights=given.weights,
        place=given.place.resolve(),
    )


def parts_named(given: str) -> list[str]:
    """Names of parts. Raises BadInput for one that there is not."""
    named, known = given.split(","), PARTS.split(",")
    for one in named:
        if one not in known:
            raise BadInput(
                given=f"--parts names `{one}`, which is no part{nearest(one, known)}",
                needed=f"some of {PARTS}",
                remedy="correct the name",
            )
    return named


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
