"""Videos, written image by image by PyAV (FFmpeg), with a note of their origin that tells our files."""

import hashlib
import json
import mmap
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.files import CHUNK_BYTES
from thermochroma.base.reading import quote
from thermochroma.serving.video_files import ALONE, Shot, Sound, Video, library

TELLS: Final = "comment"  # the one entry of free text that all containers keep
DIGEST: Final = re.compile("[0-9a-f]{64}")
BT709: Final = 1  # H.273's number for the matrix, the primaries and the transfer of sRGB's video
LIMITED: Final = 1  # FFmpeg's number for luma from 16 to 235


SAME_BYTES: Final = {"x264-params": "asm=AVX2"} if platform.machine() in ("x86_64", "AMD64") else {}
"""Options by which x264 gives the same bytes each time: by AVX-512 it reads memory that it did not write
for widths that are no multiple of 128 (x264 165, macroblock tree)."""


@dataclass(frozen=True)
class Coding:
    """One way to code a video. colour, grey: FFmpeg's names for the pixels' forms that are coded.

    even: whether height and width must be even. options: of the encoder.
    """

    encoder: str
    suffix: str
    colour: str
    grey: str
    even: bool
    options: dict[str, str] = field(default_factory=dict)
    tag: str | None = None

    @property
    def is_lossless(self) -> bool:
        """Whether images come out of the video as they went in."""
        return self.encoder == "ffv1"


CODINGS: Final = {
    "h264": Coding("libx264", ".mp4", "yuv420p", "yuv420p", True, {"crf": "18"} | SAME_BYTES),
    "h265": Coding(
        *("libx265", ".mp4", "yuv420p", "yuv420p", True),
        {"crf": "20", "x265-params": "log-level=error"},
        tag="hvc1",  # by which Apple's players know it
    ),
    "vp9": Coding(
        *("libvpx-vp9", ".webm", "yuv420p", "yuv420p", True),
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    ),
    "av1": Coding("libsvtav1", ".mp4", "yuv420p", "yuv420p", True, {"crf": "24", "preset": "8"}),
    "ffv1": Coding("ffv1", ".mkv", "bgr0", "gray", False, {"level": "3", "slicecrc": "1"}),
}
"""By the name that `--codec` takes: all that PyAV's wheels write, and that were tried."""


@dataclass(frozen=True)
class Note:
    """Note inside a video of ours, as digests: of its input, of all else, of its own bytes."""

    input: str
    how: str
    file: str = ""

    @property
    def blank(self) -> str:
        """Stands in the place of the last digest while that is computed."""
        return hashlib.sha256(f"{self.input} {self.how}".encode()).hexdigest()


