"""What hundreds of runs cost MLflow's database; nothing is trained.

It is filled through the project's own client: settings of a block, readings, scores, tags. Then runs are
looked for as the stages do, and listed as the UI does, without its server. Processor time, since other
work may share the machine.

    python -m benchmarks.many_runs --place FOLDER --numbers 10,100,500,1000 --rows 30
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from tests.examiner import PARAMS, settings_of
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.config.params import read_params
from thermochroma.evaluation.summary import as_readings
from thermochroma.tracking.journal import DATABASE
from thermochroma.tracking.links import PREDICTS, SCORE
from thermochroma.tracking.mlflow_client import WEIGHTS, Tracker

DATASET: Final = "sample"
BLOCK: Final = "tic_cgan"
"""Its settings are those of every run."""
TERMS: Final = ("critic/real", "critic/fake", "translator/content", "translator/adversarial")
SCORES: Final = 20
"""Of an image, and as many for each split."""
PAGE: Final = 100
"""Runs that MLflow's list shows before it is asked for more."""
TIMES: Final = 5


class Filled(NamedTuple):
    """A database with so many runs: processor time in seconds, and its file."""

    runs: int
    log: float
    """One more run, from its beginning to its scores."""
    find: float
    """A run by its weights, as each stage looks for its own."""
    list: float
    """The first page of the UI's list, best test PSNR first."""
    bytes: int


def fill(place: Path, numbers: Sequence[int], *, rows: int) -> Iterator[Filled]:
    """A database with the first number of runs, then the next one. rows: readings of each run."""
    tracker, logged = Tracker(DATASET, root=place), 0
    settings = {"budget": read_params(PARAMS).budget["kaist"].of(BLOCK).model_dump()}
    settings |= settings_of(BLOCK).model_dump()
    for number in sorted(numbers):
        costs = [
            processor_seconds(partial(log, tracker, one, settings, rows))
            for one in range(logged, number)
        ]
        logged = number
        yield Filled(
            number,
            log=median(costs[-TIMES:]),
            find=median(
                processor_seconds(partial(tracker.find, **{WEIGHTS: weights(one)}))
                for one in range(TIMES)
            ),
            list=median(processor_seconds(partial(listed, tracker)) for _ in range(TIMES)),
            bytes=(place / DATABASE).stat().st_size,
        )


def log(tracker: Tracker, number: int, settings: Mapping[str, Any], rows: int) -> None:
    """One run, as `train` begins it and `track` ends it, without the files: panels, cards, models."""
    tags = {"dataset": DATASET, "method": BLOCK, "git.commit": "0" * 40, "git.dirty": "false"}
    history = [
        {"images": float(500 * row), **dict.fromkeys(TERMS, 1 / (row + number))}
        for row in range(1, rows + 1)
    ]
    scores = {
        split: {f"score_{one}": float(number + one) for one in range(SCORES)}
        for split in SCORED_SPLITS
    }
    with tracker.training(f"{number:016x}", name=BLOCK, tags=tags) as training:
        training.log_params(settings)
        training.log_origin(data="0" * 64, code="1" * 64)
        training.log_rows(history)
        training.finish(weights(number))
    found = tracker.find(**{WEIGHTS: weights(number)})
    assert found is not None
    psnr = (7919 * number) % 1009 / 100  # in no order
    tracker.log_scores(found.info.run_id, as_readings(scores) | {SCORE: psnr})
    tracker.describe(found.info.run_id, "A run.", tags={"kind": "method", "predicts": PREDICTS})


def weights(number: int) -> str:
    """The made-up hash of a run's translator."""
    return f"{number:064x}"


def listed(tracker: Tracker) -> list[float]:
    """Test PSNR of the runs on the first page of the UI's list."""
    query, order = f"tags.predicts = '{PREDICTS}'", [f"metrics.`{SCORE}` DESC"]
    found = tracker.client.search_runs(
        [tracker.experiment], query, order_by=order, max_results=PAGE
    )
    return [one.data.metrics[SCORE] for one in found]


def processor_seconds(work: Callable[[], object]) -> float:
    """Of this process, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--place", type=Path, required=True, help="an empty folder")
    parser.add_argument("--numbers", required=True, help="of runs, with commas")
    parser.add_argument("--rows", type=int, default=30, help="readings of each run")
    given = parser.parse_args()
    sys.stdout.write(
        "| runs | one more run, s | find a run, s | first page of the list, s | MB |\n"
    )
    sys.stdout.write("|--:|--:|--:|--:|--:|\n")
    numbers = list(map(int, given.numbers.split(",")))
    for one in fill(given.place, numbers, rows=given.rows):
        seconds = " | ".join(f"{each:.3f}" for each in (one.log, one.find, one.list))
        sys.stdout.write(f"| {one.runs} | {seconds} | {one.bytes / 1e6:.1f} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
