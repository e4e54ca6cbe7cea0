"""Translation of what a camera shows, into a video, until Ctrl-C or for some seconds."""

import hashlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading
from thermochroma.serving.polarity import warning_of
from thermochroma.serving.tones import Mapping, Percentile
from thermochroma.serving.video import Painter, Sight, film
from thermochroma.serving.video_files import Shot, Video, library, video_in
from thermochroma.serving.video_writing import CODINGS, Note

SYSTEMS: Final = {"linux": ("v4l2", "/dev/video"), "darwin": ("avfoundation", "")}
"""FFmpeg's device for cameras, and what stands before a camera's number, by the system's name."""
WAIT: Final = 10.0  # seconds for a camera's next image
AGAIN: Final = "name another one with --camera, or plug it in"


def record(
    painter: Painter,
    camera: str,
    folder: Path,
    *,
    how: str,
    tone: Mapping | Percentile | None,
    codec: str,
    seconds: float | None,
) -> tuple[Path, list[str]]:
    """Translate a camera's images into a new video in `folder`; gives it, and sentences on it.

    Raises BadInput for a length of nothing, for a camera that cannot be opened, and for images that would
    be refused in a video.
    """
    if seconds is not None and not seconds > 0:
        raise BadInput(
            given=f"--seconds is {seconds:g}",
            needed="how long the camera is recorded, more than 0",
            remedy="correct it, or leave it out: then Ctrl-C ends the recording",
        )
    if isinstance(tone, Percentile):
        raise BadInput(
            given="--tone auto or percentile stands beside --camera",
            needed="black and white that are known before the last image",
            remedy="name them, --tone 'window 7000 9000'",
        )
    begun = datetime.now()
    target = folder / f"camera-{begun:%Y%m%d-%H%M%S}{CODINGS[codec].suffix}"
    note = Note(*(hashlib.sha256(one.encode()).hexdigest() for one in (f"{camera} {begun}", how)))
    with _opened(camera) as video, _interrupted() as stop, whole_file(target) as part:
        painter.tiling.refuse_too_large(*video.size, given=video.name)
        sight = Sight(video.name, video.path, painter.predictor.sees, tone)
        shots = _until(video, stop, seconds)
        told = film(painter, video, shots, sight, part, CODINGS[codec], note)
    warning = warning_of([2 * sight.black_hot > sight.count]) if painter.guesses else ""
    return target, [f"{sight.count} images", *told, *[warning] * bool(warning)]


@contextmanager
def _opened(camera: str) -> Iterator[Video]:
    av = library()
    form, name = _device(camera)
    _refuse_unknown(av, form)
    with reading(Path(name), needed=f"a camera that FFmpeg opens by {form}", remedy=AGAIN):
        container = av.open(name, format=form, timeout=WAIT)
    with container:
        video = video_in(container, Path(name))
        yield replace(video, name=f"the camera {camera}", sounds=(), expected=None)


def _refuse_unknown(av: ModuleType, form: str) -> None:
    """Raise BadInput for a kind of device that this FFmpeg does not have."""
    try:
        av.ContainerFormat(form, "r")
    except ValueError:
        raise BadInput(
            given=f"FFmpeg has no kind of device called {form!r} on this machine",
            needed="v4l2 (Linux), avfoundation (macOS), dshow (Windows), or another one of FFmpeg's",
            remedy="correct what stands before the colon of --camera",
        ) from None


def _device(camera: str) -> tuple[str, str]:
    """FFmpeg's format and name of a camera: of its number, or of `FORMAT:NAME`."""
    if camera.isdecimal() and sys.platform in SYSTEMS:
        form, before = SYSTEMS[sys.platform]
        return form, before + camera
    form, colon, name = camera.partition(":")
    if not colon or not name:
        raise BadInput(
            given=f"--camera is {camera!r}",
            needed="a number, or FFmpeg's format and name of a device, such as v4l2:/dev/video2 or "
            "'dshow:video=Thermal Camera'",
            remedy="correct it",
        )
    return form, name


def _until(video: Video, stop: Event, seconds: float | None) -> Iterator[Shot]:
    """Images until `stop` or for `seconds`; the first one's time is 0."""
    first: int | None = None
    for part in video.parts():
        if stop.is_set():
            return
        if isinstance(part, Shot):
            first = part.at if first is None else first
            if seconds is not None and (part.at - first) * video.tick >= seconds:
                return
            yield replace(part, at=part.at - first)


@contextmanager
def _interrupted() -> Iterator[Event]:
    """Let the first Ctrl-C end the recording well, and a second one the command."""
    stop = Event()

    def end(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
