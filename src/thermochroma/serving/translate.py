"""Translation of image files: thermal into colour or, in the other direction, visible into thermal."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.decoding import ANOTHER, decode
from thermochroma.base.endings import of_the_machine
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import (
    ThermalImage,
    note_in,
    read_thermal,
    read_visible,
    size_of,
    write_image,
)
from thermochroma.base.reading import reading
from thermochroma.export.traits import Traits
from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.tiles import Tiling
from thermochroma.serving.arguments.translate import CODECS
from thermochroma.serving.inputs import Input
from thermochroma.serving.polarity import Polarity, looks_black_hot
from thermochroma.serving.refusals import false_colours, needless_tone, no_tone
from thermochroma.serving.sensor import holds_sensor, read_sensor
from thermochroma.serving.tones import Mapping
from thermochroma.serving.video import Painter, translate_video
from thermochroma.serving.video_files import is_video
from thermochroma.serving.video_writing import CODINGS


@dataclass(frozen=True)
class InferenceOptions:
    """Further inputs that a translator may need beside the images.

    text: folder of the text encoder with which it was trained. sentence: its text for every image; None
    for a neutral one, or for a method that reads none. reference: a visible image of any size to take
    colours from, or None. tone: the one mapping that reduces images of more than 8 bits to 8. page: which
    one of files with several, from 1; None if each has one alone. sharpness: 0 to 1, for a method that
    can be asked for it; None for its mean, or for another method. tiling: how large images are divided.
    codec: of videos, one of CODINGS. together: how many images of a video go at once, at most. polarity:
    whether hot things are bright in the images; "guess" takes them so, and says where they look dark.
    side_by_side: whether what the translator sees stands to the left of what it gives. steady: share of
    the former image of a video in the next one.
    """

    text: Path
    sentence: str | None = None
    reference: Path | None = None
    tone: Mapping | None = None
    page: int | None = None
    sharpness: float | None = None
    tiling: Tiling = field(default_factory=Tiling)
    codec: str = CODECS[0]
    together: int = 1
    polarity: Polarity = "guess"
    side_by_side: bool = False
    steady: float = 0.0

    @property
    def text_of_all(self) -> str:
        """The sentence that a method that reads is given."""
        return NEUTRAL if self.sentence is None else self.sentence


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


@dataclass(frozen=True)
class Origin:
    """Note inside every image that is written, as digests: of its input, of all else, of its pixels."""

    input: str
    how: str
    pixels: str


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
    for one in inputs:
        target = target_of(one, folder, options.codec)
        yield translate_one(painter, one.path, target, options, how=how, again=again)


def translate_one(
    painter: Painter,
    path: Path,
    target: Path,
    options: InferenceOptions,
    *,
    how: str,
    again: bool = False,
) -> Outcome:
    """Translate an image or a video into `target`. how: digest of all but the input that decides it."""
    traits = painter.predictor.traits
    try:
        if is_video(path):
            filmed = translate_video(
                *(painter, path, target),
                how=how,
                tone=options.tone,
                codec=options.codec,
                again=again,
            )
            return Outcome(path, target, filmed.kept, None, filmed.told, filmed.looks_black_hot)
        origin = Origin(_digest(path), how, "")
        there = _ours(target)
        if there is not None and replace(there, pixels="") == origin and not again:
            return Outcome(path, target, kept=True)
        image = read_for(traits, path, options)
        guess = looks_black_hot(image) if _is_unsaid(traits, options) else None
        (prediction,) = painter.paint([image])
    except (BadInput, RuntimeError, MemoryError) as problem:
        return Outcome(path, target, fault=_fault(path, problem))
    note = replace(origin, pixels=_digest_of(prediction))
    write_image(target, prediction, note=json.dumps(asdict(note), sort_keys=True))
    return Outcome(path, target, looks_black_hot=guess)


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
    _refuse_unused(predictor.traits, options)
    reference = None if options.reference is None else read_visible(options.reference)[None]
    sharpness = options.sharpness or 0.0
    painter = Painter(
        *(predictor, reference, sharpness, options.tiling, options.together),
        negated=options.polarity == "black-hot",
        guesses=_is_unsaid(predictor.traits, options),
        side_by_side=options.side_by_side,
        steady=options.steady,
    )
    return painter, _how(predictor, translator, options)


def target_of(one: Input, folder: Path, codec: str) -> Path:
    """Name the file for the translation of an image or a video."""
    suffix = CODINGS[codec].suffix if is_video(one.path) else ".png"
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


def _refuse_unused(traits: Traits, options: InferenceOptions) -> None:
    """Raise BadInput for an option that is asked of a method without it, and for a degree beyond 0 to 1."""
    sharpness = options.sharpness
    asked = {
        f"--sharpness {sharpness or 0:g} is": (
            sharpness,
            traits.is_tunable,
            "has degrees of sharpness",
        ),
        "--sentence is": (
            options.sentence,
            traits.sees_text or traits.sentence is not None,
            "reads",
        ),
        "--reference is": (
            options.reference,
            traits.sees_references,
            "takes colours from references",
        ),
        f"--polarity {options.polarity} is": (
            None if options.polarity == "guess" else options.polarity,
            traits.spectrum == "thermal",
            "takes thermal images",
        ),
    }
    for told, (value, used, has) in asked.items():
        if value is not None and not used:
            raise BadInput(
                given=f"{told} asked of {traits.title}",
                needed=f"a translator whose method {has}",
                remedy="leave the option out, or name another translator",
            )
    if not 0 <= options.steady < 1:
        raise BadInput(
            given=f"--steady is {options.steady:g}",
            needed="the share of the former image: 0, for none of it, to below 1; 0.8 is much",
            remedy="correct it",
        )
    if sharpness is not None and not 0 <= sharpness <= 1:
        raise BadInput(
            given=f"--sharpness is {sharpness:g}",
            needed="0, for the least error, to 1, for the sharpest image",
            remedy="correct it",
        )
    if (
        options.polarity == "black-hot"
        and options.tone is not None
        and options.tone.unit == "celsius"
    ):
        raise BadInput(
            given="--polarity black-hot is asked of temperatures",
            needed="images whose grey may rise or fall with the heat",
            remedy="leave the option out",
        )


def _is_unsaid(traits: Traits, options: InferenceOptions) -> bool:
    """Whether neither the caller tells the polarity nor a sensor's values, which rise with the heat."""
    return traits.spectrum == "thermal" and options.polarity == "guess" and options.tone is None


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
        "translator": _digest(translator),
        "sentence": options.text_of_all if sees_text else None,
        "text": _digest_of_encoder(options.text) if sees_text else None,
        "reference": None if options.reference is None else _digest(options.reference),
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


def _digest(path: Path) -> str:
    with reading(path, needed="a file that can be read", remedy=ANOTHER):
        return sha256(path)


def _digest_of_encoder(folder: Path) -> str:
    from thermochroma.networks.frozen import TENSORS  # a translator that sees text has loaded torch

    return _digest(folder / TENSORS)


def _digest_of(image: UInt8[np.ndarray, "h w *c"]) -> str:
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _ours(target: Path) -> Origin | None:
    """Origin of an image that we wrote; None for a name that is free. Raises BadInput for others."""
    if not target.exists() and not target.is_symlink():
        return None
    try:
        origin = Origin(**json.loads(note_in(target) or ""))
        if origin.pixels == _digest_of(decode(target)):
            return origin
    except (BadInput, TypeError, ValueError, RecursionError):
        pass
    raise BadInput(
        given=f"{target} exists and is not as `translate` wrote it",
        needed="a free name: only images of `translate`'s own are replaced",
        remedy="name another folder with --to, or remove that file yourself",
    )


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
