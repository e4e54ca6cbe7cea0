"""Play one method's game on one data set."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Set
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from thermochroma.base import whole_batch
from thermochroma.base.device import device_name, peak_memory_bytes
from thermochroma.base.files import sha256
from thermochroma.base.lock import exclusive_lock
from thermochroma.base.memory import keep_freed
from thermochroma.base.project import at_root, project_root
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.base.whole_batch import Share
from thermochroma.contract.batch import TrainingBatch
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import Method, Translator
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.inference.predictions import panel, predict, spread, truth_of
from thermochroma.loading.collate import needs_references, seen_spectrum
from thermochroma.loading.crops import FINGERPRINT
from thermochroma.loading.loader import training_batches
from thermochroma.loading.reference_retrieval import References
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.training_run import (
    TrainingFiles,
    TrainingRun,
    held_out_references,
    text_width,
    training_dataset,
)
from thermochroma.tracking.lineage import lineage
from thermochroma.tracking.window import Window, open_window
from thermochroma.training import checkpoint, finished, launch, ranks, snapshots
from thermochroma.training.callbacks import At, Every, progress_bar
from thermochroma.training.graphs import play_for
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training, seed_everything

PANEL_FRAMES = 4


def train(
    run: TrainingRun,
    files: TrainingFiles,
    *,
    checkpoints: Path,
    recorded: Collection[str],
    folder: Path,
) -> None:
    """Play a method's game to its end; write the translator, snapshots, readings and cost into `folder`.

    Resumes from the checkpoint of the very same settings, data and code, to the same bits; one that has
    ended before is not trained again. recorded: MD5 of every output that needs no copy any more. Where the
    machine is to use several processes, this one only starts them (docs/how-to/several-processes.md).
    """
    batch_size = run.budget.batch_size
    if launch.are_too_many(batch_size):
        tqdm.write(
            f"{label_of(run)}: no more processes than images in a batch, {batch_size}, share the work"
        )
    if (count := launch.processes_for(batch_size)) > 1:
        launch.start_again(count)
        return
    keep_freed()
    place = at_root(checkpoints) / f"{label_of(run)}-{run.fingerprint}"
    with ranks.joined(run.device):
        if whole_batch.rank() == 0:
            lead(run, files, place, recorded=recorded, folder=folder)
        else:
            follow(run, files, place)


def label_of(run: TrainingRun) -> str:
    """Name of a training in folders and messages."""
    return f"{run.dataset}-{run.entry.name}"


def follow(run: TrainingRun, files: TrainingFiles, place: Path) -> None:
    """Compute shares of batches; write, track and show nothing."""
    if ranks.told_by_first(False, run.device):
        return
    training = begin(run, FrozenNetworks(files.weights))
    checkpoint.resume(training, place, fingerprint=run.fingerprint, tell=lambda _: None)
    play_all(training, batches_of(training, run), [])


def lead(
    run: TrainingRun,
    files: TrainingFiles,
    place: Path,
    *,
    recorded: Collection[str],
    folder: Path,
) -> None:
    """Train, and write, track and show it: alone, or as the first of several processes."""
    dataset, name = run.dataset, run.entry.name
    finished.discard_recorded(place.parent, recorded)
    with exclusive_lock(place):
        ended = ranks.told_by_first(has_ended(place), run.device)
        training = None if ended else begin(run, FrozenNetworks(files.weights))
        if training is not None:
            announce(training, run, place)
        tags = lineage(dataset=dataset, method=name)
        root = project_root()
        with open_window(dataset, run.fingerprint, root=root, name=name, tags=tags) as tracked:
            tracked.log_params({"budget": run.budget.model_dump(), **settings_of(run)})
            tracked.log_origin(data=sha256(files.crops / FINGERPRINT), code=sha256(files.code[0]))
            if training is not None:
                speed = teach(training, run, tracked, place)
                with finished.keeping(place) as kept:
                    write_outputs(training, run, kept, speed)
                    snapshots.move_snapshots(place / snapshots.FOLDER, kept / snapshots.FOLDER)
            finished.deliver(place, folder)
            tracked.finish(sha256(folder / "translator.safetensors"))
            tracked.log_model(
                folder / "translator.safetensors",
                sees=seen_spectrum(run.method.sees),
                text=files.weights / "clip" if run.text is not None else None,
                reference=needs_references(run.method.sees),
                register_as=f"{dataset}-{name}",
                code=Path(__file__).parents[2],
            )


def has_ended(place: Path) -> bool:
    """Whether the training has ended before and its outputs are kept; says so, or that they are damaged."""
    if not finished.is_kept(place):
        return False
    if wrong := finished.damaged(place):
        tqdm.write(
            f"{place.name}: the outputs that were kept are damaged ({', '.join(wrong)}); they are written "
            "anew from the last checkpoint"
        )
        finished.forget(place)
        return False
    tqdm.write(
        f"{place.name}: was trained before, to its end; its outputs are written again (to train it once "
        f"more, remove {place})"
    )
    return True


def begin(run: TrainingRun, frozen: FrozenNetworks) -> Training:
    """A fresh training, seeded."""
    seed_everything(run.entry.seed)
    settings, budget = run.settings, run.budget
    translator = build_translator(
        run.method, settings, scale=budget.scale, text_width=text_width(run)
    )
    game = run.method.game(
        translator=translator, scale=budget.scale, frozen=frozen, **settings.game.model_dump()
    )
    ranks.refuse_own_draws(game)
    game.to(run.device)
    game.to(memory_format=run.layout)  # type: ignore[call-overload]
    try_sides(
        translator,
        run.method,
        sides={run.side, budget.window or run.side},
        text_width=text_width(run),
        device=run.device,
    )
    return Training(
        game=game,
        translator=translator,
        settings=settings,
        images=budget.images_of(len(run.crops.split("train"))),
        reading_every_images=budget.reading_every_images,
        half_precision=budget.precision == "bfloat16",
    )


@torch.no_grad()
def try_sides(
    translator: Translator[Any],
    method: Method,
    *,
    sides: Set[int],
    text_width: int,
    device: torch.device,
) -> None:
    """Let the translator see one made-up image of every side that it will be shown.

    A network that takes one size alone says so here, in its own words, before any work.
    """
    for side in sides:
        seen = dummy_input(method.sees, height=side, width=side, text_width=text_width)
        parts = {name: part.to(device) for name, part in vars(seen).items()}
        translator.eval()(method.sees(**parts))


def announce(training: Training, run: TrainingRun, place: Path) -> None:
    """Resume if there is a checkpoint; say what is begun, resumed, or left alone."""
    label = label_of(run)
    if checkpoint.resume(training, place, fingerprint=run.fingerprint):
        tqdm.write(
            f"{label}: resuming after {training.progress.images} of {training.progress.of} images"
        )
    elif left := checkpoint.others(place.parent, label=label, fingerprint=run.fingerprint):
        tqdm.write(
            f"{label}: fresh start; checkpoints of other settings, data or code are left alone: "
            f"{', '.join(left)}"
        )


def batches_of(training: Training, run: TrainingRun) -> Iterator[tuple[TrainingBatch, Share]]:
    """Load this process's share of each batch that is left to be shown."""
    with ranks.first_alone():  # it may find edges, and keep them in files
        dataset = training_dataset(run)
    return training_batches(
        dataset,
        start_images=training.progress.images,
        images=training.progress.of,
        batch_size=run.budget.batch_size,
        workers=run.budget.workers,
        trains_on=run.method.trains_on,
        sees=run.method.sees,
        device=run.device,
        layout=run.layout,
    )


