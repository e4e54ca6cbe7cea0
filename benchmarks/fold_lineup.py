"""Methods and baselines over the folds of RoadScene, without DVC and MLflow: minutes on a GPU.

Each fold tests another fifth of the sequences. Images are acquired, registered, cut and captioned,
methods trained to the end of their budget, and rows scored by the functions of the pipeline; only what
watches (readings on validation images, checkpoints, MLflow) is left out, which changes no weight. Several
trainings run side by side. What is there is not done again. At the end `benchmarks.folds` reads the scores:

    python -m benchmarks.fold_lineup --params params.yaml --source RoadScene --weights data/weights \\
        --perception data/weights/perception --blocks thermochroma,pix2pix --processes 8 --to data/folds
    python -m benchmarks.folds --dataset roadscene --rows thermochroma,thermochroma:sharp,mean_colour \\
        --places data/folds/fold_1,data/folds/fold_2,data/folds/fold_3,data/folds/fold_4,data/folds/fold_5
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.gpu.begun import begun_of
from benchmarks.gpu.roadscene import NAME, cut_pairs, describe_pairs
from thermochroma.base.device import choose_device
from thermochroma.base.sealed import write_json
from thermochroma.config.params import read_params
from thermochroma.evaluation.evaluator import Evaluator
from thermochroma.evaluation.outputs import write_outputs
from thermochroma.evaluation.perceptual import read_perception
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.loading.collate import read_text
from thermochroma.loading.loader import training_batches
from thermochroma.loading.policies import other_policies, own
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.baselines import evaluate_baselines
from thermochroma.pipeline.training_run import (
    TrainingFiles,
    TrainingRun,
    prepare,
    text_width,
    training_dataset,
)
from thermochroma.training.graphs import play_for
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training

BASELINES: Final = "baselines"
FOLDS: Final = "1,2,3,4,5"


@dataclass(frozen=True)
class Places:
    """Files that are read, and the folder of the results. images: instead of the budgets', for a try."""

    params: Path
    source: Path
    weights: Path
    perception: Path
    to: Path
    precision: str
    images: int | None = None

    def of(self, fold: int) -> Path:
        """Folder of a fold."""
        return self.to / f"fold_{fold}"


