"""The work of `translate`."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.memory import within_memory
from thermochroma.export.metadata import read_metadata
from thermochroma.export.onnx_file import is_onnx, read_onnx_metadata
from thermochroma.inference.defaults import BATCH
from thermochroma.inference.tiles import Tiling
from thermochroma.serving.camera import record
from thermochroma.serving.inputs import inputs_in
from thermochroma.serving.models import FOR_TRYING, is_drawn
from thermochroma.serving.options import InferenceOptions
from thermochroma.serving.places import translator_at
from thermochroma.serving.polarity import warning_of
from thermochroma.serving.tones import Mapping, Percentile, mapping_for, parse_tone
from thermochroma.serving.translate import Outcome, prepare, translate_files


def run(chosen: Namespace) -> None:
    """Translate the images; print how many there are, and list all that failed."""
    translator = translator_at(chosen.translator, chosen.data, runtime=chosen.runtime)
    _tell_drawn(translator)
    asked = parse_tone(chosen.tone)
    if chosen.camera is not None or chosen.seconds is not None:
        _record(chosen, translator, asked)
        return
    inputs = inputs_in(chosen.images, recursive=chosen.recursive, to=chosen.to)
    tone = mapping_for([one.path for one in inputs], asked, page=chosen.page)
    if tone is not None and tone != asked:
        sys.stdout.write(f"--tone '{tone}': the one mapping for all images; give it to repeat it\n")
    is_slow = _on_processor(translator)
    options = _options(chosen, tone, is_slow)
    outcomes: list[Outcome] = []
    written = translate_files(translator, inputs, chosen.to, options, again=chosen.again)
    try:
        with within_memory() if is_slow else nullcontext():
            for outcome in tqdm(written, total=len(inputs), desc="translate", unit="image"):
                outcomes.append(outcome)
                tqdm.write("".join(f"{outcome.image}: {one}\n" for one in outcome.told), end="")
    except BaseException:  # Ctrl-C, or a full disk: what failed before is told all the same
        sys.stderr.write(_failures(outcomes))
        raise
    kept = sum(outcome.kept for outcome in outcomes)
    there = f", {kept} of them there before (--again writes them anew)" if kept else ""
    done = [outcome.is_video for outcome in outcomes if outcome.fault is None]
    sys.stdout.write(f"{_counted(done)} in {chosen.to}{there}\n")
    guesses = [one.looks_black_hot for one in outcomes if one.looks_black_hot is not None]
    if warning := warning_of(guesses):
        sys.stderr.write(f"thermochroma: {warning}\n")
    if failures := _failures(outcomes):
        sys.exit(failures.rstrip())


def _options(chosen: Namespace, tone: Mapping | None, is_slow: bool) -> InferenceOptions:
    return InferenceOptions(
        chosen.text or chosen.data / "weights/clip",
        chosen.sentence,
        chosen.reference,
        tone,
        chosen.page,
        chosen.sharpness,
        Tiling(chosen.tile, chosen.overlap, guided=False if chosen.tiles_alone else None),
        chosen.codec,
        _batch(chosen.batch, is_slow),
        chosen.polarity,
        chosen.side_by_side,
        chosen.steady,
    )


def _batch(asked: int | None, is_slow: bool) -> int:
    """Number of images that go at once. Raises BadInput for less than one."""
    if asked is None:
        return 1 if is_slow else BATCH
    if asked < 1:
        raise BadInput(
            given=f"--batch is {asked}",
            needed="how many images go through the network at once: 1 or more",
            remedy="correct it",
        )
    return asked


def _record(chosen: Namespace, translator: Path, tone: Mapping | Percentile | None) -> None:
    """Record a camera. Raises BadInput for images beside it, and for a length without one."""
    if chosen.images or chosen.camera is None:
        raise BadInput(
            given="--seconds has no --camera"
            if chosen.camera is None
            else "images stand beside --camera",
            needed="images and videos, or a camera, whose recording --seconds ends",
            remedy="give a command of its own for each",
        )
    if chosen.batch is not None:
        raise BadInput(
            given="--batch is asked of a camera",
            needed="images that are there already: those of a camera are translated as they come",
            remedy="leave the option out",
        )
    painter, how = prepare(translator, _options(chosen, None, is_slow=True))
    target, told = record(
        *(painter, chosen.camera, chosen.to),
        how=how,
        tone=tone,
        codec=chosen.codec,
        seconds=chosen.seconds,
    )
    sys.stdout.write("".join(f"{target}: {one}\n" for one in told))


def _on_processor(translator: Path) -> bool:
    """Whether a processor computes it: always by ONNX Runtime, by torch where there is no GPU."""
    if is_onnx(translator):
        return True
    from thermochroma.base.device import find_device  # torch takes seconds to import

    return find_device().type == "cpu"


def _tell_drawn(translator: Path) -> None:
    """Say once, beside the results, that a translator of drawn images is there to try the program."""
    drawn = (
        read_onnx_metadata(translator).drawn
        if is_onnx(translator)
        else is_drawn(read_metadata(translator))
    )
    if drawn:
        sys.stderr.write(f"thermochroma: {translator} was trained on drawn images: {FOR_TRYING}\n")


def _counted(are_videos: Sequence[bool]) -> str:
    """Say how many images and videos there are; none of either are no images."""
    videos = sum(are_videos)
    images = len(are_videos) - videos
    parts = [f"{images} image{'s' * (images != 1)}"] if images or not videos else []
    return " and ".join([*parts, *[f"{videos} video{'s' * (videos != 1)}"] * bool(videos)])


def _failures(outcomes: Sequence[Outcome]) -> str:
    """List of all that failed, one line each; "" if nothing did."""
    faults = [f"  {outcome.fault}\n" for outcome in outcomes if outcome.fault]
    kind = "files" if any(outcome.is_video for outcome in outcomes) else "images"
    head = f"thermochroma: {len(faults)} of {len(outcomes)} {kind} were not translated:\n"
    return head + "".join(faults) if faults else ""
