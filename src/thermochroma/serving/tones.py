"""`--tone`: one mapping of a sensor's values to 8 bits for a whole call, given or found."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from thermochroma.base.decoding import ANOTHER
from thermochroma.base.errors import BadInput
from thermochroma.base.images import Counts, ThermalImage, Tone, size_of
from thermochroma.serving.arguments.translate import TONES
from thermochroma.serving.sensor import Sensed, Unit, read_sensor
from thermochroma.serving.video_files import Shot, is_video, opened_video

SHARE: Final = 1.0  # per cent that `auto` makes black, and as many white
SAMPLED: Final = 1 << 24  # values that percentiles are taken of, at most
LEAST_SPAN: Final[dict[Unit, float]] = {"counts": 256, "celsius": 5.0, "values": 0.0}
"""From black to white at least, so that a covered camera's noise stays noise: a grey level is a count, or
a fiftieth of a degree, as a good sensor's noise is. Of floats of no known unit nothing is known."""


@dataclass(frozen=True)
class Mapping:
    """A tone for all images of a call. unit: of the files that it is for; None for their own, whichever."""

    tone: Tone
    unit: Unit | None = None

    def __str__(self) -> str:
        """Write it as `--tone` takes it."""
        text = str(self.tone)
        return text.replace("window", "temperature", 1) if self.unit == "celsius" else text

    def apply(self, path: Path, sensed: Sensed) -> ThermalImage:
        """Map a file's values. Raises BadInput if all of them lie outside, or have another unit."""
        self.refuse_other_unit(path, sensed.unit)
        if self.misses(sensed.values):
            low, high = float(sensed.values.min()), float(sensed.values.max())
            raise BadInput(
                given=f"{path} has values from {low:g} to {high:g}, all outside of the tone `{self}`",
                needed="a tone between whose black and white the image's values lie",
                remedy="correct --tone; it is in the unit of the file",
            )
        return self.tone.apply(sensed.values)

    def refuse_other_unit(self, path: Path, unit: Unit) -> None:
        """Raise BadInput for a file whose values have another unit than the tone."""
        if self.unit is not None and self.unit != unit:
            raise BadInput(
                given=f"{path} does not say its temperatures",
                needed="for --tone 'temperature …', a file whose degrees Celsius are known, as FLIR's "
                "radiometric JPEGs",
                remedy="name values in the unit of the file, --tone 'window …', or --tone auto",
            )

    def misses(self, values: Counts) -> bool:
        """Whether all values lie outside of the tone, so that the image would be black or white."""
        return bool(values.max() <= self.tone.black or values.min() >= self.tone.white)


@dataclass(frozen=True)
class Percentile:
    """A mapping that is still to be found: so many per cent of all values are black, as many white."""

    share: float


def parse_tone(text: str) -> Mapping | Percentile | None:
    """Parse `--tone`; None for "". Raises BadInput for anything that is none of TONES."""
    words = text.split()
    remedy = f"correct --tone: {TONES}"
    if not words:
        return None
    if words == ["auto"] or words == ["percentile"]:
        return Percentile(SHARE)
    if words[0] == "percentile" and len(words) == 2:
        return Percentile(_share(words[1], remedy))
    is_temperature = words[0] == "temperature"
    plain = " ".join(["window", *words[1:]]) if is_temperature else text
    tone = Tone.parse(plain, remedy=remedy)
    assert tone is not None  # there are words
    return Mapping(tone, "celsius" if is_temperature else None)


def mapping_for(
    paths: Sequence[Path], asked: Mapping | Percentile | None, *, page: int | None = None
) -> Mapping | None:
    """Find the one mapping for all files; what was given stays as it is.

    Percentiles are those of all values of all files; of more than SAMPLED, of every second, third, …
    value of each image in the order of their size. Files that cannot be read, and those of 8 bits, are
    passed over: their turn to be refused comes. Raises BadInput if nothing is left, or if some files
    hold counts and some temperatures.
    """
    if not isinstance(asked, Percentile):
        return asked
    step = _pixels(paths) // SAMPLED + 1
    parts: list[Float32[np.ndarray, " n"]] = []
    units: defaultdict[Unit, list[Path]] = defaultdict(list)
    fault: BadInput | None = None
    for path in paths:
        found: set[Unit] = set()
        try:
            for sensed in _sensed_in(path, page):
                found.add(sensed.unit)
                values = np.sort(sensed.values, axis=None)
                parts.append(values[step // 2 :: step].astype(np.float32))
        except BadInput as problem:
            fault = fault or problem
        for unit in found:
            units[unit].append(path)
    if not parts:
        raise fault or _nothing_deep()
    _refuse_several(units)
    return _between(np.concatenate(parts), asked.share, next(iter(units)))


def holds_more_than_8_bits(path: Path) -> bool:
    """Whether a file is one that a tone is for. Raises BadInput if it cannot be read."""
    return next(_sensed_in(path, None), None) is not None


def _sensed_in(path: Path, page: int | None) -> Iterator[Sensed]:
    """A sensor's values in a file: of one image, of each image of a video, or none at all."""
    if not is_video(path):
        sensed = read_sensor(path, page=page)
        if sensed is not None:
            yield sensed
        return
    with opened_video(path) as video:
        for part in video.parts():
            if isinstance(part, Shot):
                if part.pixels.dtype == np.uint8:
                    return
                yield Sensed(part.pixels, "counts")


def _between(values: Float32[np.ndarray, " n"], share: float, unit: Unit) -> Mapping:
    """The mapping between two percentiles, in few digits, so that it can be given again."""
    black, white = (float(one) for one in np.percentile(values, [share, 100 - share]))
    lacking = max(0.0, LEAST_SPAN[unit] - (white - black)) / 2
    black, white = black - lacking, white + lacking
    if unit == "counts":
        black, white = float(np.floor(black)), float(np.ceil(white))
    else:
        black, white = float(f"{black:.6g}"), float(f"{white:.6g}")
    if not black < white:
        raise BadInput(
            given=f"the files' values are all {black:g}",
            needed="values between which a mapping can be laid",
            remedy="give other files, or a mapping of your own, --tone 'window …'",
        )
    return Mapping(Tone("window", black, white), "celsius" if unit == "celsius" else None)


def _share(word: str, remedy: str) -> float:
    try:
        share = float(word)
    except ValueError:
        share = -1.0
    if not 0 <= share < 50:
        raise BadInput(
            given=f"--tone is 'percentile {word}'",
            needed="the per cent of all values that become black, and as many white: from 0 to below 50",
            remedy=remedy,
        )
    return share


def _pixels(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        try:
            if is_video(path):
                with opened_video(path) as video:
                    count += math.prod(video.size) * (video.expected or 1)
            else:
                count += math.prod(size_of(path))
        except BadInput:
            continue
    return count


def _refuse_several(units: dict[Unit, list[Path]]) -> None:
    """Raise BadInput for files of several units, with the first file of each."""
    if len(units) > 1:
        told = ", ".join(
            f"{len(some)} in {unit}, as {some[0].name}" for unit, some in sorted(units.items())
        )
        raise BadInput(
            given=f"the files hold values of different units ({told})",
            needed="one unit in a call: one mapping is for all of its files",
            remedy="translate each kind by itself",
        )


def _nothing_deep() -> BadInput:
    return BadInput(
        given="no file holds more than 8 bits a pixel, and --tone is given",
        needed="a tone is for images of more than 8 bits",
        remedy=f"leave --tone out, or {ANOTHER}",
    )
