"""Videos, read image by image by PyAV (FFmpeg): upright pixels with their times; sound as it lies there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
from jaxtyping import Shaped, UInt8

from thermochroma.base.decoding import ANOTHER, opened
from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import names_image
from thermochroma.base.images import GREY_TOLERANCE
from thermochroma.base.reading import reading

EXTRA: Final = "video"  # of pyproject.toml
VIDEO_SUFFIXES: Final = (
    *(".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".asf", ".flv", ".ogv", ".3gp", ".mxf", ".nut", ".y4m", ".h264", ".h265", ".mjpeg"),
)
"""Suffixes by which videos are found, in lower case; names may have them in any case."""
ALONE: Final = {"protocol_whitelist": "none"}
"""A video is read from its own bytes: playlists, which name other files and addresses, are refused."""
AT_A_TIME: Final = 1 << 18  # bytes read
USUAL_RATE: Final = Fraction(25)  # images a second, where a video says none
ONE: Final = 1 << 16  # in the matrix that tells how a video is shown


@dataclass(frozen=True, eq=False)
class Shot:
    """One image of a video, upright.

    pixels: 8 bits in one channel or three, or a sensor's counts. at: its time, in ticks of the video.
    aspect: width of a pixel by its height; None if the video does not say.
    """

    pixels: Shaped[np.ndarray, "..."]
    at: int
    aspect: Fraction | None = None


@dataclass(frozen=True, eq=False)
class Sound:
    """A piece of one of the video's tracks of sound, coded as it was."""

    packet: Any


@dataclass(frozen=True, eq=False)
class Video:
    """A video that is open for reading, once, from its first image on. name: for sentences.

    rate: images a second, on average. tick: the unit of all times, in seconds. sounds: its tracks of
    sound, as PyAV gives them. expected: about how many images it has; None if it does not say.
    """

    name: str
    path: Path
    container: Any
    stream: Any
    rate: Fraction
    tick: Fraction
    sounds: tuple[Any, ...]
    expected: int | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as they are stored; one that lies on its side is not upright yet."""
        return self.stream.width, self.stream.height

    @property
    def seconds(self) -> float | None:
        """Duration of the whole file as it says it itself."""
        duration = self.container.duration
        return None if duration is None else duration / 1_000_000

    def parts(self) -> Iterator[Shot | Sound]:
        """Images and pieces of sound in the order of the file; times of images rise strictly.

        Raises BadInput for what FFmpeg cannot decode, and for what images would be refused for.
        """
        step = max(1, round(1 / (self.rate * self.tick)))
        last: int | None = None
        for packet in self._packets():
            if packet.stream.type == "audio":
                if packet.dts is not None:  # the last ones are empty
                    yield Sound(packet)
                continue
            with reading(self.path, needed="a video whose images are whole", remedy=ANOTHER):
                frames = packet.decode()
            for frame in frames:
                at = frame.pts
                if last is not None and (at is None or at <= last):
                    at = last + step if at is None else last + 1
                last = at or 0
                yield self._shot(frame, last)

    def _packets(self) -> Iterator[Any]:
        packets = self.container.demux([self.stream, *self.sounds])
        while True:
            with reading(self.path, needed="a whole video", remedy=ANOTHER):
                packet = next(packets, None)
            if packet is None:
                return
            yield packet

    def _shot(self, frame: Any, at: int) -> Shot:
        with reading(self.path, needed="images of a form that FFmpeg converts", remedy=ANOTHER):
            bits = max(part.bits for part in frame.format.components)
            is_grey = frame.format.name.startswith("gray")
            pixels = None if bits > 8 and not is_grey else _pixels(frame, is_grey)
            turn = frame.side_data.get("DISPLAYMATRIX")
        if pixels is None or pixels.dtype.kind == "f":
            raise self._other_form(frame.format.name)
        aspect = self.stream.sample_aspect_ratio or None
        if turn is None:
            return Shot(np.ascontiguousarray(pixels), at, aspect)
        return self._turned(Shot(pixels, at, aspect), turn)

    def _turned(self, shot: Shot, turn: Any) -> Shot:
        """Turn and mirror by quarters, as the video's matrix tells a player to."""
        pixels, aspect = shot.pixels, shot.aspect
        matrix = np.frombuffer(turn, "<i4").astype(float) / ONE
        across, down = matrix[[0, 3]], matrix[[1, 4]]  # what comes of the stored image's x and y
        is_quarter = np.isin(matrix[[0, 1, 3, 4]], (-1, 0, 1)).all()
        if not is_quarter or abs(across[0] * down[1] - across[1] * down[0]) != 1:
            raise BadInput(
                given=f"{self.name} is to be shown turned by another angle than a quarter of a turn",
                needed="a video that stands upright, or lies on a side or its head",
                remedy="turn it with a program for videos first",
            )
        if across[0] == 0:
            pixels, aspect = pixels.swapaxes(0, 1), None if aspect is None else 1 / aspect
        if across.sum() < 0:
            pixels = pixels[:, ::-1]
        if down.sum() < 0:
            pixels = pixels[::-1]
        return Shot(np.ascontiguousarray(pixels), shot.at, aspect)

    def _other_form(self, form: str) -> BadInput:
        return BadInput(
            given=f"{self.name} has pixels of the form {form}",
            needed="grey of 8 to 16 bits, or colour of 8 bits a channel",
            remedy="convert it first, say to the form gray16le (heat) or yuv420p (colour) in FFmpeg's "
            "words",
        )