def teach(training: Training, run: TrainingRun, tracked: Window, place: Path) -> dict[str, Any]:
    """Train to the end; returns the speed."""
    budget, batches = run.budget, batches_of(training, run)
    first, start = training.progress.images, time.perf_counter()
    play_one = play_for(run.device, lambda why: tqdm.write(f"{label_of(run)}: {why}"))
    with progress_bar(training, title=f"train {label_of(run)}") as bar:
        validate = Every(budget.validate_every_images, validation(run))
        keep = Every(budget.checkpoint_every_images, keeping(run, tracked, place))
        late = budget.snapshots_after_images(len(run.crops.split("train")))
        kept = place / snapshots.FOLDER
        snap = At(late, lambda now: snapshots.keep(now, kept, metadata_of(run, now)))
        # before the checkpoint: whoever resumes finds every snapshot of what was played before
        play_all(training, batches, [bar, validate, snap, keep], play_one)
    seconds = time.perf_counter() - start
    shown = training.progress.images - first
    return {"training_images_per_second": shown / seconds if shown else None}


def validation(run: TrainingRun) -> Callable[[Training], None]:
    """Take readings of PSNR and SSIM of the translator that would be deployed now, on held-out frames."""
    rows = spread(run.crops.split("validation"), run.budget.validation_images)
    truth = truth_of(run.crops, rows, spectrum=run.method.direction.predicted)
    references = held_out_references(run, rows)

    def act(training: Training) -> None:
        prediction = predict_all(training, run, rows, references)
        scores = {
            "validation/psnr": float(psnr(prediction, truth).mean()),
            "validation/ssim": float(ssim(prediction, truth).mean()),
        }
        training.metric_log.add(scores, images=training.progress.images)

    return act


