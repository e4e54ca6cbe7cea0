"""RoadScene at full width, through the pipeline's own functions, without DVC and MLflow.

Every method sees as many images as its share of the time allows, so the table says what a few minutes of
a card give, not which method is the best.
"""

import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.gpu.begun import LONG, begun_of, clear, wait
from benchmarks.gpu.form import Form
from tests.made_crops import Sequence, make_crops
from thermochroma.base.device import peak_memory_bytes
from thermochroma.base.files import write_text
from thermochroma.config.budget import Budget
from thermochroma.config.entry import Entry
from thermochroma.config.params import Params, read_params
from thermochroma.contract.dataset import DatasetSettings
from thermochroma.contract.method import Progress
from thermochroma.inference.predictions import predict, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.loading.loader import TrainingDataset, training_batches
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.caption import caption
from thermochroma.pipeline.crop import crop
from thermochroma.pipeline.download import download
from thermochroma.pipeline.encode import encode
from thermochroma.pipeline.register import register_dataset
from thermochroma.pipeline.training_run import (
    TrainingFiles,
    TrainingRun,
    held_out_references,
    prepare,
    text_width,
    training_dataset,
)
from thermochroma.training.graphs import play_for
from thermochroma.training.loop import Play, Watcher, play_all
from thermochroma.training.state import Training

NAME: Final = "roadscene"
PARAMS: Final = Path("params.yaml")
SCORED: Final = ("validation", "test")
TRIED: Final = (
    4  # batches by whose time the length of a training is chosen, after as many that warm up
)
PRUDENT: Final = 0.9
"""Share of the time that is planned for: the rest is for scoring, and for steps that take longer later."""


class OutOfTimeError(Exception):
    """The end of a training that took longer than was planned."""


def prepare_images(source: Path | None, place: Path) -> dict[str, Any]:
    """Acquire, register, crop and caption RoadScene; without a folder, make up a few pairs."""
    start, params = time.perf_counter(), read_params(PARAMS)
    block = params.source(NAME)
    if source is None:
        make_pairs(place / "crops", params.crop[NAME].size)
        (place / "raw").mkdir(parents=True, exist_ok=True)
    else:
        block = block.model_copy(update={"source": str(source.resolve())})
        cut_pairs(params, block, place)
    describe_pairs(params, block, place, clip=place.parent / "weights/clip")
    crops = Crops(place / "crops")
    counts = {split: len(crops.split(split)) for split in ("train", *SCORED)}
    made_up = source is None
    return {"made_up": made_up, "pairs": counts, "seconds": time.perf_counter() - start}


def cut_pairs(params: Params, block: DatasetSettings, place: Path) -> None:
    """Acquire, register and crop, as the stages of these names do."""
    write_text(place / "code.txt", "")  # the digest of the code is in the name of the results
    record = params.dataset(NAME)
    download(
        NAME,
        block,
        raw=place / "raw",
        frames=place / "frames.csv",
        report=place / "report",
        metrics=place / "frames.json",
    )
    register_dataset(
        record,
        params.registration,
        frames=place / "frames.csv",
        raw=place / "raw",
        registered=place / "registered",
        scores=place / "registration.json",
    )
    crop(
        NAME,
        params.crop[NAME],
        upscale=record.upscale,
        seed=params.seed,
        on_defect=block.on_defect,
        frames=place / "frames.csv",
        registered=place / "registered",
        raw=place / "raw",
        code=place / "code.txt",
        checkpoints=place / "checkpoints",
        crops=place / "crops",
        metrics=place / "crops.json",
    )


def describe_pairs(params: Params, block: DatasetSettings, place: Path, *, clip: Path) -> None:
    """Caption and encode, as the stages of these names do."""
    caption(
        NAME,
        params.caption,
        block,
        known=params.sources,
        raw=place / "raw",
        crops=place / "crops",
        overrides=Path("captions/overrides.csv"),
        captions=place / "captions.csv",
    )
    encode(place / "captions.csv", clip, place / "text.safetensors")


def make_pairs(folder: Path, side: int) -> None:
    """Made-up pairs, for a try without data."""
    random = np.random.default_rng(0)

    def pair(_sequence: str, _number: int) -> tuple[np.ndarray, np.ndarray]:
        visible = random.integers(0, 256, (side, side, 3), np.uint8)
        return visible[..., 0], visible

    splits = {"a": Sequence(4), "b": Sequence(2, "validation"), "c": Sequence(2, "test")}
    make_crops(folder, splits, pair)
    write_text(folder / "fingerprint.txt", "made up\n")