def library() -> Any:
    """The package that reads and writes videos. Raises BadInput if it is not installed."""
    try:
        import av
    except ImportError:
        raise BadInput(
            given="a video is asked for, and the package av is missing",
            needed="PyAV, which brings FFmpeg along",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'`",
        ) from None
    return av


def is_video(path: Path) -> bool:
    """Whether a file is a video: by its name or, where that tells neither, by its content."""
    if names_video(path) or names_image(path) or not path.is_file():
        return names_video(path)
    try:
        with opened(path):
            return False
    except BadInput:
        pass
    try:
        with opened_video(path):
            return True
    except BadInput:
        return False


def names_video(path: PurePath) -> bool:
    """Whether a file is a video by its name: a known suffix, and not hidden."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")


@contextmanager
def opened_video(path: Path) -> Iterator[Video]:
    """Open a video in a file. Raises BadInput if it is missing, damaged or none."""
    av = library()
    needed = "a video in a container that FFmpeg reads"
    with reading(path, needed=needed, remedy=ANOTHER):
        stream = path.open("rb")
    with stream:
        with reading(path, needed=needed, remedy=ANOTHER):
            container = av.open(
                stream, options=dict(ALONE), buffer_size=AT_A_TIME, metadata_errors="replace"
            )
        with container:
            yield video_in(container, path)


def video_in(container: Any, path: Path) -> Video:
    """The best video of an open container. Raises BadInput if there is none."""
    with reading(path, needed="a video", remedy=ANOTHER):
        stream = container.streams.best("video")
    if stream is None or not stream.width:
        raise BadInput(given=f"{path} holds no video", needed="a track of images", remedy=ANOTHER)
    with reading(path, needed="a video that says its times", remedy=ANOTHER):
        stream.thread_type = "AUTO"
        rate = Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE)
        tick = Fraction(stream.time_base or 1 / rate)
        count = stream.frames
        if not count and container.duration:
            count = round(container.duration / 1_000_000 * rate)
        sounds = tuple(container.streams.audio)
    return Video(str(path), path, container, stream, rate, tick, sounds, count or None)


def as_thermal(
    pixels: UInt8[np.ndarray, "h w *c"],
) -> UInt8[np.ndarray, "h w"] | None:
    """Take three channels that are equal, up to what lossy coding does, as one; None for colour."""
    if pixels.ndim == 2:
        return pixels
    return None if shows_colour(pixels) else np.ascontiguousarray(pixels[..., 0])


def shows_colour(pixels: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether two channels of a pixel differ by more than lossy coding lets equal ones differ."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    return bool((highest - lowest).max() > GREY_TOLERANCE)


def _pixels(frame: Any, is_grey: bool) -> Shaped[np.ndarray, "..."]:
    pixels = frame.to_ndarray() if is_grey else frame.to_ndarray(format="rgb24")
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
