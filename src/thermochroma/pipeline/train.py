"""Play one method's game on one data set."""

import json
import time
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from thermochroma.base.device import device_name, peak_memory_bytes
from thermochroma.base.files import sha256, whole_file, write_text
from thermochroma.base.lock import alone
from thermochroma.base.project import at_root, project_root
from thermochroma.config.params import read_params
from thermochroma.contract.dummy_input import see
from thermochroma.contract.method import Method, Translator
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Label
from thermochroma.inference.predictions import paint, panel, spread, truth_of
from thermochroma.loading.collate import needs_references, seen_spectrum
from thermochroma.loading.crops import FINGERPRINT
from thermochroma.loading.loader import training_batches
from thermochroma.loading.reference_retrieval import References
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.training_run import (
    Lesson,
    held_out_references,
    prepare,
    showing,
    text_width,
)
from thermochroma.tracking.lineage import lineage
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.tracking.mlflow_client import Training as Tracked
from thermochroma.training import checkpoint, snapshots
from thermochroma.training.callbacks import At, Every, progress
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training, seed_everything

PANEL_FRAMES = 4


def train(
    dataset: str,
    method: str,
    params: Path,
    crops: Path,
    text: Path,
    weights: Path,
    code: Path,
    trainer: Path,
    checkpoints: Path,
    edges: Path,
    folder: Path,
) -> None:
    """Resumes from the checkpoint of the very same settings, data and code, to the same bits."""
    settings = read_params(params)
    lesson = prepare(dataset, method, settings, crops, text, weights, edges, [code, trainer])
    place = at_root(checkpoints) / f"{dataset}-{method}-{lesson.mark}"
    with alone(place):
        training = begin(lesson, FrozenNetworks(weights))
        announce(training, lesson, place)
        tracker = Tracker(dataset, root=project_root())
        tags = lineage(dataset=dataset, method=method)
        with tracker.training(lesson.mark, name=method, tags=tags) as tracked:
            tracked.log_params({"budget": lesson.budget.model_dump(), **settings_of(lesson)})
            tracked.log_origin(data=sha256(crops / FINGERPRINT), code=sha256(code))
            speed = teach(training, lesson, tracked, place)
            leave(training, lesson, folder, speed)
            snapshots.hand_over(place / snapshots.FOLDER, folder / snapshots.FOLDER)
            tracked.finish(sha256(folder / "translator.safetensors"))
            tracked.log_model(
                folder / "translator.safetensors",
                sees=seen_spectrum(lesson.method.sees),
                text=weights / "clip" if lesson.text is not None else None,
                reference=needs_references(lesson.method.sees),
                register_as=f"{dataset}-{method}",
                code=Path(__file__).parents[2],
            )
        checkpoint.discard(place)