def learn(block: str, form: Form, place: Path, seconds: float) -> dict[str, Any]:
    """Train one method for about so many seconds, and score it on the held-out images."""
    start = time.perf_counter()
    run = prepared(block, form, place)
    training = begun_of(
        run.settings,
        run.method,
        scale=run.budget.scale,
        text_width=text_width(run),
        frozen=FrozenNetworks(place.parent / "weights"),
        device=run.device,
        seed=run.entry.seed,
    )
    training.half_precision = True
    clear(run.device)
    found = {
        "predicts": run.method.direction.predicted,
        **teach(training, run, form, until=start + PRUDENT * seconds),
        "peak_memory_bytes": peak_memory_bytes(run.device),
    }
    for split in SCORED:
        found[split] = scores(training, run, split)
    return found


def prepared(block: str, form: Form, place: Path) -> TrainingRun:
    """What the stage `train` would be given: params.yaml's windows and batches, at full width."""
    params = read_params(PARAMS)
    entry = params.entry(NAME, block)
    weights = place.parent / "weights"
    files = TrainingFiles(
        crops=place / "crops",
        text=place / "text.safetensors",
        weights=weights,
        edges=place / "edges",
        code=(),
    )
    entry = replace(entry, budget=widened(entry, form))
    return prepare(NAME, entry, files, side=params.crop[NAME].size)


def widened(entry: Entry, form: Form) -> Budget:
    """The budget at the form's width, in half precision, loaded in the training's own process."""
    changes = {
        "scale": form.scale,
        "precision": "bfloat16",
        "images": LONG,
        "epochs": None,
        "workers": 0,
    }
    return entry.budget.model_copy(update=changes)


def teach(training: Training, run: TrainingRun, form: Form, *, until: float) -> dict[str, Any]:
    """Train until about then: the first batches are timed, and say how many images there is time for."""
    size, dataset, start = run.budget.batch_size, training_dataset(run), time.perf_counter()
    play_one = play_for(run.device, sys.stderr.write)
    tried = TRIED * size
    shown = 0
    if 2 * tried < form.training_images:
        play_to(training, run, dataset, tried, play_one)
        begin = time.perf_counter()
        play_to(training, run, dataset, 2 * tried, play_one)
        now = time.perf_counter()
        shown = 2 * tried
        more = int((until - now) / (now - begin) * tried) // size * size
        goal = min(form.training_images, shown + max(0, more))
    else:
        goal = form.training_images
    training.progress = Progress(images=shown, of=goal)  # the rates fall to the end of these
    late = until + 0.25 * (until - start)
    with suppress(OutOfTimeError):
        play_to(training, run, dataset, goal, play_one, watchers=[_ending(late)])
    seconds, images = time.perf_counter() - start, training.progress.images
    return {
        "images": images,
        "planned_images": goal,
        "batch_size": size,
        "window": run.budget.window or run.side,
        "seconds": seconds,
        "images_per_second": images / seconds,
    }


def play_to(
    training: Training,
    run: TrainingRun,
    dataset: TrainingDataset,
    images: int,
    play_one: Play,
    watchers: Iterable[Watcher] = (),
) -> None:
    """Show what follows, up to so many images, and wait until the device has done it."""
    batches = training_batches(
        dataset,
        start_images=training.progress.images,
        images=images,
        batch_size=run.budget.batch_size,
        workers=run.budget.workers,
        trains_on=run.method.trains_on,
        sees=run.method.sees,
        device=run.device,
        layout=run.layout,
    )
    play_all(training, batches, watchers, play_one)
    wait(run.device)


def _ending(late: float) -> Watcher:
    """Callback that ends a training at a time."""

    def end(_training: Training, _shown: int) -> None:
        if time.perf_counter() > late:
            raise OutOfTimeError

    return end


def scores(training: Training, run: TrainingRun, split: str) -> dict[str, float]:
    """Mean PSNR and SSIM of what would be deployed now, on all images of a split."""
    rows = run.crops.split(split)
    parts = predict(
        training.deployed,
        run.crops,
        rows,
        sees=run.method.sees,
        text=run.text,
        batch_size=run.budget.batch_size,
        device=run.device,
        references=held_out_references(run, rows),
    )
    prediction = torch.cat([one for _, one in parts])
    truth = truth_of(run.crops, rows, spectrum=run.method.direction.predicted)
    return {
        "psnr": float(psnr(prediction, truth).mean()),
        "ssim": float(ssim(prediction, truth).mean()),
    }
