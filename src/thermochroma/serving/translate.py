"""Translation of image files: thermal into colour or, in the other direction, visible into thermal."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.decoding import decode
from thermochroma.base.endings import of_the_machine
from thermochroma.base.errors import BadInput
from thermochroma.base.images import ThermalImage, read_thermal, read_visible, size_of
from thermochroma.export.traits import Traits
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.tiles import Tiling
from thermochroma.serving.image_notes import Origin, digest, is_made_of, write_noted
from thermochroma.serving.inputs import Input
from thermochroma.serving.options import InferenceOptions, is_unsaid, refuse_unused
from thermochroma.serving.polarity import looks_black_hot
from thermochroma.serving.refusals import false_colours, needless_tone, no_tone
from thermochroma.serving.sensor import holds_sensor, read_sensor
from thermochroma.serving.tones import Mapping
from thermochroma.serving.video import Painter, Seen, Written, translate_video
from thermochroma.serving.video_files import is_video
from thermochroma.serving.video_writing import CODINGS

FAULTS: Final = (BadInput, RuntimeError, MemoryError)
"""Errors that may be one file's alone."""
IMAGE: Final = ".png"


@dataclass(frozen=True)
class Outcome:
    """Fate of an image or a video: written, kept as it was, or not translated for a reason.

    told: sentences on a video. looks_black_hot: whether hot things look dark in it; None if not looked at.
    """

    image: Path
    target: Path
    kept: bool = False
    fault: BadInput | None = None
    told: tuple[str, ...] = ()
    looks_black_hot: bool | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is a video's: images become PNGs."""
        return self.target.suffix != IMAGE


@dataclass(frozen=True, eq=False)
class Waiting:
    """An image that was read and is not translated yet.

    looks_black_hot: whether hot things look dark in it; None if not looked at.
    """

    path: Path
    target: Path
    origin: Origin
    image: Seen
    looks_black_hot: bool | None

    @property
    def pixels(self) -> int:
        """Pixels of the image."""
        return self.image.shape[0] * self.image.shape[1]


def translate_files(
    translator: Path,
    inputs: Sequence[Input],
    folder: Path,
    options: InferenceOptions,
    *,
    again: bool = False,
) -> Iterator[Outcome]:
    """Translate images into PNGs of their names in `folder`, videos into videos; yields outcomes.

    An image that is there already, made of the same file by the same translator and options, is left
    as it is unless `again`. Only what this function wrote is ever replaced: each image holds a note of
    its origin, and a file without one, or whose pixels are others than it says, is somebody else's.
    An image that cannot be translated does not stop the others.
    Raises BadInput if the translator, the reference or the folder cannot be used, or if an image would
    be overwritten by its own translation.
    """
    _refuse_own_place(inputs, folder, options.codec)
    _refuse_steady_images(inputs, options)
    painter, how = prepare(translator, options)
    files = [(one.path, target_of(one, folder, options.codec)) for one in inputs]
    yield from _translated(painter, files, options, how=how, again=again)


def translate_one(
    painter: Painter, path: Path, target: Path, options: InferenceOptions, *, how: str
) -> Outcome:
    """Translate an image or a video into `target`. how: digest of all but the input that decides it."""
    (outcome,) = _translated(painter, [(path, target)], options, how=how, again=False)
    return outcome


def _translated(
    painter: Painter,
    files: Sequence[tuple[Path, Path]],
    options: InferenceOptions,
    *,
    how: str,
    again: bool,
) -> Iterator[Outcome]:
    """Translate files into targets, in their order; as many images wait for each other as go at once."""
    window: list[Outcome | Waiting] = []
    for path, target in files:
        if is_video(path):
            yield from _finished(painter, window)
            window = []
            yield _translated_video(painter, path, target, options, how=how, again=again)
            continue
        one = _begun(painter, path, target, options, how=how, again=again)
        if not painter.fit([each.pixels for each in (*window, one) if isinstance(each, Waiting)]):
            yield from _finished(painter, window)
            window = []
        window.append(one)
        if len(window) >= painter.together:
            yield from _finished(painter, window)
            window = []
    yield from _finished(painter, window)