def main() -> None:
    """Prepare, train and score until the time is over."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True, help="a copy of RoadScene")
    parser.add_argument(
        "--weights", type=Path, required=True, help="frozen networks, as data/weights"
    )
    parser.add_argument("--perception", type=Path, required=True, help="networks that score")
    parser.add_argument("--to", type=Path, required=True, help="folder of the images and scores")
    parser.add_argument("--blocks", required=True, help="of params.yaml, with commas")
    parser.add_argument("--folds", default=FOLDS)
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e6)
    parser.add_argument("--images", type=int, help="shown in a training; nothing: the budget's")
    given = parser.parse_args()
    places = Places(
        given.params.resolve(),
        given.source.resolve(),
        given.weights.resolve(),
        given.perception.resolve(),
        given.to.resolve(),
        given.precision,
        given.images,
    )
    folds, end = [*map(int, given.folds.split(","))], time.monotonic() + given.seconds
    blocks = given.blocks.split(",")
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        finish(pool, images_of, [(places, fold) for fold in folds], end)
        jobs = [(places, fold, row) for row in (BASELINES, *blocks) for fold in folds]
        finish(pool, row_of, jobs, end)
        for worker in (pool._processes or {}).values():
            worker.kill()


def finish(
    pool: ProcessPoolExecutor,
    work: Callable[..., float],
    jobs: Sequence[tuple[Any, ...]],
    end: float,
) -> None:
    """Do all jobs, or those that end in time; tell each, with the seconds that it took."""
    waiting: dict[Future[float], tuple[Any, ...]] = {pool.submit(work, *job): job for job in jobs}
    try:
        for done in as_completed(waiting, timeout=max(0.0, end - time.monotonic())):
            told = " ".join(map(str, waiting[done][1:]))
            problem = done.exception()
            sys.stderr.write(
                f"{told}: {problem!r}\n" if problem else f"{told}: {done.result():.0f} s\n"
            )
    except TimeoutError:
        sys.stderr.write(f"{sum(not one.done() for one in waiting)} jobs left out for time\n")
        for one in waiting:
            one.cancel()


def images_of(places: Places, fold: int) -> float:
    """Acquire, register, cut and caption the images of a fold; seconds."""
    start, place = time.perf_counter(), places.of(fold)
    if (place / "text.safetensors").exists():
        return 0.0
    params = read_params(places.params)
    changes = {"source": str(places.source), "profile": f"fold_{fold}"}
    block = params.source(NAME).model_copy(update=changes)
    cut_pairs(params, block, place)
    describe_pairs(params, block, place, clip=places.weights / "clip")
    return time.perf_counter() - start


def row_of(places: Places, fold: int, row: str) -> float:
    """Train and score one block on one fold, or score the baselines; seconds."""
    torch.set_num_threads(1)
    start, place = time.perf_counter(), places.of(fold)
    try:
        if row == BASELINES:
            score_baselines(places, place)
        elif not (place / "scores" / NAME / row / "scores.csv").exists():
            run = run_of(places, place, row)
            score(trained(run, places), run, places, place / "scores" / NAME / row)
    except Exception:
        sys.stderr.write(traceback.format_exc())
        raise
    return time.perf_counter() - start


def score_baselines(places: Places, place: Path) -> None:
    """Score the rows without a training, as the stage `baselines` does."""
    if (place / "baselines.json").exists():
        return
    evaluate_baselines(
        read_params(places.params).evaluate[NAME],
        note="",
        crops=place / "crops",
        efficientnet=places.weights / "efficientnet_lite0",
        perception=places.perception,
        folder=place / BASELINES / NAME,
        metrics=place / "baselines.json",
    )


def run_of(places: Places, place: Path, block: str) -> TrainingRun:
    """What the stage `train` would be given."""
    params = read_params(places.params)
    entry = params.entry(NAME, block)
    changes: dict[str, Any] = {"precision": places.precision, "workers": 0}
    if places.images is not None:
        changes |= {"images": places.images, "epochs": None}
    files = TrainingFiles(
        crops=place / "crops",
        text=place / "text.safetensors",
        weights=places.weights,
        edges=place / "edges",
        code=(),
    )
    entry = replace(entry, budget=entry.budget.model_copy(update=changes))
    return prepare(NAME, entry, files, side=params.crop[NAME].size)


def trained(run: TrainingRun, places: Places) -> Training:
    """Train to the end of the budget."""
    training = begun_of(
        run.settings,
        run.method,
        scale=run.budget.scale,
        text_width=text_width(run),
        frozen=FrozenNetworks(places.weights),
        device=run.device,
        seed=run.entry.seed,
        images=run.budget.images_of(len(run.crops.split("train"))),
    )
    training.half_precision = run.budget.precision == "bfloat16"
    batches = training_batches(
        training_dataset(run),
        start_images=0,
        images=training.progress.of,
        batch_size=run.budget.batch_size,
        workers=0,
        trains_on=run.method.trains_on,
        sees=run.method.sees,
        device=run.device,
        layout=run.layout,
    )
    told = f"{run.entry.name}: "
    play_one = play_for(run.device, lambda why: sys.stderr.write(f"{told}{why}\n"))
    play_all(training, batches, [], play_one)
    return training


def score(training: Training, run: TrainingRun, places: Places, folder: Path) -> None:
    """Score the main row and its further ones, as the stage `evaluate` does."""
    settings, device = read_params(places.params).evaluate[NAME], choose_device()
    rows = scored_rows(run.crops, settings.frames_per_sequence)
    extra = own(run.method.sees, run.crops, rows, read_text(run.method.sees, place_of_text(run)))
    evaluator = Evaluator(
        training.deployed.eval(),
        run.method,
        run.crops,
        extra,
        settings.batch_size,
        device,
        read_perception(places.perception, device),
    )
    write_outputs(folder, evaluator.score(rows, title=run.entry.name))
    for name, other in other_policies(run.method.sees, uses_text=False).items():
        drawn = other.draws[0](extra, run.crops, rows)
        found = evaluator.under(drawn).score(rows, title=f"{run.entry.name}, {other.title}")
        write_outputs(folder / "policies" / name, found)
    write_json(folder / "cost.json", {"images": training.progress.images})


def place_of_text(run: TrainingRun) -> Path:
    """File with the features of the sentences, beside the crops."""
    return run.crops.folder.parent / "text.safetensors"


if __name__ == "__main__":
    main()