def keeping(run: TrainingRun, tracked: Window, place: Path) -> Callable[[Training], None]:
    """Save a checkpoint, then log to MLflow: a killed training never logs the same readings twice."""
    rows = spread(run.crops.split("validation"), PANEL_FRAMES)
    references = held_out_references(run, rows)

    def act(training: Training) -> None:
        checkpoint.save(training, place, fingerprint=run.fingerprint)
        tracked.log_rows(training.metric_log.rows)
        image = panel(run.crops, rows, predict_all(training, run, rows, references))
        tracked.log_panel(image, images=training.progress.images)

    return act


def predict_all(
    training: Training, run: TrainingRun, rows: pd.DataFrame, references: References | None
) -> torch.Tensor:
    """Translations of all rows by the translator that would be deployed now."""
    parts = predict(
        training.deployed,
        run.crops,
        rows,
        sees=run.method.sees,
        text=run.text,
        batch_size=run.budget.batch_size,
        device=run.device,
        references=references,
    )
    return torch.cat([prediction for _, prediction in parts])


def write_outputs(
    training: Training, run: TrainingRun, folder: Path, speed: dict[str, Any]
) -> None:
    """Write the translator, its history and what the training cost."""
    save_translator(
        training.deployed, folder / "translator.safetensors", metadata_of(run, training)
    )
    write_csv(folder / "history.csv", pd.DataFrame(training.metric_log.rows))
    cost = speed | {
        "peak_memory_bytes": peak_memory_bytes(run.device),
        "training_device": times(whole_batch.count()) + device_name(run.device),
    }
    write_json(folder / "cost.json", cost)


def times(count: int) -> str:
    """Factor before the name of a device; nothing for one."""
    return f"{count} × " if count > 1 else ""


def metadata_of(run: TrainingRun, training: Training) -> Metadata:
    """Metadata of the translator that would be deployed now."""
    return Metadata(
        name=run.entry.name,
        settings=json.loads(run.settings.model_dump_json()),
        scale=run.budget.scale,
        text_width=text_width(run),
        trained_on=run.dataset,
        side=run.side,
        frozen=run.frozen,
        images=training.progress.images,
    )


def settings_of(run: TrainingRun) -> dict[str, Any]:
    """Settings that MLflow shows, beside the budget."""
    block = json.loads(run.settings.model_dump_json())
    return {**block, "seed": run.entry.seed, "frozen_weights": run.frozen}