def _translated_video(
    painter: Painter,
    path: Path,
    target: Path,
    options: InferenceOptions,
    *,
    how: str,
    again: bool,
) -> Outcome:
    try:
        filmed = translate_video(
            *(painter, path, target), how=how, tone=options.tone, codec=options.codec, again=again
        )
    except FAULTS as problem:
        return Outcome(path, target, fault=_fault(path, problem))
    return Outcome(path, target, filmed.kept, None, filmed.told, filmed.looks_black_hot)


def _begun(
    painter: Painter,
    path: Path,
    target: Path,
    options: InferenceOptions,
    *,
    how: str,
    again: bool,
) -> Outcome | Waiting:
    """Read an image; its outcome if it is there already, or cannot be read or written."""
    traits = painter.predictor.traits
    try:
        origin = Origin(digest(path), how)
        if is_made_of(target, origin) and not again:
            return Outcome(path, target, kept=True)
        image = read_for(traits, path, options)
        guess = looks_black_hot(image) if is_unsaid(traits, options) else None
    except FAULTS as problem:
        return Outcome(path, target, fault=_fault(path, problem))
    return Waiting(path, target, origin, image, guess)


def _finished(painter: Painter, window: Sequence[Outcome | Waiting]) -> Iterator[Outcome]:
    """Translate and write what waits, images of one size at once; yields all outcomes in their order."""
    by_shape: dict[tuple[int, ...], list[Waiting]] = {}
    for one in window:
        if isinstance(one, Waiting):
            by_shape.setdefault(one.image.shape, []).append(one)
    painted: dict[Path, Written | BadInput] = {}
    for alike in by_shape.values():
        size = painter.batch_of(alike[0].image)
        for start in range(0, len(alike), size):
            painted |= _painted(painter, alike[start : start + size])
    for one in window:
        yield one if isinstance(one, Outcome) else _written(one, painted.pop(one.target))


def _painted(painter: Painter, images: list[Waiting]) -> dict[Path, Written | BadInput]:
    """Translations of images of one size, by their targets; a fault is that of one image alone."""
    try:
        found = painter.paint([one.image for one in images])
        return dict(zip((one.target for one in images), found, strict=True))
    except FAULTS as problem:
        if len(images) == 1:
            return {images[0].target: _fault(images[0].path, problem)}
    half = len(images) // 2  # which one it was is not told, or it was the memory for all of them
    return _painted(painter, images[:half]) | _painted(painter, images[half:])


def _written(one: Waiting, painted: Written | BadInput) -> Outcome:
    if isinstance(painted, BadInput):
        return Outcome(one.path, one.target, fault=painted)
    write_noted(one.target, painted, one.origin)
    return Outcome(one.path, one.target, looks_black_hot=one.looks_black_hot)


def prepare(translator: Path, options: InferenceOptions) -> tuple[Painter, str]:
    """Load a translator with what goes with each image; and a digest of all that decides what is painted.

    Raises BadInput if the translator, the reference or an option cannot be used.
    """
    predictor = load_predictor(translator, text=options.text, sentence=options.sentence)
    return prepared(predictor, translator, options)


def prepared(
    predictor: Predictor, translator: Path, options: InferenceOptions
) -> tuple[Painter, str]:
    """Add to a loaded translator what goes with each image; see `prepare`."""
    refuse_unused(predictor.traits, options)
    reference = None if options.reference is None else read_visible(options.reference)[None]
    sharpness = options.sharpness or 0.0
    painter = Painter(
        *(predictor, reference, sharpness, options.tiling, options.together),
        negated=options.polarity == "black-hot",
        guesses=is_unsaid(predictor.traits, options),
        side_by_side=options.side_by_side,
        steady=options.steady,
    )
    return painter, _how(predictor, translator, options)


