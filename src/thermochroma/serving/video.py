"""Translation of videos, image by image as they are read; only a few images are in memory at a time."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Shaped, UInt8
from tqdm import tqdm

from thermochroma.base.decoding import ANOTHER
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256, whole_file
from thermochroma.base.reading import reading
from thermochroma.inference.defaults import WHOLE
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.tiles import Tiling, settled, translate_tiled
from thermochroma.serving.polarity import looks_black_hot
from thermochroma.serving.refusals import false_colours, needless_tone, no_tone
from thermochroma.serving.tones import Mapping
from thermochroma.serving.video_files import (
    Shot,
    Sound,
    Video,
    as_thermal,
    opened_video,
    shows_colour,
)
from thermochroma.serving.video_writing import CODINGS, Coding, Film, Note, filming, note_of

UNTIL_COLOUR: Final = 250  # images without any colour after which a video counts as grey

Seen = UInt8[np.ndarray, "h w *c"]
Painted = UInt8[np.ndarray, "h w *d"]
Written = UInt8[np.ndarray, "h y *e"]  # another width, if what was seen stands beside it
Steadied = Callable[[Seen, Painted], Painted]


@dataclass(frozen=True)
class Filmed:
    """Fate of a video: kept as it was, or written. told: sentences on it.

    looks_black_hot: whether hot things look dark in most of its images; None if not looked at.
    """

    kept: bool = False
    told: tuple[str, ...] = ()
    looks_black_hot: bool | None = None


@dataclass(frozen=True, eq=False)
class Painter:
    """A translator for images and those of videos, with all that goes with each of them.

    together: how many images go at once, at most. negated: whether images are turned into their
    negatives first, for hot things are dark in them. guesses: whether it is looked for that. side_by_side:
    whether what the translator sees stands to the left of what it gives. steady: share of the former image
    of a video in the next one, 0 to below 1.
    """

    predictor: Predictor
    reference: UInt8[np.ndarray, "1 y x 3"] | None
    sharpness: float
    tiling: Tiling
    together: int
    negated: bool = False
    guesses: bool = False
    side_by_side: bool = False
    steady: float = 0.0

    def batch_of(self, image: Seen) -> int:
        """Count the images of this size that go at once."""
        height, width = image.shape[:2]
        if self.tiling.side_for(width, height) is not None:
            return 1
        return int(np.clip(WHOLE // (width * height), 1, self.together))

    def fit(self, pixels: Sequence[int]) -> bool:
        """Whether images of these numbers of pixels are few and small enough to wait for each other."""
        return len(pixels) <= 1 or (len(pixels) <= self.together and sum(pixels) <= WHOLE)

    def paint(self, images: list[Seen], steadied: Steadied | None = None) -> list[Written]:
        """Translate images of one size, as images in files are translated.

        steadied: of the video whose next images they are; None for those in files.
        """
        images = [self.shown(one) for one in images]
        painted = self._translated(images)
        if steadied is not None:
            painted = [steadied(*pair) for pair in zip(images, painted, strict=True)]
        if not self.side_by_side:
            return painted
        return [_beside(*pair) for pair in zip(images, painted, strict=True)]

    def steadier(self) -> Steadied | None:
        """Start what steadies the images of one video; None where that is not asked for."""
        if not self.steady:
            return None
        from thermochroma.serving.steadying import Steadier  # OpenCV: 150 MB, else not needed

        return Steadier(self.steady)

    def shown(self, image: Seen) -> Seen:
        """Give the image as the translator sees it."""
        return 255 - image if self.negated else image

    def settled(self, first: Seen) -> "Painter":
        """Settle by the first image of a video what is found image by image otherwise."""
        shown = self.shown(first)
        tiling = settled(
            *(self.tiling, self.predictor, shown, self.reference), sharpness=self.sharpness
        )
        return replace(self, tiling=tiling)

    def _translated(self, images: list[Seen]) -> list[Painted]:
        if len(images) == 1:
            translated = translate_tiled(
                *(self.predictor, images[0], self.reference),
                tiling=self.tiling,
                sharpness=self.sharpness,
            )[None]
        else:
            references = None
            if self.reference is not None:
                references = np.repeat(self.reference, len(images), axis=0)
            translated = self.predictor(np.stack(images), references, sharpness=self.sharpness)
        return [one[..., 0] if one.shape[-1] == 1 else one for one in translated]


@dataclass(eq=False)
class Sight:
    """From what a video holds to what a translator sees: 8 bits of the spectrum `sees`.

    Raises BadInput for images that would be refused as files. An image that lies outside of the tone, as
    when a camera closes its shutter, ends no video: it is counted.
    """

    name: str
    path: Path
    sees: str
    tone: Mapping | None
    count: int = 0
    beside: int = field(default=0, init=False)
    grey: int = field(default=0, init=False)
    black_hot: int = field(default=0, init=False)

    def __call__(self, pixels: Shaped[np.ndarray, "..."]) -> Seen:
        """Give the image that the translator sees."""
        self.count += 1
        if self.sees == "visible":
            return self._visible(pixels)
        if pixels.dtype != np.uint8:
            return self._toned(pixels)
        if self.tone is not None:
            raise needless_tone(self.name)
        image = as_thermal(pixels)
        if image is None:
            raise false_colours(f"image {self.count} of {self.name} shows colour")
        self.black_hot += looks_black_hot(image)
        return image

    def told(self) -> list[str]:
        """Sentences at the end of the video. Raises BadInput if it had nothing to see at all."""
        if self.count and self.grey == self.count:
            raise self._is_grey()
        if not self.beside:
            return []
        if self.beside == self.count:
            raise BadInput(
                given=f"all values of {self.name} lie outside of the tone `{self.tone}`",
                needed="a tone between whose black and white the values lie",
                remedy="correct --tone; it is in the unit of the file",
            )
        return [f"{self.beside} of its {self.count} images lie wholly outside of the tone"]

    def _toned(self, counts: Shaped[np.ndarray, "h w"]) -> Seen:
        if self.tone is None:
            raise no_tone(self.name)
        self.tone.refuse_other_unit(self.path, "counts")
        self.beside += self.tone.misses(counts)
        return self.tone.tone.apply(counts)

    def _visible(self, pixels: Shaped[np.ndarray, "..."]) -> Seen:
        """A dark image may be grey; a video that is grey for long is none of visible light."""
        is_grey = pixels.ndim == 2
        self.grey += is_grey or not shows_colour(pixels)
        if is_grey or (self.grey == self.count == UNTIL_COLOUR):
            raise self._is_grey()
        return pixels

    def _is_grey(self) -> BadInput:
        return BadInput(
            given=f"{self.name} is grey where a video in colour is expected",
            needed="visible images have three channels that differ",
            remedy="check that thermal and visible videos are not exchanged, or leave this one out",
        )


def translate_video(
    painter: Painter,
    path: Path,
    target: Path,
    *,
    how: str,
    tone: Mapping | None,
    codec: str,
    again: bool,
) -> Filmed:
    """Translate a video into `target`, with its times and its sound; whole or not at all.

    how: digest of all but the video and the codec that decides what is written. A video that is there
    already, made of the same, is left as it is unless `again`; one that is not as we wrote it is never
    replaced. Raises BadInput for a video that cannot be read or translated.
    """
    with reading(path, needed="a file that can be read", remedy=ANOTHER):
        source = sha256(path)
    parts = [how, codec, painter.steady] if painter.steady else [how, codec]
    note = Note(source, hashlib.sha256(json.dumps(parts).encode()).hexdigest())
    there = _ours(target)
    if there is not None and (there.input, there.how) == (note.input, note.how) and not again:
        return Filmed(kept=True)
    begun = time.monotonic()
    with opened_video(path) as video:
        painter.tiling.refuse_too_large(*video.size, given=video.name)
        sight = Sight(video.name, path, painter.predictor.sees, tone)
        with whole_file(target) as part:
            told = film(painter, video, video.parts(), sight, part, CODINGS[codec], note)
    took = time.monotonic() - begun
    count = "1 image" if sight.count == 1 else f"{sight.count} images"
    speed = f"{count} in {took:.1f} s ({sight.count / took:.3g} a second)"
    guess = 2 * sight.black_hot > sight.count if painter.guesses else None
    return Filmed(told=(speed, *told), looks_black_hot=guess)


def film(
    painter: Painter,
    video: Video,
    parts: Iterable[Shot | Sound],
    sight: Sight,
    target: Path,
    coding: Coding,
    note: Note,
) -> list[str]:
    """Translate what comes, image by image, into a new video; gives sentences on what is not kept."""
    steadied = painter.steadier()
    with (
        filming(target, coding, video, note) as written,
        tqdm(total=video.expected, desc=Path(video.name).name, unit="image", leave=False) as bar,
    ):
        for number, shots in enumerate(_batches(parts, written, sight, painter)):
            seen = [one for _, one in shots]
            painter = painter if number else painter.settled(seen[0])
            images = painter.paint(seen, steadied)
            for (shot, _), image in zip(shots, images, strict=True):
                written.add(image, shot)
            bar.update(len(shots))
        told = sight.told()
    return [*told, *written.told]


def _batches(
    parts: Iterable[Shot | Sound], written: Film, sight: Sight, painter: Painter
) -> Iterator[list[tuple[Shot, Seen]]]:
    """Images of one size, as many as go at once; sound goes straight on into `written`."""
    waiting: list[tuple[Shot, Seen]] = []
    for part in parts:
        if isinstance(part, Sound):
            written.add_sound(part)
            continue
        seen = sight(part.pixels)
        if waiting and waiting[0][1].shape != seen.shape:
            yield waiting
            waiting = []
        waiting.append((part, seen))
        if len(waiting) >= painter.batch_of(seen):
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _beside(seen: Seen, painted: Painted) -> Written:
    """Join what was seen and, to its right, what came of it: in colour, for one of the two is."""
    both = [
        one if one.ndim == 3 else np.repeat(one[..., None], 3, axis=-1) for one in (seen, painted)
    ]
    return np.concatenate(both, axis=1)


def _ours(target: Path) -> Note | None:
    """Note of a video that we wrote; None for a name that is free. Raises BadInput for others."""
    if not target.exists() and not target.is_symlink():
        return None
    note = note_of(target) if target.is_file() else None
    if note is None:
        raise BadInput(
            given=f"{target} exists and is not as `translate` wrote it",
            needed="a free name: only videos of `translate`'s own are replaced",
            remedy="name another folder with --to, or remove that file yourself",
        )
    return note
