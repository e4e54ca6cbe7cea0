"""Play one method's game on one data set."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from stages import snapshots
from stages.command import at_root, project_root, run
from stages.lineage import lineage
from stages.machine import choose_device
from stages.text import read_text
from thermochroma.alone import alone
from thermochroma.batch import Edged, Triplets
from thermochroma.cost import device_name, peak_memory_bytes
from thermochroma.errors import BadInput
from thermochroma.files import sha256, whole_file, write_text
from thermochroma.label import Label
from thermochroma.loading.assemble import needs_references, seen_spectrum
from thermochroma.loading.crops import FINGERPRINT, MANIFEST, Crops
from thermochroma.loading.edges import DETECTOR, EdgeMaps, find_edges
from thermochroma.loading.loader import Showing, TrainingPictures, training_batches
from thermochroma.loading.references import References, retrieved
from thermochroma.loading.text import TextTable
from thermochroma.loading.training_references import TrainingReferences
from thermochroma.loading.triplets import TrainingTriplets
from thermochroma.made_up import see
from thermochroma.method import Method, Pairing, Translator, load_method
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.painting import paint, panel, spread, truth_of
from thermochroma.params import Budget, Params, read_params
from thermochroma.settings import Settings
from thermochroma.shipping import build_translator, save_translator
from thermochroma.tracking import Tracker
from thermochroma.tracking import Training as Tracked
from thermochroma.training import checkpoint
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training, seed_everything
from thermochroma.training.watchers import At, Every, progress

PANEL_FRAMES = 4


@dataclass(frozen=True)
class Lesson:
    """All that one training is made of."""

    dataset: str
    name: str
    params: Params
    settings: Settings
    method: Method
    budget: Budget
    crops: Crops
    text: TextTable | None
    edges: Path
    """Where edge maps are kept, for methods that need them."""
    device: torch.device
    mark: str


def main(
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
                code=Path(__file__).parents[1] / "src",
            )
        checkpoint.discard(place)


def prepare(
    dataset: str,
    name: str,
    params: Params,
    crops: Path,
    text: Path,
    weights: Path,
    edges: Path,
    code: list[Path],
) -> Lesson:
    """Read what the training needs, and name it by a fingerprint of all that decides its outcome."""
    settings, budget = params.method(name), params.budget_of(dataset, name)
    params = params.model_copy(update={"seed": params.seed_of(name)})
    method = load_method(settings.method)
    side = params.crop[dataset].size
    refuse_side(side, method, multiple=method.sides_multiple_of, dataset=dataset)
    window = budget.window or side
    refuse_side(window, method, multiple=method.window_multiple(settings), dataset=dataset)
    refuse_sampling(settings, method)
    device = choose_device()
    table = read_text(method.sees, text)
    mark = checkpoint.fingerprint(
        settings=settings.model_dump(),
        budget=budget.deciding(),
        seed=params.seed,
        weights=params.weights,
        frozen=FrozenNetworks(weights).hashes(),
        data=[sha256(crops / file) for file in (MANIFEST, FINGERPRINT)],
        text=sha256(text) if table is not None else "",
        code=[sha256(path) for path in code],
        torch=torch.__version__,
        device=device.type,
    )
    return Lesson(
        dataset=dataset,
        name=name,
        params=params,
        settings=settings,
        method=method,
        budget=budget,
        crops=Crops(crops),
        text=table,
        edges=at_root(edges),
        device=device,
        mark=mark,
    )


def refuse_side(side: int, method: Method, *, multiple: int, dataset: str) -> None:
    """Raise BadInput if the crops, or windows of them, do not fit the method's networks."""
    if side % multiple or side < method.least_side:
        least = f" of at least {method.least_side}" if method.least_side > multiple else ""
        raise BadInput(
            given=f"the crops or windows of `{dataset}` are {side} pixels wide",
            needed=f"{method.title} takes sides{least} that are multiples of {multiple}",
            remedy=f"change `crop.{dataset}.size` or `budget.{dataset}`, or leave the method out",
        )


def refuse_sampling(settings: Settings, method: Method) -> None:
    """Raise BadInput if pictures would be drawn apart for a method that is taught with pairs."""
    if settings.sampling == "disjoint" and method.pairing is Pairing.ALIGNED:
        raise BadInput(
            given=f"`sampling: disjoint` for {method.title}",
            needed="a method that is taught without pairs",
            remedy="set `sampling: pooled`, or leave it out",
        )


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
    try_sides(translator, lesson)
    return Training(
        game=game,
        translator=translator,
        settings=settings,
        images=budget.images_of(len(lesson.crops.split("train"))),
        reading_every_images=budget.reading_every_images,
        half_precision=budget.precision == "bfloat16",
    )


@torch.no_grad()
def try_sides(translator: Translator[Any], lesson: Lesson) -> None:
    """Let the translator see one made-up picture of every side that it will be shown.

    A network that takes one size alone says so here, in its own words, before any work.
    """
    whole = lesson.params.crop[lesson.dataset].size
    for side in {whole, lesson.budget.window or whole}:
        seen = see(lesson.method.sees, height=side, width=side, text_width=text_width(lesson))
        parts = {name: part.to(lesson.device) for name, part in vars(seen).items()}
        translator.eval()(lesson.method.sees(**parts))


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


def showing(lesson: Lesson) -> Showing:
    """The pictures (or triplets) that the game is shown."""
    budget, method = lesson.budget, lesson.method
    how: dict[str, Any] = {
        "crops": lesson.crops,
        "disjoint": lesson.settings.sampling == "disjoint",
        "flip": budget.flip,
        "window": budget.window or lesson.params.crop[lesson.dataset].size,
        "seed": lesson.params.seed,
    }
    if method.trains_on is Triplets:
        return TrainingTriplets(**how)
    rows = lesson.crops.split("train")
    return TrainingPictures(
        **how,
        rows=rows,
        text=lesson.text,
        aligned=method.pairing is Pairing.ALIGNED,
        references=training_references(lesson),
        edges=training_edges(lesson, rows),
    )


def training_edges(lesson: Lesson, rows: pd.DataFrame) -> EdgeMaps | None:
    """For a game that is shown edges, those of its training pictures, found now or before."""
    if lesson.method.trains_on is not Edged:
        return None
    settings = lesson.settings.edges
    assert settings is not None  # the settings of such a method require it
    mark = checkpoint.fingerprint(
        crops=sha256(lesson.crops.folder / FINGERPRINT),
        settings=settings.model_dump(),
        detector=DETECTOR,
    )
    return find_edges(lesson.crops.places(rows), lesson.edges / mark, settings)


def training_references(lesson: Lesson) -> TrainingReferences | None:
    """For a method that sees references, how they are drawn."""
    if not needs_references(lesson.method.sees):
        return None
    assert lesson.settings.references is not None  # the settings of such a method require it
    return TrainingReferences(
        crops=lesson.crops,
        rows=lesson.crops.split("train"),
        seed=lesson.params.seed,
        **lesson.settings.references.model_dump(),
    )


def held_out_references(lesson: Lesson, rows: pd.DataFrame) -> References | None:
    """For a method that sees references, those of held-out rows."""
    return retrieved(lesson.crops, rows) if needs_references(lesson.method.sees) else None


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


def text_width(lesson: Lesson) -> int:
    """Width of the text features; 0 without text."""
    return lesson.text.features.shape[-1] if lesson.text is not None else 0


if __name__ == "__main__":
    run(main)