def target_of(one: Input, folder: Path, codec: str) -> Path:
    """Name the file for the translation of an image or a video."""
    suffix = CODINGS[codec].suffix if is_video(one.path) else IMAGE
    return folder / one.place / f"{one.path.stem}{suffix}"


def read_for(traits: Traits, path: Path, options: InferenceOptions) -> UInt8[np.ndarray, "h w *c"]:
    """Read an image of the spectrum that the translator sees. Raises BadInput for one of the other."""
    options.tiling.refuse_too_large(*size_of(path), given=str(path))
    if traits.spectrum == "visible":
        return read_visible(path, page=options.page)
    _refuse_other_depth(path, options.tone)
    sensed = None if options.tone is None else read_sensor(path, page=options.page)
    if sensed is not None and options.tone is not None:
        return options.tone.apply(path, sensed)
    return _read_grey(path, page=options.page)


def _read_grey(path: Path, *, page: int | None) -> ThermalImage:
    """Read a thermal image of 8 bits. Raises BadInput with the ways out for one in false colours."""
    try:
        return read_thermal(path, page=page)
    except BadInput as problem:
        if decode(path, page=page).ndim == 2:
            raise
        raise false_colours(problem.given) from None  # refused for its three channels' colour alone


def _refuse_other_depth(path: Path, tone: Mapping | None) -> None:
    """Raise BadInput for counts without a tone, and for a tone without counts."""
    if holds_sensor(path) and tone is None:
        raise no_tone(str(path))
    if tone is not None and not holds_sensor(path):
        raise needless_tone(str(path))


def _how(predictor: Predictor, translator: Path, options: InferenceOptions) -> str:
    """Digest of all but the input that decides what is written."""
    sees_text = predictor.traits.sees_text
    parts = {
        "translator": digest(translator),
        "sentence": options.text_of_all if sees_text else None,
        "text": _digest_of_encoder(options.text) if sees_text else None,
        "reference": None if options.reference is None else digest(options.reference),
        "tone": None if options.tone is None else str(options.tone),
        "page": options.page,
    }
    if predictor.traits.is_tunable:
        parts["sharpness"] = str(options.sharpness or 0.0)
    if options.tiling != Tiling():
        parts["tiling"] = str(options.tiling)
    if options.polarity == "black-hot":
        parts["polarity"] = options.polarity
    if options.side_by_side:
        parts["side_by_side"] = "yes"
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest_of_encoder(folder: Path) -> str:
    from thermochroma.networks.frozen import TENSORS  # a translator that sees text has loaded torch

    return digest(folder / TENSORS)


def _fault(path: Path, problem: Exception) -> BadInput:
    """Sentence for an image that could not be translated; an error of ours, or of the disk, is raised."""
    if isinstance(problem, BadInput):
        return problem
    lacking = of_the_machine(problem, "translate it again")
    if lacking is None:
        raise problem
    return BadInput(
        given=f"{path}: {lacking.given}",
        needed=lacking.needed,
        remedy="translate it in smaller tiles, --tile 512, or scale it down",
    )


def _refuse_steady_images(inputs: Sequence[Input], options: InferenceOptions) -> None:
    """Raise BadInput for steadier images where there is no video."""
    if options.steady and not any(is_video(one.path) for one in inputs):
        raise BadInput(
            given=f"--steady {options.steady:g} is asked of images",
            needed="a video: images in files stand for themselves",
            remedy="leave the option out, or make a video of them",
        )


def _refuse_own_place(inputs: Sequence[Input], folder: Path, codec: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise BadInput(
            given=f"{folder} is a file",
            needed="a folder for the translated images; it need not exist",
            remedy="name another one with --to",
        )
    own = {one.path.resolve() for one in inputs}
    for one in inputs:
        if target_of(one, folder, codec).resolve() in own:
            raise BadInput(
                given=f"{one.path} would be overwritten by its translation",
                needed="another folder for the translated images",
                remedy="name another folder with --to",
            )
