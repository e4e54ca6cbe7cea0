"""What is measured, in which order, and how much of the time each part may take."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.gpu.form import Form
from benchmarks.gpu.ledger import Ledger
from benchmarks.gpu.worker import Worker

PACKAGE: Final = "benchmarks.gpu"
PARTS: Final = "steps,recorded,examination,loader,scoring,roadscene,compiled"
"""Names of the parts, in their order."""
Arguments = Callable[[float], tuple[Any, ...]]
"""Function (seconds that there are) to what is handed to the measurement."""
PATIENCE: Final = 3.0
"""Times its share of time after which a measurement is ended, where more than that is left in all."""
STARTS_IN: Final = 40.0  # seconds more: a fresh process imports PyTorch and wakes the device


@dataclass(frozen=True)
class Piece:
    """One measurement: its result is kept under `name` as soon as it is there."""

    name: str
    work: str
    """Function `module:name`, which the worker loads: whoever plans waits for no torch."""
    arguments: Arguments
    patience: float = PATIENCE


@dataclass(frozen=True)
class Part:
    """Measurements that share an amount of time. least: seconds that one of them needs to be begun."""

    share: float
    least: float
    pieces: Sequence[Piece]
    name: str = ""


def run_parts(
    parts: Sequence[Part],
    ledger: Ledger,
    worker: Worker,
    *,
    end: float,
    tell: Callable[[str], None],
) -> None:
    """Measure what is not there yet, until `end`, a time; time that a part leaves is for the next ones."""
    left = [part for part in parts if any(not ledger.has(one.name) for one in part.pieces)]
    for number, part in enumerate(left):
        shares = sum(one.share for one in left[number:])
        now = time.monotonic()
        until = now + max(0.0, end - now) * part.share / shares
        _run_part(part, ledger, worker, until=until, end=end, tell=tell)


def _run_part(
    part: Part,
    ledger: Ledger,
    worker: Worker,
    *,
    until: float,
    end: float,
    tell: Callable[[str], None],
) -> None:
    pieces = [one for one in part.pieces if not ledger.has(one.name)]
    for number, piece in enumerate(pieces):
        now = time.monotonic()
        if min(until, end) - now < part.least:
            ledger.leave_out(piece.name, "time")
            tell(f"{piece.name}: left out for time")
            continue
        seconds = (until - now) / (len(pieces) - number)
        limit = min(end - now, piece.patience * seconds + STARTS_IN)
        found = worker(piece.work, *piece.arguments(seconds), limit=limit)
        ledger.note(piece.name, found)
        tell(f"{piece.name}: {time.monotonic() - now:.1f} s{_why(found)}")


def _why(found: dict[str, Any]) -> str:
    return f", {found['failed']}" if "failed" in found else ""


@dataclass(frozen=True)
class Inputs:
    """What a start was given; the folders need not be there. place: where what is made lies."""

    form: Form
    blocks: tuple[str, ...]
    single: tuple[str, ...]
    """Of the blocks, those that learn from single frames: RoadScene has no others."""
    roadscene: Path | None
    weights: Path | None
    place: Path


def parts_of(inputs: Inputs, ledger: Ledger) -> list[Part]:
    """All measurements, the most telling first; compiling may take minutes for one method."""
    form, place = inputs.form, inputs.place
    frozen = place / "weights"

    def each(title: str, work: str, blocks: Sequence[str], folder: Path) -> list[Piece]:
        def arguments_of(block: str) -> Arguments:
            return lambda seconds: (block, form, folder, seconds)

        work = f"{PACKAGE}.{work}"
        return [Piece(f"{title}/{one}", work, arguments_of(one)) for one in blocks]

    def compiled(block: str, batch: str) -> Piece:
        def arguments(_seconds: float) -> tuple[Any, ...]:
            steps = ledger.results.get(f"steps/{block}", {})
            return block, form, frozen, steps.get("bfloat16", {}).get(batch, {}).get("images", 1)

        name, work = f"compiled/{block}/{batch}", f"{PACKAGE}.compiled:measure"
        return Piece(name, work, arguments, patience=float("inf"))  # nothing comes behind it

    scoring = Piece("scoring", f"{PACKAGE}.parts:score", lambda _: (form, inputs.weights))
    loader = Piece("loader", f"{PACKAGE}.parts:load", lambda _: (form,))
    compiling = [compiled(block, batch) for batch in ("one", "largest") for block in inputs.blocks]
    return [
        Part(0.42, 4.0, each("steps", "steps:measure", inputs.blocks, frozen), "steps"),
        Part(0.16, 4.0, each("recorded", "recorded:measure", inputs.blocks, frozen), "recorded"),
        Part(0.06, 3.0, each("examination", "parts:examine", inputs.blocks, place), "examination"),
        Part(0.03, 1.0, [loader], "loader"),
        Part(0.02, 1.0, [scoring], "scoring"),
        Part(0.23, 5.0, _of_roadscene(inputs, ledger, each), "roadscene"),
        Part(0.08, 20.0, compiling, "compiled"),
    ]


def _of_roadscene(inputs: Inputs, ledger: Ledger, each: Callable[..., list[Piece]]) -> list[Piece]:
    """The trainings, and before them their images, where those of an earlier start are gone."""
    place, prepared = inputs.place / "roadscene", "roadscene-images"
    trainings = each("roadscene", "roadscene:learn", inputs.single, place)
    if not (place / "text.safetensors").exists() and not all(
        ledger.has(one.name) for one in trainings
    ):
        ledger.results.pop(prepared, None)
    images = Piece(
        prepared,
        f"{PACKAGE}.roadscene:prepare_images",
        lambda _: (inputs.roadscene, place),
        patience=float("inf"),
    )
    return [images, *trainings] if trainings else []