class Film:
    """A video that is being written; made by `filming`."""

    def __init__(self, container: Any, coding: Coding, video: Video) -> None:
        self.container, self.coding, self.video = container, coding, video
        self.told: dict[str, None] = {}  # sentences on what is not kept, each once
        self._stream: Any = None
        self._shape: tuple[int, ...] = ()
        self._tracks: dict[int, Any] = {}
        self._early: list[Sound] = []  # sound that came before the first image

    def add(self, image: UInt8[np.ndarray, "h w *c"], shot: Shot) -> None:
        """Write an image, grey or in colour, at the time of `shot`, of which it was made."""
        if self._stream is None:
            self._begin(image, shot.aspect)
        if image.shape != self._shape:
            raise BadInput(
                given=f"the images of {self.video.name} change their size "
                f"({_by(self._shape)} become {_by(image.shape)})",
                needed="images of one size in a video",
                remedy="cut it where the size changes, and translate the parts",
            )
        frame = self._coded(image)
        frame.pts, frame.time_base = shot.at, self.video.tick
        with self._writing():
            self.container.mux(self._stream.encode(frame))

    def add_sound(self, sound: Sound) -> None:
        """Write a piece of sound as it is."""
        if self._stream is None:
            self._early.append(sound)
            return
        track = self._tracks.get(sound.packet.stream.index)
        if track is not None:
            sound.packet.stream = track
            with self._writing():
                self.container.mux(sound.packet)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is None:
            raise BadInput(
                given=f"{self.video.name} holds no image",
                needed="a video with one image at least",
                remedy="give another file",
            )
        with self._writing():
            self.container.mux(self._stream.encode())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raise BadInput for what FFmpeg refuses to write; a full disk passes through."""
        try:
            yield
        except (library().FFmpegError, ValueError) as problem:
            if isinstance(problem, OSError):
                raise
            raise BadInput(
                given=f"{self.video.name} cannot be written as {self.coding.suffix} by "
                f"{self.coding.encoder} ({quote(problem)})",
                needed="images, times and sound that the encoder and the container take",
                remedy="name another --codec: ffv1, in .mkv, takes nearly all",
            ) from problem

    def _begin(self, image: UInt8[np.ndarray, "h w *c"], aspect: Fraction | None) -> None:
        coding, (height, width) = self.coding, image.shape[:2]
        stream = self.container.add_stream(
            coding.encoder, rate=self.video.rate, options=dict(coding.options)
        )
        if coding.even and (height % 2 or width % 2):
            self.told[
                f"its {width} by {height} pixels became even numbers by one more row or column, the "
                f"last one again (--codec ffv1 needs none)"
            ] = None
            height, width = height + height % 2, width + width % 2
        stream.height, stream.width = height, width
        stream.pix_fmt = coding.grey if image.ndim == 2 else coding.colour
        context = stream.codec_context
        context.time_base = self.video.tick
        context.flags |= library().codec.context.Flags.bitexact.value
        if aspect not in (None, 1):
            stream.sample_aspect_ratio = aspect
            if coding.suffix != ".mp4":  # PyAV 18 tells it to the coder, not to the container
                self.told[
                    f"its pixels are not square ({aspect}), and {coding.suffix} does not say so"
                ] = None
        if coding.tag is not None:
            context.codec_tag = coding.tag
        if not coding.is_lossless:
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = LIMITED
        self._stream, self._shape = stream, image.shape
        for sound in self.video.sounds:
            self._take(sound)
        for piece in self._early:
            self.add_sound(piece)

    def _take(self, sound: Any) -> None:
        """Make a track for sound as it is, where the container can hold it."""
        kind = None if sound.codec_context is None else sound.codec_context.codec.canonical_name
        if kind in self.container.supported_codecs:
            with suppress(ValueError):
                self._tracks[sound.index] = self.container.add_stream_from_template(sound)
                return
        self.told[
            f"its sound ({kind or 'of an unknown kind'}) is left out: {self.coding.suffix} cannot hold "
            "it as it is; --codec ffv1 writes .mkv, which can hold nearly all"
        ] = None

    def _coded(self, image: UInt8[np.ndarray, "h w *c"]) -> Any:
        if self.coding.even:
            more = [(0, side % 2) for side in image.shape[:2]]
            image = np.pad(image, [*more, *[(0, 0)] * (image.ndim - 2)], mode="edge")
        frame = library().VideoFrame.from_ndarray(
            np.ascontiguousarray(image), format="gray" if image.ndim == 2 else "rgb24"
        )
        form = self._stream.pix_fmt
        if self.coding.is_lossless:
            return frame if frame.format.name == form else frame.reformat(format=form)
        return frame.reformat(format=form, dst_colorspace="ITU709", dst_color_range="MPEG")


@contextmanager
def filming(path: Path, coding: Coding, video: Video, note: Note) -> Iterator[Film]:
    """Write a video; `path` is whole when the block ends well. video: the one whose times it takes."""
    av = library()
    os.environ.setdefault("SVT_LOG", "1")  # errors alone: the encoder of AV1 tells all its settings
    options = {"write_crc32": "0"} if coding.suffix in (".mkv", ".webm") else {}
    with av.open(str(path), mode="w", options=options) as container:
        container.flags |= av.container.core.Flags.bitexact.value  # no date, no chance: same bytes
        container.metadata[TELLS] = json.dumps(asdict(note) | {"file": note.blank}, sort_keys=True)
        film = Film(container, coding, video)
        yield film
        film.finish()
    _seal(path, note)


def note_of(path: Path) -> Note | None:
    """The note of a video that is as we wrote it; None for any other file."""
    av = library()
    try:
        with path.open("rb") as stream, av.open(stream, options=dict(ALONE)) as container:
            told = {key.lower(): value for key, value in container.metadata.items()}
        note = Note(**json.loads(told.get(TELLS, "")))
        if any(DIGEST.fullmatch(part) is None for part in asdict(note).values()):
            return None
        return note if note.file == _digest(path, note.file, note.blank)[0] else None
    except (av.FFmpegError, OSError, TypeError, ValueError, RecursionError):
        return None


def _seal(path: Path, note: Note) -> None:
    """Write the file's digest over the blank of its note."""
    digest, place = _digest(path, note.blank, note.blank)
    with path.open("r+b") as stream:
        stream.seek(place)
        stream.write(digest.encode())


def _digest(path: Path, there: str, blank: str) -> tuple[str, int]:
    """SHA-256 of a file in which `blank` stands for the one text `there`; and the place of that."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            place = content.find(there.encode())
            once = place >= 0 and content.find(there.encode(), place + 1) < 0
        if not once:
            raise ValueError("a video does not hold its note once")
        left = place
        while left:
            found.update(stream.read(min(left, CHUNK_BYTES)))
            left = place - stream.tell()
        found.update(blank.encode())
        stream.seek(place + len(there))
        while some := stream.read(CHUNK_BYTES):
            found.update(some)
    return found.hexdigest(), place


def _by(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} by {shape[0]}"