def begin(lesson: Lesson, frozen: FrozenNetworks) -> Training:
    """A fresh training, seeded."""
    seed_everything(lesson.params.seed)
    settings, budget = lesson.settings, lesson.budget
    translator = build_translator(
        lesson.method, settings, scale=budget.scale, text_width=text_width(lesson)
    )
    game = lesson.method.game(
        translator=translator, scale=budget.scale, frozen=frozen, **settings.game.model_dump()
    )
    # Channels last: 8 times faster for the 13x13 depthwise gradients, even on a processor.
    game.to(lesson.device)
    game.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    whole = lesson.params.crop[lesson.dataset].size
    try_sides(
        translator,
        lesson.method,
        sides={whole, budget.window or whole},
        text_width=text_width(lesson),
        device=lesson.device,
    )
    return Training(
        game=game,
        translator=translator,
        settings=settings,
        images=budget.images_of(len(lesson.crops.split("train"))),
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
    """Let the translator see one made-up picture of every side that it will be shown.

    A network that takes one size alone says so here, in its own words, before any work.
    """
    for side in sides:
        seen = see(method.sees, height=side, width=side, text_width=text_width)
        parts = {name: part.to(device) for name, part in vars(seen).items()}
        translator.eval()(method.sees(**parts))


def announce(training: Training, lesson: Lesson, place: Path) -> None:
    """Resume if there is a checkpoint; say what is begun, resumed, or left alone."""
    label = f"{lesson.dataset}-{lesson.name}"
    if checkpoint.resume(training, place, mark=lesson.mark):
        tqdm.write(
            f"{label}: resuming after {training.clock.images} of {training.clock.of} pictures"
        )
    elif left := checkpoint.others(place.parent, label=label, mark=lesson.mark):
        tqdm.write(
            f"{label}: fresh start; checkpoints of other settings, data or code are left alone: "
            f"{', '.join(left)}"
        )


def teach(training: Training, lesson: Lesson, tracked: Tracked, place: Path) -> dict[str, Any]:
    """Play to the end of the clock; returns how fast it went."""
    budget = lesson.budget
    batches = training_batches(
        showing(lesson),
        start_images=training.clock.images,
        images=training.clock.of,
        batch_size=budget.batch_size,
        workers=budget.workers,
        trains_on=lesson.method.trains_on,
        sees=lesson.method.sees,
        device=lesson.device,
    )
    first, start = training.clock.images, time.perf_counter()
    with progress(training, title=f"train {lesson.dataset}-{lesson.name}") as bar:
        validate = Every(budget.validate_every_images, validation(lesson))
        keep = Every(budget.checkpoint_every_images, keeping(lesson, tracked, place))
        late = budget.snapshots_after_images(len(lesson.crops.split("train")))
        kept = place / snapshots.FOLDER
        snap = At(late, lambda now: snapshots.keep(now, kept, label_of(lesson, now)))
        # before the checkpoint: whoever resumes finds every snapshot of what was played before
        play_all(training, batches, [bar, validate, snap, keep])
    seconds = time.perf_counter() - start
    shown = training.clock.images - first
    return {"training_pictures_per_second": shown / seconds if shown else None}


def validation(lesson: Lesson) -> Callable[[Training], None]:
    """PSNR and SSIM of what would ship now, on some frames of held-out training sequences."""
    rows = spread(lesson.crops.split("validation"), lesson.budget.validation_pictures)
    truth = truth_of(lesson.crops, rows, spectrum=lesson.method.direction.painted)
    references = held_out_references(lesson, rows)

    def act(training: Training) -> None:
        painted = paint_all(training, lesson, rows, references)
        scores = {
            "validation/psnr": float(psnr(painted, truth).mean()),
            "validation/ssim": float(ssim(painted, truth).mean()),
        }
        training.history.add(scores, clock_images=training.clock.images)

    return act


def keeping(lesson: Lesson, tracked: Tracked, place: Path) -> Callable[[Training], None]:
    """Checkpoint first, then tell MLflow: a killed training never tells the same story twice."""
    rows = spread(lesson.crops.split("validation"), PANEL_FRAMES)
    references = held_out_references(lesson, rows)

    def act(training: Training) -> None:
        checkpoint.save(training, place, mark=lesson.mark)
        tracked.log_rows(training.history.rows)
        picture = panel(lesson.crops, rows, paint_all(training, lesson, rows, references))
        tracked.log_panel(picture, images=training.clock.images)

    return act


def paint_all(
    training: Training, lesson: Lesson, rows: pd.DataFrame, references: References | None
) -> torch.Tensor:
    """Translations of all rows, by what would ship now."""
    parts = paint(
        training.shipped,
        lesson.crops,
        rows,
        sees=lesson.method.sees,
        text=lesson.text,
        batch_size=lesson.budget.batch_size,
        device=lesson.device,
        references=references,
    )
    return torch.cat([painted for _, painted in parts])


def leave(training: Training, lesson: Lesson, folder: Path, speed: dict[str, Any]) -> None:
    """Write the translator, its history and what the training cost."""
    save_translator(training.shipped, folder / "translator.safetensors", label_of(lesson, training))
    with whole_file(folder / "history.csv") as part:
        pd.DataFrame(training.history.rows).to_csv(part, index=False)
    cost = speed | {
        "peak_memory_bytes": peak_memory_bytes(lesson.device),
        "training_device": device_name(lesson.device),
    }
    write_text(folder / "cost.json", json.dumps(cost, indent=2) + "\n")


def label_of(lesson: Lesson, training: Training) -> Label:
    """What stands on the file of what would ship now."""
    return Label(
        name=lesson.name,
        settings=json.loads(lesson.settings.model_dump_json()),
        scale=lesson.budget.scale,
        text_width=text_width(lesson),
        trained_on=lesson.dataset,
        side=lesson.params.crop[lesson.dataset].size,
        frozen=lesson.params.weights,
        images=training.clock.images,
    )


def settings_of(lesson: Lesson) -> dict[str, Any]:
    """What MLflow shows of the settings, beside the budget."""
    block = json.loads(lesson.settings.model_dump_json())
    return {**block, "seed": lesson.params.seed, "frozen_weights": lesson.params.weights}
